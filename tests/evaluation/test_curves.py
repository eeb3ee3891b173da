"""The values behind the figures of an evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import auc, average_precision_score, roc_auc_score, roc_curve

from leadlight.evaluation.curves import (
    calls_of,
    cooccurrences,
    precision_recall_curves,
    reliability_bins,
    roc_curves,
    threshold_curves,
)

RNG = np.random.default_rng(4)
TRUTH = RNG.random((400, 3)) < [0.3, 0.1, 0.5]
SCORES = np.clip(0.25 * TRUTH + np.round(RNG.random((400, 3)) * 0.75, 2), 0, 1)
KNOWN = RNG.random((400, 3)) < 0.9
PATIENTS = [f"p{n // 2}" for n in range(400)]
NAMES = ["A", "B", "C"]


def test_roc_curves_are_those_of_scikit_learn() -> None:
    for k, one in enumerate(roc_curves(TRUTH, SCORES, NAMES, patients=PATIENTS, known=KNOWN)):
        rows = KNOWN[:, k]
        false_rate, true_rate, _ = roc_curve(TRUTH[rows, k], SCORES[rows, k], drop_intermediate=False)
        assert_allclose(np.interp(false_rate, one.x, one.y)[1:-1] >= true_rate[1:-1] - 1e-12, True)
        assert_allclose(auc(one.x, one.y), roc_auc_score(TRUTH[rows, k], SCORES[rows, k]), atol=1e-12)
        assert (one.positives, one.records) == (TRUTH[rows, k].sum(), rows.sum())
        assert_allclose(one.area, roc_auc_score(TRUTH[rows, k], SCORES[rows, k]))


def test_precision_recall_curves_sum_up_to_average_precision() -> None:
    for k, one in enumerate(precision_recall_curves(TRUTH, SCORES, NAMES, patients=PATIENTS)):
        assert_allclose(one.area, average_precision_score(TRUTH[:, k], SCORES[:, k]))
        # Points between were taken out only along straight lines: steps end where they ended.
        assert one.y[-1] == pytest.approx(TRUTH[:, k].mean())
        assert one.x[0] == 0 and one.x[-1] == 1


def test_bands_hold_the_curve_and_grow_with_fewer_patients() -> None:
    def width(n: int) -> float:
        one = roc_curves(TRUTH[:n], SCORES[:n], NAMES, patients=PATIENTS[:n])[0]
        inside = np.interp(one.grid, one.x, one.y)
        assert ((inside >= one.low - 0.05) & (inside <= one.high + 0.05)).mean() > 0.95
        return float((one.high - one.low).mean())

    assert width(100) > 1.5 * width(400)


def test_the_point_at_the_threshold_is_that_of_counting() -> None:
    limits = np.array([0.5, 0.4, np.nan])
    found = roc_curves(TRUTH, SCORES, NAMES, patients=PATIENTS, thresholds=limits)
    for k, one in enumerate(found[:2]):
        called = SCORES[:, k] >= limits[k]
        assert one.at == (called[~TRUTH[:, k]].mean(), called[TRUTH[:, k]].mean())
    assert found[2].at is None


def test_a_class_without_positives_has_no_curve() -> None:
    one = roc_curves(np.zeros((9, 1)), np.zeros((9, 1)), ["A"], patients=range(9))[0]
    assert not one.is_defined and len(one.x) == 0


def test_curves_of_thresholds_are_counted_at_each() -> None:
    one = threshold_curves(TRUTH, SCORES, NAMES, [0.5, 0.5, 0.5], low=[0.4, None, 0.4], high=[0.6, None, 0.6])
    called = SCORES[:, 0] >= 0.3
    at = int(np.argmin(np.abs(one[0].grid - 0.3)))
    assert_allclose(one[0].curves["sensitivity"][at], called[TRUTH[:, 0]].mean())
    assert_allclose(one[0].curves["specificity"][at], (~called)[~TRUTH[:, 0]].mean())
    assert_allclose(one[0].curves["precision (PPV)"][at], TRUTH[called, 0].mean())
    assert (one[0].low, one[2].high) == (0.4, 0.6) and np.isnan(one[1].low)


def test_calls_add_up_and_classes_without_threshold_are_left_out() -> None:
    calls = calls_of(TRUTH, SCORES, NAMES, [0.5, np.nan, 0.5], KNOWN)
    assert [one.name for one in calls] == ["A", "C"]
    assert sum(map(sum, calls[0].rows)) == KNOWN[:, 0].sum()
    assert calls[0].true_positive == ((SCORES[:, 0] >= 0.5) & TRUTH[:, 0] & KNOWN[:, 0]).sum()


def test_bins_hold_every_known_record() -> None:
    for k, one in enumerate(reliability_bins(TRUTH, SCORES, NAMES, KNOWN)):
        assert one.records.sum() == KNOWN[:, k].sum()
        assert_allclose((one.observed * one.records).sum(), (TRUTH & KNOWN)[:, k].sum())


def test_labels_that_stand_together_are_counted() -> None:
    truth = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1]])
    assert cooccurrences(truth).tolist() == [[3, 2, 1], [2, 2, 1], [1, 1, 1]]
    assert cooccurrences(truth, truth == 1).tolist() == [[3, 2, 1], [2, 2, 1], [1, 1, 1]]
