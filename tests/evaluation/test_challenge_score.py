"""The Challenge 2021 metrics equal those of its own evaluation code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from leadlight import labels
from leadlight.errors import EvaluationError
from leadlight.evaluation import average_precision, macro_mean, resample_patients, roc_auc
from leadlight.evaluation.by_record import hamming_loss, subset_accuracy
from leadlight.evaluation.challenge import challenge_f_measure, challenge_score, has_challenge_score
from leadlight.evaluation.counting import count
from leadlight.labels.challenge_weights import challenge_weights

PARITY = Path(__file__).parents[1] / "parity"
CASES = ("regular", "edge", "edge_all_positive")


def close(found: Any, expected: Any) -> None:
    assert_allclose(found, np.array(expected, dtype=np.float64), rtol=0, atol=1e-9, equal_nan=True)


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    return json.loads((PARITY / "metrics/challenge_metric.json").read_text())["cases"]


def arrays(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([[int(one) for one in row] for row in case["labels"]]), np.array(case["scores"])


@pytest.mark.parametrize("name", CASES)
def test_the_challenges_own_metrics(published: dict[str, Any], name: str) -> None:
    truth, scores = arrays(published[name])
    expected = published[name]["official_evaluation_2021"]
    close(challenge_score(truth, scores)[0], expected["challenge_metric"])
    close(subset_accuracy(truth, scores, 0.5)[0], expected["accuracy"])
    close(challenge_f_measure(truth, scores), expected["f_measure_per_class"])
    close(macro_mean(challenge_f_measure(truth, scores)), expected["f_measure_macro"])
    close(roc_auc(truth, scores), expected["auroc_per_class"])
    close(macro_mean(roc_auc(truth, scores)), expected["auroc_macro"])
    close(average_precision(truth, scores), expected["auprc_per_class"])
    close(macro_mean(average_precision(truth, scores)), expected["auprc_macro"])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("at", ["at_half", "at_tuned_thresholds"])
def test_the_metrics_of_resunet_lc(published: dict[str, Any], name: str, at: str) -> None:
    truth, scores = arrays(published[name])
    expected = published[name]["resunet_lc_repository"][at]
    thresholds = expected.get("thresholds", 0.5)
    close(macro_mean(challenge_f_measure(truth, scores, thresholds)), expected["f1_macro"])
    counts = count(truth, scores, thresholds)
    close(macro_mean(counts.specificity[0]), expected["specificity_macro"])
    close(hamming_loss(truth, scores, thresholds)[0], expected["hamming_loss"])
    if at == "at_tuned_thresholds":
        close(challenge_score(truth, scores, thresholds)[0], expected["challenge_metric_official"])
        close(subset_accuracy(truth, scores, thresholds)[0], expected["accuracy_official"])
        kappa = counts.kappa[0]
        # Its own code leaves out a kappa of exactly 0 as if it were not defined.
        close(macro_mean(np.where(kappa == 0, np.nan, kappa)), expected["first_release_kappa_macro"])
    called = (scores >= np.asarray(thresholds)).astype(float)
    close(macro_mean(average_precision(truth, called)), expected["auprc_of_binary_outputs"])


def test_another_fixture_of_the_challenges_code() -> None:
    with np.load(PARITY / "challenge/challenge_metric_io.npz") as case:
        truth, outputs, scores = case["labels"], case["outputs"].astype(float), case["scores"]
        close(challenge_weights(), case["weight_matrix"])
        close(challenge_score(truth, outputs)[0], case["challenge_metric"])
        close(roc_auc(truth, scores), case["auroc_classes"])
        close(macro_mean(roc_auc(truth, scores)), case["auroc"])
        close(average_precision(truth, scores), case["auprc_classes"])
        close(subset_accuracy(truth, outputs, 0.5)[0], case["accuracy"])
        close(challenge_f_measure(truth, outputs), case["f_measure_classes"])
        close(macro_mean(challenge_f_measure(truth, outputs)), case["f_measure"])


def test_all_resamples_at_once_are_those_one_after_the_other(published: dict[str, Any]) -> None:
    truth, scores = arrays(published["regular"])
    weights = resample_patients(np.arange(120) % 70, 20, seed=1)
    together = challenge_score(truth, scores, weights=weights)
    for row, found in zip(weights.astype(int), together, strict=True):
        drawn = np.repeat(np.arange(120), row)
        assert_allclose(found, challenge_score(truth[drawn], scores[drawn])[0])


def test_the_labels_themselves_score_one_and_sinus_rhythm_for_all_scores_nothing(
    published: dict[str, Any],
) -> None:
    truth, _ = arrays(published["regular"])
    assert challenge_score(truth, truth)[0] == 1.0
    sinus_rhythm = np.zeros_like(truth)
    sinus_rhythm[:, labels.space("challenge-2021").index("NSR")] = 1
    assert_allclose(challenge_score(truth, sinus_rhythm)[0], 0.0, atol=1e-12)


def test_unknown_classes_are_neither_label_nor_call(published: dict[str, Any]) -> None:
    truth, scores = arrays(published["regular"])
    known = np.random.default_rng(0).random(truth.shape) < 0.7
    known[:, labels.space("challenge-2021").index("NSR")] = True
    expected = challenge_score(truth & known, np.where(known, scores, 0.0))[0]
    assert_allclose(challenge_score(truth, scores, known=known)[0], expected)


def test_only_the_challenges_classes_have_its_score() -> None:
    assert has_challenge_score(labels.space("challenge-2021").codes)
    assert not has_challenge_score(labels.space("challenge-2021").codes[::-1])
    with pytest.raises(EvaluationError, match="found 2; accepted: the 26"):
        challenge_score(np.eye(2), np.eye(2))
