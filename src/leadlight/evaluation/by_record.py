"""Metrics that look at a record's classes together, and at all records and classes as one pool.

Classes that are not known for a record take no part in it: neither its calls nor its labels there count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from leadlight.evaluation.arrays import Bools, Floats, checked, checked_thresholds, checked_weights
from leadlight.evaluation.metrics import average_precision, roc_auc

_CHUNK = 256
"""Records whose pairs of classes are compared at a time."""


def subset_accuracy(
    truth: ArrayLike,
    scores: ArrayLike,
    thresholds: ArrayLike,
    known: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Floats:
    """Share of records whose every class is called rightly (score >= threshold), (weightings,).

    The Challenge 2021 calls it accuracy. Classes without a threshold (NaN) take no part, and neither
    does a record of which nothing is known.
    """
    positive, called, counted, all_weights = _called(truth, scores, thresholds, known, weights)
    some = counted.any(axis=1)
    right = ((positive == called) | ~counted).all(axis=1) & some
    return _share(all_weights, right, some)


def hamming_loss(
    truth: ArrayLike,
    scores: ArrayLike,
    thresholds: ArrayLike,
    known: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Floats:
    """Share of wrong calls among all records and classes, (weightings,): 0 is best.

    Where everything is known, this is 1 minus the mean accuracy of the classes.
    """
    positive, called, counted, all_weights = _called(truth, scores, thresholds, known, weights)
    wrong = ((positive != called) & counted).sum(axis=1)
    return _share(all_weights, wrong, counted.sum(axis=1))


def sample_f1(
    truth: ArrayLike,
    scores: ArrayLike,
    thresholds: ArrayLike,
    known: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Floats:
    """F1 of each record's set of calls against its set of labels, averaged over records, (weightings,).

    A record with neither scores 0, as in scikit-learn's ``average="samples"``. Not Fmax, which takes
    F of averaged precision and recall.
    """
    positive, called, counted, all_weights = _called(truth, scores, thresholds, known, weights)
    both = (positive & called & counted).sum(axis=1)
    either = (positive & counted).sum(axis=1) + (called & counted).sum(axis=1)
    return _share(all_weights, 2 * both / np.maximum(either, 1), np.ones(len(both)))


def micro_f1(
    truth: ArrayLike, scores: ArrayLike, thresholds: ArrayLike, known: ArrayLike | None = None
) -> float:
    """F1 of all records and classes as one pool: frequent classes decide it."""
    positive, called, counted, _ = _called(truth, scores, thresholds, known, None)
    both = int((positive & called & counted).sum())
    either = int((positive & counted).sum() + (called & counted).sum())
    return 2 * both / either if either else float("nan")


def micro_roc_auc(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None) -> float:
    """ROC-AUC of all records and classes as one pool: it also rewards telling rare from frequent classes."""
    return float(roc_auc(*_pooled(truth, scores, known))[0])


def micro_average_precision(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None) -> float:
    """Average precision of all records and classes as one pool."""
    return float(average_precision(*_pooled(truth, scores, known))[0])


def log_loss(truth: ArrayLike, probabilities: ArrayLike, known: ArrayLike | None = None) -> float:
    """Mean binary cross-entropy over all records and classes, of probabilities cut to 1e-7 ... 1 - 1e-7."""
    positive, values, mask = checked(truth, probabilities, known)
    clipped = np.clip(values, 1e-7, 1 - 1e-7)
    losses = -np.log(np.where(positive, clipped, 1 - clipped))
    return float(losses[mask].mean()) if mask.any() else float("nan")


def coverage_error(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None) -> float:
    """How far down a record's ranking one must go to meet all of its labels, averaged over records.

    A record without labels counts 0. Best: the mean number of labels.
    """
    positive, values, mask = checked(truth, scores, known)
    labelled = positive & mask
    lowest = np.where(labelled, values, np.inf).min(axis=1)
    reached = ((values >= lowest[:, None]) & mask).sum(axis=1)
    return float(np.where(labelled.any(axis=1), reached, 0).mean())


def label_ranking_average_precision(
    truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None
) -> float:
    """Of the classes that score at least as high as a label: the share that are labels too.

    Averaged over a record's labels, then over records. A record with no label, or with all, counts 1.
    """
    positive, values, mask = checked(truth, scores, known)
    labelled = positive & mask
    n_labels, n_known = labelled.sum(axis=1), mask.sum(axis=1)
    result = np.ones(len(values))
    for rows in _chunks(len(values)):
        at_least = (values[rows, None, :] >= values[rows, :, None]) & mask[rows, None, :]
        share = (at_least & labelled[rows, None, :]).sum(axis=2) / np.maximum(at_least.sum(axis=2), 1)
        mean = np.where(labelled[rows], share, 0.0).sum(axis=1) / np.maximum(n_labels[rows], 1)
        trivial = (n_labels[rows] == 0) | (n_labels[rows] == n_known[rows])
        result[rows] = np.where(trivial, 1.0, mean)
    return float(result.mean())


def label_ranking_loss(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None) -> float:
    """Share of a record's (label, other class) pairs in which the label does not score higher.

    A tie is a wrong pair in full. Averaged over records; one with no label, or with all, counts 0.
    """
    positive, values, mask = checked(truth, scores, known)
    labelled, others = positive & mask, ~positive & mask
    pairs = labelled.sum(axis=1) * others.sum(axis=1)
    wrong = np.zeros(len(values))
    for rows in _chunks(len(values)):
        lost = values[rows, :, None] <= values[rows, None, :]
        wrong[rows] = (lost & labelled[rows, :, None] & others[rows, None, :]).sum(axis=(1, 2))
    return float((wrong / np.maximum(pairs, 1)).mean())


def _called(
    truth: ArrayLike,
    scores: ArrayLike,
    thresholds: ArrayLike,
    known: ArrayLike | None,
    weights: ArrayLike | None,
) -> tuple[Bools, Bools, Bools, Floats]:
    """Truth, calls and what counts, each (records, classes), and the weights (weightings, records)."""
    positive, values, mask = checked(truth, scores, known)
    limits = checked_thresholds(thresholds, positive.shape[1])
    return positive, values >= limits, mask & ~np.isnan(limits), checked_weights(weights, len(positive))


def _share(weights: Floats, part: ArrayLike, whole: ArrayLike) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(
            (weights @ np.asarray(part, np.float64)) / (weights @ np.asarray(whole, np.float64))
        )


def _pooled(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None) -> tuple[Bools, Floats]:
    positive, values, mask = checked(truth, scores, known)
    return positive[mask][:, None], values[mask][:, None]


def _chunks(n: int) -> list[slice]:
    return [slice(first, first + _CHUNK) for first in range(0, n, _CHUNK)]
