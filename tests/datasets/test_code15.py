"""CODE-15%: exams.csv and its HDF5 parts, and the Challenge 2025's WFDB records."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import leadlight as ll
from leadlight import datasets
from leadlight.datasets import code15_rows
from leadlight.errors import DatasetError, FileFormatError, LeadlightError
from leadlight.recording import Patient, Recording, Statement

COLUMNS = (
    "exam_id", "age", "is_male", "nn_predicted_age", "1dAVb", "RBBB", "LBBB", "SB", "ST", "AF",
    "patient_id", "death", "timey", "normal_ecg", "trace_file",
)  # fmt: skip
LABELS = ("1dAVb", "RBBB", "LBBB", "SB", "AF", "ST")


class CodeFolder:
    """A folder in CODE-15%'s layout, filled exam by exam and then read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.columns = list(COLUMNS)
        self.rows: list[dict[str, object]] = []
        self.parts: dict[str, list[int]] = {}

    def add(self, exam_id: object, part: str = "exams_part0.hdf5", stored: bool = True, **cells: object):
        usual = dict.fromkeys(LABELS, "False") | {
            "exam_id": exam_id, "age": 50, "is_male": "True", "nn_predicted_age": 48.25, "patient_id": 7,
            "death": "False", "timey": 2.5, "normal_ecg": "True", "trace_file": part,
        }  # fmt: skip
        self.rows.append(usual | {name.removeprefix("_"): value for name, value in cells.items()})
        if stored:
            self.parts.setdefault(part, []).append(int(str(exam_id)))
        return self

    def write(self) -> Path:
        with (self.root / "exams.csv").open("w", newline="", encoding="utf-8") as lines:
            table = csv.DictWriter(lines, self.columns, extrasaction="ignore")
            table.writeheader()
            table.writerows(self.rows)
        for name, exams in self.parts.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with h5py.File(path, "w") as file:
                values = (
                    np.random.default_rng(0).uniform(0.1, 1, (len(exams) + 1, 200, 12)).astype(np.float32)
                )
                values[:, :50] = values[:, -50:] = 0
                values[-1] = 0
                file["tracings"] = values
                file["exam_id"] = np.array([*exams, 0])
        return self.root

    def read(self, sampling_rate: float = 400.0) -> datasets.DatasetIndex:
        return datasets.read_published("code-15", self.write(), sampling_rate)


@pytest.fixture
def code(tmp_path: Path) -> CodeFolder:
    return CodeFolder(tmp_path)


def reasons(index):
    return {one.record_id: one.reason for one in index.set_aside}


def noted(index, words):
    return [note for note in index.notes if words in note]


# exams.csv and its parts


def test_an_exam_becomes_an_entry_that_names_part_and_row(code):
    code.add(5).add(1169160, AF="True", normal_ecg="False", is_male="False", age=53, patient_id=523632)
    entry = code.read().entries[1]
    assert entry == datasets.RecordEntry(
        record_id="1169160",
        patient_id="523632",
        path="exams_part0.hdf5",
        number=1,
        file_sampling_rate=400.0,
        age=53.0,
        sex="female",
        statements=(
            Statement("1dAVb", "code-15", 0.0),
            Statement("RBBB", "code-15", 0.0),
            Statement("LBBB", "code-15", 0.0),
            Statement("SB", "code-15", 0.0),
            Statement("AF", "code-15", None),
            Statement("ST", "code-15", 0.0),
            Statement("normal_ecg", "code-15", 0.0),
        ),
        source="code-15",
        columns={"nn_predicted_age": 48.25, "death": 0.0, "timey": 2.5},
    )


def test_the_six_labels_are_classes_of_their_space(code):
    code.add(1).add(2, _1dAVb="True", LBBB="True").add(3, ST="1", RBBB="0")
    space = ll.labels.space("code-15")
    targets = space.encode([entry.statements for entry in code.read().entries])
    assert targets.known.all()
    assert [[code for code, on in zip(space.codes, row, strict=True) if on] for row in targets.values] == [
        [],
        ["1dAVb", "LBBB"],
        ["ST"],
    ]


def test_entries_stand_in_the_order_of_parts_and_rows_so_that_reading_is_fast(code):
    code.add(4, "exams_part10.hdf5").add(9, "exams_part2.hdf5").add(1, "exams_part2.hdf5").add(
        2, "exams_part10.hdf5"
    )
    index = code.read()
    assert [(entry.path, entry.number) for entry in index.entries] == [
        ("exams_part2.hdf5", 0), ("exams_part2.hdf5", 1), ("exams_part10.hdf5", 0), ("exams_part10.hdf5", 1),
    ]  # fmt: skip
    assert [entry.record_id for entry in index.entries] == ["9", "1", "4", "2"]


