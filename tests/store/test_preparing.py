"""Preparing a store: the same whatever happens on the way, and never half of one."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from leadlight.datasets import DatasetIndex, SetAside
from leadlight.errors import StoreError
from leadlight.leads import STANDARD_LEADS
from leadlight.store import Store, open_store, store_index

pytestmark = pytest.mark.usefixtures("shards_of_eight")


def content(folder: Path) -> dict[str, bytes]:
    """Every file, store.json without the time at which it was made."""
    files = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
    description = json.loads(files["store.json"])
    del description["prepared"]["time"]
    files["store.json"] = json.dumps(description).encode()
    return files


def test_a_store_holds_every_record_as_it_was(index: DatasetIndex, tmp_path: Path, all_counts) -> None:
    store = store_index(index, tmp_path / "store")
    assert isinstance(store, Store)
    assert_array_equal(store.counts(slice(None)), all_counts)
    assert store.index["record_id"].tolist() == [entry.record_id for entry in index.entries]
    assert store.index["patient_id"].tolist() == [entry.patient_id for entry in index.entries]
    assert store.index["fold"].tolist() == [entry.fold for entry in index.entries]
    assert store.index["age"].tolist() == [entry.age for entry in index.entries]
    assert store.index["sex"].tolist() == [entry.sex for entry in index.entries]
    assert store.index["quality"].tolist() == [dict(entry.quality) for entry in index.entries]
    assert store.index["source_path"].tolist() == [entry.path for entry in index.entries]
    assert store.statements(slice(None)) == [entry.statements for entry in index.entries]


def test_only_the_files_of_a_store_are_left(index: DatasetIndex, tmp_path: Path) -> None:
    store_index(index, tmp_path / "store")
    shards = [f"signals-0000{number}.npy" for number in range(5)]
    assert sorted(file.name for file in (tmp_path / "store").iterdir()) == [
        "index.parquet", *shards, "store.json",
    ]  # fmt: skip
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "store"]


def test_shards_are_plain_numpy_files(index: DatasetIndex, tmp_path: Path, all_counts) -> None:
    store_index(index, tmp_path / "store")
    first = np.load(tmp_path / "store" / "signals-00000.npy")
    assert first.dtype == np.int16
    assert_array_equal(first, all_counts[:8].ravel())


def test_the_description_says_what_is_in_the_store(index: DatasetIndex, tmp_path: Path) -> None:
    index = replace(index, set_aside=(SetAside("99", "no file"),))
    description = store_index(index, tmp_path / "store").description
    assert description["schema_version"] == 2
    assert (description["dataset"], description["dataset_version"]) == ("made", "1.0")
    assert description["sampling_rate"] == 100
    assert description["leads"] == list(STANDARD_LEADS)
    assert description["counts_per_millivolt"] == 1000
    assert description["missing_sample"] == -32768
    assert (description["records"], description["patients"], description["n_samples"]) == (40, 20, 150)
    assert description["records_per_fold"] == {str(fold): 4 for fold in range(1, 11)}
    assert description["set_aside"] == [{"record_id": "99", "reason": "no file"}]
    assert description["notes"] == ["for tests"]
    assert description["source"] == {"folder": "data"}
    assert str(tmp_path) not in json.dumps(description)


def test_any_number_of_workers_writes_the_same_bytes(index: DatasetIndex, tmp_path: Path) -> None:
    for workers in (1, 2):
        store_index(index, tmp_path / f"by-{workers}", workers)
    assert content(tmp_path / "by-1") == content(tmp_path / "by-2")


def test_unusable_records_are_set_aside_and_the_job_goes_on(
    index: DatasetIndex, tmp_path: Path, all_counts, write_wfdb: Callable[..., None]
) -> None:
    paths = [index.root / entry.path for entry in index.entries]
    data = paths[3].with_suffix(".dat")
    data.write_bytes(data.read_bytes()[:-2])
    paths[9].with_suffix(".hea").unlink()
    paths[10].with_suffix(".hea").write_text("nonsense\n")
    data = paths[20].with_suffix(".dat")
    data.write_bytes(b"\0\0" + data.read_bytes()[2:])
    write_wfdb(paths[30], all_counts[30, :6], leads=("I", "II", "III", "aVR", "aVL", "aVF"))
    store = store_index(index, tmp_path / "store")
    reasons = {one["record_id"]: one["reason"] for one in store.description["set_aside"]}
    assert list(reasons) == ["3", "9", "10", "20", "30"]
    assert "size: found 3,598 bytes; accepted: 3,600 bytes" in reasons["3"]
    assert "checksum" in reasons["20"]
    assert "lacks V1, V2, V3, V4, V5, V6" in reasons["30"]
    assert str(tmp_path) not in json.dumps(reasons)
    kept = [number for number in range(40) if str(number) not in reasons]
    assert_array_equal(store.counts(slice(None)), all_counts[kept])
    assert len(store) == 35


def test_where_nothing_can_be_stored_there_is_no_store(index: DatasetIndex, tmp_path: Path) -> None:
    for entry in index.entries:
        (index.root / entry.path).with_suffix(".dat").unlink()
    with pytest.raises(StoreError, match=r"none of 40 records could be stored: .*no such file"):
        store_index(index, tmp_path / "store")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data"]


def test_records_of_different_lengths_lie_in_one_store(
    index: DatasetIndex, tmp_path: Path, all_counts, write_wfdb: Callable[..., None]
) -> None:
    for number in (0, 7, 8, 39):
        write_wfdb(index.root / index.entries[number].path, all_counts[number, :, : 50 + number])
    store = store_index(index, tmp_path / "store")
    assert store.description["n_samples"] is None
    for number in range(40):
        length = 50 + number if number in (0, 7, 8, 39) else 150
        assert_array_equal(store.counts([number])[0], all_counts[number, :, :length])


def test_the_same_request_finds_the_store_already_there(index: DatasetIndex, tmp_path: Path) -> None:
    store_index(index, tmp_path / "store")
    before = (tmp_path / "store" / "store.json").stat()
    again = store_index(index, tmp_path / "store")
    assert len(again) == 40
    assert (tmp_path / "store" / "store.json").stat() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sampling_rate": 50.0}, "sampling rate: 100.0 where 50.0 is asked for"),
        ({"dataset": "other"}, "dataset: made where other is asked for"),
        ({"version": "2.0"}, "dataset version: 1.0 where 2.0 is asked for"),
        ({"notes": ()}, "the records, or what is said of them"),
    ],
)
def test_another_request_is_refused_with_what_differs(
    index: DatasetIndex, tmp_path: Path, change: dict, words: str
) -> None:
    store_index(index, tmp_path / "store")
    with pytest.raises(StoreError, match=f"{words}. Add --overwrite"):
        store_index(replace(index, **change), tmp_path / "store")
    assert len(open_store(tmp_path / "store")) == 40


def test_a_changed_file_makes_another_request(
    index: DatasetIndex, tmp_path: Path, all_counts, write_wfdb: Callable[..., None]
) -> None:
    store_index(index, tmp_path / "store")
    write_wfdb(index.root / index.entries[5].path, all_counts[5, :, :100])
    with pytest.raises(StoreError, match="size or time of change of the records' files"):
        store_index(index, tmp_path / "store")


def test_overwrite_replaces_a_store_and_leaves_nothing_behind(index: DatasetIndex, tmp_path: Path) -> None:
    store_index(index, tmp_path / "store")
    store = store_index(replace(index, entries=index.entries[:10]), tmp_path / "store", overwrite=True)
    assert len(store) == 10
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "store"]
    assert not (tmp_path / "store" / "signals-00002.npy").exists()


def test_what_is_not_a_store_is_never_overwritten(index: DatasetIndex, tmp_path: Path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter-1.txt").write_text("precious")
    for out in (folder, folder / "chapter-1.txt"):
        with pytest.raises(StoreError, match="not a prepared store"):
            store_index(index, out, overwrite=True)
    assert (folder / "chapter-1.txt").read_text() == "precious"


def test_an_empty_folder_is_a_good_place(index: DatasetIndex, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    assert len(store_index(index, tmp_path / "store")) == 40


def test_finished_shards_are_used_again_after_a_kill(index: DatasetIndex, tmp_path: Path) -> None:
    stopped_after(24, index, tmp_path / "store")
    finished = tmp_path / "store.preparing" / "signals-00001.npy"
    before = finished.stat()
    seen: list[tuple[int, int, str]] = []
    store_index(index, tmp_path / "store", 1, lambda *told: seen.append(told))
    after = (tmp_path / "store" / "signals-00001.npy").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert seen[0] == (24, 40, "24 done before")
    assert seen[-1][:2] == (40, 40)


def test_shards_of_another_request_are_not_used(index: DatasetIndex, tmp_path: Path, all_counts) -> None:
    stopped_after(24, index, tmp_path / "store")
    seen: list[int] = []
    turned = replace(index, entries=index.entries[::-1])
    store = store_index(turned, tmp_path / "store", 1, lambda done, total, message: seen.append(done))
    assert seen[0] == 0
    assert_array_equal(store.counts(slice(None)), all_counts[::-1])


def test_a_shard_that_was_cut_short_is_written_again(index: DatasetIndex, tmp_path: Path, all_counts) -> None:
    stopped_after(24, index, tmp_path / "store")
    shard = tmp_path / "store.preparing" / "signals-00000.npy"
    shard.write_bytes(shard.read_bytes()[:-1])
    assert_array_equal(store_index(index, tmp_path / "store").counts(slice(None)), all_counts)


def test_an_unfinished_store_is_refused_with_the_command_that_continues(
    index: DatasetIndex, tmp_path: Path
) -> None:
    stopped_after(16, index, tmp_path / "store")
    for path in (tmp_path / "store", tmp_path / "store.preparing"):
        with pytest.raises(StoreError, match=r"not finished: 2 parts are done.*leadlight prepare") as caught:
            open_store(path)
        assert f"--out {tmp_path / 'store'}" in str(caught.value)


def test_progress_reaches_the_total(index: DatasetIndex, tmp_path: Path) -> None:
    for workers in (1, 2):
        seen: list[tuple[int, int]] = []
        store_index(index, tmp_path / f"{workers}", workers, lambda d, t, m, seen=seen: seen.append((d, t)))
        assert seen[0] == (0, 40)
        assert seen[-1] == (40, 40)
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_two_writers_of_one_target_are_kept_apart(index: DatasetIndex, tmp_path: Path) -> None:
    (tmp_path / "store.preparing").mkdir()
    with (tmp_path / "store.preparing" / "lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another process is preparing this store"):
            store_index(index, tmp_path / "store")
    assert len(store_index(index, tmp_path / "store")) == 40


def test_a_worker_that_dies_is_reported_and_the_work_done_is_kept(
    index: DatasetIndex, tmp_path: Path, all_counts
) -> None:
    def kill_the_workers(done: int, total: int, message: str) -> None:
        if done:
            for child in multiprocessing.active_children():
                os.kill(child.pid or 0, signal.SIGKILL)

    many = replace(index, entries=index.entries * 20)
    with pytest.raises(StoreError, match=r"a worker process ended unexpectedly.*run the same call again"):
        store_index(many, tmp_path / "store", 2, kill_the_workers)
    with pytest.raises(StoreError, match="not finished"):
        open_store(tmp_path / "store")
    store = store_index(many, tmp_path / "store", 1)
    assert_array_equal(store.counts(slice(None)), np.tile(all_counts, (20, 1, 1)))


def test_workers_below_one_are_refused(index: DatasetIndex, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="workers: found 0"):
        store_index(index, tmp_path / "store", 0)


class Stopped(BaseException):
    """In place of a kill, where the process that is killed would be the test's own."""


