"""What a prepared store looks like on disk: names, numbers, and the checks of its description.

A store is a folder:

- ``signals-00000.npy`` ...: one flat int16 array each, record after record, each
  record (leads, samples) in C order; 1 count = 1 microvolt, -32768 = missing.
- ``index.parquet``: one row a record; ``shard`` and ``offset`` (in counts) say where it lies.
  Behind Leadlight's columns stand the data set's own.
- ``store.json``: the description. It is written last: without it there is no store.

A store that was appended to has its index in ``index-2.parquet``, ``index-3.parquet`` ...: the
description names the one that is valid, so that one rename changes store and index together.

Version 2 added what is known of each lead's quality, ``same_as``, ``number`` and the
data set's own columns to the index, and ``columns``, ``label_columns`` and ``sources`` to
the description.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from leadlight.errors import StoreError
from leadlight.leads import STANDARD_LEADS

SCHEMA_VERSION = 2
LEADS = STANDARD_LEADS
COUNTS_PER_MILLIVOLT = 1000
MISSING = -32768
LARGEST_COUNT = 32767
"""What does not fit is stored as plus or minus this (32.767 mV) and counted as clipped."""

DESCRIPTION_FILE = "store.json"
INDEX_FILE = "index.parquet"
REQUEST_FILE = "request.json"
"""Stands in the workspace of a store that is being written."""
WORKSPACE_SUFFIX = ".preparing"
CLAIM = "claim-"
"""Start of the name of a file in the workspace by which a writer's machines know that it still writes."""

SHARD_HEADER_BYTES = 128

_INDEX_NAME = re.compile(r"index(?:-([1-9]\d{0,8}))?\.parquet", re.ASCII)

# Column -> Arrow type, as pyarrow spells it; built into a schema by `index_schema`.
_INDEX_COLUMNS: dict[str, str] = {
    "record_id": "string",
    "patient_id": "string",
    "fold": "int32",
    "age": "float64",
    "sex": "string",
    "statements": "statements",
    "n_samples": "int64",
    "shard": "int32",
    "offset": "int64",
    "missing_samples": "int64",
    "clipped_samples": "int64",
    "missing_leads": "strings",
    "flat_leads": "strings",
    "saturated_leads": "strings",
    "noisy_leads": "strings",
    "mains_leads": "strings",
    "limb_leads": "string",
    "quality": "quality",
    "notes": "strings",
    "source": "string",
    "source_path": "string",
    "number": "int64",
    "same_as": "string",
    "file_sampling_rate": "float64",
    "resampled": "bool_",
    "checksum": "string",
}
OUR_COLUMNS = tuple(_INDEX_COLUMNS)
FROM_ENTRIES = ("record_id", "patient_id", "fold", "age", "sex", "source", "number", "same_as")
"""Columns that are a record's entry word for word (``datasets.index.RecordEntry``)."""

# What a data set's own column may hold (datasets.index.ColumnKind) -> Arrow type.
_OWN_COLUMNS = {"number": "float64", "text": "string"}

_DESCRIPTION_KEYS: dict[str, type | tuple[type, ...]] = {
    "dataset": str,
    "dataset_version": (str, type(None)),
    "sampling_rate": (int, float),
    "leads": list,
    "counts_per_millivolt": (int, float),
    "missing_sample": int,
    "records": int,
    "request": dict,
    "set_aside": list,
    "shards": list,
    "index": dict,
    "columns": dict,
    "label_columns": list,
    "sources": dict,
}


def shard_name(number: int) -> str:
    """File name of a shard."""
    return f"signals-{number:05d}.npy"


def index_name(generation: int) -> str:
    """File name of the index of a store that was written once (1) or appended to."""
    return INDEX_FILE if generation == 1 else f"index-{generation}.parquet"


def index_generation(description: Mapping[str, Any]) -> int:
    """How often the index was written: 1, and one more for each append."""
    found = _INDEX_NAME.fullmatch(description["index"]["file"])
    return int(found[1] or 1) if found else 1


def shard_header(n_counts: int) -> bytes:
    """The .npy header of a flat int16 array; its length does not depend on ``n_counts``."""
    text = f"{{'descr': '<i2', 'fortran_order': False, 'shape': ({n_counts},), }}"
    magic = b"\x93NUMPY\x01\x00"
    padding = SHARD_HEADER_BYTES - len(magic) - 2 - len(text) - 1
    body = (text + " " * padding + "\n").encode("latin1")
    return magic + len(body).to_bytes(2, "little") + body


def shard_bytes(n_counts: int) -> int:
    """Size of a shard's file."""
    return SHARD_HEADER_BYTES + 2 * n_counts


def workspace_of(out: Path) -> Path:
    """The folder beside ``out`` in which a store is written until it is whole."""
    if out.name in ("", ".."):
        out = out.resolve()
    return out.with_name(out.name + WORKSPACE_SUFFIX)


def check_own_columns(dataset: str, columns: Mapping[str, str]) -> None:
    """Refuse a data set's own columns that have a name of ours, or hold what an index cannot. StoreError."""
    taken = sorted(name for name in columns if name in _INDEX_COLUMNS)
    if taken:
        raise StoreError(
            f"{dataset}: found the column {', '.join(taken)}, a name that every store's index uses itself; "
            f"accepted: other names than {', '.join(_INDEX_COLUMNS)}. Rename it where it comes from."
        )
    for name, kind in columns.items():
        if not name or not isinstance(kind, str) or kind not in _OWN_COLUMNS:
            raise StoreError(
                f"{dataset}: found the column {name!r} of kind {kind!r}; "
                f"accepted: a name, and {' or '.join(_OWN_COLUMNS)}."
            )


