"""A folder of one's own recordings, with tables of labels as people and spreadsheets write them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import leadlight as ll
from leadlight import datasets
from leadlight.cli.app import app
from leadlight.datasets.folder_labels import read_likelihood
from leadlight.datasets.folder_table import read_table, spoiled
from leadlight.errors import DatasetError, FileFormatError, LeadlightError
from leadlight.labels.own import own_space
from leadlight.recording import Patient, Recording, Statement

SIGNAL = np.random.default_rng(0).uniform(-1, 1, (12, 250)).astype(np.float32)


class OwnFolder:
    def __init__(self, root: Path) -> None:
        self.root = root / "ecg"
        self.table = root / "labels.csv"
        self.root.mkdir()

    def add(
        self, path: str, patient: str | None = None, dx: tuple[str, ...] = (), rate: float = 500
    ) -> OwnFolder:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        statements = tuple(Statement(code, "snomed-ct") for code in dx)
        who = Patient(patient, 61.0, "female")
        ll.write(Recording(SIGNAL, ll.leads.STANDARD_LEADS, rate, who, statements), target)
        return self

    def read(self, text: str | bytes | None = None, **options: object) -> datasets.DatasetIndex:
        labels = None
        if text is not None:
            labels = self.table
            labels.write_bytes(text if isinstance(text, bytes) else text.encode())
        return datasets.read_published("folder", self.root, 500, labels=labels)

    def one(self, text: str | bytes) -> datasets.RecordEntry:
        (entry,) = self.read(text).entries
        return entry


@pytest.fixture
def own(tmp_path: Path) -> OwnFolder:
    return OwnFolder(tmp_path)


def reasons(index):
    return {one.record_id: one.reason for one in index.set_aside}


def noted(index, words):
    return [note for note in index.notes if words in note]


def stated(entry):
    return [(one.system, one.code, one.likelihood) for one in entry.statements]


# Without a table


def test_without_a_table_records_have_neither_statements_nor_folds(own):
    own.add("b").add("a/x", patient="9", dx=("426783006",))
    index = datasets.read_index("folder", own.root, 500)
    assert [(one.record_id, one.path, one.patient_id) for one in index.entries] == [
        ("a/x", "a/x", "9"), ("b", "b", "record b"),
    ]  # fmt: skip
    assert all(not one.statements and one.fold is None and one.source == "folder" for one in index.entries)
    assert noted(index, "for prediction") and noted(
        index, "header, not read without a table of labels: 1 of 2"
    )


def test_a_broken_file_is_set_aside_and_an_empty_folder_refused(own):
    own.add("good")
    (own.root / "bad.hea").write_text("bad 12 0 100\n")
    assert "sampling rate" in reasons(own.read())["bad"]
    (own.root / "good.hea").unlink()
    with pytest.raises(DatasetError, match="no record to use; 1 set aside, for example bad"):
        own.read()
    (own.root / "bad.hea").unlink()
    with pytest.raises(DatasetError, match="no recordings"):
        own.read()


def test_any_folder_may_be_one_so_none_is_taken_for_one_unasked(own):
    with pytest.raises(DatasetError, match="found no data set that Leadlight knows"):
        datasets.detect(own.add("a").root)


# Columns


def test_a_row_becomes_an_entry(own):
    own.add("site1/00012", patient="ignored")
    entry = own.one("path,patient,age,sex,fold,source,AFIB,shaky\nsite1/00012,P7,54.5,M,3,site-1,1,0\n")
    assert entry == datasets.RecordEntry(
        record_id="site1/00012", patient_id="P7", path="site1/00012", file_sampling_rate=500.0, fold=3,
        age=54.5, sex="male", source="site-1",
        statements=(Statement("AFIB", "leadlight", None), Statement("shaky", "folder", 0.0)),
    )  # fmt: skip


def test_a_cell_is_yes_no_unknown_or_a_likelihood(own):
    cells = {
        "1": None, "TRUE": None, "Yes": None, "0": 0.0, "false": 0.0, "no": 0.0, "0.35": 35.0, "80 %": 80.0,
        "0%": 0.0, "": "nothing", "NaN": "nothing", "unknown": "nothing",
    }  # fmt: skip
    for at in range(len(cells)):
        own.add(f"r{at}")
    table = "id,AFIB\n" + "".join(f"r{at},{cell}\n" for at, cell in enumerate(cells))
    found = {one.record_id: stated(one) for one in own.read(table).entries}
    assert found == {
        f"r{at}": [] if likelihood == "nothing" else [("leadlight", "AFIB", pytest.approx(likelihood))]
        for at, likelihood in enumerate(cells.values())
    }


def test_columns_say_whose_code_they_are(own):
    entry = own.add("a").one("id,CLBBB,mine,scp-ecg:IMI,snomed-ct:164889003,folder:other\na,1,1,1,1,0\n")
    assert stated(entry) == [
        ("leadlight", "CLBBB", None), ("folder", "mine", None), ("scp-ecg", "IMI", None),
        ("snomed-ct", "164889003", None), ("folder", "other", 0.0),
    ]  # fmt: skip


def test_the_own_label_columns_become_a_label_space(own):
    own.add("a").add("b").add("c")
    index = own.read("id,AFIB,mine,snomed-ct:426783006\na,1,0,\nb,0,1,1\nc,,,0\n")
    assert index.label_columns == ("AFIB", "mine", "SR")
    targets = own_space("folder", index.label_columns).encode(
        [one.statements for one in index.entries], sources=[one.source for one in index.entries]
    )
    assert targets.values.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert targets.known.tolist() == [[True, True, False], [True, True, True], [False, False, True]]


def test_a_list_of_codes_in_one_column(own):
    entry = own.add("a").one('id,dx\na,"426783006; AFIB, mine ;scp-ecg:IMI"\n')
    assert stated(entry) == [
        ("snomed-ct", "426783006", None), ("leadlight", "AFIB", None), ("folder", "mine", None),
        ("scp-ecg", "IMI", None),
    ]  # fmt: skip


def test_a_column_that_holds_no_labels_is_not_read_and_named(own):
    index = own.add("a").add("b").read("id,AFIB,weight,name\na,1,71,Somebody\nb,0,88,Somebody\n")
    assert noted(index, "columns that hold no labels, not read: weight, name")
    assert index.label_columns == ("AFIB",) and "Somebody" not in str(index)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("id,scp:IMI", r"found the system 'scp'; accepted: scp-ecg"),
        ("id,scp-ecg:IMII", r"found 'IMII'; accepted: a code of scp-ecg\. Did you mean '(IMI|ILMI)'"),
        ("id,leadlight:AFIBB", r"Did you mean 'AFIB'"),
        ("id,patient,Patient_ID", "two columns for patient"),
        ("id,AFIB,leadlight:AFIB", "AFIB in two columns"),
        ("name,AFIB", r"found the columns name, AFIB; accepted: among them path"),
    ],
)
def test_columns_that_cannot_be_understood_are_refused(own, header, said):
    cells = ",".join(["a", *["1"] * header.count(",")])
    with pytest.raises(DatasetError, match=said):
        own.add("a").read(f"{header}\n{cells}\n")


# Matching rows with files


@pytest.mark.parametrize(
    "cell", ["s/00012", "s/00012.hea", "s/00012.dat", "./s/00012", "s\\00012", "00012", "00012.hea"]
)
def test_a_file_is_meant_by_its_path_or_its_name(own, cell):
    own.add("s/00012").add("s/00013")
    assert own.one(f"path,AFIB\n{cell},1\n").record_id == "s/00012"


def test_an_absolute_path_into_the_folder_is_taken_and_one_out_of_it_set_aside(own):
    own.add("a")
    index = own.read(f"path,AFIB\n{own.root}/a,1\n/etc/passwd,1\n../labels.csv,1\nC:\\x\\a,1\n")
    assert [one.record_id for one in index.entries] == ["a"]
    assert [one.reason.split(": ")[1][:22] for one in index.set_aside] == ["leads out of the folde"] * 3


def test_a_name_that_several_files_have_needs_its_path(own):
    own.add("x/1").add("y/1").add("z")
    index = own.read("id,AFIB\n1,1\nz,1\n")
    assert "several records have this name: x/1, y/1; write the path" in reasons(index)["1"]


def test_files_without_a_row_and_rows_without_a_file_are_listed(own):
    own.add("a").add("b")
    index = own.read("id,AFIB\na,1\nnone,1\n,1\n")
    assert reasons(index) == {
        "none": "row 2: no such recording", "row 3": "row 3: id is empty", "b": "no row in labels.csv",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("12", "but 00012 is there: a spreadsheet may have changed it"),
        ("12.0", "but 00012 is there"),
        ("1.2E+05", "a number that a spreadsheet rounded"),
        ("1,2E+05", "a number that a spreadsheet rounded"),
        ("2024-01-02", "looks like a date"),
        ("01/02/2024", "looks like a date"),
        ("02-Jan", "looks like a date"),
        ("MAR-01", "looks like a date"),
    ],
)
def test_identifiers_that_a_spreadsheet_changed_are_named_and_not_guessed(own, cell, said):
    index = own.add("00012").add("ok").read(f'id,AFIB\n"{cell}",1\nok,1\n')
    assert said in reasons(index)[cell] and "Format the column as text" in reasons(index)[cell]


def test_identifiers_with_dashes_are_no_dates():
    assert not any(
        spoiled(one) for one in ("12-34-56", "PAT-0012", "ABC-12", "2024", "p1", "1-2", "", "MART-10")
    )


def test_a_row_twice_is_read_once_and_rows_that_differ_are_set_aside(own):
    own.add("a").add("b").add("c")
    index = own.read("id,AFIB\na,1\na,1\na.hea,1\nb,1\nb,0\nb,1\nc,0\n")
    assert [one.record_id for one in index.entries] == ["a", "c"]
    assert reasons(index) == {"b": "several rows of labels.csv that differ"}
    assert noted(index, "repeat another, read once: 2")


def test_with_path_and_identifier_the_identifier_names_the_record(own):
    own.add("x/1").add("y/1").add("z").add("w")
    index = own.read("path,id,AFIB\nx/1,P1,1\ny/1,P2,1\nz,P3,1\nw,P3,0\n")
    assert [(one.record_id, one.path) for one in index.entries] == [("P1", "x/1"), ("P2", "y/1")]
    assert set(reasons(index).values()) == {"an identifier that other files have, too"}


# What is set aside or refused


def test_a_label_outside_its_values_sets_the_record_aside_by_name(own):
    own.add("a").add("b").add("c").add("d")
    index = own.read("id,AFIB\na,1\nb,0\nc,2\nd,35\n")
    assert [one.record_id for one in index.entries] == ["a", "b"]
    assert reasons(index)["c"].startswith("AFIB is none of: 1 or yes, 0 or no, empty") and "d" in reasons(
        index
    )


def test_a_code_that_is_listed_and_denied_sets_the_record_aside(own):
    index = own.add("a").add("b").read("id,AFIB,dx\na,0,AFIB\nb,1,AFIB\n")
    assert reasons(index) == {"a": "AFIB is listed and denied in the same row"}
    assert stated(index.entries[0]) == [("leadlight", "AFIB", None)]


def test_a_rounded_code_and_an_unknown_system_set_the_record_aside(own):
    own.add("a").add("b").add("c").add("d")
    index = own.read("id,dx\na,4.27E+08\nb,snomed:1\nc,leadlight:XYZ\nd,AFIB\n")
    assert "spreadsheet rounded" in reasons(index)["a"] and "system is none of" in reasons(index)["b"]
    assert "no finding of its vocabulary" in reasons(index)["c"]


def test_a_patient_in_two_folds_is_refused_without_naming_the_patient(own):
    own.add("a").add("b").add("c")
    with pytest.raises(DatasetError, match=r"more than one fold: 1 \(records a, b\)") as caught:
        own.read("id,patient,fold,AFIB\na,Secret,1,1\nb,Secret,2,0\nc,Other,2,1\n")
    assert "Secret" not in str(caught.value)


def test_folds_and_patients_that_are_none_set_the_record_aside(own):
    own.add("a").add("b").add("c").add("d").add("e")
    index = own.read("id,patient,fold,AFIB\na,P1,1,1\nb,P2,,1\nc,P3,11,1\nd,1.2E+05,1,1\ne,1970-03-01,1,1\n")
    assert [one.record_id for one in index.entries] == ["a"]
    assert "fold is not a whole number" in reasons(index)["b"] == reasons(index)["c"]
    assert "spreadsheet rounded" in reasons(index)["d"] and "a date" in reasons(index)["e"]


def test_age_and_sex_that_are_none_are_noted(own):
    entry = own.add("a").one("id,age,sex,AFIB\na,1970-01-01,0,1\n")
    assert (entry.age, entry.sex) == (None, None)
    assert [note.split(" is ")[0] for note in entry.notes[:2]] == ["age", "sex"]


def test_a_row_of_another_length_is_set_aside_by_its_place(own):
    index = own.add("a").add("b").read("id,AFIB,CLBBB\na,1,0,,\nb,1\n")
    assert reasons(index)["row 2"] == "has 2 cells where the header has 3"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 columns"),
        (b"id,AFIB,AFIB\na,1,1\n", "twice: AFIB"),
        (b"id,,AFIB\na,1,1\n", "a column without a name, number 2"),
        (b'id,AFIB\n"a,1\n', "line 2"),
        (b"PK\x03\x04....", "a spreadsheet's own format.*CSV UTF-8"),
        (b"id,AFIB\na\0,1\n", "NUL"),
    ],
)
def test_what_is_no_table_is_refused(own, content, said):
    with pytest.raises(FileFormatError, match=said):
        own.add("a").read(content)


def test_a_table_that_is_not_there_is_refused(own):
    with pytest.raises(FileFormatError, match="no such file"):
        datasets.read_published("folder", own.add("a").root, labels=own.root / "none.csv")


# Headers and tables


def test_the_table_stands_in_place_of_the_header_and_an_empty_row_does_not(own):
    own.add("a", dx=("426783006",)).add("b", dx=("426783006",)).add("c", patient="H1")
    index = own.read("id,AFIB\na,1\nb,\nc,0\n")
    assert [stated(one) for one in index.entries] == [
        [("leadlight", "AFIB", None)], [("snomed-ct", "426783006", None)], [("leadlight", "AFIB", 0.0)],
    ]  # fmt: skip
    assert [one.patient_id for one in index.entries] == ["record a", "record b", "H1"]
    assert noted(index, "labelled by the table; the header's own statements are not read: 1 of 3")
    assert noted(index, "no patient is stated, taken as a patient of its own: 2 of 3")
    assert {one.age for one in index.entries} == {61.0} and {one.sex for one in index.entries} == {"female"}


def test_records_without_folds_get_leadlights(own):
    for at in range(30):
        own.add(f"r{at}")
    own.table.write_text("id,patient,AFIB\n" + "".join(f"r{at},P{at // 2},{at % 2}\n" for at in range(30)))
    index = datasets.read_index("folder", own.root, 500, labels=own.table)
    assert all(one.fold for one in index.entries) and noted(index, "folds: assigned by Leadlight")


def test_a_name_with_a_dot_can_be_stored(own, tmp_path):
    from leadlight.store.converting import read_record

    own.add("a")
    text = (own.root / "a.hea").read_text()
    (own.root / "v1.2.hea").write_text(text)
    for entry in own.read().entries:
        assert read_record(own.root / entry.path, 500).counts.shape == (12, 250)


# Encodings and separators


PLAIN = "id,patient,age,AFIB,größe\na,Müller,63.5,0.25,1\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("latin-1"),
        PLAIN.encode("utf-16"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", ";").replace("63.5", "63,5").replace("0.25", '"0,25"').encode("cp1252"),
        b"sep=;\r\n" + PLAIN.replace(",", ";").encode(),
        PLAIN.replace("\na,", '\n"a" ,').encode(),
        PLAIN.replace("\n", ",,\n").encode(),
        ("\n\n" + PLAIN + ",,,,\n\n").encode(),
    ],
)
def test_every_way_to_save_a_table_gives_the_same(own, content):
    if b'"a" ,' in content:
        content = content.replace(b'"a" ,', b'"a",')
    entry = own.add("a").one(content)
    assert (entry.patient_id, entry.age) == ("Müller", 63.5)
    assert stated(entry) == [("leadlight", "AFIB", 25.0), ("folder", "größe", None)]


NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\x85"),
    min_size=1,
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(
    cells=st.lists(st.lists(NAMES.map(str.strip).filter(bool), min_size=3, max_size=3), max_size=5),
    separator=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_csv_writer_writes_is_read_back(tmp_path_factory, cells, separator, encoding):
    out = io.StringIO()
    csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([["id", "one", "two"], *cells])
    file = tmp_path_factory.mktemp("t") / "t.csv"
    file.write_bytes(out.getvalue().encode(encoding))
    table = read_table(file)
    assert [list(row) for _, row in table.rows] == cells and table.header == ("id", "one", "two")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_table_is_read_or_refused(own, data):
    if not (own.root / "a.hea").exists():
        own.add("a").add("b/c")
    content = bytearray(
        b"path;patient;age;sex;fold;dx;AFIB;mine\na;P1;50;m;1;426783006;1;0\nb/c;P2;60;f;2;;0,5;\n"
    )
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255) | st.sampled_from(list(b';,"\n\r\t:0E+-')))
    try:
        index = own.read(bytes(content))
    except LeadlightError:
        return
    assert {one.record_id for one in index.entries} <= {"a", "b/c"}
    assert all(one.patient_id and (one.fold is None or 1 <= one.fold <= 10) for one in index.entries)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=12))
def test_a_likelihood_is_a_percentage_or_refused(text):
    try:
        likelihood = read_likelihood(text)
    except ValueError:
        return
    assert likelihood is None or 0 <= likelihood <= 100


# Real recordings


@pytest.mark.real
def test_a_mixed_folder_of_real_recordings(own, real_data):
    (own.root / "georgia").mkdir()
    (own.root / "ptb").mkdir()
    for source, target in [
        (sorted((real_data / "challenge-2021/georgia").rglob("*.hea"))[:3], "georgia"),
        (sorted((real_data / "ptb-xl/records500").rglob("*.hea"))[:2], "ptb"),
        (sorted((real_data / "code-15").glob("*.hea"))[:2], "."),
    ]:
        for header in source:
            for file in header.parent.glob(f"{header.stem}.*"):
                shutil.copy(file, own.root / target / file.name)
    everything = own.read()
    assert len(everything) == 7 and not everything.set_aside
    named = [one.record_id for one in everything.entries]
    index = own.read("path,AFIB\n" + "".join(f"{name},\n" for name in named))
    assert len(index) == 7
    # The table says nothing: the Challenge's headers do.
    assert all(one.statements for one in index.entries if one.record_id.startswith("georgia/"))
    assert {one.file_sampling_rate for one in index.entries} == {400.0, 500.0}


def test_the_command_prepares_a_folder_with_its_labels(own, tmp_path):
    for at in range(12):
        own.add(f"r{at:02}")
    own.table.write_text(
        "id,patient,AFIB,mine\n" + "".join(f"r{at:02},P{at},{at % 2},\n" for at in range(12))
    )
    arguments = [
        "prepare",
        "folder",
        str(own.root),
        "--labels",
        str(own.table),
        "--out",
        str(tmp_path / "store"),
    ]
    result = CliRunner().invoke(app, [*arguments, "--sampling-rate", "500", "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert "12 records of 12 patients" in result.stdout and "label columns: AFIB (leadlight)" in result.stdout
    description = json.loads((tmp_path / "store" / "store.json").read_text())
    assert description["label_columns"] == ["AFIB"] and description["dataset"] == "folder"
