"""Tracings of CODE's HDF5 parts: what is read, what is taken off, and what is refused unread."""

from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadlight.errors import FileFormatError
from leadlight.files.code_hdf5 import CodePart, read_tracing
from leadlight.files.padding import zero_padding
from leadlight.leads import STANDARD_LEADS


def tracing(seed: int, before: int = 0, after: int = 0, n_samples: int = 4096) -> np.ndarray:
    """Millivolts, float32 (samples, 12), never zero between the padding."""
    values = np.random.default_rng(seed).uniform(0.1, 2.0, (n_samples, 12)).astype(np.float32)
    values[:before] = 0
    values[n_samples - after :] = 0
    return values


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """Four rows: 10.24 s, 7.335 s in the middle of zeros, cut short at the end only, and zeros alone."""
    path = tmp_path / "exams_part0.hdf5"
    rows = np.stack([tracing(1), tracing(2, 581, 581), tracing(3, 0, 96), np.zeros((4096, 12), np.float32)])
    with h5py.File(path, "w") as file:
        file["tracings"] = rows
        file["exam_id"] = np.array([1169160, 2873686, 168405, 0])
    return path


def write(path: Path, tracings: object = None, **options: object) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("tracings", data=tracings, **options)
    return path


# What is read


def test_a_row_becomes_a_recording_in_millivolts_at_400_hz(part):
    recording = read_tracing(part, 0)
    assert recording.leads == STANDARD_LEADS and recording.sampling_rate == 400
    assert recording.signal.dtype == np.float32 and not recording.signal.flags.writeable
    np.testing.assert_array_equal(recording.signal, tracing(1).T)
    assert recording.notes == ("no unit in the file, read as millivolts",)
    assert recording.source.endswith("exams_part0.hdf5, row 0")


def test_the_columns_are_the_leads_in_code_s_order(tmp_path):
    recording = read_tracing(write(tmp_path / "a.hdf5", np.tile(np.arange(1.0, 13), (1, 50, 1))), 0)
    named = ["DI", "DII", "DIII", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    assert [recording[lead][0] for lead in named] == list(range(1, 13))


def test_zero_padding_is_removed_at_both_ends_and_said_so(part):
    recording = read_tracing(part, 1)
    np.testing.assert_array_equal(recording.signal, tracing(2).T[:, 581:-581])
    assert recording.duration == pytest.approx(7.335)
    assert "zero padding removed: 581 samples before, 581 after" in recording.notes


def test_padding_at_one_end_is_removed_alone(part):
    assert "zero padding removed: 0 samples before, 96 after" in read_tracing(part, 2).notes


def test_zeros_inside_and_zeros_in_some_leads_alone_are_kept(tmp_path):
    values = tracing(4)
    values[2000:2100] = 0
    values[:50, :11] = 0
    recording = read_tracing(write(tmp_path / "a.hdf5", values[None]), 0)
    np.testing.assert_array_equal(recording.signal, values.T)


def test_a_row_of_zeros_alone_is_refused(part):
    with pytest.raises(FileFormatError, match=r"tracings, row 3: found zeros alone; accepted: a tracing"):
        read_tracing(part, 3)


@pytest.mark.parametrize("number", [-1, 4, 10**12])
def test_a_row_that_is_not_there_is_refused(part, number):
    with pytest.raises(FileFormatError, match=r"accepted: 0 to 3"):
        read_tracing(part, number)


def test_many_rows_are_read_in_the_order_asked_for(part):
    got = list(CodePart(part).tracings([2, 0, 1, 1]))
    for recording, number in zip(got, [2, 0, 1, 1], strict=True):
        np.testing.assert_array_equal(recording.signal, read_tracing(part, number).signal)
        assert recording.notes == read_tracing(part, number).notes


def test_exam_ids_are_read_row_by_row(part):
    ids = CodePart(part).exam_ids()
    assert ids.dtype == np.int64 and ids.tolist() == [1169160, 2873686, 168405, 0]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (1, 4096, 12), "compression": "gzip"},
        {"chunks": (3, 512, 1), "compression": "lzf", "shuffle": True, "fletcher32": True},
    ],
)
@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", "<f2"])
def test_every_way_to_store_floats_gives_the_same_numbers(tmp_path, options, kind):
    rows = np.stack([tracing(seed) for seed in range(5)]).astype(kind)
    path = write(tmp_path / "a.hdf5", rows, **options)
    for number in (0, 4, 2):
        np.testing.assert_array_equal(read_tracing(path, number).signal, rows[number].T.astype(np.float32))