def test_parts_may_lie_in_folders_of_their_own(code):
    code.add(1, "exams_part0.hdf5", stored=False).parts = {"exams_part0/exams_part0.hdf5": [1]}
    assert code.read().entries[0].path == "exams_part0/exams_part0.hdf5"


def test_a_part_that_stands_twice_is_refused(code):
    code.add(1).parts = {"exams_part0.hdf5": [1], "copy/exams_part0.hdf5": [1]}
    with pytest.raises(DatasetError, match=r"exams_part0\.hdf5 twice"):
        code.read()


def test_exams_of_missing_parts_are_set_aside_and_the_parts_named(code):
    index = code.add(1).add(2, "exams_part3.hdf5", stored=False).read()
    assert reasons(index) == {"2": "missing: exams_part3.hdf5"}
    assert noted(index, "parts that are not there: exams_part3.hdf5")


def test_exams_of_a_part_that_cannot_be_read_are_set_aside(code):
    code.add(1).add(2, "exams_part3.hdf5", stored=False).write()
    (code.root / "exams_part3.hdf5").write_bytes(b"not HDF5")
    index = datasets.read_published("code-15", code.root)
    assert reasons(index) == {"2": "exams_part3.hdf5 cannot be read"}
    assert noted(index, "exams_part3.hdf5 cannot be read: file: found no HDF5 signature")


def test_exams_that_their_part_lacks_or_holds_twice_are_set_aside(code):
    code.add(1).add(2, stored=False).add(3)
    code.parts["exams_part0.hdf5"] += [3, 44]
    index = code.read()
    assert reasons(index) == {
        "2": "not in exams_part0.hdf5, which exams.csv names",
        "3": "stands in several rows of exams_part0.hdf5",
    }
    assert noted(index, "no row in exams.csv to use, passed over: 1")


def test_the_row_of_zeros_at_the_end_of_a_part_is_no_record(code):
    index = code.add(1).add(2, "exams_part1.hdf5").read()
    assert len(index) == 2 and noted(index, "without an exam (0), passed over: 2")


def test_a_row_twice_is_read_once_and_rows_that_differ_are_set_aside(code):
    index = code.add(1).add(1, stored=False).add(2).add(2, stored=False, AF="True").read()
    assert [entry.record_id for entry in index.entries] == ["1"]
    assert reasons(index) == {"2": "stands in several rows of exams.csv that differ"}
    assert noted(index, "repeat another, read once: 1")


@pytest.mark.parametrize(
    ("cell", "value", "reason"),
    [
        ("patient_id", "", "patient_id is not a whole number"),
        ("patient_id", "1.2E+05", "patient_id is not a whole number"),
        ("AF", "maybe", "AF is neither true nor false"),
        ("AF", "", "AF is neither true nor false"),
        ("RBBB", "2", "RBBB is neither true nor false"),
        ("normal_ecg", "7", "normal_ecg is neither true nor false nor empty"),
        ("trace_file", "../exams_part0.hdf5", "trace_file is not the name of an HDF5 file"),
        ("trace_file", "/etc/passwd", "trace_file is not the name of an HDF5 file"),
    ],
)
def test_a_row_that_cannot_be_trusted_is_set_aside(code, cell, value, reason):
    index = code.add(1).add(2, **{cell: value}).read()
    assert [entry.record_id for entry in index.entries] == ["1"]
    assert reasons(index)["2"].startswith(reason)


def test_a_date_as_id_and_a_row_of_another_length_are_set_aside_by_their_place(code):
    code.add(1).add("2016-03-01", stored=False).write()
    with (code.root / "exams.csv").open("a") as table:
        table.write("3,50\n")
    index = datasets.read_published("code-15", code.root)
    assert reasons(index) == {
        "row 2": "exam_id is not a whole number from 1 up",
        "row 3": "has 2 fields where the header has 15",
    }


def test_what_is_odd_but_no_reason_to_leave_a_record_out_is_noted(code):
    code.add(1, age=200, is_male="?", death="", timey="", normal_ecg="", nn_predicted_age="x")
    (entry,) = code.read().entries
    assert (entry.age, entry.sex) == (None, None)
    assert entry.columns == {"nn_predicted_age": None, "death": None, "timey": None}
    assert {one.code for one in entry.statements} == set(LABELS)
    assert entry.notes == (
        "age is not a number from 0 to 120, taken as unknown",
        "is_male is neither true nor false, sex taken as unknown",
        "nn_predicted_age is not a number, taken as missing",
    )


