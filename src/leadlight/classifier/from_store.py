"""Model input from the records of a store: the same steps as for a recording, many records at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ContractError
from leadlight.recording import Recording
from leadlight.signal import Preprocessing

if TYPE_CHECKING:
    from leadlight.store import Store

LARGEST_PART = 4_000_000
"""Samples of one lead, of all records together, that are worked on at a time: long records go one by one."""


def stored_inputs(
    store: Store,
    rows: NDArray[np.int64],
    preprocessing: Preprocessing,
    places: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Model input of these rows of a store, of whatever lengths: float32 (rows, leads, n_samples).

    places: for training, where a crop begins: uniform in [0, 1), one a row; None for the part that
    predictions read. Raises ContractError for a store of another rate and for records that
    the steps refuse.
    """
    check_rate(store, preprocessing)
    rows = np.asarray(rows, dtype=np.int64)
    lengths, missing = store.lengths[rows], store.missing_samples[rows]
    starts = preprocessing.crop_starts(lengths, places)
    result = np.empty((len(rows), len(preprocessing.leads), preprocessing.n_samples), dtype=np.float32)
    for part, begins, length in _parts(lengths, starts, preprocessing.window_samples):
        if begins is None:
            signals = store.signals(rows[part], preprocessing.leads)
            kept = None if starts is None else starts[part]
        else:
            signals, kept = store.windows(rows[part], begins, length, preprocessing.leads), None
        inputs = preprocessing.apply_batch(signals, starts=kept, are_whole=not missing[part].any())
        if len(part) == len(rows):
            return inputs
        result[part] = inputs
    return result


def _parts(
    lengths: NDArray[np.int64], starts: NDArray[np.int64] | None, window: int | None
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int64] | None, int]]:
    """Which records are read together, where their windows begin (None: whole), and their one length."""
    whole = np.ones(len(lengths), dtype=bool)
    if window is not None and starts is not None:
        whole = lengths <= window
        part = np.flatnonzero(~whole)
        if len(part):
            yield part, starts[part], window
    for length in np.unique(lengths[whole]):
        same = np.flatnonzero(whole & (lengths == length))
        at_once = max(1, LARGEST_PART // int(length))
        for first in range(0, len(same), at_once):
            yield same[first : first + at_once], None, int(length)


def stored_windows(store: Store, row: int, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Every model input that a prediction reads of one row: (windows, leads, n_samples)."""
    check_rate(store, preprocessing)
    recording = Recording(
        store.signals([row], preprocessing.leads)[0], preprocessing.leads, store.sampling_rate
    )
    return np.stack([view.values for view in preprocessing.views(recording)])


def accepts_missing(store: Store, preprocessing: Preprocessing) -> Callable[[int], bool]:
    """Whether the steps take the missing samples of a row of the store: a function of the row."""

    def accepts(row: int) -> bool:
        return preprocessing.accepts_missing(store.signals([row], preprocessing.leads))

    return accepts


def check_rate(store: Store, preprocessing: Preprocessing) -> None:
    """Raise ContractError for a store at another rate than the one where the steps begin."""
    if store.sampling_rate != preprocessing.first_rate:
        needed = preprocessing.first_rate
        accepted = "a stated starting_rate" if needed is None else f"{needed:g} Hz"
        raise ContractError(f"store: found {store.sampling_rate:g} Hz; accepted: {accepted}.")
