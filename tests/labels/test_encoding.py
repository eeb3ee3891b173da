"""Statements of any system in any space: what is set, what is absent, and what nobody knows."""

from __future__ import annotations

import tracemalloc
from itertools import repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from leadlight import labels
from leadlight.errors import LabelError
from leadlight.recording import Statement


def say(system: str, *codes: str, likelihood: float | None = None) -> list[Statement]:
    return [Statement(code, system, likelihood) for code in codes]


def told(name: str, statements: list[Statement], source: str | None = None, **choices) -> tuple[set, set]:
    """Codes of the classes that a record has, and of those that are unknown of it."""
    space = labels.space(name)
    targets = space.encode([statements], sources=None if source is None else [source], **choices)
    return (
        {space.codes[at] for at in np.flatnonzero(targets.values[0])},
        {space.codes[at] for at in np.flatnonzero(~targets.known[0])},
    )


# What sets a class


def test_a_kind_of_a_finding_sets_the_class_of_the_finding():
    assert told("ptb-xl/superclass", say("snomed-ct", "713427006"))[0] == {"CD"}
    assert told("ecg-xplaim", say("snomed-ct", "251166008"))[0] == {"svt"}


def test_one_statement_may_set_classes_that_overlap():
    assert told("ecg-xplaim", say("scp-ecg", "AFIB"), "ptb-xl")[0] == {"afib", "afifl"}
    assert told("ecg-xplaim", say("scp-ecg", "ASMI"), "ptb-xl")[0] == {"ami", "smi"}
    assert told("ecg-xplaim", say("scp-ecg", "IPLMI"), "ptb-xl")[0] == {"imi", "lmi"}
    assert told("ecg-xplaim", say("scp-ecg", "PMI"), "ptb-xl")[0] == set()


def test_a_paced_rhythm_is_no_premature_complex_but_was_one_by_the_published_rule():
    assert told("ecg-xplaim", say("scp-ecg", "PACE"), "ptb-xl")[0] == {"pace"}
    assert told("ecg-xplaim/published", say("scp-ecg", "PACE"), "ptb-xl")[0] == {"pace", "pac"}


def test_a_supraventricular_arrhythmia_is_a_tachycardia_by_the_published_rule_alone():
    assert told("ecg-xplaim/published", say("scp-ecg", "SVARR"), "ptb-xl")[0] == {"svt"}
    has, unknown = told("ecg-xplaim", say("scp-ecg", "SVARR"), "ptb-xl")
    assert has == set() and {"svt", "afib", "aflu", "afifl", "pac"} <= unknown


def test_both_codes_of_a_merged_pair_set_its_class():
    for one, other in (("733534002", "164909002"), ("713427006", "59118001"), ("427172004", "17338001")):
        first, second = (told("challenge-2021", say("snomed-ct", code))[0] for code in (one, other))
        assert first == second and len(first) == 1


def test_the_challenges_general_classes_are_set_by_their_own_code_alone():
    assert told("challenge-2021", say("snomed-ct", "426627000"))[0] == {"Brady"}
    assert told("challenge-2021", say("snomed-ct", "426177001"))[0] == {"SB"}
    assert told("challenge-2021", say("scp-ecg", "SBRAD"))[0] == {"SB"}
    assert told("challenge-2021", say("scp-ecg", "CLBBB"))[0] == {"CLBBB/LBBB"}
    assert told("challenge-2021", say("leadlight", "BBB"))[0] == {"BBB"}


def test_an_unscored_diagnosis_of_the_challenge_sets_nothing_there():
    # 164884008, ventricular ectopics, is no member of the class PVC/VPB.
    assert told("challenge-2021", say("snomed-ct", "164884008")) == (set(), set())
    assert told("ecg-xplaim", say("snomed-ct", "164884008"), "cpsc_2018")[0] == {"pvc"}


def test_incomplete_block_is_not_bundle_branch_block_of_code_15():
    assert told("code-15", say("scp-ecg", "IRBBB", "SR"), "ptb-xl") == (set(), set())
    assert told("code-15", say("scp-ecg", "CRBBB"), "ptb-xl") == ({"RBBB"}, set())


# What leaves a class open


def test_a_statement_broader_than_a_class_leaves_it_unknown():
    has, unknown = told("ptb-xl/all", say("scp-ecg", "SR") + say("snomed-ct", "59118001"))
    assert has == {"SR"} and unknown == {"CRBBB", "IRBBB"}


