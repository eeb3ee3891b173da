"""Prepare a data set: read, check, resample and store every record once, on all cores or many machines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from leadlight.datasets import DatasetIndex, read_index
from leadlight.errors import StoreError
from leadlight.progress import ProgressCallback, silent
from leadlight.store import layout
from leadlight.store.describing import write_description, write_index
from leadlight.store.processes import write_in_processes
from leadlight.store.reading import Store, open_store
from leadlight.store.shards import Shard, ShardTask, finished_shard, plan_shards
from leadlight.store.workspace import check_target, discard, locked_workspace, publish, request_of, tidy

ENGINES = ("processes", "ray")
"""What writes the shards: processes on this machine, or a Ray cluster."""


def prepare(
    name: str,
    root: str | os.PathLike[str],
    out: str | os.PathLike[str],
    sampling_rate: float = 100.0,
    workers: int | None = None,
    on_progress: ProgressCallback = silent,
    *,
    overwrite: bool = False,
    labels: str | os.PathLike[str] | None = None,
    splits: str | os.PathLike[str] | None = None,
    engine: str = "processes",
    address: str | None = None,
) -> Store:
    """Read and check a data set once and store it for training.

    name: of the data set, such as "ptb-xl"; root: its folder; out: the store to
    write; sampling_rate: Hz; workers: processes, None for as many as pay off; labels:
    a table of labels, for data sets that come without; splits: a file of folds, in place
    of the data set's own. engine: "processes" on this machine, or "ray" for a cluster, at
    its address or, without one, started on this machine; all its machines must see ``root``
    and ``out`` under the same path. Both write the same store.
    A store that is already there for the same request is returned as it is. After
    a kill, the same call goes on from the finished shards. Records that cannot be
    used are set aside in the store's description. Raises DatasetError for the data
    set as a whole; StoreError where ``out`` is in the way or in use, where no
    record can be stored, when a worker process dies, and for a cluster that cannot serve.
    """
    _check_engine(engine, address)
    if engine == "ray":
        from leadlight.store.cluster import check_cluster

        check_cluster(address)  # before the index is read, which takes a minute for a large data set
    index = read_index(name, root, sampling_rate, labels=labels, splits=splits)
    return store_index(
        index, Path(out), workers, on_progress, overwrite=overwrite, engine=engine, address=address
    )


def store_index(
    index: DatasetIndex,
    out: Path,
    workers: int | None = None,
    on_progress: ProgressCallback = silent,
    *,
    overwrite: bool = False,
    engine: str = "processes",
    address: str | None = None,
) -> Store:
    """Store the records of an index; see ``prepare``."""
    if workers is not None and workers < 1:
        raise StoreError(f"workers: found {workers}; accepted: 1 or more, or None.")
    _check_engine(engine, address)
    layout.check_own_columns(index.dataset, index.columns)
    request = request_of(index)
    if check_target(out, request, overwrite):
        tidy(out)
        return open_store(out)
    with locked_workspace(out, request) as workspace:
        # Another writer may have finished between the first look and the lock.
        if check_target(out, request, overwrite):
            discard(workspace)
            return open_store(out)
        if not layout.is_store(workspace):
            _write_shards(index, workspace, workers, on_progress, engine, address)
            try:
                counted = write_index(index, _finished_shards(index, workspace), workspace)
            except StoreError:
                discard(workspace)  # nothing could be stored: nothing to go on from
                raise
            write_description(index, request, counted, workspace)
        publish(workspace, out)
    return open_store(out)


def _check_engine(engine: str, address: str | None) -> None:
    if engine not in ENGINES:
        raise StoreError(f"engine: found {engine!r}; accepted: {', '.join(ENGINES)}.")
    if address is not None and engine != "ray":
        raise StoreError(f'address: found {address!r} with engine "{engine}"; accepted: with "ray" alone.')


def _write_shards(
    index: DatasetIndex,
    workspace: Path,
    workers: int | None,
    on_progress: ProgressCallback,
    engine: str,
    address: str | None,
) -> None:
    tasks = [
        ShardTask(workspace, number, first, index.entries[first:last], index.root, index.sampling_rate)
        for number, (first, last) in enumerate(plan_shards(len(index.entries)))
    ]
    waiting = [task for task in tasks if finished_shard(workspace, task.number) is None]
    total = len(index.entries)
    done = total - sum(len(task.entries) for task in waiting)
    message = f"{done} done before" if done else ""
    on_progress(done, total, message)

    def tick(number: int) -> None:
        nonlocal done
        done += number
        on_progress(done, total, message)

    if not waiting:
        return
    if engine == "ray":
        from leadlight.store.cluster import write_on_cluster

        write_on_cluster(waiting, workers, tick, address)
    else:
        write_in_processes(waiting, workers, tick)


def _finished_shards(index: DatasetIndex, workspace: Path) -> Iterator[Shard]:
    for number in range(len(plan_shards(len(index.entries)))):
        shard = finished_shard(workspace, number)
        if shard is None:
            raise StoreError(
                f"{workspace / layout.shard_name(number)}: has gone or changed while the store was written. "
                "Run the same call again."
            )
        yield shard
