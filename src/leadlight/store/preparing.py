"""Prepare a data set: read, check, resample and store every record once, on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from leadlight.datasets import DatasetIndex, read_index
from leadlight.errors import StoreError
from leadlight.progress import ProgressCallback, silent
from leadlight.store import layout
from leadlight.store.describing import write_description, write_index
from leadlight.store.reading import Store, open_store
from leadlight.store.shards import Shard, ShardTask, finished_shard, plan_shards, write_shard
from leadlight.store.workspace import check_target, discard, locked_workspace, publish, request_of, tidy

# A second process takes about half a second to start; below this much work
# (in seconds, at about these rates on one core) one process is sooner done.
_WORTH_A_POOL = 2.0
_SECONDS_A_RECORD, _SECONDS_A_RESAMPLED_RECORD = 0.0003, 0.001


def prepare(
    name: str,
    root: str | os.PathLike[str],
    out: str | os.PathLike[str],
    sampling_rate: float = 100.0,
    workers: int | None = None,
    on_progress: ProgressCallback = silent,
    *,
    overwrite: bool = False,
) -> Store:
    """Read and check a data set once and store it for training.

    name: of the data set, such as "ptb-xl"; root: its folder; out: the store to
    write; sampling_rate: Hz; workers: processes, None for as many as pay off.
    A store that is already there for the same request is returned as it is. After
    a kill, the same call goes on from the finished shards. Records that cannot be
    used are set aside in the store's description. Raises DatasetError for the data
    set as a whole; StoreError where ``out`` is in the way or in use, where no
    record can be stored, and when a worker process dies.
    """
    index = read_index(name, root, sampling_rate)
    return store_index(index, Path(out), workers, on_progress, overwrite=overwrite)


def store_index(
    index: DatasetIndex,
    out: Path,
    workers: int | None = None,
    on_progress: ProgressCallback = silent,
    *,
    overwrite: bool = False,
) -> Store:
    """Store the records of an index; see ``prepare``."""
    if workers is not None and workers < 1:
        raise StoreError(f"workers: found {workers}; accepted: 1 or more, or None.")
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
            _write_shards(index, workspace, workers, on_progress)
            try:
                counted = write_index(index, _finished_shards(index, workspace), workspace)
            except StoreError:
                discard(workspace)  # nothing could be stored: nothing to go on from
                raise
            write_description(index, request, counted, workspace)
        publish(workspace, out)
    return open_store(out)


def _write_shards(
    index: DatasetIndex, workspace: Path, workers: int | None, on_progress: ProgressCallback
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

    n_workers = min(_choose_workers(waiting) if workers is None else workers, len(waiting))
    if n_workers > 1:
        _in_processes(waiting, n_workers, tick)
        return
    with _one_blas_thread():
        for task in waiting:
            write_shard(task, tick)


def _finished_shards(index: DatasetIndex, workspace: Path) -> Iterator[Shard]:
    for number in range(len(plan_shards(len(index.entries)))):
        shard = finished_shard(workspace, number)
        if shard is None:
            raise StoreError(
                f"{workspace / layout.shard_name(number)}: has gone or changed while the store was written. "
                "Run the same call again."
            )
        yield shard


def _choose_workers(tasks: list[ShardTask]) -> int:
    seconds = sum(
        _SECONDS_A_RECORD if entry.file_sampling_rate == task.sampling_rate else _SECONDS_A_RESAMPLED_RECORD
        for task in tasks
        for entry in task.entries
    )
    if seconds < _WORTH_A_POOL:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_processes(tasks: list[ShardTask], n_workers: int, tick: Callable[[int], None]) -> None:
    import multiprocessing

    # Not fork: the caller may have threads (torch, BLAS) that a fork would leave half alive.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n_workers, mp_context=context, initializer=_start_worker)
    try:
        for future in as_completed([pool.submit(write_shard, task) for task in tasks]):
            tick(future.result())
    except BrokenProcessPool as error:
        raise StoreError(
            "prepare: a worker process ended unexpectedly (killed, or out of memory). What is finished is "
            "kept: run the same call again and it goes on from there, with workers=1 to find the record. "
            'In a script of your own, call it under `if __name__ == "__main__":`, or no worker can start.'
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Set up a worker process: one BLAS thread, and no life after its parent's death."""
    import multiprocessing
    import signal
    import threading

    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers it, and the shard is finished
    threadpool_limits(1, "blas")
    parent = multiprocessing.parent_process()
    if parent is not None:

        def end_with_parent() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()


def _one_blas_thread() -> Any:
    from threadpoolctl import threadpool_limits

    # The products here are small: a second thread costs more than it brings.
    return threadpool_limits(1, "blas")
