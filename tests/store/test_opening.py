"""The store of a folder: opened, or prepared into the cache the first time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from leadlight.cache import cache_folder
from leadlight.errors import DatasetError, StoreError
from leadlight.store import open_or_prepare, open_store, prepare


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLIGHT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_data_set_is_prepared_into_the_cache_once(tiny_ptbxl: Path, cache: Path) -> None:
    told: list[str] = []
    store = open_or_prepare(tiny_ptbxl, 100, lambda done, total, message: told.append(message))
    assert store.path.parent == cache / "stores"
    assert store.path.name.startswith("ptb-xl-100hz-")
    assert told[0] == f"preparing into {store.path}"
    made = (store.path / "store.json").stat()
    again = open_or_prepare(tiny_ptbxl, 100)
    assert again.path == store.path
    assert (again.path / "store.json").stat() == made


def test_each_rate_and_each_copy_of_the_data_has_its_own_store(tiny_ptbxl: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_ptbxl, tmp_path / "copy")
    stores = [open_or_prepare(tiny_ptbxl, 100), open_or_prepare(tmp_path / "copy", 100)]
    stores.append(open_or_prepare(tiny_ptbxl, 250))
    assert len({store.path for store in stores}) == 3
    assert [store.sampling_rate for store in stores] == [100, 100, 250]


def test_changed_records_are_prepared_again(tiny_ptbxl: Path, write_wfdb: Callable[..., None]) -> None:
    before = open_or_prepare(tiny_ptbxl, 100)
    write_wfdb(tiny_ptbxl / "records100/00000/00001_lr", np.full((12, 100), 7))
    after = open_or_prepare(tiny_ptbxl, 100)
    assert after.path != before.path
    assert after.counts(0).max() == 7


def test_a_store_is_opened_where_it_lies(tiny_ptbxl: Path, tmp_path: Path, cache: Path) -> None:
    prepare("ptb-xl", tiny_ptbxl, tmp_path / "store")
    assert open_or_prepare(tmp_path / "store", 100).path == tmp_path / "store"
    assert not cache.exists()


def test_a_store_of_another_rate_is_refused(tiny_ptbxl: Path, tmp_path: Path) -> None:
    prepare("ptb-xl", tiny_ptbxl, tmp_path / "store")
    with pytest.raises(StoreError, match=r"found a store at 100 Hz; 500 Hz is needed.*--sampling-rate 500"):
        open_or_prepare(tmp_path / "store", 500)


def test_a_folder_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such folder"):
        open_or_prepare(tmp_path / "nowhere", 100)
    (tmp_path / "other").mkdir()
    with pytest.raises(DatasetError, match="no data set that Leadlight knows"):
        open_or_prepare(tmp_path / "other", 100)


def test_without_100_hz_files_the_500_hz_files_are_resampled_and_it_is_said(
    tiny_ptbxl: Path, tmp_path: Path
) -> None:
    shutil.rmtree(tiny_ptbxl / "records100")
    store = prepare("ptb-xl", tiny_ptbxl, tmp_path / "store")
    assert store.description["records_resampled"] == len(store) == 6
    assert store.description["n_samples"] == 100
    assert store.index["file_sampling_rate"].tolist() == [500.0] * 6
    assert "resampled from 500 to 100 Hz" in store.recording("1").notes


def test_a_store_of_a_part_says_what_is_missing(tiny_ptbxl: Path, tmp_path: Path) -> None:
    for folder, kind in (("records100", "lr"), ("records500", "hr")):
        (tiny_ptbxl / folder / "00000" / f"00004_{kind}.dat").unlink()
    store = prepare("ptb-xl", tiny_ptbxl, tmp_path / "store")
    assert [one["record_id"] for one in store.description["set_aside"]] == ["4"]
    assert store.index["record_id"].tolist() == ["1", "2", "3", "5", "6"]


def test_the_cache_lies_where_the_environment_says(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == cache
    monkeypatch.delenv("LEADLIGHT_CACHE")
    assert cache_folder().name == "leadlight"
    assert not cache.exists()


def test_an_unfinished_store_is_said(tmp_path: Path) -> None:
    (tmp_path / "store.preparing").mkdir()
    (tmp_path / "store.preparing" / "request.json").write_text("{}")
    for path in (tmp_path / "store", tmp_path / "store.preparing"):
        with pytest.raises(StoreError, match="not finished"):
            open_or_prepare(path, 100)
    with pytest.raises(StoreError, match="not finished"):
        open_store(tmp_path / "store")