def test_missing_samples_stay_missing_and_are_counted(tmp_path):
    values = tracing(5)
    values[10:13, 0] = np.nan
    recording = read_tracing(write(tmp_path / "a.hdf5", values[None]), 0)
    assert recording.missing == {"I": 3} and "missing samples: I 3" in recording.notes


def test_a_file_that_was_replaced_is_read_anew(tmp_path):
    path = write(tmp_path / "a.hdf5", tracing(1)[None])
    read_tracing(path, 0)
    write(tmp_path / "b.hdf5", tracing(2)[None]).replace(path)
    np.testing.assert_array_equal(read_tracing(path, 0).signal, tracing(2).T)


def test_rows_in_order_are_unpacked_once(tmp_path, monkeypatch):
    # 8 rows to a chunk: without a cache that holds them, each row would unpack its neighbours again.
    rows = np.stack([tracing(seed) for seed in range(16)])
    path = write(tmp_path / "a.hdf5", rows, chunks=(8, 256, 1), compression="gzip")
    part = CodePart(path)
    slots, size, _ = part._tracings.id.get_access_plist().get_chunk_cache()
    assert slots > 16 * 12 and size >= 16 * 12 * (8 * 256 * 4)


# What is refused


def test_what_is_no_hdf5_file_is_refused(tmp_path):
    (tmp_path / "a.hdf5").write_bytes(b"exam_id,age\n" * 100)
    with pytest.raises(FileFormatError, match="no HDF5 signature"):
        read_tracing(tmp_path / "a.hdf5", 0)
    with pytest.raises(FileFormatError, match="not a plain file"):
        read_tracing(tmp_path, 0)
    with pytest.raises(FileFormatError, match="no such file"):
        read_tracing(tmp_path / "none.hdf5", 0)
    with pytest.raises(FileFormatError, match="cannot be opened"):
        read_tracing("a\0b.hdf5", 0)


def test_a_file_that_is_cut_short_is_refused(part):
    whole = part.read_bytes()
    for length in (8, 100, 800, 5_000, len(whole) // 2, len(whole) - 1):
        part.write_bytes(whole[:length])
        with pytest.raises(FileFormatError, match=r"damage|no such data set|bytes"):
            CodePart(part)


def test_a_file_without_tracings_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["signals"] = np.zeros((1, 4096, 12))
    with pytest.raises(FileFormatError, match="tracings: found no such data set"):
        read_tracing(tmp_path / "a.hdf5", 0)


@pytest.mark.parametrize(
    "shape", [(4096, 12), (2, 12, 4096), (2, 4096, 8), (2, 0, 12), (1, 100_001, 12), (12,)]
)
def test_another_shape_is_refused(tmp_path, shape):
    with pytest.raises(FileFormatError, match="tracings, shape"):
        read_tracing(write(tmp_path / "a.hdf5", np.ones(shape, np.float32)), 0)


@pytest.mark.parametrize("kind", ["i2", "i4", "c8", "S4", "g", "?"])
def test_another_type_is_refused(tmp_path, kind):
    with pytest.raises(FileFormatError, match="tracings, type"):
        read_tracing(write(tmp_path / "a.hdf5", np.ones((1, 16, 12), kind)), 0)


def test_objects_and_records_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file.create_dataset("tracings", (1, 16, 12), dtype=h5py.vlen_dtype(np.float32))
    with h5py.File(tmp_path / "b.hdf5", "w") as file:
        file.create_dataset("tracings", (1, 16, 12), dtype=[("a", "f4"), ("b", "f4")])
    with h5py.File(tmp_path / "c.hdf5", "w") as file:
        file["tracings"] = h5py.Empty("f4")
    with h5py.File(tmp_path / "d.hdf5", "w") as file:
        file.create_group("tracings")
    for name in "abcd":
        with pytest.raises(FileFormatError):
            read_tracing(tmp_path / f"{name}.hdf5", 0)


def test_links_out_of_the_file_and_within_it_are_refused(tmp_path, part):
    with h5py.File(tmp_path / "external.hdf5", "w") as file:
        file["tracings"] = h5py.ExternalLink(str(part), "/tracings")
    with h5py.File(tmp_path / "soft.hdf5", "w") as file:
        file["elsewhere"] = np.ones((1, 16, 12), np.float32)
        file["tracings"] = h5py.SoftLink("/elsewhere")
    with pytest.raises(FileFormatError, match="an external link"):
        read_tracing(tmp_path / "external.hdf5", 0)
    with pytest.raises(FileFormatError, match="a soft link"):
        read_tracing(tmp_path / "soft.hdf5", 0)


def test_values_in_other_files_are_refused(tmp_path, part):
    layout = h5py.VirtualLayout((4, 4096, 12), np.float32)
    layout[:] = h5py.VirtualSource(part, "tracings", (4, 4096, 12))
    with h5py.File(tmp_path / "virtual.hdf5", "w") as file:
        file.create_virtual_dataset("tracings", layout)
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(16 * 12 * 4))
    with h5py.File(tmp_path / "outside.hdf5", "w") as file:
        file.create_dataset("tracings", (1, 16, 12), "f4", external=[(str(secret), 0, 16 * 12 * 4)])
    for name in ("virtual", "outside"):
        with pytest.raises(FileFormatError, match="values lie in other files"):
            read_tracing(tmp_path / f"{name}.hdf5", 0)


