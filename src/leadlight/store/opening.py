"""The store of a folder: opened where there is one, prepared into the cache where there is not yet."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from leadlight.cache import cache_folder
from leadlight.datasets import detect, read_index
from leadlight.errors import DatasetError, StoreError
from leadlight.progress import ProgressCallback, silent
from leadlight.store import layout
from leadlight.store.joining import join
from leadlight.store.preparing import store_index
from leadlight.store.reading import Store, open_store
from leadlight.store.workspace import request_of

Data = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""One or several data sets, each a store or a data set's folder."""


def open_or_prepare(
    data: str | os.PathLike[str],
    sampling_rate: float = 100.0,
    on_progress: ProgressCallback = silent,
    *,
    labels: str | os.PathLike[str] | None = None,
    splits: str | os.PathLike[str] | None = None,
) -> Store:
    """The store for training on ``data``: a store, or the folder of a data set.

    A data set is prepared into the cache (``LEADLIGHT_CACHE``, else the user's
    cache folder) the first time, and again when its index or files have changed;
    ``Store.path`` says where. sampling_rate: Hz; labels, splits: as for ``prepare``, for
    a data set alone. Raises StoreError for a store of another rate or with labels or splits, and as
    ``prepare`` does.
    """
    folder = Path(data)
    if layout.is_store(folder):
        if labels is not None or splits is not None:
            raise StoreError(
                f"{folder}: found a store, together with labels or splits; accepted: a data set's folder "
                "with them. A store keeps what it was prepared with: leadlight prepare NAME DIR."
            )
        store = open_store(folder)
        if store.sampling_rate != sampling_rate:
            raise StoreError(
                f"{folder}: found a store at {store.sampling_rate:g} Hz; {sampling_rate:g} Hz is needed. "
                f"Prepare another: leadlight prepare {store.dataset} DIR --sampling-rate {sampling_rate:g} "
                "--out STORE."
            )
        return store
    if not folder.exists() or (folder / layout.REQUEST_FILE).exists():
        layout.read_description(folder)  # says what is wrong, and the command that mends it
    index = read_index(_detected(folder), folder, sampling_rate, labels=labels, splits=splits)
    request = request_of(index)
    place = hashlib.sha256(f"{folder.resolve()}\n{request.fingerprint}".encode()).hexdigest()[:12]
    out = cache_folder() / "stores" / f"{index.dataset}-{sampling_rate:g}hz-{place}"
    if not layout.is_store(out):
        on_progress(0, len(index), f"preparing into {out}")
    return store_index(index, out, on_progress=on_progress)


def _detected(folder: Path) -> str:
    try:
        return detect(folder)
    except DatasetError as error:
        raise DatasetError(
            f"{error} A folder of your own needs its table of labels, so prepare it first: leadlight prepare "
            f"folder {folder} --labels CSV --out STORE."
        ) from None


def places_of(data: Data) -> list[Path]:
    """Where the data sets are: one or several absolute paths."""
    several = [data] if isinstance(data, str | os.PathLike) else data
    return [Path(one).resolve() for one in several]


def open_data(data: Data, sampling_rate: float = 100.0, on_progress: ProgressCallback = silent) -> Store:
    """The store of one or several data sets, each a store or a data set's folder, read as one.

    Raises StoreError for none and for one that is named twice, and as ``open_or_prepare`` and ``join`` do.
    """
    places = places_of(data)
    twice = sorted({str(one) for one in places if places.count(one) > 1})
    if twice:
        raise StoreError(f"data: found {twice[0]} twice; accepted: each data set once.")
    return join([open_or_prepare(one, sampling_rate, on_progress) for one in places])
