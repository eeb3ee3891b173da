"""Prediction of many files: in batches, with bounded memory, going on after a bad file; result tables."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from leadlight.classifier.classifier import Classifier, Longer
from leadlight.classifier.contract import Contract
from leadlight.classifier.prediction import Prediction
from leadlight.errors import LeadlightError
from leadlight.progress import ProgressCallback, silent
from leadlight.recording import Patient
from leadlight.signal import View, interpolate_gaps

FORMATS = (".csv", ".json")
# However many files are bad, results go out after this many batches' worth of files.
_LONGEST_WAIT = 8


@dataclass(frozen=True)
class FileResult:
    """A file and what came of it: a prediction, or the reason why there is none."""

    file: Path
    prediction: Prediction | None
    error: str = ""


def predict_files(
    classifier: Classifier,
    files: Sequence[Path],
    longer: Longer = "contract",
    batch_size: int = 32,
    on_progress: ProgressCallback = silent,
    *,
    fill_gaps: float | None = None,
    patient: Patient | None = None,
) -> Iterator[FileResult]:
    """One result a file, in the order of the files; a file that cannot be used does not stop the others.

    files: paths that ``leadlight.read`` takes; ``leadlight.files.find_recordings``
    expands folders. fill_gaps: seconds; gaps up to that long are filled by straight lines
    before the model's own steps, and noted. patient: whose age and sex, where given, stand for those
    in the files, for a model that reads them. At most about a batch of recordings is held at a time.
    """
    waiting: list[tuple[Path, list[View], str]] = []
    n_views = 0
    done = 0
    for file in files:
        views, error = _views(classifier, file, longer, fill_gaps, patient)
        waiting.append((file, views, error))
        n_views += len(views)
        if (
            n_views >= batch_size
            or len(waiting) >= _LONGEST_WAIT * batch_size
            or done + len(waiting) == len(files)
        ):
            predictions = iter(
                classifier.predict_views([views for _, views, _ in waiting if views], batch_size)
            )
            for waited, views, error in waiting:
                yield FileResult(waited, next(predictions) if views else None, error)
            done += len(waiting)
            waiting, n_views = [], 0
            on_progress(done, len(files), "")


@contextmanager
def result_file(path: Path, contract: Contract) -> Iterator[Callable[[FileResult], None]]:
    """A function that adds a result to a .csv or .json file; the suffix decides.

    CSV: file, one column a class with its probability, findings, (with prediction sets: the classes that
    are uncertain,) notes, error.
    JSON: model, classes with thresholds, and a list of predictions. Written as
    PATH.part and renamed when whole; when the work is broken off, the part stays to be read.
    """
    partial = path.with_name(f"{path.name}.part")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        write = (
            _csv_writer(stream, contract) if path.suffix.lower() == ".csv" else _json_writer(stream, contract)
        )
        yield write
        if path.suffix.lower() == ".json":
            stream.write("\n]}\n")
    partial.replace(path)


def result_values(result: FileResult) -> dict[str, Any]:
    """A result as plain values: file, findings, probabilities by class, notes, error."""
    prediction = result.prediction
    return {
        "file": str(result.file),
        "findings": None if prediction is None else list(prediction.findings),
        "probabilities": prediction and {row["class"]: row["probability"] for row in prediction.table()},
        "notes": [] if prediction is None else list(prediction.notes),
        **({"sets": {row["class"]: row["set"] for row in prediction.table()}}
           if prediction is not None and prediction.sets else {}),
        "error": result.error or None,
    }  # fmt: skip


def model_values(contract: Contract) -> dict[str, Any]:
    """Which model spoke: its name, the checksum of its weights, its calibration, classes and thresholds."""
    sets = contract.prediction_sets
    return {
        "model": contract.name,
        "weights_sha256": contract.weights_sha256,
        "calibration": None if contract.calibration is None else contract.calibration.method,
        **({} if sets is None else {"coverage_of_sets": sets.coverage}),
        "classes": [
            {"code": item.code, "description": item.description, "threshold": threshold}
            for item, threshold in zip(contract.classes, contract.thresholds.values, strict=True)
        ],
    }


def _views(
    classifier: Classifier, file: Path, longer: Longer, fill_gaps: float | None, patient: Patient | None
) -> tuple[list[View], str]:
    from leadlight.files import read

    try:
        recording = read(file)
        if fill_gaps is not None:
            recording = interpolate_gaps(recording, fill_gaps)
        if patient is not None:
            recording = recording.with_patient(age=patient.age, sex=patient.sex)
        return classifier.views(recording, longer), ""
    except LeadlightError as error:
        return [], str(error)
    except OSError as error:
        return [], error.strerror or type(error).__name__
    except Exception as error:
        # One file of a hundred thousand must not end the work; its text may hold a patient's data.
        if os.environ.get("LEADLIGHT_DEBUG"):
            raise
        return [], f"unexpected {type(error).__name__}; leadlight --debug predict shows where"


def _csv_writer(stream: TextIO, contract: Contract) -> Callable[[FileResult], None]:
    table = csv.writer(stream)
    has_sets = contract.prediction_sets is not None
    table.writerow(["file", *contract.codes, "findings", *["uncertain"] * has_sets, "notes", "error"])

    def write(result: FileResult) -> None:
        values = result_values(result)
        probabilities = values["probabilities"] or {}
        table.writerow(
            [
                values["file"],
                *(probabilities.get(code, "") for code in contract.codes),
                "; ".join(values["findings"] or ()),
                *["; ".join(result.prediction.undecided if result.prediction else ())] * has_sets,
                "; ".join(values["notes"]),
                " ".join(result.error.split()),
            ]
        )

    return write


def _json_writer(stream: TextIO, contract: Contract) -> Callable[[FileResult], None]:
    head = json.dumps(model_values(contract), ensure_ascii=False)
    stream.write(f'{head[:-1]}, "predictions": [')
    separator = "\n"

    def write(result: FileResult) -> None:
        nonlocal separator
        stream.write(separator + json.dumps(result_values(result), ensure_ascii=False))
        separator = ",\n"

    return write