def test_a_huge_shape_is_refused_before_anything_is_read(tmp_path):
    with h5py.File(tmp_path / "rows.hdf5", "w") as file:
        file.create_dataset("tracings", (10**12, 4096, 12), "f4", chunks=(1, 4096, 12))
    with h5py.File(tmp_path / "flat.hdf5", "w") as file:  # nothing was ever written: no space is taken
        file.create_dataset("tracings", (1_000_000, 4096, 12), "f4")
    with pytest.raises(FileFormatError, match=r"at most 10,000,000 records"):
        read_tracing(tmp_path / "rows.hdf5", 0)
    with pytest.raises(FileFormatError, match="tracings, size: found 0 bytes"):
        read_tracing(tmp_path / "flat.hdf5", 0)


@pytest.mark.parametrize(
    ("chunks", "found"), [((20_000, 4096, 12), "3,932 MB"), ((1, 1, 1), "49,152 chunks")]
)
def test_chunks_that_cost_too_much_for_one_row_are_refused(tmp_path, chunks, found):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file.create_dataset("tracings", (20_001, 4096, 12), "f4", chunks=chunks, compression="gzip")
    with pytest.raises(FileFormatError, match=f"tracings, chunks: found .*{found}.*smaller chunks"):
        read_tracing(tmp_path / "a.hdf5", 0)


def test_infinite_samples_are_refused(tmp_path):
    values = tracing(1).astype(np.float64)
    values[7, 3] = 1e300  # infinite as float32
    with pytest.raises(FileFormatError, match="infinite samples"):
        read_tracing(write(tmp_path / "a.hdf5", values[None]), 0)


@pytest.mark.parametrize(
    "ids",
    [
        None,
        np.arange(3),
        np.arange(4.0),
        np.array([b"1", b"2", b"3", b"4"]),
        np.full(4, 2**64 - 1, np.uint64),
    ],
)
def test_exam_ids_that_do_not_fit_are_refused(part, ids):
    with h5py.File(part, "a") as file:
        del file["exam_id"]
        if ids is not None:
            file["exam_id"] = ids
    with pytest.raises(FileFormatError, match="exam_id"):
        CodePart(part).exam_ids()


def test_a_part_without_exam_ids_can_be_read_by_row(part):
    with h5py.File(part, "a") as file:
        del file["exam_id"]
    assert read_tracing(part, 0).n_samples == 4096


def test_the_error_crosses_to_another_process(part):
    with pytest.raises(FileFormatError) as caught:
        read_tracing(part, 3)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(part, tmp_path, data):
    content = bytearray(part.read_bytes())
    interesting = 6_000  # HDF5's own structures stand at the start and behind the arrays
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(
            st.integers(8, interesting) | st.integers(len(content) - interesting, len(content) - 1)
        )
        content[at] = data.draw(st.integers(0, 255))
    damaged = tmp_path / "damaged.hdf5"
    damaged.write_bytes(content)
    try:
        found = CodePart(damaged)
        for recording in found.tracings(range(min(len(found), 4))):
            assert (
                recording.signal.shape[0] == 12
                and np.isfinite(recording.signal[~np.isnan(recording.signal)]).all()
            )
        found.exam_ids()
    except FileFormatError as error:
        assert error.file == str(damaged)


# Padding


@settings(max_examples=60, deadline=None)
@given(
    before=st.integers(0, 40), after=st.integers(0, 40), inside=st.integers(1, 50), seed=st.integers(0, 2**20)
)
def test_padding_is_what_was_put_around(before, after, inside, seed):
    core = np.random.default_rng(seed).integers(-2, 3, (12, inside))
    core[3, 0] = core[5, -1] = 1
    assert zero_padding(np.pad(core, ((0, 0), (before, after)))) == (before, after)


def test_a_record_of_zeros_is_all_padding():
    assert zero_padding(np.zeros((12, 30), np.int16)) == (30, 0)
    assert zero_padding(np.zeros((12, 0))) == (0, 0)
