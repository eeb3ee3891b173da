"""Split files: written the same everywhere, read with suspicion; and the command that writes them."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from leadlight import datasets
from leadlight.cli.app import app
from leadlight.datasets import DatasetIndex, RecordEntry
from leadlight.errors import DatasetError, FileFormatError, LeadlightError
from leadlight.recording import Statement

SINUS = (Statement("426783006", "snomed-ct"),)


def index(*entries: RecordEntry, dataset: str = "challenge-2021") -> DatasetIndex:
    return DatasetIndex(dataset, "", Path("folder"), 100.0, entries)


def entry(name: str, patient: str = "", **more: object) -> RecordEntry:
    return RecordEntry(name, patient or name, name, 500.0, statements=SINUS, source="georgia", **more)  # type: ignore[arg-type]


TEN = index(*(entry(f"E{number:05d}", f"p{number // 2}") for number in range(10)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "splits.csv"
    datasets.write_split(file, TEN, datasets.split_index(TEN, n_folds=5))
    return file


def test_a_written_split_is_read_back(file):
    split = datasets.split_index(TEN, n_folds=5)
    read = datasets.read_split(file)
    assert read.folds == split.folds
    there = datasets.apply_split_file(TEN, read)
    assert [one.fold for one in there.entries] == [split.folds[one.record_id] for one in TEN.entries]
    assert there.notes == (
        "folds: read from splits.csv (version 1, seed 0, "
        "stratified by labels and collections, grouped by patient)",
    )


def test_the_order_of_the_records_does_not_change_a_byte(file, tmp_path):
    turned = replace(TEN, entries=TEN.entries[::-1])
    datasets.write_split(tmp_path / "turned.csv", turned, datasets.split_index(turned, n_folds=5))
    assert (tmp_path / "turned.csv").read_bytes() == file.read_bytes()


def test_the_first_line_says_how_the_split_was_made(file):
    first, columns, *rows = file.read_text().splitlines()
    about = json.loads(first.removeprefix("# leadlight split "))
    assert columns == "record_id,patient_id,source,fold"
    assert (about["dataset"], about["version"], about["seed"], about["n_folds"]) == (
        "challenge-2021",
        1,
        0,
        5,
    )
    assert (about["records"], about["patients"]) == (10, 5)
    assert about["records_per_fold"] == dict.fromkeys("12345", 2)
    # Both worked out anew from the rows.
    cells = [row.split(",") for row in rows]
    names = "".join(f"{row[0]}\n" for row in cells)
    folds = "".join(f"{row[0]}\0{row[3]}\n" for row in cells)
    assert about["records_sha256"] == hashlib.sha256(names.encode()).hexdigest()
    assert about["sha256"] == hashlib.sha256(folds.encode()).hexdigest()


def test_other_programs_read_it(file):
    table = pd.read_csv(file, comment="#")
    assert list(table.columns) == ["record_id", "patient_id", "source", "fold"] and len(table) == 10


def test_a_plain_table_of_records_and_folds_serves_too(tmp_path):
    plain = tmp_path / "plain.csv"
    plain.write_text("fold,record_id\n" + "".join(f"{1 + n // 4},E{n:05d}\n" for n in range(10)))
    there = datasets.apply_split_file(TEN, datasets.read_split(plain))
    assert [one.fold for one in there.entries] == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    assert there.notes == ("folds: read from plain.csv",)


def test_records_that_the_file_does_not_name_are_set_aside(file):
    more = replace(TEN, entries=(*TEN.entries, entry("E00099")))
    there = datasets.apply_split_file(more, datasets.read_split(file))
    assert len(there) == 10
    assert there.set_aside == (datasets.SetAside("E00099", "not in the split file splits.csv"),)


def test_a_part_of_the_data_set_is_used_with_the_file_of_the_whole(file):
    part = replace(TEN, entries=TEN.entries[:4])
    there = datasets.apply_split_file(part, datasets.read_split(file))
    assert len(there) == 4 and there.set_aside == ()
    assert there.notes[1] == "records of splits.csv that are not here: 6 of 10"


def test_a_file_replaces_official_folds(file):
    official = replace(TEN, entries=tuple(replace(one, fold=7) for one in TEN.entries))
    folds = datasets.read_split(file).folds
    there = datasets.apply_split_file(official, datasets.read_split(file))
    assert {one.record_id: one.fold for one in there.entries} == folds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns without record_id or fold"),
        ("record_id,fold\n", "no record"),
        ("record,fold\na,1\n", "columns without record_id or fold"),
        ("record_id,fold,fold\na,1,1\n", "columns without record_id or fold"),
        ("record_id,fold\na,1\na,1\n", "line 3, record_id: found a record that stands before"),
        ("record_id,fold\na,1\nb\n", "line 3: found 1 fields; accepted: 2"),
        ("record_id,fold\n,1\n", "line 2, record_id: found nothing"),
        ("record_id,fold\na,0\n", "line 2, fold: found something else; accepted: a whole number from 1"),
        ("record_id,fold\na,1.0\n", "line 2, fold"),
        ("record_id,fold\na,-1\n", "line 2, fold"),
        ("record_id,fold\na,99999\n", "line 2, fold"),
        ("record_id,fold\na,²\n", "line 2, fold"),
        ('record_id,fold\n"a,1\n', "a comma-separated table"),
        ("record_id,patient_id,fold\na,p,1\nb,p,2\n", "1 patients in more than one fold"),
        ("# leadlight split {\nrecord_id,fold\na,1\n", "a description that cannot be read"),
        ('# leadlight split {"format": 2}\nrecord_id,fold\na,1\n', "a description that cannot be read"),
        (
            "# leadlight split " + "[" * 100_000 + "\nrecord_id,fold\na,1\n",
            "a description that cannot be read",
        ),
    ],
)
def test_files_that_are_no_split_are_refused_with_line_and_field(tmp_path, text, message):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError, match=message):
        datasets.read_split(wrong)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        datasets.read_split(tmp_path / "nowhere.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="not UTF-8"):
        datasets.read_split(tmp_path / "binary.csv")


def test_rows_that_were_changed_are_refused(file):
    lines = file.read_text().splitlines()
    lines[2] = lines[2][:-1] + str(int(lines[2][-1]) % 5 + 1)
    lines[3] = lines[3][:-1] + lines[2][-1]
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(FileFormatError, match="other records or folds than were written"):
        datasets.read_split(file)


def test_the_split_of_another_data_set_is_refused(file):
    with pytest.raises(DatasetError, match="found the split of challenge-2021; accepted: one of ptb-xl"):
        datasets.apply_split_file(replace(TEN, dataset="ptb-xl"), datasets.read_split(file))


def test_a_file_that_names_none_of_the_records_is_refused(file):
    with pytest.raises(DatasetError, match="found none of the 1 records"):
        datasets.apply_split_file(index(entry("E99999")), datasets.read_split(file))


@pytest.mark.parametrize(
    ("pair", "kind"),
    [((entry("a", "p"), entry("b", "p")), "patient"),
     ((entry("a", same_as="x"), entry("b", same_as="x")), "recording")],
)  # fmt: skip
def test_a_patient_or_a_recording_in_two_folds_is_refused_also_where_the_file_does_not_say(
    tmp_path, pair, kind
):
    parted = tmp_path / "parted.csv"
    parted.write_text("record_id,fold\na,1\nb,2\n")
    with pytest.raises(
        DatasetError, match=f"record b: found in another fold than a record of the same {kind}"
    ):
        datasets.apply_split_file(index(*pair), datasets.read_split(parted))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_but_never_crashes(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    datasets.write_split(folder / "s.csv", TEN, datasets.split_index(TEN, n_folds=5))
    content = bytearray((folder / "s.csv").read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=8))
        if not content:
            break
    (folder / "s.csv").write_bytes(content)
    try:
        read = datasets.read_split(folder / "s.csv")
        there = datasets.apply_split_file(TEN, read)
    except LeadlightError:
        return
    assert all(one.fold == read.folds[one.record_id] for one in there.entries)


@pytest.fixture
def challenge(tmp_path: Path) -> Path:
    """Twenty records of two collections, empty files in place of signals."""
    for number in range(1, 21):
        source, name = ("georgia", f"E{number:05d}") if number % 2 else ("ptb", f"S{number:04d}")
        folder = tmp_path / "data" / source / "g1"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            f"{name} 2 500 5000",
            *(f"{name}.mat 16 1000/mV 16 0 {number} 1 0 {lead}" for lead in ("I", "II")),
        ]
        (folder / f"{name}.hea").write_text(
            "\n".join([*lines, f"#Dx: {'426783006' if number < 9 else '164889003'}"])
        )
        (folder / f"{name}.mat").touch()
    return tmp_path / "data"


def run(*arguments: object) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["split", *map(str, arguments)])
    return answer.exit_code, answer.output


def test_the_command_writes_the_file_and_shows_the_counts(challenge, tmp_path):
    out = tmp_path / "splits.csv"
    code, text = run("challenge-2021", challenge, "--out", out, "--folds", 5)
    assert code == 0, text
    assert "5 folds, stratified by challenge-2021" in text
    assert f"wrote {out}" in text
    with out.open() as lines:
        next(lines)
        folds = {row["record_id"]: int(row["fold"]) for row in csv.DictReader(lines)}
    assert len(folds) == 20 and sorted(set(folds.values())) == [1, 2, 3, 4, 5]
    used = datasets.read_index("challenge-2021", challenge, splits=out)
    assert {one.record_id: one.fold for one in used.entries} == folds


def test_the_command_prints_counts_as_json(challenge, tmp_path):
    code, text = run("challenge-2021", challenge, "--out", tmp_path / "s.csv", "--folds", 4, "--json")
    assert code == 0, text
    rows = {row[""]: row for row in json.loads(text)["counts"]}
    assert rows["records"] == {
        "": "records",
        "all": 20,
        "1": 5,
        "2": 5,
        "3": 5,
        "4": 5,
        "furthest from share": "+0.0",
    }
    assert [rows["NSR"][fold] for fold in "1234"] == [2, 2, 2, 2]
    assert rows["from georgia"]["all"] == rows["from ptb"]["all"] == 10


def test_the_command_leaves_a_collection_out(challenge, tmp_path):
    out = tmp_path / "s.csv"
    code, text = run("challenge-2021", challenge, "--out", out, "--leave-out", "georgia")
    assert code == 0, text
    used = datasets.read_index("challenge-2021", challenge, splits=out)
    assert {one.source for one in used.entries if one.fold == 10} == {"georgia"}
    assert {one.source for one in used.entries if one.fold != 10} == {"ptb"}


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--leave-out", "georgi"], "Did you mean"), (["--folds", "1"], "greater than or equal to 2")],
)
def test_wrong_usage_of_the_command(challenge, tmp_path, options, message):
    code, text = run("challenge-2021", challenge, "--out", tmp_path / "s.csv", *options)
    assert code == 2 and message in text
    assert not (tmp_path / "s.csv").exists()


def test_a_file_that_is_there_is_not_replaced_unasked(challenge, tmp_path):
    out = tmp_path / "s.csv"
    out.write_text("mine")
    assert run("challenge-2021", challenge, "--out", out)[0] == 2
    assert out.read_text() == "mine"
    assert run("challenge-2021", challenge, "--out", out, "--overwrite")[0] == 0


def test_a_data_set_with_official_folds_is_split_anew_only_when_asked(ptbxl, tmp_path):
    for number in range(1, 21):
        ptbxl.add(number, strat_fold=1 + number % 10)
    ptbxl.write()
    out = tmp_path / "s.csv"
    answer = CliRunner().invoke(app, ["split", "ptb-xl", str(ptbxl.root), "--out", str(out)])
    assert answer.exit_code == 1 and "--anew" in str(answer.exception)
    code, text = run("ptb-xl", ptbxl.root, "--out", out, "--anew", "--folds", 2)
    assert code == 0, text
    assert set(datasets.read_split(out).folds.values()) == {1, 2}
