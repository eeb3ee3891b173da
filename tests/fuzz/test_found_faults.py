"""Faults that damaged files brought to light, each with the smallest damage that did."""

from __future__ import annotations

import gzip
import io
import json
import struct
import time
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from fuzzing.originals import counts, index_of_splits, record, stores

from leadlight.datasets import apply_split_file, folder, read_split, write_split
from leadlight.datasets.fetching.archives import unpack
from leadlight.datasets.fetching.listing import read_zenodo_record
from leadlight.datasets.folder_table import read_table
from leadlight.datasets.mimic_iv_ecg_patients import read_patients
from leadlight.datasets.mimic_iv_ecg_rows import rows
from leadlight.datasets.splits import split_index
from leadlight.errors import (
    LONGEST_MESSAGE,
    DatasetError,
    FileFormatError,
    LeadlightError,
    RecipeError,
    StoreError,
)
from leadlight.files.code_hdf5 import CodePart
from leadlight.recipes import load_recipe
from leadlight.simulate import read_truth, simulate_dataset
from leadlight.store import open_store, verify


@pytest.fixture(autouse=True)
def _warnings_are_faults():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_message_is_cut_in_its_middle_where_a_file_would_fill_it():
    error = FileFormatError("a.csv", "line 1", "A" * 1_000_000, "a name", "Save it again.")
    assert len(str(error)) < LONGEST_MESSAGE + 100
    assert str(error).startswith("a.csv, line 1: found 'AAA") or str(error).startswith(
        "a.csv, line 1: found AAA"
    )
    assert str(error).endswith("Save it again.")
    assert str(LeadlightError("short")) == "short"


# CODE's HDF5 parts


def _part(path: Path, tracings: np.ndarray, **options: object) -> Path:
    with h5py.File(path, "w", libver=options.pop("libver", "earliest")) as file:
        file.create_dataset("tracings", data=tracings, **options)
        file["exam_id"] = np.arange(len(tracings))
    return path


@pytest.fixture
def tracings() -> np.ndarray:
    return np.random.default_rng(2).normal(0, 0.3, (7, 64, 12)).astype(np.float32)


def test_a_signalling_nan_and_a_float64_beyond_float32_are_no_warnings(tmp_path, tracings):
    stored = tracings.astype(np.float64)
    stored[1, 0, 0] = 1e300
    stored.view(np.uint64)[0, 3, 4] = 0x7FF0000000000001
    part = CodePart(_part(tmp_path / "a.hdf5", stored))
    assert part.read(0).missing == {"aVL": 1}
    with pytest.raises(FileFormatError, match="infinite samples"):
        part.read(1)
    part.close()


@pytest.mark.parametrize(
    ("size", "address", "found"),
    [
        (0, None, "a chunk of 0 bytes"),
        (515, None, "a chunk of 515 bytes, where 516 are unpacked"),
        (0xFFFFFFFF, None, "a chunk of 4,294,967,295 bytes"),
        (None, 0, "a chunk outside the file"),
        (None, 1 << 40, "a chunk outside the file"),
    ],
)
def test_an_index_of_chunks_that_would_crash_the_hdf5_library_is_refused(
    tmp_path, tracings, size, address, found
):
    path = _part(tmp_path / "a.hdf5", tracings, chunks=(2, 16, 4), fletcher32=True)
    with h5py.File(path) as file:
        place = file["tracings"].id.get_chunk_info(20).byte_offset
    content = bytearray(path.read_bytes())
    # A key of the B-tree: size, filter mask, four offsets; then the chunk's address.
    at = content.index(struct.pack("<Q", place))
    assert struct.unpack("<I", content[at - 40 : at - 36]) == (516,)
    if size is not None:
        content[at - 40 : at - 36] = struct.pack("<I", size)
    if address is not None:
        content[at : at + 8] = struct.pack("<Q", address)
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=found) as refused:
        CodePart(path)
    assert refused.value.field == "tracings, chunks"