def test_a_broad_statement_leaves_nothing_open_beside_one_that_says_which():
    both = say("scp-ecg", "SR") + say("snomed-ct", "59118001", "713427006")
    has, unknown = told("ptb-xl/all", both)
    assert has == {"SR", "CRBBB"} and unknown == set()


def test_an_old_infarction_leaves_its_site_open_though_infarction_is_stated_beside_it():
    has, unknown = told("ecg-xplaim", say("snomed-ct", "164865005", "164867002"), "cpsc_2018_extra")
    assert has == set() and {"ami", "imi", "smi", "lmi"} <= unknown
    has, unknown = told("ecg-xplaim", say("snomed-ct", "164865005", "54329005"), "cpsc_2018_extra")
    assert has == {"ami"} and not {"imi", "lmi"} & unknown


def test_bigeminy_leaves_open_which_premature_complexes_they_are():
    assert {"pac", "pvc"} <= told("ecg-xplaim", say("scp-ecg", "BIGU", "SR"), "ptb-xl")[1]
    assert not {"pac", "pvc"} & told("ecg-xplaim", say("scp-ecg", "BIGU", "PVC"), "ptb-xl")[1]


def test_a_class_for_the_unspecific_finding_takes_it_and_leaves_its_kinds_absent():
    has, unknown = told("challenge-2021", say("scp-ecg", "TAB_"), "ptb-xl")
    assert has == {"TAb"} and "TInv" not in unknown


# What a collection can tell


def test_a_class_that_a_collection_never_states_is_unknown_not_negative():
    unknown = told("challenge-2021", say("snomed-ct", "426783006"), "ptb-xl")[1]
    assert unknown == {"BBB", "Brady", "PRWP", "PVC/VPB"}
    assert told("challenge-2021", say("snomed-ct", "426783006"), "ningbo")[1] == {"AF", "Brady"}


def test_georgia_does_not_tell_that_an_ecg_is_normal():
    assert told("ptb-xl/superclass", say("snomed-ct", "426783006"), "georgia")[1] >= {"NORM"}


def test_infarction_named_in_seven_of_ten_thousand_records_does_not_tell_its_absence():
    has, unknown = told("ptb-xl/superclass", say("snomed-ct", "164865005"), "georgia")
    assert "MI" in has and "MI" not in unknown
    assert "MI" in told("ptb-xl/superclass", say("snomed-ct", "426783006"), "georgia")[1]


def test_nine_text_labels_tell_nine_findings():
    unknown = told("challenge-2021", say("text", "Normal"), "cpsc_2018")[1]
    known = set(labels.space("challenge-2021").codes) - unknown
    assert known == {"AF", "IAVB", "CLBBB/LBBB", "CRBBB/RBBB", "PAC/SVPB", "PVC/VPB", "NSR"}


def test_a_folder_tells_only_what_its_records_state():
    has, unknown = told("code-15", say("leadlight", "AFIB", likelihood=100.0), "folder")
    assert has == {"AF"} and unknown == {"1dAVb", "RBBB", "LBBB", "SB", "ST"}


def test_a_collection_that_nobody_knows_is_like_a_folder():
    assert told("ptb-xl/superclass", say("scp-ecg", "IMI"), "hospital-x") == (
        {"MI"},
        {"CD", "HYP", "NORM", "STTC"},
    )


def test_a_record_of_a_collection_that_states_nothing_is_unknown():
    assert told("ptb-xl/superclass", [], "ptb-xl")[1] == {"CD", "HYP", "MI", "NORM", "STTC"}


def test_without_sources_statements_of_the_spaces_own_system_tell_every_class():
    assert told("challenge-2021", say("snomed-ct", "426783006")) == ({"NSR"}, set())


def test_without_sources_scp_statements_tell_what_ptbxl_can_state():
    has, unknown = told("ecg-xplaim", say("scp-ecg", "NORM", "SR"))
    assert has == set() and unknown == {"avb2i", "avb2ii", "vt"}


# Certainty


def test_a_likelihood_of_zero_states_absence():
    space = labels.own_space("mine", ["AFIB", "good tracing"])
    absent = [Statement("AFIB", "leadlight", 0.0), Statement("good tracing", "folder", 0.0)]
    targets = space.encode([absent])
    assert targets.values.tolist() == [[0, 0]] and targets.known.tolist() == [[True, True]]
    assert told("code-15", [Statement("AF", "code-15", 0.0)])[0] == set()


