"""Metrics by hand and against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn import metrics as sklearn_metrics

from leadlight.errors import EvaluationError
from leadlight.evaluation import (
    PAPER_THRESHOLDS,
    accuracy,
    average_precision,
    brier,
    f1,
    fmax,
    macro_mean,
    roc_auc,
    undefined_classes,
)
from leadlight.evaluation.counting import record_centred


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def test_auc_counts_won_pairs_and_half_of_the_ties() -> None:
    truth = column(1, 0, 1, 0)
    scores = column(0.9, 0.4, 0.4, 0.1)  # of the 4 pairs 3 are won and 1 is tied
    assert roc_auc(truth, scores)[0] == 3.5 / 4


def test_average_precision_by_hand() -> None:
    truth = column(1, 0, 1, 0)
    scores = column(0.9, 0.8, 0.7, 0.1)  # recall steps of 1/2 at precision 1 and 2/3
    assert_allclose(average_precision(truth, scores)[0], (1 + 2 / 3) / 2)


def test_f1_and_accuracy_call_a_score_at_the_threshold() -> None:
    truth, scores = column(1, 1, 0, 0), column(0.5, 0.4, 0.6, 0.1)  # 1 true, 1 false, 1 missed call
    assert f1(truth, scores, 0.5)[0] == 2 / (2 + 1 + 1)
    assert accuracy(truth, scores, 0.5)[0] == 0.5


def test_float32_scores_are_compared_as_what_they_are() -> None:
    scores = np.array([[0.3], [0.7]], dtype=np.float32)  # 0.30000001 and 0.69999999
    assert accuracy(column(1, 0), scores, 0.3)[0] == 0.5
    assert accuracy(column(0, 0), scores, 0.7)[0] == 1.0


def test_brier_is_the_mean_square() -> None:
    assert_allclose(brier(column(1, 0), column(0.8, 0.4))[0], (0.04 + 0.16) / 2)


def test_fmax_by_hand() -> None:
    # At 0.5: record 1 calls A, B of true A (precision 1/2, recall 1); record 2 calls nothing of true B.
    truth, scores = np.array([[1, 0], [0, 1]]), np.array([[0.9, 0.6], [0.1, 0.2]])
    curve = record_centred(truth, scores, [0.5])
    assert (curve.precision[0, 0], curve.recall[0, 0]) == (0.5, 0.5)
    # Over every score: at 0.9 precision 1, recall 1/2: F 2/3; at 0.2: precision 3/4, recall 1: F 6/7.
    best = fmax(truth, scores)
    assert_allclose((best.value, best.threshold), (6 / 7, 0.2))


def test_fmax_without_any_label_is_not_defined() -> None:
    best = fmax(np.zeros((3, 2)), np.full((3, 2), 0.4), PAPER_THRESHOLDS)
    assert np.isnan([best.value, best.threshold]).all()


def test_unknown_truth_counts_neither_way(random_case: Any) -> None:
    truth, scores, known = random_case.truth, random_case.scores, random_case.expected["known"]
    for metric in (roc_auc, average_precision, brier):
        by_class = [metric(truth[m, k, None], scores[m, k, None])[0] for k, m in enumerate(known.T)]
        assert_allclose(metric(truth, scores, known), by_class)
        assert_allclose(metric(np.where(known, truth, 1), scores, known), by_class)
    by_class = [f1(truth[m, k, None], scores[m, k, None], 0.5)[0] for k, m in enumerate(known.T)]
    assert_allclose(f1(truth, scores, 0.5, known), by_class)


def test_unknown_classes_are_no_findings_in_fmax() -> None:
    truth, scores = np.array([[1, 0], [0, 1]]), np.array([[0.9, 0.95], [0.1, 0.8]])
    known = np.array([[True, False], [True, True]])
    assert fmax(truth, scores, None, known).value == 1.0
    assert fmax(truth, scores).value < 1.0


def test_a_class_with_one_kind_of_truth_has_no_auc() -> None:
    truth = np.array([[0, 1, 0], [0, 1, 1]])
    scores = np.array([[0.1, 0.2, 0.3], [0.2, 0.3, 0.4]])
    assert np.isnan(roc_auc(truth, scores)).tolist() == [True, True, False]
    assert undefined_classes(truth).tolist() == [True, True, False]
    assert np.isnan(average_precision(truth, scores)).tolist() == [True, False, False]
    assert macro_mean(roc_auc(truth, scores)) == 1.0
    assert np.isnan(macro_mean([np.nan, np.nan]))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 40),
    decimals=st.integers(0, 3),
    share=st.floats(0.05, 0.95),
)
def test_ranking_equals_scikit_learn_whatever_the_ties(
    seed: int, n: int, decimals: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    truth = (rng.random((n, 1)) < share).astype(np.uint8)
    truth[0], truth[1] = 0, 1
    scores = np.round(rng.random((n, 1)), decimals)
    assert_allclose(roc_auc(truth, scores)[0], sklearn_metrics.roc_auc_score(truth, scores), atol=1e-12)
    expected = sklearn_metrics.average_precision_score(truth, scores)
    assert_allclose(average_precision(truth, scores)[0], expected, atol=1e-12)
    called = scores >= 0.5
    assert_allclose(f1(truth, scores, 0.5)[0], sklearn_metrics.f1_score(truth, called, zero_division=0))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), decimals=st.integers(1, 3))
def test_fmax_over_every_score_is_the_best_of_all_thresholds(seed: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random((20, 3)) < 0.4
    truth[0, 0] = True
    known = rng.random((20, 3)) < 0.8
    known[0, 0] = True
    scores = np.round(rng.random((20, 3)), decimals)
    best = fmax(truth, scores, None, known)
    curve = record_centred(truth, scores, np.unique(scores), known)
    assert_allclose(best.value, np.nanmax(curve.f))
    at_best = record_centred(truth, scores, [best.threshold], known)
    assert_allclose((best.precision, best.recall), (at_best.precision[0, 0], at_best.recall[0, 0]))


@pytest.mark.parametrize(
    ("truth", "scores", "known", "message"),
    [
        (np.zeros(3), np.zeros(3), None, r"truth\[:, None\]"),
        (np.zeros((3, 2)), np.zeros((3, 1)), None, r"\(3, 2\).*\(3, 1\)"),
        (np.zeros((0, 2)), np.zeros((0, 2)), None, "not empty"),
        (np.full((3, 2), 2), np.zeros((3, 2)), None, "0 and 1"),
        (np.zeros((3, 2)), np.full((3, 2), np.nan), None, "3 of 3 records"),
        (np.zeros((3, 2)), np.zeros((3, 2)), np.ones((3, 1)), "known"),
    ],
)
def test_what_does_not_fit_is_refused(truth: Any, scores: Any, known: Any, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        roc_auc(truth, scores, known)
