"""Prediction sets hold the truth as often as they say, whatever the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from leadlight.classifier.calibration import FittedOn, PredictionSets
from leadlight.errors import EvaluationError
from leadlight.evaluation import evaluate
from leadlight.evaluation.conformal import fit_prediction_sets, measure_sets

FITTED_ON = FittedOn(dataset="simulated", version="", folds=(9,), n_records=1)


def draw(rng: np.random.Generator, n: int, skill: float) -> tuple[np.ndarray, np.ndarray]:
    """Truth (n, 2) of a common and a rarer class, and probabilities of a model with so much skill."""
    truth = rng.random((n, 2)) < [0.4, 0.15]
    return truth, expit(rng.normal(size=(n, 2)) + skill * truth - 1).astype(np.float32)


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("skill", [0.0, 2.0])
def test_new_records_are_covered_as_often_as_stated(coverage: float, skill: float) -> None:
    rng = np.random.default_rng(1)
    held = []
    for _ in range(300):
        sets = fit_prediction_sets(*draw(rng, 200, skill), coverage=coverage, fitted_on=FITTED_ON)
        found = measure_sets(sets, *draw(rng, 400, skill), classes=("A", "B"))
        held.append([[one.present.value, one.absent.value] for one in found])
    mean = np.array(held).mean(axis=0)
    error = np.array(held).std(axis=0) / np.sqrt(300)
    # Never below what is stated, and above it by at most 1 / (n + 1) for about 30 positives.
    assert (mean > coverage - 3 * error).all()
    assert (mean[:, 1] < coverage + 0.01 + 3 * error[:, 1]).all()
    assert (mean[:, 0] < coverage + 0.035 + 3 * error[:, 0]).all()


def test_a_better_model_leaves_less_open() -> None:
    rng = np.random.default_rng(2)
    open_ = []
    for skill in (0.0, 1.0, 4.0):
        sets = fit_prediction_sets(*draw(rng, 2000, skill), coverage=0.9, fitted_on=FITTED_ON)
        open_.append(measure_sets(sets, *draw(rng, 2000, skill), classes=("A", "B"))[0].uncertain)
    assert open_[0] > 0.7 > open_[1] > open_[2] == 0


def test_the_limits_by_hand() -> None:
    truth = np.r_[np.ones(9), np.zeros(19)][:, None]
    scores = np.r_[np.arange(1, 10) / 10, np.arange(19) / 20][:, None]
    sets = fit_prediction_sets(truth, scores, coverage=0.9, fitted_on=FITTED_ON)
    # Of 9 positives the lowest: (9 + 1) x 0.1 = 1. Of 19 negatives the second highest: 20 x 0.1 = 2.
    assert (sets.present_from, sets.absent_to) == ((0.1,), (0.85,))


def test_too_few_records_exclude_nothing(tied: Any) -> None:
    sets = fit_prediction_sets(tied.truth, tied.scores, coverage=0.95, fitted_on=FITTED_ON)
    # No positive of the fourth class, 7 of the fifth: 7 + 1 < 20.
    assert sets.present_from[3:] == (0.0, 0.0)
    assert sets.sets(tied.scores)[:, 3:, 0].all()


def test_unknown_truth_takes_no_part(random_case: Any) -> None:
    truth, scores, known = random_case.truth, random_case.scores, random_case.expected["known"]
    other = np.where(known, truth, 1 - truth)
    fitted = [fit_prediction_sets(t, scores, known, fitted_on=FITTED_ON) for t in (truth, other)]
    assert fitted[0] == fitted[1]
    found = measure_sets(fitted[0], other, scores, "ABCD", known)
    assert [one.positives for one in found] == (truth.astype(bool) & known).sum(axis=0).tolist()


def test_the_four_sets_have_names() -> None:
    sets = PredictionSets(
        coverage=0.9, fitted_on=FITTED_ON, present_from=(0.3, 0.3, 0.6, 0.6), absent_to=(0.2, 0.7, 0.5, 0.4)
    )
    assert sets.names(np.array([0.4, 0.5, 0.1, 0.5])) == ("present", "uncertain", "absent", "neither")


def test_a_probability_on_the_limit_is_inside() -> None:
    limit = float(np.float32(0.7))
    sets = PredictionSets(coverage=0.9, fitted_on=FITTED_ON, present_from=(limit,), absent_to=(limit,))
    assert_array_equal(sets.sets(np.array([[0.7]], dtype=np.float32)), [[[True, True]]])


def test_coverage_has_an_exact_interval() -> None:
    sets = PredictionSets(coverage=0.9, fitted_on=FITTED_ON, present_from=(0.5,), absent_to=(0.5,))
    (found,) = measure_sets(sets, np.ones((10, 1)), np.full((10, 1), 0.9), classes=("A",))
    assert_allclose((found.present.low, found.present.high), (0.6915, 1.0), atol=1e-4)
    assert np.isnan(found.absent.value) and found.negatives == 0


def test_sets_that_hold_surely_less_than_stated_are_remarked_on() -> None:
    sets = PredictionSets(coverage=0.9, fitted_on=FITTED_ON, present_from=(0.5, 0.5), absent_to=(0.5, 0.5))
    truth = np.r_[np.ones(100), np.zeros(100)][:, None].repeat(2, axis=1)
    scores = np.where(truth == 1, 0.9, 0.1)
    scores[:11, 0] = 0.2  # 89 of 100 is not surely below 90%
    scores[:30, 1] = 0.2  # 70 of 100 is
    found = evaluate(truth, scores, "AB", 0.5, patients=range(200), sets=sets, resamples=5)
    (note,) = (one for one in found.notes if "Prediction sets" in one)
    assert "B present 0.700 (0.600–0.788)" in note and "A present" not in note and "absent" not in note


@pytest.mark.parametrize("coverage", [0.0, 1.0, 1.5])
def test_an_impossible_coverage_is_refused(coverage: float) -> None:
    with pytest.raises(EvaluationError, match="between 0 and 1"):
        fit_prediction_sets([[1]], [[0.5]], coverage=coverage, fitted_on=FITTED_ON)
