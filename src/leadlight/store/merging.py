"""Make stores of stores: merge several into a new one, filter one into a new one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from leadlight import __version__
from leadlight.errors import StoreError
from leadlight.progress import ProgressCallback, silent
from leadlight.store import layout
from leadlight.store.combining import Chosen, Combination, combine, digest, origin_of
from leadlight.store.conditions import read_condition
from leadlight.store.copying import copy_shard, shards_to_copy, write_copied_index
from leadlight.store.counting import COUNTED, counts_of
from leadlight.store.filtering import where_mask
from leadlight.store.joining import describe_parts
from leadlight.store.reading import Store, open_store
from leadlight.store.shards import finished_shard, note_of
from leadlight.store.workspace import Request, check_target, discard, locked_workspace, publish, tidy
from leadlight.writing import write_whole


def merge(
    stores: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    on_progress: ProgressCallback = silent,
    *,
    same_patients: bool = False,
    overwrite: bool = False,
) -> Store:
    """Write one store of several; ``combining.py`` has the rules for copies, patients, folds and ids.

    stores: at least two, of one sampling rate; out: the store to write; same_patients: stores of
    one data set name number their patients alike. Folds stay as they are. Records that are
    left out are listed in ``description["set_aside"]``, each data set in ``description["parts"]``.
    After a kill, the same call goes on. A store that is already there for the same call is
    returned as it is. Raises StoreError where ``out`` is in the way, and for stores that cannot be
    one.
    """
    if len(stores) < 2:
        raise StoreError(f"stores: found {len(stores)}; accepted: two or more.")
    opened = [open_store(one) for one in stores]
    _refuse_itself(opened, Path(out))
    combination = combine(opened, same_patients=same_patients)
    asked = {"merged": [one.description["index"]["sha256"] for one in opened], "same_patients": same_patients}
    described = describe_parts(combination)
    return _write(combination, Path(out), described, asked, on_progress, overwrite)


def filter_store(
    store: str | os.PathLike[str],
    where: str,
    out: str | os.PathLike[str],
    on_progress: ProgressCallback = silent,
    *,
    overwrite: bool = False,
) -> Store:
    """Write a store of those records that meet a condition; see ``filtering.where_mask``.

    Ids, patients, folds and checksums stay. Raises StoreError for a condition that cannot be
    read or that no record meets, and where ``out`` is in the way.
    """
    condition = read_condition(where)
    opened = open_store(store)
    _refuse_itself([opened], Path(out))
    rows = np.flatnonzero(where_mask(opened, condition))
    if not len(rows):
        raise StoreError(
            f"where: found no record of {opened.path} for which {condition.text!r} is true; accepted: at "
            "least one. Missing values make a comparison neither true nor false: ask for them with is null."
        )
    before = opened.description
    chosen = Chosen(opened, rows, *_ids(opened, rows), (0,))
    combination = Combination((chosen,), (), tuple(before["set_aside"]), dict(before["columns"]))
    step = {"where": condition.text, "of_records": len(opened), "index_sha256": before["index"]["sha256"]}
    described = {
        **before,
        "origin": origin_of(before),
        "filtered": [*before.get("filtered", ()), {**step, "by": f"leadlight {__version__}", "time": now()}],
    }
    return _write(combination, Path(out), described, {"filtered": step}, on_progress, overwrite)


def _ids(store: Store, rows: Any) -> tuple[Any, Any]:
    import pyarrow as pa

    table = store.columns("record_id", "patient_id").take(pa.array(rows))
    record_ids, patient_ids = (column.cast(pa.string()).combine_chunks() for column in table.columns)
    return record_ids, patient_ids


def _refuse_itself(stores: Sequence[Store], out: Path) -> None:
    if any(store.path.resolve() == out.resolve() for store in stores):
        raise StoreError(f"{out}: found one of the stores that are read; accepted: a new name.")


def _write(
    combination: Combination,
    out: Path,
    described: dict[str, Any],
    asked: dict[str, Any],
    on_progress: ProgressCallback,
    overwrite: bool,
) -> Store:
    request = request_for(combination, asked, described)
    if check_target(out, request, overwrite):
        tidy(out)
        return open_store(out)
    with locked_workspace(out, request) as workspace:
        if check_target(out, request, overwrite):
            discard(workspace)
            return open_store(out)
        if not layout.is_store(workspace):
            numbers, shards = copy_shards(combination, workspace, on_progress)
            index = write_copied_index(
                workspace / layout.INDEX_FILE, combination.chosen, numbers, combination.columns
            )
            write_copied_description(
                workspace, {**described, "shards": shards, "index": index, "request": asdict(request)}
            )
        publish(workspace, out)
    return open_store(out)


def copy_shards(
    combination: Combination, folder: Path, on_progress: ProgressCallback, first: int = 0
) -> tuple[list[dict[int, int]], list[dict[str, Any]]]:
    """Copy all shards; for each store old number -> new number, and what store.json says of each new one.

    first: number of the first new shard. What was copied before a kill is not copied again.
    """
    numbers: list[dict[int, int]] = []
    shards: list[dict[str, Any]] = []
    total, done = len(combination), 0

    def tick(number: int) -> None:
        nonlocal done
        done += number
        on_progress(done, total, "")

    for one in combination.chosen:
        numbers.append({})
        for old, rows in shards_to_copy(one):
            new = first + len(shards)
            numbers[-1][old] = new
            target = folder / layout.shard_name(new)
            before = finished_shard(folder, new)
            if before is not None:
                shard = {"file": target.name, "records": len(rows), "bytes": before.size,
                         "sha256": before.checksum}  # fmt: skip
                tick(len(rows))
            else:
                shard = copy_shard(one.store, old, rows, target, tick)
                note = {"size": shard["bytes"], "checksum": shard["sha256"], "rows": [], "set_aside": []}
                write_whole(note_of(folder, new), json.dumps(note).encode())
            listed = one.store.description["shards"][old].get("part")
            if len(combination.parts) > 0:
                shard["part"] = one.parts[listed or 0]
            elif listed is not None:
                shard["part"] = listed
            shards.append(shard)
    return numbers, shards


def write_copied_description(folder: Path, description: dict[str, Any]) -> None:
    """Count what the index says and write ``store.json``, the last file."""
    prepared = {"by": f"leadlight {__version__}", "time": now()}
    records = sum(shard["records"] for shard in description["shards"])
    written = Store(folder, {**description, "records": records})
    whole = {**description, **counts_of(written.columns(*COUNTED)), "prepared": prepared}
    write_whole(folder / layout.DESCRIPTION_FILE, json.dumps(whole, indent=1, ensure_ascii=False).encode())


def request_for(
    combination: Combination, asked: dict[str, Any], described: dict[str, Any] | None = None
) -> Request:
    """The request that decides a store made of others; asked: what was asked for, in plain values."""
    described = described or describe_parts(combination)
    files = hashlib.sha256()
    for one in combination.chosen:
        for shard in one.store.description["shards"]:
            files.update(shard["sha256"].encode())
    return Request(
        dataset=described["dataset"],
        dataset_version=str(described["dataset_version"] or ""),
        sampling_rate=described["sampling_rate"],
        schema_version=layout.SCHEMA_VERSION,
        resampling=described["resampling"],
        entries=digest(asked),
        files=files.hexdigest(),
    )


def now() -> str:
    """The time, for descriptions."""
    return datetime.now(UTC).isoformat(timespec="seconds")
