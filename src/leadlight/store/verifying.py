"""Check a prepared store against its own checksums, counts and rules."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leadlight import labels
from leadlight.errors import LabelError, StoreError
from leadlight.progress import ProgressCallback, silent
from leadlight.store import layout
from leadlight.store.converting import record_checksum
from leadlight.store.reading import Store

_FEW = 5  # as many examples are named
_BATCH = 64


@dataclass(frozen=True)
class Check:
    """One check of a store: its name, whether it passed, and what was found."""

    name: str
    passed: bool
    found: str


def verify(path: str | os.PathLike[str], on_progress: ProgressCallback = silent) -> list[Check]:
    """Check all that can be checked without the data set a store was made from.

    Sizes and SHA-256 of its files, the index's columns, where its records lie,
    each record's checksum, the description's counts, known statements, and
    patients and equal signals across folds. Checks that a failed one leaves without
    ground are not made. Raises StoreError only where there is no store to check.
    """
    folder = Path(path)
    store = Store(folder, layout.read_description(folder))
    checks, damaged = _check_files(store)
    if layout.INDEX_FILE in damaged:
        return checks
    try:
        columns, rows = len(store.index.columns), len(store.index)
    except StoreError as error:
        return [*checks, Check("index columns", False, str(error))]
    checks.append(Check("index columns", True, f"{columns} columns, {rows:,} rows"))
    places = _check_places(store)
    checks.append(places)
    if places.passed and not damaged:
        checks.append(_check_records(store, on_progress))
    checks += [_check_counts(store), _check_statements(store), _check_patients(store)]
    checks.append(_check_duplicates(store))
    return checks


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
        _check("file sizes", sizes, f"{n_files} files"),
        _check("file checksums", sums, f"{n_read} files, SHA-256"),
    ]
    return checks, damaged


def _check_places(store: Store) -> Check:
    """Records lie one behind the other and fill their shards."""
    faults = []
    n_leads = len(store.leads)
    index = store.index
    for number, shard in enumerate(store.description["shards"]):
        rows = index[index["shard"] == number]
        ends = rows["n_samples"].to_numpy().cumsum() * n_leads
        starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
        n_counts = int(ends[-1]) if len(ends) else 0
        if not np.array_equal(rows["offset"].to_numpy(), starts):
            faults.append(f"{shard['file']}: offsets do not follow from lengths")
        elif layout.shard_bytes(n_counts) != shard["bytes"]:
            faults.append(f"{shard['file']}: {n_counts:,} counts in the index do not make its size")
    outside = ~index["shard"].isin(range(len(store.description["shards"])))
    if outside.any():
        faults.append(f"{int(outside.sum())} records in shards that the description does not list")
    return _check("places of records", faults, f"{len(store):,} records fill their shards")


def _check_records(store: Store, on_progress: ProgressCallback) -> Check:
    faults = []
    expected = store.index["checksum"].tolist()
    record_ids = store.index["record_id"].tolist()
    for row, checksum in enumerate(expected):
        if row % _BATCH == 0:
            on_progress(row, len(store), "")
        if record_checksum(store.counts(row)[0]) != checksum:
            faults.append(f"record {record_ids[row]}")
    on_progress(len(store), len(store), "")
    return _check("record checksums", faults, f"{len(store):,} records, SHA-256")


def _check_counts(store: Store) -> Check:
    description, index = store.description, store.index
    folds = Counter("None" if fold != fold else str(int(fold)) for fold in index["fold"])
    lengths = index["n_samples"].unique().tolist()
    found = {
        "patients": index["patient_id"].nunique(),
        "records_per_fold": dict(folds),
        "n_samples": lengths[0] if len(lengths) == 1 else None,
        "records_resampled": int(index["resampled"].sum()),
        "records in shards": len(index),
        "different record ids": index["record_id"].nunique(),
    }
    expected = {
        **{key: description.get(key) for key in list(found)[:4]},
        "records in shards": sum(shard["records"] for shard in description["shards"]),
        "different record ids": len(index),
    }
    faults = [
        f"{key.replace('_', ' ')}: {found[key]} in the index, {expected[key]} stated"
        for key in found
        if found[key] != expected[key]
    ]
    return _check("counts", faults, f"{len(index):,} records of {found['patients']:,} patients")


def _check_statements(store: Store) -> Check:
    """Every statement has a code that its system knows, and a likelihood between 0 and 100."""
    faults: Counter[str] = Counter()
    known: dict[str, frozenset[str]] = {}
    n_statements = 0
    for statements in store.statements(slice(None)):
        for one in statements:
            n_statements += 1
            if one.system not in known:
                known[one.system] = _codes(one.system)
            if one.code not in known[one.system]:
                faults[f"{one.code} ({one.system}) is not known"] += 1
            if one.likelihood is not None and not 0 <= one.likelihood <= 100:
                faults[f"{one.code} with likelihood {one.likelihood:g}"] += 1
    return _check("statements", [f"{fault} x {n}" for fault, n in faults.items()], f"{n_statements:,} known")


def _codes(system: str) -> frozenset[str]:
    try:
        return frozenset(labels.statements(system))
    except LabelError:
        return frozenset()


def _check_patients(store: Store) -> Check:
    split = _across_folds(store, store.index["patient_id"])
    faults = [f"{len(split)} patients in several folds"] if split else []
    return _check("patients within one fold", faults, f"{store.index['patient_id'].nunique():,} patients")


def _check_duplicates(store: Store) -> Check:
    records = _across_folds(store, store.index["checksum"])
    faults = [f"records {', '.join(group)} are equal" for group in records]
    return _check("equal signals within one fold", faults, "no signal stands in two folds")


def _across_folds(store: Store, keys: Iterable[str]) -> list[list[str]]:
    """Record ids of each group with one key and several folds."""
    folds: dict[str, set[float]] = defaultdict(set)
    members: dict[str, list[str]] = defaultdict(list)
    for key, fold, record in zip(keys, store.index["fold"], store.index["record_id"], strict=True):
        if fold == fold:  # records without a fold are in none
            folds[key].add(fold)
            members[key].append(record)
    return [members[key] for key, several in folds.items() if len(several) > 1]


def _check(name: str, faults: list[str], fine: str) -> Check:
    if not faults:
        return Check(name, True, fine)
    more = f"; and {len(faults) - _FEW} more" if len(faults) > _FEW else ""
    return Check(name, False, "; ".join(faults[:_FEW]) + more)
