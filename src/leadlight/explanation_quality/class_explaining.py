"""``explain_class``: records that a class is found in, missed in or mistaken for, beat by beat."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import EvaluationError, LeadlightError, ModelError
from leadlight.evaluation.opening import label_space, open_for, records_for, seen_here
from leadlight.evaluation.runs import predict_rows
from leadlight.explanation.beats import find_r_peaks
from leadlight.explanation.explaining import check_method, explain_reading
from leadlight.explanation.reading import Reading
from leadlight.explanation.target import find_class
from leadlight.explanation_quality.aligned_beats import BEATS, Window, chosen_peaks, mean_beat
from leadlight.explanation_quality.asking import Asked, parse_method
from leadlight.explanation_quality.class_explanation import BeatGroup, ClassExplanation
from leadlight.labels import Criterion, criterion
from leadlight.progress import ProgressCallback, silent

IN_WORDS = {"PR": "the PR interval", "J": "the J point", "TQ": "the time from T to the next QRS"}

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.classifier.contract import SeenFolds
    from leadlight.labels import LabelClass
    from leadlight.store import Data, Store


def explain_class(
    model: str | os.PathLike[str],
    target: str,
    fold: int,
    data: Data | None = None,
    *,
    method: str = "integrated-gradients",
    beats: str | None = None,
    window: Window | None = None,
    n_records: int = 200,
    resamples: int = 1000,
    seed: int = 0,
    on_progress: ProgressCallback = silent,
) -> ClassExplanation:
    """Mean beat and mean relevance of a class, of records where it is found, mistaken and missed.

    data: as for ``evaluate_run``; target: code or description of a class; method: a name, settings behind a
    colon; beats: "regular", "early" or "all"; None takes the early ones for findings that are early beats,
    else the regular ones; n_records: at most so many of each group, drawn by chance. Beats are found by
    NeuroKit2; records where that fails are counted and left out.
    Raises ModelError, LabelError, EvaluationError where no record can be used, and what loading and opening
    raise.
    """
    from leadlight.classifier import find_model_folder, load, read_contract

    contract = read_contract(find_model_folder(model))
    code = find_class([(one.code, one.description) for one in contract.classes], target)
    asked = parse_method(method)
    if beats is not None and beats not in BEATS:
        raise EvaluationError(f"beats: found {beats!r}; accepted: {', '.join(BEATS)}.")
    classifier = load(model)
    check_method(classifier, asked.method)
    store, places = open_for(contract, model, data, on_progress)
    selection = records_for(contract, store, [fold])
    column = contract.codes.index(code)
    probabilities = predict_rows(classifier, store, selection.rows, on_progress)[:, column]
    found = probabilities >= np.float32(contract.thresholds.values[column])
    known, present = selection.known[:, column], selection.truth[:, column] == 1
    of_class = criteria_of_class(label_space(contract).classes[column])
    which = beats or ("early" if any(one.beats == "early" for one in of_class) else "regular")
    members = {
        "true positives": selection.rows[known & present & found],
        "false positives": selection.rows[known & ~present & found],
        "false negatives": selection.rows[known & present & ~found],
    }
    rng = np.random.default_rng(seed)
    drawn = {name: rng.permutation(rows)[:n_records] for name, rows in members.items()}
    total, done = sum(map(len, drawn.values())), 0
    groups, about = [], _About()
    for name, rows in drawn.items():

        def told(n: int, before: int = done) -> None:
            on_progress(before + n, total, "")

        groups.append(
            _group(
                name, len(members[name]), classifier, store, rows, code, asked, which, window or Window(),
                about, told,
            )
        )  # fmt: skip
        done += len(rows)
    if not any(map(len, groups)):
        reasons = "; ".join(f"{n} {why}" for group in groups for why, n in group.left_out.items())
        raise EvaluationError(
            f"fold {fold}, {code}: no record shows the class or is found to, with beats that can be used"
            f"{': ' + reasons if reasons else ''}; accepted: a fold and data with some."
        )
    rate = contract.preprocessing.sampling_rate
    return ClassExplanation(
        target=code,
        description=dict(classifier.classes)[code],
        method=asked.name,
        leads=tuple(contract.input.leads),
        times=(window or Window()).offsets(rate) / rate,
        groups=tuple(groups),
        signed=about.signed,
        leads_apart=about.leads_apart,
        expected=in_words(of_class),
        subject={
            "model": contract.name,
            "weights_sha256": contract.weights_sha256,
            "dataset": store.dataset,
            "dataset_version": store.description["dataset_version"],
            "data": " + ".join(map(str, places)),
            "fold": fold,
            "settings": asdict(asked.settings),
        },
        notes=(*_notes(asked, about, of_class, which), *_fold_notes(seen_here(store, contract), fold)),
        resamples=resamples,
        seed=seed,
        beats=which,
    )


class _About:
    """What the explanations say of themselves; the same for all of a method and model."""

    signed = False
    leads_apart = True


def criteria_of_class(label: LabelClass) -> list[Criterion]:
    """The criteria of a class's findings."""
    codes = [one.removeprefix("=") for one in label.findings] or list(label.members)
    known = []
    for code in codes:
        try:
            one = criterion(code)
        except LeadlightError:  # a code of another system
            continue
        if one is not None:
            known.append(one)
    return known


