"""Write one shard: the unit of work that a process does, and that survives a kill."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from leadlight.datasets import RecordEntry
from leadlight.errors import LeadlightError, StoreError
from leadlight.quality import quality_columns
from leadlight.store import layout
from leadlight.store.converting import StoredRecord, read_record, reason_of
from leadlight.writing import remove_unfinished, unfinished, write_whole

_TICK = 64  # records between two words of progress
# Looked at together for their quality: as many as stay in a core's own cache.
_TOGETHER, _SAMPLES_TOGETHER = 8, 20_000


@dataclass(frozen=True)
class ShardTask:
    """A run of the index's entries that makes one shard.

    folder: the workspace; number: of the shard; first: place of the first entry in
    the index; root: folder of the data set; sampling_rate: Hz, of the store; claim: name
    of a file in the workspace that must still be there for the shard to be kept, "" for none:
    a machine that was cut off cannot know that others took over.
    """

    folder: Path
    number: int
    first: int
    entries: tuple[RecordEntry, ...]
    root: Path
    sampling_rate: float
    claim: str = ""


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
            for alike in _read_alike(task, set_aside, tick):
                signals = np.stack([record.counts for _, record in alike])
                quality = quality_columns(signals, layout.LEADS, task.sampling_rate)
                for (entry, record), found in zip(alike, quality, strict=True):
                    stream.write(record.counts.astype("<i2", copy=False).data)
                    rows.append(_row(entry, record, found, n_counts))
                    n_counts += record.counts.size
            stream.seek(0)
            stream.write(layout.shard_header(n_counts))
        with part.open("rb") as stream:
            checksum = hashlib.file_digest(stream, "sha256").hexdigest()
        _check_claim(task)
    note = {
        "size": layout.shard_bytes(n_counts),
        "checksum": checksum,
        "rows": rows,
        "set_aside": set_aside,
    }
    write_whole(note_of(task.folder, task.number), json.dumps(note).encode())
    if tick:
        tick(len(task.entries) - (max(len(task.entries) - 1, 0) // _TICK) * _TICK)
    return len(task.entries)


def _read_alike(
    task: ShardTask, set_aside: list[tuple[int, str]], tick: Callable[[int], None] | None
) -> Iterator[list[tuple[int, StoredRecord]]]:
    """Places and records, several of one length together; what cannot be used goes to ``set_aside``."""
    alike: list[tuple[int, StoredRecord]] = []
    for number, entry in enumerate(task.entries):
        if tick and number and number % _TICK == 0:
            tick(_TICK)
        try:
            record = read_record(
                task.root / entry.path, task.sampling_rate, entry.number, zero_padded=entry.zero_padded
            )
        except LeadlightError as error:
            set_aside.append((task.first + number, reason_of(error)))
            continue
        size = record.counts.shape[1]
        if alike and (
            size != alike[0][1].counts.shape[1]
            or len(alike) == _TOGETHER
            or len(alike) * size > _SAMPLES_TOGETHER
        ):
            yield alike
            alike = []
        alike.append((task.first + number, record))
    if alike:
        yield alike


def _check_claim(task: ShardTask) -> None:
    if task.claim and not (task.folder / task.claim).exists():
        raise StoreError(
            f"{task.folder / layout.shard_name(task.number)}: another call has taken this store over; "
            "accepted: one at a time. Its shards are kept, this one is not."
        )


def _row(entry: int, record: StoredRecord, quality: dict[str, Any], offset: int) -> dict[str, Any]:
    known = {one.name: getattr(record, one.name) for one in fields(record) if one.name != "counts"}
    return {"entry": entry, "n_samples": record.counts.shape[1], "offset": offset, **known, **quality}


def finished_shard(folder: Path, number: int) -> Shard | None:
    """The shard if it was finished, by this process or by one before it."""
    try:
        note = json.loads(note_of(folder, number).read_bytes())
        size = (folder / layout.shard_name(number)).stat().st_size
    except (FileNotFoundError, ValueError):
        return None
    if size != note["size"]:
        return None
    set_aside = [(int(entry), str(reason)) for entry, reason in note["set_aside"]]
    return Shard(number, size, note["checksum"], note["rows"], set_aside)


def is_finished(folder: Path, number: int) -> bool:
    """Whether a shard's note is there, without a look at what it says."""
    return note_of(folder, number).is_file()


def remove_notes(folder: Path) -> None:
    """Remove the notes of finished shards, which the index has replaced, and parts left by a kill."""
    for note in folder.glob("signals-*.json"):
        note.unlink()
    remove_unfinished(folder)


def note_of(folder: Path, number: int) -> Path:
    """The file that says that a shard is finished."""
    return folder / Path(layout.shard_name(number)).with_suffix(".json")
