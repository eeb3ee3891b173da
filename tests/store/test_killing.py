"""SIGKILL at every step of preparing: never half a store, and in the end the same one."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from leadlight.datasets import DatasetIndex
from leadlight.errors import StoreError
from leadlight.store import open_store, store_index

SCRIPT = Path(__file__).with_name("kill_at_each_write.py")


def killed_everywhere(index: DatasetIndex, folder: Path, *arguments: str) -> list[dict]:
    (folder / "index.pickle").write_bytes(pickle.dumps(index))
    (folder / "work").mkdir(exist_ok=True)
    command = [sys.executable, str(SCRIPT), str(folder / "index.pickle"), str(folder / "work"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_killed_at_any_step_it_leaves_no_half_store_and_resumes_to_the_same_bytes(
    index: DatasetIndex, tmp_path: Path
) -> None:
    results = killed_everywhere(index, tmp_path, "fresh")
    assert len(results) > 20  # steps that reach the disk
    for result in results:
        assert "not finished" in result["state"] or "no such folder" in result["state"] or (
            result["state"] == "40 records"
        ), result  # fmt: skip
    assert {result["digest"] for result in results} == {results[-1]["digest"]}
    assert all(result["left"] == ["store"] for result in results)


def test_killed_while_it_replaces_a_store_it_loses_neither(index: DatasetIndex, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    store_index(replace(index, entries=index.entries[:5]), tmp_path / "work" / "old")
    results = killed_everywhere(index, tmp_path, "overwrite")
    states = [result["state"] for result in results]
    # The old store until the new one is whole; in the one moment between, the new one is one call away.
    between = [state for state in states if state not in ("5 records", "40 records")]
    assert len(between) <= 2
    assert all("not finished" in state for state in between)
    assert {result["digest"] for result in results} == {results[-1]["digest"]}
    assert all(result["left"] == ["store"] for result in results)


@pytest.mark.parametrize(("what", "before", "after"), [
    ("merge", ("no such folder", "not finished"), "40 records"),
    ("filter", ("no such folder", "not finished"), "16 records"),
    ("append", ("25 records",), "40 records"),
])  # fmt: skip
def test_killed_while_it_copies_records_it_leaves_no_half_store(
    index: DatasetIndex, tmp_path: Path, what: str, before: tuple[str, ...], after: str
) -> None:
    """Of an append, the store is the old one or the new one at every step."""
    (tmp_path / "work").mkdir()
    first = index.entries if what == "filter" else index.entries[:25]
    store_index(replace(index, entries=first), tmp_path / "work" / "old", 1)
    store_index(replace(index, entries=index.entries[20:]), tmp_path / "work" / "other", 1)
    results = killed_everywhere(index, tmp_path, what)
    assert len(results) > 10
    for result in results:
        assert result["state"] == after or any(words in result["state"] for words in before), result
    states = [result["state"] == after for result in results]
    assert states == sorted(states) and len({*states}) == 2  # the new one, once it is there, stays
    assert {result["digest"] for result in results} == {results[-1]["digest"]}
    assert all(result["left"] == ["store"] for result in results)


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_any_moment_it_resumes_to_the_same_bytes(
    index: DatasetIndex, tmp_path: Path, workers: int
) -> None:
    """By the clock, from outside, with workers that must not outlive their parent."""
    many = replace(index, entries=index.entries * 50)  # eight shards of 256
    reference = store_index(many, tmp_path / "reference", 1)
    (tmp_path / "index.pickle").write_bytes(pickle.dumps(many))
    program = (
        "import pickle, sys, pathlib\n"
        "from leadlight.store import store_index\n"
        "def main():\n"
        "    index = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "    store_index(index, pathlib.Path(sys.argv[2]), int(sys.argv[3]))\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    )
    (tmp_path / "program.py").write_text(program)
    out, workspace = tmp_path / "store", tmp_path / "store.preparing"
    command = [sys.executable, *map(str, (tmp_path / "program.py", tmp_path / "index.pickle", out, workers))]
    process = subprocess.Popen(command)
    while not list(workspace.glob("signals-*.json")):
        assert process.poll() is None
        time.sleep(0.002)
    children = children_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if not out.exists():
        with pytest.raises(StoreError, match="not finished"):
            open_store(out)
    until = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() and is_alive(child) for child in children):
        assert time.monotonic() < until, "a worker outlived its parent"
        time.sleep(0.05)
    store = store_index(many, out, workers)
    assert store.description["shards"] == reference.description["shards"]
    assert store.description["index"] == reference.description["index"]


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        pytest.skip("needs /proc to see the workers")


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")
