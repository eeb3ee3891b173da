"""Choosing the records of some folds that a model can use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from leadlight.datasets import DatasetIndex
from leadlight.errors import StoreError
from leadlight.labels import space
from leadlight.recording import Statement
from leadlight.store import select, store_index

SUPERCLASSES = space("ptb-xl/superclass")


def test_the_records_of_the_folds_come_in_order_with_their_labels(
    index: DatasetIndex, tmp_path: Path
) -> None:
    entries = list(index.entries)
    entries[3] = replace(entries[3], statements=(Statement("IMI"), Statement("CLBBB", likelihood=15.0)))
    store = store_index(replace(index, entries=tuple(entries)), tmp_path / "store")
    selection = select(store, [2, 5], SUPERCLASSES, n_samples=150)
    # Two records a patient, a fold a patient: fold 2 holds 2, 3, 22, 23; fold 5 holds 8, 9, 28, 29.
    assert selection.rows.tolist() == [2, 3, 8, 9, 22, 23, 28, 29]
    found = [{SUPERCLASSES.codes[k] for k in np.flatnonzero(truth)} for truth in selection.truth]
    assert found == [{"MI", "CD"} if row == 3 else {"NORM"} for row in selection.rows]
    assert selection.left_out == {}


def test_unlabelled_too_short_and_gappy_records_are_left_out_and_counted(
    index: DatasetIndex, tmp_path: Path, all_counts: np.ndarray, write_wfdb: Callable[..., None]
) -> None:
    entries = [replace(entry, source="ptb-xl") for entry in index.entries]
    entries[0] = replace(entries[0], statements=(Statement("SR"),))
    write_wfdb(index.root / entries[1].path, all_counts[1, :, :100])
    gappy = all_counts[20].copy()
    gappy[0, 0] = -32768
    write_wfdb(index.root / entries[20].path, gappy)
    store = store_index(replace(index, entries=tuple(entries)), tmp_path / "store")
    selection = select(store, [1], SUPERCLASSES, n_samples=150)
    assert selection.rows.tolist() == [21]
    assert selection.left_out == {
        "without a label of ptb-xl/superclass": 1,
        "not 1.5 s long": 1,
        "with missing samples": 1,
    }
    assert_array_equal(select(store, [1], SUPERCLASSES, n_samples=150, keep_unlabelled=True).rows, [0, 21])


def test_a_fold_that_is_not_there_is_refused(index: DatasetIndex, tmp_path: Path) -> None:
    store = store_index(replace(index, entries=index.entries[:6]), tmp_path / "store")
    with pytest.raises(StoreError, match="fold: found 9, 10; accepted: 1, 2, 3"):
        select(store, [1, 9, 10], SUPERCLASSES, n_samples=150)


def test_folds_without_one_usable_record_are_refused(index: DatasetIndex, tmp_path: Path) -> None:
    store = store_index(index, tmp_path / "store")
    with pytest.raises(
        StoreError, match=r"none of 4 records can be used: 4 not 10 s long\. Steps that crop and pad"
    ):
        select(store, [1], SUPERCLASSES, n_samples=1000)


def test_what_a_records_collection_cannot_tell_is_unknown(index: DatasetIndex, tmp_path: Path) -> None:
    """PTB-XL has no statement for the Challenge's axes; an unnamed collection's silence says nothing."""
    challenge = space("challenge-2021")
    entries = [
        replace(entry, source="ptb-xl" if number % 2 else "a hospital")
        for number, entry in enumerate(index.entries)
    ]
    store = store_index(replace(index, entries=tuple(entries)), tmp_path / "store")
    selection = select(store, [1], challenge, n_samples=150)
    known = {store.index["source"][row]: set(np.array(challenge.codes)[told]) for row, told in
             zip(selection.rows, selection.known, strict=True)}  # fmt: skip
    assert {"AF", "NSR"} <= known["ptb-xl"] and "LAD" not in known["ptb-xl"]
    assert known["a hospital"] == {"NSR"}


def test_below_the_threshold_is_negative_or_unknown(index: DatasetIndex, tmp_path: Path) -> None:
    entries = [replace(entry, source="ptb-xl") for entry in index.entries]
    entries[0] = replace(entries[0], statements=(Statement("IMI", likelihood=15.0), Statement("NORM")))
    store = store_index(replace(index, entries=tuple(entries)), tmp_path / "store")
    column = SUPERCLASSES.index("MI")
    for below, known in (("negative", True), ("unknown", False)):
        found = select(store, [1], SUPERCLASSES, n_samples=150, min_likelihood=50, below=below)  # type: ignore[arg-type]
        assert found.rows[0] == 0 and not found.truth[0, column]
        assert found.known[0, column] == known


def test_a_condition_leaves_out_and_counts(index: DatasetIndex, tmp_path: Path) -> None:
    store = store_index(index, tmp_path / "store")
    selection = select(store, [1], SUPERCLASSES, n_samples=150, where="age > 50")
    assert selection.rows.tolist() == [20, 21]  # 40, 41, 60 and 61 years old
    assert selection.left_out == {"for which age > 50 is not true": 2}
    with pytest.raises(StoreError, match=r"none of 4 .* be used: 4 for which age > 500 is not true\.$"):
        select(store, [1], SUPERCLASSES, n_samples=150, where="age > 500")
