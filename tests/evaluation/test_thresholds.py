"""Thresholds are observed scores; of equal maxima the highest; their intervals come from resamples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import f1_score, roc_curve

from leadlight.errors import EvaluationError
from leadlight.evaluation import best_f1, f1, fit_thresholds, fmax, resample_patients, threshold_estimates
from leadlight.evaluation.counting import count
from leadlight.evaluation.thresholds import ThresholdRule


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


def test_youden_is_the_best_point_of_scikit_learns_roc_curve(random_case: Any) -> None:
    fitted = fit_thresholds(random_case.truth, random_case.scores, rule="youden")
    for k, threshold in enumerate(fitted):
        false_rate, true_rate, candidates = roc_curve(
            random_case.truth[:, k], random_case.scores[:, k].astype(float), drop_intermediate=False
        )
        gain = np.round(true_rate - false_rate, 12)
        assert threshold == candidates[gain.argmax()]


@pytest.mark.real
def test_youden_thresholds_of_the_published_scores(benchmark_val: Any, golden: dict[str, Any]) -> None:
    expected = golden["challenge_metrics_test"]["thresholds_youden_from_val"]
    found = fit_thresholds(benchmark_val.truth, benchmark_val.scores, rule="youden")
    assert_allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95])
def test_a_wanted_sensitivity_is_reached_and_not_by_the_next_threshold(
    random_case: Any, target: float
) -> None:
    truth, scores = random_case.truth, random_case.scores
    fitted = fit_thresholds(truth, scores, rule=f"sensitivity={target}")
    assert (count(truth, scores, fitted).recall[0] >= target - 1e-9).all()
    assert (count(truth, scores, np.nextafter(fitted, 2)).recall[0] < target - 1e-9).all()


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95])
def test_a_wanted_specificity_is_kept_and_not_by_any_lower_score(random_case: Any, target: float) -> None:
    truth, scores = random_case.truth, random_case.scores
    fitted = fit_thresholds(truth, scores, rule=f"specificity={target}")
    for k, threshold in enumerate(fitted):
        observed = np.unique(scores[:, k])
        found = [count(truth[:, [k]], scores[:, [k]], t).specificity[0, 0] for t in observed]
        enough = observed[np.array(found) >= target - 1e-9]
        assert np.isnan(threshold) if not len(enough) else threshold == enough.min()


def test_ten_positives_of_which_nine_are_wanted() -> None:
    truth, scores = np.ones((10, 1)), np.linspace(0.1, 1.0, 10)[:, None]
    truth = np.r_[truth, [[0]]]
    scores = np.r_[scores, [[0.05]]]
    assert fit_thresholds(truth, scores, rule="sensitivity=0.9").tolist() == [0.2]


def test_a_number_is_everybodys_threshold(random_case: Any) -> None:
    assert fit_thresholds(random_case.truth, random_case.scores, rule="0.3").tolist() == [0.3] * 4


def test_unknown_truth_takes_no_part(random_case: Any) -> None:
    truth, scores, known = random_case.truth, random_case.scores, random_case.expected["known"]
    for rule in ("best-f1", "youden", "sensitivity=0.8", "specificity=0.8"):
        by_class = [fit_thresholds(truth[m, k, None], scores[m, k, None], None, rule)[0]
                    for k, m in enumerate(known.T)]  # fmt: skip
        assert_array_equal(fit_thresholds(truth, scores, known, rule), by_class)
        assert_array_equal(fit_thresholds(np.where(known, truth, 1), scores, known, rule), by_class)


@pytest.mark.parametrize("rule", ["best-f1", "youden", "sensitivity=0.9", "specificity=0.9"])
def test_a_class_without_positives_gets_no_threshold(tied: Any, rule: str) -> None:
    fitted = fit_thresholds(tied.truth, tied.scores, rule=rule)
    assert np.isnan(fitted).tolist() == [False, False, False, True, False]


def test_a_class_of_which_nothing_is_known_gets_no_threshold() -> None:
    known = np.zeros((3, 1), dtype=bool)
    assert np.isnan(fit_thresholds(np.ones((3, 1)), np.full((3, 1), 0.4), known)).all()
    assert np.isnan(best_f1(np.ones((3, 1)), np.full((3, 1), 0.4), known)).all()


def test_the_shared_threshold_is_that_of_fmax(tied: Any) -> None:
    shared = fit_thresholds(tied.truth, tied.scores, rule="fmax")
    assert shared.tolist() == [fmax(tied.truth, tied.scores).threshold] * 5


@pytest.mark.parametrize("rule", ["best-f1", "youden", "sensitivity=0.8", "specificity=0.7"])
def test_the_interval_is_that_of_the_rule_on_each_resample(random_case: Any, rule: str) -> None:
    truth, scores = random_case.truth[:, :2], random_case.scores[:, :2]
    patients = np.arange(60) % 50
    found = threshold_estimates(truth, scores, patients, rule=rule, resamples=80, seed=3)
    drawn = resample_patients(patients, 80, seed=3).astype(int)
    each = np.array(
        [fit_thresholds(np.repeat(truth, row, 0), np.repeat(scores, row, 0), rule=rule) for row in drawn]
    )
    for k, one in enumerate(found):
        assert one.value == fit_thresholds(truth, scores, rule=rule)[k]
        assert_allclose((one.low, one.high), np.nanquantile(each[:, k], [0.025, 0.975]))


def test_a_rare_class_has_a_threshold_in_every_resample(random_case: Any) -> None:
    rare = threshold_estimates(random_case.truth, random_case.scores, np.arange(60), resamples=200)[3]
    assert rare.resamples == 200 and rare.low <= rare.value <= rare.high


def test_a_shared_threshold_has_no_interval(tied: Any) -> None:
    for rule in ("fmax", "0.4"):
        found = threshold_estimates(tied.truth, tied.scores, np.arange(200), rule=rule, resamples=5)
        assert all(np.isnan(one.low) for one in found)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("yuden", "Did you mean 'youden'"),
        ("sensitivity", "accepted: best-f1, youden, sensitivity=NUMBER"),
        ("sensitivity=1.2", "between 0 and 1"),
        ("-0.1", "between 0 and 1"),
        ("", "accepted: best-f1"),
    ],
)
def test_an_unknown_rule_is_refused(tied: Any, rule: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        fit_thresholds(tied.truth, tied.scores, rule=rule)


@pytest.mark.parametrize("text", ["best-f1", "youden", "fmax", "sensitivity=0.9", "specificity=0.95"])
def test_a_rule_states_itself(text: str) -> None:
    assert str(ThresholdRule.read(text)) == text
    assert str(ThresholdRule.read("0.5")) == "0.5 for every class"
