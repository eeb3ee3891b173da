"""The reviewed table: every phrase counted in MIMIC-IV-ECG stands in it, with a meaning or a reason."""

from __future__ import annotations

import csv

import pytest

from leadlight import labels
from leadlight.labels.reports import certainties, meanings, normalise, read_statement
from leadlight.labels.reports.rules import read_by_rules
from leadlight.labels.reports.tables import phrases


@pytest.fixture(scope="module")
def counted(reference):
    path = reference / "xplaim/data/mimic_report_phrases.csv"
    if not path.is_file():
        pytest.skip("no table of counted phrases beside LEADLIGHT_DATA")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read(text):
    return {(one.code, one.certainty) for one in read_statement(text).findings}


def test_every_counted_phrase_is_in_the_table_with_findings_or_deliberately_without(counted):
    assert len(counted) == 724
    for row in counted:
        statement = read_statement(row["phrase"])
        assert statement.origin == "table", row["phrase"]
        assert statement.deliberately_without != any(
            labels.findings()[one.code].kind in ("diagnostic", "rhythm", "form") for one in statement.findings
        )
        if statement.kind == "finding":
            assert not statement.deliberately_without, row["phrase"]


def test_the_table_has_no_other_phrases_than_the_counted_ones(counted):
    assert set(phrases()) == {normalise(row["phrase"]) for row in counted}


def test_phrases_stand_normalised_sorted_and_once():
    assert [normalise(phrase) for phrase in phrases()] == sorted(phrases())


def test_phrases_use_findings_of_the_vocabulary_and_known_certainties():
    for phrase in phrases().values():
        assert {code for code, _ in phrase.findings} <= set(labels.findings())
        assert {level for _, level in phrase.findings} <= set(certainties())
        assert len({code for code, _ in phrase.findings}) == len(phrase.findings), phrase


def test_technical_and_other_remarks_state_nothing_of_the_heart():
    for phrase in phrases().values():
        kinds = {labels.findings()[code].kind for code, _ in phrase.findings}
        if phrase.kind in ("technical", "comment", "advice"):
            assert kinds <= {"technical", "group"}, phrase
        if phrase.kind == "finding":
            assert kinds - {"technical", "group"}, phrase


def test_rules_alone_agree_with_the_reviewed_table_on_more_than_95_percent():
    def same(text, row):
        by_rules = read_by_rules(text)
        return by_rules.kind == row.kind and {(one.code, one.certainty) for one in by_rules.findings} == set(
            row.findings
        )

    agreeing = sum(same(text, row) for text, row in phrases().items())
    assert agreeing / len(phrases()) > 0.95


def test_likelihoods_fall_with_certainty_and_use_the_steps_of_ptb_xl():
    levels = sorted(certainties().values(), key=lambda level: -level.strength)
    assert [level.name for level in levels] == [
        "certain", "probable", "borderline", "possible", "cannot rule out", "absent",
    ]  # fmt: skip
    likelihoods = [level.likelihood for level in levels]
    assert likelihoods == sorted(likelihoods, reverse=True)
    assert set(likelihoods) <= {100, 80, 50, 35, 15, 0}
    assert certainties()["absent"].likelihood == 0 and certainties()["certain"].likelihood == 100
    assert all(level.reason for level in levels)


# Statement by statement: what a cardiologist reads

READ = [
    ("Sinus rhythm", "SR"),
    ("Inferior infarct - age undetermined", "IMI"),
    ("Consider anterior infarct", "AMI possible"),
    ("Low QRS voltages in limb leads", "LOWVL"),
    ("Left axis deviation - possible left anterior fascicular block", "LAD; LAFB possible"),
    ("Left axis deviation - anterior fascicular block", "LAD; LAFB"),
    ("Sinus rhythm with 1st degree A-V block.", "SR; 1AVB"),
    ("Sinus rhythm with borderline 1st degree A-V block", "SR; 1AVB borderline"),
    ("Atrial fibrillation with rapid ventricular response", "AFIB"),
    ("Lateral ST-T changes may be due to myocardial ischemia", "STAB; TAB_; ISCLA possible"),
    ("Pacemaker rhythm - no further analysis", "PACE; NOANA"),
    ("*** CONSIDER ACUTE ST ELEVATION MI ***", "STEMI possible"),
    ("*** ANTERIOR INFARCT - POSSIBLY ACUTE ***", "AMI; MIACUTE possible"),
    ("Anterior ST elevation, probably due to LVH", "STEAN; LVH probable"),
    ("Inferior ST elevation - possible early repolarization", "STEIN; ERE possible"),
    ("Lateral ST elevation - repeat if myocardial injury is suspected", "STELA"),
    ("Anteroseptal ST depression is probably reciprocal to inferior infarct", "STDAN; IMI probable"),
    ("QRS changes V3/V4 may be due to LVH but cannot rule out anterior infarct",
     "ABQRS; LVH possible; AMI cannot rule out"),
    ("Atrial fibrillation with PVC(s) or aberrant ventricular conduction",
     "AFIB; PVC possible; ABERR possible"),
    ("Probable atrial fibrillation with PVC(s)", "AFIB probable; PVC"),
    ("Multiple premature complexes, vent & supraven", "PVC; SVPB"),
    ("Afib/flut and V-paced complexes", "AFAFL; VPACE"),
    ("Atrial flutter with rapid ventricular response with 2:1 A-V block.", "AFLT"),
    ("Sinus bradycardia - consider sinus rhythm with 2:1 S-A block.", "SBRAD; SR possible; SAB possible"),
    ("Incomplete RBBB and LAFB", "IRBBB; LAFB"),
    ("Pacer detection suspended due to external noise-REVIEW ADVISED", "PACEQ"),
    ("Possible LVH with secondary repolarization abnormality", "LVH possible; STRAIN possible"),
    ("Leftward axis", "LEFTX"),
    ("Abnormal ECG", "ABECG"),
    ("Lateral leads are also involved", ""),
    ("NO OTHER FINDING", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ, ids=[text for text, _ in READ])
def test_a_phrase_states(text, expected):
    parts = filter(None, expected.split("; "))
    assert read(text) == {(code, level or "certain") for code, _, level in (p.partition(" ") for p in parts)}


def test_meanings_give_likelihoods_in_percent():
    assert meanings("Sinus rhythm with borderline 1st degree A-V block") == (("SR", 100.0), ("1AVB", 50.0))
    assert meanings("Cannot rule out septal infarct - age undetermined") == (("SMI", 35.0),)
    assert meanings("Probable sinus tachycardia.") == (("STACH", 80.0),)


@pytest.mark.parametrize(
    "text",
    ["Abnormal ECG", "Analysis error", "NO OTHER FINDING", "*** possible measurement error - check data ***"],
)
def test_remarks_are_understood_and_deliberately_without(text):
    statement = read_statement(text)
    assert statement.understood and statement.deliberately_without


def test_an_infarct_is_not_a_remark():
    assert not read_statement("Inferior infarct, old").deliberately_without