def test_a_tracing_of_which_a_part_was_never_stored_does_not_read_as_zeros(tmp_path, tracings):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        stored = file.create_dataset("tracings", shape=(7, 64, 12), dtype="f4", chunks=(1, 16, 12))
        stored[:5], stored[5, :16] = tracings[:5], tracings[5, :16]
        file["exam_id"] = np.arange(7)
    with pytest.raises(FileFormatError, match="1 rows of which a part is missing"):
        CodePart(tmp_path / "a.hdf5")


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("chunks", [(1, 64, 12), (2, 16, 5), (7, 64, 12)])
@pytest.mark.parametrize("maxshape", [None, (None, 64, 12), (7, None, 12), (None, None, 12)])
@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "fletcher32": True}, {"compression": "lzf"}])
def test_every_way_in_which_hdf5_stores_chunks_is_read(tmp_path, tracings, libver, chunks, maxshape, options):
    path = _part(tmp_path / "a.hdf5", tracings, libver=libver, chunks=chunks, maxshape=maxshape, **options)
    part = CodePart(path)
    np.testing.assert_array_equal(part.read(3).signal, tracings[3].T)
    assert part.exam_ids().tolist() == list(range(7))
    part.close()


# Tables


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_header_of_very_many_columns_is_refused_at_once(tmp_path, separator):
    file = tmp_path / "labels.csv"
    file.write_text(separator.join(["path", *["0"] * 300_000]) + "\n")
    began = time.process_time()
    with pytest.raises(FileFormatError, match="300,001 columns; accepted: at most 5,000"):
        read_table(file)
    assert time.process_time() - began < 1


def test_a_first_line_longer_than_a_cell_may_be_is_refused_in_words(tmp_path):
    (tmp_path / "labels.csv").write_text("path," + "A" * 200_000 + "\na,1\n")
    with pytest.raises(FileFormatError, match="line 1"):
        read_table(tmp_path / "labels.csv")


def test_a_name_of_a_column_without_end_is_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("path," + "A" * 201 + "\na,1\n")
    with pytest.raises(FileFormatError, match="a name of 201 characters"):
        read_table(tmp_path / "labels.csv")


@pytest.mark.parametrize("column", ["patient", "source"])
def test_an_identifier_without_end_sets_its_record_aside(tmp_path, column):
    for number in (1, 2):
        for name, content in record(counts(20, number), name=f"rec{number}").items():
            (tmp_path / name).write_bytes(content)
    table = tmp_path / "labels.csv"
    table.write_text(f"path,{column},AFIB\nrec1,{'A' * 201},1\nrec2,B,0\n")
    index = folder.read_index(tmp_path, 500, labels=table)
    assert [entry.record_id for entry in index.entries] == ["rec2"]
    assert [one.reason for one in index.set_aside] == [
        f"the {column} has 201 characters; accepted: up to 200"
    ]


def test_a_small_packed_table_that_unpacks_to_very_much_is_refused_early(tmp_path):
    file = tmp_path / "patients.csv.gz"
    for line in ("\n", "1,2,3\n", "0" * 100 + "\n"):
        file.write_bytes(
            gzip.compress(b"subject_id,gender,anchor_age,anchor_year\n" + line.encode() * 400_000)
        )
        began = time.process_time()
        with pytest.raises(FileFormatError, match=r"empty lines|for each packed byte"):
            list(rows(file, ("subject_id", "gender", "anchor_age", "anchor_year")))
        assert time.process_time() - began < 1


def test_a_packed_table_of_real_proportions_is_read(tmp_path):
    draw = np.random.default_rng(1)
    lines = [f"{draw.integers(10_000_000, 20_000_000)},F,{draw.integers(18, 92)},2180" for _ in range(20_000)]
    file = tmp_path / "patients.csv.gz"
    file.write_bytes(
        gzip.compress(("subject_id,gender,anchor_age,anchor_year\n" + "\n".join(lines)).encode())
    )
    assert len(list(rows(file, ("subject_id",)))) == 20_001


def test_a_row_of_patients_with_too_few_cells_is_counted(tmp_path):
    header = "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod\n"
    (tmp_path / "patients.csv").write_text(header + "10000032,F,52\n10000117,M,48,2174,2008 - 2010,\n")
    notes: list[str] = []
    people = read_patients(tmp_path / "patients.csv", {"10000032", "10000117"}, notes)
    assert list(people) == ["10000117"]
    assert any("rows that cannot be read" in note and "1" in note for note in notes)


# Split files, lists of files, archives


