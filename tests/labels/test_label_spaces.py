"""The six label spaces of PTB-XL, and how statements become targets."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from leadlight import labels
from leadlight.errors import LabelError
from leadlight.recording import Statement

SIZES = {
    "ptb-xl/all": 71,
    "ptb-xl/diagnostic": 44,
    "ptb-xl/subclass": 23,
    "ptb-xl/superclass": 5,
    "ptb-xl/form": 19,
    "ptb-xl/rhythm": 12,
}


def scp(*codes: str, likelihood: float | None = 100.0) -> list[Statement]:
    return [Statement(code, "scp-ecg", likelihood) for code in codes]


# What is there


def test_the_six_spaces_have_the_sizes_of_the_benchmark():
    ours = {name: len(labels.space(name)) for name in labels.names() if name.startswith("ptb-xl/")}
    assert ours == SIZES


def test_an_infarction_has_its_place_and_may_have_two():
    targets = labels.space("imle-net-infarction").encode(
        [
            scp("ASMI"),
            scp("IMI", "ASMI"),
            scp("NORM", "SR"),
            scp("AMI"),
            scp("ASMI", likelihood=50),
            scp("IMI", likelihood=None),
        ],
        min_likelihood=80,
    )
    assert targets.values.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_superclasses_stand_in_the_benchmarks_order():
    assert labels.space("ptb-xl/superclass").codes == ("CD", "HYP", "MI", "NORM", "STTC")


@pytest.mark.parametrize("name", SIZES)
def test_classes_stand_in_code_point_order(name):
    codes = labels.space(name).codes
    assert list(codes) == sorted(codes)


@pytest.mark.parametrize("name", SIZES)
def test_every_class_has_a_description_members_and_a_source(name):
    for label in labels.space(name).classes:
        assert label.description and label.members and label.source, label


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ptb-xl/all", lambda meaning: meaning.code),
        ("ptb-xl/diagnostic", lambda meaning: "diagnostic" in meaning.kinds and meaning.code),
        ("ptb-xl/form", lambda meaning: "form" in meaning.kinds and meaning.code),
        ("ptb-xl/rhythm", lambda meaning: "rhythm" in meaning.kinds and meaning.code),
        ("ptb-xl/subclass", lambda meaning: meaning.subclass),
        ("ptb-xl/superclass", lambda meaning: meaning.superclass),
    ],
)
def test_members_of_each_class_are_the_statements_that_mean_it(name, meant):
    expected: dict[str, set[str]] = {}
    for code, meaning in labels.statements().items():
        if of := meant(meaning):
            expected.setdefault(of, set()).add(code)
    assert {label.code: set(label.members) for label in labels.space(name).classes} == expected


def test_a_statement_has_one_wording_in_the_table_and_in_every_space():
    for name in ("ptb-xl/all", "ptb-xl/diagnostic", "ptb-xl/form", "ptb-xl/rhythm"):
        for label in labels.space(name).classes:
            assert label.description == labels.statements()[label.code].description


def test_only_diagnostic_statements_have_a_superclass_and_a_subclass():
    for meaning in labels.statements().values():
        diagnostic = "diagnostic" in meaning.kinds
        assert (meaning.superclass is not None, meaning.subclass is not None) == (diagnostic, diagnostic)


def test_four_statements_are_diagnostic_and_form_at_once():
    both = {code for code, meaning in labels.statements().items() if meaning.kinds == ("diagnostic", "form")}
    assert both == {"NDT", "NST_", "DIG", "LNGQT"}


# Against the published tables


@pytest.mark.real
def test_statements_equal_the_table_that_ptbxl_ships(real_ptbxl):
    with (real_ptbxl / "scp_statements.csv").open(encoding="utf-8-sig", newline="") as lines:
        published = {
            row[""]: (
                tuple(kind for kind in ("diagnostic", "form", "rhythm") if row[kind] == "1.0"),
                row["diagnostic_class"] or None,
                row["diagnostic_subclass"] or None,
            )
            for row in csv.DictReader(lines)
        }
    ours = {code: (m.kinds, m.superclass, m.subclass) for code, m in labels.statements().items()}
    assert ours == published


def golden(reference: Path) -> dict[str, dict]:
    return json.loads((reference / "ptbxl/parity/ptbxl_label_aggregation_golden.json").read_text())


@pytest.mark.real
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("fold", ["val", "test"])
def test_targets_equal_the_benchmarks_on_its_own_folds(reference, name, fold):
    space = labels.space(name)
    expected = golden(reference)[space.benchmark]
    with np.load(reference / f"ptbxl/parity/ptbxl_exp0_{fold}.npz") as published:
        codes, matrix = [str(code) for code in published["classes"]], published["y_true"]
    records = [[Statement(codes[at], "scp-ecg", None) for at in np.flatnonzero(row)] for row in matrix]
    targets = space.encode(records)
    assert list(space.codes) == expected["classes"]
    assert int(targets.labelled.sum()) == expected[fold]["records"]
    assert targets.values[targets.labelled].sum(axis=0).tolist() == expected[fold]["positives"]


# By hand


def test_superclasses_of_a_hand_worked_record():
    statements = scp("IMI", "LVH") + scp("SR", "ABQRS", likelihood=None)
    targets = labels.space("ptb-xl/superclass").encode([statements])
    assert_array_equal(targets.values, [[0, 1, 1, 0, 0]])  # CD HYP MI NORM STTC


def test_lateral_injury_is_filed_under_anterior_infarction():
    space = labels.space("ptb-xl/subclass")
    (row,) = space.encode([scp("INJLA")]).values
    assert [space.codes[at] for at in np.flatnonzero(row)] == ["AMI"]


def test_several_statements_of_one_class_set_it_once():
    targets = labels.space("ptb-xl/superclass").encode([scp("IMI", "ASMI", "PMI")])
    assert_array_equal(targets.values, [[0, 0, 1, 0, 0]])


def test_a_likelihood_of_fifteen_counts_like_one_of_a_hundred_by_default():
    space = labels.space("ptb-xl/superclass")
    weak, strong = scp("IMI", likelihood=15.0), scp("IMI", likelihood=100.0)
    assert_array_equal(*space.encode([weak, strong]).values)


def test_a_threshold_leaves_out_what_is_less_likely_and_keeps_what_is_as_likely():
    records = [scp("IMI", likelihood=35.0), scp("IMI", likelihood=50.0)]
    targets = labels.space("ptb-xl/superclass").encode(records, min_likelihood=50)
    assert targets.values[:, 2].tolist() == [0, 1]


def test_a_threshold_keeps_statements_without_stated_likelihood_unless_told_to_drop_them():
    space = labels.space("ptb-xl/rhythm")
    records = [scp("AFIB", likelihood=None)]
    assert space.encode(records, min_likelihood=50).values.sum() == 1
    assert space.encode(records, min_likelihood=50, unstated="drop").values.sum() == 0


def test_without_a_threshold_unstated_likelihoods_always_count():
    assert (
        labels.space("ptb-xl/rhythm").encode([scp("SR", likelihood=None)], unstated="drop").values.sum() == 1
    )


def test_records_without_a_class_of_the_space_are_dropped_or_kept_by_choice():
    targets = labels.space("ptb-xl/superclass").encode([scp("NORM"), scp("SR"), []])
    assert targets.labelled.tolist() == [True, False, False]
    assert targets.usable().tolist() == [True, False, False]
    assert targets.usable("keep").tolist() == [True, True, True]


def test_everything_is_known_of_records_with_scp_statements():
    assert labels.space("ptb-xl/all").encode([scp("NORM", "SR"), []]).known.all()


def test_a_record_described_in_another_system_is_unknown_where_it_has_no_class():
    space = labels.space("ptb-xl/rhythm")
    snomed = [Statement("164889003", "snomed-ct")]
    targets = space.encode([snomed, snomed + scp("AFIB")])
    assert targets.known[0].sum() == 1 and targets.known[0, space.index("AFIB")]
    assert targets.known[1].all()
    assert targets.values.sum(axis=1).tolist() == [1, 1]


def test_a_record_in_a_system_that_nobody_knows_is_unknown_and_never_takes_part():
    targets = labels.space("ptb-xl/rhythm").encode([[Statement("AFIB", "device-x")], scp("AFIB")])
    assert not targets.known[0].any() and targets.values[0].sum() == 0
    assert targets.usable("keep").tolist() == [False, True]


def test_a_code_of_another_system_never_sets_a_class_by_its_spelling():
    # The Challenge's abbreviation AMI is acute infarction; CD is any arrhythmia; ST is sinus tachycardia.
    for system in ("snomed-ct", "text", "code-15", "device-x"):
        records = [[Statement(code, system)] for code in ("MI", "CD", "AMI", "HYP", "ISC_")]
        assert labels.space("ptb-xl/superclass").encode(records).values.sum() == 0


def test_no_records_give_targets_of_no_rows():
    targets = labels.space("ptb-xl/form").encode([])
    assert targets.values.shape == targets.known.shape == (0, 19)


CODES = st.sampled_from([*labels.statements(), "NOT-A-CODE"])
STATEMENTS = st.builds(Statement, CODES, st.just("scp-ecg"), st.none() | st.sampled_from([15.0, 50.0, 100.0]))


@given(st.sampled_from(sorted(SIZES)), st.lists(st.lists(STATEMENTS, max_size=6), max_size=8))
def test_a_class_is_set_exactly_where_a_member_is_stated(name, records):
    space = labels.space(name)
    targets = space.encode(records, min_likelihood=50)
    for row, statements in enumerate(records):
        stated = {s.code for s in statements if s.likelihood is None or s.likelihood >= 50}
        for column, label in enumerate(space.classes):
            assert targets.values[row, column] == bool(stated & set(label.members))


# What is refused


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("ptb-xl/superclas", "ptb-xl/superclass"),
        ("superclass", "ptb-xl/superclass"),
        ("ptb-xl/superdiagnostic", "ptb-xl/superclass"),
        ("ptb-xl/subdiagnostic", "ptb-xl/subclass"),
        ("PTB-XL/Rhythm", "ptb-xl/rhythm"),
    ],
)
def test_an_unknown_space_is_refused_with_the_nearest_name(wrong, meant):
    with pytest.raises(LabelError, match=f"Did you mean '{meant}'\\?"):
        labels.space(wrong)


def test_a_space_like_no_other_is_refused_with_all_names():
    with pytest.raises(LabelError, match=", ".join(SIZES)):
        labels.space("colours")


def test_an_unknown_class_is_refused_with_the_nearest_code():
    with pytest.raises(LabelError, match=r"found 'nrom'; accepted: CD, HYP, .* Did you mean 'NORM'\?"):
        labels.space("ptb-xl/superclass").index("nrom")


def test_an_unknown_statement_system_is_refused():
    with pytest.raises(LabelError, match=r"Did you mean 'scp-ecg'\?"):
        labels.statements("scpecg")


def test_index_gives_the_column_of_a_class():
    assert labels.space("ptb-xl/superclass").index("MI") == 2


@pytest.mark.parametrize("threshold", [-1, 101, float("nan")])
def test_a_threshold_outside_zero_to_a_hundred_percent_is_refused(threshold):
    with pytest.raises(LabelError, match="0 to 100 percent"):
        labels.space("ptb-xl/form").encode([], min_likelihood=threshold)


def test_choices_that_do_not_exist_are_refused():
    targets = labels.space("ptb-xl/form").encode([[]])
    with pytest.raises(LabelError, match='"drop" or "keep"'):
        targets.usable("forget")
    with pytest.raises(LabelError, match='"keep" or "drop"'):
        labels.space("ptb-xl/form").encode([], unstated="forget")


def test_a_space_with_a_class_twice_is_refused():
    twice = (labels.LabelClass("A", "", ("x",)), labels.LabelClass("A", "", ("y",)))
    with pytest.raises(LabelError, match="stands twice"):
        labels.LabelSpace("own", "", "1", "scp-ecg", "", twice)


def test_a_statement_may_set_several_classes_of_a_space():
    classes = (labels.LabelClass("A", "", ("x", "y")), labels.LabelClass("B", "", ("y",)))
    space = labels.LabelSpace("own", "", "1", "scp-ecg", "", classes)
    assert_array_equal(space.encode([scp("x"), scp("y")]).values, [[1, 0], [1, 1]])
