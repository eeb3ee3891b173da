"""Folds: every record in one, patients and copies whole, shares of labels and collections even."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight import datasets, labels
from leadlight.datasets import RecordEntry, assign_folds, leave_one_source_out
from leadlight.datasets.splits import SPLIT_VERSION
from leadlight.datasets.stratification import Groups, stratified_folds
from leadlight.errors import DatasetError, LabelError
from leadlight.recording import Statement

CODES = ("426783006", "164889003", "59118001", "270492004", "10370003")
"""Sinus rhythm, atrial fibrillation, right bundle branch block, first-degree AV block, pacing."""


def entry(name: str, patient: str = "", codes: tuple[str, ...] = (), **more: object) -> RecordEntry:
    statements = tuple(Statement(code, "snomed-ct") for code in codes)
    return RecordEntry(name, patient or name, name, 500.0, statements=statements, **({"source": "a"} | more))  # type: ignore[arg-type]


def many(n: int, n_patients: int, seed: int = 0, sources: tuple[str, ...] = ("a", "b")) -> list[RecordEntry]:
    """Records with skewed labels, a collection for each patient."""
    rng = random.Random(seed)
    patients = [f"p{rng.randrange(n_patients)}" for _ in range(n)]
    return [
        entry(
            f"r{at}",
            patient,
            tuple(code for rank, code in enumerate(CODES, 1) if rng.random() < 0.5 / rank**1.5),
            source=sources[int(patient[1:]) % len(sources)],
        )
        for at, patient in enumerate(patients)
    ]


def shares(entries: list[RecordEntry], folds: tuple[int, ...], n_folds: int) -> np.ndarray:
    """Positives of each code in each fold (codes, folds)."""
    counted = np.zeros((len(CODES), n_folds))
    for one, fold in zip(entries, folds, strict=True):
        for statement in one.statements:
            counted[CODES.index(statement.code), fold - 1] += 1
    return counted


records = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sets(st.sampled_from(CODES), max_size=3),
        st.sampled_from("ab"),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=60,
).map(
    lambda rows: [
        entry(
            f"r{at}",
            f"p{patient}",
            tuple(sorted(codes)),
            source=source,
            same_as=f"c{copy}" if copy < 4 else "",
        )
        for at, (patient, codes, source, copy) in enumerate(rows)
    ]
)


@settings(max_examples=60, deadline=None)
@given(entries=records, n_folds=st.integers(2, 10), seed=st.integers(0, 5), shuffle=st.randoms())
def test_every_record_has_one_fold_patients_and_copies_are_whole_and_order_does_not_matter(
    entries, n_folds, seed, shuffle
):
    for by in ("challenge-2021", None):
        folds = assign_folds(entries, n_folds, seed, by)
        assert len(folds) == len(entries) and set(folds) <= set(range(1, n_folds + 1))
        for mark in ("patient_id", "same_as"):
            seen = defaultdict(set)
            for one, fold in zip(entries, folds, strict=True):
                if getattr(one, mark):
                    seen[getattr(one, mark)].add(fold)
            assert all(len(found) == 1 for found in seen.values())
        by_name = {one.record_id: fold for one, fold in zip(entries, folds, strict=True)}
        mixed = list(entries)
        shuffle.shuffle(mixed)
        assert assign_folds(mixed, n_folds, seed, by) == tuple(by_name[one.record_id] for one in mixed)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(20, 200), n_folds=st.integers(2, 10), seed=st.integers(0, 100))
def test_without_groups_and_with_one_label_a_record_folds_differ_by_one_record(n, n_folds, seed):
    entries = [entry(f"r{at}", codes=(CODES[at % 3],)) for at in range(n)]
    folds = assign_folds(entries, n_folds, seed, "challenge-2021")
    by_code = shares(entries, folds, n_folds)
    assert (by_code.max(axis=1) - by_code.min(axis=1) <= 1).all()
    sizes = Counter(folds)
    # Each label may leave its odd records in other folds, but lacks of records decide where.
    assert max(sizes.values()) - min(sizes.get(fold, 0) for fold in range(1, n_folds + 1)) <= 2


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n_patients=st.integers(40, 400))
def test_a_fold_is_never_further_from_its_share_than_a_few_of_the_largest_patients(seed, n_patients):
    entries = many(400, n_patients, seed)
    sizes = Counter(assign_folds(entries, 10, seed, "challenge-2021"))
    largest = max(Counter(one.patient_id for one in entries).values())
    assert all(abs(sizes[fold] - 40) <= 3 + 2 * largest for fold in range(1, 11))


@pytest.mark.parametrize("by", ["challenge-2021", None])
def test_shares_are_far_more_even_than_by_chance(by):
    entries = many(3000, 1200, seed=1)
    ours = shares(entries, assign_folds(entries, 10, 0, by), 10)
    rng = random.Random(0)
    by_chance = []
    for _ in range(20):
        fold_of = {f"p{number}": rng.randrange(1, 11) for number in range(1200)}
        by_chance.append(shares(entries, tuple(fold_of[one.patient_id] for one in entries), 10))
    spread = [np.ptp(counted, axis=1) for counted in by_chance]
    assert (np.ptp(ours, axis=1) <= 2).all()
    assert (np.ptp(ours, axis=1) < np.min(spread, axis=0) / 3).all()


def test_collections_are_spread_evenly_too():
    entries = many(2000, 2000, sources=("a", "b", "c", "d"))
    folds = assign_folds(entries, 10, 0, "challenge-2021")
    for source in "abcd":
        counted = Counter(f for one, f in zip(entries, folds, strict=True) if one.source == source)
        assert max(counted.values()) - min(counted[fold] for fold in range(1, 11)) <= 4


def test_the_rarest_label_comes_first_and_ties_go_to_the_lowest_fold():
    # By hand. Labels: 0 with one record, 1 with two, 2 (the collection) with all four; two folds.
    # Label 0: group 0, all lacks equal: fold 1. Label 1, two records, of which group 0 is one: group 1
    # goes to the fold that has none: fold 2. Label 2: groups 2 and 3; equal lacks: fold 1, then fold 2.
    groups = Groups(
        sizes=np.array([1, 1, 1, 1]),
        group=np.array([0, 0, 0, 1, 1, 2, 3]),
        label=np.array([0, 1, 2, 1, 2, 2, 2]),
        count=np.ones(7, dtype=np.int64),
        n_labels=3,
        fixed=np.zeros(4, dtype=np.int64),
    )
    assert stratified_folds(groups, 2).tolist() == [1, 2, 1, 2]


def test_larger_groups_are_placed_before_smaller_ones():
    # By hand. One label: sizes 1, 3, 1, 1; two folds of three records each: 3 against 1 + 1 + 1.
    groups = Groups(
        sizes=np.array([1, 3, 1, 1]),
        group=np.arange(4),
        label=np.zeros(4, dtype=np.int64),
        count=np.array([1, 3, 1, 1]),
        n_labels=1,
        fixed=np.zeros(4, dtype=np.int64),
    )
    assert stratified_folds(groups, 2).tolist() == [2, 1, 2, 2]


def folds_by_the_rules(entries: list[RecordEntry], n_folds: int, seed: int) -> list[int]:
    """Version 1 of the split as documented, worked out plainly: patients alone, by the codes."""
    one = 2**40
    labels_of = {e.record_id: {s.code for s in e.statements} | {f"z {e.source}"} for e in entries}
    patients: dict[str, list[str]] = defaultdict(list)
    for e in entries:
        patients[e.patient_id].append(e.record_id)
    groups = sorted(
        (sorted(names) for names in patients.values()),
        key=lambda names: hashlib.sha256(f"{seed}/{names[0]}".encode()).digest(),
    )
    total = Counter(label for found in labels_of.values() for label in found)
    kept = sorted(label for label in total if label[0] == "z" or total[label] >= n_folds)
    count = [Counter(label for name in names for label in labels_of[name]) for names in groups]
    fold_of: dict[int, int] = {}

    def lack(label: str, fold: int) -> int:
        return total[label] - n_folds * sum(count[g][label] for g, at in fold_of.items() if at == fold)

    def lack_of_records(fold: int) -> int:
        return len(entries) - n_folds * sum(len(groups[g]) for g, at in fold_of.items() if at == fold)

    todo = list(kept)
    while todo:
        left = {la: sum(count[g][la] for g in range(len(groups)) if g not in fold_of) for la in todo}
        label = min(todo, key=lambda la: (left[la], kept.index(la)))
        todo.remove(label)
        open_groups = [g for g in range(len(groups)) if g not in fold_of and count[g][label]]
        for g in sorted(open_groups, key=lambda g: (-count[g][label], -len(groups[g]), g)):
            of_all = {
                fold: sum((one // total[la]) * count[g][la] * lack(la, fold) for la in kept)
                + (one // len(entries)) * len(groups[g]) * lack_of_records(fold)
                for fold in range(1, n_folds + 1)
            }
            fold_of[g] = min(of_all, key=lambda fold: (-lack(label, fold), -of_all[fold], fold))
    by_name = {name: fold_of[g] for g, names in enumerate(groups) for name in names}
    return [by_name[e.record_id] for e in entries]


@settings(max_examples=40, deadline=None)
@given(entries=records, n_folds=st.integers(2, 5), seed=st.integers(0, 5))
def test_folds_are_those_of_the_documented_rules(entries, n_folds, seed):
    # A change here is a new version of the split: others have files of this one.
    assert SPLIT_VERSION == 1
    alone = [replace(one, same_as="") for one in entries]
    assert list(assign_folds(alone, n_folds, seed)) == folds_by_the_rules(alone, n_folds, seed)


def test_another_seed_gives_other_folds():
    entries = many(200, 200)
    assert assign_folds(entries, seed=0) != assign_folds(entries, seed=1)


def test_absent_findings_are_no_labels():
    rare = [
        replace(one, statements=(Statement("164889003", "snomed-ct", 0.0),)) if at % 2 else one
        for at, one in enumerate(many(100, 100))
    ]
    silent = [replace(one, statements=()) if at % 2 else one for at, one in enumerate(rare)]
    assert assign_folds(rare, 5) == assign_folds(silent, 5)


def test_official_folds_are_kept_and_their_patients_join_them():
    entries = many(100, 60)
    entries[0] = replace(entries[0], fold=7)
    folds = assign_folds(entries, 10, 0, "challenge-2021")
    joined = {f for one, f in zip(entries, folds, strict=True) if one.patient_id == entries[0].patient_id}
    assert joined == {7}


def test_official_folds_count_when_the_others_are_placed():
    # Fold 1 is full of the label before: the ten records to place go elsewhere.
    settled = [entry(f"s{at}", codes=CODES[:1], fold=1) for at in range(10)]
    free = [entry(f"f{at}", codes=CODES[:1]) for at in range(10)]
    folds = assign_folds([*settled, *free], 2, 0, "challenge-2021")
    assert folds == (1,) * 10 + (2,) * 10


def test_copies_with_two_official_folds_keep_them():
    entries = [entry("a", fold=1, same_as="x"), entry("b", fold=2, same_as="x"), entry("c", same_as="x")]
    assert assign_folds(entries, 2) == (1, 2, 1)


def test_no_records_have_no_folds():
    assert assign_folds(()) == ()


@pytest.mark.parametrize(
    ("entries", "options", "message"),
    [
        ([entry("a")], {"n_folds": 1}, "found 1; accepted: 2 or more"),
        ([entry("a"), entry("a")], {}, "found 'a' more than once"),
        ([entry("a", fold=5)], {"n_folds": 4}, "record a: found fold 5 where there are 4 folds"),
    ],
)
def test_what_cannot_be_split_is_refused(entries, options, message):
    with pytest.raises(DatasetError, match=message):
        assign_folds(entries, **options)


def test_an_unknown_label_space_is_refused():
    with pytest.raises(LabelError):
        assign_folds([entry("a")], by="no-such-space")


def test_leave_one_source_out_tests_on_that_source_alone():
    entries = many(600, 300, sources=("a", "b", "c"))
    folds, aside = leave_one_source_out(entries, "b", by="challenge-2021")
    assert aside == ()
    for one, fold in zip(entries, folds, strict=True):
        assert (fold == 10) == (one.source == "b")
    sizes = Counter(folds)
    assert max(sizes[fold] for fold in range(1, 10)) - min(sizes[fold] for fold in range(1, 10)) <= 8


def test_leave_one_source_out_takes_patients_and_copies_that_stand_on_both_sides_from_training():
    entries = [
        entry("a1", "p1", source="a"), entry("a2", "p2", source="a", same_as="x"),
        entry("a3", source="a", fold=10),
        entry("b1", "p1", source="b"), entry("b2", source="b", same_as="x"),
        entry("c1", "p2", source="c"),
    ]  # fmt: skip
    folds, aside = leave_one_source_out(entries, "b", n_folds=3)
    # a2 is a copy of b2; c1 is of a2's patient, and so perhaps of b2's.
    assert [folds[0], folds[1], folds[5]] == [None, None, None]
    assert folds[2] in (1, 2) and folds[3] == folds[4] == 3
    assert [one.record_id for one in aside] == ["a1", "a2", "c1"]
    assert "shares a patient or a recording with b" in aside[0].reason


@pytest.mark.parametrize("source", ["georgi", ""])
def test_a_collection_that_is_not_there_is_refused_with_those_that_are(source):
    entries = [entry("1", source="georgia"), entry("2", source="ptb")]
    with pytest.raises(DatasetError, match="here georgia, ptb"):
        leave_one_source_out(entries, source)


def test_the_only_collection_cannot_be_left_out():
    with pytest.raises(DatasetError, match="one of several collections"):
        leave_one_source_out([entry("1"), entry("2")], "a")


def test_a_data_set_without_statements_gets_no_folds(tmp_path):
    folder = tmp_path / "georgia"
    folder.mkdir()
    lead_lines = "\n".join(f"E00001.mat 16+24 1000/mV 16 0 1 1 0 {lead}" for lead in ("I", "II"))
    (folder / "E00001.hea").write_text(f"E00001 2 500 5000\n{lead_lines}\n#Age: 50\n")
    (folder / "E00001.mat").touch()
    index = datasets.read_index("challenge-2021", tmp_path)
    assert index.entries[0].fold is None
    assert not any("folds" in note for note in index.notes)


def test_the_first_space_that_fits_is_used_and_codes_where_none_does():
    index = datasets.DatasetIndex("x", "", Path(), 100.0, tuple(many(50, 50)))
    assert datasets.split_index(index, ("no-such-space", "challenge-2021")).space == "challenge-2021"
    assert datasets.split_index(index, ()).stratified_by == "statement codes"
    version = labels.space("challenge-2021").version
    assert (
        f"stratified by challenge-2021 (version {version})"
        in datasets.split_index(index, ("challenge-2021",)).note
    )
