"""The Challenge's headers: where they are found, what is read, what is set aside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight import datasets
from leadlight.datasets import challenge
from leadlight.datasets.challenge_sources import (
    incart_patient,
    source_of_folder,
    source_of_record,
    sources,
)
from leadlight.errors import DatasetError, FileFormatError
from leadlight.recording import Statement

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


class Folder:
    """A folder that is filled record by record, with empty files in place of signals."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(
        self, path: str, *comments: str, rate: str = "500", start: int | None = None, **line: object
    ) -> Path:
        """A record; unless told otherwise, 5,000 samples that no other record of this name's number has."""
        name = path.rpartition("/")[2]
        first = sum(map(ord, path)) if start is None else start
        stated = line.get("name", name)
        lines = [f"{stated} 12 {rate} {line.get('n_samples', 5000)} 12-May-2020 12:33:59"]
        lines += [
            f"{name}.mat 16+24 1000/mV 16 0 {first + n} {first - n} 0 {lead}" for n, lead in enumerate(LEADS)
        ]
        header = self.root / f"{path}.hea"
        header.parent.mkdir(parents=True, exist_ok=True)
        header.write_text("\n".join([*lines, *(f"#{comment}" for comment in comments)]) + "\n")
        (self.root / f"{path}.mat").touch()
        return header

    def read(self, rate: float = 500.0, **options: object) -> datasets.DatasetIndex:
        return datasets.read_published("challenge-2021", self.root, rate, **options)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "training")


def test_the_collections_are_those_of_the_challenge():
    assert list(sources()) == [
        "cpsc_2018", "cpsc_2018_extra", "st_petersburg_incart", "ptb", "ptb-xl", "georgia",
        "chapman_shaoxing", "ningbo",
    ]  # fmt: skip
    assert sum(one.records for one in sources().values()) == 88_253 == challenge.describe().records


@pytest.mark.parametrize(
    ("name", "source"),
    [("A0001", "cpsc_2018"), ("Q0001", "cpsc_2018_extra"), ("I0001", "st_petersburg_incart"),
     ("S0001", "ptb"), ("HR00001", "ptb-xl"), ("E00001", "georgia"), ("JS10646", "chapman_shaoxing"),
     ("JS10647", "ningbo"), ("00001_hr", None), ("X0001", None), ("A1", None), ("A0001.x", None),
     ("JS00000", None), ("A٠٠٠١", None)],
)  # fmt: skip
def test_the_name_of_a_record_tells_its_collection(name, source):
    assert source_of_record(name) == source


@pytest.mark.parametrize(
    ("name", "source"),
    [("georgia", "georgia"), ("WFDB_Ga", "georgia"), ("WFDB_E", "georgia"), ("Training_WFDB", "cpsc_2018"),
     ("Training_2", "cpsc_2018_extra"), ("WFDB_PTBXL", "ptb-xl"), ("wfdb_ptb", "ptb"), ("g1", None)],
)  # fmt: skip
def test_the_name_of_a_folder_tells_its_collection_in_every_release(name, source):
    assert source_of_folder(name) == source


def test_incart_records_are_of_32_patients_as_its_list_has_them():
    patients = {f"I{number:04d}": incart_patient(f"I{number:04d}") for number in range(1, 76)}
    assert sorted(set(patients.values())) == list(range(1, 33))
    # Three that are told apart elsewhere: 16 and 17 are patient 8, 49 and 50 patient 22, 71 patient 30.
    assert [patients[name] for name in ("I0016", "I0017", "I0049", "I0050", "I0071")] == [8, 8, 22, 22, 30]
    assert incart_patient("I0076") is None and incart_patient("A0001") is None


def test_official_folders_flat_folders_and_a_single_collection_are_read(folder):
    folder.add("georgia/g1/E00001")
    folder.add("Training_WFDB/A0001")
    assert [(e.record_id, e.source, e.path) for e in folder.read().entries] == [
        ("A0001", "cpsc_2018", "Training_WFDB/A0001"), ("E00001", "georgia", "georgia/g1/E00001"),
    ]  # fmt: skip
    alone = datasets.read_published("challenge-2021", folder.root / "georgia")
    assert [(e.source, e.path) for e in alone.entries] == [("georgia", "g1/E00001")]


