"""Metrics over a record's classes together, against scikit-learn, and with unknown truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn import metrics as sklearn_metrics

from leadlight.evaluation import accuracy, resample_patients
from leadlight.evaluation.by_record import (
    coverage_error,
    hamming_loss,
    label_ranking_average_precision,
    label_ranking_loss,
    log_loss,
    micro_f1,
    micro_roc_auc,
    sample_f1,
    subset_accuracy,
)
from leadlight.evaluation.counting import count


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), decimals=st.integers(1, 3))
def test_they_equal_scikit_learn_whatever_the_ties(seed: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    truth = (rng.random((30, 4)) < 0.4).astype(int)
    truth[0] = [1, 0, 0, 0]
    scores = np.round(rng.random((30, 4)), decimals)
    called = scores >= 0.5
    assert_allclose(subset_accuracy(truth, scores, 0.5)[0], sklearn_metrics.accuracy_score(truth, called))
    assert_allclose(hamming_loss(truth, scores, 0.5)[0], sklearn_metrics.hamming_loss(truth, called))
    expected = sklearn_metrics.f1_score(truth, called, average="samples", zero_division=0)
    assert_allclose(sample_f1(truth, scores, 0.5)[0], expected)
    assert_allclose(micro_f1(truth, scores, 0.5), sklearn_metrics.f1_score(truth, called, average="micro"))
    assert_allclose(
        micro_roc_auc(truth, scores), sklearn_metrics.roc_auc_score(truth, scores, average="micro")
    )
    assert_allclose(coverage_error(truth, scores), sklearn_metrics.coverage_error(truth, scores))
    expected = sklearn_metrics.label_ranking_average_precision_score(truth, scores)
    assert_allclose(label_ranking_average_precision(truth, scores), expected)
    assert_allclose(label_ranking_loss(truth, scores), sklearn_metrics.label_ranking_loss(truth, scores))
    kappa = count(truth, scores, 0.5).kappa[0]
    for k in range(4):
        expected = sklearn_metrics.cohen_kappa_score(truth[:, k], called[:, k])
        assert_allclose(kappa[k], expected, atol=1e-12)


def test_predictive_values_by_hand() -> None:
    truth = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    scores = np.array([[0.9, 0.1, 0.1, 0.9], [0.9, 0.1, 0.2, 0.9], [0.1, 0.1, 0.1, 0.9]])
    counts = count(truth, scores, 0.5)
    # found with one false call; never called; no positives, never called; no positives, always called
    assert_allclose(counts.precision[0], [0.5, 0.0, np.nan, np.nan])
    assert_allclose(counts.ppv[0], [0.5, np.nan, np.nan, 0.0])
    assert_allclose(counts.npv[0], [1.0, 1 / 3, 1.0, np.nan])
    assert_allclose(counts.recall[0], [1.0, 0.0, np.nan, np.nan])
    assert_allclose(counts.specificity[0], [0.5, 1.0, 1.0, 0.0])


def test_resamples_at_once_are_those_one_after_the_other(random_case: Any) -> None:
    truth, scores, known = random_case.truth, random_case.scores, random_case.expected["known"]
    weights = resample_patients(np.arange(60) % 40, 30, seed=2)
    for metric in (subset_accuracy, hamming_loss, sample_f1):
        together = metric(truth, scores, [0.5, 0.4, np.nan, 0.6], known, weights)
        for row, found in zip(weights.astype(int), together, strict=True):
            drawn = np.repeat(np.arange(60), row)
            alone = metric(truth[drawn], scores[drawn], [0.5, 0.4, np.nan, 0.6], known[drawn])
            assert_allclose(found, alone[0])


def test_unknown_truth_changes_nothing(random_case: Any) -> None:
    truth, scores, known = random_case.truth, random_case.scores, random_case.expected["known"]
    other = np.where(known, truth, 1 - truth)
    for metric in (coverage_error, label_ranking_average_precision, label_ranking_loss, log_loss):
        assert metric(truth, scores, known) == metric(other, scores, known)
        assert metric(truth, scores, known) != metric(truth, scores)
    for at in (subset_accuracy, hamming_loss, sample_f1, micro_f1):
        assert at(truth, scores, 0.5, known) == at(other, scores, 0.5, known)


def test_hamming_loss_is_one_minus_the_mean_accuracy_where_all_is_known(random_case: Any) -> None:
    found = hamming_loss(random_case.truth, random_case.scores, 0.5)[0]
    assert found == pytest.approx(1 - accuracy(random_case.truth, random_case.scores, 0.5).mean())
