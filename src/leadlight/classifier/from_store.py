"""Model input from the records of a store: the same steps as for a recording, many records at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.classifier.windows import window_counts
from leadlight.errors import ContractError
from leadlight.signal import Metadata, Preprocessing

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
    lengths: NDArray[np.int64], starts: NDArray[np.int64] | None, window: int | None, share: int = 1
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int64] | None, int]]:
    """Which records are read together, where their windows begin (None: whole), and their one length.

    share: so many times fewer of them at a time than memory would take.
    """
    whole = np.ones(len(lengths), dtype=bool)
    if window is not None and starts is not None:
        whole = lengths <= window
        part = np.flatnonzero(~whole)
        if len(part):
            yield part, starts[part], window
    for length in np.unique(lengths[whole]):
        same = np.flatnonzero(whole & (lengths == length))
        at_once = max(1, LARGEST_PART // (int(length) * share))
        for first in range(0, len(same), at_once):
            yield same[first : first + at_once], None, int(length)


def stored_windows(
    store: Store, rows: NDArray[np.int64], preprocessing: Preprocessing
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Every model input that predictions read of these rows: (windows, leads, n_samples), record by record.

    And how many each row has: (rows,). One each where the steps take no windows. Raises as ``stored_inputs``.
    """
    rows = np.asarray(rows, dtype=np.int64)
    lengths, missing = store.lengths[rows], store.missing_samples[rows]
    if not preprocessing.takes_windows:
        return stored_inputs(store, rows, preprocessing), np.ones(len(rows), dtype=np.int64)
    check_rate(store, preprocessing)
    counts = window_counts(lengths, preprocessing)
    ends = np.cumsum(counts)
    result = np.empty((int(counts.sum()), len(preprocessing.leads), preprocessing.n_samples), np.float32)
    for part, _, _ in _parts(lengths, None, None, int(counts.max(initial=1))):
        signals = store.signals(rows[part], preprocessing.leads)
        windows = preprocessing.apply_windows(signals, are_whole=not missing[part].any())
        # All of one length, and so of one number of windows.
        places = (ends[part] - counts[part])[:, np.newaxis] + np.arange(windows.shape[1])
        result[places] = windows
    return result, counts


def stored_metadata(
    store: Store, rows: NDArray[np.int64], metadata: Metadata | None
) -> NDArray[np.float32] | None:
    """What a model reads of these rows' patients: (rows, columns); None where it reads nothing of them."""
    return None if metadata is None else metadata.encode(*ages_and_sexes(store, rows))


def ages_and_sexes(store: Store, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], list[str | None]]:
    """Age in years, NaN where not known, and sex of these rows, from the store's index."""
    table = store.columns("age", "sex").take(rows)
    ages = np.asarray(table["age"].to_numpy(zero_copy_only=False), dtype=np.float64)
    return ages, table["sex"].to_pylist()


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
