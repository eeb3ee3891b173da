"""The index and the description of a store, from its data set's index and its finished shards."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leadlight import __version__
from leadlight.datasets import DatasetIndex, RecordEntry
from leadlight.errors import StoreError
from leadlight.store import layout
from leadlight.store.shards import Shard
from leadlight.store.workspace import Request
from leadlight.writing import write_whole


def write_index(index: DatasetIndex, shards: Iterator[Shard], workspace: Path) -> dict[str, Any]:
    """Write ``index.parquet``; returns what the description says of shards, records and set-asides.

    Shards are taken one at a time: only their Arrow columns stay in memory.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables, files = [], []
    set_aside = [{"record_id": one.record_id, "reason": one.reason} for one in index.set_aside]
    for shard in shards:
        tables.append(_table(index, shard))
        files.append(
            {
                "file": layout.shard_name(shard.number),
                "records": len(shard.rows),
                "bytes": shard.size,
                "sha256": shard.checksum,
            }
        )
        set_aside += [
            {"record_id": index.entries[entry].record_id, "reason": reason}
            for entry, reason in shard.set_aside
        ]
    table = pa.concat_tables(tables).combine_chunks()
    if not table.num_rows:
        raise StoreError(_nothing_stored(index, set_aside))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content = sink.getvalue().to_pybytes()
    write_whole(workspace / layout.INDEX_FILE, content)
    lengths = table["n_samples"].unique().to_pylist()
    folds = Counter(table["fold"].to_pylist())
    return {
        "records": table.num_rows,
        "patients": len(table["patient_id"].unique()),
        "records_per_fold": {
            str(fold): folds[fold] for fold in sorted(folds, key=lambda fold: (fold is None, fold))
        },
        "n_samples": lengths[0] if len(lengths) == 1 else None,
        "records_resampled": sum(table["resampled"].to_pylist()),
        "set_aside": set_aside,
        "shards": files,
        "index": {
            "file": layout.INDEX_FILE,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        },
    }


def write_description(
    index: DatasetIndex, request: Request, counted: dict[str, Any], workspace: Path
) -> None:
    """Write ``store.json``, the last file: from here on the store is whole."""
    description = {
        "schema_version": layout.SCHEMA_VERSION,
        "dataset": index.dataset,
        "dataset_version": index.version,
        "sampling_rate": index.sampling_rate,
        "leads": list(layout.LEADS),
        "counts_per_millivolt": layout.COUNTS_PER_MILLIVOLT,
        "missing_sample": layout.MISSING,
        "resampling": request.resampling,
        # The folder's own name, not where it lies: stores are passed on.
        "source": {"folder": index.root.resolve().name},
        "prepared": {
            "by": f"leadlight {__version__}",
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        "notes": list(index.notes),
        **counted,
        "request": asdict(request),
    }
    content = json.dumps(description, indent=1, ensure_ascii=False).encode()
    write_whole(workspace / layout.DESCRIPTION_FILE, content)


def _table(index: DatasetIndex, shard: Shard) -> Any:
    import pyarrow as pa

    entries = [index.entries[row["entry"]] for row in shard.rows]
    from_entries = [_from_entry(entry) for entry in entries]
    columns: dict[str, list[Any]] = {"shard": [shard.number] * len(entries)}
    for name in layout.index_schema().names:
        if name == "notes":
            columns[name] = [
                [*entry.notes, *row["notes"]] for entry, row in zip(entries, shard.rows, strict=True)
            ]
        elif from_entries and name in from_entries[0]:
            columns[name] = [values[name] for values in from_entries]
        elif name not in columns:
            columns[name] = [row[name] for row in shard.rows]
    schema = layout.index_schema()
    return pa.table([pa.array(columns[field.name], type=field.type) for field in schema], schema=schema)


def _from_entry(entry: RecordEntry) -> dict[str, Any]:
    return {
        "record_id": entry.record_id,
        "patient_id": entry.patient_id,
        "fold": entry.fold,
        "age": entry.age,
        "sex": entry.sex,
        "statements": [asdict(one) for one in entry.statements],
        "quality": list(entry.quality.items()),
        "source": entry.source,
        "source_path": entry.path,
    }


def _nothing_stored(index: DatasetIndex, set_aside: list[dict[str, str]]) -> str:
    reasons = Counter(one["reason"] for one in set_aside).most_common(3)
    listed = "; ".join(f"{count} x {reason}" for reason, count in reasons)
    return f"{index.root}: none of {len(set_aside)} records could be stored: {listed}."
