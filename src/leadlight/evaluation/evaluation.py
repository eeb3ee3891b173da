"""A whole evaluation from arrays: every metric with its interval, over all classes and for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Bools, Floats, checked, checked_thresholds
from leadlight.evaluation.counting import count, mean_square, record_centred
from leadlight.evaluation.intervals import Estimate, estimate, resample_patients
from leadlight.evaluation.metrics import PAPER_THRESHOLDS, fmax, macro_mean, undefined_classes
from leadlight.evaluation.ranking import rank

OVERALL = {
    "macro_roc_auc": "macro ROC-AUC",
    "macro_average_precision": "macro average precision",
    "fmax": "Fmax (record-centred, ten thresholds)",
    "macro_f1": "macro F1 at the model's thresholds",
    "mean_accuracy": "mean accuracy at the model's thresholds",
    "mean_accuracy_at_half": "mean accuracy at 0.5",
    "mean_brier": "mean Brier score (0 is best)",
}
"""Metrics over all classes: key in metrics.json and title in tables."""


@dataclass(frozen=True)
class ClassEvaluation:
    """One class: how many records are known for it, how many show it, and how well it is found.

    threshold: NaN where the model has none. An Estimate is NaN where it is not defined.
    """

    code: str
    description: str
    n: int
    positives: int
    threshold: float
    roc_auc: Estimate
    average_precision: Estimate
    f1: Estimate
    accuracy: Estimate


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
    very records; subject: what was measured on what (model, data set, fold ...), plain values.
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
    resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Measure probabilities against the truth of records that took no part in fitting.

    truth, probabilities, known: (records, classes); classes: their codes; thresholds: (classes,),
    fitted elsewhere (`fit_thresholds` on the validation fold), NaN for a class that has none;
    patients: (records,) whose each record is; resamples, seed: of the bootstrap.
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
    drawn = resample_patients(np.array(patient_ids), resamples, seed)
    weights = np.concatenate([np.ones((1, n_records)), drawn])  # first the records as they are

    ranked = rank(positive, values, mask, weights)
    counts = count(positive, values, limits, mask, weights)
    f_at = record_centred(positive, values, PAPER_THRESHOLDS, mask, weights).f
    overall = {
        "macro_roc_auc": macro_mean(ranked.roc_auc),
        "macro_average_precision": macro_mean(ranked.average_precision),
        "fmax": _largest(f_at),
        "macro_f1": macro_mean(counts.f1),
        "mean_accuracy": macro_mean(counts.accuracy),
        "mean_accuracy_at_half": macro_mean(count(positive, values, 0.5, mask, weights).accuracy),
        "mean_brier": macro_mean(mean_square(positive, values, mask, weights)),
    }
    by_class = {
        "roc_auc": ranked.roc_auc,
        "average_precision": ranked.average_precision,
        "f1": counts.f1,
        "accuracy": counts.accuracy,
    }
    evaluated = tuple(
        ClassEvaluation(
            code=code,
            description=descriptions[k] if descriptions is not None else "",
            n=int(mask[:, k].sum()),
            positives=int((positive & mask)[:, k].sum()),
            threshold=float(limits[k]),
            **{name: estimate(column[0, k], column[1:, k]) for name, column in by_class.items()},
        )
        for k, code in enumerate(classes)
    )
    estimates = {key: estimate(column[0], column[1:]) for key, column in overall.items()}
    undefined = undefined_classes(positive, mask)
    return Evaluation(
        overall=estimates,
        classes=evaluated,
        n_records=n_records,
        n_patients=len(set(patient_ids)),
        fmax_threshold=fmax(positive, values, PAPER_THRESHOLDS, mask).threshold,
        resamples=resamples,
        seed=seed,
        subject=dict(subject or {}),
        notes=(*notes, *_remarks(evaluated, undefined, ranked.roc_auc[1:]), *_shifts(estimates)),
        scored=Scored(
            record_ids=tuple(record_ids) if record_ids is not None else tuple(map(str, range(n_records))),
            patient_ids=patient_ids,
            truth=positive,
            scores=np.asarray(probabilities),
            known=mask,
        ),
    )


def _largest(f: Floats) -> Floats:
    """The largest defined F of each weighting, (weightings,)."""
    filled = np.where(np.isfinite(f), f, -1.0).max(axis=1)
    return np.where(filled < 0, np.nan, filled)


def _remarks(classes: Sequence[ClassEvaluation], undefined: Bools, resampled_auc: Floats) -> list[str]:
    """What the reader of the numbers must know: which classes are missing where."""
    remarks = []
    if undefined.any():
        names = ", ".join(
            f"{one.code} ({one.positives} of {one.n} positive)"
            for one, missing in zip(classes, undefined, strict=True)
            if missing
        )
        remarks.append(f"No ROC-AUC for {names}: left out of every mean that needs positives and negatives.")
    without = [one.code for one in classes if not np.isfinite(one.threshold)]
    if without:
        remarks.append(f"No threshold for {', '.join(without)}: no F1 and no accuracy.")
    lost = ~np.isfinite(resampled_auc) & ~undefined
    if lost.any():
        n_resamples = len(lost)
        names = ", ".join(
            f"{one.code} {int(share)}" for one, share in zip(classes, lost.sum(axis=0), strict=True) if share
        )
        remarks.append(
            f"In {int(lost.any(axis=1).sum())} of {n_resamples} resamples a class had no positives or no "
            f"negatives and was left out there ({names}): so few records make no interval to rely on."
        )
    return remarks


def _shifts(overall: Mapping[str, Estimate]) -> list[str]:
    """Metrics whose resamples do not lie around the value: the interval is then not one around it either."""
    return [
        f"{OVERALL[key]}: {one.format_value()}, but its resamples lie around {one.mean:.3f}. Records drawn "
        "twice move this metric where classes are rare; read the interval as a width, not as a place."
        for key, one in overall.items()
        if one.is_shifted
    ]
