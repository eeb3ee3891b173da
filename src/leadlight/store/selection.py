"""The records of some folds that a model can learn from or be measured on, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import StoreError
from leadlight.labels import LabelSpace
from leadlight.store.reading import Store


@dataclass(frozen=True, eq=False)
class Selection:
    """rows: of the store, (records,); truth, known: (records, classes); left_out: how many, by reason."""

    rows: NDArray[np.int64]
    truth: NDArray[np.uint8]
    known: NDArray[np.bool_]
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.rows)


def select(
    store: Store,
    folds: Sequence[int],
    space: LabelSpace,
    *,
    n_samples: int,
    min_likelihood: float = 0.0,
    keep_unlabelled: bool = False,
) -> Selection:
    """The records of some folds that have a label (or keep_unlabelled), the right length, no missing sample.

    Raises StoreError for a fold that the store does not have, or when no record can be used.
    """
    index = store.index
    present = {int(fold) for fold in index["fold"].dropna().unique()}
    absent = sorted(set(folds) - present)
    if absent:
        accepted = ", ".join(map(str, sorted(present))) or "none: this data set has no folds"
        raise StoreError(f"fold: found {', '.join(map(str, absent))}; accepted: {accepted}.")
    of_folds = np.flatnonzero(index["fold"].isin(list(folds)).to_numpy(dtype=bool))
    targets = space.encode(store.statements(of_folds), min_likelihood=min_likelihood)
    labelled = targets.usable("keep" if keep_unlabelled else "drop")
    fits = index["n_samples"].to_numpy()[of_folds] == n_samples
    whole = index["missing_samples"].to_numpy()[of_folds] == 0
    usable = labelled & fits & whole
    reasons = {
        f"without a label of {space.name}": ~labelled,
        f"not {n_samples / store.sampling_rate:g} s long": labelled & ~fits,
        "with missing samples": labelled & fits & ~whole,
    }
    left_out = {reason: int(where.sum()) for reason, where in reasons.items() if where.any()}
    if not usable.any():
        why = ", ".join(f"{n} {reason}" for reason, n in left_out.items())
        names = ", ".join(map(str, sorted(folds)))
        raise StoreError(f"folds {names}: none of {len(of_folds)} records can be used: {why}.")
    return Selection(of_folds[usable], targets.values[usable], targets.known[usable], left_out)
