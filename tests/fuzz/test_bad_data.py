"""Each cell of the table "Bad data" in docs/datasets.md: what is refused, set aside, noted or kept."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fuzzing import originals

import leadlight as ll
from leadlight import datasets
from leadlight.errors import DatasetError, FileFormatError

DOCS = Path(__file__).parents[2] / "docs" / "datasets.md"
SETS = ("ptb-xl", "challenge-2021", "mimic-iv-ecg", "code-15", "folder")
TABLES = {
    "ptb-xl": "ptbxl_database.csv",
    "mimic-iv-ecg": "record_list.csv",
    "code-15": "exams.csv",
    "folder": "labels.csv",
}
IDS = {"ptb-xl": "ecg_id", "mimic-iv-ecg": "study_id", "code-15": "exam_id", "folder": "path"}
RATES = {"ptb-xl": 100.0, "challenge-2021": 500.0, "mimic-iv-ecg": 500.0, "code-15": 400.0, "folder": 500.0}
Files = dict[str, bytes]


@cache
def whole(name: str) -> Files:
    make = {"ptb-xl": originals.ptbxl, "challenge-2021": originals.challenge, "mimic-iv-ecg": originals.mimic,
            "code-15": originals.code15, "folder": originals.folder}[name]  # fmt: skip
    return make(None)[0].files


@dataclass
class Damaged:
    """A whole data set, to be damaged and read."""

    name: str
    files: Files

    def rows(self, file: str = "") -> list[list[str]]:
        text = self.files[file or TABLES[self.name]].decode()
        return list(csv.reader(io.StringIO(text, newline="")))

    def write(self, rows: list[list[str]], file: str = "") -> Damaged:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        return Damaged(self.name, self.files | {file or TABLES[self.name]: text.getvalue().encode()})

    def cell(self, column: str, value: str, row: int = 1, file: str = "") -> Damaged:
        rows = self.rows(file)
        rows[row][rows[0].index(column)] = value
        return self.write(rows, file)

    def header(self, old: bytes, new: bytes) -> Damaged:
        """A change in the first header of the Challenge's folder."""
        name = next(name for name in sorted(self.files) if name.endswith(".hea"))
        assert old in self.files[name]
        return Damaged(self.name, self.files | {name: self.files[name].replace(old, new)})

    def read(self, place: Path) -> datasets.DatasetIndex:
        for name, content in self.files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
        labels = {"mimic-iv-ecg": "patients.csv", "folder": "labels.csv"}.get(self.name)
        return datasets.read_published(
            self.name,
            place / "ecg" if self.name == "folder" else place,
            RATES[self.name],
            labels=place / labels if labels else None,
        )


def column_missing(one: Damaged) -> Damaged:
    at = one.rows()[0].index(IDS[one.name])
    return one.write([row[:at] + row[at + 1 :] for row in one.rows()])


def column_twice(one: Damaged) -> Damaged:
    at = one.rows()[0].index(IDS[one.name])
    return one.write([[*row, row[at]] for row in one.rows()])


def id_twice(one: Damaged) -> Damaged:
    if one.name == "challenge-2021":
        counts = originals.counts(60, 9)
        other = originals.record(counts, name="E00001", extension="mat", modifier="+24", offset=24)
        added = {"georgia/g2/E00001.hea": other["E00001.hea"], "georgia/g2/E00001.mat": b""}
        return Damaged(one.name, one.files | added)
    rows = one.rows()
    column = {
        "ptb-xl": "patient_id",
        "mimic-iv-ecg": "ecg_time",
        "code-15": "patient_id",
        "folder": "patient",
    }
    doubled = list(rows[1])
    doubled[rows[0].index(column[one.name])] = {"mimic-iv-ecg": "2170-01-01 00:00:00"}.get(one.name, "999")
    return one.write([*rows, doubled])


def row_repeated(one: Damaged) -> Damaged:
    if one.name == "challenge-2021":
        name = next(name for name in sorted(one.files) if name.endswith("E00001.hea"))
        copy = {path.replace("g1", "g2"): one.files[path] for path in (name, name.replace(".hea", ".mat"))}
        return Damaged(one.name, one.files | copy)
    return one.write([*one.rows(), one.rows()[1]])


