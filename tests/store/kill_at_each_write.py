"""Run by test_killing.py in a process of its own: what writes stores, killed at every step to the disk.

Arguments: the pickled index, the folder to work in, what to do. For each n a child process is
killed with SIGKILL right before the n-th rename, removal or fsync; another child then finishes.
Prints a list of JSON: n, what open_store said after the kill, and a digest of
the finished store.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pandas  # noqa: F401  (pyarrow looks for it: no child is to spend its time on that)
import pyarrow.parquet  # noqa: F401

from leadlight.errors import StoreError
from leadlight.store import append, filter_store, merge, open_store, preparing, store_index


def digest(folder: Path) -> str:
    """SHA-256 over every file, without the time in store.json."""
    total = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        if file.name == "store.json":
            description = json.loads(content)
            del description["prepared"]["time"]
            for step in (*description.get("filtered", ()), *description.get("appended", ())):
                del step["time"]
            content = json.dumps(description).encode()
        total.update(file.name.encode() + content)
    return total.hexdigest()


def in_child(action: Any) -> int:
    """Exit status of a child that runs the action."""
    child = os.fork()
    if not child:
        action()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def killed_at(n: int, work: Any) -> Any:
    """An action that does the work and is killed at its n-th step to the disk."""

    def action() -> None:
        count = 0

        def counted(step: Any) -> Any:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal count
                count += 1
                if count == n:
                    os.kill(os.getpid(), signal.SIGKILL)
                return step(*arguments, **named)

            return call

        os.fsync = counted(os.fsync)
        Path.rename = counted(Path.rename)  # type: ignore[method-assign]
        Path.replace = counted(Path.replace)  # type: ignore[method-assign]
        Path.unlink = counted(Path.unlink)  # type: ignore[method-assign]
        work()

    return action


def work_on(what: str, index: Any, old: Path, out: Path) -> Any:
    """What is done to OUT, given the store OLD, which for "overwrite" and "append" OUT is a copy of."""
    if what == "merge":
        return lambda: merge([old, old.with_name("other")], out)
    if what == "filter":
        return lambda: filter_store(old, "fold > 2 and sex = 'male'", out)
    if what == "append":
        return lambda: append(out, [old.with_name("other")])
    return lambda: store_index(index, out, 1, overwrite=what == "overwrite")


def main() -> None:
    """Kill at each step in turn until one run comes through."""
    index, folder, what = pickle.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]), sys.argv[3]
    preparing.plan_shards = lambda n: [(first, min(first + 20, n)) for first in range(0, n, 20)]
    results = []
    for n in range(1, 1000):
        place = folder / str(n)
        place.mkdir()
        out = place / "store"
        if what in ("overwrite", "append"):
            shutil.copytree(folder / "old", out)
        work = work_on(what, index, folder / "old", out)
        came_through = in_child(killed_at(n, work)) == 0
        try:
            state = f"{len(open_store(out))} records"
        except StoreError as error:
            state = str(error)
        if not came_through:
            assert in_child(work) == 0
        left = sorted(file.name for file in place.iterdir())
        results.append({"n": n, "state": state, "left": left, "digest": digest(out)})
        shutil.rmtree(place)
        if came_through:
            break
    print(json.dumps(results))


if __name__ == "__main__":
    main()
