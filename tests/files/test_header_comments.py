"""Age, sex and diagnoses in the spellings that headers have."""

from __future__ import annotations

import pytest

from leadlight.files.header_comments import read_comments
from leadlight.recording import Patient, Statement


@pytest.mark.parametrize(
    ("comment", "age"),
    [
        ("Age: 59", 59.0), ("age: 59.5", 59.5), ("Age:5", 5.0), ("AGE :  0", 0.0), ("Age: 120", 120.0),
        ("Age: NaN", None), ("Age: nan", None), ("Age: Unknown", None), ("Age:", None),
    ],
)  # fmt: skip
def test_ages_that_are_stated_cleanly(comment, age):
    assert read_comments([comment]) == (Patient(age=age), (), ())


@pytest.mark.parametrize("value", ["-3", "121", "59 years", "5_9", "٥٩", "1e1", "059Y", "inf", "5 9"])
def test_ages_that_are_not_understood_are_noted_without_being_told(value):
    assert read_comments([f"Age: {value}"]) == (Patient(), (), ("the header's age was not understood",))


def test_age_300_is_ptb_xls_sign_for_over_89():
    patient, _, notes = read_comments(["Age: 300"])
    assert patient.age == 90
    assert notes == ("the header's age is PTB-XL's sign for over 89; read as 90",)


@pytest.mark.parametrize(
    ("value", "sex"),
    [("Male", "male"), ("male", "male"), ("M", "male"), ("Female", "female"), ("F", "female"),
     ("f", "female"), ("Unknown", None), ("NaN", None), ("", None)],
)  # fmt: skip
def test_spellings_of_sex(value, sex):
    assert read_comments([f"Sex: {value}"]) == (Patient(sex=sex), (), ())


def test_another_sex_is_noted_and_not_guessed():
    assert read_comments(["Sex: 1"]) == (Patient(), (), ("the header's sex was not understood",))


def test_snomed_codes():
    _, statements, notes = read_comments(["Dx: 59118001, 284470004"])
    assert statements == (Statement("59118001", "snomed-ct"), Statement("284470004", "snomed-ct"))
    assert notes == ()


@pytest.mark.parametrize(
    "value",
    ["59118001,,284470004,", " 59118001 ,\t284470004", "59118001 284470004", "59118001;284470004",
     "59118001,284470004,59118001", "NaN,59118001,284470004", "59118001,Unknown,284470004"],
)  # fmt: skip
def test_lists_with_stray_blanks_empty_parts_and_repeated_codes(value):
    _, statements, notes = read_comments([f"Dx: {value}"])
    assert [statement.code for statement in statements] == ["59118001", "284470004"]
    assert notes == ()


def test_an_age_of_minus_one_is_a_sign_for_none_and_noted():
    patient, _, notes = read_comments(["Age: -1"])
    assert patient.age is None
    assert notes == ("the header's age is -1; read as not known",)


def test_the_text_labels_of_early_cpsc_headers():
    _, statements, notes = read_comments(["Dx: AF,I-AVB"])
    assert statements == (Statement("AF", "text"), Statement("I-AVB", "text"))
    assert notes == ()


@pytest.mark.parametrize("value", ["", "Unknown", "NaN"])
def test_no_diagnosis_is_no_statement(value):
    assert read_comments([f"Dx: {value}"]) == (Patient(), (), ())


def test_what_is_not_understood_among_diagnoses_is_noted_and_the_rest_kept():
    _, statements, notes = read_comments(["Dx: 59118001,12,<script>"])
    assert statements == (Statement("59118001", "snomed-ct"),)
    assert notes == ("the header's diagnoses were not understood",)


def test_the_comments_of_code_15():
    comments = ["Exam ID: 1111025", "Patient ID: 116826", "Age: 21", "Sex: Female", "Chagas label: False"]
    assert read_comments(comments) == (Patient("116826", 21.0, "female"), (), ())


def test_the_first_of_two_values_counts_and_is_noted():
    patient, _, notes = read_comments(["Age: 21", "Age: 22"])
    assert patient.age == 21
    assert notes == ("the header's comments state age twice; the first was read",)


def test_other_comments_are_left_alone():
    assert read_comments(["Rx: Unknown", "69 M 1085 1629 x1", "Aged: 50", "sexual: x"]) == (Patient(), (), ())
