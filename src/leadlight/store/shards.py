"""Write one shard: the unit of work that a process does, and that survives a kill."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlight.datasets import RecordEntry
from leadlight.errors import LeadlightError
from leadlight.store import layout
from leadlight.store.converting import StoredRecord, read_record, reason_of
from leadlight.writing import remove_unfinished, unfinished, write_whole

_TICK = 64  # records between two words of progress


@dataclass(frozen=True)
class ShardTask:
    """A run of the index's entries that makes one shard.

    folder: the workspace; number: of the shard; first: place of the first entry in
    the index; root: folder of the data set; sampling_rate: Hz, of the store.
    """

    folder: Path
    number: int
    first: int
    entries: tuple[RecordEntry, ...]
    root: Path
    sampling_rate: float


@dataclass(frozen=True)
class Shard:
    """What is known of a finished shard.

    rows: one dictionary a stored record, with ``entry`` (its place in the index)
    and the index's columns that follow from the signal; set_aside: entry and reason.
    """

    number: int
    size: int
    checksum: str
    rows: list[dict[str, Any]]
    set_aside: list[tuple[int, str]]


def plan_shards(n_entries: int) -> list[tuple[int, int]]:
    """First and past-the-last entry of each shard.

    It follows from the number of entries alone, so that the store does not
    depend on how many processes wrote it: about 64 shards of 256 to 8,192 records.
    """
    size = min(max(256, -(-n_entries // 64)), 8192)
    return [(first, min(first + size, n_entries)) for first in range(0, n_entries, size)]


def write_shard(task: ShardTask, tick: Callable[[int], None] | None = None) -> int:
    """Write a shard and, once it is safely on disk, the note that says it is done.

    tick: called with the number of entries done since the last call.
    Returns the number of entries. Records that cannot be used are set aside in the note.
    """
    rows: list[dict[str, Any]] = []
    set_aside: list[tuple[int, str]] = []
    n_counts = 0
    with unfinished(task.folder / layout.shard_name(task.number)) as part:
        with part.open("wb", buffering=1 << 20) as stream:
            stream.write(layout.shard_header(0))
            for number, entry in enumerate(task.entries):
                if tick and number and number % _TICK == 0:
                    tick(_TICK)
                try:
                    record = read_record(task.root / entry.path, task.sampling_rate)
                except LeadlightError as error:
                    set_aside.append((task.first + number, reason_of(error)))
                    continue
                stream.write(record.counts.astype("<i2", copy=False).data)
                rows.append(_row(task.first + number, record, n_counts))
                n_counts += record.counts.size
            stream.seek(0)
            stream.write(layout.shard_header(n_counts))
        with part.open("rb") as stream:
            checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    note = {
        "size": layout.shard_bytes(n_counts),
        "checksum": checksum,
        "rows": rows,
        "set_aside": set_aside,
    }
    write_whole(_note_of(task.folder, task.number), json.dumps(note).encode())
    if tick:
        tick(len(task.entries) - (max(len(task.entries) - 1, 0) // _TICK) * _TICK)
    return len(task.entries)


def _row(entry: int, record: StoredRecord, offset: int) -> dict[str, Any]:
    return {
        "entry": entry,
        "n_samples": record.counts.shape[1],
        "offset": offset,
        "missing_samples": record.missing_samples,
        "clipped_samples": record.clipped_samples,
        "flat_leads": record.flat_leads,
        "notes": record.notes,
        "file_sampling_rate": record.file_sampling_rate,
        "resampled": record.resampled,
        "checksum": record.checksum,
    }


def finished_shard(folder: Path, number: int) -> Shard | None:
    """The shard if it was finished, by this process or by one before it."""
    try:
        note = json.loads(_note_of(folder, number).read_bytes())
        size = (folder / layout.shard_name(number)).stat().st_size
    except (FileNotFoundError, ValueError):
        return None
    if size != note["size"]:
        return None
    set_aside = [(int(entry), str(reason)) for entry, reason in note["set_aside"]]
    return Shard(number, size, note["checksum"], note["rows"], set_aside)


def remove_notes(folder: Path) -> None:
    """Remove the notes of finished shards, which the index has replaced, and parts left by a kill."""
    for note in folder.glob("signals-*.json"):
        note.unlink()
    remove_unfinished(folder)


def _note_of(folder: Path, number: int) -> Path:
    return folder / Path(layout.shard_name(number)).with_suffix(".json")
