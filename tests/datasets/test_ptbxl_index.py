"""PTB-XL's index: what is read, what is set aside, what is refused."""

from __future__ import annotations

import pytest

from leadlight import datasets
from leadlight.errors import DatasetError, FileFormatError
from leadlight.recording import Statement


def reasons(index):
    return {one.record_id: one.reason for one in index.set_aside}


def noted(index, words):
    return [note for note in index.notes if words in note]


# What is read


def test_a_row_becomes_an_entry(ptbxl):
    ptbxl.add(
        17,
        patient_id="17787.0",
        age="63.0",
        sex="1",
        scp_codes="{'IMI': 35.0, 'SR': 0.0}",
        strat_fold="9",
        device="CS-12   E",
        site="2.0",
        baseline_drift=" , I-AVF,V4-V6",
        pacemaker="ja, pacemaker",
    )
    (entry,) = ptbxl.read().entries
    assert entry == datasets.RecordEntry(
        record_id="17",
        patient_id="17787",
        path="records100/00000/00017_lr",
        file_sampling_rate=100.0,
        fold=9,
        age=63.0,
        sex="female",
        statements=(Statement("IMI", "scp-ecg", 35.0), Statement("SR", "scp-ecg", None)),
        source="ptb-xl",
        quality={"baseline_drift": "I-AVF,V4-V6", "pacemaker": "ja, pacemaker"},
        columns={"device": "CS-12 E", "site": "2"},
        same_as="ptb-xl/17",
    )


def test_device_and_site_are_columns_of_the_index_where_the_table_has_them(ptbxl):
    index = ptbxl.add(1, device="AT-6 C 5.5", site="38.0").add(2, device="", site="").read()
    assert index.columns == {"device": "text", "site": "text"}
    assert [dict(entry.columns) for entry in index.entries] == [
        {"device": "AT-6 C 5.5", "site": "38"},
        {"device": None, "site": None},
    ]


def test_entries_stand_in_the_order_of_the_file(ptbxl):
    ptbxl.add(3).add(1).add(2)
    assert [entry.record_id for entry in ptbxl.read().entries] == ["3", "1", "2"]


def test_a_likelihood_of_zero_means_not_stated(ptbxl):
    (entry,) = ptbxl.add(1, scp_codes="{'SR': 0.0, 'LVH': 15.0}").read().entries
    assert [statement.likelihood for statement in entry.statements] == [None, 15.0]


def test_zero_is_male_and_one_is_female(ptbxl):
    ptbxl.add(1, sex="0").add(2, sex="1").add(3, sex="0.0").add(4, sex="1.0")
    assert [entry.sex for entry in ptbxl.read().entries] == ["male", "female", "male", "female"]


def test_another_sex_is_unknown_and_noted(ptbxl):
    index = ptbxl.add(1, sex="2").add(2, sex="").add(3, sex="F").read()
    assert [entry.sex for entry in index.entries] == [None, None, None]
    assert noted(index, "sex is neither 0 (male) nor 1 (female), taken as unknown: 2 of 3 records")


def test_age_300_is_read_as_90_and_noted(ptbxl):
    index = ptbxl.add(1, age="300.0").add(2, age="89").read()
    assert [entry.age for entry in index.entries] == [90.0, 89.0]
    assert "above 89" in index.entries[0].notes[0]
    assert noted(index, "read as 90: 1 of 2 records")


@pytest.mark.parametrize(("text", "age"), [("0", 0.0), ("91.0", 91.0), ("120", 120.0)])
def test_ages_up_to_120_are_as_stated(ptbxl, text, age):
    index = ptbxl.add(1, age=text).read()
    assert index.entries[0].age == age and index.entries[0].notes == ()


@pytest.mark.parametrize("text", ["-1", "121", "299", "old", "nan", "inf", "1e999"])
def test_impossible_ages_are_unknown_and_noted(ptbxl, text):
    index = ptbxl.add(1, age=text).read()
    assert index.entries[0].age is None
    assert noted(index, "age is not a number from 0 to 120")


