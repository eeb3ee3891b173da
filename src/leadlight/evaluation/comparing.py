"""Models on the same records: how much they differ, and whether chance could have made it.

Every difference has the interval of a paired bootstrap: each resample of patients measures both models.
p-values: of that bootstrap, of DeLong's test for a class's ROC-AUC, and of McNemar's exact test for the calls
of a class (accuracy over all its known records, sensitivity over the positives, specificity over the
negatives; McNemar 1947, doi:10.1007/BF02295996). They are corrected after Holm for all comparisons of the
same metric at the same level (over all classes, or by class).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Bools, Floats, checked, checked_thresholds
from leadlight.evaluation.challenge import has_challenge_score
from leadlight.evaluation.delong import delong
from leadlight.evaluation.intervals import Estimate, Resamples, bootstrap_p, estimate, holm
from leadlight.evaluation.resampled import by_class, over_all, with_all, with_rare_stratified
from leadlight.evaluation.subgroups import ALL
from leadlight.progress import ProgressCallback, silent

OVERALL_COMPARED = (
    "macro_roc_auc", "macro_average_precision", "fmax_benchmark", "challenge_score", "macro_f1",
    "subset_accuracy", "mean_brier",
)  # fmt: skip
_BY_MCNEMAR = ("accuracy", "recall", "specificity")
_BY_BOOTSTRAP = ("average_precision", "f1", "brier")
_SMALLER_IS_BETTER = ("brier", "mean_brier")


@dataclass(frozen=True, eq=False)
class Scores:
    """One model on the records: name; scores: probabilities (records, classes); thresholds: (classes,)."""

    name: str
    scores: ArrayLike
    thresholds: ArrayLike


@dataclass(frozen=True)
class Difference:
    """One metric of ``one`` minus that of ``other``, of a class or over ALL.

    test: "bootstrap", "DeLong" or "McNemar"; p: two-sided, before any correction; p_corrected: after Holm
    for ``comparisons`` of this metric. records: behind the test; for McNemar ``only_one`` and
    ``only_other``: records that one alone, or the other alone, called rightly.
    """

    one: str
    other: str
    code: str
    metric: str
    value_one: float
    value_other: float
    difference: Estimate
    test: str
    p: float
    p_corrected: float = np.nan
    comparisons: int = 0
    records: int = 0
    only_one: int | None = None
    only_other: int | None = None

    @property
    def better(self) -> str:
        """The model that is better at 5% after correction; "" where neither is."""
        if not self.p_corrected < 0.05:
            return ""
        one_is_larger = self.difference.value > 0
        return self.one if one_is_larger != (self.metric in _SMALLER_IS_BETTER) else self.other

    def to_dict(self) -> dict[str, Any]:
        """A row of comparison.csv; None where something is not defined."""
        numbers = {
            "value_one": self.value_one, "value_other": self.value_other,
            "difference": self.difference.value, "low": self.difference.low, "high": self.difference.high,
            "p": self.p, "p_corrected": self.p_corrected,
        }  # fmt: skip
        return {
            "one": self.one, "other": self.other, "class": self.code, "metric": self.metric,
            **{name: float(value) if np.isfinite(value) else None for name, value in numbers.items()},
            "test": self.test, "comparisons": self.comparisons, "better": self.better,
            "records": self.records, "only_one_right": self.only_one, "only_other_right": self.only_other,
        }  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Models on the same records, and every difference. values: model -> metric over all -> Estimate."""

    models: tuple[str, ...]
    classes: tuple[str, ...]
    n_records: int
    n_patients: int
    resamples: int
    seed: int
    values: dict[str, dict[str, Estimate]]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]


def compare(
    truth: ArrayLike,
    models: Sequence[Scores],
    classes: Sequence[str],
    *,
    patients: Sequence[object],
    known: ArrayLike | None = None,
    all_pairs: bool = False,
    notes: Sequence[str] = (),
    resamples: int = 1000,
    seed: int = 0,
    on_progress: ProgressCallback = silent,
) -> Comparison:
    """Compare each model with the first, or all with each other.

    truth, known: (records, classes); models: two or more, on these very records.
    Raises EvaluationError for fewer than two, for names that repeat and for arrays that do not fit.
    """
    names = [model.name for model in models]
    if len(names) < 2 or len(set(names)) < len(names):
        raise EvaluationError(f"models: found {', '.join(names)}; accepted: two or more, each name once.")
    positive, _, mask = checked(truth, models[0].scores, known)
    if len(patients) != len(positive) or len(classes) != positive.shape[1]:
        raise EvaluationError(
            f"patients, classes: found {len(patients)} and {len(classes)}; accepted: "
            f"{len(positive)} and {positive.shape[1]}, as truth has."
        )
    patient_ids = [str(patient) for patient in patients]
    drawn = Resamples(np.array(patient_ids), resamples, seed)
    measured = []
    for number, model in enumerate(models, 1):
        measured.append(_measure(model, positive, mask, drawn, has_challenge_score(classes)))
        on_progress(number, len(models), model.name)
    found: list[Difference] = []
    pairs = combinations(range(len(models)), 2) if all_pairs else ((k, 0) for k in range(1, len(models)))
    for one, other in pairs:
        found += _overall(measured[one], measured[other], len(positive))
        found += _classes(measured[one], measured[other], classes, positive, mask, drawn.patients)
    remarks = list(notes)
    if len(set(patient_ids)) < len(patient_ids):
        remarks.append(
            f"{len(patient_ids)} records of {len(set(patient_ids))} patients: McNemar's test takes records "
            "as independent and is too sure here; the intervals and the other tests go by patients."
        )
    return Comparison(
        models=tuple(names),
        classes=tuple(classes),
        n_records=len(positive),
        n_patients=len(set(patient_ids)),
        resamples=resamples,
        seed=seed,
        values={
            one.name: {key: estimate(column[0], column[1:]) for key, column in one.overall.items()}
            for one in measured
        },
        differences=tuple(_corrected(found)),
        notes=tuple(remarks),
    )


