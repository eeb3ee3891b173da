"""What verify finds in a store that something happened to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leadlight.datasets import DatasetIndex
from leadlight.errors import StoreError
from leadlight.recording import Statement
from leadlight.store import store_index, verify

pytestmark = pytest.mark.usefixtures("shards_of_eight")


def failed(folder: Path) -> dict[str, str]:
    return {check.name: check.found for check in verify(folder) if not check.passed}


def sign_again(folder: Path) -> None:
    """Make the description's file checksums right, so that only the checks behind them can tell."""
    description = json.loads((folder / "store.json").read_text())
    for entry in (*description["shards"], description["index"]):
        content = (folder / entry["file"]).read_bytes()
        entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "store.json").write_text(json.dumps(description))


def test_a_whole_store_passes_every_check(index: DatasetIndex, tmp_path: Path) -> None:
    store_index(index, tmp_path / "store")
    seen: list[tuple[int, int]] = []
    checks = verify(tmp_path / "store", lambda done, total, message: seen.append((done, total)))
    assert [check.name for check in checks if not check.passed] == []
    assert [check.name for check in checks] == [
        "file sizes",
        "file checksums",
        "index columns",
        "places of records",
        "record checksums",
        "counts",
        "statements",
        "patients within one fold",
        "copies within one fold",
        "equal signals within one fold",
    ]
    assert seen[-1] == (40, 40)


def test_a_changed_byte_is_found_and_the_record_is_named(index: DatasetIndex, tmp_path: Path) -> None:
    store_index(index, tmp_path / "store")
    shard = tmp_path / "store" / "signals-00002.npy"
    content = bytearray(shard.read_bytes())
    content[128 + 3 * 12 * 150 * 2 + 77] ^= 1  # in the fourth record of the third shard: record 19
    shard.write_bytes(content)
    assert failed(tmp_path / "store") == {"file checksums": "signals-00002.npy: another SHA-256"}
    sign_again(tmp_path / "store")
    assert failed(tmp_path / "store") == {"record checksums": "record 19"}


def test_a_file_of_another_size_or_without_is_found(index: DatasetIndex, tmp_path: Path) -> None:
    store_index(index, tmp_path / "store")
    (tmp_path / "store" / "signals-00000.npy").unlink()
    with (tmp_path / "store" / "signals-00001.npy").open("ab") as shard:
        shard.write(b"\0\0")
    assert failed(tmp_path / "store") == {
        "file sizes": "signals-00000.npy: no such file; "
        "signals-00001.npy: 28,930 bytes where 28,928 are right"
    }
    checksums = next(check for check in verify(tmp_path / "store") if check.name == "file checksums")
    assert checksums.found == "4 files, SHA-256"  # three of five shards, and the index


def test_a_damaged_index_is_found(index: DatasetIndex, tmp_path: Path) -> None:
    store_index(index, tmp_path / "store")
    file = tmp_path / "store" / "index.parquet"
    file.write_bytes(bytes(file.stat().st_size))
    assert list(failed(tmp_path / "store")) == ["file checksums"]
    sign_again(tmp_path / "store")
    assert list(failed(tmp_path / "store")) == ["index columns"]


def rewrite_index(folder: Path, change: Callable[[dict], dict]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "index.parquet")
    columns = change(table.to_pydict())
    schema = pa.schema([field for field in table.schema if field.name in columns])
    pq.write_table(pa.table(columns, schema=schema), folder / "index.parquet")
    sign_again(folder)


def test_a_missing_column_is_found(index: DatasetIndex, tmp_path: Path) -> None:
    store_index(index, tmp_path / "store")
    rewrite_index(tmp_path / "store", lambda c: {name: c[name] for name in c if name != "checksum"})
    assert "found no column checksum" in failed(tmp_path / "store")["index columns"]


@pytest.mark.parametrize(
    ("column", "row", "value", "check"),
    [
        ("offset", 9, 2, "places of records"),
        ("n_samples", 9, 149, "places of records"),
        ("shard", 9, 70, "places of records"),
        ("record_id", 9, "8", "counts"),
        ("patient_id", 9, "new", "counts"),
        ("resampled", 9, True, "counts"),
        ("fold", 9, 7, "patients within one fold"),
        ("checksum", 9, "0" * 64, "record checksums"),
    ],
)
def test_an_index_that_disagrees_is_found(
    index: DatasetIndex, tmp_path: Path, column: str, row: int, value: object, check: str
) -> None:
    store_index(index, tmp_path / "store")

    def change(columns: dict) -> dict:
        columns[column][row] = value
        return columns

    rewrite_index(tmp_path / "store", change)
    assert check in failed(tmp_path / "store")


