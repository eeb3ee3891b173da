"""A whole evaluation from arrays: every metric with its interval, over all classes and for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Bools, checked, checked_thresholds
from leadlight.evaluation.challenge import has_challenge_score
from leadlight.evaluation.conformal import SetCoverage, measure_sets
from leadlight.evaluation.delong import delong
from leadlight.evaluation.intervals import Estimate, Resamples, estimate
from leadlight.evaluation.metrics import PAPER_THRESHOLDS, fmax, macro_mean, undefined_classes
from leadlight.evaluation.reliability import calibration_error
from leadlight.evaluation.remarks import remarks, shifts, uncovered
from leadlight.evaluation.resampled import by_class, over_all, with_all, with_rare_stratified
from leadlight.evaluation.subgroups import Subgroup

if TYPE_CHECKING:
    from leadlight.classifier.calibration import PredictionSets

OVERALL = {
    "macro_roc_auc": "macro ROC-AUC",
    "macro_average_precision": "macro average precision",
    "fmax": "Fmax (record-centred, ten thresholds)",
    "fmax_benchmark": "Fmax (record-centred, 101 thresholds)",
    "challenge_score": "Challenge 2021 score at the model's thresholds",
    "macro_f1": "macro F1 at the model's thresholds",
    "macro_precision": "macro precision (PPV) at the model's thresholds",
    "macro_recall": "macro recall (sensitivity) at the model's thresholds",
    "macro_specificity": "macro specificity at the model's thresholds",
    "macro_npv": "macro NPV at the model's thresholds",
    "mean_accuracy": "mean accuracy at the model's thresholds",
    "mean_accuracy_at_half": "mean accuracy at 0.5",
    "subset_accuracy": "subset accuracy at the model's thresholds",
    "hamming_loss": "Hamming loss at the model's thresholds (0 is best)",
    "mean_brier": "mean Brier score (0 is best)",
    "mean_calibration_error": "mean calibration error (0 is best)",
}
"""Metrics over all classes: key in metrics.json and title in tables.

