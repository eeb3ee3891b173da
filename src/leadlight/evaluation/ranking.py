"""ROC-AUC and average precision of every class under many record weightings at once.

A bootstrap resample is nothing but a weight for each record: how often it was drawn. So the scores of
a class are sorted once, and what remains for each resample are sums of weights between the places
where positives stand. Ties are exact: records of equal score form one group, as one threshold
separates none of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.evaluation.arrays import Bools, Floats, checked, checked_weights

# Weightings that are handled together: 64 columns of int32 for 2,000 records stay in a core's cache.
_CHUNK = 64


@dataclass(frozen=True)
class Ranked:
    """ROC-AUC and average precision, each (weightings, classes); NaN where not defined."""

    roc_auc: Floats
    average_precision: Floats


def rank(
    truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None, weights: ArrayLike | None = None
) -> Ranked:
    """ROC-AUC (ties count one half) and step-wise average precision for each weighting and class.

    truth, scores, known: (records, classes); weights: (weightings, records), not negative, usually
    how often a resample drew the record.
    A class without positive weight has neither; without negative weight it has no ROC-AUC.
    """
    positive, score_values, mask = checked(truth, scores, known)
    all_weights = checked_weights(weights, len(positive))
    classes = [
        _ClassOrder.of(positive[:, k], score_values[:, k], mask[:, k]) for k in range(positive.shape[1])
    ]
    auc = np.full((len(all_weights), len(classes)), np.nan)
    precision = np.full_like(auc, np.nan)
    for begin in range(0, len(all_weights), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        chunk = np.ascontiguousarray(all_weights[rows].T)
        for k, order in enumerate(classes):
            if order is not None:
                auc[rows, k], precision[rows, k] = order.measure(chunk)
    return Ranked(auc, precision)


@dataclass(frozen=True)
class _ClassOrder:
    """The records of one class from the lowest score up, and where its positives stand.

    A group is a run of equal scores that holds a positive. Between the edges of the groups only sums matter.
    """

    records: NDArray[np.intp]  # (known records,) rows in ascending order of score
    edges: NDArray[np.intp]  # where a group or the run between two groups begins
    group_begin: NDArray[np.intp]  # (groups,) index into the running sums: below the group
    group_end: NDArray[np.intp]  # (groups,) the same: up to and including the group
    positives: NDArray[np.intp]  # (positives,) rows of the positives, in the same order
    first_positive: NDArray[np.intp]  # (groups,) the group's first among them

    @classmethod
    def of(cls, positive: Bools, scores: Floats, known: Bools) -> _ClassOrder | None:
        rows = np.flatnonzero(known)
        rows = rows[np.argsort(scores[rows], kind="stable")]
        is_positive = positive[rows]
        if not is_positive.any():
            return None
        ordered = scores[rows]
        begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        ends = np.r_[begins[1:], len(rows)]
        run_of_positive = np.searchsorted(begins, np.flatnonzero(is_positive), side="right") - 1
        runs, first_positive = np.unique(run_of_positive, return_index=True)
        edges = np.unique(np.r_[0, begins[runs], ends[runs]])
        return cls(
            records=rows,
            edges=edges[edges < len(rows)],
            group_begin=np.searchsorted(edges, begins[runs]),
            group_end=np.searchsorted(edges, ends[runs]),
            positives=rows[is_positive],
            first_positive=first_positive,
        )

    def measure(self, weights: Floats) -> tuple[Floats, Floats]:
        """(ROC-AUC, average precision), each (weightings,), for weights (records, weightings)."""
        positive = np.add.reduceat(
            weights[self.positives], self.first_positive, axis=0
        )  # (groups, weightings)
        positive_upto = _running_sum(positive)
        all_upto = _running_sum(np.add.reduceat(weights[self.records], self.edges, axis=0))
        n_positive, n_all = positive_upto[-1], all_upto[-1]
        below, upto = all_upto[self.group_begin], all_upto[self.group_end]
        negative_below = below - positive_upto[:-1]
        negative_upto = upto - positive_upto[1:]
        pairs_won = (positive * (negative_below + negative_upto)).sum(axis=0) / 2
        found = n_positive - positive_upto[:-1]  # positives at or above the group's score
        called = n_all - below  # all records there
        with np.errstate(invalid="ignore", divide="ignore"):
            auc = pairs_won / (n_positive * (n_all - n_positive))
            steps = positive * found / np.where(called > 0, called, 1.0)
            average_precision = steps.sum(axis=0) / n_positive
        return auc, average_precision


def _running_sum(values: Floats) -> Floats:
    """Sums of the first 0, 1, ... rows."""
    sums = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[1:])
    return sums
