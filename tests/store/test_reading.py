"""Taking records out of a store."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from leadlight.datasets import DatasetIndex
from leadlight.errors import StoreError
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Patient, Statement
from leadlight.store import Store, open_store, store_index

N, N_SAMPLES = 40, 150


@pytest.fixture
def store(index: DatasetIndex, tmp_path: Path, shards_of_eight: None) -> Store:
    store_index(index, tmp_path / "store")
    return open_store(tmp_path / "store")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, write_dataset: Callable[[Path], DatasetIndex]) -> Store:
    """A store that many examples may read."""
    folder = tmp_path_factory.mktemp("kept")
    return store_index(write_dataset(folder / "data"), folder / "store")


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.integers(0, N - 1), max_size=20))
def test_any_rows_in_any_order_come_as_asked(kept: Store, all_counts: np.ndarray, rows: list[int]) -> None:
    found = kept.counts(rows)
    assert found.shape == (len(rows), 12, N_SAMPLES)
    assert_array_equal(found, all_counts[rows])


@settings(max_examples=40, deadline=None)
@given(rows=st.slices(N))
def test_slices_mean_what_they_mean_in_numpy(kept: Store, all_counts: np.ndarray, rows: slice) -> None:
    assert_array_equal(kept.counts(rows), all_counts[rows])


def test_a_mask_and_a_single_row_are_rows_too(store: Store, all_counts: np.ndarray) -> None:
    mask = np.arange(N) % 3 == 0
    assert_array_equal(store.counts(mask), all_counts[mask])
    assert_array_equal(store.counts(7), all_counts[7:8])
    assert_array_equal(store.counts(np.int64(7)), all_counts[7:8])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([0, 40], "found 40; accepted: 0 to 39"),
        ([-1], "found -1"),
        ([0.5], "found float64"),
        ([[1, 2]], "accepted: row numbers"),
        (np.ones(5, dtype=bool), "accepted: .40,., one a record"),
        (["0"], "accepted: row numbers"),
    ],
)
def test_rows_that_are_not_there_are_refused(store: Store, rows: Any, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        store.counts(rows)


def test_signals_are_the_counts_in_millivolts(store: Store, all_counts: np.ndarray) -> None:
    signals = store.signals([5, 2, 38])
    assert signals.dtype == np.float32
    assert_array_equal(signals, (all_counts[[5, 2, 38]] / 1000.0).astype(np.float32))


def test_leads_come_in_the_order_that_is_asked_for(store: Store, all_counts: np.ndarray) -> None:
    expected = (all_counts[[5, 2]][:, [7, 0]] / 1000.0).astype(np.float32)
    assert_array_equal(store.signals([5, 2], ["V2", "I"]), expected)
    with pytest.raises(StoreError, match="leads: found V9; accepted: I, II"):
        store.signals([5], ["I", "V9"])


def test_missing_samples_are_nan_in_their_place_alone(
    index: DatasetIndex, tmp_path: Path, all_counts: np.ndarray, write_wfdb: Callable[..., None]
) -> None:
    counts = all_counts[4].copy()
    counts[3, 10:20] = -32768
    write_wfdb(index.root / index.entries[4].path, counts)
    store = store_index(index, tmp_path / "store")
    signals = store.signals([0, 4])
    assert not np.isnan(signals[0]).any()
    assert_array_equal(np.isnan(signals[1]), counts == -32768)
    assert store.index["missing_samples"].tolist() == [10 if row == 4 else 0 for row in range(N)]
    assert store.recording(4).missing == {"aVR": 10}


def test_a_recording_has_its_patient_statements_and_notes(store: Store, all_counts: np.ndarray) -> None:
    recording = store.recording(7)
    assert recording.leads == STANDARD_LEADS
    assert recording.sampling_rate == 100
    assert_array_equal(recording.signal, (all_counts[7] / 1000.0).astype(np.float32))
    assert recording.patient == Patient(id="1003", age=47.0, sex="female")
    assert recording.statements == (
        Statement("NORM", "scp-ecg", 80.0),
        Statement("SR", "scp-ecg", None),
    )
    assert recording.notes == ("odd",)
    assert recording.source == "made: records/1/007"


def test_a_recording_is_found_by_its_id(store: Store) -> None:
    assert_array_equal(store.recording("31").signal, store.recording(31).signal)
    with pytest.raises(StoreError, match="no record with this id"):
        store.recording("031")


def test_what_is_not_known_of_a_patient_is_none(index: DatasetIndex, tmp_path: Path) -> None:
    unknown = replace(index.entries[1], age=None, sex=None, fold=None, statements=())
    store = store_index(replace(index, entries=(index.entries[0], unknown)), tmp_path / "store")
    assert store.recording(1).patient == Patient(id="1000")
    assert store.recording(1).statements == ()
    assert store.index["fold"].isna().tolist() == [False, True]
    assert store.description["records_per_fold"] == {"1": 1, "None": 1}


def test_a_batch_reads_no_shard_but_its_own(store: Store, all_counts: np.ndarray) -> None:
    for number in (0, 2, 3, 4):
        (store.path / f"signals-0000{number}.npy").unlink()
    assert_array_equal(store.counts([15, 8, 9]), all_counts[[15, 8, 9]])
    with pytest.raises(StoreError, match=r"signals-00002.npy: cannot be read as the store describes it"):
        store.counts([15, 16])


def test_records_of_different_lengths_do_not_make_a_batch(
    index: DatasetIndex, tmp_path: Path, all_counts: np.ndarray, write_wfdb: Callable[..., None]
) -> None:
    write_wfdb(index.root / index.entries[1].path, all_counts[1, :, :90])
    store = store_index(index, tmp_path / "store")
    with pytest.raises(StoreError, match="records of 90 to 150 samples"):
        store.signals([0, 1])
    assert store.signals([1]).shape == (1, 12, 90)
    assert store.signals([2, 0]).shape == (2, 12, 150)


def test_a_store_is_passed_to_other_processes_by_its_place(store: Store, all_counts: np.ndarray) -> None:
    store.counts([0, 20])
    store.index  # noqa: B018
    copy = pickle.loads(pickle.dumps(store))
    assert_array_equal(copy.counts([3, 30]), all_counts[[3, 30]])
    assert len(pickle.dumps(store)) < 20_000
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert_array_equal(pool.apply(store.counts, ([39, 1],)), all_counts[[39, 1]])


def test_a_store_goes_on_working_after_a_fork(store: Store, all_counts: np.ndarray) -> None:
    store.counts([0])
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map(store.counts, [[row] for row in range(N)])
    assert_array_equal(np.concatenate(found), all_counts)
    assert_array_equal(store.counts([5]), all_counts[[5]])


def test_opening_reads_neither_index_nor_signals(store: Store) -> None:
    for file in ("index.parquet", "signals-00000.npy"):
        (store.path / file).write_bytes(bytes((store.path / file).stat().st_size))
    again = open_store(store.path)
    assert (len(again), again.sampling_rate, again.leads) == (N, 100.0, STANDARD_LEADS)
    with pytest.raises(StoreError, match=r"index.parquet: cannot be read as Parquet.*leadlight verify"):
        again.counts([0])


def test_no_store_is_said_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no such folder.*leadlight prepare NAME DIR --out"):
        open_store(tmp_path / "nowhere")
    with pytest.raises(StoreError, match=r"a folder without store.json"):
        open_store(tmp_path)


def test_a_missing_shard_is_named(store: Store) -> None:
    (store.path / "signals-00003.npy").unlink()
    with pytest.raises(StoreError, match=r"signals-00003.npy: found no such file; accepted: 28,928 bytes"):
        open_store(store.path)


def test_a_shard_of_another_size_is_named(store: Store) -> None:
    shard = store.path / "signals-00003.npy"
    shard.write_bytes(shard.read_bytes()[:-2])
    with pytest.raises(StoreError, match="found 28,926 bytes; accepted: 28,928 bytes"):
        open_store(store.path)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("schema_version", 3, "schema_version: found 3; accepted: 2. Update Leadlight"),
        ("schema_version", 1, "found 1; accepted: 2. An older Leadlight wrote it. Prepare the data set"),
        ("schema_version", "1", "schema_version: found none"),
        ("sampling_rate", None, "sampling_rate: found None"),
        ("leads", "I", "leads: found 'I'; accepted: list"),
        ("records", 1.5, "records: found 1.5; accepted: int"),
        ("counts_per_millivolt", 200, "counts_per_millivolt: found 200; accepted: 1000"),
        ("shards", [{"file": "../../etc/passwd", "bytes": 1, "sha256": ""}], "of signals-00000.npy"),
        ("shards", ["signals-00000.npy"], "of signals-00000.npy"),
        ("index", {}, "of index.parquet"),
    ],
)
def test_a_description_that_is_not_ours_is_refused(store: Store, key: str, value: Any, words: str) -> None:
    file = store.path / "store.json"
    description = json.loads(file.read_text())
    file.write_text(json.dumps({**description, key: value}))
    with pytest.raises(StoreError, match=words):
        open_store(store.path)


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"schema_version": true'])
def test_a_damaged_description_is_refused(store: Store, content: str) -> None:
    (store.path / "store.json").write_text(content)
    with pytest.raises(StoreError, match=r"store.json"):
        open_store(store.path)


def test_the_print_of_a_store_tells_no_path(store: Store) -> None:
    assert repr(store) == "Store(made, 40 records, 12 leads at 100 Hz)"


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.integers(0, N - 1), max_size=8),
    n_samples=st.integers(1, 200),
    data=st.data(),
)
def test_a_window_is_that_part_of_its_record_and_nan_beyond(
    kept: Store, all_counts: np.ndarray, rows: list[int], n_samples: int, data: st.DataObject
) -> None:
    starts = [data.draw(st.integers(-250, 250)) for _ in rows]
    leads = data.draw(st.sampled_from([None, ("V2", "I")]))
    found = kept.windows(rows, starts, n_samples, leads)
    around = np.full((N, 12, 1000), np.nan)
    around[:, :, 400:550] = all_counts / 1000
    chosen = slice(None) if leads is None else [7, 0]
    expected = [
        around[row, chosen, 400 + start : 400 + start + n_samples].astype(np.float32)
        for row, start in zip(rows, starts, strict=True)
    ]
    assert found.dtype == np.float32
    assert found.shape == (len(rows), 12 if leads is None else 2, n_samples)
    if rows:
        assert_array_equal(found, np.stack(expected))


def test_windows_take_records_of_different_lengths_and_keep_gaps(
    index: DatasetIndex, tmp_path: Path, all_counts: np.ndarray, write_wfdb: Callable[..., None]
) -> None:
    counts = all_counts[1, :, :90].copy()
    counts[4, 20] = -32768
    write_wfdb(index.root / index.entries[1].path, counts)
    store = store_index(index, tmp_path / "store")
    windows = store.windows([1, 0], 10, 100)
    expected = np.full((2, 12, 100), np.nan)
    expected[0, :, :80] = counts[:, 10:] / 1000
    expected[0, 4, 10] = np.nan
    expected[1] = all_counts[0, :, 10:110] / 1000
    assert_array_equal(windows, expected.astype(np.float32))
    assert store.lengths.tolist()[:3] == [150, 90, 150]
    assert store.missing_samples.tolist()[:3] == [0, 1, 0]


@pytest.mark.parametrize(
    ("starts", "n_samples", "words"),
    [
        (0.5, 10, "found float64"),
        ([1, 2, 3], 10, "one for each of the 2 rows"),
        (0, 0, "n_samples: found 0"),
    ],
)
def test_windows_that_mean_nothing_are_refused(store: Store, starts: Any, n_samples: int, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        store.windows([0, 1], starts, n_samples)


def test_columns_are_read_alone_and_unknown_ones_refused(store: Store) -> None:
    table = store.columns("fold", "patient_id")
    assert table.column_names == ["fold", "patient_id"]
    assert table["fold"].to_pylist() == store.index["fold"].tolist()
    with pytest.raises(StoreError, match="columns: found colour; accepted: record_id"):
        store.columns("colour")


def test_equal_statements_are_held_once(store: Store) -> None:
    said = store.statements([3, 1, 30])
    assert said[0] is said[1] is said[2]
    assert len(store._statements.different) == 2


@settings(max_examples=30, deadline=None)
@given(
    said=st.lists(
        st.lists(
            st.builds(
                Statement,
                st.sampled_from(["NORM", "AF", ""]),
                st.sampled_from(["scp-ecg", "text"]),
                st.sampled_from([None, 0.0, 35.0, 100.0]),
            ),
            max_size=4,
        ).map(tuple),
        min_size=1,
        max_size=12,
    )
)
def test_statements_come_back_as_they_were(said: list[tuple[Statement, ...]]) -> None:
    import io
    from dataclasses import asdict

    import pyarrow as pa
    import pyarrow.parquet as pq

    from leadlight.store import layout
    from leadlight.store.statements import read_statements

    kind = layout.index_schema().field("statements").type
    plain = pa.array([[asdict(one) for one in record] for record in said], type=kind)
    sink = io.BytesIO()
    pq.write_table(pa.table({"statements": plain}), sink, row_group_size=5)
    column = read_statements(pq.ParquetFile(sink), "statements")
    assert column.of(np.arange(len(said))) == said
    assert column.of(np.array([len(said) - 1, 0])) == [said[-1], said[0]]


def test_no_rows_make_an_empty_batch(store: Store) -> None:
    assert store.counts([]).shape == store.signals([]).shape == (0, 12, N_SAMPLES)
    assert store.windows([], [], 30, ["I"]).shape == (0, 1, 30)


def test_a_shard_that_is_another_array_is_refused(store: Store) -> None:
    shard = store.path / "signals-00001.npy"
    content = shard.read_bytes()
    shard.write_bytes(content.replace(b"'<i2'", b"'<u2'"))
    with pytest.raises(StoreError, match=r"signals-00001.npy: cannot be read as the store describes it"):
        store.counts([8])
    assert store.counts([7]).shape == (1, 12, N_SAMPLES)