def test_without_a_folder_name_the_record_names_tell(folder):
    folder.add("JS00001")
    folder.add("anything/JS20000")
    assert [e.source for e in folder.read().entries] == ["chapman_shaoxing", "ningbo"]


def test_a_record_in_the_folder_of_another_collection_is_noted(folder):
    folder.add("georgia/A0001")
    (entry,) = folder.read().entries
    assert entry.source == "georgia"
    assert "the record's name is not one of its folder's collection" in entry.notes


def test_what_a_header_says(folder):
    folder.add(
        "ptb/S0001", " Age: 60", " Sex: F", " Dx: 164865005, 426783006,", rate="1000", n_samples=30_000
    )
    index = folder.read()
    (entry,) = index.entries
    assert (entry.age, entry.sex, entry.file_sampling_rate) == (60.0, "female", 1000.0)
    assert entry.statements == (Statement("164865005", "snomed-ct"), Statement("426783006", "snomed-ct"))
    assert entry.columns == {"seconds": 30.0} and index.columns == {"seconds": "number"}
    assert "read from 1000 Hz files, to be resampled to 500 Hz: 1 of 1" in index.notes


def test_a_header_without_a_diagnosis_is_kept_and_noted(folder):
    folder.add("georgia/E00001", "Age: NaN", "Sex: Unknown", "Dx: Unknown")
    (entry,) = folder.read().entries
    assert (entry.age, entry.sex, entry.statements) == (None, None, ())
    assert entry.notes == ("the header states no diagnosis",)


def test_a_record_name_with_the_data_files_ending_is_no_reason_to_refuse(folder):
    folder.add("georgia/E00001", "Dx: 426783006", name="E00001.mat")
    assert folder.read().entries[0].notes == ()


def test_other_files_are_left_alone(folder):
    folder.add("georgia/g1/E00001")
    (folder.root / "RECORDS").write_text("georgia/g1/\n")
    (folder.root / "georgia" / "g1" / "RECORDS").write_text("E00001\n")
    folder.add("georgia/.hidden/E00002")
    index = folder.read()
    assert len(index) == 1 and index.set_aside == ()


def test_records_that_cannot_be_used_are_set_aside_with_the_reason(folder):
    folder.add("georgia/g1/E00001")
    folder.add("georgia/g1/E00002", rate="0")
    folder.add("georgia/g1/E00003")
    (folder.root / "georgia/g1/E00003.mat").unlink()
    folder.add("georgia/g1/E00004").write_bytes(b"\0\1")
    folder.add("georgia/g1/00001_hr")
    folder.add("georgia/g1/E00005").write_text("E00005/2 12 500 5000\nE00006 2500\nE00007 2500\n")
    index = folder.read()
    assert [entry.record_id for entry in index.entries] == ["E00001"]
    assert {one.record_id: one.reason for one in index.set_aside} == {
        "E00002": "georgia/g1/E00002.hea, line 1, sampling rate: found 0 Hz; "
        "accepted: above 0 and at most 20,000 Hz",
        "E00003": "georgia/g1/E00003.hea, data file: found no E00003.mat beside it; "
        "accepted: the file that the header names",
        "E00004": "georgia/g1/E00004.hea, content: found binary data; accepted: the text of a WFDB header",
        "E00005": "georgia/g1/E00005.hea, line 1, record name: found a record of several segments; "
        "accepted: a record of one segment",
        "00001_hr": "georgia/g1/00001_hr.hea: not named as a record of the Challenge",
    }


def test_names_that_are_no_text_are_left_alone_and_counted(folder):
    folder.add("georgia/g1/E00001")
    try:
        Path(os.fsdecode(os.fsencode(folder.root / "georgia") + b"/\xff.hea")).touch()
    except OSError:
        pytest.skip("no such names here")
    index = folder.read()
    assert len(index) == 1 and index.set_aside == ()
    assert "files and folders whose names are not UTF-8, left alone: 1" in index.notes


