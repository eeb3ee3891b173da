"""Copy records from store to store: shards one at a time, the index some thousand rows at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import StoreError
from leadlight.store import layout
from leadlight.store.combining import Chosen
from leadlight.store.converting import record_checksum
from leadlight.store.reading import Store
from leadlight.writing import unfinished

_ROW_GROUP = 16_384
"""Rows of the index that are held before they are written."""
_BLOCK = 1 << 22  # bytes of a shard in memory
_AHEAD = 64  # records that the system is asked to read together


def shards_to_copy(chosen: Chosen) -> list[tuple[int, NDArray[np.int64]]]:
    """Shards of a store from which records are taken, with their rows; in the order of their numbers."""
    of_row = chosen.store._places[chosen.rows, 0]
    return [(int(number), chosen.rows[of_row == number]) for number in np.unique(of_row)]


def copy_shard(
    store: Store, number: int, rows: NDArray[np.int64], target: Path, tick: Callable[[int], None]
) -> dict[str, Any]:
    """Write the records of these rows of a shard to ``target``; what store.json says of the new shard.

    tick: called with the number of records done. Raises StoreError where the shard or a record
    is not what the store says: a fault is never passed on.
    """
    listed = store.description["shards"][number]
    if len(rows) == listed["records"]:
        with unfinished(target) as part:
            checksum = _copied(store.path / listed["file"], part)
            if checksum != listed["sha256"]:
                raise StoreError(_damaged(store, listed["file"]))
        tick(len(rows))
        return {"file": target.name, "records": len(rows), "bytes": listed["bytes"], "sha256": checksum}
    shard, n_leads, n_counts = store._shard(number), len(store.leads), 0
    expected = store.columns("checksum")["checksum"]
    with unfinished(target) as part:
        with part.open("wb", buffering=1 << 20) as stream:
            stream.write(layout.shard_header(0))
            for place, row in enumerate(rows.tolist()):
                if place % _AHEAD == 0:
                    store._fetch(store._places[rows[place : place + _AHEAD]].tolist())
                _, offset, length, _ = store._places[row].tolist()
                counts = shard[offset : offset + n_leads * length]
                if record_checksum(counts) != expected[row].as_py():
                    raise StoreError(_damaged(store, listed["file"]))
                stream.write(counts.astype("<i2", copy=False).data)
                n_counts += counts.size
                tick(1)
            stream.seek(0)
            stream.write(layout.shard_header(n_counts))
        with part.open("rb") as stream:
            checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    return {
        "file": target.name, "records": len(rows), "bytes": layout.shard_bytes(n_counts), "sha256": checksum,
    }  # fmt: skip


def _copied(source: Path, target: Path) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while block := reading.read(_BLOCK):
            digest.update(block)
            writing.write(block)
    return digest.hexdigest()


def _damaged(store: Store, file: str) -> str:
    return (
        f"{store.path / file}: found other content than its checksum says; accepted: what was "
        f"written. Nothing was made of it. Check the store (leadlight verify {store.path}) and prepare "
        "it again."
    )


def write_copied_index(
    file: Path, chosen: Sequence[Chosen], numbers: Sequence[dict[int, int]], columns: dict[str, str]
) -> dict[str, Any]:
    """Write the index of records that were copied; what store.json says of it.

    numbers: for each store, the old number of a shard -> the new one; columns: own columns of
    all stores. Rows keep their order, store after store.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = layout.index_schema(columns)
    with unfinished(file) as part:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            waiting: list[Any] = []
            for one, renumbered in zip(chosen, numbers, strict=True):
                for table in _rows(one, renumbered, schema):
                    waiting.append(table)
                    if sum(len(table) for table in waiting) >= _ROW_GROUP:
                        writer.write_table(pa.concat_tables(waiting), 2 * _ROW_GROUP)
                        waiting = []
            if waiting:
                writer.write_table(pa.concat_tables(waiting), 2 * _ROW_GROUP)
        with part.open("rb") as stream:
            checksum = hashlib.file_digest(stream, "sha256").hexdigest()
        size = part.stat().st_size
    return {"file": file.name, "bytes": size, "sha256": checksum}


def _rows(chosen: Chosen, renumbered: dict[int, int], schema: Any) -> Iterator[Any]:
    """The index's rows of one store, batch by batch, with new ids and places."""
    import pyarrow as pa

    store = chosen.store
    places = store._places[chosen.rows]
    offsets = _offsets(places, len(store.leads))
    new = np.zeros(max(renumbered, default=-1) + 1, dtype=np.int32)
    for old, number in renumbered.items():
        new[old] = number
    shards = new[places[:, 0]]
    first = done = 0
    own = layout.index_schema(store.description["columns"]).names
    store._read_index(own, rows=False)
    with store._open_index() as file:
        for batch in file.iter_batches(_ROW_GROUP, columns=own):
            last = done + int(np.searchsorted(chosen.rows[done:], first + len(batch)))
            if last > done:
                here = slice(done, last)
                table = pa.table(batch).take(pa.array(chosen.rows[here] - first))
                given = {
                    "record_id": chosen.record_ids[here],
                    "patient_id": chosen.patient_ids[here],
                    "shard": pa.array(shards[here]),
                    "offset": pa.array(offsets[here]),
                }
                arrays = [
                    given[one.name] if one.name in given
                    else table[one.name].cast(one.type) if one.name in own
                    else pa.nulls(last - done, one.type)
                    for one in schema
                ]  # fmt: skip
                yield pa.table(arrays, schema=schema)
            first, done = first + len(batch), last


def _offsets(places: NDArray[np.int64], n_leads: int) -> NDArray[np.int64]:
    """Where each record begins in its new shard, in counts: behind those before it of the same shard."""
    sizes = places[:, 2] * n_leads
    order = np.argsort(places[:, 0], kind="stable")
    ends = np.cumsum(sizes[order])
    begins = ends - sizes[order]
    _, first = np.unique(places[order, 0], return_index=True)
    per_shard = np.diff(np.append(first, len(order)))
    result = np.empty(len(places), dtype=np.int64)
    result[order] = begins - np.repeat(begins[first], per_shard)
    return result
