"""What single publications computed, for comparing with their tables. For anything else there is better."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from leadlight.evaluation.arrays import Bools, Floats, checked, checked_thresholds
from leadlight.evaluation.intervals import Estimate


def benchmark_calls(scores: ArrayLike, thresholds: ArrayLike) -> Bools:
    """Calls as the PTB-XL benchmark makes them for CPSC 2018: score > threshold, (records, classes).

    A record without any call gets the class that scores highest.
    """
    values = np.asarray(scores, dtype=np.float64)
    called = values > checked_thresholds(thresholds, values.shape[1])
    empty = ~called.any(axis=1)
    called[empty, values[empty].argmax(axis=1)] = True
    return called


def f_beta_g_beta(truth: ArrayLike, called: ArrayLike, beta: float = 2.0) -> tuple[Floats, Floats]:
    """F and G of each class, each (classes,), as the PTB-XL benchmark and the Challenge 2020 take them.

    A record counts 1 / (number of its labels); it must have one. F = (1 + b2) TP / ((1 + b2) TP + FP
    + b2 FN),
    G = TP / (TP + FP + b FN). NaN for a class without positives and without calls.
    Strodthoff et al. 2021, doi:10.1109/JBHI.2020.3022989.
    """
    positive, calls, _ = checked(truth, np.asarray(called, dtype=np.float64))
    weight = 1 / positive.sum(axis=1)
    is_called = calls > 0
    true_positive = weight @ (positive & is_called)
    false_positive = weight @ (~positive & is_called)
    false_negative = weight @ (positive & ~is_called)
    squared = beta**2
    with np.errstate(invalid="ignore", divide="ignore"):
        f = (1 + squared) * true_positive
        f = f / ((1 + squared) * true_positive + false_positive + squared * false_negative)
        g = true_positive / (true_positive + false_positive + beta * false_negative)
    return np.asarray(f), np.asarray(g)


def g_beta_thresholds(truth: ArrayLike, scores: ArrayLike, beta: float = 2.0) -> Floats:
    """The benchmark's thresholds for CPSC 2018, (classes,): of 100 from 0 to 1 the first with the largest G.

    Records count alike here. A class is called above its threshold.
    """
    positive, values, _ = checked(truth, scores)
    candidates = np.linspace(0, 1, 100)
    best = np.empty(positive.shape[1])
    for k in range(positive.shape[1]):
        called = values[:, k, None] > candidates
        true_positive = (called & positive[:, k, None]).sum(axis=0)
        false_positive = called.sum(axis=0) - true_positive
        false_negative = positive[:, k].sum() - true_positive
        whole = true_positive + false_positive + beta * false_negative
        best[k] = candidates[np.argmax(true_positive / np.where(whole > 0, whole, 1))]
    return best


def xplaim_auc_interval(auc: float, n_records: int) -> Estimate:
    """The interval that ECG-XPLAIM prints as DeLong's: AUC -+ 1.96 sqrt(AUC (1 - AUC) / n).

    n counts all records, so ten positives look as sure as five hundred; it may pass 0 and 1.
    ``delong`` is DeLong's. Published code of doi:10.3389/fcvm.2025.1659971.
    """
    reach = 1.96 * float(np.sqrt(auc * (1 - auc) / n_records))
    return Estimate(auc, auc - reach, auc + reach)
