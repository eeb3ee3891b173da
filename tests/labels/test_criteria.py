"""What diagnostic criteria look at: the table, unions of it, and the command that prints it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from leadlight import labels
from leadlight.cli.app import app
from leadlight.errors import LabelError
from leadlight.labels.criteria import SEGMENTS
from leadlight.leads import STANDARD_LEADS


def test_every_row_names_known_findings_leads_and_segments():
    for code, one in labels.criteria().items():
        assert code in labels.findings()
        assert set(one.leads + one.neutral_leads) <= set(STANDARD_LEADS), code
        assert set(one.segments + one.neutral_segments) <= set(SEGMENTS), code
        assert not set(one.leads) & set(one.neutral_leads), code
        assert not set(one.segments) & set(one.neutral_segments), code
        assert one.looks_at and one.source, code
        assert one.has_place == bool(one.segments), code
        assert one.beats in ("all", "early")


def test_a_clear_row_names_some_of_the_leads_and_a_partial_one_says_what_is_missing():
    for code, one in labels.criteria().items():
        if one.strength == "clear":
            assert 0 < len(one.leads) < 12, code
        if one.strength == "none":
            assert one.remark, code


@pytest.mark.parametrize("name", [name for name in labels.names() if name != "ecg-xplaim/published"])
def test_every_class_of_every_space_has_criteria_or_is_said_to_have_no_place(name):
    for one in labels.space(name).classes:
        codes = [finding.removeprefix("=") for finding in one.findings]
        assert codes and all(labels.criterion(code) is not None for code in codes), (name, one.code)


def test_every_statement_of_ptb_xl_has_a_row_of_its_own():
    assert set(labels.statements("scp-ecg")) <= set(labels.criteria())


def test_rows_say_what_the_guidelines_say():
    # The examples of the 2009 statements on bundle branch block, and of the Universal Definition.
    rows = labels.criteria()
    assert set(rows["CLBBB"].leads) == {"I", "aVL", "V1", "V2", "V5", "V6"}
    assert rows["CLBBB"].segments == ("QRS", "ST", "T")
    assert rows["IMI"].leads == ("II", "III", "aVF")
    assert rows["1AVB"].leads == () and rows["1AVB"].segments == ("P", "PR")
    assert rows["AFIB"].segments == ("TQ",)
    assert set(rows["LPFB"].leads) == {"I", "aVL", "III", "aVF"}


def test_places_agree_with_the_reference_table(reference):
    """Leads of "clear" rows, but for what a row's remark says."""
    import csv

    with (reference / "data" / "criteria.csv").open(encoding="utf-8") as file:
        theirs = {row["finding"]: row for row in csv.DictReader(file)}
    for code, one in labels.criteria().items():
        if code in theirs and one.strength == theirs[code]["strength"] == "clear":
            named = set(one.leads) | set(one.neutral_leads)
            assert set(theirs[code]["leads"].split(";")) <= named, code


def test_a_finding_without_a_row_is_the_union_of_its_kinds():
    union = labels.criterion("FASC")
    assert union is not None
    assert union.of == ("LAFB", "LPFB")
    assert set(union.leads) == {"I", "II", "III", "aVL", "aVF"}
    assert union.segments == ("QRS",)
    assert union.strength == "partial"


def test_a_union_that_takes_in_the_whole_beat_has_no_place():
    for code in ("CD", "HYP", "STTC"):
        union = labels.criterion(code)
        assert union is not None and not union.has_place and union.remark
        assert code in labels.without_place()


def test_findings_that_are_a_rate_or_found_by_exclusion_have_no_place():
    assert {"NORM", "SBRAD", "STACH", "SARRH", "SVARR"} <= set(labels.without_place())


def test_a_kind_without_a_row_takes_that_of_the_finding_it_is_a_kind_of():
    tall = labels.criterion("TTALL")
    assert tall is not None and tall.of == ("TAB_",) and tall.segments == ("T",)


def test_a_finding_without_criteria_has_none_and_an_unknown_one_is_refused():
    assert labels.criterion("CHAGAS") is None
    with pytest.raises(LabelError, match="AFIB"):
        labels.criterion("AFIBB")


def test_labels_show_prints_the_place_and_the_source():
    shown = CliRunner().invoke(app, ["labels", "show", "CLBBB"]).stdout
    assert "place: I aVL V1 V2 V5 V6; QRS ST T" in shown
    assert "AHA/ACCF/HRS 2009 part III" in shown
    said = json.loads(CliRunner().invoke(app, ["labels", "show", "CLBBB", "--json"]).stdout)
    assert said["findings"][0]["criteria"]["leads"] == ["I", "aVL", "V1", "V2", "V5", "V6"]
    assert "none that can be located" in CliRunner().invoke(app, ["labels", "show", "NORM"]).stdout
