"""Check a prepared store against its own checksums, counts and rules."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from leadlight.errors import StoreError
from leadlight.progress import ProgressCallback, silent
from leadlight.store import layout
from leadlight.store.converting import record_checksum
from leadlight.store.integrity import (
    Check,
    checked,
    counts_agree,
    labels_are_whole,
    patients_in_one_fold,
    recordings_in_one_fold,
    signals_in_one_fold,
)
from leadlight.store.reading import Store

_BATCH = 64


def verify(path: str | os.PathLike[str], on_progress: ProgressCallback = silent) -> list[Check]:
    """Check all that can be checked without the data set a store was made from.

    Sizes and SHA-256 of its files, the index's columns, where its records lie,
    each record's checksum, the description's counts, statements, and patients, copies and
    equal signals across folds. Checks that a failed one leaves without
    ground are not made. Raises StoreError only where there is no store to check.
    """
    folder = Path(path)
    store = Store(folder, layout.read_description(folder))
    checks, damaged = _check_files(store)
    if store.description["index"]["file"] in damaged:
        return checks
    try:
        index = store.columns("record_id", "shard", "offset", "n_samples")
    except StoreError as error:
        return [*checks, Check("index columns", False, str(error))]
    columns = len(layout.index_schema(store.description["columns"]))
    checks.append(_check_columns(store, f"{columns} columns, {len(index):,} rows"))
    if not checks[-1].passed:
        return checks
    places = _check_places(store, index)
    checks.append(places)
    if places.passed and not damaged:
        checks.append(_check_records(store, on_progress))
    checks += [counts_agree(store), labels_are_whole(store), patients_in_one_fold(store)]
    return [*checks, recordings_in_one_fold(store), signals_in_one_fold(store)]


def _check_columns(store: Store, fine: str) -> Check:
    try:
        store._read_index(None, rows=False)
    except StoreError as error:
        return Check("index columns", False, str(error))
    return Check("index columns", True, fine)


def _check_files(store: Store) -> tuple[list[Check], set[str]]:
    """Sizes and checksums, and the names of files that fail either."""
    sizes, sums, damaged = [], [], set()
    for entry in (*store.description["shards"], store.description["index"]):
        file = store.path / entry["file"]
        if not file.is_file():
            sizes.append(f"{file.name}: no such file")
            damaged.add(file.name)
        elif file.stat().st_size != entry["bytes"]:
            sizes.append(f"{file.name}: {file.stat().st_size:,} bytes where {entry['bytes']:,} are right")
            damaged.add(file.name)
        else:
            with file.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != entry["sha256"]:
                    sums.append(f"{file.name}: another SHA-256")
                    damaged.add(file.name)
    n_files = len(store.description["shards"]) + 1
    n_read = n_files - len(sizes)
    checks = [
        checked("file sizes", sizes, f"{n_files} files"),
        checked("file checksums", sums, f"{n_read} files, SHA-256"),
    ]
    return checks, damaged


def _check_places(store: Store, index: object) -> Check:
    """Records lie one behind the other and fill their shards."""
    faults = []
    n_leads = len(store.leads)
    shards, offsets, lengths = (
        index[name].to_numpy()  # type: ignore[index]
        for name in ("shard", "offset", "n_samples")
    )
    for number, shard in enumerate(store.description["shards"]):
        here = shards == number
        ends = lengths[here].cumsum() * n_leads
        starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
        n_counts = int(ends[-1]) if len(ends) else 0
        if not np.array_equal(offsets[here], starts):
            faults.append(f"{shard['file']}: offsets do not follow from lengths")
        elif layout.shard_bytes(n_counts) != shard["bytes"]:
            faults.append(f"{shard['file']}: {n_counts:,} counts in the index do not make its size")
        elif int(here.sum()) != shard["records"]:
            faults.append(
                f"{shard['file']}: {int(here.sum()):,} records where {shard['records']:,} are stated"
            )
    outside = (shards < 0) | (shards >= len(store.description["shards"]))
    if outside.any():
        faults.append(f"{int(outside.sum())} records in shards that the description does not list")
    return checked("places of records", faults, f"{len(store):,} records fill their shards")


def _check_records(store: Store, on_progress: ProgressCallback) -> Check:
    faults = []
    table = store.columns("record_id", "checksum")
    for row, expected in enumerate(table["checksum"]):
        if row % _BATCH == 0:
            on_progress(row, len(store), "")
        if record_checksum(store.counts(row)[0]) != expected.as_py():
            faults.append(f"record {table['record_id'][row].as_py()}")
    on_progress(len(store), len(store), "")
    return checked("record checksums", faults, f"{len(store):,} records, SHA-256")
