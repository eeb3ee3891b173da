"""Preparing on a Ray cluster: the same bytes, whoever dies on the way."""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from leadlight.cli.app import app, main
from leadlight.datasets import DatasetIndex
from leadlight.errors import StoreError
from leadlight.store import cluster, open_store, prepare, store_index
from leadlight.store.shards import ShardTask, write_shard

pytest.importorskip("ray")


def content(folder: Path) -> dict[str, bytes]:
    """Every file, store.json without the time at which it was made."""
    files = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
    description = json.loads(files["store.json"])
    del description["prepared"]["time"]
    files["store.json"] = json.dumps(description).encode()
    return files


def test_a_cluster_of_this_machine_writes_the_same_bytes(
    index: DatasetIndex, tmp_path: Path, shards_of_eight: None, capfd: pytest.CaptureFixture[str]
) -> None:
    data = index.root / index.entries[9].path
    data.with_suffix(".dat").write_bytes(b"short")
    seen: list[tuple[int, int]] = []
    store_index(index, tmp_path / "by-processes", 1)
    store_index(index, tmp_path / "by-ray", 2, lambda d, t, m: seen.append((d, t)), engine="ray")
    assert content(tmp_path / "by-ray") == content(tmp_path / "by-processes")
    assert seen[0] == (0, 40)
    assert seen[-1] == (40, 40)
    assert sorted(seen) == seen
    assert sorted(file.name for file in tmp_path.iterdir()) == ["by-processes", "by-ray", "data"]
    told = capfd.readouterr()
    assert told.out + told.err == ""  # Ray keeps its logs to itself