def test_words_of_a_split_files_first_line_are_cut_where_they_stand_in_a_note(tmp_path):
    index, file = index_of_splits(), tmp_path / "split.csv"
    write_split(file, index, split_index(index, ()))
    first, _, rest = file.read_text().partition("\n")
    about = json.loads(first.removeprefix("# leadlight split "))
    about["scheme"] = "A" * 300_000
    file.write_text(f"# leadlight split {json.dumps(about)}\n{rest}")
    read = apply_split_file(index, read_split(file))
    assert max(map(len, read.notes)) < 300


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"key": "a.zip"}, "a.zip stands twice"),
        ({"size": float("inf")}, "no list of files"),
        ({"size": 10**30}, "no checksum and size"),
    ],
)
def test_a_zenodo_record_that_cannot_be_is_refused(changed, message):
    address = "https://zenodo.org/api/records/1"
    files = [
        {"key": name, "size": 1, "checksum": "md5:" + "0" * 32, "links": {"self": f"{address}/{name}"}}
        for name in ("a.zip", "b.zip")
    ]
    assert len(read_zenodo_record(json.dumps({"files": files}).encode(), address)) == 2
    files[1] |= changed
    with pytest.raises(DatasetError, match=message):
        read_zenodo_record(json.dumps({"files": files}).encode(), address)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damage_in_an_archive_is_said_in_words(tmp_path, method):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as packed:
        packed.writestr("a.txt", bytes(np.random.default_rng(1).integers(0, 9, 5_000, dtype=np.uint8)))
    whole = content.getvalue()
    refused = 0
    for at in range(60, 660, 25):
        (tmp_path / "a.zip").write_bytes(whole[:at] + b"\xff\x00\xff\x55" + whole[at + 4 :])
        try:
            unpack(tmp_path / "a.zip", tmp_path)
        except DatasetError as error:
            refused += "cannot be unpacked" in str(error)
    assert refused > 20
    assert not (tmp_path / "a.txt").exists()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_may_ask_for_gigabytes_is_refused_unread(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as packed:
        packed.writestr("a.txt", b"x" * 5_000)
    with pytest.raises(DatasetError, match="found compression 1"):
        unpack(tmp_path / "a.zip", tmp_path)


def test_an_archive_that_begins_before_its_own_start_is_refused(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("a.txt", "x")
    damaged = bytearray(content.getvalue())
    damaged[-6:-2] = struct.pack("<I", 0x7FFFFFFF)  # where the directory begins
    (tmp_path / "a.zip").write_bytes(damaged)
    with pytest.raises(DatasetError, match="cannot be unpacked"):
        unpack(tmp_path / "a.zip", tmp_path)


def test_a_full_disk_is_no_fault_of_the_archive(tmp_path, monkeypatch):
    import errno
    import shutil

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("a.txt", "x")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        unpack(tmp_path / "a.zip", tmp_path)


# Stores


@pytest.fixture(scope="module")
def whole_store() -> dict[str, bytes]:
    return stores(None)[0].files


def _store(place: Path, files: dict[str, bytes], **changed: object) -> Path:
    place.mkdir()
    for name, content in files.items():
        (place / name).write_bytes(content)
    description = json.loads(files["store.json"]) | changed
    (place / "store.json").write_text(json.dumps(description))
    return place


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"leads": ["I", "II"]}, "leads: found"),
        ({"leads": ["/etc/passwd"] * 12}, "leads: found"),
        ({"leads": [[]] * 12}, "leads: found"),
        ({"sampling_rate": 0}, "at 0 Hz"),
        ({"sampling_rate": float("nan")}, "at nan Hz"),
        ({"records": -1}, "-1 records"),
        ({"columns": {"a": []}}, r"of kind \[\]"),
        ({"columns": {"a": {}}}, r"of kind \{\}"),
    ],
)
def test_a_description_that_cannot_be_is_refused(tmp_path, whole_store, changed, message):
    assert len(open_store(_store(tmp_path / "whole", whole_store)))
    with pytest.raises(StoreError, match=message):
        open_store(_store(tmp_path / "store", whole_store, **changed))


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff", b""])
def test_a_description_nested_without_end_is_refused(tmp_path, whole_store, content):
    (_store(tmp_path / "store", whole_store) / "store.json").write_bytes(content)
    with pytest.raises(StoreError, match="not JSON"):
        open_store(tmp_path / "store")


