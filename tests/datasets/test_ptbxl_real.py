"""The index of real PTB-XL records, held against pandas."""

from __future__ import annotations

import ast

import numpy as np
import pandas as pd
import pytest

from leadlight import datasets, labels

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def index(real_ptbxl):
    return datasets.read_index("ptb-xl", real_ptbxl, 100)


@pytest.fixture(scope="module")
def published(real_ptbxl):
    return pd.read_csv(real_ptbxl / "ptbxl_database.csv", index_col="ecg_id")


def test_every_record_is_there_and_nothing_is_set_aside(index, published):
    assert [int(entry.record_id) for entry in index.entries] == list(published.index)
    assert index.set_aside == ()


def test_every_record_is_read_from_an_official_100_hz_file_that_exists(index, real_ptbxl):
    assert {entry.file_sampling_rate for entry in index.entries} == {100.0}
    assert all((real_ptbxl / f"{entry.path}.hea").is_file() for entry in index.entries)


def test_at_500_hz_exactly_the_records_with_such_a_file_are_there(real_ptbxl):
    index = datasets.read_index("ptb-xl", real_ptbxl, 500)
    files = {int(path.stem.split("_")[0]) for path in real_ptbxl.glob("records500/*/*_hr.dat")}
    assert {int(entry.record_id) for entry in index.entries} == files
    assert len(index.entries) + len(index.set_aside) == 2_673


def test_folds_patients_ages_and_sexes_equal_the_table(index, published):
    assert [entry.fold for entry in index.entries] == published.strat_fold.tolist()
    assert [int(entry.patient_id) for entry in index.entries] == published.patient_id.astype(int).tolist()
    assert [entry.sex for entry in index.entries] == published.sex.map({0: "male", 1: "female"}).tolist()
    ages = np.array([np.nan if entry.age is None else entry.age for entry in index.entries])
    np.testing.assert_array_equal(ages, published.age.replace(300.0, 90.0))


def test_this_part_is_recognised_as_of_1_0_3(index):
    assert index.version == "part of 1.0.3"


def test_the_shipped_table_of_statements_does_not_differ_from_leadlights(index):
    assert not [note for note in index.notes if "scp_statements" in note or "does not define" in note]


def test_quality_flags_are_raised_where_the_table_has_text(index, published):
    for flag in ("baseline_drift", "static_noise", "burst_noise", "electrodes_problems", "pacemaker"):
        raised = [flag in entry.quality for entry in index.entries]
        assert raised == published[flag].notna().tolist()


@pytest.mark.parametrize(
    ("name", "column", "kind"),
    [
        ("ptb-xl/superclass", "diagnostic_class", "diagnostic"),
        ("ptb-xl/subclass", "diagnostic_subclass", "diagnostic"),
        ("ptb-xl/rhythm", None, "rhythm"),
        ("ptb-xl/form", None, "form"),
        ("ptb-xl/diagnostic", None, "diagnostic"),
    ],
)
def test_targets_equal_those_made_from_the_shipped_tables(index, published, real_ptbxl, name, column, kind):
    statements = pd.read_csv(real_ptbxl / "scp_statements.csv", index_col=0)
    chosen = statements[statements[kind] == 1]
    meaning = chosen[column] if column else pd.Series(chosen.index, chosen.index)
    long = published.scp_codes.map(ast.literal_eval).map(list).explode()
    expected = pd.crosstab(long.index, long.map(meaning)).reindex(published.index, fill_value=0).clip(upper=1)
    space = labels.space(name)
    targets = space.encode([entry.statements for entry in index.entries])
    expected = expected.reindex(columns=list(space.codes), fill_value=0)
    np.testing.assert_array_equal(targets.values, expected)
    assert targets.labelled.sum() == (expected.sum(axis=1) > 0).sum()
