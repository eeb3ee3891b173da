"""The vocabulary, and the tables that speak it."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from leadlight import labels
from leadlight.errors import LabelError
from leadlight.labels.rows import rows
from leadlight.recording import Statement

SYSTEMS = ("scp-ecg", "snomed-ct", "text", "code-15", "challenge-2025", "leadlight")


# The vocabulary


def test_every_broader_code_exists_and_nothing_is_a_kind_of_itself():
    known = labels.findings()
    for code, finding in known.items():
        assert set(finding.broader) <= set(known), code
        assert code not in labels.broader(code), code


def test_first_steps_are_not_stated_twice():
    for code, finding in labels.findings().items():
        for one in finding.broader:
            others = set(finding.broader) - {one}
            assert all(one not in labels.broader(other) for other in others), (code, one)


def test_every_code_and_every_name_stands_once():
    table = rows("findings.csv")
    for column in ("code", "name"):
        assert [v for v, n in Counter(row[column] for row in table).items() if n > 1] == []


def test_every_finding_has_a_name_a_kind_and_a_source():
    for finding in labels.findings().values():
        assert finding.name and finding.source, finding
        assert finding.kind in ("diagnostic", "rhythm", "form", "technical", "group"), finding


def test_every_statement_of_ptbxl_is_a_finding():
    assert set(labels.statements("scp-ecg")) <= set(labels.findings())


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("CLBBB", "LBBB"),
        ("ILBBB", "LBBB"),
        ("LBBB", "BBB"),
        ("CLBBB", "CD"),
        ("BBB", "CD"),
        ("LAFB", "FASC"),
        ("1AVB", "AVB"),
        ("1AVB", "LPR"),
        ("2AVB1", "2AVB"),
        ("3AVB", "AVDIS"),
        ("WPW", "PREEX"),
        ("IMI", "MI"),
        ("ASMI", "AMI"),
        ("ASMI", "SMI"),
        ("ALMI", "LMI"),
        ("IPLMI", "PMI"),
        ("IPLMI", "LMI"),
        ("SBRAD", "BRAD"),
        ("SBRAD", "SINUS"),
        ("STACH", "TACH"),
        ("AFIB", "AFAFL"),
        ("AFLT", "SVARR"),
        ("AVNRT", "SVTAC"),
        ("PAC", "SVPB"),
        ("VBIG", "PVC"),
        ("VBIG", "BIGU"),
        ("PVC", "PRC(S)"),
        ("VPACE", "PACE"),
        ("LVOLT", "LOWV"),
        ("BVH", "LVH"),
        ("BVH", "RVH"),
        ("LVH", "HYP"),
        ("LAO/LAE", "HYP"),
        ("INVT", "TAB_"),
        ("NST_", "NSTT"),
        ("ISCAL", "ISCLA"),
        ("LNGQT", "STTC"),
    ],
)
def test_a_kind_is_under_what_it_is_a_kind_of(narrow, wide):
    assert wide in labels.broader(narrow) and narrow in labels.narrower(wide)
    assert wide not in labels.narrower(narrow)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PACE", "PAC"),  # the published substring rule takes one for the other
        ("STACH", "SVTAC"),
        ("LAFB", "BBB"),
        ("IVCD", "BBB"),
        ("VCLVH", "LVH"),
        ("INJAS", "MI"),
        ("ERE", "STE_"),
        ("LEFTX", "LAD"),
        ("BLPR", "LPR"),
        ("PVC", "VTAC"),
        ("SR", "NORM"),
    ],
)
def test_neighbours_are_not_kinds_of_each_other(one, other):
    assert other not in labels.broader(one) and one not in labels.broader(other)


def test_an_unknown_finding_is_refused_with_the_nearest_code():
    with pytest.raises(LabelError, match=r"found 'CLBB'.* Did you mean 'CLBBB'\?"):
        labels.broader("CLBB")


# What statements mean


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_code_of_every_system_means_findings_that_exist(system):
    table = labels.codes(system)
    assert table
    for one in table.values():
        assert one.findings and set(one.findings) <= set(labels.findings()), one
        assert one.name and one.source, one


def test_systems_are_listed_with_the_vocabulary_last():
    assert labels.systems() == SYSTEMS


def test_no_code_of_a_system_stands_twice():
    table = rows("statement_findings.csv")
    twice = Counter((row["system"], row["code"]) for row in table)
    assert [key for key, n in twice.items() if n > 1] == []
    assert {row["relation"] for row in table} == {"same", "narrower"}


def test_likelihoods_go_from_the_statement_to_its_findings():
    assert labels.meanings(Statement("713427006", "snomed-ct", 80.0)) == (("CRBBB", 80.0),)
    assert labels.meanings(Statement("AF", "code-15", 0.0)) == (("AFIB", 0.0),)
    assert labels.meanings(Statement("ISCAL", "leadlight")) == (("ISCAL", None),)


def test_a_statement_may_state_two_findings():
    assert labels.meanings(Statement("164867002", "snomed-ct")) == (("MI", None), ("MIOLD", None))


def test_what_nobody_knows_means_nothing():
    assert labels.meanings(Statement("AFIB", "device-x")) == ()
    assert labels.meanings(Statement("NO-CODE", "scp-ecg")) == ()


def test_statements_of_every_system_can_be_listed():
    assert labels.statements("text")["Normal"].kinds == ("diagnostic",)
    assert labels.statements("snomed-ct")["164889003"].description == "atrial fibrillation"


# Against published tables


def diagnoses(reference):
    for part in ("scored", "unscored"):
        with (reference / f"resunet/data/dx_mapping_{part}.csv").open(newline="") as lines:
            yield from csv.DictReader(lines)


@pytest.mark.real
def test_all_diagnoses_of_the_challenge_are_there_under_their_names(reference):
    published = {row["SNOMEDCTCode"]: row for row in diagnoses(reference)}
    table = labels.codes("snomed-ct")
    assert len(published) == 133 and set(table) == set(published)
    for code, row in published.items():
        assert table[code].name == " ".join(row["Dx"].split())
        assert table[code].abbreviation == row["Abbreviation"]


@pytest.mark.real
def test_codes_that_the_criteria_page_gives_for_a_finding_mean_that_finding(reference):
    """An independent table of finding, SNOMED CT code and ECG-XPLAIM label."""
    apart = {"NST_", "LVOLT", "PACE"}  # the Challenge's code is wider: 55930002, 251146004
    with (reference / "data/criteria.csv").open(newline="") as lines:
        checked = 0
        for row in csv.DictReader(lines):
            for code in filter(None, row["snomed_ct"].split("|")):
                if row["finding"] not in labels.findings() or code not in labels.codes("snomed-ct"):
                    continue
                meant = set(labels.codes("snomed-ct")[code].findings)
                near = meant | set().union(*(labels.narrower(one) for one in meant))
                assert row["finding"] in near or row["finding"] in apart, (row["finding"], code, meant)
                checked += 1
    assert checked > 30


@pytest.mark.real
def test_collections_state_exactly_the_codes_that_the_challenge_counted_in_them(reference):
    columns = {
        "cpsc_2018": "CPSC",
        "cpsc_2018_extra": "CPSC_Extra",
        "st_petersburg_incart": "StPetersburg",
        "ptb": "PTB",
        "ptb-xl": "PTB_XL",
        "georgia": "Georgia",
        "chapman_shaoxing": "Chapman_Shaoxing",
        "ningbo": "Ningbo",
    }
    table = list(diagnoses(reference))
    for source, column in columns.items():
        ours = labels.coverage()[source, "snomed-ct"]
        counts = {row["SNOMEDCTCode"]: int(row[column]) for row in table if int(row[column])}
        assert ours.records == counts
        assert ours.mentioned == set(counts)
        assert ours.told == {code for code, n in counts.items() if n >= 10}


@pytest.mark.real
def test_ptbxl_states_every_statement_as_often_as_published(reference):
    with (reference / "ptbxl/data/ptbxl_exp0_label_counts.csv").open(newline="") as lines:
        published = {row["code"]: int(row["all"]) for row in csv.DictReader(lines)}
    ours = labels.coverage()["ptb-xl", "scp-ecg"]
    assert ours.records == published and ours.told == set(published)


def test_every_covered_code_is_a_code_of_its_system():
    for (_, system), covered in labels.coverage().items():
        if system == "mimic-report":
            assert covered.mentioned - {"*"} <= covered.findings <= set(labels.findings())
        else:
            assert covered.mentioned <= set(labels.codes(system))


def test_a_simulated_set_tells_what_the_simulator_can_draw():
    told = labels.coverage()["simulated", "scp-ecg"].told
    for table in ("evidence", "rhythms", "forms"):
        from leadlight.simulate.tables import table as simulated

        column = {"evidence": "finding", "rhythms": "rhythm", "forms": "form"}[table]
        assert {row[column] for row in simulated(table)} <= told
    assert "NORM" in told and "AFIB" not in told