def test_a_table_without_a_label_is_refused_by_name(code):
    code.columns.remove("AF")
    with pytest.raises(FileFormatError, match="missing or twice: AF"):
        code.add(1).read()


def test_a_folder_of_neither_form_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"found no exams\.csv and no WFDB records"):
        datasets.read_index("code-15", tmp_path)


def test_nothing_left_is_refused_with_an_example(code):
    with pytest.raises(
        DatasetError, match=r"no record to use; 1 set aside, for example 1: missing: exams_part0"
    ):
        code.add(1, stored=False).read()


def test_chagas_labels_beside_the_data_are_joined_by_exam(code):
    code.add(1).add(2).add(3).add(4).write()
    table = code.root / "code15_chagas_labels.csv"
    table.write_text("exam_id,patient_id,chagas\n1,7,True\n2,7,False\n3,7,True\n3,7,False\nx,7,True\n")
    index = datasets.read_published("code-15", code.root)
    stated = [[one.likelihood for one in entry.statements if one.code == "Chagas"] for entry in index.entries]
    assert stated == [[None], [0.0], [], []]
    assert noted(
        index, "Chagas labels from code15_chagas_labels.csv: 2 exams; rows without an exam or a label"
    )


def test_the_folds_are_leadlights_and_keep_patients_together(code):
    for exam in range(1, 60):
        code.add(exam, patient_id=exam // 3)
    index = datasets.read_index("code-15", code.write())
    folds: dict[str, set[int | None]] = {}
    for entry in index.entries:
        folds.setdefault(entry.patient_id, set()).add(entry.fold)
    assert all(len(of) == 1 and None not in of for of in folds.values())


def test_a_folder_of_either_form_is_recognised(code, tmp_path):
    assert datasets.detect(code.add(1).write()) == "code-15"
    (tmp_path / "wfdb").mkdir()
    wfdb_record(tmp_path / "wfdb", 1)
    assert datasets.detect(tmp_path / "wfdb") == "code-15"


CELLS = st.sampled_from(
    ["", "True", "False", "1", "0", "1.0", "nan", "-1", "1e9", "٣", "1_0", "a,b", '"', "\0", "2016-01-01"]
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_the_cells_is_read_or_named(code, data):
    code.rows.clear()
    code.parts.clear()
    code.add(1)
    for exam in range(2, 6):
        code.add(exam, **data.draw(st.dictionaries(st.sampled_from(COLUMNS[1:]), CELLS, max_size=3)))
    try:
        index = code.read()
    except LeadlightError:
        return
    assert len(index) + len(index.set_aside) == 5
    for entry in index.entries:
        assert entry.patient_id.isdigit() and {one.code for one in entry.statements} >= set(LABELS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_table_is_read_or_refused(code, data):
    code.rows.clear()
    code.parts.clear()
    content = bytearray((code.add(1).add(2, AF="True").write() / "exams.csv").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (code.root / "exams.csv").write_bytes(content)
    try:
        index = datasets.read_published("code-15", code.root)
    except LeadlightError:
        return
    assert 1 <= len(index) <= 2


# WFDB records


def wfdb_record(
    folder: Path, exam: int, *comments: str, patient: str | None = "12", pad: int = 0, name: str = ""
) -> None:
    signal = np.random.default_rng(exam).uniform(0.1, 1, (12, 400)).astype(np.float32)
    signal[:, :pad] = 0
    signal[:, signal.shape[1] - pad :] = 0
    who = Patient(patient, 40.0, "male")
    header = ll.write(Recording(signal, ll.leads.STANDARD_LEADS, 400, who), folder / (name or str(exam)))
    with header.open("a") as text:
        text.write("".join(f"# {one}\n" for one in comments or (f"Exam ID: {exam}", "Chagas label: True")))


def test_a_header_of_the_challenge_2025_becomes_an_entry(tmp_path):
    wfdb_record(tmp_path, 17)
    (entry,) = datasets.read_published("code-15", tmp_path, 400).entries
    assert entry == datasets.RecordEntry(
        record_id="17", patient_id="12", path="17", file_sampling_rate=400.0, age=40.0, sex="male",
        statements=(Statement("Chagas", "challenge-2025", None),), source="code-15", zero_padded=True,
    )  # fmt: skip


def test_a_label_of_false_states_that_chagas_is_absent(tmp_path):
    wfdb_record(tmp_path, 1, "Exam ID: 1", "Chagas label: False")
    wfdb_record(tmp_path, 2, "Exam ID: 2", "Chagas label: Unknown")
    wfdb_record(tmp_path, 3, "Exam ID: 3", "Chagas label: perhaps")
    one, two, three = datasets.read_published("code-15", tmp_path).entries
    assert one.statements == (Statement("Chagas", "challenge-2025", 0.0),)
    assert two.statements == three.statements == ()
    assert three.notes == ("the header's chagas label was not understood",)


def test_exams_csv_beside_the_records_adds_its_labels(code):
    code.add(17, stored=False, LBBB="True", patient_id=12, normal_ecg="False").write()
    wfdb_record(code.root, 17)
    wfdb_record(code.root, 18)
    index = datasets.read_published("code-15", code.root)
    first, second = index.entries
    assert [one.code for one in first.statements if one.likelihood is None] == ["LBBB", "Chagas"]
    assert first.columns["nn_predicted_age"] == 48.25 and first.number is None
    assert [one.code for one in second.statements] == ["Chagas"]
    assert noted(index, "found in exams.csv by their exam: 1 of 2")


def test_header_and_table_that_name_different_patients_are_set_aside(code):
    code.add(17, stored=False, patient_id=99).write()
    wfdb_record(code.root, 17)
    wfdb_record(code.root, 18)
    index = datasets.read_published("code-15", code.root)
    assert reasons(index) == {"17": "header and exams.csv name different patients"}


def test_a_record_without_a_patient_is_one_of_its_own(tmp_path):
    wfdb_record(tmp_path, 5, "Chagas label: True", "Source: CODE-15%", patient=None)
    (entry,) = datasets.read_published("code-15", tmp_path).entries
    assert (entry.record_id, entry.patient_id) == ("5", "record 5")
    assert entry.notes == ("no patient is stated, taken as a patient of its own",)


def test_other_collections_in_the_same_form_keep_their_names_apart(tmp_path):
    wfdb_record(tmp_path, 5)
    wfdb_record(tmp_path, 6, "Exam ID: 5", "Chagas label: True", "Source: SaMi-Trop", name="st5")
    index = datasets.read_published("code-15", tmp_path)
    assert [(one.record_id, one.patient_id, one.source) for one in index.entries] == [
        ("5", "12", "code-15"), ("sami-trop/5", "sami-trop/12", "sami-trop"),
    ]  # fmt: skip


def test_an_exam_that_stands_twice_and_a_broken_header_are_set_aside(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        wfdb_record(tmp_path / folder, 5)
    (tmp_path / "a" / "6.hea").write_text("6 12 0 100\n")
    index = datasets.read_published("code-15", tmp_path)
    assert [entry.path for entry in index.entries] == ["a/5"]
    assert reasons(index)["b/5"] == "the same exam as a/5"
    assert "sampling rate" in reasons(index)["a/6"]


def test_numbers_are_read_as_a_data_set_writes_them():
    assert [code15_rows.whole(text) for text in ("5", " 5.0 ", "5.5", "1e3", "-5", "", "٥")] == [
        5, 5, None, None, None, None, None,
    ]  # fmt: skip
    assert code15_rows.truth("TRUE") is True and code15_rows.truth("0") is False
    assert code15_rows.truth("yes") is None


@pytest.mark.real
def test_the_24_real_records_are_read_with_what_their_headers_state(real_data):
    index = datasets.read_published("code-15", real_data / "code-15", 400)
    assert len(index) == 24 and not index.set_aside
    assert {entry.file_sampling_rate for entry in index.entries} == {400.0}
    assert {entry.statements for entry in index.entries} == {(Statement("Chagas", "challenge-2025", 0.0),)}
    assert sum(entry.sex == "female" for entry in index.entries) == 19
    for entry in index.entries:
        text = (real_data / "code-15" / f"{entry.path}.hea").read_text()
        assert f"# Exam ID: {entry.record_id}\n" in text and f"# Patient ID: {entry.patient_id}\n" in text
        assert f"# Age: {entry.age:g}\n" in text


@pytest.mark.parametrize("form", ["parts", "records"])
def test_a_store_holds_the_tracings_without_their_padding(code, tmp_path, form):
    from leadlight.store import prepare

    if form == "parts":
        code.add(1).add(2, AF="True").write()
        n_samples, note = 100, "zero padding removed: 50 samples before, 50 after"
    else:
        wfdb_record(code.root, 1, pad=30)
        wfdb_record(code.root, 2, pad=30)
        n_samples, note = 340, "zero padding removed: 30 samples before, 30 after"
    store = prepare("code-15", code.root, tmp_path / "store", 400, workers=1)
    assert len(store) == 2 and store.description["n_samples"] == n_samples
    index = pq.read_table(tmp_path / "store" / "index.parquet")
    assert all(note in notes for notes in index["notes"].to_pylist())
