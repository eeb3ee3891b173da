"""How well a model does for men and women, for ages, sources, devices: each group beside all the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Bools, Floats, checked, checked_thresholds
from leadlight.evaluation.counting import count
from leadlight.evaluation.intervals import Estimate, estimate, resample_patients
from leadlight.evaluation.metrics import macro_mean
from leadlight.evaluation.ranking import rank
from leadlight.progress import ProgressCallback, silent

ALL = "all"
"""In place of a class: the mean over the classes that can be measured in the group and outside of it."""
FEWEST = 10
"""Positives, and negatives, in the group and outside of it, below which a class is not measured there."""
METRICS = {
    "roc_auc": "ROC-AUC",
    "recall": "sensitivity",
    "specificity": "specificity",
    "excess": "mean probability less share of positives",
}
"""What is compared: none of it follows from how frequent a finding is in a group. Average precision,
predictive values and F1 do, and so would differ where the model does not."""


@dataclass(frozen=True)
class Subgroup:
    """One metric of one class (or ALL) in one group, and its gap: group minus all other records.

    attribute: "sex"; group: "female". reason: why it was not measured, "" where it was.
    """

    attribute: str
    group: str
    code: str
    metric: str
    records: int
    patients: int
    positives: int
    value: Estimate
    gap: Estimate
    reason: str = ""

    @property
    def is_apart(self) -> bool:
        """Whether the interval of the gap leaves out 0. Of twenty such intervals one does by chance."""
        return self.gap.low > 0 or self.gap.high < 0

    def to_dict(self) -> dict[str, Any]:
        """A row of subgroups.csv: plain values, None where nothing was measured."""
        numbers = {"value": self.value.value, "low": self.value.low, "high": self.value.high,
                   "gap": self.gap.value, "gap_low": self.gap.low, "gap_high": self.gap.high}  # fmt: skip
        return {
            "attribute": self.attribute, "group": self.group, "class": self.code, "metric": self.metric,
            "records": self.records, "patients": self.patients, "positives": self.positives,
            **{name: one if np.isfinite(one) else None for name, one in numbers.items()},
            "reason": self.reason,
        }  # fmt: skip


def measure_subgroups(
    truth: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    thresholds: ArrayLike,
    groups: Mapping[str, Sequence[str | None]],
    *,
    patients: Sequence[object],
    known: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
    on_progress: ProgressCallback = silent,
) -> tuple[Subgroup, ...]:
    """Each metric of METRICS, of each class and over all, in each group and as a gap to the others.

    truth, probabilities, known: (records, classes); groups: attribute -> which group each record is in,
    None where that is not known: such a record is in no group and among no others. The gap is resampled by
    patients, with the group and the others in the same resample. An attribute with one group is left out.
    """
    positive, values, mask = checked(truth, probabilities, known)
    limits = checked_thresholds(thresholds, positive.shape[1])
    names = np.array([str(patient) for patient in patients])
    for attribute, of_records in groups.items():
        if len(of_records) != len(positive) or len(names) != len(positive):
            raise EvaluationError(
                f"{attribute}: found {len(of_records)} records; accepted: {len(positive)}, as truth has."
            )
    weights = np.concatenate([np.ones((1, len(positive))), resample_patients(names, resamples, seed)])
    several = {name: _members(of) for name, of in groups.items()}
    several = {name: of for name, of in several.items() if len(of) > 1}
    total, done = sum(map(len, several.values())), 0
    found: list[Subgroup] = []
    for attribute, members in several.items():
        anywhere = np.any(list(members.values()), axis=0)
        for group, inside in members.items():
            apart = _Apart(attribute, group, inside, anywhere & ~inside, names)
            found += apart.measure(positive, values, limits, mask, weights, classes)
            done += 1
            on_progress(done, total, f"{attribute}: {group}")
    return tuple(found)


def _members(of_records: Sequence[str | None]) -> dict[str, Bools]:
    """Which records each group has, in the order of their names."""
    names = np.array([one or "" for one in of_records])
    return {str(name): names == name for name in np.unique(names) if name}


@dataclass(frozen=True, eq=False)
class _Apart:
    """A group and all others of its attribute."""

    attribute: str
    group: str
    inside: Bools
    outside: Bools
    patients: np.ndarray

    def measure(
        self,
        positive: Bools,
        values: Floats,
        limits: Floats,
        mask: Bools,
        weights: Floats,
        classes: Sequence[str],
    ) -> list[Subgroup]:
        enough = np.ones(positive.shape[1], dtype=bool)
        parts = []
        for rows in (self.inside, self.outside):
            shown, counted = (positive & mask)[rows].sum(axis=0), mask[rows].sum(axis=0)
            enough &= (shown >= FEWEST) & (counted - shown >= FEWEST)
            parts.append(_metrics(positive[rows], values[rows], limits, mask[rows], weights[:, rows]))
        there, elsewhere = parts
        n_positive = (positive & mask)[self.inside].sum(axis=0)
        found = []
        for name in METRICS:
            value, gap = there[name], there[name] - elsewhere[name]
            over = [np.where(enough, one, np.nan) for one in (value, gap)]
            mean_value, mean_gap = macro_mean(over[0]), macro_mean(over[1])
            reason = (
                ""
                if enough.any()
                else f"no class with {FEWEST} positives and {FEWEST} negatives here and elsewhere"
            )
            found.append(self._row(ALL, name, int(n_positive.sum()), mean_value, mean_gap, reason))
            for k, code in enumerate(classes):
                reason = "" if enough[k] else f"fewer than {FEWEST} positives or negatives here or elsewhere"
                found.append(self._row(code, name, int(n_positive[k]), value[:, k], gap[:, k], reason))
        return found

    def _row(
        self, code: str, metric: str, positives: int, value: Floats, gap: Floats, reason: str
    ) -> Subgroup:
        nothing = Estimate(np.nan)
        return Subgroup(
            attribute=self.attribute,
            group=self.group,
            code=code,
            metric=metric,
            records=int(self.inside.sum()),
            patients=len(np.unique(self.patients[self.inside])),
            positives=positives,
            value=nothing if reason else estimate(value[0], value[1:]),
            gap=nothing if reason else estimate(gap[0], gap[1:]),
            reason=reason,
        )


def _metrics(
    positive: Bools, values: Floats, limits: Floats, mask: Bools, weights: Floats
) -> dict[str, Floats]:
    """The metrics of METRICS, each (weightings, classes)."""
    counts = count(positive, values, limits, mask, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = (weights @ np.where(mask, values - positive, 0.0)) / (weights @ mask.astype(np.float64))
    return {
        "roc_auc": rank(positive, values, mask, weights).roc_auc,
        "recall": counts.recall,
        "specificity": counts.specificity,
        "excess": np.asarray(excess),
    }