def index_schema(columns: Mapping[str, str] | None = None) -> Any:
    """Arrow schema of ``index.parquet``: our columns, then the data set's own (name -> kind)."""
    import pyarrow as pa

    statement = pa.struct([("code", pa.string()), ("system", pa.string()), ("likelihood", pa.float64())])
    kinds = {
        "statements": pa.list_(statement),
        "strings": pa.list_(pa.string()),
        "quality": pa.map_(pa.string(), pa.string()),
    }
    types = {**_INDEX_COLUMNS, **{name: _OWN_COLUMNS[kind] for name, kind in (columns or {}).items()}}
    return pa.schema(
        [(name, kinds[kind] if kind in kinds else getattr(pa, kind)()) for name, kind in types.items()]
    )


def is_store(folder: Path) -> bool:
    """Whether the folder holds a description, and so was once whole."""
    return (folder / DESCRIPTION_FILE).is_file()


def read_description(folder: Path) -> dict[str, Any]:
    """The checked content of ``store.json``.

    Raises StoreError where there is no store, an unfinished one, one of a newer
    Leadlight, or one whose description is damaged.
    """
    file = folder / DESCRIPTION_FILE
    if not file.is_file():
        raise StoreError(_no_store(folder))
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{file}: not JSON ({error}). {_AGAIN}") from error
    if not isinstance(description, dict) or not isinstance(description.get("schema_version"), int):
        raise StoreError(f"{file}, schema_version: found none; accepted: {SCHEMA_VERSION}. {_AGAIN}")
    version = description["schema_version"]
    if version != SCHEMA_VERSION:
        remedy = (
            "Update Leadlight (pip install --upgrade leadlight)."
            if version > SCHEMA_VERSION
            else f"An older Leadlight wrote it. {_AGAIN}"
        )
        raise StoreError(f"{file}, schema_version: found {version}; accepted: {SCHEMA_VERSION}. {remedy}")
    for key, kind in _DESCRIPTION_KEYS.items():
        if not isinstance(description.get(key), kind):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            names = " or ".join(one.__name__ for one in kinds)
            raise StoreError(f"{file}, {key}: found {description.get(key)!r}; accepted: {names}. {_AGAIN}")
    _check_files(file, description)
    if not (0 < description["sampling_rate"] <= 20_000 and description["records"] >= 0):
        found = f"{description['records']} records at {description['sampling_rate']} Hz"
        raise StoreError(f"{file}: found {found}; accepted: no fewer than 0, a rate above 0. {_AGAIN}")
    try:
        check_own_columns("columns", description["columns"])
    except StoreError as error:
        raise StoreError(f"{file}, {error} {_AGAIN}") from None
    expected = {
        "counts_per_millivolt": COUNTS_PER_MILLIVOLT,
        "missing_sample": MISSING,
        "leads": list(LEADS),
    }
    for key, value in expected.items():
        if description[key] != value:
            raise StoreError(f"{file}, {key}: found {description[key]}; accepted: {value}. {_AGAIN}")
    return description


def _check_files(file: Path, description: dict[str, Any]) -> None:
    names = [shard_name(number) for number in range(len(description["shards"]))]
    listed = [*description["shards"], description["index"]]
    index = str(description["index"].get("file"))
    for name, entry in zip(
        [*names, index if _INDEX_NAME.fullmatch(index) else INDEX_FILE], listed, strict=True
    ):
        facts = entry if isinstance(entry, dict) else {}
        if (
            facts.get("file") != name
            or not isinstance(facts.get("bytes"), int)
            or not isinstance(facts.get("sha256"), str)
            or (name in names and not isinstance(facts.get("records"), int))
        ):
            raise StoreError(f"{file}: found no file, bytes, records and sha256 of {name}. {_AGAIN}")


_AGAIN = "Prepare the data set again: leadlight prepare NAME DIR --out STORE --overwrite."


def _no_store(folder: Path) -> str:
    for place, target in ((workspace_of(folder), folder), (folder, _target_of(folder))):
        if target is not None and (place / REQUEST_FILE).is_file():
            done = len(list(place.glob("signals-*.json")))
            return (
                f"{target}: not finished: {done} parts are done. Run the same command again and it goes on "
                f"from there: leadlight prepare NAME DIR --out {target}."
            )
    found = "a folder without store.json" if folder.is_dir() else "no such folder"
    return (
        f"{folder}: found {found}; accepted: a prepared store. "
        f"Make one: leadlight prepare NAME DIR --out {folder}."
    )


def _target_of(folder: Path) -> Path | None:
    if folder.name.endswith(WORKSPACE_SUFFIX):
        return folder.with_name(folder.name.removesuffix(WORKSPACE_SUFFIX))
    return None


def millivolts(
    counts: np.ndarray[Any, np.dtype[np.int16]], out: np.ndarray[Any, np.dtype[np.float32]] | None = None
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Counts to float32 millivolts, without a look at missing samples; out: where to put them.

    Divided, not multiplied by 0.001: the quotient is the float32 nearest to the
    true value, the same that reading the file gives.
    """
    result: np.ndarray[Any, np.dtype[np.float32]] = np.divide(
        counts, np.float32(COUNTS_PER_MILLIVOLT), out=out, dtype=np.float32
    )
    return result
