"""Explanations of a run on one fold, measured: the loop over records, methods and classes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlight.errors import EvaluationError, LeadlightError, ModelError, SignalError
from leadlight.evaluation.opening import open_for, records_for, seen_here
from leadlight.evaluation.runs import predict_rows
from leadlight.explanation import find_beats
from leadlight.explanation.explaining import explain_reading
from leadlight.explanation.reading import Reading
from leadlight.explanation.target import find_class
from leadlight.explanation_quality.asking import Asked, Plan, asked_for
from leadlight.explanation_quality.measures import positive
from leadlight.explanation_quality.one_record import (
    Case,
    curve_values,
    place_values,
    reference_maps,
    sanity_values,
    stability_values,
)
from leadlight.explanation_quality.places import (
    criteria_of,
    findings_of,
    setting_statements,
    true_place,
    truth_folder,
)
from leadlight.explanation_quality.quality import ExplanationQuality
from leadlight.explanation_quality.randomising import DEPTHS, layers_in_order, randomised
from leadlight.explanation_quality.regions import region_of
from leadlight.explanation_quality.subjects import by_record, choose
from leadlight.progress import ProgressCallback, silent

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.explanation import Beats, Explanation
    from leadlight.labels import LabelSpace
    from leadlight.recording import Recording
    from leadlight.store import Data, Selection, Store


@dataclass(eq=False)
class _Work:
    """What the loop holds: the model, its data, what is asked, and the rows and counts so far."""

    classifier: Classifier
    store: Store
    space: LabelSpace
    truth: Path | None
    asked: list[Asked]
    plan: Plan
    shuffled: dict[str, Classifier]
    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str, n: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + n


def measure_explanations(
    model: str | os.PathLike[str],
    fold: int,
    data: Data | None = None,
    *,
    methods: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    plan: Plan | None = None,
    truth: str | os.PathLike[str] | None = None,
    resamples: int = 1000,
    on_progress: ProgressCallback = silent,
) -> ExplanationQuality:
    """Measure whether explanations of a run, a model folder or a shipped model are true, on one fold.

    data: as for ``evaluate_run``; methods: names, settings behind a colon ("occlusion:by=wave"), None for
    the usual ones; targets: codes or descriptions of classes, None for all; plan: what is measured, and
    how much; truth: the folder of the simulated data set that a store was made of, where the store does
    not say it. Explained are records that show the class and are found to, evenly drawn from the classes.
    Raises EvaluationError where no record can be explained, ModelError, LabelError, and what loading the
    model and opening the data raise.
    """
    from leadlight.classifier import find_model_folder, load, read_contract
    from leadlight.evaluation.opening import label_space

    plan = plan or Plan()
    contract = read_contract(find_model_folder(model))
    classifier = load(model)
    asked = asked_for(classifier, methods)
    named = [find_class(classifier.classes, one) for one in targets or ()]
    columns = [contract.codes.index(code) for code in dict.fromkeys(named)] or list(
        range(len(contract.codes))
    )
    store, places = open_for(contract, model, data, on_progress)
    selection = records_for(contract, store, [fold])
    probabilities = predict_rows(classifier, store, selection.rows, on_progress)
    found = probabilities >= np.array(contract.thresholds.values, dtype=np.float32)
    present = (selection.truth == 1) & selection.known
    pairs = choose(selection.rows, present & found, columns, plan.records, plan.seed)
    if not pairs:
        raise EvaluationError(
            f"fold {fold}: no record shows {', '.join(contract.codes[one] for one in columns)} and is found "
            "to; accepted: a fold, data and classes with some (leadlight evaluate says how many)."
        )
    root = truth_folder(store, places, None if truth is None else Path(truth))
    space = label_space(contract)
    if "truth" in plan.families and root is None and truth is not None:
        raise EvaluationError(f"truth: found {truth}; accepted: the folder of a simulated data set.")
    work = _Work(classifier, store, space, root if "truth" in plan.families else None, asked, plan, {})
    _run(work, pairs, on_progress)
    if not work.rows:
        why = "; ".join(f"{n} {what}" for what, n in work.counts.items())
        raise EvaluationError(f"fold {fold}: none of {len(pairs)} records could be explained: {why}.")
    return ExplanationQuality(
        rows=work.rows,
        methods=tuple(one.name for one in asked),
        classes=tuple(contract.codes[column] for column in columns),
        subject={
            "model": contract.name,
            "weights_sha256": contract.weights_sha256,
            "dataset": store.dataset,
            "dataset_version": store.description["dataset_version"],
            "data": " + ".join(map(str, places)),
            "fold": fold,
            "label_space": contract.label_space.name,
            "methods": {one.name: asdict(one.settings) for one in asked},
            "plan": asdict(plan),
            "records": _tally(selection, present, found, contract.codes, columns, pairs),
        },
        notes=_notes(work, fold, seen_here(store, contract)),
        resamples=resamples,
        seed=plan.seed,
    )


def _run(work: _Work, pairs: Sequence[tuple[int, int]], on_progress: ProgressCallback) -> None:
    ids = work.store.columns("record_id", "patient_id")
    plan = work.plan
    again = {
        family: set(pairs[:n]) if family in plan.families else set()
        for family, n in (("stability", plan.stability_records), ("sanity", plan.sanity_records))
    }
    subjects = by_record(pairs)
    done = 0
    for subject in subjects:
        record_id = str(ids["record_id"][subject.row].as_py())
        about = {"record_id": record_id, "patient_id": str(ids["patient_id"][subject.row].as_py())}
        try:
            _measure_record(work, subject.row, subject.columns, about, again)
        except LeadlightError as error:
            if isinstance(error, ModelError):
                raise
            work.count(f"records left out: {_brief(error)}")
        done += len(subject.columns)
        on_progress(done, len(pairs), f"record {record_id}")


def _measure_record(
    work: _Work,
    row: int,
    columns: Sequence[int],
    about: dict[str, str],
    again: Mapping[str, set[tuple[int, int]]],
) -> None:
    plan, classifier = work.plan, work.classifier
    recording = work.store.recording(row)
    reading = Reading(classifier, classifier.views(recording))
    cases = _cases(work, reading, recording, columns, about["record_id"])
    seed = plan.seed * 1_000_003 + row
    (prediction,) = classifier.predict_views([reading.views])
    chance = reference_maps(reading, seed)
    values: dict[tuple[str, str], dict[str, Any]] = {
        (name, case.code): place_values(relevance, case)
        for name, relevance in chance.items()
        for case in cases
    }
    made: dict[str, list[Explanation]] = {}
    for asked in work.asked:
        try:
            made[asked.name] = explain_reading(
                reading, [case.code for case in cases], asked.method, asked.settings
            )
        except SignalError as error:
            work.count(f"{asked.name}: left out, {_brief(error)}")
            continue
        for case, one in zip(cases, made[asked.name], strict=True):
            own = place_values(one.relevance, case)
            own["seconds"] = one.cost.seconds / one.cost.targets
            own["is_empty"] = not positive(one.relevance).any()
            values[asked.name, case.code] = own
    if "deletion" in plan.families:
        for place, case in enumerate(cases):
            maps = chance | {name: np.asarray(of[place].relevance) for name, of in made.items()}
            for name, own in curve_values(reading, maps, case, plan, seed).items():
                values[name, case.code] |= own
    for asked in work.asked:
        for family, pairs in again.items():
            chosen = [place for place, column in enumerate(columns) if (row, column) in pairs]
            if not chosen or asked.name not in made:
                continue
            some = [cases[place] for place in chosen]
            maps_of = [made[asked.name][place] for place in chosen]
            if family == "stability":
                more = stability_values(reading, maps_of, some, asked, plan, seed)
            else:
                work.shuffled = work.shuffled or _shuffled(work, reading)
                more = sanity_values(reading, maps_of, some, asked, work.shuffled, seed)
            for case, own in zip(some, more, strict=True):
                values[asked.name, case.code] |= own
    for (name, code), own in values.items():
        work.rows.append(
            {**about, "class": code, "method": name, "probability": float(prediction[code]), **own}
        )


def _cases(
    work: _Work, reading: Reading, recording: Recording, columns: Sequence[int], record_id: str
) -> list[Case]:
    """What is known of where each class shows in the record."""
    codes, start = work.classifier.contract.codes, reading.views[0].start
    beats: Beats | None = None
    if "criteria" in work.plan.families:
        try:
            beats = find_beats(reading.recording)
        except SignalError:
            work.count("records whose beats were not found: not measured against the criteria")
    cases = []
    for column in columns:
        truth = region = None
        if work.truth is not None:
            setting = [one.code for one in setting_statements(work.space, column, recording.statements)]
            truth = true_place(work.truth, record_id, setting, reading.recording, start)
        if beats is not None:
            criteria = criteria_of(findings_of(work.space, column, recording.statements))
            region = region_of(criteria, beats, reading.recording) if criteria else None
        cases.append(Case(codes[column], column, truth, region))
    return cases


def _shuffled(work: _Work, reading: Reading) -> dict[str, Classifier]:
    metadata = None if reading.metadata is None else reading.tensor(reading.metadata[np.newaxis])
    layers = layers_in_order(work.classifier.module, reading.tensor(reading.inputs[:1]), metadata)
    return {depth: randomised(work.classifier, layers, depth, work.plan.seed) for depth in DEPTHS}


def _tally(
    selection: Selection, present: Any, found: Any, codes: Sequence[str], columns: Sequence[int],
    pairs: Sequence[tuple[int, int]],
) -> dict[str, dict[str, int]]:  # fmt: skip
    """For each class: records of the fold that show it, that are found to, and that were explained."""
    explained = [column for _, column in pairs]
    return {
        codes[column]: {
            "present": int(present[:, column].sum()),
            "found": int((present & found)[:, column].sum()),
            "explained": explained.count(column),
        }
        for column in columns
    }


def _notes(work: _Work, fold: int, seen: Sequence[Any]) -> list[str]:
    notes = [f"{what}: {n}" for what, n in work.counts.items()]
    if any(fold in one.training for one in seen):
        notes.append(f"Fold {fold} was used for fitting the weights.")
    if "truth" in work.plan.families and work.truth is None:
        notes.append("No truth of where a class shows is known: the data are not simulated.")
    empty = [row["method"] for row in work.rows if row.get("is_empty")]
    for name in dict.fromkeys(empty):
        notes.append(
            f"{name}: {empty.count(name)} maps have nothing positive and count in no place and no order."
        )
    return notes


def _brief(error: LeadlightError) -> str:
    """The beginning of an error, alike for alike errors."""
    return str(error).split(";")[0].split(":")[0][:80]
