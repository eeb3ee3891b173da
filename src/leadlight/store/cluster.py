"""Write shards on the machines of a Ray cluster: a task a shard, sent again where a worker or a machine dies.

A task carries its own entries and nothing else; signals go from the data's folder to the
store's, both of which all machines see under the same path. A shard is on disk whole or not
at all, and any machine writes the same bytes, so a task may run twice. The driver holds
the workspace's lock, and its claim is a file there: a worker that was cut off from a
driver which has died, or been replaced, finds the claim gone and keeps nothing.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from leadlight import __version__
from leadlight.errors import StoreError
from leadlight.store import layout
from leadlight.store.processes import one_blas_thread
from leadlight.store.shards import ShardTask, is_finished, write_shard
from leadlight.writing import write_whole

_RETRIES = 5
"""How often a shard is tried again after the process or machine that wrote it has died."""
_WAITING_A_CORE = 2  # shards sent for each core: one at work, one that waits
_LOOK_SECONDS = 0.5  # between two words of progress
_ANSWER_SECONDS = 10.0  # for a server to answer at a cluster's address
# Ray speaks gRPC, so HTTP/2: what a client says first, with no settings of its own (RFC 9113, 3.4).
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_SETTINGS = 4  # fourth byte of what the server then says first
_JOIN_SECONDS = 60.0  # for the machines of a cluster to answer
_VISIBLE_SECONDS = 120.0  # shared file systems show another machine's new file after up to a minute
_OBJECT_STORE_BYTES = 256 * 2**20  # of a cluster started here: slices of the index pass through it


def write_on_cluster(
    tasks: list[ShardTask], workers: int | None, tick: Callable[[int], None], address: str | None
) -> None:
    """Write these shards on a Ray cluster. tick: called with records further done.

    address: of the cluster, such as "10.0.0.1:6379"; None for RAY_ADDRESS, or else a
    cluster of this machine alone, started here. workers: shards at work at once; None for all cores.
    Raises StoreError without Ray, without a cluster at the address, where a machine of it
    does not see the same files or has another Leadlight, and when a shard fails for good.
    """
    ray = _import_ray()
    folder = tasks[0].folder
    with _cluster(ray, address, workers):
        claim = f"{layout.CLAIM}{secrets.token_hex(8)}"
        write_whole(folder / claim, claim.encode())
        try:
            _check_machines(ray, folder / claim, tasks[0])
            _write_all(ray, [replace(task, claim=claim) for task in tasks], workers, tick)
        finally:
            (folder / claim).unlink(missing_ok=True)


def check_cluster(address: str | None) -> None:
    """Raise StoreError without Ray, and where no server answers at the address: before any work is done."""
    ray = _import_ray()
    if not ray.is_initialized():
        where = _where(address)
        with _explained(where):
            _check_address(where)


def _import_ray() -> Any:
    # Ray reports how it is used, over the network, where nobody has said no.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Not what concerns this work; without it a warning is printed at every start.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise StoreError(
            'engine "ray": found no Ray; accepted: the extra of that name. Install it, on every machine '
            "of the cluster: pip install 'leadlight[ray]'."
        ) from error
    return ray


@contextmanager
def _cluster(ray: Any, address: str | None, workers: int | None) -> Iterator[None]:
    """Connected to a cluster, one that the caller has joined, or one that is started here and ended."""
    if ray.is_initialized():
        yield
        return
    where = _where(address)
    started: dict[str, Any] = {}
    if where == "local":
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        started = {
            "num_cpus": workers or cores,
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
        }
    with _explained(where):
        _check_address(where)
        ray.init(where, log_to_driver=False, logging_level=logging.CRITICAL, **started)
    try:
        yield
    finally:
        ray.shutdown()


def _where(address: str | None) -> str:
    return address or os.environ.get("RAY_ADDRESS") or "local"


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """What goes wrong on the way to a cluster, as a StoreError."""
    try:
        yield
    except (ConnectionError, ValueError, RuntimeError, TimeoutError, OSError) as error:
        raise StoreError(
            f"address: found no Ray cluster at {where} ({_first_line(error)}); accepted: the address of a "
            "running one, with the same versions of Ray and Python. Start one with `ray start --head` and "
            "`ray start --address HEAD:6379`, or leave out the address for this machine alone."
        ) from error


def _check_address(address: str) -> None:
    """Raise OSError or ValueError where no server such as Ray's answers: Ray would try for minutes."""
    if address in ("local", "auto"):
        return
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal()) or "/" in host:
        raise ValueError("not of the form HOST:PORT")
    with socket.create_connection((host, int(port)), _ANSWER_SECONDS) as connection:
        if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
            return  # it would not answer what is not encrypted
        connection.sendall(_GREETING)
        answer = connection.recv(9)
        if len(answer) < 4 or answer[3] != _SETTINGS:
            raise ConnectionError("another server answers there")


