"""Several stores as one: on disk by merge and append, where they lie by join. The rules, one by one."""

from __future__ import annotations

import json
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

from leadlight.datasets import DatasetIndex, RecordEntry
from leadlight.errors import StoreError
from leadlight.labels import space
from leadlight.recording import Statement
from leadlight.store import (
    Store,
    append,
    filter_store,
    join,
    merge,
    open_store,
    parts_of,
    prepare,
    select,
    store_index,
    verify,
)

N, N_SAMPLES = 12, 150


@pytest.fixture
def make(tmp_path: Path, write_wfdb: Callable[..., None]) -> Callable[..., Store]:
    """Writes a store of twelve records of as many patients, two in each fold.

    seed: equal seeds give equal signals; change: entry number -> values of the entry.
    """

    def made(
        name: str,
        seed: int,
        dataset: str = "ptb-xl",
        *,
        rate: float = 100.0,
        change: Callable[[int], dict[str, Any]] = lambda number: {},
        **of_index: Any,
    ) -> Store:
        root = tmp_path / f"{name}-data"
        generator = np.random.default_rng(seed)
        entries = []
        for number in range(N):
            write_wfdb(root / f"{number}", generator.integers(-2000, 2000, (12, N_SAMPLES)), rate=rate)
            plain = RecordEntry(
                record_id=f"{number}",
                patient_id=f"{number}",
                path=f"{number}",
                file_sampling_rate=rate,
                fold=number // 2 + 1,
                age=40.0 + number,
                statements=(Statement("NORM"),),
                source=dataset,
            )
            entries.append(replace(plain, **change(number)))
        index = DatasetIndex(dataset, "1.0", root, rate, tuple(entries), notes=(f"of {name}",), **of_index)
        return store_index(index, tmp_path / name, 1)

    return made


def failed(store: Store) -> list[str]:
    return [f"{check.name}: {check.found}" for check in verify(store.path) if not check.passed]


def assert_same_records(store: Store, other: Store) -> None:
    """The same rows in the same order, to the bit: signals and all that the index says but places."""
    assert len(store) == len(other)
    for row in range(len(store)):
        assert_array_equal(store.counts(row), other.counts(row))
    assert store.statements(slice(None)) == other.statements(slice(None))
    places = ["shard", "offset"]
    ours, theirs = store.index.drop(columns=places), other.index.drop(columns=places)
    assert list(ours.columns) == list(theirs.columns)
    assert ours.astype(str).equals(theirs.astype(str))


