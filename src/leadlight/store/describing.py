"""The index and the description of a store, from its data set's index and its finished shards."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from leadlight import __version__
from leadlight.datasets import DatasetIndex, RecordEntry
from leadlight.errors import StoreError
from leadlight.recording import Statement
from leadlight.store import layout
from leadlight.store.shards import Shard
from leadlight.store.workspace import Request
from leadlight.writing import unfinished, write_whole

_ROW_GROUP = 16_384
"""Rows that are held before they are written: a row group of the index, if shards are not larger."""


@dataclass
class _Counts:
    """What the description says of all records together; shards are added one by one."""

    records: int = 0
    resampled: int = 0
    patients: set[str] = field(default_factory=set)
    lengths: set[int] = field(default_factory=set)
    folds: Counter[int | None] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    rates: Counter[float] = field(default_factory=Counter)

    def add(self, entries: list[RecordEntry], rows: list[dict[str, Any]]) -> None:
        self.records += len(rows)
        self.resampled += sum(row["resampled"] for row in rows)
        self.patients.update(entry.patient_id for entry in entries)
        self.lengths.update(row["n_samples"] for row in rows)
        self.folds.update(entry.fold for entry in entries)
        self.sources.update(entry.source for entry in entries)
        self.rates.update(row["file_sampling_rate"] for row in rows)

    def described(self) -> dict[str, Any]:
        folds = sorted(self.folds, key=lambda fold: (fold is None, fold))
        return {
            "records": self.records,
            "patients": len(self.patients),
            "records_per_fold": {str(fold): self.folds[fold] for fold in folds},
            "sources": {source: self.sources[source] for source in sorted(self.sources)},
            "n_samples": next(iter(self.lengths)) if len(self.lengths) == 1 else None,
            "records_resampled": self.resampled,
            "file_sampling_rates": {f"{rate:g}": self.rates[rate] for rate in sorted(self.rates)},
        }


def write_index(index: DatasetIndex, shards: Iterator[Shard], workspace: Path) -> dict[str, Any]:
    """Write ``index.parquet``; returns what the description says of shards, records and set-asides.

    Shards are taken one at a time, and a row group at a time is in memory.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = layout.index_schema(index.columns)
    counts, files = _Counts(), []
    set_aside = [{"record_id": one.record_id, "reason": one.reason} for one in index.set_aside]
    with unfinished(workspace / layout.INDEX_FILE) as part:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            waiting: list[Any] = []
            for shard in shards:
                entries = [index.entries[row["entry"]] for row in shard.rows]
                counts.add(entries, shard.rows)
                waiting.append(_table(schema, entries, shard))
                if sum(table.num_rows for table in waiting) >= _ROW_GROUP:
                    writer.write_table(pa.concat_tables(waiting), _ROW_GROUP * 2)
                    waiting = []
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
            if not counts.records:
                raise StoreError(_nothing_stored(index, set_aside))
            if waiting:
                writer.write_table(pa.concat_tables(waiting), _ROW_GROUP * 2)
        with part.open("rb") as stream:
            checksum = hashlib.file_digest(stream, "sha256").hexdigest()
        size = part.stat().st_size
    return {
        **counts.described(),
        "columns": dict(index.columns),
        "label_columns": list(index.label_columns),
        "set_aside": set_aside,
        "shards": files,
        "index": {"file": layout.INDEX_FILE, "bytes": size, "sha256": checksum},
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


def _table(schema: Any, entries: list[RecordEntry], shard: Shard) -> Any:
    import pyarrow as pa

    columns: dict[str, list[Any]] = {
        "shard": [shard.number] * len(entries),
        "statements": _statements(entries),
        "quality": [list(entry.quality.items()) for entry in entries],
        "source_path": [entry.path for entry in entries],
        "notes": [[*entry.notes, *row["notes"]] for entry, row in zip(entries, shard.rows, strict=True)],
    }
    for name in schema.names:
        if name in columns:
            continue
        if name in layout.FROM_ENTRIES:
            columns[name] = [getattr(entry, name) for entry in entries]
        elif name in layout.OUR_COLUMNS:
            columns[name] = [row[name] for row in shard.rows]
        else:
            columns[name] = [entry.columns.get(name) for entry in entries]
    return pa.table([pa.array(columns[one.name], type=one.type) for one in schema], schema=schema)


def _statements(entries: list[RecordEntry]) -> list[list[dict[str, Any]]]:
    plain: dict[Statement, dict[str, Any]] = {}
    for entry in entries:
        for one in entry.statements:
            if one not in plain:
                plain[one] = asdict(one)
    return [[plain[one] for one in entry.statements] for entry in entries]


def _nothing_stored(index: DatasetIndex, set_aside: list[dict[str, str]]) -> str:
    reasons = Counter(one["reason"] for one in set_aside).most_common(3)
    listed = "; ".join(f"{count} x {reason}" for reason, count in reasons)
    return f"{index.root}: none of {len(set_aside)} records could be stored: {listed}."