@settings(max_examples=300, deadline=1000)
@given(st.data())
def test_a_damaged_header_is_read_or_set_aside_but_never_crashes(tmp_path_factory, data):
    folder = Folder(tmp_path_factory.getbasetemp() / "damaged-headers")
    folder.add("georgia/g1/E00001", "Dx: 426783006")
    damaged = folder.add("georgia/g1/E00002", "Age: 60", "Sex: Male", "Dx: 426783006,AF, ,164889003")
    content = bytearray(damaged.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        content[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=10))
    damaged.write_bytes(content)
    index = folder.read()
    assert {entry.record_id for entry in index.entries} | {one.record_id for one in index.set_aside} == {
        "E00001", "E00002",
    }  # fmt: skip
    for entry in index.entries:
        assert entry.age is None or 0 <= entry.age <= 120
        assert all(s.code and s.system in ("snomed-ct", "text") for s in entry.statements)


def test_links_that_lead_out_of_the_folder_are_refused(folder, tmp_path):
    folder.add("georgia/g1/E00001")
    elsewhere = Folder(tmp_path / "elsewhere")
    header = elsewhere.add("E00002")
    folder.add("georgia/g1/E00003")
    try:
        (folder.root / "georgia/g1/E00002.hea").symlink_to(header)
        (folder.root / "georgia/g1/E00002.mat").symlink_to(header.with_suffix(".mat"))
        (folder.root / "georgia/g1/E00003.mat").unlink()
        (folder.root / "georgia/g1/E00003.mat").symlink_to(header.with_suffix(".mat"))
        (folder.root / "ningbo").symlink_to(elsewhere.root)
    except OSError:
        pytest.skip("no links here")
    index = folder.read()
    assert [entry.record_id for entry in index.entries] == ["E00001"]
    assert sorted(one.record_id for one in index.set_aside) == ["E00002", "E00003"]
    assert all("a link that leads out" in one.reason for one in index.set_aside)
    assert "links to folders, not entered: 1" in index.notes


def test_one_recording_that_stands_in_two_folders_is_read_once_the_one_with_codes(folder):
    folder.add("Training_WFDB/A0001", "Dx: AF", start=7)
    folder.add("cpsc_2018/g1/A0001", "Dx: 164889003", start=7)
    index = folder.read()
    assert [(e.path, e.statements[0].system) for e in index.entries] == [("cpsc_2018/g1/A0001", "snomed-ct")]
    reason = "Training_WFDB/A0001 is the same recording as cpsc_2018/g1/A0001"
    assert index.set_aside == (datasets.SetAside("A0001", reason),)


def test_one_name_for_two_signals_is_set_aside_altogether(folder):
    folder.add("cpsc_2018/g1/A0001", start=7)
    folder.add("cpsc_2018/g2/A0001", start=8)
    folder.add("cpsc_2018/g2/A0002")
    index = folder.read()
    assert [entry.record_id for entry in index.entries] == ["A0002"]
    assert [one.record_id for one in index.set_aside] == ["A0001", "A0001"]
    assert "stands for different signals" in index.set_aside[0].reason


def test_records_of_equal_samples_share_a_name(folder):
    folder.add("cpsc_2018/A0001", start=7)
    folder.add("cpsc_2018_extra/Q0001", start=7)
    folder.add("cpsc_2018_extra/Q0002", start=9)
    index = folder.read()
    assert [entry.same_as for entry in index.entries] == ["challenge-2021/A0001"] * 2 + [""]
    assert any("the same samples as another's: 2, such as A0001 and Q0001" in note for note in index.notes)


def test_records_of_ptbxl_are_named_as_there_and_its_dropped_copies_set_aside(folder):
    # PTB-XL 1.0.3 dropped 137 as a copy of 138.
    for number in (1, 137, 138):
        folder.add(f"ptb-xl/g1/HR{number:05d}", start=number)
    index = folder.read()
    assert {e.record_id: e.same_as for e in index.entries} == {"HR00001": "ptb-xl/1", "HR00138": "ptb-xl/138"}
    assert [one.record_id for one in index.set_aside] == ["HR00137"]
    kept = folder.read(drop_duplicates=False)
    assert {e.record_id: e.same_as for e in kept.entries}["HR00137"] == "ptb-xl/138"


