"""Add records to a store that is there: at every moment it is the old store or the new one, whole.

New shards and the new index get names that the old description does not list; store.json is
then replaced by one rename. What an append leaves that was killed is written over by the next.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from leadlight import __version__
from leadlight.progress import ProgressCallback, silent
from leadlight.store import layout
from leadlight.store.combining import Combination, combine
from leadlight.store.copying import write_copied_index
from leadlight.store.joining import describe_parts
from leadlight.store.merging import copy_shards, now, request_for, write_copied_description
from leadlight.store.reading import Store, open_store
from leadlight.store.shards import remove_notes
from leadlight.store.workspace import discard, locked_workspace


def append(
    store: str | os.PathLike[str],
    new: Sequence[str | os.PathLike[str]],
    on_progress: ProgressCallback = silent,
    *,
    same_patients: bool = False,
) -> tuple[Store, int]:
    """Add the records of other stores to a store; returns it, and how many were added.

    new: stores of the same sampling rate. The rules are those of ``merge`` with the store first: its
    records and folds stay, and its patients get their data set's name. Records that it has
    already are not added: the same call twice adds nothing the second time, and writes nothing.
    Programs that read the store meanwhile go on with what they opened, until the next append.
    Raises StoreError for stores that cannot be one and while another process writes to the store.
    """
    path = Path(store)
    others = [open_store(one) for one in new]
    first = open_store(path)
    request = request_for(_combined(first, others, same_patients), {"appended": first.description["index"]})
    with locked_workspace(path, request) as workspace:
        first = open_store(path)  # another process may have added to it before the lock
        combination = _combined(first, others, same_patients)
        added = len(combination) - len(first)
        if added:
            _add(first, combination, on_progress)
            first = open_store(path)
        remove_notes(path)
        discard(workspace)
    return first, added


def _combined(first: Store, others: Sequence[Store], same_patients: bool) -> Combination:
    return combine([first, *others], same_patients=same_patients)


def _add(first: Store, combination: Combination, on_progress: ProgressCallback) -> None:
    here, *others = combination.chosen
    before = first.description
    kept = [
        {**shard, "part": here.parts[shard.get("part", 0)]} for shard in before["shards"]
    ]  # its records stay where they are
    rest = Combination(tuple(others), combination.parts, (), combination.columns)
    remove_notes(first.path)
    _remove_unlisted(first)
    numbers, shards = copy_shards(rest, first.path, on_progress, len(kept))
    generation = layout.index_generation(before) + 1
    index = write_copied_index(
        first.path / layout.index_name(generation),
        combination.chosen,
        [{number: number for number in range(len(kept))}, *numbers],
        combination.columns,
    )
    step = {"records": len(rest), "by": f"leadlight {__version__}", "time": now()}
    request = request_for(combination, {"appended": [before["index"]["sha256"], len(rest)]})
    write_copied_description(
        first.path,
        {
            **describe_parts(combination),
            "filtered": before.get("filtered", []),
            "appended": [*before.get("appended", []), step],
            "shards": [*kept, *shards],
            "index": index,
            "request": asdict(request),
        },
    )


def _remove_unlisted(store: Store) -> None:
    """Remove indexes and shards that the description does not list: older ones, and those of a kill."""
    listed = {one["file"] for one in (*store.description["shards"], store.description["index"])}
    for pattern in ("index*.parquet", "signals-*.npy"):
        for file in store.path.glob(pattern):
            if file.name not in listed:
                file.unlink()
