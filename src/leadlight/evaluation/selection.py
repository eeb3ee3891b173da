"""The records of a fold that a model can be measured on, with the truth of its label space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import EvaluationError
from leadlight.labels import LabelSpace

if TYPE_CHECKING:
    from leadlight.store import Store


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
    fold: int,
    space: LabelSpace,
    *,
    n_samples: int,
    min_likelihood: float = 0.0,
    keep_unlabelled: bool = False,
) -> Selection:
    """The records of a fold that have a label (or keep_unlabelled), the right length and no missing sample.

    Raises EvaluationError for a fold that the store does not have or that has no such record.
    """
    index = store.index
    of_fold = np.flatnonzero((index["fold"] == fold).to_numpy(dtype=bool, na_value=False))
    if not len(of_fold):
        folds = ", ".join(str(int(one)) for one in sorted(index["fold"].dropna().unique()))
        raise EvaluationError(f"fold: found {fold}; accepted: {folds or 'none: this data set has no folds'}.")
    targets = space.encode(store.statements(of_fold), min_likelihood=min_likelihood)
    labelled = targets.usable("keep" if keep_unlabelled else "drop")
    fits = index["n_samples"].to_numpy()[of_fold] == n_samples
    whole = index["missing_samples"].to_numpy()[of_fold] == 0
    usable = labelled & fits & whole
    reasons = {
        f"without a label of {space.name}": ~labelled,
        f"not {n_samples / store.sampling_rate:g} s long": labelled & ~fits,
        "with missing samples": labelled & fits & ~whole,
    }
    left_out = {reason: int(where.sum()) for reason, where in reasons.items() if where.any()}
    if not usable.any():
        why = ", ".join(f"{n} {reason}" for reason, n in left_out.items())
        raise EvaluationError(f"fold {fold}: none of its {len(of_fold)} records can be measured: {why}.")
    return Selection(of_fold[usable], targets.values[usable], targets.known[usable], left_out)