def test_ptbxls_own_index_names_its_records_the_same(ptbxl):
    ptbxl.add(1).add(2)
    assert [entry.same_as for entry in ptbxl.read().entries] == ["ptb-xl/1", "ptb-xl/2"]


def test_patients_are_told_where_the_source_tells_them(folder):
    for path in (
        "georgia/E00001",
        "st_petersburg_incart/I0003",
        "st_petersburg_incart/I0004",
        "ptb-xl/HR00001",
    ):
        folder.add(path, rate="257" if "/I" in path else "500")
    index = folder.read()
    assert {e.record_id: e.patient_id for e in index.entries} == {
        "E00001": "georgia/E00001", "HR00001": "ptb-xl/HR00001",
        "I0003": "st_petersburg_incart/patient-2", "I0004": "st_petersburg_incart/patient-2",
    }  # fmt: skip
    notes = "; ".join(index.notes)
    assert "georgia: which records are of one patient is not published" in notes
    assert "labels=ptbxl_database.csv gives patients and official folds" in notes
    assert "read from 257 Hz files, to be upsampled to 500 Hz: 2 of 4" in notes


@pytest.mark.parametrize("as_folder", [False, True])
def test_ptbxls_table_gives_its_records_patient_and_official_fold(folder, ptbxl, as_folder):
    ptbxl.add(1, patient_id=77.0, strat_fold=3).add(2, patient_id=78.0, strat_fold=10).write()
    for number in (1, 2, 3):
        folder.add(f"ptb-xl/HR{number:05d}")
    index = folder.read(labels=ptbxl.root if as_folder else ptbxl.database)
    assert [(e.patient_id, e.fold) for e in index.entries] == [
        ("ptb-xl/patient-77", 3), ("ptb-xl/patient-78", 10), ("ptb-xl/HR00003", None),
    ]  # fmt: skip
    assert any("for 2 of 3 records" in note for note in index.notes)


def test_tables_that_are_not_ptbxls_are_refused(folder, ptbxl, tmp_path):
    folder.add("ptb-xl/HR00001")
    with pytest.raises(DatasetError, match="no such file"):
        folder.read(labels=tmp_path / "nowhere.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FileFormatError, match="missing or twice: ecg_id"):
        folder.read(labels=tmp_path / "other.csv")
    ptbxl.add(99_999).write()
    with pytest.raises(DatasetError, match="not PTB-XL's"):
        folder.read(labels=ptbxl.database)


def test_folders_are_recognised(folder):
    folder.add("georgia/g1/E00001")
    assert datasets.detect(folder.root) == "challenge-2021"
    assert datasets.detect(folder.root / "georgia") == "challenge-2021"
    assert datasets.detect(folder.root / "georgia" / "g1") == "challenge-2021"


def test_a_folder_with_ptbxl_is_not_taken_for_the_challenges_part_of_it(ptbxl):
    place = ptbxl.root / "ptb-xl"
    place.mkdir()
    ptbxl.root, ptbxl.database = place, place / "ptbxl_database.csv"
    ptbxl.add(1).write()
    assert datasets.detect(place) == "ptb-xl"
    with pytest.raises(DatasetError, match=r"Did you mean .*ptb-xl\?"):
        datasets.detect(place.parent)


@pytest.mark.parametrize("rate", [0.0, -1.0, 1001.0, float("nan")])
def test_rates_that_cannot_be_served_are_refused(folder, rate):
    folder.add("georgia/E00001")
    with pytest.raises(DatasetError, match="sampling rate"):
        folder.read(rate)


def test_a_folder_without_records_is_refused_with_the_layout(folder):
    with pytest.raises(DatasetError, match="no such folder"):
        folder.read()
    folder.root.mkdir()
    with pytest.raises(DatasetError, match="found no record to use; 0 set aside"):
        folder.read()
    folder.add("georgia/E00001", rate="0")
    with pytest.raises(DatasetError, match=r"1 set aside, for example E00001: .*found 0 Hz"):
        folder.read()