def test_the_absence_of_a_broad_finding_is_the_absence_of_its_kinds_and_not_the_reverse():
    has, unknown = told("ecg-xplaim", [Statement("MI", "leadlight", 0.0)])
    assert has == set() and not {"ami", "imi", "smi", "lmi"} & unknown
    assert "ami" in told("ecg-xplaim", [Statement("ASMI", "leadlight", 0.0)])[1]


def test_a_record_that_states_presence_and_absence_has_the_class():
    both = [Statement("AFIB", "leadlight", 0.0), Statement("AF", "code-15", 100.0)]
    has, unknown = told("ecg-xplaim", both)
    assert "afib" in has and "afib" not in unknown


def test_what_is_below_the_threshold_is_negative_or_unknown_by_choice():
    weak = say("scp-ecg", "IMI", likelihood=35.0)
    assert told("ptb-xl/superclass", weak, min_likelihood=50) == (set(), set())
    assert told("ptb-xl/superclass", weak, min_likelihood=50, below="unknown") == (set(), {"MI"})
    sure = weak + say("scp-ecg", "ASMI", likelihood=80.0)
    assert told("ptb-xl/superclass", sure, min_likelihood=50, below="unknown") == ({"MI"}, set())


def test_a_broad_statement_below_the_threshold_leaves_open_only_by_choice():
    weak = say("scp-ecg", "SR") + say("snomed-ct", "59118001", likelihood=50.0)
    assert told("ptb-xl/all", weak, min_likelihood=80)[1] == set()
    assert told("ptb-xl/all", weak, min_likelihood=80, below="unknown")[1] == {"CRBBB", "IRBBB"}


# A user's own labels


def test_own_labels_are_findings_where_the_vocabulary_has_them():
    space = labels.own_space("mine", ["CLBBB", "fainted"], {"fainted": "lost consciousness"})
    assert [one.description for one in space.classes] == [
        "complete left bundle branch block",
        "lost consciousness",
    ]
    assert (labels.own_system("CLBBB"), labels.own_system("fainted")) == ("leadlight", "folder")
    stated = say("leadlight", "CLBBB", likelihood=100.0) + say("folder", "fainted", likelihood=0.0)
    targets = space.encode([stated, say("scp-ecg", "CLBBB"), []], sources=["folder", "ptb-xl", "folder"])
    assert targets.values.tolist() == [[1, 0], [1, 0], [0, 0]]
    assert targets.known.tolist() == [[True, True], [True, False], [False, False]]


def test_own_labels_are_unknown_where_a_record_says_nothing_of_them():
    space = labels.own_space("mine", ["a", "b"])
    for sources in (None, ["folder"], [""]):
        targets = space.encode([say("folder", "a")], sources=sources)
        assert targets.known.tolist() == [[True, False]]


def test_an_own_label_twice_is_refused():
    with pytest.raises(LabelError, match="stands twice"):
        labels.own_space("mine", ["a", "a"])


# What is refused


def test_sources_are_one_for_each_record():
    space = labels.space("code-15")
    with pytest.raises(LabelError, match="found 1, fewer than records"):
        space.encode([[], []], sources=["ptb-xl"])
    with pytest.raises(LabelError, match="more than the 1 records"):
        space.encode([[]], sources=["ptb-xl", "georgia"])


def test_a_choice_that_does_not_exist_is_refused():
    with pytest.raises(LabelError, match='"negative" or "unknown"'):
        labels.space("code-15").encode([], below="maybe")


def test_a_class_by_an_unknown_finding_is_refused():
    with pytest.raises(LabelError, match=r"class A: found the finding 'AFIBB'.*Did you mean 'AFIB'"):
        labels.LabelSpace("s", "", "1", "", "", (labels.LabelClass("A", "", (), findings=("AFIBB",)),))


# Against a slow and plain reading of the rules


