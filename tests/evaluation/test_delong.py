"""The analytic error of an AUC: as its definition says, and as often right as it claims."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score

from leadlight.errors import EvaluationError
from leadlight.evaluation import resample_patients
from leadlight.evaluation.delong import delong
from leadlight.evaluation.ranking import rank


def pairs_won(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(positives, negatives): 1 where the positive scores higher, 1/2 where equal."""
    positive, negative = scores[truth][:, None], scores[~truth][None]
    return (positive > negative) + 0.5 * (positive == negative)


@pytest.fixture(params=[1, 3])
def case(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """Truth and the scores of two models with many ties."""
    rng = np.random.default_rng(request.param)
    truth = rng.random(90) < 0.3
    scores = np.round(rng.normal(size=(2, 90)) * 0.7 + truth * [[1.0], [0.6]], 1)
    return truth, scores


def test_covariance_is_that_of_the_definition(case: tuple[np.ndarray, np.ndarray]) -> None:
    truth, scores = case
    won = [pairs_won(truth, one) for one in scores]
    found = delong(truth, scores)
    assert_allclose(found.auc, [roc_auc_score(truth, one) for one in scores])
    expected = np.cov([one.mean(axis=1) for one in won]) / truth.sum()
    expected += np.cov([one.mean(axis=0) for one in won]) / (~truth).sum()
    assert_allclose(found.covariance, expected, atol=1e-14)


def test_unknown_records_take_no_part(case: tuple[np.ndarray, np.ndarray]) -> None:
    truth, scores = case
    known = np.random.default_rng(0).random(90) < 0.7
    alone = delong(truth[known], scores[:, known])
    assert_allclose(delong(truth, scores, known).covariance, alone.covariance)


def test_records_counted_twice_make_nothing_surer_once_their_patient_is_known(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    truth, scores = case
    once = delong(truth, scores)
    names = [f"patient {number}" for number in np.tile(np.arange(90), 2)]
    twice = delong(np.tile(truth, 2), np.tile(scores, 2), patients=names)
    # Equal but for the factors n / (n - 1) of positives and negatives, which stay those of patients.
    assert_allclose(twice.covariance, once.covariance, rtol=1e-10)
    naive = delong(np.tile(truth, 2), np.tile(scores, 2))
    assert (np.diag(naive.covariance) < 0.55 * np.diag(once.covariance)).all()


def test_patients_with_several_records_have_the_error_of_the_bootstrap() -> None:
    rng = np.random.default_rng(5)
    patients = np.repeat(np.arange(150), 3)
    own = rng.normal(size=150)[patients]
    ill = (rng.random(150) < 0.4)[patients]
    truth = ill ^ (rng.random(450) < 0.1)  # most patients have records of one kind, some of both
    scores = truth + own + 0.5 * rng.normal(size=450)
    found = float(np.sqrt(delong(truth, scores, patients=patients).covariance[0, 0]))
    resampled = rank(truth[:, None], scores[:, None], weights=resample_patients(patients, 3000)).roc_auc
    assert found == pytest.approx(float(resampled.std()), rel=0.06)
    assert found > 1.1 * float(np.sqrt(delong(truth, scores).covariance[0, 0]))


@pytest.mark.parametrize("shift", [0.5, 1.5])
def test_the_interval_holds_the_true_auc_as_often_as_it_says(shift: float) -> None:
    from scipy.special import ndtr

    rng = np.random.default_rng(11)
    true_auc = ndtr(shift / np.sqrt(2))
    truth = np.arange(200) < 60
    held = 0
    for _ in range(1000):
        interval = delong(truth, rng.normal(size=200) + shift * truth).estimate()
        held += interval.low <= true_auc <= interval.high
    assert 0.925 < held / 1000 < 0.975


def test_two_equally_good_models_differ_significantly_as_often_as_they_should() -> None:
    rng = np.random.default_rng(7)
    truth = np.arange(150) < 50
    p_values = []
    for _ in range(800):
        shared = rng.normal(size=150) + truth
        p_values.append(delong(truth, shared + rng.normal(size=(2, 150))).difference()[1])
    assert 0.03 < np.mean(np.array(p_values) < 0.05) < 0.075


def test_the_same_scores_differ_by_nothing(case: tuple[np.ndarray, np.ndarray]) -> None:
    truth, scores = case
    difference, p = delong(truth, [scores[0], 2 * scores[0] + 1]).difference()
    assert (difference.value, p) == (0.0, 1.0)
    assert np.isnan(difference.low)


def test_what_does_not_vary_has_no_interval() -> None:
    truth = np.array([0, 0, 1, 1])
    separated = delong(truth, [0.1, 0.2, 0.8, 0.9]).estimate()
    assert separated.value == 1.0 and np.isnan([separated.low, separated.high]).all()
    lonely = delong(np.array([0, 0, 0, 1]), [0.1, 0.9, 0.3, 0.4])
    assert lonely.auc[0] == pytest.approx(2 / 3) and np.isnan(lonely.covariance).all()
    assert np.isnan(delong(np.zeros(3), [0.1, 0.2, 0.3]).auc[0])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(EvaluationError, match="models, records"):
        delong([0, 1], [[0.1, 0.2, 0.3]])
    with pytest.raises(EvaluationError, match="one for each record"):
        delong([0, 1], [0.1, 0.2], patients=["a"])
