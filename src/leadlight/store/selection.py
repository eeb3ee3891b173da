"""The records of some folds that a model can learn from or be measured on, with their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadlight import labels
from leadlight.errors import StoreError
from leadlight.labels import LabelSpace
from leadlight.store.filtering import where_mask
from leadlight.store.reading import Store

OWN_LABELS = "own"
"""The name of the space of a store's own label columns."""


def label_space(store: Store, name: str) -> LabelSpace:
    """A label space by name; "own" is that of the label columns that the store was prepared with.

    Raises LabelError for an unknown name, and StoreError for "own" of a store without label columns.
    """
    if name != OWN_LABELS:
        return labels.space(name)
    codes = store.description["label_columns"]
    if not codes:
        raise StoreError(
            f"labels: found {OWN_LABELS!r} for {store.path}, which has no labels of its own; accepted: "
            f"{', '.join(labels.names())}. Own labels come with leadlight prepare folder DIR --labels CSV."
        )
    return labels.own_space(OWN_LABELS, codes)


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
    accepts_length: Callable[[int], bool] | None = None,
    accepts_missing: Callable[[int], bool] | None = None,
    min_likelihood: float = 0.0,
    below: Literal["negative", "unknown"] = "negative",
    keep_unlabelled: bool = False,
    where: str = "",
) -> Selection:
    """The records of some folds that have a label (or keep_unlabelled), the right length, no missing sample.

    accepts_length: of a number of samples, where more than n_samples can be used;
    accepts_missing: of a row, where missing samples can be used; asked only of rows that have some.
    min_likelihood, below: as ``LabelSpace.encode`` has them. What each record's collection cannot
    tell is unknown. where: a condition on the index, "" for none (``filtering.where_mask``).
    Raises StoreError for a fold that the store does not have, for a condition that cannot be read,
    or when no record can be used.
    """
    index = store.columns("fold", "n_samples", "missing_samples")
    fold_of = index["fold"].to_numpy()  # float, NaN where a record has none, if any has none
    present = {int(fold) for fold in np.unique(fold_of) if fold == fold}
    absent = sorted(set(folds) - present)
    if absent:
        accepted = ", ".join(map(str, sorted(present))) or "none: this data set has no folds"
        raise StoreError(f"fold: found {', '.join(map(str, absent))}; accepted: {accepted}.")
    of_folds = np.flatnonzero(np.isin(fold_of, list(folds)))
    in_folds = len(of_folds)
    if where:
        of_folds = of_folds[where_mask(store, where)[of_folds]]
    sources = store.columns("source")["source"].take(of_folds).to_pylist()
    targets = space.encode(
        store.statements(of_folds),
        min_likelihood=min_likelihood,
        below=below,
        sources=[source or "" for source in sources],
    )
    labelled = targets.usable("keep" if keep_unlabelled else "drop")
    lengths = index["n_samples"].to_numpy()[of_folds]
    if accepts_length is None:
        fits = lengths == n_samples
    else:
        fits = np.isin(lengths, [n for n in np.unique(lengths) if accepts_length(int(n))])
    whole = index["missing_samples"].to_numpy()[of_folds] == 0
    if accepts_missing is not None:
        for place in np.flatnonzero(labelled & fits & ~whole):
            whole[place] = accepts_missing(int(of_folds[place]))
    usable = labelled & fits & whole
    reasons = {
        f"without a label of {space.name}": ~labelled,
        _length_reason(n_samples / store.sampling_rate, accepts_length is not None): labelled & ~fits,
        "with missing samples": labelled & fits & ~whole,
    }
    left_out = {reason: int(those.sum()) for reason, those in reasons.items() if those.any()}
    if in_folds > len(of_folds):
        left_out = {f"for which {where} is not true": in_folds - len(of_folds), **left_out}
    if not usable.any():
        why = ", ".join(f"{n} {reason}" for reason, n in left_out.items())
        names = ", ".join(map(str, sorted(folds)))
        is_length = labelled.any() and not (labelled & fits).any()
        remedy = " Steps that crop and pad take other lengths." if is_length else ""
        raise StoreError(f"folds {names}: none of {in_folds} records can be used: {why}.{remedy}")
    return Selection(of_folds[usable], targets.values[usable], targets.known[usable], left_out)


def _length_reason(seconds: float, takes_others: bool) -> str:
    return f"too short or too long for {seconds:g} s" if takes_others else f"not {seconds:g} s long"