def test_a_missing_age_is_unknown_without_a_word(ptbxl):
    (entry,) = ptbxl.add(1, age="").read().entries
    assert entry.age is None and entry.notes == ()


def test_a_byte_order_mark_windows_line_ends_and_quoted_line_breaks_are_fine(ptbxl):
    ptbxl.add(1, report='sinusrhythmus\n"linkstyp", unbestätigt').add(2)
    text = ptbxl.write().joinpath("ptbxl_database.csv").read_text(encoding="utf-8")
    ptbxl.database.write_text(
        text.replace("\r\n", "\n").replace("\n", "\r\n"), encoding="utf-8-sig", newline=""
    )
    assert len(datasets.read_index("ptb-xl", ptbxl.root)) == 2


def test_free_text_in_another_encoding_does_not_stop_the_reading(ptbxl):
    ptbxl.add(1, report="unbestätigter bericht").write()
    ptbxl.database.write_bytes(ptbxl.database.read_text(encoding="utf-8").encode("latin-1"))
    assert len(datasets.read_index("ptb-xl", ptbxl.root)) == 1


def test_columns_may_stand_in_another_order_and_further_ones_be_missing(ptbxl):
    ptbxl.columns = [
        "filename_hr",
        "filename_lr",
        "strat_fold",
        "scp_codes",
        "sex",
        "age",
        "patient_id",
        "ecg_id",
    ]
    assert ptbxl.add(5).read().entries[0].record_id == "5"


# Which file is read


def test_100_hz_is_read_from_the_100_hz_file_where_it_is_there(ptbxl):
    index = ptbxl.add(1, rates=(100, 500)).read(100)
    assert index.entries[0].path == "records100/00000/00001_lr"
    assert noted(index, "read from 100 Hz files: 1 of 1 records")


def test_100_hz_falls_back_to_the_500_hz_file_and_says_so(ptbxl):
    index = ptbxl.add(1).add(2, rates=(500,)).read(100)
    assert [entry.file_sampling_rate for entry in index.entries] == [100.0, 500.0]
    assert index.entries[1].path == "records500/00000/00002_hr"
    assert noted(index, "read from 500 Hz files, to be resampled to 100 Hz: 1 of 2 records")


def test_500_hz_is_never_made_from_the_100_hz_file(ptbxl):
    index = ptbxl.add(1).add(2, rates=(100, 500)).read(500)
    assert [entry.path for entry in index.entries] == ["records500/00000/00002_hr"]
    assert reasons(index)["1"] == (
        "missing: records500/00000/00001_hr (.hea and .dat); "
        "its 100 Hz file is there, but nothing is upsampled"
    )


@pytest.mark.parametrize(("rate", "used"), [(250, 500.0), (50, 500.0)])
def test_other_rates_are_made_from_the_500_hz_file(ptbxl, rate, used):
    (entry,) = ptbxl.add(1, rates=(100, 500)).read(rate).entries
    assert entry.file_sampling_rate == used


def test_a_rate_below_100_hz_falls_back_to_the_100_hz_file_and_one_above_does_not(ptbxl):
    ptbxl.add(1, rates=(100,)).add(2, rates=(100, 500))
    assert [entry.file_sampling_rate for entry in ptbxl.read(50).entries] == [100.0, 500.0]
    assert [entry.record_id for entry in ptbxl.read(250).entries] == ["2"]


