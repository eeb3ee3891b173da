"""Statements that are not in the table, read by rules."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight import labels
from leadlight.labels.reports import certainties, meanings, read_statement
from leadlight.labels.reports.rules import read_by_rules
from leadlight.labels.reports.tables import phrases

CASES = [
    # other spellings and dialects
    ("SINUS RHYTHM WITH FREQUENT PVC'S", "SR; PVC"),
    ("Sinus rhythm with ventricular premature contractions", "SR; PVC"),
    ("Sinus rhythm with 3rd degree A-V block", "SR; 3AVB"),
    ("Complete heart block", "3AVB"),
    ("Second degree AV block (Mobitz I)", "2AVB1"),
    ("Left anterior hemiblock", "LAFB"),
    ("Wolff-Parkinson-White", "WPW"),
    ("Supraventricular premature complexes", "SVPB"),
    ("Right bundle branch block and left anterior fascicular block", "RBBB; LAFB"),
    ("Atrial fibrillation/flutter", "AFAFL"),
    ("Nonspecific ST and T wave abnormality", "NSTT"),
    ("High degree AV block", "HGAVB"),
    # words within words
    ("Unpaced rhythm", ""),
    ("Supraventricular tachycardia", "SVTAC"),
    ("Incomplete LBBB, possible LVH", "ILBBB; LVH possible"),
    # blocks that are not atrioventricular
    ("Sinus rhythm with second degree SA block, Mobitz II", "SR; SAB2"),
    ("(Mobitz II) SA block", "SAB2"),
    ("Sinus rhythm with 2:1 S-A block", "SR; SAB"),
    # walls
    ("Inferolateral infarct, old", "ILMI; MIOLD"),
    ("Inferior/lateral infarct", "ILMI"),
    ("Inferior and anterior infarct", "IMI; AMI"),
    ("Ant/septal and lateral infarct", "ASMI; LMI"),
    ("Extensive anterior infarct - age undetermined", "AMI"),
    ("Inferior, posterior and lateral infarct", "IPLMI"),
    ("Inferior ST depression, consider lateral ischemia", "STDIN; ISCLA possible"),
    ("Inferior or lateral infarct", "IMI possible; LMI possible"),
    ("Severe global ischemia", "ISCEX"),
    # a finding beside a technical remark
    ("Atrial fibrillation, data quality may affect interpretation", "AFIB; QUAL"),
    # hedges
    ("? inferior infarct", "IMI possible"),
    ("Inferior infarct?", "IMI possible"),
    ("Cannot rule out inferior infarct (masked by fascicular block?)", "IMI cannot rule out"),
    ("ST elevation, consider early repolarization, pericarditis, or injury",
     "STE_; ERE possible; PERIC possible; INJ possible"),
    ("Premature ventricular or aberrantly conducted complexes", "PVC possible; ABERR possible"),
    ("Inferior infarct possible", "IMI possible"),
    ("Inferior infarct, probable", "IMI probable"),
    ("Inferior infarct cannot be ruled out", "IMI cannot rule out"),
    ("Rule out inferior infarct", "IMI cannot rule out"),
    ("Questionable atrial flutter", "AFLT possible"),
    ("Suspect acute pericarditis", "PERIC probable"),
    ("Possible LVH with LAFB", "LVH possible; LAFB"),
    ("Probable RBBB and LAFB", "RBBB probable; LAFB probable"),
    ("Borderline left axis deviation", "LAD borderline"),
    ("Atrial tachycardia or atrial flutter", "ATACH possible; AFLT possible"),
    ("RSR' in V1 or V2, right VCD or RVH", "RSR; RVH possible"),
    ("Probable inferior infarct, acute (RCA)", "IMI probable; MIACUTE probable"),
    ("Inferolateral infarct - possibly acute", "ILMI; MIACUTE possible"),
    ("Sinus rhythm, cannot exclude anterior infarct, possibly acute",
     "SR; AMI cannot rule out; MIACUTE cannot rule out"),
    # negation
    ("No evidence of acute ischemia", "ISCACUTE absent"),
    ("Inferior infarct ruled out", "IMI absent"),
    ("No inferior infarct", "IMI absent"),
    ("No acute inferior infarct", "MIACUTE absent"),
    ("Sinus rhythm without PVCs", "SR; PVC absent"),
    ("Sinus rhythm, no ischemia", "SR; ISC_ absent"),
    ("No ischemia, infarction or hypertrophy", "ISC_ absent; MI absent; VH absent"),
    ("No ischemia, left axis deviation", "ISC_ absent"),
    ("No ischemia but left axis deviation", "ISC_ absent; LAD"),
    ("Not atrial fibrillation", "AFIB absent"),
    ("Atrial fibrillation is no longer present", "AFIB absent"),
    ("Sinus rhythm - no longer in atrial fibrillation", "SR; AFIB absent"),
    ("No evidence of lead reversal", ""),
]  # fmt: skip


def stated(statement):
    return {(one.code, one.certainty) for one in statement.findings}


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_an_unseen_statement_is_read(text, expected):
    parts = filter(None, expected.split("; "))
    statement = read_statement(text)
    assert statement.origin == "rules"
    assert stated(statement) == {
        (code, level or "certain") for code, _, level in (part.partition(" ") for part in parts)
    }


def test_what_no_rule_knows_is_not_understood_and_its_words_are_listed():
    statement = read_statement("Zigzag of the third kind")
    assert statement.kind == "not understood" and not statement.findings
    assert "zigzag" in statement.unread


def test_words_that_no_rule_used_are_listed_beside_the_findings():
    assert read_statement("Atrial fibrillation, torsion unclear").unread == ("torsion", "unclear")


def test_a_comparison_with_another_tracing_states_nothing():
    statement = read_statement("Compared to the last tracing, atrial fibrillation has replaced sinus rhythm")
    assert statement.kind == "comparison" and not statement.findings


def test_an_empty_statement_is_empty():
    assert read_statement("  ").kind == "empty" and meanings("---") == ()


# Properties

KNOWN = sorted(phrases())
PHRASES = st.sampled_from(KNOWN)


@given(
    PHRASES,
    st.sampled_from([str.upper, str.lower, str.title, str]),
    st.sampled_from(["", "- ", "*** ", "--- ", "  ", "** "]),
    st.sampled_from(["", ".", " .", " ***", " ---", "  "]),
    st.sampled_from([" ", "  ", "\t"]),
)
def test_case_dashes_asterisks_stops_and_spaces_change_no_meaning(phrase, case, before, after, space):
    written = before + case(phrase).replace(" ", space) + after
    assert read_statement(written) == read_statement(phrase)
    assert stated(read_by_rules(read_statement(written).text)) == stated(read_by_rules(phrase))


@given(
    PHRASES.filter(lambda phrase: " but " not in phrase),
    st.sampled_from(["no evidence of ", "no ", "without ", "no definite signs of ", "absence of ", "not "]),
)
def test_a_negation_before_a_statement_leaves_nothing_positive(phrase, negation):
    # "but" ends a negation: "no LVH but LAD" states LAD.
    for one in read_statement(negation + phrase).findings:
        assert one.certainty == "absent" and one.likelihood == 0


SINGLE = [
    phrase
    for phrase in KNOWN
    if phrases()[phrase].kind == "finding"
    and not any(border in phrase for border in (",", " - ", " with", ":", " but ", " or ", "+"))
    and all(level == "certain" for _, level in phrases()[phrase].findings)
]


@given(
    st.sampled_from(SINGLE), st.sampled_from([" ruled out", " is absent", " has been excluded", " not seen"])
)
def test_a_negation_after_a_single_finding_leaves_nothing_positive(phrase, negation):
    assert all(one.certainty == "absent" for one in read_statement(phrase + negation).findings)


@given(st.sampled_from(SINGLE), st.sampled_from(["possible ", "probable ", "cannot rule out ", "consider "]))
def test_a_hedge_before_a_single_finding_leaves_nothing_certain(phrase, hedge):
    levels = {one.certainty for one in read_statement(hedge + phrase).findings}
    assert (
        "certain" not in levels
        or labels.findings()[read_statement(phrase).findings[-1].code].kind == "technical"
    )


@given(PHRASES, PHRASES)
def test_statements_are_never_joined(one, other):
    before = meanings(one)
    meanings(f"{one} {other}")
    assert meanings(one) == before
    assert meanings(one) + meanings(other) == tuple(m for text in (one, other) for m in meanings(text))


WORDS = st.sampled_from(
    sorted({word for phrase in KNOWN for word in phrase.split()} | {"no", "or", "?", "not"})
)


@given(st.one_of(st.text(max_size=10_000), st.lists(WORDS, max_size=1500).map(" ".join)))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_quickly_within_the_vocabulary(text):
    began = time.process_time()
    statement = read_statement(text[:10_000])
    assert time.process_time() - began < 0.05
    assert {one.code for one in statement.findings} <= set(labels.findings())
    assert all(one.likelihood == certainties()[one.certainty].likelihood for one in statement.findings)
    assert len({one.code for one in statement.findings}) == len(statement.findings)


@pytest.mark.parametrize(
    "unit", ["a", " ", "-", "no ", "st-t ", "possible ", "old ", "or ", "\0", "inferior/", "pvc or "]
)
def test_the_longest_text_of_one_unit_is_read_quickly(unit):
    for n in (300, 600, 10_000):
        text = (unit * n)[:n]
        began = time.process_time()
        read_statement(text)
        assert time.process_time() - began < 0.05, (unit, n)


def test_a_text_longer_than_a_statement_is_not_read_by_rules():
    joined = " ".join(["Inferior infarct - age undetermined"] * 20)
    assert read_statement(joined).kind == "not understood" and meanings(joined) == ()