def _with_text(store: Path, old: bytes, new: bytes) -> Path:
    """The store with other text in its index, and the size of it as described."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(store / "index.parquet")
    at = table.schema.get_field_index("record_id")
    changed = pa.array([old.decode(), *table["record_id"].to_pylist()[1:]])
    table = table.set_column(at, "record_id", changed)
    pq.write_table(table, store / "index.parquet", compression="none", use_dictionary=False)
    content = (store / "index.parquet").read_bytes()
    assert old in content
    (store / "index.parquet").write_bytes(content.replace(old, new))
    description = json.loads((store / "store.json").read_text())
    description["index"]["bytes"] = len(content)
    (store / "store.json").write_text(json.dumps(description))
    return store


def test_text_of_the_index_that_is_no_utf_8_is_refused(tmp_path, whole_store):
    store = _with_text(_store(tmp_path / "store", whole_store), b"ABCDEFGHIJ", b"ABCDE\xee\xffHIJ")
    with pytest.raises(StoreError, match="cannot be read as Parquet"):
        len(open_store(store).index)
    with pytest.raises(StoreError, match="cannot be read as Parquet"):
        open_store(store).columns("record_id")


def test_the_name_of_a_column_that_is_no_utf_8_is_refused(tmp_path, whole_store):
    store = _store(tmp_path / "store", whole_store)
    content = (store / "index.parquet").read_bytes()
    (store / "index.parquet").write_bytes(content.replace(b"patient_id", b"patie\xeet_id"))
    with pytest.raises(StoreError, match=r"cannot be read as Parquet|no column patient_id"):
        open_store(store).columns("patient_id")


def test_a_recipe_nested_without_end_is_refused(tmp_path):
    (tmp_path / "recipe.toml").write_text("seed = " + "[" * 100_000)
    with pytest.raises(RecipeError, match="not TOML"):
        load_recipe("imle-net", tmp_path / "recipe.toml")


@pytest.mark.parametrize("records", ["4", None, [4]])
def test_a_shard_without_a_number_of_records_is_refused(tmp_path, whole_store, records):
    shards = json.loads(whole_store["store.json"])["shards"]
    shards[0]["records"] = records
    with pytest.raises(StoreError, match="no file, bytes, records and sha256 of signals-00000"):
        verify(_store(tmp_path / "store", whole_store, shards=shards))


def test_a_shard_of_half_a_sample_is_refused(tmp_path, whole_store):
    shards = json.loads(whole_store["store.json"])["shards"]
    shards[0]["bytes"] -= 1
    files = whole_store | {"signals-00000.npy": whole_store["signals-00000.npy"][:-1]}
    with pytest.raises(StoreError):
        open_store(_store(tmp_path / "store", files, shards=shards)).counts(0)


@pytest.mark.parametrize(
    ("column", "value"),
    [("offset", 10**15), ("offset", -12), ("n_samples", 2**62), ("n_samples", 0), ("shard", 7),
     ("shard", -1), ("missing_samples", -1), ("offset", None)],
)  # fmt: skip
def test_an_index_that_leads_out_of_a_shard_is_refused(tmp_path, whole_store, column, value):
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = _store(tmp_path / "store", whole_store)
    table = pq.read_table(place / "index.parquet")
    at = table.schema.get_field_index(column)
    values = [value, *table[column].to_pylist()[1:]]
    pq.write_table(table.set_column(at, table.field(column), pa.array(values, table.field(column).type)),
                   place / "index.parquet")  # fmt: skip
    index = json.loads(whole_store["store.json"])["index"]
    index["bytes"] = (place / "index.parquet").stat().st_size
    description = json.loads(whole_store["store.json"]) | {"index": index}
    (place / "store.json").write_text(json.dumps(description))
    with pytest.raises(StoreError, match="records outside the shards"):
        open_store(place).signals([0])
    assert any(not check.passed for check in verify(place))


# Simulated records


def test_a_damaged_truth_is_refused_in_words(tmp_path):
    simulate_dataset(tmp_path / "set", 1, seed=1)
    (file,) = (tmp_path / "set" / "truth").rglob("*.npz")
    whole = file.read_bytes()
    for content in (
        b"",
        whole[: len(whole) // 2],
        whole.replace(b"about", b"abuot"),
        b"PK\x03\x04" + b"x" * 100,
    ):
        file.write_bytes(content)
        with pytest.raises(DatasetError, match="cannot be read"):
            read_truth(tmp_path / "set", int(file.stem))