def plainly(space, statements, source, least, keep_unstated, below):
    """Values and known of one record, class by class, from the documented rules."""
    likely = lambda p: (keep_unstated or least == 0) if p is None else p >= least  # noqa: E731
    own = [s for s in statements if s.system == space.system]
    foreign = [s for s in statements if s.system != space.system]
    exact = {f[1:] for one in space.classes for f in one.findings if f[0] == "="}
    values, known = [], []
    for one in space.classes:
        named = {f.removeprefix("=") for f in one.findings}
        kinds = {k for f in one.findings if f[0] != "=" for k in labels.narrower(f)}
        takes = named | kinds
        top = {f for f in named if not named & labels.broader(f)}
        vague = {f for f in labels.findings() if labels.narrower(f) & top} - takes - exact
        has = any(s.code in one.members and s.likelihood != 0 and likely(s.likelihood) for s in own)
        denied = any(one.members == (s.code,) and s.likelihood == 0 for s in own)
        left_open = below == "unknown" and any(
            s.code in one.members and s.likelihood != 0 and not likely(s.likelihood) for s in own
        )
        said = {s: labels.meanings(s) for s in foreign}
        sure = {s: {f for f, p in m if p != 0 and likely(p)} for s, m in said.items()}
        for statement, meant in said.items():
            for finding, p in meant:
                if p == 0:
                    denied |= bool(takes) and takes <= labels.narrower(finding) | {finding}
                elif likely(p):
                    has |= finding in takes
                    if finding in vague:
                        others = set().union(*(f for s, f in sure.items() if s != statement))
                        left_open |= not others & labels.narrower(finding)
                elif below == "unknown":
                    left_open |= finding in takes | vague
        tells = not statements and source is None and space.closed and bool(one.members)
        for system in {s.system for s in statements}:
            covered = labels.coverage().get((source or "", system))
            if system == space.system and source is None:
                tells |= space.closed and bool(one.members)
            elif covered and system == space.system and one.members:
                tells |= bool(set(one.members) & covered.told)
            elif covered:
                core = one.core or named
                tells |= bool(core) and all(set(c.split("|")) & covered.findings for c in core)
        values.append(has)
        known.append(has or denied or (tells and not left_open))
    return values, known


SPACES = [name for name in labels.names() if not name.endswith("published")]
CODES = {
    system: sorted(labels.codes(system))
    for system in ("scp-ecg", "snomed-ct", "text", "code-15", "leadlight")
}
STATEMENTS = st.sampled_from(sorted(CODES)).flatmap(
    lambda system: st.builds(
        Statement,
        st.sampled_from([*CODES[system], "NO-CODE"]),
        st.just(system),
        st.sampled_from([None, 0.0, 15.0, 50.0, 100.0]),
    )
)
SOURCES = st.none() | st.sampled_from([*labels.sources(), "folder", "hospital-x"])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SPACES),
    st.lists(st.lists(STATEMENTS, max_size=5), min_size=1, max_size=4),
    SOURCES,
    st.sampled_from([0.0, 50.0, 80.0]),
    st.sampled_from(["keep", "drop"]),
    st.sampled_from(["negative", "unknown"]),
)
def test_encoding_equals_a_plain_reading_of_the_rules(name, records, source, least, unstated, below):
    space = labels.space(name)
    sources = None if source is None else [source] * len(records)
    targets = space.encode(records, least, unstated=unstated, below=below, sources=sources)
    for row, statements in enumerate(records):
        values, known = plainly(space, statements, source, least, unstated == "keep", below)
        assert_array_equal(targets.values[row].astype(bool), values)
        assert_array_equal(targets.known[row], known)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SPACES), st.lists(STATEMENTS, max_size=5), SOURCES, st.randoms())
def test_the_order_of_statements_and_repeating_them_change_nothing(name, statements, source, random):
    space = labels.space(name)
    mixed = statements + statements[:2]
    random.shuffle(mixed)
    targets = space.encode([statements, mixed], sources=None if source is None else [source] * 2)
    assert_array_equal(*targets.values)
    assert_array_equal(*targets.known)


def test_what_is_positive_is_known():
    for name in SPACES:
        records = [say(system, code) for system, codes in CODES.items() for code in codes]
        targets = labels.space(name).encode(records, sources=repeat("folder", len(records)))
        assert targets.known[targets.values.astype(bool)].all()


def test_memory_does_not_grow_with_distinct_statements():
    """A hundred thousand codes that nobody knows leave only their rows behind."""
    space = labels.space("code-15")

    def records(n):
        return ([Statement(f"sentence {at}", "device-x")] for at in range(n))

    space.encode(records(100))
    tracemalloc.start()
    space.encode(records(100_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6