def test_unknown_statements_and_impossible_likelihoods_are_found(index: DatasetIndex, tmp_path: Path) -> None:
    odd = (Statement("NORM", "no-such-system"), Statement("NORM", "scp-ecg", 120.0), Statement("x", "folder"))
    entries = (*index.entries[:39], replace(index.entries[39], statements=odd))
    store_index(replace(index, entries=entries), tmp_path / "store")
    found = failed(tmp_path / "store")
    assert list(found) == ["statements"]
    assert "NORM (no-such-system): no such system x 1" in found["statements"]
    assert "x (folder) is no label column of the store x 1" in found["statements"]
    assert "NORM with likelihood 120 x 1" in found["statements"]


def test_codes_without_a_meaning_are_a_note_and_reports_and_own_labels_pass(
    index: DatasetIndex, tmp_path: Path
) -> None:
    """Real headers have codes that no table of the Challenge lists, such as 251238007."""
    said = (
        Statement("251238007", "snomed-ct"),
        Statement("a word", "mimic-report"),
        Statement("x", "folder"),
    )
    entries = (*index.entries[:39], replace(index.entries[39], statements=said))
    store_index(replace(index, entries=entries, label_columns=("x",)), tmp_path / "store")
    assert failed(tmp_path / "store") == {}
    (note,) = [check for check in verify(tmp_path / "store") if check.is_note]
    assert (
        note.name == "statements" and "251238007 (snomed-ct) is not known and sets no label x 1" in note.found
    )


def test_copies_of_a_recording_in_two_folds_are_found(index: DatasetIndex, tmp_path: Path) -> None:
    """By the name of the recording that the data sets give, whatever the filters made of the signal."""
    entries = [
        replace(one, same_as="" if number % 3 else "ptb-xl/7") for number, one in enumerate(index.entries)
    ]
    store_index(replace(index, entries=(*entries[:1], *entries[20:21], *entries[4:20])), tmp_path / "store")
    found = failed(tmp_path / "store")
    assert list(found) == ["copies within one fold"]
    assert found["copies within one fold"].startswith("records 0, 6, 9, 12, 15 and 1 more are copies")


def test_records_without_any_signal_are_no_copies(
    index: DatasetIndex, tmp_path: Path, write_wfdb: Callable[..., None]
) -> None:
    for entry in (index.entries[0], index.entries[30]):
        write_wfdb(index.root / entry.path, np.zeros((12, 1000)))
    store_index(index, tmp_path / "store")
    assert failed(tmp_path / "store") == {}


def test_a_signal_that_stands_in_two_folds_is_found(
    index: DatasetIndex, tmp_path: Path, all_counts: np.ndarray, write_wfdb: Callable[..., None]
) -> None:
    write_wfdb(index.root / index.entries[30].path, all_counts[3])  # folds 6 and 2
    write_wfdb(index.root / index.entries[11].path, all_counts[10])  # both in fold 6: no leak
    store_index(index, tmp_path / "store")
    assert failed(tmp_path / "store") == {"equal signals within one fold": "records 3, 30 are equal"}


def test_a_patient_in_two_folds_is_found_without_naming_him(index: DatasetIndex, tmp_path: Path) -> None:
    entries = (replace(index.entries[0], patient_id="1019"), *index.entries[1:])
    store_index(replace(index, entries=entries), tmp_path / "store")
    found = failed(tmp_path / "store")
    assert found == {"patients within one fold": "1 patients in several folds"}


def test_where_there_is_no_store_there_is_nothing_to_verify(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"store.json"):
        verify(tmp_path)


@pytest.mark.real
def test_the_real_records_make_a_store_that_passes(real_ptbxl: Path, tmp_path: Path) -> None:
    from leadlight.datasets import read_index

    index = read_index("ptb-xl", real_ptbxl, 100)
    store = store_index(replace(index, entries=index.entries[:300]), tmp_path / "store")
    assert len(store) == 300
    assert failed(tmp_path / "store") == {}