def patient_in_two_folds(one: Damaged) -> Damaged:
    patient, fold = {"ptb-xl": ("patient_id", "strat_fold"), "folder": ("patient", "fold")}[one.name]
    for row, number in ((1, "1"), (2, "2")):
        one = one.cell(patient, "77", row).cell(fold, number, row)
    return one


def label_outside(one: Damaged) -> Damaged:
    if one.name == "challenge-2021":
        return one.header(b"#Dx: 426783006", b"#Dx: 123456789")
    if one.name == "mimic-iv-ecg":
        return one.cell("report_0", "Entirely unheard of", file="machine_measurements.csv")
    column, value = {
        "ptb-xl": ("scp_codes", "{'XYZ': 100.0}"),
        "code-15": ("AF", "maybe"),
        "folder": ("AFIB", "perhaps"),
    }[one.name]
    return one.cell(column, value)


def id_is(value: str) -> Callable[[Damaged], Damaged]:
    def change(one: Damaged) -> Damaged:
        return one.cell(IDS[one.name], value)

    return change


def age_is(value: str) -> Callable[[Damaged], Damaged]:
    def change(one: Damaged) -> Damaged:
        if one.name == "challenge-2021":
            return one.header(b"#Age: 59", f"#Age: {value}".encode())
        if one.name == "mimic-iv-ecg":
            for row in range(1, len(one.rows("patients.csv"))):
                one = one.cell("anchor_age", value, row, "patients.csv")
            return one
        return one.cell("age", value)

    return change


def sex_is_neither(one: Damaged) -> Damaged:
    if one.name == "challenge-2021":
        return one.header(b"#Sex: Male", b"#Sex: 7")
    if one.name == "mimic-iv-ecg":
        for row in range(1, len(one.rows("patients.csv"))):
            one = one.cell("gender", "7", row, "patients.csv")
        return one
    return one.cell({"ptb-xl": "sex", "code-15": "is_male", "folder": "sex"}[one.name], "7")


def row_too_short(one: Damaged) -> Damaged:
    rows = one.rows()
    return one.write([rows[0], rows[1][:-2], *rows[2:]])


def file_missing(one: Damaged) -> Damaged:
    ending = {"challenge-2021": "E00001.mat", "code-15": "part1.hdf5", "folder": "a/rec1.hea"}.get(
        one.name, ""
    )
    if one.name == "ptb-xl":
        path = one.rows()[1][one.rows()[0].index("filename_lr")].removesuffix("_lr").rpartition("/")[2]
        gone = [name for name in one.files if f"/{path}_" in name]
    elif one.name == "mimic-iv-ecg":
        gone = [name for name in one.files if f"/s{one.rows()[1][one.rows()[0].index('study_id')]}/" in name]
    else:
        gone = [name for name in one.files if name.endswith(ending)]
    assert gone
    return Damaged(one.name, {name: content for name, content in one.files.items() if name not in gone})


def table_empty(one: Damaged) -> Damaged:
    if one.name == "challenge-2021":
        return Damaged(one.name, dict.fromkeys(one.files, b""))
    return Damaged(one.name, one.files | {TABLES[one.name]: b""})


CASES: dict[str, Callable[[Damaged], Damaged]] = {
    "a column is missing": column_missing,
    "a column stands twice": column_twice,
    "one id, rows that differ": id_twice,
    "a row repeated word for word": row_repeated,
    "a patient in two folds": patient_in_two_folds,
    "a label outside the space": label_outside,
    "a date as id": id_is("2024-03-01"),
    "an id rounded to 1.2E+05": id_is("1.2E+05"),
    "age NaN": age_is("NaN"),
    "an age of 999": age_is("999"),
    "a sex that is neither": sex_is_neither,
    "a row cut short": row_too_short,
    "a file is missing": file_missing,
    "an empty table": table_empty,
}


def table(title: str) -> list[list[str]]:
    """The rows of the first table under a heading of the page, without its own heading."""
    text = DOCS.read_text(encoding="utf-8").split(f"\n{title}\n", 1)[1]
    lines = text[text.index("\n|") :].lstrip("\n").split("\n\n", 1)[0].split("\n")
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


