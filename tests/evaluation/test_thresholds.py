"""Thresholds are observed scores; of equal maxima the highest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import f1_score

from leadlight.errors import EvaluationError
from leadlight.evaluation import best_f1, f1, fit_thresholds, fmax


def test_best_f1_by_hand_takes_the_highest_of_equal_thresholds() -> None:
    truth = np.array([[1], [0], [0], [1]])
    scores = np.array([[0.9], [0.8], [0.7], [0.6]])  # F1: 2/3 at 0.9, 1/2, 2/5, 2/3 at 0.6
    assert fit_thresholds(truth, scores).tolist() == [0.9]
    assert_allclose(best_f1(truth, scores), [2 / 3])


def test_best_f1_is_the_best_of_all_observed_scores(random_case: Any) -> None:
    truth, scores = random_case.truth, random_case.scores
    thresholds = fit_thresholds(truth, scores)
    for k in range(truth.shape[1]):
        values = {t: f1_score(truth[:, k], scores[:, k] >= t) for t in np.unique(scores[:, k])}
        best = max(values.values())
        assert_allclose(best_f1(truth, scores)[k], best)
        assert thresholds[k] == max(t for t, value in values.items() if value == best)
    assert_allclose(f1(truth, scores, thresholds), best_f1(truth, scores))


def test_unknown_truth_takes_no_part(random_case: Any) -> None:
    truth, scores, known = random_case.truth, random_case.scores, random_case.expected["known"]
    by_class = [fit_thresholds(truth[m, k, None], scores[m, k, None])[0] for k, m in enumerate(known.T)]
    assert fit_thresholds(truth, scores, known).tolist() == by_class
    assert fit_thresholds(np.where(known, truth, 1), scores, known).tolist() == by_class


def test_a_class_without_positives_gets_no_threshold(tied: Any) -> None:
    assert np.isnan(fit_thresholds(tied.truth, tied.scores)).tolist() == [False, False, False, True, False]


def test_the_shared_threshold_is_that_of_fmax(tied: Any) -> None:
    shared = fit_thresholds(tied.truth, tied.scores, rule="fmax")
    assert shared.tolist() == [fmax(tied.truth, tied.scores).threshold] * 5


def test_an_unknown_rule_is_refused(tied: Any) -> None:
    with pytest.raises(EvaluationError, match="youden"):
        fit_thresholds(tied.truth, tied.scores, rule="youden")  # type: ignore[arg-type]
