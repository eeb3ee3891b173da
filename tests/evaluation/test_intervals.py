"""All resamples at once are the same as one after the other; patients stay whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import metrics as sklearn_metrics

from leadlight.errors import EvaluationError
from leadlight.evaluation import PAPER_THRESHOLDS, estimate, fmax, resample_patients, roc_auc
from leadlight.evaluation.counting import count, record_centred
from leadlight.evaluation.intervals import bootstrap_p, holm, proportion
from leadlight.evaluation.ranking import rank

PATIENTS = np.arange(60) % 40  # the first twenty have two records


def each_resample(weights: np.ndarray, *arrays: np.ndarray) -> Any:
    """The resamples written out: records as often as they were drawn."""
    for row in weights.astype(int):
        yield tuple(np.repeat(array, row, axis=0) for array in arrays)


def test_auc_and_average_precision_equal_scikit_learn_on_the_same_resamples(random_case: Any) -> None:
    weights = resample_patients(PATIENTS, 150, seed=3)
    known = random_case.expected["known"]
    found = rank(random_case.truth, random_case.scores, known, weights)
    n_undefined = 0
    drawn = each_resample(weights, random_case.truth, random_case.scores, known)
    for row, (truth, scores, mask) in enumerate(drawn):
        for k in range(4):
            t, s = truth[mask[:, k], k], scores[mask[:, k], k]
            if not t.any():
                n_undefined += 1
                assert np.isnan(found.roc_auc[row, k]) and np.isnan(found.average_precision[row, k])
                continue
            assert_allclose(found.roc_auc[row, k], sklearn_metrics.roc_auc_score(t, s), atol=1e-12)
            expected = sklearn_metrics.average_precision_score(t, s)
            assert_allclose(found.average_precision[row, k], expected, atol=1e-12)
    assert n_undefined > 0  # the rare class was lost in some


def test_counts_equal_scikit_learn_on_the_same_resamples(random_case: Any) -> None:
    weights = resample_patients(PATIENTS, 50, seed=4)
    thresholds = [0.5, 0.4, 0.6, 0.7]
    found = count(random_case.truth, random_case.scores, thresholds, weights=weights)
    for row, (truth, scores) in enumerate(each_resample(weights, random_case.truth, random_case.scores)):
        for k, threshold in enumerate(thresholds):
            called = scores[:, k].astype(float) >= threshold
            assert_allclose(found.accuracy[row, k], sklearn_metrics.accuracy_score(truth[:, k], called))
            if truth[:, k].any():
                assert_allclose(found.f1[row, k], sklearn_metrics.f1_score(truth[:, k], called))
            else:
                assert np.isnan(found.f1[row, k])


def test_fmax_equals_the_plain_one_on_the_same_resamples(random_case: Any) -> None:
    weights = resample_patients(PATIENTS, 50, seed=4)
    found = record_centred(random_case.truth, random_case.scores, PAPER_THRESHOLDS, weights=weights).f
    for row, (truth, scores) in enumerate(each_resample(weights, random_case.truth, random_case.scores)):
        assert_allclose(np.nanmax(found[row]), fmax(truth, scores, PAPER_THRESHOLDS).value)


def test_more_resamples_than_are_measured_at_a_time_change_nothing(random_case: Any) -> None:
    weights = resample_patients(PATIENTS, 130, seed=1)
    together = rank(random_case.truth, random_case.scores, weights=weights).roc_auc
    one_by_one = [rank(random_case.truth, random_case.scores, weights=w[None]).roc_auc[0] for w in weights]
    assert_array_equal(together, one_by_one)


def test_records_of_a_patient_are_drawn_together() -> None:
    weights = resample_patients(PATIENTS, 200, seed=0)
    assert_array_equal(weights[:, :20], weights[:, 40:])
    assert (weights[:, :40].sum(axis=1) == 40).all()  # as many patients as there are
    assert len(np.unique(weights.sum(axis=1))) > 1  # so the number of records varies


def test_names_of_patients_do_not_matter_only_who_is_who() -> None:
    names = np.array([f"patient {number:02d}" for number in PATIENTS])
    assert_array_equal(resample_patients(names, 20, seed=2), resample_patients(PATIENTS, 20, seed=2))


def test_the_seed_decides_the_resamples() -> None:
    again = [resample_patients(PATIENTS, 20, seed=seed) for seed in (7, 7, 8)]
    assert_array_equal(again[0], again[1])
    assert (again[0] != again[2]).any()


def test_patients_with_many_records_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat(rng.random((50, 1)) < 0.5, 8, axis=0)
    scores = np.repeat(np.where(truth[::8], 0.2, 0.0) + rng.random((50, 1)), 8, axis=0)
    widths = []
    for patients in (np.repeat(np.arange(50), 8), np.arange(400)):
        auc = rank(truth, scores, weights=resample_patients(patients, 300)).roc_auc[:, 0]
        low, high = np.quantile(auc, [0.025, 0.975])
        widths.append(high - low)
    assert widths[0] > 2 * widths[1]  # the theory says the square root of 8


def test_the_interval_is_that_of_delong_for_independent_records() -> None:
    # DeLong, DeLong and Clarke-Pearson, Biometrics 1988, doi:10.2307/2531595: the variance of an AUC
    # from the share of negatives that each positive beats, and of positives that beat each negative.
    rng = np.random.default_rng(1)
    truth = np.arange(400)[:, None] < 150
    scores = rng.normal(size=(400, 1)) + truth
    wins = scores[:150] > scores[150:, 0]
    error = np.sqrt(wins.mean(axis=1).var(ddof=1) / 150 + wins.mean(axis=0).var(ddof=1) / 250)
    resampled = rank(truth, scores, weights=resample_patients(np.arange(400), 4000)).roc_auc[:, 0]
    found = estimate(wins.mean(), resampled)
    expected = (wins.mean() - 1.96 * error, wins.mean() + 1.96 * error)
    assert_allclose((found.low, found.high), expected, rtol=0, atol=0.25 * error)


def test_undefined_resamples_are_left_out_and_counted() -> None:
    found = estimate(0.5, [np.nan, 0.0, 1.0, np.nan])
    assert_allclose((found.low, found.high, found.mean), (0.025, 0.975, 0.5))
    assert found.resamples == 2
    nothing = estimate(np.nan, [0.1, 0.2])
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all() and nothing.resamples == 0
    assert str(nothing) == "–"


@pytest.mark.parametrize(("patients", "resamples"), [([], 10), ([[1], [2]], 10), ([1, 2], 0)])
def test_impossible_resamples_are_refused(patients: Any, resamples: int) -> None:
    with pytest.raises(EvaluationError):
        resample_patients(patients, resamples)


def test_a_stratified_resample_keeps_the_patients_of_each_stratum() -> None:
    rare = np.zeros(60)
    rare[[3, 5, 45]] = 1  # records 5 and 45 are of one patient
    weights = resample_patients(PATIENTS, 300, seed=1, strata=rare)
    assert_array_equal(weights[:, :20], weights[:, 40:])
    positive = np.isin(PATIENTS, [3, 5])
    drawn = {patient: weights[:, patient == PATIENTS][:, 0] for patient in (3, 5)}
    assert (drawn[3] + drawn[5] == 2).all() and len(np.unique(drawn[3])) == 3
    others = weights[:, :40][:, ~positive[:40]]
    assert (others.sum(axis=1) == 38).all()


def test_a_rare_class_keeps_its_auc_in_every_stratified_resample(random_case: Any) -> None:
    truth, scores = random_case.truth[:, [3]], random_case.scores[:, [3]]
    plain = rank(truth, scores, weights=resample_patients(np.arange(60), 500)).roc_auc
    kept = resample_patients(np.arange(60), 500, strata=truth[:, 0])
    stratified = rank(truth, scores, weights=kept).roc_auc
    assert np.isnan(plain).any() and not np.isnan(stratified).any()
    assert_allclose(stratified.mean(), roc_auc(truth, scores)[0], atol=0.02)


def test_an_exact_interval_is_that_of_clopper_and_pearson() -> None:
    from scipy.stats import binomtest

    for successes, n in ((0, 10), (10, 10), (3, 17), (480, 500)):
        expected = binomtest(successes, n).proportion_ci(0.95, method="exact")
        found = proportion(successes, n)
        assert_allclose((found.low, found.high), (expected.low, expected.high), atol=1e-12)
    assert np.isnan(proportion(0, 0).value)
    with pytest.raises(EvaluationError, match="3 of 2"):
        proportion(3, 2)


def test_holm_by_hand() -> None:
    # 0.01 x 4, then 0.02 x 3, then 0.03 x 2 = 0.06, which is not below what stands before it.
    assert_allclose(holm([0.03, 0.01, 0.9, 0.02]), [0.06, 0.04, 0.9, 0.06])
    assert_allclose(holm([0.03, np.nan, 0.01]), [0.03, np.nan, 0.02])
    assert_allclose(holm([0.7, 0.8]), [1.0, 1.0])


def test_a_bootstrap_p_is_two_sided_and_never_nothing() -> None:
    assert bootstrap_p([0.1] * 999) == 2 / 1000
    assert bootstrap_p([-0.1] * 10 + [0.1] * 989) == 22 / 1000
    assert bootstrap_p([0.0] * 50) == 1.0
    assert np.isnan(bootstrap_p([np.nan]))