CELLS = [
    (row[0], name, said)
    for row in table("## Bad data")
    for name, said in zip(SETS, row[1:], strict=True)
    if said != "–"
]


def test_the_table_has_every_case_and_no_other():
    assert [row[0] for row in table("## Bad data")] == list(CASES)
    assert {said for _, _, said in CELLS} <= {
        "refused", "set aside", "read once", "kept", "kept, noted", "unknown", "unknown, noted",
        "the header's",
    }  # fmt: skip


@pytest.mark.parametrize(("case", "name", "said"), CELLS, ids=lambda value: re.sub(r"\W+", "-", value))
def test_bad_data_is_treated_as_the_table_says(tmp_path, case, name, said):
    before = Damaged(name, whole(name)).read(tmp_path / "whole")
    damaged = CASES[case](Damaged(name, whole(name)))
    if said == "refused":
        with pytest.raises((DatasetError, FileFormatError), match="accepted"):
            damaged.read(tmp_path / "damaged")
        return
    after = damaged.read(tmp_path / "damaged")
    new_notes = [note for note in after.notes if note not in before.notes]
    if said == "set aside":
        assert 0 < len(after) < len(before) and not before.set_aside
        assert all(one.record_id and one.reason for one in after.set_aside)
        n_rows = 2 if case == "one id, rows that differ" and name == "challenge-2021" else 0
        assert len(after.set_aside) >= max(n_rows, len(before) - len(after))
        left = {entry.record_id for entry in after.entries}
        assert left < {entry.record_id for entry in before.entries}
        return
    assert len(after) == len(before)
    if said == "read once":
        assert after.entries == before.entries
        assert any("once" in note or "same recording" in note for note in _words(after))
    elif said.startswith("kept"):
        assert not after.set_aside
        assert sum(map(len, (e.statements for e in after.entries))) > 0
        codes = {one.code for entry in after.entries for one in entry.statements}
        assert codes & {"XYZ", "123456789", "Entirely unheard of"}
    elif said.startswith("unknown"):
        changed = "sex" if "sex" in case else "age"
        values = [getattr(entry, changed) for entry in after.entries]
        assert None in values and None not in [getattr(entry, changed) for entry in before.entries]
    else:
        assert said == "the header's"
        assert after.entries[0].age == 59 != before.entries[0].age
    assert bool(new_notes) >= said.endswith("noted")


def _words(index: datasets.DatasetIndex) -> list[str]:
    return [*index.notes, *(one.reason for one in index.set_aside)]


# Damaged files of signals


@pytest.fixture(scope="module")
def simulated() -> Files:
    return originals.simulated("ptb-xl", 4)


@pytest.mark.parametrize(
    "fault", ["cut short", "a bit turned", "a header of a rate of 0", "a header of bytes"]
)
def test_a_record_that_cannot_be_read_is_refused_and_set_aside_when_preparing(tmp_path, simulated, fault):
    from leadlight.store import prepare, verify

    root = tmp_path / "set"
    for name, content in simulated.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    header = next(iter(sorted((root / "records100").rglob("*.hea"))))
    data = header.with_suffix(".dat")
    content = data.read_bytes()
    if fault == "cut short":
        data.write_bytes(content[:-10])
    elif fault == "a bit turned":
        data.write_bytes(content[:500] + bytes([content[500] ^ 4]) + content[501:])
    elif fault == "a header of a rate of 0":
        header.write_text(header.read_text().replace(" 12 100 ", " 12 0 ", 1))
    else:
        header.write_bytes(b"\x00\xff" * 30)
    with pytest.raises(FileFormatError, match="accepted"):
        ll.read(header)
    store = prepare("ptb-xl", root, tmp_path / "store", sampling_rate=100, workers=1)
    assert len(store) == 3
    (aside,) = store.description["set_aside"]
    assert "found" in str(aside), aside
    assert store.index["record_id"].tolist() == ["2", "3", "4"]
    assert all(check.passed for check in verify(tmp_path / "store"))
    assert np.isfinite(store.signals(slice(None))).all()
    shutil.rmtree(root)
