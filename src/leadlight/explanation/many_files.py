"""Explanations of many files: one after the other, going on after a bad file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.errors import LeadlightError
from leadlight.explanation.explaining import explain
from leadlight.explanation.explanation import Explanation
from leadlight.progress import ProgressCallback, silent
from leadlight.recording import Patient, Recording
from leadlight.signal import interpolate_gaps

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.classifier.classifier import Longer

FINDINGS = "findings"
"""A target that stands for every class that is found in the recording."""


@dataclass(frozen=True)
class FileExplanations:
    """A file and what came of it: an explanation for each target, or the reason why there is none."""

    file: Path
    explanations: tuple[Explanation, ...]
    error: str = ""


def explain_files(
    classifier: Classifier,
    files: Sequence[Path],
    targets: Sequence[str] = (),
    method: str = "attention",
    longer: Longer = "contract",
    settings: Mapping[str, Any] | None = None,
    on_progress: ProgressCallback = silent,
    *,
    fill_gaps: float | None = None,
    patient: Patient | None = None,
) -> Iterator[FileExplanations]:
    """One result a file, in the order of the files; a file that cannot be used does not stop the others.

    targets: codes or descriptions; "findings" stands for every class that is found in the recording, of
    which there may be none; none at all for a method that is the same for every class. fill_gaps: seconds;
    gaps up to that long are filled by straight lines first; patient: whose age and sex, where given,
    stand for those in the files. One file's explanations are held at a time.
    """
    for number, file in enumerate(files, start=1):
        try:
            recording = read_for(file, fill_gaps, patient)
            named = _targets(classifier, recording, targets, longer)
            values = dict(settings or {})
            found = (
                [explain(classifier, recording, None, method, longer, **values)]
                if not targets
                else explain(classifier, recording, named, method, longer, **values)
            )
            yield FileExplanations(file, tuple(found))
        except LeadlightError as error:
            yield FileExplanations(file, (), str(error))
        except OSError as error:
            yield FileExplanations(file, (), error.strerror or type(error).__name__)
        except Exception as error:
            # One file of a thousand must not end the work; its text may hold a patient's data.
            if os.environ.get("LEADLIGHT_DEBUG"):
                raise
            reason = f"unexpected {type(error).__name__}; leadlight --debug explain shows where"
            yield FileExplanations(file, (), reason)
        on_progress(number, len(files), "")


def read_for(file: Path, fill_gaps: float | None, patient: Patient | None) -> Recording:
    """The recording of a file, gaps filled and age and sex stated as asked for. Raises as ``read`` does."""
    from leadlight.files import read

    recording = read(file)
    if fill_gaps is not None:
        recording = interpolate_gaps(recording, fill_gaps)
    if patient is not None:
        recording = recording.with_patient(age=patient.age, sex=patient.sex)
    return recording


def _targets(
    classifier: Classifier, recording: Recording, targets: Sequence[str], longer: Longer
) -> list[str]:
    """The targets, with the findings of this recording in place of "findings"; each once."""
    if FINDINGS not in targets:
        return list(targets)
    found = classifier.predict(recording, longer).findings
    named = [code for target in targets for code in (found if target == FINDINGS else (target,))]
    return list(dict.fromkeys(named))
