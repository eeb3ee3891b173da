"""Records that are no plain WFDB, and rates below the store's: what the store makes of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from leadlight.datasets import DatasetIndex
from leadlight.errors import StoreError
from leadlight.leads import STANDARD_LEADS
from leadlight.store import store_index
from leadlight.store.converting import UnusableError, read_record

Writer = Callable[..., None]


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """Three tracings of 2,048 samples at 400 Hz, the second padded with zeros at both ends."""
    generator = np.random.default_rng(8)
    tracings = generator.integers(-900, 900, (3, 2048, 12)).astype(np.float32) / 1000
    tracings[:, [0, -1]] = 0.5
    tracings[1, :324] = tracings[1, 1824:] = 0
    with h5py.File(tmp_path / "exams_part0.hdf5", "w") as file:
        file["tracings"] = tracings
        file["exam_id"] = np.arange(3)
    return tmp_path / "exams_part0.hdf5"


def test_a_tracing_of_a_part_is_stored_to_the_microvolt(part: Path) -> None:
    with h5py.File(part) as file:
        expected = np.rint(file["tracings"][2].T.astype(float) * 1000)
    record = read_record(part, 400, 2)
    assert_array_equal(record.counts, expected)
    assert not record.resampled


def test_padding_is_taken_off_before_it_is_resampled(part: Path) -> None:
    record = read_record(part, 100, 1)
    assert record.counts.shape == (12, 1500 // 4)
    assert "zero padding removed: 324 samples before, 224 after" in record.notes
    assert record.notes[-1] == "resampled from 400 to 100 Hz"


def test_padding_of_a_wfdb_record_is_taken_off_where_its_data_set_pads(
    tmp_path: Path, write_wfdb: Writer
) -> None:
    counts = np.random.default_rng(1).integers(1, 900, (12, 400), dtype=np.int16)
    counts[:, :50] = counts[:, 390:] = 0
    write_wfdb(tmp_path / "r", counts)
    assert_array_equal(read_record(tmp_path / "r", 100, zero_padded=True).counts, counts[:, 50:390])
    assert_array_equal(read_record(tmp_path / "r", 100).counts, counts)
    write_wfdb(tmp_path / "z", counts * 0)
    with pytest.raises(UnusableError, match="zeros alone"):
        read_record(tmp_path / "z", 100, zero_padded=True)


@pytest.mark.parametrize(("name", "number", "words"), [("a.h5", None, "no number"), ("a", 3, "number 3 of")])
def test_numbers_belong_to_files_of_many_records(name: str, number: int | None, words: str) -> None:
    with pytest.raises(UnusableError, match=words):
        read_record(Path(name), 100, number)


def test_a_data_set_of_parts_becomes_a_store(index: DatasetIndex, part: Path, tmp_path: Path) -> None:
    entries = [replace(index.entries[n], path=part.name, number=n, same_as=f"code/{n}") for n in range(4)]
    store = store_index(replace(index, root=part.parent, entries=tuple(entries)), tmp_path / "store")
    assert store.lengths.tolist() == [512, 375, 512]
    assert store.index["number"].tolist() == [0, 1, 2]
    assert store.index["same_as"].tolist() == ["code/0", "code/1", "code/2"]
    assert [one["record_id"] for one in store.description["set_aside"]] == ["3"]
    assert store.description["file_sampling_rates"] == {"400": 3}
    os.utime(part, (1, 1))
    with pytest.raises(StoreError, match="size or time of change of the records' files"):
        store_index(replace(index, root=part.parent, entries=tuple(entries)), tmp_path / "store")


def test_a_record_in_segments_is_stored_as_one(tmp_path: Path, write_wfdb: Writer) -> None:
    counts = np.random.default_rng(1).integers(-900, 900, (12, 400), dtype=np.int16)
    write_wfdb(tmp_path / "r_1", counts[:, :250])
    write_wfdb(tmp_path / "r_2", counts[:, 250:])
    (tmp_path / "r.hea").write_text("r/2 12 100 400\nr_1 250\nr_2 150\n")
    assert_array_equal(read_record(tmp_path / "r", 100).counts, counts)


def test_a_lower_rate_is_brought_up_and_said(tmp_path: Path, write_wfdb: Writer) -> None:
    """257 Hz, as in St Petersburg's records, in a store of 500 Hz: a sine stays that sine."""
    seconds = np.arange(257 * 4) / 257
    sine = 1000 * np.sin(2 * np.pi * 10 * seconds)
    write_wfdb(tmp_path / "r", np.tile(np.rint(sine), (12, 1)), rate=257)
    record = read_record(tmp_path / "r", 500)
    assert record.counts.shape == (12, 2000)
    middle = slice(200, 1800)
    expected = 1000 * np.sin(2 * np.pi * 10 * np.arange(2000) / 500)
    assert_allclose(record.counts[3, middle], expected[middle], atol=2)
    assert (record.resampled, record.file_sampling_rate) == (True, 257)
    assert record.notes == ("resampled from 257 to 500 Hz",)


@pytest.mark.real
def test_real_challenge_records_are_stored_as_wfdb_reads_them(real_data: Path) -> None:
    import wfdb

    headers = sorted(real_data.glob("challenge-2021/**/*.hea"))[::30]
    assert headers
    for header in headers:
        expected = wfdb.rdrecord(str(header.with_suffix("")))
        if expected.sig_len > 10_000:
            continue
        names = [name.upper() for name in expected.sig_name]
        order = [names.index(lead.upper()) for lead in STANDARD_LEADS]
        record = read_record(header.with_suffix(""), float(expected.fs))
        assert_allclose(record.counts, 1000 * expected.p_signal.T[order], atol=0.51)
