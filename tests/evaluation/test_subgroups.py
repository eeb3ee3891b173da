"""Each group beside all the others, with a gap that is resampled as one."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score

from leadlight.errors import EvaluationError
from leadlight.evaluation import evaluate, resample_patients
from leadlight.evaluation.subgroups import ALL, METRICS, Subgroup, measure_subgroups

CLASSES = ("A", "B")


def draw(seed: int, n: int = 1200, worse_for_old: float = 0.0) -> dict[str, Any]:
    """Two classes; the first is harder to see in the old."""
    rng = np.random.default_rng(seed)
    old = rng.random(n) < 0.4
    truth = rng.random((n, 2)) < [0.3, 0.2]
    skill = np.stack([2 - worse_for_old * old, np.full(n, 2.0)], axis=1)
    scores = 1 / (1 + np.exp(-(rng.normal(size=(n, 2)) + skill * truth - 1)))
    return {"truth": truth, "probabilities": scores, "classes": CLASSES, "thresholds": 0.5,
            "groups": {"age": np.where(old, "old", "young").tolist()},
            "patients": np.arange(n) % (n - 200)}  # fmt: skip


def row(found: tuple[Subgroup, ...], group: str, code: str, metric: str = "roc_auc") -> Subgroup:
    (one,) = (one for one in found if (one.group, one.code, one.metric) == (group, code, metric))
    return one


def test_values_and_gaps_are_those_of_the_records_apart() -> None:
    case = draw(0, worse_for_old=1.5)
    found = measure_subgroups(**case, resamples=60, seed=4)
    old = np.array(case["groups"]["age"]) == "old"
    auc = [
        [roc_auc_score(case["truth"][rows, k], case["probabilities"][rows, k]) for k in (0, 1)]
        for rows in (old, ~old)
    ]
    assert_allclose(row(found, "old", "A").value.value, auc[0][0])
    assert_allclose(row(found, "old", "A").gap.value, auc[0][0] - auc[1][0])
    assert_allclose(row(found, "young", ALL).value.value, np.mean(auc[1]))
    assert_allclose(row(found, "young", ALL).gap.value, np.mean(auc[1]) - np.mean(auc[0]))
    assert row(found, "old", "A").records == old.sum()
    excess = case["probabilities"][old, 1].mean() - case["truth"][old, 1].mean()
    assert_allclose(row(found, "old", "B", "excess").value.value, excess)
    # Gap and value of each resample, one after the other.
    gaps = []
    for weights in resample_patients(case["patients"].astype(str), 60, seed=4).astype(int):
        of = []
        for rows in (old, ~old):
            drawn = np.repeat(np.flatnonzero(rows), weights[rows])
            of.append(roc_auc_score(case["truth"][drawn, 0], case["probabilities"][drawn, 0]))
        gaps.append(of[0] - of[1])
    gap = row(found, "old", "A").gap
    assert_allclose((gap.low, gap.high), np.quantile(gaps, [0.025, 0.975]))


def test_a_gap_that_is_there_is_found_and_one_that_is_not_is_not() -> None:
    found = measure_subgroups(**draw(1, worse_for_old=1.5), resamples=200)
    assert row(found, "old", "A").is_apart and row(found, "old", "A").gap.high < 0
    assert not row(found, "old", "B").is_apart


def test_the_interval_of_no_gap_holds_nothing_as_often_as_it_says() -> None:
    apart = [
        row(measure_subgroups(**draw(seed, n=600), resamples=200), "old", "A").is_apart for seed in range(200)
    ]
    assert 0.015 < np.mean(apart) < 0.1


def test_groups_too_small_are_said_to_be_so() -> None:
    case = draw(2)
    groups = ["rare" if number < 12 else group for number, group in enumerate(case["groups"]["age"])]
    found = measure_subgroups(**{**case, "groups": {"age": groups}}, resamples=20)
    for code in (*CLASSES, ALL):
        one = row(found, "rare", code)
        assert one.reason and np.isnan([one.value.value, one.gap.low]).all() and one.records == 12
    assert "fewer than 10 positives" in row(found, "rare", "A").reason
    assert row(found, "old", "A").reason == ""


def test_a_class_that_one_side_cannot_measure_is_in_no_mean_of_the_other() -> None:
    case = draw(3)
    old = np.array(case["groups"]["age"]) == "old"
    case["truth"][old, 1] = False
    found = measure_subgroups(**case, resamples=20)
    assert row(found, "young", "B").reason
    assert row(found, "young", ALL).value == row(found, "young", "A").value


def test_a_record_of_no_known_group_is_among_no_others() -> None:
    case = draw(4)
    groups = [None if number % 3 == 0 else group for number, group in enumerate(case["groups"]["age"])]
    found = measure_subgroups(**{**case, "groups": {"age": groups}}, resamples=20)
    kept = np.arange(1200) % 3 > 0
    alone = measure_subgroups(
        **{name: np.asarray(one)[kept] if name in ("truth", "probabilities", "patients") else one
           for name, one in case.items() if name != "groups"},
        groups={"age": [group for group in groups if group]}, resamples=20,
    )  # fmt: skip
    assert_allclose(row(found, "old", "A").gap.value, row(alone, "old", "A").gap.value)


def test_one_group_alone_has_nothing_beside_it() -> None:
    case = draw(5)
    assert measure_subgroups(**{**case, "groups": {"source": ["ptb-xl"] * 1200}}, resamples=5) == ()


def test_unknown_truth_takes_no_part() -> None:
    case = draw(6)
    known = np.random.default_rng(0).random((1200, 2)) < 0.7
    other = {**case, "truth": np.where(known, case["truth"], ~case["truth"])}
    found = [measure_subgroups(**one, known=known, resamples=10) for one in (case, other)]
    assert repr(found[0]) == repr(found[1])


def test_the_table_is_written(tmp_path: Path) -> None:
    case = draw(7)
    groups = measure_subgroups(**case, resamples=10)
    whole = {name: one for name, one in case.items() if name != "groups"}
    evaluate(**whole, subgroups=groups, resamples=10).save(tmp_path)
    rows = list(csv.DictReader((tmp_path / "subgroups.csv").open()))
    assert len(rows) == 2 * 3 * len(METRICS) == len(groups)
    assert {one["class"] for one in rows} == {"A", "B", ALL}
    evaluate(**whole, resamples=10).save(tmp_path)
    assert not (tmp_path / "subgroups.csv").exists()


def test_groups_of_another_length_are_refused() -> None:
    with pytest.raises(EvaluationError, match="age: found 2 records; accepted: 1200"):
        measure_subgroups(**{**draw(8), "groups": {"age": ["old", "young"]}})
