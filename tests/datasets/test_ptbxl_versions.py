"""Which version of PTB-XL a folder holds, and the records that stand in it twice."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from leadlight.datasets.ptbxl_rows import Row
from leadlight.datasets.ptbxl_versions import copies, duplicates, tell_version
from leadlight.recording import Statement

FOLDS = {one.record: one.fold for one in duplicates()} | {
    one.same_as: one.same_as_fold for one in duplicates()
}
DROPPED = {one.record for one in duplicates()}


def rows(ids, age=50.0, labels=(("NORM", 100.0),), revised=False):
    """Rows with official folds; revised: the copies that 1.0.3 kept carry its consensus of labels."""
    consensus = {one.same_as: one.consensus for one in duplicates() if one.consensus and revised}
    return {
        number: Row(
            number,
            str(number),
            age,
            age,
            None,
            FOLDS.get(number, 1),
            tuple(
                Statement(code, "scp-ecg", percent or None) for code, percent in consensus.get(number, labels)
            ),
            {},
            {},
            {},
            (),
        )
        for number in ids
    }


def version(found):
    return tell_version(found, len(found))[0]


# The facts


def test_thirty_eight_records_are_copies_in_34_pairs_and_2_triplicates():
    groups = Counter(one.same_as for one in duplicates())
    assert len(duplicates()) == 38
    assert Counter(groups.values()) == {1: 34, 2: 2}


def test_folds_of_the_copies_add_up_to_the_published_difference():
    folds = Counter("val" if one.fold == 9 else "test" if one.fold == 10 else "train" for one in duplicates())
    assert folds == {"train": 23, "val": 10, "test": 5}


def test_the_labels_of_16_records_were_revised():
    assert len({one.same_as for one in duplicates() if one.consensus}) == 16


@pytest.mark.real
def test_the_copies_equal_the_published_change_log(reference):
    with (reference / "ptbxl/data/ptbxl_103_dropped.csv").open(newline="") as lines:
        published = {
            tuple(
                int(row[name]) for name in ("dropped_ecg_id", "dropped_fold", "kept_ecg_id", "kept_fold")
            ): {part for part in row["labels_of_kept_row_after_consensus"].split(";") if part}
            for row in csv.DictReader(lines)
        }
    ours = {
        (one.record, one.fold, one.same_as, one.same_as_fold): {
            f"{code}={likelihood:g}" for code, likelihood in one.consensus or ()
        }
        for one in duplicates()
    }
    assert ours == published


# Copies


def test_the_record_that_1_0_3_kept_stands_for_its_copies():
    assert copies([137, 138, 3800, 3801, 3802, 5]) == {137: 138, 3800: 3802, 3801: 3802}


def test_without_the_kept_record_the_lowest_number_stands_for_the_others():
    assert copies([3801, 3800]) == {3801: 3800}


def test_a_copy_whose_original_is_not_there_is_no_copy():
    assert copies([137, 3800]) == {}


def test_copies_are_set_aside_with_the_record_that_stands_for_them(ptbxl):
    ptbxl.add(137, strat_fold=8).add(138, strat_fold=8).add(5)
    index = ptbxl.read()
    assert [entry.record_id for entry in index.entries] == ["138", "5"]
    assert [(one.record_id, one.reason) for one in index.set_aside] == [
        ("137", "the same recording as 138, as PTB-XL 1.0.3 found")
    ]


def test_copies_are_kept_when_asked_for_and_those_across_folds_are_counted(ptbxl):
    ptbxl.add(137, strat_fold=8).add(138, strat_fold=8).add(140, strat_fold=9).add(1370, strat_fold=3)
    index = ptbxl.read(drop_duplicates=False)
    assert len(index) == 4 and not index.set_aside
    assert any("1.0.3 found: 2, of which 1 in another fold" in note for note in index.notes)


def test_a_copy_stays_when_the_file_of_the_kept_record_is_missing(ptbxl):
    index = ptbxl.add(137, strat_fold=8).add(138, rates=(), strat_fold=8).read()
    assert [entry.record_id for entry in index.entries] == ["137"]


def test_records_of_another_data_set_in_this_layout_are_not_taken_for_copies(ptbxl):
    # The same numbers, other folds: 137 and 138 stand in fold 8 in PTB-XL.
    index = ptbxl.add(137, strat_fold=1).add(138, strat_fold=2).read()
    assert len(index) == 2
    assert index.version == "own records in the layout of PTB-XL"


def test_a_simulated_data_set_is_never_taken_for_ptbxl(ptbxl):
    # Even where numbers and folds happen to be those of PTB-XL.
    ptbxl.add(137, strat_fold=8).add(138, strat_fold=8).touch("SIMULATED", (".json",))
    index = ptbxl.read()
    assert index.version == "simulated"
    assert [entry.source for entry in index.entries] == ["simulated", "simulated"]


def test_numbers_beyond_ptbxls_are_another_data_set(ptbxl):
    assert ptbxl.add(21_838).read().version == "own records in the layout of PTB-XL"


# Versions


def test_the_whole_of_each_version_is_recognised():
    everything = range(1, 21_838)
    assert version(rows(everything)) == "1.0.1"
    assert version(rows(set(everything) - DROPPED | {3800, 3801})) == "1.0.2"
    assert version(rows(set(everything) - DROPPED, revised=True)) == "1.0.3"


def test_a_part_with_copies_is_older_than_1_0_3():
    assert version(rows([1, 137, 138])) == "part of 1.0.1 or 1.0.2"
    assert version(rows([1, *sorted(DROPPED)[:3]])) == "part of 1.0.1"


def test_a_part_with_age_300_is_no_part_of_1_0_1():
    assert version(rows([1, 2], age=300.0)) == "part of 1.0.2 or 1.0.3"


def test_a_part_with_true_ages_above_89_is_of_1_0_1():
    assert version(rows([1, 2], age=92.0)) == "part of 1.0.1"


def test_a_part_with_the_labels_that_1_0_3_revised_is_told_by_them():
    revised = rows([3797], labels=[("SR", 0.0)])
    assert version(revised) == "part of 1.0.3"
    earlier = rows([3797], labels=[("NORM", 100.0), ("SR", 0.0)])
    assert version(earlier) == "part of 1.0.1 or 1.0.2"


def test_a_part_without_any_sign_is_of_no_version_in_particular():
    assert version(rows([1, 2, 3])) == "part of PTB-XL, version not to be told"


def test_signs_that_contradict_each_other_are_said_to():
    mixed = rows([137, 138, *sorted(DROPPED)[1:4]], age=300.0)
    name, evidence = tell_version(mixed, len(mixed))
    assert name == "PTB-XL, changed or mixed from several versions"
    assert "ages above 89: 5 as 300, 0 as they are" in evidence


def test_true_ages_mixed_in_from_an_older_release_do_not_hide_that_300_is_of_a_later_one():
    found = rows([1], age=300.0) | rows([2], age=91.0)
    name, evidence = tell_version(found, len(found))
    assert name == "part of 1.0.2 or 1.0.3"
    assert "ages above 89: 1 as 300, 1 as they are" in evidence


def test_a_full_count_with_other_records_missing_is_not_taken_for_a_version():
    # As many records as 1.0.2, all 38 copies among them: a part of 1.0.1.
    ids = [number for number in range(1, 21_838) if number not in range(1, 37)]
    assert len(ids) == 21_801
    assert version(rows(ids)) == "part of 1.0.1"


def test_the_version_and_its_evidence_are_noted(ptbxl):
    index = ptbxl.add(1, age=300).read()
    assert index.version == "part of 1.0.2 or 1.0.3"
    assert any(note.startswith("version: part of 1.0.2 or 1.0.3 (1 records; ") for note in index.notes)
