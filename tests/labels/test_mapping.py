"""What a mapping between label spaces keeps and loses, and what is known of a code or name."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from leadlight import labels
from leadlight.cli.app import app
from leadlight.errors import LabelError
from leadlight.recording import Statement


def run(*arguments: str):
    return CliRunner().invoke(app, ["labels", *arguments])


def words(result) -> str:
    return " ".join(result.output.split())


# From one to another


def test_ptbxl_in_the_challenges_classes():
    found = labels.mapping("ptb-xl", "challenge-2021")
    classes = {one.code: one for one in found.classes}
    assert classes["NSR"].set_by == ("NORM", "SR") and classes["NSR"].absence == ("ptb-xl",)
    assert classes["TAb"].set_by == ("LOWT", "NDT", "NT_", "TAB_")
    assert set(classes["PAC/SVPB"].open_by) == {"BIGU", "PRC(S)", "SVARR", "TRIGU"}
    assert found.never_told == ("BBB", "Brady", "LAD", "PRWP", "RAD")
    lost = {one.code: one.records for one in found.lost}
    assert lost["IMI"] == 2685 and "AFIB" not in lost


@pytest.mark.parametrize(
    "origin", [*labels.sources(), "ptb-xl:snomed-ct", *labels.systems(), *labels.names()]
)
@pytest.mark.parametrize("target", labels.names())
def test_a_mapping_says_what_encoding_does(origin, target):
    found = labels.mapping(origin, target)
    space = labels.space(target)
    for states in found.origin.states:
        table = labels.codes(states.system)
        for code in sorted(states.mentioned & set(table))[:40]:
            (row,) = space.encode([[Statement(code, states.system)]]).values
            setting = {one.code for one in found.classes if code in one.set_by}
            assert setting == {space.codes[at] for at in row.nonzero()[0]}
            assert (not setting) == any(one.code == code for one in found.lost)


def test_the_challenge_as_a_whole_says_which_collections_tell_a_class():
    found = labels.mapping("challenge-2021", "ecg-xplaim")
    lafb = next(one for one in found.classes if one.code == "lafb")
    assert set(lafb.absence) == {"ptb-xl", "georgia", "ningbo"}


def test_a_space_maps_to_itself_without_loss():
    for name in labels.names():
        found = labels.mapping(name, name)
        # These two are data sets as well: unscored diagnoses, and CODE-15%'s normal_ecg beside the six.
        if name not in ("challenge-2021", "code-15", "ecg-xplaim/published"):
            assert found.lost == () and found.never_told == ()


def test_a_normal_ecg_of_code_15_is_known_only_where_it_is_said():
    space = labels.space("ptb-xl/superclass")
    rows = [(Statement("normal_ecg", "code-15", 0.0),), (Statement("normal_ecg", "code-15", None),)]
    targets = space.encode([*rows, (Statement("RBBB", "code-15", 0.0),)], sources=["code-15"] * 3)
    normal = space.codes.index("NORM")
    assert targets.values[:, normal].tolist() == [0, 1, 0]
    assert targets.known[:, normal].tolist() == [True, True, False]


def test_reports_of_carts_tell_nearly_all_of_the_25_labels():
    found = labels.mapping("mimic-iv-ecg", "ecg-xplaim")
    assert found.never_told == ()
    assert [one.code for one in found.classes if not one.absence] == []


def test_an_unknown_origin_is_refused_with_the_nearest():
    with pytest.raises(LabelError, match=r"found 'gorgia'.* Did you mean 'georgia'\?"):
        labels.mapping("gorgia", "code-15")
    with pytest.raises(LabelError, match="found 'georgia:text'"):
        labels.mapping("georgia:text", "code-15")


# Everything known of one


@pytest.mark.parametrize(
    "text",
    ["LBBB", "164909002", "left bundle branch block", "  Left  bundle branch BLOCK "],
)
def test_a_finding_is_found_by_any_code_or_name(text):
    assert ("LBBB",) in {match.findings for match in labels.look_up(text)}


def test_an_abbreviation_of_the_challenge_is_found():
    assert [match.findings for match in labels.look_up("CHB")] == [("3AVB",)]


def test_all_meanings_of_an_ambiguous_code_are_listed():
    meant = {match.as_what: match.findings for match in labels.look_up("AMI")}
    assert meant["finding AMI, anterior myocardial infarction"] == ("AMI",)
    assert meant["snomed-ct 57054005, acute myocardial infarction"] == ("MI", "MIACUTE")


def test_what_is_known_of_left_bundle_branch_block():
    known = labels.known_of("LBBB")
    assert known.broader == ("CD", "IVB", "BBB") and known.narrower == ("CLBBB", "ILBBB")
    assert ("snomed-ct", "164909002", "left bundle branch block") in known.codes
    assert ("challenge-2021", "CLBBB/LBBB") in known.classes and ("ptb-xl/all", "CLBBB") in known.open
    assert ("cpsc_2018", "text", "absence") in known.collections
    assert ("ptb-xl", "scp-ecg", "kinds") in known.collections
    assert "left bundle branch block" in known.phrases


def test_every_finding_can_be_shown():
    for code in labels.findings():
        assert labels.known_of(code).finding.code == code


# The command


def test_map_prints_classes_and_what_is_lost():
    result = run("map", "--from", "ptb-xl", "--to", "challenge-2021")
    assert result.exit_code == 0
    assert "Never told, so unknown in every record: BBB Brady LAD PRWP RAD." in words(result)
    assert "46 statements without a class" in words(result)


def test_map_as_json():
    shown = json.loads(run("map", "--from", "georgia", "--to", "code-15", "--json").stdout)
    assert shown["from"]["name"] == "georgia" and shown["to"]["name"] == "code-15"
    classes = {one["code"]: one for one in shown["classes"]}
    assert classes["SB"]["set_by"] == ["426177001"] and classes["SB"]["absence"] == ["georgia"]
    assert shown["never_told"] == []


def test_show_prints_codes_classes_and_collections():
    result = run("show", "left", "bundle", "branch", "block")
    assert result.exit_code == 0
    for part in ("is a kind of: CD IVB BBB", "has the kinds: CLBBB ILBBB", "164909002", "lbbb of ecg-xplaim"):
        assert part in words(result)


def test_show_as_json():
    shown = json.loads(run("show", "CLBBB", "--json").stdout)
    assert shown["findings"][0]["finding"]["code"] == "CLBBB"
    assert shown["findings"][0]["broader"] == ["CD", "IVB", "BBB", "LBBB"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "LBBBB"], "Did you mean 'LBBB'?"),
        (["show"], "a code or name is missing"),
        (["map", "--to", "code-15"], "--from"),
        (["map", "--from", "ptb-xl"], "--to"),
        (["map", "ptb-xl", "--from", "ptb-xl", "--to", "code-15"], "--from and --to alone"),
        (["map", "--from", "ptb-x", "--to", "code-15"], "Did you mean 'ptb-xl'?"),
        (["map", "--from", "ptb-xl", "--to", "code-51"], "Did you mean 'code-15'?"),
        (["ptb-xl/all", "ptb-xl/form"], "accepted: one space"),
        (["--from", "ptb-xl"], "go with `leadlight labels map`"),
    ],
)
def test_wrong_usage_ends_with_two_and_says_what_is_right(arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in words(result)


# The published rules


def test_published_rules_read_whole_reports_with_their_faults():
    space = labels.space("ecg-xplaim/published")
    report = [
        Statement("Ventricular-paced rhythm", "mimic-report"),
        Statement("Sinus bradycardia", "mimic-report"),
    ]
    targets = space.encode([report, [Statement("SR", "scp-ecg")]], sources=["mimic-iv-ecg", "ptb-xl"])
    assert {space.codes[at] for at in targets.values[0].nonzero()[0]} == {"pac", "pace", "bradsr"}
    assert targets.known.all()


def test_sound_rules_read_the_same_report_without_them():
    space = labels.space("ecg-xplaim")
    report = [
        Statement("Ventricular-paced rhythm", "mimic-report"),
        Statement("Sinus bradycardia", "mimic-report"),
    ]
    targets = space.encode([report], sources=["mimic-iv-ecg"])
    assert {space.codes[at] for at in targets.values[0].nonzero()[0]} == {"pace", "bradsr"}
    assert targets.known.all()


@pytest.mark.real
def test_published_members_are_the_substring_rule_on_the_dictionarys_text(reference):
    import csv

    with (reference / "xplaim/data/xplaim_labels.csv").open(newline="") as lines:
        rules = {
            row["label"]: [key for key in row["ptbxl_codes"].split("|") if key]
            for row in csv.DictReader(lines)
        }
    published, sound = labels.space("ecg-xplaim/published"), labels.space("ecg-xplaim")
    assert tuple(rules) == published.codes == sound.codes
    for code in labels.codes("scp-ecg"):
        text = str({code: 100.0})
        (row,) = published.encode([[Statement(code, "scp-ecg", 100.0)]]).values
        expected = {label for label, keys in rules.items() if any(key in text for key in keys)}
        assert {published.codes[at] for at in row.nonzero()[0]} == expected


def test_the_sound_labels_of_ptbxl_differ_from_the_published_in_three_statements():
    published, sound = labels.space("ecg-xplaim/published"), labels.space("ecg-xplaim")
    records = [[Statement(code, "scp-ecg", 100.0)] for code in labels.codes("scp-ecg")]
    theirs, ours = published.encode(records).values, sound.encode(records).values
    unlike = {
        code: (
            {published.codes[at] for at in theirs[row].nonzero()[0]},
            {sound.codes[at] for at in ours[row].nonzero()[0]},
        )
        for row, code in enumerate(labels.codes("scp-ecg"))
        if (theirs[row] != ours[row]).any()
    }
    assert unlike == {
        "PACE": ({"pac", "pace"}, {"pace"}),
        "SVARR": ({"svt"}, set()),
        "IPLMI": ({"lmi"}, {"imi", "lmi"}),
    }