def test_a_merged_store_has_all_records_to_the_bit_and_passes_verify(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    one, two = make("one", 1), make("two", 2, "challenge-2021")
    both = merge([one.path, two.path], tmp_path / "both")
    assert len(both) == 2 * N and failed(both) == []
    for row in range(N):
        assert_array_equal(both.counts(row), one.counts(row))
        assert_array_equal(both.counts(N + row), two.counts(row))
    assert both.index["fold"].tolist() == [*one.index["fold"], *two.index["fold"]]
    assert both.index["checksum"].tolist() == [*one.index["checksum"], *two.index["checksum"]]
    assert both.statements(slice(None)) == one.statements(slice(None)) + two.statements(slice(None))
    assert both.dataset == "ptb-xl + challenge-2021"
    assert both.description["notes"] == ["ptb-xl: of one", "challenge-2021: of two"]
    assert both.description["sources"] == {"challenge-2021": N, "ptb-xl": N}


def test_equal_ids_of_different_data_sets_are_different_patients_and_records(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    both = merge([make("one", 1).path, make("two", 2, "challenge-2021").path], tmp_path / "both")
    assert both.index["patient_id"][0] == "ptb-xl/0" and both.index["patient_id"][N] == "challenge-2021/0"
    assert both.description["patients"] == 2 * N
    assert both.index["record_id"][0] == "0" and both.index["record_id"][N] == "challenge-2021/0"
    assert both.recording("challenge-2021/0").patient.id == "challenge-2021/0"


def test_a_copy_is_taken_once_whether_it_says_so_or_its_signal_does(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    one = make("one", 1, change=lambda n: {"same_as": f"ptb-xl/{n}"})
    stated = make("stated", 2, "challenge-2021", change=lambda n: {"same_as": f"ptb-xl/{n}" if n < 3 else ""})
    equal = make("equal", 1, "code-15", change=lambda n: {"same_as": ""})
    both = merge([one.path, stated.path, equal.path], tmp_path / "both")
    assert len(both) == N + N - 3 and failed(both) == []
    aside = both.description["set_aside"]
    assert [(at["record_id"], at["dataset"], at["reason"]) for at in aside[:3]] == [
        (str(n), "challenge-2021", f"the same recording as {n}") for n in range(3)
    ]
    assert [at["dataset"] for at in aside[3:]] == ["code-15"] * N


def test_records_without_any_signal_are_no_copies_of_each_other(
    make: Callable[..., Store], tmp_path: Path, write_wfdb: Callable[..., None]
) -> None:
    def flat(name: str, dataset: str) -> Store:
        root = tmp_path / f"{name}-data"
        write_wfdb(root / "0", np.zeros((12, 1000)))
        entry = RecordEntry("0", "0", "0", 100.0, fold=1 if dataset == "ptb-xl" else 2, source=dataset)
        return store_index(DatasetIndex(dataset, "1.0", root, 100.0, (entry,)), tmp_path / name, 1)

    both = merge([flat("a", "ptb-xl").path, flat("b", "challenge-2021").path], tmp_path / "both")
    assert len(both) == 2 and failed(both) == []


def test_no_patient_stands_in_two_folds(make: Callable[..., Store], tmp_path: Path) -> None:
    """One published data set twice: equal ids are one patient, whose fold the first store decides."""
    one = make("one", 1)
    two = make("two", 2, change=lambda n: {"record_id": f"r{n}", "fold": 6 if n < 2 else n // 2 + 1})
    both = merge([one.path, two.path], tmp_path / "both")
    assert failed(both) == [] and both.description["patients"] == N
    assert [(at["record_id"], at["reason"]) for at in both.description["set_aside"]] == [
        ("r0", "its patient stands in fold 1, this record in fold 6"),
        ("r1", "its patient stands in fold 1, this record in fold 6"),
    ]


def test_a_patient_is_known_again_by_a_shared_recording(make: Callable[..., Store], tmp_path: Path) -> None:
    """Records 0 and 5 of the second store are of one patient; 0 is a copy of the first store's 0."""
    one = make("one", 1, change=lambda n: {"same_as": f"ptb-xl/{n}"})
    two = make(
        "two", 2, "challenge-2021",
        change=lambda n: {
            "patient_id": "P" if n in (0, 5) else f"{n}", "same_as": "ptb-xl/0" if n == 0 else "",
            "fold": 3 if n in (0, 5) else n // 2 + 1,
        },
    )  # fmt: skip
    both = merge([one.path, two.path], tmp_path / "both")
    assert [(at["record_id"], at["reason"]) for at in both.description["set_aside"]] == [
        ("0", "the same recording as 0"),
        ("5", "its patient stands in fold 1, this record in fold 3"),
    ]
    assert failed(both) == []


def test_own_folders_number_their_patients_alike_only_where_it_is_said(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    one, two = make("one", 1, "folder"), make("two", 2, "folder")
    apart = merge([one.path, two.path], tmp_path / "apart")
    assert apart.description["patients"] == 2 * N
    alike = merge([one.path, two.path], tmp_path / "alike", same_patients=True)
    assert len(alike) == 2 * N and alike.description["patients"] == N
    assert [part.name for part in parts_of(alike)] == ["folder:one-data", "folder:one-data"]
    assert alike.index["record_id"][N] == "folder:one-data/0"
    assert failed(apart) == failed(alike) == []


def test_own_columns_are_united_and_missing_where_a_store_has_none(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    one = make("one", 1, columns={"qrs": "number"}, change=lambda n: {"columns": {"qrs": 80.0 + n}})
    two = make(
        "two", 2, "mimic-iv-ecg", columns={"cart": "text"}, change=lambda n: {"columns": {"cart": "c"}}
    )
    both = merge([one.path, two.path], tmp_path / "both")
    assert both.index["qrs"][:N].tolist() == [80.0 + n for n in range(N)]
    assert both.index["qrs"][N:].isna().all() and both.index["cart"][:N].isna().all()
    assert set(both.index["cart"][N:]) == {"c"}
    other = make("other", 3, "code-15", columns={"qrs": "text"})
    with pytest.raises(StoreError, match="column 'qrs' with text where another store has number"):
        merge([one.path, other.path], tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()


def test_what_cannot_be_merged_is_refused_and_leaves_nothing(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    one, fast = make("one", 1), make("fast", 2, "challenge-2021", rate=200.0)
    with pytest.raises(StoreError, match=r"at 200 Hz beside .* at 100 Hz; accepted: one rate"):
        merge([one.path, fast.path], tmp_path / "out")
    with pytest.raises(StoreError, match="found 1; accepted: two or more"):
        merge([one.path], tmp_path / "out")
    with pytest.raises(StoreError, match="found one of the stores that are read"):
        merge([one.path, make("two", 3, "code-15").path], one.path)
    with pytest.raises(StoreError, match="at 200 Hz beside"):
        append(one.path, [fast.path])
    assert not (tmp_path / "out").exists() and failed(one) == []
    assert not list(tmp_path.glob("*.preparing"))


def test_a_merge_that_was_made_is_not_made_again(make: Callable[..., Store], tmp_path: Path) -> None:
    stores = [make("one", 1).path, make("two", 2, "challenge-2021").path]
    merge(stores, tmp_path / "both")
    made = (tmp_path / "both" / "store.json").stat()
    merge(stores, tmp_path / "both")
    assert (tmp_path / "both" / "store.json").stat() == made
    with pytest.raises(StoreError, match="found another store here"):
        merge(stores[::-1], tmp_path / "both")


def test_merging_and_filtering_apart_gives_each_store_back_to_the_bit(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    one, two = make("one", 1), make("two", 2, "challenge-2021")
    both = merge([one.path, two.path], tmp_path / "both")
    for number, (before, condition) in enumerate(
        [(one, "source = 'ptb-xl'"), (two, "source = 'challenge-2021'")]
    ):
        after = filter_store(both.path, condition, tmp_path / f"part-{number}")
        assert failed(after) == []
        assert len(after) == len(before)
        for row in range(N):
            assert_array_equal(after.counts(row), before.counts(row))
        same = ["fold", "age", "checksum", "source", "source_path", "n_samples"]
        assert after.index[same].equals(before.index[same])
    # Parts of one store have the same patients: merged again, they are the store that they were of.
    again = merge([tmp_path / "part-0", tmp_path / "part-1"], tmp_path / "again")
    assert_same_records(again, both)


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(40, 52))
def test_a_store_cut_in_two_and_merged_is_the_store(
    cut: int, tmp_path_factory: pytest.TempPathFactory, write_dataset: Callable[[Path], DatasetIndex]
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    whole = store_index(write_dataset(folder / "data"), folder / "whole", 1)
    pieces = []
    for name, condition in (("young", f"age < {cut + 1}"), ("old", f"age >= {cut + 1}")):
        pieces.append(filter_store(whole.path, condition, folder / name).path)
    merged = merge(pieces, folder / "merged")
    assert_same_records_but_patients(merged, whole)
    assert failed(merged) == []


def assert_same_records_but_patients(merged: Store, whole: Store) -> None:
    """Patients get their data set's name; who is one patient stays."""
    assert merged.index["patient_id"].tolist() == [f"made/{one}" for one in whole.index["patient_id"]]
    same = [name for name in whole.index.columns if name not in ("patient_id", "shard", "offset")]
    assert merged.index[same].astype(str).equals(whole.index[same].astype(str))
    for row in range(len(whole)):
        assert_array_equal(merged.counts(row), whole.counts(row))


def test_joined_where_they_lie_stores_are_what_merging_writes(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    one = make("one", 1, columns={"qrs": "number"}, change=lambda n: {"columns": {"qrs": 80.0 + n}})
    two = make(
        "two", 2, "challenge-2021", change=lambda n: {"statements": (Statement("426783006", "snomed-ct"),)}
    )
    joined, merged = join([one.path, two]), merge([one.path, two.path], tmp_path / "both")
    assert_same_records(joined, merged)
    for key in ("records", "patients", "records_per_fold", "sources", "columns", "parts", "set_aside"):
        assert joined.description[key] == merged.description[key], key
    rows = np.array([20, 3, 14, 3])
    assert_array_equal(joined.signals(rows, ["V1", "I"]), merged.signals(rows, ["V1", "I"]))
    assert_array_equal(joined.windows(rows, [-3, 0, 9, 140], 20), merged.windows(rows, [-3, 0, 9, 140], 20))
    again = pickle.loads(pickle.dumps(joined))
    assert_array_equal(again.counts([13, 0]), merged.counts([13, 0]))
    assert joined.recording("challenge-2021/3").statements == two.statements([3])[0]
    chosen = [
        select(store, [1, 2], space("challenge-2021"), n_samples=N_SAMPLES) for store in (joined, merged)
    ]
    assert_array_equal(chosen[0].truth, chosen[1].truth)
    assert_array_equal(chosen[0].known, chosen[1].known)
    assert join([one]) is one


def test_appended_records_are_those_of_a_merge_and_the_old_files_stay(
    make: Callable[..., Store], tmp_path: Path
) -> None:
    one, two = make("one", 1), make("two", 2, "challenge-2021")
    merged = merge([one.path, two.path], tmp_path / "both")
    shard = (one.path / "signals-00000.npy").stat()
    before = open_store(one.path)
    grown, added = append(one.path, [two.path])
    assert added == N and failed(grown) == []
    assert_same_records(grown, merged)
    assert (one.path / "signals-00000.npy").stat() == shard  # not copied
    # Who opened the store before goes on with what it was.
    assert len(before) == N and before.index["patient_id"][0] == "0"
    assert [step["records"] for step in grown.description["appended"]] == [N]


def test_appending_twice_adds_nothing_the_second_time(make: Callable[..., Store], tmp_path: Path) -> None:
    one, two = make("one", 1), make("two", 2, "challenge-2021")
    append(one.path, [two.path])
    files = {file.name: file.stat() for file in one.path.iterdir()}
    _, added = append(one.path, [two.path])
    assert added == 0
    assert {file.name: file.stat() for file in one.path.iterdir()} == files


def test_further_records_of_the_same_data_set_are_added(make: Callable[..., Store], tmp_path: Path) -> None:
    """As when more of PTB-XL was downloaded: what is there already is not added again."""
    whole = make("whole", 1)
    part = filter_store(whole.path, "fold < 4", tmp_path / "part")
    grown, added = append(part.path, [whole.path])
    assert added == N - 6 and failed(grown) == []
    assert grown.index["record_id"].tolist() == whole.index["record_id"].tolist()
    third, more = append(part.path, [make("new", 5, "code-15").path])
    assert more == N and failed(third) == []
    indexes = sorted(file.name for file in part.path.glob("index*"))
    assert indexes == [
        "index-2.parquet",
        "index-3.parquet",
    ]  # the one before, for who reads it, and the new one


def test_a_damaged_store_is_never_merged_or_appended(make: Callable[..., Store], tmp_path: Path) -> None:
    one, two = make("one", 1), make("two", 2, "challenge-2021")
    shard = two.path / "signals-00000.npy"
    content = bytearray(shard.read_bytes())
    content[300] ^= 1
    shard.write_bytes(content)
    with pytest.raises(StoreError, match=r"signals-00000.npy: found other content"):
        merge([one.path, two.path], tmp_path / "both")
    with pytest.raises(StoreError, match="not finished"):
        open_store(tmp_path / "both")
    with pytest.raises(StoreError, match=r"signals-00000.npy: found other content"):
        append(one.path, [two.path])
    assert len(open_store(one.path)) == N and failed(one) == []


@pytest.mark.real
def test_the_real_ptb_xl_and_challenge_records_are_one_store(
    real_data: Path, real_ptbxl: Path, tmp_path: Path
) -> None:
    """37 recordings of PTB-XL stand in the Challenge's folder; 22 of them among the records here."""
    one = prepare("ptb-xl", real_ptbxl, tmp_path / "one", workers=1)
    two = prepare(
        "challenge-2021", real_data / "challenge-2021", tmp_path / "two", workers=1,
        labels=real_ptbxl / "ptbxl_database.csv",
    )  # fmt: skip
    known = set(one.index["same_as"])
    copies = sum(same in known for same in two.index["same_as"] if same)
    assert copies > 0
    both = merge([one.path, two.path], tmp_path / "both")
    assert len(both) == len(one) + len(two) - copies and failed(both) == []
    aside = json.loads((both.path / "store.json").read_text())["set_aside"]
    assert sum("the same recording as" in at["reason"] for at in aside) == copies
