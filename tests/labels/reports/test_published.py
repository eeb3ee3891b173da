"""ECG-XPLAIM's keyword rules as published, with the faults that its page of the reference documents."""

from __future__ import annotations

import csv

import pytest

from leadlight import labels
from leadlight.labels.reports import meanings, published_labels

LABELS = (
    "afib", "aflu", "afifl", "rbbb", "lbbb", "lafb", "lpfb", "pvc", "pac", "ami", "imi", "smi", "lmi",
    "avb1", "avb2i", "avb2ii", "avb2", "avb3", "bradsr", "svt", "vt", "tachsr", "lqt", "wpw", "pace",
)  # fmt: skip


@pytest.fixture(scope="module")
def xplaim(reference):
    folder = reference / "xplaim/data"
    if not (folder / "mimic_report_phrases.csv").is_file():
        pytest.skip("no published rules beside LEADLIGHT_DATA")
    return folder


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_counted_phrase_triggers_the_published_labels(xplaim):
    for row in rows(xplaim / "mimic_report_phrases.csv"):
        assert ";".join(published_labels([row["phrase"]])) == row["keyword_labels_hit"], row["phrase"]


def test_keywords_and_order_are_the_published_ones(xplaim):
    from leadlight.labels.rows import rows as own_rows

    ours = [(row["label"], row["keywords"]) for row in own_rows("reports/published_xplaim.csv")]
    theirs = [(row["label"], row["mimic_keywords"]) for row in rows(xplaim / "xplaim_labels.csv")]
    assert ours == theirs
    assert tuple(label for label, _ in ours) == LABELS


def test_a_paced_rhythm_is_called_pac():
    assert published_labels(["Ventricular pacing"]) == ("pac", "pace")
    assert dict(meanings("Ventricular pacing")) == {"VPACE": 100.0}


def test_suspended_pacer_detection_is_called_paced():
    text = "Pacer detection suspended due to external noise-REVIEW ADVISED"
    assert published_labels([text]) == ("pac", "pace")
    assert {labels.findings()[code].kind for code, _ in meanings(text)} == {"technical"}


def test_prolonged_pr_never_matches():
    assert published_labels(["Prolonged PR interval"]) == ()
    assert dict(meanings("Prolonged PR interval")) == {"LPR": 100.0}


def test_keywords_reach_over_the_border_of_two_statements():
    report = ["Possible inferior infarct", "Lateral ST-T changes are nonspecific"]
    assert published_labels(report) == ("imi", "lmi")
    assert published_labels(report[:1]) == ("imi",) and published_labels(report[1:]) == ()


def test_an_empty_column_becomes_nan_and_keeps_its_neighbours_apart():
    assert published_labels(["Inferior infarct", "", "Lateral ST-T changes"]) == ("imi",)
    assert published_labels(["Inferior infarct", None, "Lateral ST-T changes"]) == ("imi",)
    assert published_labels([]) == ()


def test_negated_findings_are_called_present():
    assert published_labels(["No evidence of atrial fibrillation"]) == ("afib", "afifl")
    assert meanings("No evidence of atrial fibrillation") == (("AFIB", 0.0),)


def test_a_second_degree_sinoatrial_block_is_called_atrioventricular():
    text = "2nd degree SA block, Mobitz II"
    assert published_labels([text]) == ("avb2ii", "avb2")
    assert dict(meanings(text)) == {"SAB2": 100.0}


def test_mobitz_in_brackets_is_missed():
    assert published_labels(["2nd degree A-V block (Mobitz I)"]) == ("avb2",)
    assert dict(meanings("2nd degree A-V block (Mobitz I)")) == {"2AVB1": 100.0}


def test_a_space_at_each_end_lets_ventricular_tachycardia_match_at_the_start():
    assert published_labels(["Ventricular tachycardia, unsustained"]) == ("vt",)
    assert published_labels(["Supraventricular tachycardia"]) == ("svt",)


def test_early_repolarization_is_called_an_infarct():
    assert published_labels(["Lateral ST elevation - possible early repolarization"]) == ("lmi",)
    assert not any(
        "MI" in code for code, _ in meanings("Lateral ST elevation - possible early repolarization")
    )
