"""Calibrators against scikit-learn and against a truth that is known; calibration measured."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from leadlight.classifier.calibration import Calibration, FittedOn, Isotonic, Logistic
from leadlight.errors import EvaluationError
from leadlight.evaluation import resample_patients
from leadlight.evaluation.by_record import log_loss
from leadlight.evaluation.calibrating import (
    cross_calibrated,
    fit_calibration,
    left_as_they_are,
    logits_of,
)
from leadlight.evaluation.reliability import (
    calibration_error,
    calibration_line,
    pooled_calibration_error,
    reliability,
)

FITTED_ON = FittedOn(dataset="simulated", version="", folds=(9,), n_records=1)


def draw(n: int, seed: int, slope: float = 2.0, intercept: float = -1.0) -> tuple[np.ndarray, np.ndarray]:
    """Truth and stated probabilities, (n, 2); the true logit of the second class is a line of the stated one.

    The first class is calibrated.
    """
    rng = np.random.default_rng(seed)
    logits = rng.normal(-0.5, 1.5, size=(n, 2))
    true = np.stack([logits[:, 0], slope * logits[:, 1] + intercept], axis=1)
    return rng.random((n, 2)) < expit(true), expit(logits)


def test_the_published_calibration_errors(benchmark_test: Any, golden: dict[str, Any]) -> None:
    expected = golden["test"]
    found = calibration_error(benchmark_test.truth, benchmark_test.scores)[0]
    assert_allclose(found, expected["ece15_per_class"], rtol=0, atol=1e-9)
    assert_allclose(found.mean(), expected["ece15_class_mean"], rtol=0, atol=1e-9)
    pooled = pooled_calibration_error(benchmark_test.truth, benchmark_test.scores)
    assert_allclose(pooled, expected["ece15_pooled"], rtol=0, atol=1e-9)


def test_the_calibration_errors_of_awkward_scores(tied: Any, golden: dict[str, Any]) -> None:
    expected = golden["synthetic"]
    found = calibration_error(tied.truth, tied.scores)[0]
    assert_allclose(found, expected["ece15_per_class"], rtol=0, atol=1e-9)
    pooled = pooled_calibration_error(tied.truth, tied.scores)
    assert_allclose(pooled, expected["ece15_pooled"], rtol=0, atol=1e-9)


def test_resamples_at_once_are_those_one_after_the_other(random_case: Any) -> None:
    truth, scores, known = random_case.truth, random_case.scores, random_case.expected["known"]
    weights = resample_patients(np.arange(60) % 40, 20, seed=2)
    together = calibration_error(truth, scores, known, weights)
    for row, found in zip(weights.astype(int), together, strict=True):
        drawn = np.repeat(np.arange(60), row)
        assert_allclose(found, calibration_error(truth[drawn], scores[drawn], known[drawn])[0])


def test_a_reliability_diagram_by_hand() -> None:
    truth = np.array([[0], [1], [1], [0]])
    probabilities = np.array([[0.1], [0.2], [0.9], [1.0]])
    (found,) = reliability(truth, probabilities, bins=2)
    assert_allclose(found.predicted, [0.15, 0.95])
    assert_array_equal(found.observed, [0.5, 0.5])
    assert_array_equal(found.records, [2, 2])
    assert_allclose(calibration_error(truth, probabilities, bins=2)[0, 0], (0.35 + 0.45) / 2)
    assert (found.low < found.observed).all() and (found.observed < found.high).all()


def test_bins_of_equal_numbers_hold_equally_many() -> None:
    truth, probabilities = draw(1000, 0)
    for one in reliability(truth, probabilities, bins=10, equal_numbers=True):
        assert_array_equal(one.records, [100] * 10)
        assert (one.low_edge[1:] == one.high_edge[:-1]).all()


def test_unknown_truth_takes_no_part(random_case: Any) -> None:
    truth, scores, known = random_case.truth, random_case.scores, random_case.expected["known"]
    other = np.where(known, truth, 1 - truth)
    assert_array_equal(calibration_error(truth, scores, known), calibration_error(other, scores, known))
    for one, two in zip(reliability(truth, scores, known), reliability(other, scores, known), strict=True):
        assert_array_equal(one.observed, two.observed)
    for method in ("temperature", "platt"):
        fitted = [fit_calibration(t, scores, known, method=method, fitted_on=FITTED_ON)
                  for t in (truth, other)]  # fmt: skip
        assert fitted[0] == fitted[1]


def test_platt_finds_the_line_that_made_the_data() -> None:
    truth, probabilities = draw(40_000, 1)
    fitted = fit_calibration(truth, probabilities, method="platt", fitted_on=FITTED_ON)
    same, other = fitted.maps
    assert isinstance(same, Logistic) and isinstance(other, Logistic)
    assert_allclose((same.slope, same.intercept), (1, 0), atol=0.05)
    assert_allclose((other.slope, other.intercept), (2, -1), atol=0.07)


def test_platt_is_scikit_learns_logistic_regression_of_smoothed_truth() -> None:
    truth, probabilities = draw(300, 2)
    fitted = fit_calibration(truth, probabilities, method="platt", fitted_on=FITTED_ON)
    for k, one in enumerate(fitted.maps):
        n = truth[:, k].sum()
        target = np.where(truth[:, k], (n + 1) / (n + 2), 1 / (300 - n + 2))
        logits = np.log(probabilities[:, k] / (1 - probabilities[:, k]))
        model = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(
            np.r_[logits, logits][:, None], np.r_[np.ones(300), np.zeros(300)], np.r_[target, 1 - target]
        )
        assert isinstance(one, Logistic)
        assert_allclose((one.slope, one.intercept), (model.coef_[0, 0], model.intercept_[0]), atol=1e-4)


def test_a_separated_class_stays_finite() -> None:
    truth = np.arange(40)[:, None] >= 20
    probabilities = np.linspace(0, 1, 40)[:, None]
    (one,) = fit_calibration(truth, probabilities, method="platt", fitted_on=FITTED_ON).maps
    assert isinstance(one, Logistic) and np.isfinite([one.slope, one.intercept]).all()


def test_the_temperature_is_that_of_the_least_log_loss() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(5000, 3)) * 2
    truth = rng.random((5000, 3)) < expit(logits)
    fitted = fit_calibration(truth, expit(3 * logits), method="temperature", fitted_on=FITTED_ON)
    slopes = {one.slope for one in fitted.maps if isinstance(one, Logistic)}
    assert len(slopes) == 1 and slopes.pop() == pytest.approx(1 / 3, abs=0.01)
    best = log_loss(truth, fitted.probabilities(3 * logits))
    for slope in (0.30, 0.37):
        assert best < log_loss(truth, expit(slope * 3 * logits))


def test_isotonic_is_scikit_learns_but_for_the_ends() -> None:
    truth, probabilities = draw(2000, 4)
    fitted = fit_calibration(truth, probabilities, method="isotonic", fitted_on=FITTED_ON)
    found = fitted.probabilities(logits_of(probabilities))
    for k in range(2):
        expected = IsotonicRegression(out_of_bounds="clip").fit(probabilities[:, k], truth[:, k])
        wanted = np.clip(expected.predict(probabilities[:, k]), 1 / 4000, 1 - 1 / 4000)
        assert_allclose(found[:, k], wanted, atol=1e-5)
    assert found.min() > 0 and found.max() < 1


@pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
def test_calibration_helps_on_records_that_it_has_not_seen(method: str) -> None:
    truth, probabilities = draw(3000, 5, slope=0.4, intercept=0.5)
    new_truth, new_probabilities = draw(3000, 6, slope=0.4, intercept=0.5)
    fitted = fit_calibration(truth, probabilities, method=method, fitted_on=FITTED_ON)  # type: ignore[arg-type]
    calibrated = fitted.probabilities(logits_of(new_probabilities))
    assert log_loss(new_truth, calibrated) < log_loss(new_truth, new_probabilities) - 0.01
    if method != "temperature":  # one factor cannot mend one class of two
        assert (calibration_error(new_truth, calibrated)[0] < 0.05).all()
        assert calibration_error(new_truth, new_probabilities)[0, 1] > 0.1


def test_cross_fitted_probabilities_are_honest_about_a_patient() -> None:
    truth, probabilities = draw(600, 7)
    patients = np.arange(600) % 200
    found = cross_calibrated(truth, probabilities, patients, method="isotonic", parts=4)
    # Of noise, a curve fitted on the records themselves seems to know; one fitted on others does not.
    noise = np.random.default_rng(0).random((600, 2))
    seen = fit_calibration(truth, noise, method="isotonic", fitted_on=FITTED_ON)
    honest = cross_calibrated(truth, noise, patients, method="isotonic", parts=4)
    assert log_loss(truth, seen.probabilities(logits_of(noise))) < log_loss(truth, honest)
    assert log_loss(truth, found) < log_loss(truth, honest)
    with pytest.raises(EvaluationError, match="2 to 200"):
        cross_calibrated(truth, probabilities, patients, parts=300)


def test_classes_with_too_little_to_learn_from_are_left_alone_and_named() -> None:
    truth, probabilities = draw(400, 8)
    rare = np.zeros((400, 1), dtype=bool)
    rare[:3] = True
    backwards = 1 - probabilities[:, :1]
    fitted = fit_calibration(
        np.hstack([truth, rare, truth[:, :1]]),
        np.hstack([probabilities, probabilities[:, :1], backwards]),
        method="isotonic", fitted_on=FITTED_ON,
    )  # fmt: skip
    assert isinstance(fitted.maps[0], Isotonic) and fitted.maps[2] is None
    assert left_as_they_are(fitted, ["A", "B", "RARE", "BACKWARDS"]) == ("RARE",)
    few = fit_calibration(truth[:60], probabilities[:60], method="isotonic", fitted_on=FITTED_ON)
    assert all(isinstance(one, Logistic) for one in few.maps)
    falling = fit_calibration(truth[:, :1], backwards, method="platt", fitted_on=FITTED_ON)
    assert falling.maps == (None,)


@pytest.mark.parametrize(("n_positive", "is_fitted"), [(4, False), (5, True)])
def test_five_positives_are_enough_for_a_line_and_four_are_not(n_positive: int, is_fitted: bool) -> None:
    truth = (np.arange(100) < n_positive)[:, None]
    probabilities = np.linspace(0.9, 0.1, 100)[:, None]
    for given, values in ((truth, probabilities), (~truth, 1 - probabilities)):
        fitted = fit_calibration(given, values, method="platt", fitted_on=FITTED_ON)
        assert isinstance(fitted.maps[0], Logistic) == is_fitted


def test_a_calibrator_survives_its_own_json() -> None:
    truth, probabilities = draw(500, 9)
    for method in ("platt", "isotonic"):
        fitted = fit_calibration(truth, probabilities, method=method, fitted_on=FITTED_ON)
        again = Calibration.model_validate_json(json.dumps(fitted.model_dump(mode="json")))
        assert again == fitted


def test_the_calibration_line_finds_what_is_wrong() -> None:
    truth, probabilities = draw(40_000, 10, slope=0.5, intercept=0.8)
    line = calibration_line(truth, probabilities)
    assert_allclose(line.slope, [1, 0.5], atol=0.05)
    assert_allclose(line.intercept, [0, 0.8], atol=0.05)
    separated = calibration_line([[0], [0], [1]], [[0.1], [0.2], [0.9]])
    assert np.isnan(separated.slope).all()


def test_an_unknown_method_and_no_probabilities_are_refused() -> None:
    with pytest.raises(EvaluationError, match="temperature, platt, isotonic"):
        fit_calibration([[1]], [[0.5]], method="spline", fitted_on=FITTED_ON)  # type: ignore[arg-type]
    with pytest.raises(EvaluationError, match="0 to 1"):
        calibration_error([[1]], [[1.5]])
    with pytest.raises(EvaluationError, match="1 or more"):
        reliability([[1]], [[0.5]], bins=0)