@pytest.mark.parametrize("rate", [0, -100, 501, 1000, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_served_is_refused(ptbxl, rate):
    ptbxl.add(1)
    with pytest.raises(DatasetError, match="accepted: above 0 to 500 Hz"):
        ptbxl.read(rate)


def test_a_record_without_any_file_is_set_aside_by_name(ptbxl):
    index = ptbxl.add(1).add(2, rates=()).read()
    assert reasons(index) == {
        "2": "missing: records100/00000/00002_lr (.hea and .dat) "
        "and records500/00000/00002_hr (.hea and .dat)"
    }


@pytest.mark.parametrize(("there", "lacking"), [(".hea", ".dat"), (".dat", ".hea")])
def test_half_a_record_is_set_aside(ptbxl, there, lacking):
    ptbxl.add(1).add(2, rates=())
    ptbxl.touch("records100/00000/00002_lr", (there,))
    assert f"missing: records100/00000/00002_lr{lacking} and " in reasons(ptbxl.read())["2"]


def test_a_file_in_the_place_of_a_folder_counts_as_missing(ptbxl):
    ptbxl.add(1).add(1001, rates=())
    ptbxl.touch("records100/01000", ("",))
    assert "1001" in reasons(ptbxl.read())


# What is set aside


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"strat_fold": "0"}, "strat_fold is not a whole number from 1 to 10"),
        ({"strat_fold": "11"}, "strat_fold is not a whole number from 1 to 10"),
        ({"strat_fold": "2.5"}, "strat_fold is not a whole number from 1 to 10"),
        ({"strat_fold": ""}, "strat_fold is not a whole number from 1 to 10"),
        ({"patient_id": ""}, "patient_id is not a whole number"),
        ({"patient_id": "Anna"}, "patient_id is not a whole number"),
        ({"scp_codes": ""}, "scp_codes is not the text of a dictionary"),
        ({"scp_codes": "NORM"}, "scp_codes is not the text of a dictionary"),
        ({"filename_lr": "../../etc/passwd"}, "filename_lr is not a path inside the data set's folder"),
        ({"filename_lr": "records100/../00002_lr"}, "filename_lr is not a path inside"),
        ({"filename_lr": "/etc/00002_lr"}, "filename_lr is not a path inside"),
        ({"filename_lr": "C:\\00002_lr"}, "filename_lr is not a path inside"),
        ({"filename_hr": "https://example.org/00002_hr"}, "filename_hr is not a path inside"),
        ({"filename_hr": ""}, "filename_hr is not a path inside"),
        ({"filename_lr": "records100/00000/00003_lr"}, "filename_lr does not carry the number of its own"),
        ({"filename_lr": "records100/00000/lr"}, "filename_lr does not carry the number of its own"),
    ],
)  # fmt: skip
def test_a_row_with_an_unusable_cell_is_set_aside_and_the_others_are_read(ptbxl, cells, reason):
    index = ptbxl.add(1).add(2, **cells).read()
    assert [entry.record_id for entry in index.entries] == ["1"]
    assert reasons(index)["2"].startswith(reason)


@pytest.mark.parametrize("text", ["1984-11-09", "x7", "", "1.5", "-3", "0", "1e400", "1_7", "٣"])
def test_a_row_without_a_usable_id_is_set_aside_by_its_place(ptbxl, text):
    index = ptbxl.add(1).add(text).read()
    assert reasons(index) == {"row 2": "ecg_id is not a whole number from 1 up"}


def test_a_row_that_is_too_short_is_set_aside_by_its_place(ptbxl):
    ptbxl.add(1).write()
    with ptbxl.database.open("a") as lines:
        lines.write("2,10002.0,50.0\r\n")
    index = datasets.read_index("ptb-xl", ptbxl.root)
    assert reasons(index) == {"row 2": "has 3 fields where the header has 28"}


def test_rows_that_share_an_id_and_differ_are_all_set_aside(ptbxl):
    index = ptbxl.add(1).add(2, scp_codes="{'NORM': 100.0}").add(2, scp_codes="{'IMI': 100.0}").read()
    assert [entry.record_id for entry in index.entries] == ["1"]
    assert reasons(index) == {"2": "stands in several rows that differ"}