def _check_machines(ray: Any, claim: Path, task: ShardTask) -> None:
    """Every machine sees workspace and data, and has this version of Leadlight; or StoreError says who."""
    from ray.exceptions import GetTimeoutError, RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    remote = ray.remote(num_cpus=0, max_retries=2)(_look_around)
    asked = {}
    for node in ray.nodes():
        if node["Alive"] and node["Resources"].get("CPU", 0) >= 1:
            here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            name = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
            asked[remote.options(scheduling_strategy=here).remote(claim, task.root)] = name
    if not asked:
        raise StoreError("ray: found a cluster without a core; accepted: at least one machine with a CPU.")
    deadline = time.monotonic() + _JOIN_SECONDS
    faults = []
    for reference, name in asked.items():
        try:
            found = ray.get(reference, timeout=max(0.1, deadline - time.monotonic()))
        except GetTimeoutError:
            faults.append(f"{name} does not answer")
        except RayError as error:
            faults.append(f"{name} cannot run Leadlight ({_first_line(error)})")
        else:
            faults += [f"{name} {fault}" for fault in found]
    if faults:
        raise StoreError(
            f"ray: found machines that cannot take part: {'; '.join(faults)}; accepted: machines that see "
            "the data and the store under the same paths as this one (a shared file system), with "
            f"Leadlight {__version__}. Give paths that all of them have, or take the others out."
        )


def _look_around(claim: Path, root: Path, version: str = __version__) -> list[str]:
    """What keeps the machine that this runs on from taking part, in words."""
    from leadlight import __version__ as installed

    faults = []
    until = time.monotonic() + _JOIN_SECONDS / 4
    while not claim.exists() and time.monotonic() < until:
        time.sleep(0.25)  # a shared file system may show it later
        list(claim.parent.parent.glob("*"))
    if not claim.exists():
        faults.append(f"does not see {claim.parent}")
    elif not os.access(claim.parent, os.W_OK):
        faults.append(f"cannot write to {claim.parent}")
    if not root.is_dir():
        faults.append(f"does not see {root}")
    if installed != version:
        faults.append(f"has Leadlight {installed}")
    return faults


class _Progress:
    """An actor that collects how many records of each shard are done; made into one by ``ray.remote``."""

    def __init__(self) -> None:
        self.done: dict[int, int] = {}

    def tell(self, shard: int, done: int) -> None:
        self.done[shard] = done

    def all(self) -> dict[int, int]:
        return self.done


def _write_one(task: ShardTask, progress: Any) -> int:
    """A task of the cluster: one shard, unless it was finished before the worker that did so died."""
    if is_finished(task.folder, task.number):
        return len(task.entries)
    done = 0

    def tick(number: int) -> None:
        nonlocal done
        done += number
        progress.tell.remote(task.number, done)

    with one_blas_thread():
        return write_shard(task, tick)


def _write_all(ray: Any, tasks: list[ShardTask], workers: int | None, tick: Callable[[int], None]) -> None:
    from ray.exceptions import RayTaskError, WorkerCrashedError

    remote = ray.remote(num_cpus=1, max_retries=_RETRIES)(_write_one)
    progress = _start_progress(ray)
    sizes = {task.number: len(task.entries) for task in tasks}
    waiting = list(reversed(tasks))
    running: dict[Any, int] = {}
    finished: set[int] = set()
    told = 0
    try:
        while waiting or running:
            most = workers or _WAITING_A_CORE * max(1, int(ray.cluster_resources().get("CPU", 1)))
            while waiting and len(running) < most:
                task = waiting.pop()
                # Put, not passed: Ray then keeps the slice for a second try, and drops it with the task.
                running[remote.remote(ray.put(task), progress)] = task.number
            ended, _ = ray.wait(list(running), num_returns=1, timeout=_LOOK_SECONDS)
            for reference in ended:
                number = running.pop(reference)
                try:
                    ray.get(reference)
                except RayTaskError as error:
                    raise error.cause from None
                except WorkerCrashedError as error:
                    raise StoreError(_crashed(number)) from error
                except ray.exceptions.RayError as error:
                    raise StoreError(f"{_crashed(number)} Ray says: {_first_line(error)}") from error
                _wait_until_visible(tasks[0].folder, number)
                finished.add(number)
            done = sum(sizes[number] for number in finished) + _within(ray, progress, running, sizes)
            if done > told:  # a shard that begins anew takes nothing back
                tick(done - told)
                told = done
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


def _start_progress(ray: Any) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # On the driver's own machine: what else dies, the driver is told.
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    actor = ray.remote(num_cpus=0, max_restarts=-1)(_Progress)
    return actor.options(scheduling_strategy=here).remote()


def _within(ray: Any, progress: Any, running: dict[Any, int], sizes: dict[int, int]) -> int:
    """Records done of shards that are not finished; 0 where nobody can say."""
    try:
        done = ray.get(progress.all.remote(), timeout=_LOOK_SECONDS)
    except ray.exceptions.RayError:
        return 0
    return sum(min(done.get(number, 0), sizes[number]) for number in running.values())


def _wait_until_visible(folder: Path, number: int) -> None:
    """Wait for a finished shard's note, which a shared file system may show this machine later."""
    until = time.monotonic() + _VISIBLE_SECONDS
    while not is_finished(folder, number):
        if time.monotonic() > until:
            raise StoreError(
                f"{folder}: a machine of the cluster has finished part {number}, which is not seen here "
                f"after {_VISIBLE_SECONDS:g} s; accepted: a file system that all machines share. Check how "
                "the folder is mounted, and run the same call again: it goes on from what is there."
            )
        time.sleep(0.25)
        list(folder.glob("signals-*.json"))  # has the names read anew


def _crashed(number: int) -> str:
    return (
        f"prepare: the worker process that wrote part {number} ended unexpectedly {_RETRIES + 1} times "
        "(killed, or out of memory). What is finished is kept: run the same call again and it goes on from "
        "there, with --engine processes --workers 1 to find the record."
    )


def _first_line(error: BaseException) -> str:
    """What an error says, without the trace that Ray adds."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
