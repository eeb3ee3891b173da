"""Folds of equal size and equal shares of every label, for groups that must not be parted.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the stratification of
multi-label data", ECML PKDD 2011, doi:10.1007/978-3-642-23808-6_10), with two changes:
whole groups of records are placed in place of records, and ties are decided by rule, not
by chance. Whole numbers throughout, so that every machine gives the same folds.

1. Take the label with the fewest records not yet placed (of equals the first label).
2. Place its groups, those with most records of the label first, then the larger, then in
   the order in which they were given. Each goes to the fold that lacks most records of
   that label; of equals to the one that lacks most of everything that the group brings (each
   of its labels, as a share of the label's records, and records, as a share of all); then
   to the lowest.
3. Go on with 1 until every group is placed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ONE = 1 << 40
"""Shares are whole numbers: parts of this one."""


@dataclass(frozen=True)
class Groups:
    """Groups of records, in the order that decides ties.

    sizes: records of each group; group, label, count: how many records of a group have a
    label, one row for each pair that occurs, sorted by group; n_labels: labels, with the
    collections among them; fixed: the fold of each group that is settled before, 0 where
    it is open.
    """

    sizes: NDArray[np.int64]
    group: NDArray[np.int64]
    label: NDArray[np.int64]
    count: NDArray[np.int64]
    n_labels: int
    fixed: NDArray[np.int64]


def stratified_folds(groups: Groups, n_folds: int) -> NDArray[np.int64]:
    """Fold of each group, from 1 on. Every group must have at least one label."""
    sizes = groups.sizes.tolist()
    starts = np.searchsorted(groups.group, np.arange(len(sizes) + 1)).tolist()
    labels, counts = groups.label.tolist(), groups.count.tolist()
    of_label = _members(groups)
    totals = np.bincount(groups.label, weights=groups.count, minlength=groups.n_labels)
    left = [int(total) for total in totals]
    # What a fold lacks, times the number of folds: a whole number. Grows by no record, falls by each.
    lacks = [[total] * n_folds for total in left]
    lacks_records = [sum(sizes)] * n_folds
    weights = [_ONE // max(total, 1) for total in left]
    weight_of_records = _ONE // max(sum(sizes), 1)
    folds = [-1] * len(sizes)

    def place(group: int, fold: int) -> None:
        folds[group] = fold
        lacks_records[fold] -= n_folds * sizes[group]
        for pair in range(starts[group], starts[group + 1]):
            lacks[labels[pair]][fold] -= n_folds * counts[pair]
            left[labels[pair]] -= counts[pair]

    def lacks_of_all(group: int, fold: int) -> int:
        total: int = weight_of_records * sizes[group] * lacks_records[fold]
        for pair in range(starts[group], starts[group + 1]):
            total += weights[labels[pair]] * counts[pair] * lacks[labels[pair]][fold]
        return total

    for group, fold in enumerate(groups.fixed.tolist()):
        if fold:
            place(group, fold - 1)
    open_labels = set(range(groups.n_labels))
    while open_labels:
        rarest = min(open_labels, key=lambda label: (left[label], label))
        open_labels.remove(rarest)
        if left[rarest]:
            wanted = lacks[rarest]
            for group in of_label[rarest]:
                if folds[group] < 0:
                    most = max(wanted)
                    best = [fold for fold, lack in enumerate(wanted) if lack == most]
                    if len(best) > 1:
                        best.sort(key=lambda fold: (-lacks_of_all(group, fold), fold))
                    place(group, best[0])
    return np.asarray(folds, dtype=np.int64) + 1


def _members(groups: Groups) -> list[list[int]]:
    """Groups of each label in the order in which they are placed."""
    order = np.lexsort((groups.group, -groups.sizes[groups.group], -groups.count, groups.label))
    bounds = np.searchsorted(groups.label[order], np.arange(groups.n_labels + 1))
    members = groups.group[order]
    return [members[bounds[n] : bounds[n + 1]].tolist() for n in range(groups.n_labels)]