def test_a_row_that_repeats_another_word_for_word_is_read_once(ptbxl):
    index = ptbxl.add(1).add(1).read()
    assert len(index) == 1 and not index.set_aside
    assert noted(index, "rows that repeat another word for word, read once: 1")


def test_a_statement_that_ptbxl_does_not_define_is_kept_and_noted(ptbxl):
    index = ptbxl.add(1, scp_codes="{'NORM': 100.0, 'BRUGADA': 50.0}").read()
    assert Statement("BRUGADA", "scp-ecg", 50.0) in index.entries[0].statements
    assert noted(index, "'BRUGADA' (1 records)")


# What is refused


def test_a_patient_in_two_folds_makes_the_index_refused_without_naming_the_patient(ptbxl):
    ptbxl.add(1, patient_id="777.0", strat_fold=3).add(2, patient_id="777.0", strat_fold=9).add(3)
    with pytest.raises(DatasetError, match=r"more than one fold: 1 \(ecg_id 1, 2\)") as caught:
        ptbxl.read()
    assert "777" not in str(caught.value)


def test_a_patient_with_two_records_in_one_fold_is_fine(ptbxl):
    assert len(ptbxl.add(1, patient_id="777.0").add(2, patient_id="777.0").read()) == 2


def test_missing_columns_are_named(ptbxl):
    ptbxl.columns = [name for name in ptbxl.columns if name not in ("scp_codes", "strat_fold")]
    with pytest.raises(FileFormatError, match="missing or twice: scp_codes, strat_fold") as caught:
        ptbxl.add(1).read()
    assert caught.value.file == str(ptbxl.database)


def test_a_column_that_stands_twice_is_named(ptbxl):
    ptbxl.columns = [*ptbxl.columns, "sex"]
    with pytest.raises(FileFormatError, match="missing or twice: sex"):
        ptbxl.add(1).read()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02", b"ecg_id;patient_id;age\n1;2;3\n", "ecg_id,age\n1,2\n".encode("utf-16")],
    ids=["empty", "binary", "semicolons", "utf-16"],
)
def test_a_file_that_is_no_such_table_is_refused(ptbxl, content):
    ptbxl.database.write_bytes(content)
    with pytest.raises(FileFormatError):
        datasets.read_index("ptb-xl", ptbxl.root)


def test_a_quote_that_is_never_closed_is_refused_with_its_line(ptbxl):
    ptbxl.add(1).write()
    with ptbxl.database.open("a") as lines:
        lines.write('2,"never closed\r\n')
    with pytest.raises(FileFormatError, match="line 3"):
        datasets.read_index("ptb-xl", ptbxl.root)


def test_an_index_of_which_not_one_record_is_left_is_refused_with_an_example(ptbxl):
    with pytest.raises(DatasetError, match=r"2 set aside, for example 1: missing: records100/00000/00001_lr"):
        ptbxl.add(1, rates=()).add(2, rates=()).read()


# scp_statements.csv


def test_a_missing_table_of_statements_is_noted(ptbxl):
    assert noted(ptbxl.add(1).read(), "scp_statements.csv is missing: Leadlight's own table")


def test_a_table_of_statements_that_differs_is_noted_by_code(ptbxl):
    ptbxl.touch("scp_statements", ())
    header = ",description,diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass\n"
    (ptbxl.root / "scp_statements.csv").write_text(
        header + "NORM,normal ECG,1.0,,,MI,NORM\nNEW,new,,1.0,,,\n"
    )
    (note,) = noted(ptbxl.add(1).read(), "scp_statements.csv differs")
    assert "'1AVB'" in note and "Leadlight's own table of statements serves" in note


@pytest.mark.parametrize("content", [b"", b'"never closed', b"\xff\xfe\x00"])
def test_a_table_of_statements_that_cannot_be_read_does_not_stop_the_reading(ptbxl, content):
    (ptbxl.root / "scp_statements.csv").write_bytes(content)
    assert noted(ptbxl.add(1).read(), "scp_statements.csv")