def test_without_ray_the_extra_is_named(
    index: DatasetIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(StoreError, match=r"pip install 'leadlight\[ray\]'"):
        store_index(index, tmp_path / "store", engine="ray")


def test_a_machine_that_sees_other_files_is_told_what_it_lacks(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(cluster, "_JOIN_SECONDS", 0.5)
    (tmp_path / "claim").touch()
    assert cluster._look_around(tmp_path / "claim", tmp_path) == []
    elsewhere = cluster._look_around(tmp_path / "store" / "claim", tmp_path / "data", "0.0.1")
    assert elsewhere[:2] == [f"does not see {tmp_path / 'store'}", f"does not see {tmp_path / 'data'}"]
    assert elsewhere[2].startswith("has Leadlight ")


def test_a_shard_is_not_kept_once_another_call_has_taken_over(index: DatasetIndex, tmp_path: Path) -> None:
    task = ShardTask(tmp_path, 0, 0, index.entries[:3], index.root, 100.0, claim="claim-a")
    with pytest.raises(StoreError, match="another call has taken this store over"):
        write_shard(task)
    assert [file.name for file in tmp_path.iterdir()] == ["data"]
    (tmp_path / "claim-a").touch()
    assert write_shard(task) == 3
    assert (tmp_path / "signals-00000.npy").is_file()


@pytest.mark.parametrize(
    "arguments", [["--engine", "dask"], ["--address", "10.0.0.1:6379"], ["--engine", "Ray"]]
)
def test_wrong_engines_are_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    command = ["prepare", "ptb-xl", str(tmp_path), "--out", str(tmp_path / "store"), *arguments]
    assert CliRunner().invoke(app, command).exit_code == 2


@pytest.fixture
def two_nodes() -> Iterator[Any]:
    """A Ray cluster of two nodes, each with its own daemons, on this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    memory = 128 * 2**20
    nodes = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": memory, "include_dashboard": False},
    )
    nodes.add_node(num_cpus=1, object_store_memory=memory)
    yield nodes
    nodes.shutdown()


def workers_writing() -> list[int]:
    """Process ids of Ray workers that write a shard and descend from this process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"_write_one" in title and os.getpid() in ancestors(int(folder.name)):
            found.append(int(folder.name))
    return found


def ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return
        yield pid


@pytest.mark.slow
def test_a_worker_and_a_node_may_die(index: DatasetIndex, tmp_path: Path, two_nodes: Any) -> None:
    many = replace(index, entries=index.entries * 500)  # 64 shards
    store_index(many, tmp_path / "by-processes", 1)
    nodes = sorted(two_nodes.list_all_nodes(), key=lambda node: node.head)
    killed: list[str] = []

    def kill(done: int, total: int, message: str) -> None:
        if done > total / 20 and not killed and (writing := workers_writing()):
            os.kill(writing[0], signal.SIGKILL)
            killed.append("worker")
        elif done > total / 3 and len(killed) == 1:
            two_nodes.remove_node(nodes[0], allow_graceful=False)
            killed.append("node")

    store_index(many, tmp_path / "by-ray", None, kill, engine="ray", address=two_nodes.address)
    assert killed == ["worker", "node"]
    assert content(tmp_path / "by-ray") == content(tmp_path / "by-processes")


PROGRAM = """
import pickle, sys, pathlib
from leadlight.store import store_index
if __name__ == "__main__":
    index = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())
    store_index(index, pathlib.Path(sys.argv[2]), engine="ray", address=sys.argv[3])
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["ray", "processes"])
def test_after_the_drivers_death_the_same_call_goes_on(
    index: DatasetIndex, tmp_path: Path, two_nodes: Any, engine: str
) -> None:
    many = replace(index, entries=index.entries * 500)
    store_index(many, tmp_path / "by-processes", 1)
    (tmp_path / "index.pickle").write_bytes(pickle.dumps(many))
    (tmp_path / "program.py").write_text(PROGRAM)
    out, workspace = tmp_path / "store", tmp_path / "store.preparing"
    process = subprocess.Popen(
        [
            sys.executable,
            *map(str, (tmp_path / "program.py", tmp_path / "index.pickle", out)),
            two_nodes.address,
        ]
    )
    while len(list(workspace.glob("signals-*.json"))) < 5:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with pytest.raises(StoreError, match="not finished"):
        open_store(out)
    first: list[int] = []
    given: dict[str, Any] = {"engine": "ray", "address": two_nodes.address} if engine == "ray" else {}
    store_index(many, out, 2, lambda done, total, message: first.append(done), **given)
    assert first[0] >= 5 * 256
    assert content(out) == content(tmp_path / "by-processes")


@pytest.mark.slow
def test_machines_that_do_not_see_the_files_are_named(
    index: DatasetIndex, tmp_path: Path, two_nodes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(claim: Path, root: Path) -> list[str]:
        return [f"does not see {root}"]

    look: Callable[..., list[str]] = blind
    monkeypatch.setattr(cluster, "_look_around", look)
    with pytest.raises(StoreError, match=r"cannot take part: .*does not see .*data.*a shared file system"):
        store_index(index, tmp_path / "store", engine="ray", address=two_nodes.address)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:10001", "nonsense", "127.0.0.1:99999"])
def test_no_cluster_at_an_address_is_said(index: DatasetIndex, tmp_path: Path, address: str) -> None:
    with pytest.raises(StoreError, match=rf"found no Ray cluster at {address} .*ray start --head"):
        store_index(index, tmp_path / "store", engine="ray", address=address)


@pytest.fixture
def another_server() -> Iterator[Callable[[bytes], str]]:
    """Starts a server that says something to whoever calls, or nothing, and gives its address."""
    listening: list[socket.socket] = []
    called: list[socket.socket] = []

    def answer(server: socket.socket, words: bytes) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            called.append(connection)
            if words:
                connection.sendall(words)

    def start(words: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)
        threading.Thread(target=answer, args=(server, words), daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    for one in listening:
        one.shutdown(socket.SHUT_RDWR)
    for one in (*listening, *called):
        one.close()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (b"", "timed out"),
        (b"-ERR unknown command\r\n", "another server"),
        (b"HTTP/1.1 400 Bad", "another server"),
    ],
)
def test_what_is_no_ray_cluster_is_told_before_the_index_is_read(
    tmp_path: Path,
    another_server: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
    words: bytes,
    told: str,
) -> None:
    monkeypatch.setattr(cluster, "_ANSWER_SECONDS", 1.0)
    address = another_server(words)
    began = time.monotonic()
    with pytest.raises(StoreError, match=f"found no Ray cluster at {address} .{told}"):
        prepare("ptb-xl", tmp_path / "absent", tmp_path / "store", engine="ray", address=address)
    assert time.monotonic() - began < 5


def test_the_command_without_ray_ends_with_one_line(
    tmp_path: Path, tiny_ptbxl: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    out = tmp_path / "store"
    monkeypatch.setattr(
        sys, "argv", ["leadlight", "prepare", "ptb-xl", str(tiny_ptbxl), "--out", str(out), "--engine", "ray"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "pip install 'leadlight[ray]'" in " ".join(told.split())
    assert "Traceback" not in told
    assert not out.exists()
