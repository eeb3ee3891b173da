"""Thresholds for calling a finding. Fit them on the validation fold, never on the fold that is reported."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Bools, Floats, checked
from leadlight.evaluation.metrics import fmax

Rule = Literal["best-f1", "fmax"]


def fit_thresholds(
    truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None, rule: Rule = "best-f1"
) -> Floats:
    """A threshold for each class, (classes,) float64; a finding is called when score >= threshold.

    truth, scores, known: (records, classes) of the validation fold.
    "best-f1": the observed score with the largest F1 of the class, of equal maxima the highest;
    NaN for a class without known positives, which has no F1 to choose by.
    "fmax": one threshold for all classes, the observed score with the largest record-centred F.
    """
    if rule == "best-f1":
        positive, values, mask = checked(truth, scores, known)
        fitted = (
            _best_f1(positive[mask[:, k], k], values[mask[:, k], k])[0] for k in range(positive.shape[1])
        )
        return np.array(list(fitted))
    if rule == "fmax":
        shared = fmax(truth, scores, None, known).threshold
        return np.full(np.asarray(truth).shape[1], shared)
    raise EvaluationError(f"rule: found {rule!r}; accepted: 'best-f1', 'fmax'.")


def best_f1(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None) -> Floats:
    """The largest F1 of each class over all its observed scores as thresholds, (classes,).

    Chosen on the records it is measured on, so too good to report: it bounds what thresholds can do.
    """
    positive, values, mask = checked(truth, scores, known)
    return np.array(
        [_best_f1(positive[mask[:, k], k], values[mask[:, k], k])[1] for k in range(positive.shape[1])]
    )


def _best_f1(positive: Bools, scores: Floats) -> tuple[float, float]:
    """(threshold, F1) of one class; NaN without positives."""
    n_positive = int(positive.sum())
    if n_positive == 0:
        return np.nan, np.nan
    order = np.argsort(-scores, kind="stable")
    descending = scores[order]
    last_of_equals = np.flatnonzero(np.r_[descending[1:] != descending[:-1], True])
    found = np.cumsum(positive[order])[last_of_equals]
    called = last_of_equals + 1
    # A ratio of integers, rounded once: equal F1 are equal to the bit, so the first is the highest threshold.
    values = 2 * found / (called + n_positive)
    best = int(np.argmax(values))
    return float(descending[last_of_equals[best]]), float(values[best])