def stopped_after(n: int, index: DatasetIndex, out: Path) -> None:
    def stop(done: int, total: int, message: str) -> None:
        if done >= n:
            raise Stopped

    with pytest.raises(Stopped):
        store_index(index, out, 1, stop)


def test_a_data_sets_own_columns_stand_in_the_index(index: DatasetIndex, tmp_path: Path) -> None:
    own = [{"qrs_ms": 80.5 + n, "cart": f"c{n % 3}"} for n in range(40)]
    own[4] = {"qrs_ms": None}  # type: ignore[dict-item]
    entries = [replace(entry, columns=values) for entry, values in zip(index.entries, own, strict=True)]
    described = replace(
        index,
        entries=tuple(entries),
        columns={"qrs_ms": "number", "cart": "text"},
        label_columns=("AF", "LBBB"),
    )
    store = store_index(described, tmp_path / "store")
    table = store.columns("cart", "qrs_ms")
    assert table["qrs_ms"].to_pylist() == [values["qrs_ms"] for values in own]
    assert table["cart"].to_pylist() == [values.get("cart") for values in own]
    assert store.index.columns.tolist()[-2:] == ["qrs_ms", "cart"]
    assert store.description["columns"] == {"qrs_ms": "number", "cart": "text"}
    assert store.description["label_columns"] == ["AF", "LBBB"]
    assert store.description["sources"] == {"made for tests": 40}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"age": "number", "x": "text"}, "found the column age, a name that every store's index uses"),
        ({"x": "date"}, "found the column 'x' of kind 'date'; accepted: a name, and number or text"),
        ({"": "text"}, "found the column ''"),
    ],
)
def test_columns_that_an_index_cannot_hold_are_refused(
    index: DatasetIndex, tmp_path: Path, columns: dict, words: str
) -> None:
    with pytest.raises(StoreError, match=words):
        store_index(replace(index, columns=columns), tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_the_quality_of_each_lead_stands_in_the_index(
    index: DatasetIndex, tmp_path: Path, write_wfdb: Callable[..., None]
) -> None:
    generator = np.random.default_rng(6)
    smooth = 800 * np.sin(np.arange(600) / 9 + generator.uniform(0, 6, (12, 1)))
    entries = index.entries[:10]
    for number, entry in enumerate(entries):
        counts = smooth.round().astype(np.int16)
        if number == 3:
            counts[1], counts[5, 100:200] = 17, -32768
        write_wfdb(index.root / entry.path, counts)
    store = store_index(replace(index, entries=entries), tmp_path / "store")
    flat = [list(leads) for leads in store.index["flat_leads"]]
    missing = [list(leads) for leads in store.index["missing_leads"]]
    assert flat == [["II"] if number == 3 else [] for number in range(10)]
    assert missing == [["aVF"] if number == 3 else [] for number in range(10)]
    assert [leads is None for leads in store.index["mains_leads"]] == [True] * 10  # 100 Hz hides mains


def test_an_engine_that_is_not_known_is_refused(index: DatasetIndex, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="engine: found 'dask'; accepted: processes, ray"):
        store_index(index, tmp_path / "store", engine="dask")
    with pytest.raises(StoreError, match=r"address: found '10\.0\.0\.1:6379' with engine"):
        store_index(index, tmp_path / "store", address="10.0.0.1:6379")