def mcnemar(only_one: int, only_other: int) -> float:
    """Two-sided exact p-value of so many records that one alone, and the other alone, got right."""
    from scipy.special import bdtr

    n = only_one + only_other
    return min(1.0, 2 * float(bdtr(min(only_one, only_other), n, 0.5))) if n else 1.0


@dataclass(frozen=True, eq=False)
class _Measured:
    """A model under every resample: overall (weightings,) and classes (weightings, classes) by metric."""

    name: str
    scores: Floats
    called: Bools
    has_threshold: Bools
    overall: dict[str, Floats]
    classes: dict[str, Floats]


def _measure(model: Scores, positive: Bools, mask: Bools, drawn: Resamples, is_challenge: bool) -> _Measured:
    try:
        _, values, _ = checked(positive, model.scores, mask)
        limits = checked_thresholds(model.thresholds, positive.shape[1])
    except EvaluationError as error:
        raise EvaluationError(f"{model.name}: {error}") from None
    weights = with_all(drawn.weights)
    together = by_class(positive, values, limits, mask, weights)
    overall = over_all(positive, values, limits, mask, weights, together, is_challenge)
    classes, _ = with_rare_stratified(together, positive, values, limits, mask, drawn)
    return _Measured(
        model.name, values, values >= limits, ~np.isnan(limits),
        {key: overall[key] for key in OVERALL_COMPARED if key in overall}, classes,
    )  # fmt: skip


def _overall(one: _Measured, other: _Measured, n_records: int) -> list[Difference]:
    found = []
    for metric, values in one.overall.items():
        gaps = values - other.overall[metric]
        found.append(_by_bootstrap(one, other, ALL, metric, values[0], gaps, n_records))
    return found


def _classes(
    one: _Measured, other: _Measured, classes: Sequence[str], positive: Bools, mask: Bools, patients: Any
) -> list[Difference]:
    found = []
    for k, code in enumerate(classes):
        rows = mask[:, k]
        n = int(rows.sum())
        tested = delong(positive[:, k], np.stack([one.scores[:, k], other.scores[:, k]]), rows, patients)
        gap, p = tested.difference()
        auc = (float(tested.auc[0]), float(tested.auc[1]))
        found.append(Difference(one.name, other.name, code, "roc_auc", *auc, gap, "DeLong", p, records=n))
        for metric in _BY_BOOTSTRAP:
            values = one.classes[metric][:, k]
            gaps = values - other.classes[metric][:, k]
            found.append(_by_bootstrap(one, other, code, metric, values[0], gaps, n))
        right = [model.called[:, k] == positive[:, k] for model in (one, other)]
        parts = {"accuracy": rows, "recall": rows & positive[:, k], "specificity": rows & ~positive[:, k]}
        for metric in _BY_MCNEMAR:
            counted = parts[metric]
            only_one = int((right[0] & ~right[1] & counted).sum())
            only_other = int((right[1] & ~right[0] & counted).sum())
            columns = [model.classes[metric][:, k] for model in (one, other)]
            both_call = bool(one.has_threshold[k] and other.has_threshold[k] and counted.any())
            found.append(
                Difference(
                    one.name, other.name, code, metric, float(columns[0][0]), float(columns[1][0]),
                    estimate(columns[0][0] - columns[1][0], columns[0][1:] - columns[1][1:]),
                    "McNemar", mcnemar(only_one, only_other) if both_call else np.nan,
                    records=int(counted.sum()), only_one=only_one, only_other=only_other,
                )
            )  # fmt: skip
    return found


def _by_bootstrap(
    one: _Measured, other: _Measured, code: str, metric: str, value: float, gaps: Floats, n: int
) -> Difference:
    gap = float(gaps[0])
    p = bootstrap_p(gaps[1:]) if np.isfinite(gap) else np.nan
    return Difference(
        one.name, other.name, code, metric, float(value), float(value) - gap,
        estimate(gap, gaps[1:]), "bootstrap", p, records=n,
    )  # fmt: skip


def _corrected(found: Sequence[Difference]) -> list[Difference]:
    """With p-values corrected for all comparisons of the same metric, over all or by class."""
    families: dict[tuple[str, bool], list[int]] = {}
    for number, one in enumerate(found):
        families.setdefault((one.metric, one.code == ALL), []).append(number)
    result = list(found)
    for members in families.values():
        p_values = np.array([found[number].p for number in members])
        n = int(np.isfinite(p_values).sum())
        for number, p in zip(members, holm(p_values), strict=True):
            result[number] = replace(found[number], p_corrected=float(p), comparisons=n)
    return result