def in_words(criteria: Sequence[Criterion]) -> str:
    """Leads and parts of the beat that these criteria look at; "" of none."""
    said = []
    for one in criteria:
        if one.has_place:
            leads = ", ".join(one.leads) or "all leads"
            parts = ", ".join(IN_WORDS.get(segment, segment) for segment in one.segments)
            said.append(f"{parts} in {leads}" + (" (early beats)" * (one.beats == "early")))
    return "; ".join(dict.fromkeys(said))


def _group(
    name: str, total: int, classifier: Classifier, store: Store, rows: NDArray[np.int64], code: str,
    asked: Asked, which: str, window: Window, about: _About, told: Any,
) -> BeatGroup:  # fmt: skip
    ids = store.columns("patient_id")["patient_id"]
    left_out: dict[str, int] = {}
    patients, counts, beats, relevance, importance = [], [], [], [], []
    for done, row in enumerate(rows.tolist(), start=1):
        try:
            reading = Reading(classifier, classifier.views(store.recording(row)))
            rate = reading.recording.sampling_rate
            peaks = chosen_peaks(find_r_peaks(reading.recording), which)
            beat, n = mean_beat(_centred(reading.recording.signal), peaks, window, rate)
            if n == 0:
                reason = f"no {which} beat that lies wholly within the recording"
                left_out[reason] = left_out.get(reason, 0) + 1
                continue
            (one,) = explain_reading(reading, [code], asked.method, asked.settings)
        except ModelError:
            raise
        except LeadlightError as error:
            reason = str(error).split(";")[0].split(" that ")[0][:60]
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        finally:
            told(done)
        about.signed, about.leads_apart = one.signed, one.leads_apart
        values = one.signed_multiples if one.signed else one.multiples
        patients.append(str(ids[row].as_py()))
        counts.append(n)
        beats.append(beat)
        relevance.append(mean_beat(values, peaks, window, rate)[0])
        importance.append(np.asarray(one.lead_importance))
    n_leads, n_times = (
        len(classifier.contract.input.leads),
        len(window.offsets(classifier.contract.preprocessing.sampling_rate)),
    )
    shape = (len(patients), n_leads, n_times)
    return BeatGroup(
        name, total, left_out, tuple(patients), np.array(counts, dtype=np.int64),
        np.array(beats, dtype=np.float64).reshape(shape), np.array(relevance).reshape(shape),
        np.array(importance).reshape(len(patients), n_leads),
    )  # fmt: skip


def _centred(signal: NDArray[np.floating]) -> NDArray[np.float64]:
    """Each lead with its median, near the iso-electric line, at 0 mV."""
    return np.asarray(signal - np.nanmedian(signal, axis=1, keepdims=True), dtype=np.float64)


def _fold_notes(seen: Sequence[SeenFolds], fold: int) -> list[str]:
    """What the fold was used for: there, records mistaken and missed are rarer than among new patients."""
    if any(fold in one.training for one in seen):
        used = "was used for fitting the weights"
    elif any(fold in one.validation for one in seen):
        used = "chose the epoch and the thresholds"
    else:
        return []
    return [f"Fold {fold} {used}: fewer records are mistaken or missed than among new patients."]


def _notes(
    asked: Asked, about: _About, criteria: Sequence[Criterion], which: str
) -> tuple[str, ...]:  # fmt: skip
    notes = []
    if not asked.method.class_dependent:
        notes.append(f"{asked.method.name} is the same for every class: it does not show this one.")
    if not about.leads_apart:
        notes.append("All leads share one map: differences between leads are those of the tracing alone.")
    if criteria and not any(one.has_place for one in criteria):
        notes.append(
            "The criteria of this class have no place inside a beat: a mean beat cannot show what they look "
            "at. Look at whole records."
        )
    if which == "early":
        notes.append("Only beats that come early are averaged, as the class is about them.")
    return tuple(notes)
