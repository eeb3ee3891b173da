"""Write shards with processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from leadlight.errors import StoreError
from leadlight.store.shards import ShardTask, write_shard

# A second process takes about half a second to start; below this much work
# (in seconds, at about these rates on one core) one process is sooner done.
_WORTH_A_POOL = 2.0
_SECONDS_A_RECORD, _SECONDS_A_RESAMPLED_RECORD = 0.0003, 0.001


def write_in_processes(tasks: list[ShardTask], workers: int | None, tick: Callable[[int], None]) -> None:
    """Write these shards. workers: None for as many as pay off; tick: called with records further done.

    Raises StoreError when a worker process dies; what is finished stays.
    """
    n_workers = min(_choose_workers(tasks) if workers is None else workers, len(tasks))
    if n_workers > 1:
        _in_pool(tasks, n_workers, tick)
        return
    with one_blas_thread():
        for task in tasks:
            write_shard(task, tick)


def _choose_workers(tasks: list[ShardTask]) -> int:
    seconds = sum(
        _SECONDS_A_RECORD if entry.file_sampling_rate == task.sampling_rate else _SECONDS_A_RESAMPLED_RECORD
        for task in tasks
        for entry in task.entries
    )
    if seconds < _WORTH_A_POOL:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_pool(tasks: list[ShardTask], n_workers: int, tick: Callable[[int], None]) -> None:
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


def one_blas_thread() -> Any:
    """A block in which matrix products run on one thread."""
    from threadpoolctl import threadpool_limits

    # The products here are small: a second thread costs more than it brings.
    return threadpool_limits(1, "blas")