The Challenge's score is there for its own classes alone. The calibration error has no interval: resamples
of it lie above it.
"""


@dataclass(frozen=True)
class ClassEvaluation:
    """One class: how many records are known for it, how many show it, and how well it is found.

    threshold: NaN where the model has none. An Estimate is NaN where it is not defined. delong: ROC-AUC
    with DeLong's interval in place of the bootstrap's. patients: with a positive record; is_stratified:
    so few (or all but so few) that their number is kept in each resample. precision: 0 for a class that
    is never called.
    """

    code: str
    description: str
    n: int
    positives: int
    patients: int
    is_stratified: bool
    threshold: float
    roc_auc: Estimate
    delong: Estimate
    average_precision: Estimate
    f1: Estimate
    precision: Estimate
    recall: Estimate
    specificity: Estimate
    npv: Estimate
    accuracy: Estimate
    brier: Estimate
    calibration_error: float


@dataclass(frozen=True, eq=False)
class Scored:
    """What was measured, record by record: truth, scores and mask are (records, classes)."""

    record_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    truth: Bools
    scores: NDArray[np.floating[Any]]
    known: Bools


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metrics of one model on one set of records, with 95% intervals by a bootstrap over patients.

    overall: by the keys of OVERALL; fmax_threshold: the shared threshold of the largest F on these
    very records; subject: what was measured on what (model, data set, fold ...), plain values;
    sets: what the model's prediction sets held; subgroups: records apart by sex, age ...; () for none.
    """

    overall: Mapping[str, Estimate]
    classes: tuple[ClassEvaluation, ...]
    n_records: int
    n_patients: int
    fmax_threshold: float
    resamples: int
    seed: int
    subject: Mapping[str, Any]
    notes: tuple[str, ...]
    scored: Scored = field(repr=False)
    sets: tuple[SetCoverage, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()

    @property
    def undefined(self) -> tuple[str, ...]:
        """Codes of the classes without positives or without negatives: they are in no mean of AUCs."""
        return tuple(one.code for one in self.classes if one.positives in (0, one.n))

    def table(self) -> list[dict[str, Any]]:
        """One row a class, as in per_class.csv; None where a metric is not defined."""
        from leadlight.evaluation.saving import class_row

        return [class_row(one) for one in self.classes]

    def __str__(self) -> str:
        width = max(map(len, OVERALL.values()))
        lines = [f"{OVERALL[key]:{width}}  {one}" for key, one in self.overall.items()]
        return "\n".join([f"{self.n_records} records of {self.n_patients} patients", *lines, *self.notes])

    def to_dict(self) -> dict[str, Any]:
        """The content of metrics.json: plain values, None where a metric is not defined."""
        from leadlight.evaluation.saving import to_dict

        return to_dict(self)

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write metrics.json, per_class.csv and predictions.parquet; returns their paths."""
        from leadlight.evaluation.saving import save

        return save(self, Path(folder))


def evaluate(
    truth: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    thresholds: ArrayLike,
    *,
    patients: Sequence[object],
    known: ArrayLike | None = None,
    record_ids: Sequence[str] | None = None,
    descriptions: Sequence[str] | None = None,
    subject: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    sets: PredictionSets | None = None,
    subgroups: Sequence[Subgroup] = (),
    resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Measure probabilities against the truth of records that took no part in fitting.

    truth, probabilities, known: (records, classes); classes: their codes; thresholds: (classes,),
    fitted elsewhere (`fit_thresholds` on the validation fold), NaN for a class that has none;
    patients: (records,) whose each record is; sets: the model's prediction sets, to be measured;
    subgroups: already measured (``measure_subgroups``); resamples, seed: of the bootstrap.
    Raises EvaluationError for arrays that do not fit each other and for scores outside 0 to 1.
    """
    positive, values, mask = checked(truth, probabilities, known)
    n_records, n_classes = positive.shape
    limits = checked_thresholds(thresholds, n_classes)
    if len(classes) != n_classes or (descriptions is not None and len(descriptions) != n_classes):
        raise EvaluationError(f"classes: found {len(classes)} codes for {n_classes} columns of truth.")
    if len(patients) != n_records or (record_ids is not None and len(record_ids) != n_records):
        raise EvaluationError(
            f"patients, record_ids: found other lengths than the {n_records} rows of truth."
        )
    if values.min() < 0 or values.max() > 1:
        raise EvaluationError(
            f"probabilities: found values from {values.min():.3g} to {values.max():.3g}; accepted: 0 to 1. "
            "If these are logits, apply the sigmoid first: thresholds and Brier score mean nothing without."
        )
    patient_ids = tuple(str(patient) for patient in patients)
    drawn = Resamples(np.array(patient_ids), resamples, seed)
    weights = with_all(drawn.weights)
    together = by_class(positive, values, limits, mask, weights)
    overall = over_all(positive, values, limits, mask, weights, together, has_challenge_score(classes))
    apart, is_stratified = with_rare_stratified(together, positive, values, limits, mask, drawn)
    errors = calibration_error(positive, values, mask)[0]
    evaluated = tuple(
        ClassEvaluation(
            code=code,
            description=descriptions[k] if descriptions is not None else "",
            n=int(mask[:, k].sum()),
            positives=int((positive & mask)[:, k].sum()),
            patients=len(np.unique(drawn.patients[(positive & mask)[:, k]])),
            is_stratified=bool(is_stratified[k]),
            threshold=float(limits[k]),
            delong=delong(positive[:, k], values[:, k], mask[:, k], drawn.patients).estimate(),
            calibration_error=float(errors[k]),
            **{name: estimate(column[0, k], column[1:, k]) for name, column in apart.items()},
        )
        for k, code in enumerate(classes)
    )
    estimates = {key: estimate(column[0], column[1:]) for key, column in overall.items()}
    estimates["mean_calibration_error"] = Estimate(float(macro_mean(errors)))
    undefined = undefined_classes(positive, mask)
    of_sets = () if sets is None else measure_sets(sets, positive, np.asarray(probabilities), classes, mask)
    return Evaluation(
        overall={key: estimates[key] for key in OVERALL if key in estimates},
        classes=evaluated,
        n_records=n_records,
        n_patients=len(set(patient_ids)),
        fmax_threshold=fmax(positive, values, PAPER_THRESHOLDS, mask).threshold,
        resamples=resamples,
        seed=seed,
        subject=dict(subject or {}),
        notes=(
            *notes,
            *remarks(evaluated, undefined, drawn.weights, positive & mask),
            *shifts(estimates, OVERALL),
            *(() if sets is None else uncovered(sets, of_sets)),
        ),
        scored=Scored(
            record_ids=tuple(record_ids) if record_ids is not None else tuple(map(str, range(n_records))),
            patient_ids=patient_ids,
            truth=positive,
            scores=np.asarray(probabilities),
            known=mask,
        ),
        sets=of_sets,
        subgroups=tuple(subgroups),
    )
