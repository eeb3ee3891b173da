"""MIMIC-IV-ECG's index, in the documented layout: what is read, what is set aside, what is refused.

No recording and no row of the data set is here: the tables are written by hand.
"""

from __future__ import annotations

import csv
import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import leadlight
from leadlight import datasets
from leadlight.errors import DatasetError, FileFormatError
from leadlight.recording import Statement

LIST = ["subject_id", "study_id", "file_name", "ecg_time", "path"]
MEASUREMENTS = (
    ["subject_id", "study_id", "cart_id", "ecg_time"]
    + [f"report_{k}" for k in range(18)]
    + ["bandwidth", "filtering", "rr_interval", "p_onset", "p_end", "qrs_onset", "qrs_end", "t_end"]
    + ["p_axis", "qrs_axis", "t_axis"]
)
TIME = "2180-07-23 08:44:00"
ONE, TWO = (10000032, 40689238), (10000117, 44458630)


class MimicFolder:
    """A folder that is filled record by record and then read; record folders are empty."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.listed: list[dict[str, object]] = []
        self.measured: list[dict[str, object]] = []
        self.list_columns = list(LIST)
        self.columns = list(MEASUREMENTS)

    def list(self, subject: object, study: object, *, folder: bool = True, **cells: object) -> MimicFolder:
        path = f"files/p{str(subject)[:4]}/p{subject}/s{study}/{study}"
        usual = {"subject_id": subject, "study_id": study, "file_name": study, "ecg_time": TIME, "path": path}
        self.listed.append(usual | cells)
        if folder:
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        return self

    def measure(self, subject: object, study: object, *reports: str, **cells: object) -> MimicFolder:
        usual = {
            "subject_id": subject, "study_id": study, "cart_id": 6848296, "ecg_time": TIME,
            "bandwidth": "0.005-150 Hz", "filtering": "60 Hz notch Baseline filter", "rr_interval": 810,
            "p_onset": 40, "p_end": 150, "qrs_onset": 190, "qrs_end": 284, "t_end": 580, "p_axis": 55,
            "qrs_axis": 30, "t_axis": 40,
        }  # fmt: skip
        words = dict(zip(MEASUREMENTS[4:22], reports, strict=False))
        self.measured.append(dict.fromkeys(MEASUREMENTS, "") | usual | words | cells)
        return self

    def add(self, subject: object, study: object, *reports: str, **cells: object) -> MimicFolder:
        return self.list(subject, study).measure(subject, study, *(reports or ("Sinus rhythm",)), **cells)

    def write(self) -> Path:
        self.table("record_list.csv", self.list_columns, self.listed)
        self.table("machine_measurements.csv", self.columns, self.measured)
        return self.root

    def table(self, name: str, columns: list[str], rows: list[dict[str, object]]) -> None:
        with (self.root / name).open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, columns, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def read(self, sampling_rate: float = 500.0, **options: object) -> datasets.DatasetIndex:
        return mimic_index(self.write(), sampling_rate, **options)


def mimic_index(root: Path, sampling_rate: float = 500.0, **options: object) -> datasets.DatasetIndex:
    from leadlight.datasets import mimic_iv_ecg

    # The reader alone: folds are assigned by leadlight.datasets.read_index.
    return mimic_iv_ecg.read_index(root, sampling_rate, **options)


@pytest.fixture
def mimic(tmp_path: Path) -> MimicFolder:
    return MimicFolder(tmp_path)


def reasons(index):
    return {one.record_id: one.reason for one in index.set_aside}


def noted(index, words):
    return [note for note in index.notes if words in note]


# What is read


def test_a_record_is_joined_from_both_tables(mimic):
    mimic.add(*ONE, " Sinus rhythm ", "Inferior infarct, old", "", "Abnormal ECG")
    (entry,) = mimic.read().entries
    assert entry == datasets.RecordEntry(
        record_id="40689238",
        patient_id="10000032",
        path="files/p1000/p10000032/s40689238/40689238",
        file_sampling_rate=500.0,
        statements=(
            Statement("Sinus rhythm", "mimic-report", None),
            Statement("Inferior infarct, old", "mimic-report", None),
            Statement("Abnormal ECG", "mimic-report", None),
        ),
        source="mimic-iv-ecg",
        columns={
            "rr_interval": 810.0, "p_onset": 40.0, "p_end": 150.0, "qrs_onset": 190.0, "qrs_end": 284.0,
            "t_end": 580.0, "p_axis": 55.0, "qrs_axis": 30.0, "t_axis": 40.0, "heart_rate": 60_000 / 810,
            "pr_interval": 150.0, "qrs_duration": 94.0, "qt_interval": 390.0, "qtc_bazett": 390 / 0.9,
            "qtc_fridericia": pytest.approx(418.37873, abs=1e-4), "bandwidth": "0.005-150 Hz",
            "filtering": "60 Hz notch Baseline filter", "cart_id": "6848296", "recorded": TIME, "note": None,
        },
    )  # fmt: skip
    assert entry.same_as == "" and entry.fold is None


def test_every_column_is_declared_with_its_kind(mimic):
    index = mimic.add(*ONE).read()
    assert set(index.columns) == set(index.entries[0].columns)
    kinds = {
        name: {float: "number", str: "text"}.get(type(value))
        for name, value in index.entries[0].columns.items()
    }
    assert {name: kind for name, kind in kinds.items() if kind} == {
        name: kind for name, kind in index.columns.items() if name != "note"
    }
    assert index.columns["note"] == "text"


def test_equal_statements_are_one_object(mimic):
    mimic.add(*ONE, "Sinus rhythm").add(*TWO, "", "Sinus rhythm  ")
    first, second = mimic.read().entries
    assert first.statements[0] is second.statements[0]


def test_real_statements_come_through_the_table_word_for_word(mimic, reference):
    with (reference / "xplaim" / "data" / "mimic_report_phrases.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        phrases = [row["phrase"] for row in csv.DictReader(file)]
    for first in range(0, len(phrases), 18):
        mimic.add(10000032, 40_000_001 + first, *phrases[first : first + 18])
    read = [statement.code for entry in mimic.read().entries for statement in entry.statements]
    assert read == [phrase.strip() for phrase in phrases] and len(read) == 724


def test_entries_stand_in_the_order_of_the_record_list(mimic):
    mimic.list(*TWO).list(*ONE).measure(*ONE, "a").measure(*TWO, "b")
    assert [(e.record_id, e.statements[0].code) for e in mimic.read().entries] == [
        ("44458630", "b"),
        ("40689238", "a"),
    ]


def test_the_record_lists_time_is_the_right_one_and_others_are_counted(mimic):
    index = mimic.add(*ONE, ecg_time="2180-07-23 09:10:00").add(*TWO).read()
    assert index.entries[0].columns["recorded"] == TIME
    assert noted(index, "ecg_time differs") == [
        "ecg_time differs between record_list.csv, which is read, and machine_measurements.csv: 1 records"
    ]


def test_a_time_that_is_none_is_unknown_and_counted(mimic):
    mimic.list(*ONE, ecg_time="yesterday").measure(*ONE, "Sinus rhythm")
    index = mimic.list(*TWO, ecg_time="2180-02-30 08:00:00").measure(*TWO, "Sinus rhythm").read()
    assert [entry.columns["recorded"] for entry in index.entries] == [None, None]
    assert noted(index, "ecg_time is no time in record_list.csv, taken as unknown: 2 records")


def test_without_measurements_the_records_come_without_labels(mimic):
    mimic.add(*ONE).write()
    (mimic.root / "machine_measurements.csv").unlink()
    index = mimic_index(mimic.root)
    (entry,) = index.entries
    assert (
        entry.statements == () and entry.columns["rr_interval"] is None and entry.columns["recorded"] == TIME
    )
    assert noted(index, "machine_measurements.csv is missing")


def test_a_record_that_the_carts_table_lacks_is_kept_and_noted(mimic):
    index = mimic.add(*ONE).list(*TWO).read()
    assert index.entries[1].notes == ("no row in machine_measurements.csv: no report and no measurements",)
    assert noted(index, "no row in machine_measurements.csv: no report and no measurements: 1 of 2 records")


def test_a_row_that_the_record_list_lacks_is_counted(mimic):
    index = mimic.add(*ONE).measure(*TWO, "Sinus rhythm").read()
    assert len(index) == 1 and not index.set_aside
    assert noted(index, "without a usable record, left out: 1")


def test_an_empty_report_is_noted(mimic):
    (entry,) = mimic.list(*ONE).measure(*ONE, "", " ").read().entries
    assert entry.statements == () and entry.notes == ("the cart's report is empty",)


def test_rows_that_repeat_another_are_read_once(mimic):
    index = mimic.add(*ONE).add(*ONE).add(*TWO).read()
    assert len(index) == 2 and not index.set_aside
    assert noted(index, "rows of record_list.csv that repeat another, read once: 1")
    assert noted(index, "rows of machine_measurements.csv that repeat another, read once: 1")


def test_sentinels_are_missing_and_counted(mimic):
    index = (
        mimic.add(*ONE, p_onset=29999, p_end=29999, p_axis=29999).add(*TWO, qrs_axis=999, p_end=29999).read()
    )
    assert index.entries[0].columns["pr_interval"] is None and index.entries[1].columns["qrs_axis"] is None
    assert noted(index, "measurement p_end, taken as missing in 2 rows: not measured 2")
    assert noted(index, "measurement qrs_axis, taken as missing in 2 rows: impossible 1")


def test_columns_may_stand_in_any_order_and_others_beside_them(mimic):
    mimic.add(*ONE)
    mimic.columns = ["comment", *reversed(MEASUREMENTS)]
    mimic.list_columns = [*reversed(LIST), "own"]
    (entry,) = mimic.read().entries
    assert entry.columns["qrs_duration"] == 94 and entry.statements[0].code == "Sinus rhythm"


def test_the_note_of_the_cardiologist_is_linked(mimic):
    third, fourth = (10000980, 41000001), (10000980, 41000002)
    mimic.add(*ONE).add(*TWO).add(*third).add(*fourth)
    names = ["subject_id", "study_id", "waveform_path", "note_id", "note_seq", "charttime"]
    links = [
        (*ONE, "10000032-EK-1"),
        (*TWO, "10000032-EK-2"),  # names another patient
        (*third, "10000980-EK-1"),
        (*third, "10000980-EK-2"),  # several notes
        (10000032, 41000002, "10000032-EK-9"),  # another patient's
        (10000032, 49999999, "10000032-EK-9"),  # no such record here
    ]
    rows = [dict(zip(("subject_id", "study_id", "note_id"), link, strict=True)) for link in links]
    mimic.table("waveform_note_links.csv", names, rows)
    index = mimic.read()
    assert [entry.columns["note"] for entry in index.entries] == ["10000032-EK-1", None, None, None]
    assert noted(index, "links to another patient, left out: 2") and noted(
        index, "several notes, left out: 1"
    )


def test_the_index_of_a_part_says_so(mimic):
    index = mimic.add(*ONE).read(100)
    assert index.version == "part of 1.0" and noted(index, "version: part of 1.0 (1 records of 800,035)")
    assert noted(index, "to be resampled to 100 Hz")


def test_an_index_crosses_to_another_process_whole(mimic):
    index = mimic.add(*ONE).add(*TWO).read()
    assert pickle.loads(pickle.dumps(index)) == index


# What is set aside


@pytest.mark.parametrize("study", ["2180-07-23", "40689238.0", "4068923", "-4068923", "", "٤٠٦٨٩٢٣٨"])
def test_a_study_id_that_is_none_sets_its_row_aside(mimic, study):
    index = mimic.add(*ONE).list(TWO[0], study, folder=False).read()
    assert len(index) == 1
    assert reasons(index) == {"row 2": "study_id is not a whole number of eight digits"}


def test_a_malformed_study_id_of_the_carts_table_is_set_aside_by_its_row(mimic):
    index = mimic.add(*ONE).measure(TWO[0], "2180-07-23", "Sinus rhythm").read()
    assert reasons(index) == {
        "row 2 of machine_measurements.csv": "study_id is not a whole number of eight digits"
    }


@pytest.mark.parametrize("subject", ["2180-07-23", "10000117.0", ""])
def test_a_subject_id_that_is_none_sets_its_record_aside(mimic, subject):
    index = mimic.add(*ONE).list(subject, TWO[1], folder=False).read()
    assert reasons(index) == {"44458630": "subject_id is not a whole number of eight digits"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../44458630", "path is not a path inside the data set's folder"),
        ("/files/p1000/p10000117/s44458630/44458630", "path is not a path inside the data set's folder"),
        ("files/../p1000/p10000117/s44458630/44458630", "path is not a path inside the data set's folder"),
        ("files\\p1000\\44458630", "path is not a path inside the data set's folder"),
        ("files/p1000/p10000032/s44458630/44458630", "path is not the one of its own patient and study"),
        ("files/p1000/p10000117/s44458630/40689238", "path is not the one of its own patient and study"),
        ("files/p1001/p10000117/s44458630/44458630", "path is not the one of its own patient and study"),
    ],
)  # fmt: skip
def test_a_path_that_is_not_the_records_own_sets_it_aside(mimic, path, reason):
    index = mimic.add(*ONE).list(*TWO, path=path).read()
    assert reasons(index) == {"44458630": reason}


def test_a_study_in_rows_that_differ_is_set_aside(mimic):
    index = mimic.add(*ONE).add(*TWO).list(*TWO, ecg_time="2181-01-01 00:00:00").read()
    assert reasons(index) == {"44458630": "stands in several rows that differ"}


def test_a_study_with_two_reports_is_set_aside(mimic):
    index = mimic.add(*ONE).add(*TWO, "Sinus rhythm").measure(*TWO, "Atrial fibrillation").read()
    assert reasons(index) == {"44458630": "stands in several rows of machine_measurements.csv that differ"}


def test_a_study_that_the_tables_give_to_two_patients_is_set_aside(mimic):
    index = mimic.add(*ONE).list(*TWO).measure(ONE[0], TWO[1], "Sinus rhythm").read()
    assert reasons(index) == {
        "44458630": "subject_id differs between record_list.csv and machine_measurements.csv"
    }


def test_a_report_without_end_sets_its_record_aside(mimic):
    index = mimic.add(*ONE).add(*TWO, "x" * 500).read()
    assert reasons(index) == {"44458630": "machine_measurements.csv: a report is longer than 400 characters"}


def test_a_broken_line_spoils_no_other(mimic):
    mimic.add(*ONE).add(*TWO).write()
    for name, fields in (("record_list.csv", 5), ("machine_measurements.csv", 33)):
        file = mimic.root / name
        header, first, second = file.read_text().splitlines()
        file.write_text("\n".join([header, first[:30], '"' + first, "", first, second]) + "\n")
        index = mimic_index(mimic.root)
        assert [entry.record_id for entry in index.entries] == ["40689238", "44458630"]
        place = "" if name == "record_list.csv" else f" of {name}"
        assert reasons(index)[f"row 2{place}"] == "has quotation marks that do not belong together"
        assert reasons(index)[f"row 1{place}"].endswith(f"fields where the header has {fields}")
        mimic.write()


def test_records_whose_folder_is_missing_are_set_aside(mimic):
    mimic.add(*ONE).list(10000032, 40000001, folder=False).list(10000033, 40000002, folder=False)
    index = mimic.list(12000000, 40000003, folder=False).read()
    assert reasons(index) == {
        "40000001": "missing: folder files/p1000/p10000032/s40000001",
        "40000002": "missing: folder files/p1000/p10000033",
        "40000003": "missing: folder files/p1200",
    }
    assert noted(index, "records of record_list.csv that are not in this folder: 3")


def test_nothing_of_the_patient_stands_in_reasons_and_notes(mimic):
    mimic.add(*ONE).list("1234567x", TWO[1], folder=False).add(10000980, 41000001, "secret words " * 60)
    index = mimic.read()
    told = " ".join([*index.notes, *reasons(index).values()])
    assert "1234567x" not in told and "secret" not in told


# What is refused


@pytest.mark.parametrize("column", ["subject_id", "study_id", "ecg_time", "path"])
def test_a_record_list_without_a_column_is_refused(mimic, column):
    mimic.add(*ONE).list_columns.remove(column)
    with pytest.raises(
        FileFormatError, match=f"record_list.csv, line 1, columns: found missing or twice: {column} "
    ):
        mimic.read()


@pytest.mark.parametrize("column", ["study_id", "report_17", "filtering", "t_axis"])
def test_measurements_without_a_column_are_refused(mimic, column):
    mimic.add(*ONE).columns.remove(column)
    with pytest.raises(FileFormatError, match=f"machine_measurements.csv.*missing or twice: {column} "):
        mimic.read()


def test_an_empty_table_is_refused(mimic):
    mimic.add(*ONE).write()
    (mimic.root / "record_list.csv").write_text("\n\n")
    with pytest.raises(FileFormatError, match="0 comma-separated columns"):
        mimic_index(mimic.root)


def test_a_line_without_end_is_refused_before_it_is_read(mimic):
    mimic.add(*ONE).write()
    with (mimic.root / "record_list.csv").open("a") as file:
        file.write("1" * 100_000)
    with pytest.raises(FileFormatError, match=r"line 3: found more than 20,000 characters"):
        mimic_index(mimic.root)


def test_no_record_left_is_refused_with_an_example(mimic):
    with pytest.raises(
        DatasetError, match=r"no record to use; 1 set aside, for example 40689238: missing: folder"
    ):
        mimic.list(*ONE, folder=False).read()


@pytest.mark.parametrize("rate", [0, -1, 501])
def test_a_rate_that_the_files_cannot_serve_is_refused(mimic, rate):
    with pytest.raises(DatasetError, match="accepted: above 0 to 500 Hz"):
        mimic.add(*ONE).read(rate)


def test_a_folder_without_a_record_list_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"found no record_list\.csv; accepted: a folder with record_list"):
        mimic_index(tmp_path)


TABLES = ["record_list.csv", "machine_measurements.csv", "waveform_note_links.csv", "patients.csv"]
MUTATIONS = st.lists(
    st.tuples(st.sampled_from(TABLES), st.integers(0, 3000), st.integers(0, 40), st.binary(max_size=12)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MUTATIONS)
def test_damaged_tables_end_in_documented_errors_and_no_row_vanishes(tmp_path_factory, mutations):
    mimic = MimicFolder(tmp_path_factory.mktemp("damaged"))
    for number in range(6):
        mimic.add(10_000_032 + number // 2, 40_000_001 + number, "Sinus rhythm", 'ECG, "old"')
    mimic.write()
    links = [{"subject_id": 10000032, "study_id": 40000001, "note_id": "10000032-EK-1"}]
    mimic.table("waveform_note_links.csv", ["subject_id", "study_id", "note_id"], links)
    labels = patients(mimic.root, "10000032,F,52,2177,x,", "10000033,M,91,2177,x,")
    for name, place, length, put in mutations:
        file = mimic.root / name
        content = file.read_bytes()
        place %= len(content) + 1
        file.write_bytes(content[:place] + put + content[place + length :])
    try:
        index = mimic_index(mimic.root, labels=labels)
    except (FileFormatError, DatasetError):
        return
    text = (mimic.root / "record_list.csv").read_text(encoding="utf-8-sig", errors="replace")
    n_rows = len([line for line in text.split("\n") if line]) - 1
    accounted = {entry.record_id for entry in index.entries} | {one.record_id for one in index.set_aside}
    repeated = sum(int(note.rsplit(" ", 1)[1]) for note in noted(index, "record_list.csv that repeat"))
    differing = sum("several rows" in one.reason for one in index.set_aside)
    assert len(accounted) + repeated >= n_rows - 5 * differing  # rows of one study are set aside together
    for entry in index.entries:
        assert (
            entry.path
            == f"files/p{entry.patient_id[:4]}/p{entry.patient_id}/s{entry.record_id}/{entry.record_id}"
        )
        assert entry.age is None or 0 <= entry.age <= 120


# Age and sex from MIMIC-IV


def patients(root, *rows, name="patients.csv"):
    text = "\n".join(["subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod", *rows]) + "\n"
    file = root / name
    file.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return file


@pytest.mark.parametrize("name", ["patients.csv", "patients.csv.gz"])
def test_age_at_the_ecg_follows_from_the_anchor(mimic, name):
    mimic.add(*ONE).add(*TWO)
    labels = patients(mimic.root, "10000032,F,52,2177,2014 - 2016,", "19999999,M,30,2180,x,", name=name)
    first, second = mimic.read(labels=labels).entries
    assert (first.age, first.sex) == (55.0, "female")  # 52 in 2177, recorded in 2180
    assert (second.age, second.sex) == (None, None)


@pytest.mark.parametrize(("year", "age"), [(2180, 90.0), (2175, 90.0), (2181, None)])
def test_anchor_age_91_stands_for_above_89(mimic, year, age):
    index = mimic.add(*ONE).read(labels=patients(mimic.root, f"10000032,M,91,{year},x,"))
    (entry,) = index.entries
    assert entry.age == age and entry.sex == "male"
    assert "stands for above 89" in entry.notes[0] and noted(index, "stands for above 89")


@pytest.mark.parametrize("row", ["10000032,X,fifty,2177,x,", "10000032,,,,,", "10000032,U,200,2177,x,"])
def test_what_cannot_be_read_of_a_patient_is_unknown_and_counted(mimic, row):
    index = mimic.add(*ONE).read(labels=patients(mimic.root, row))
    assert (index.entries[0].age, index.entries[0].sex) == (None, None)
    assert noted(index, "gender neither M nor F") and noted(index, "anchor_age not from 0 to 120")


def test_patients_with_rows_that_differ_are_unknown(mimic):
    labels = patients(mimic.root, "10000032,F,52,2177,x,", "10000032,M,52,2177,x,", "2177-01-01,M,1,2,x,")
    index = mimic.add(*ONE).read(labels=labels)
    assert index.entries[0].sex is None
    assert noted(index, "patients with rows that differ") and noted(index, "rows that cannot be read: 1")


def test_without_patients_the_index_says_where_ages_are(mimic):
    assert noted(mimic.add(*ONE).read(), "patients.csv of MIMIC-IV has them")


def test_a_table_of_patients_that_is_none_is_refused(mimic, tmp_path):
    mimic.add(*ONE)
    with pytest.raises(DatasetError, match="no such file"):
        mimic.read(labels=tmp_path / "nowhere.csv")
    with pytest.raises(FileFormatError, match="missing or twice: gender, anchor_age"):
        (tmp_path / "patients.csv").write_text("subject_id,anchor_year\n")
        mimic.read(labels=tmp_path / "patients.csv")
    with pytest.raises(FileFormatError, match="compressed data"):
        (tmp_path / "patients.csv.gz").write_text("subject_id,anchor_year\n")
        mimic.read(labels=tmp_path / "patients.csv.gz")


# The register, and the signals


def test_the_register_knows_it(mimic):
    assert datasets.detect(mimic.add(*ONE).write()) == "mimic-iv-ecg"
    described = datasets.describe("mimic-iv-ecg")
    assert (described.records, described.patients, described.licence) == (800_035, 161_352, "ODbL 1.0")
    assert described.doi in described.citation and described.download.startswith(
        "https://physionet.org/files/"
    )
    assert described.gigabytes == pytest.approx(800_035 * 120_000 / 1e9, rel=0.02)


FILE_ORDER = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")


def write_record(root: Path, path: str) -> dict[str, np.ndarray]:
    """A record as the documentation shows it: 16-bit counts of 5 microvolts, aVF before aVL."""
    rng = np.random.default_rng(5)
    leads = {lead: rng.integers(-400, 400, 5000) for lead in FILE_ORDER}
    name = path.rsplit("/", 1)[1]
    samples = np.stack(list(leads.values()), axis=1).astype("<i2")
    lines = [f"{name} 12 500 5000 08:44:00 23/07/2180"]
    for lead, values in leads.items():
        checksum = int(values.sum()) & 0xFFFF
        lines.append(f"{name}.dat 16 200.0(0)/mV 16 0 {values[0]} {checksum} 0 {lead}")
    (root / f"{path}.hea").write_text("\n".join([*lines, "# subject_id: 10000032"]) + "\n")
    (root / f"{path}.dat").write_bytes(samples.tobytes())
    return leads


def test_leads_come_out_in_the_standard_order(mimic, tmp_path):
    from leadlight import store

    index = mimic.add(*ONE).read()
    leads = write_record(mimic.root, index.entries[0].path)
    recording = leadlight.read(mimic.root / index.entries[0].path)
    assert recording.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    prepared = store.prepare("mimic-iv-ecg", mimic.root, tmp_path / "store", sampling_rate=500)
    signal = prepared.signals([0])[0]
    for row, lead in enumerate(recording.leads):
        np.testing.assert_allclose(recording[lead], leads[lead] / 200, atol=1e-6)
        np.testing.assert_allclose(signal[row], leads[lead] / 200, atol=1e-6)
