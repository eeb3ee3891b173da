"""Counts behind thresholds, under many record weightings at once: by class and by record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from leadlight.evaluation.arrays import Floats, checked, checked_thresholds, checked_weights


@dataclass(frozen=True)
class Counts:
    """Summed weights of right and wrong calls of each class, each (weightings, classes)."""

    true_positive: Floats
    false_positive: Floats
    false_negative: Floats
    true_negative: Floats

    @property
    def positives(self) -> Floats:
        """Weight of the positives."""
        return self.true_positive + self.false_negative

    @property
    def negatives(self) -> Floats:
        """Weight of the negatives."""
        return self.true_negative + self.false_positive

    @property
    def f1(self) -> Floats:
        """2TP / (2TP + FP + FN); NaN for a class without positives."""
        calls_and_positives = 2 * self.true_positive + self.false_positive + self.false_negative
        return self._with_positives(_ratio(2 * self.true_positive, calls_and_positives))

    @property
    def precision(self) -> Floats:
        """TP / (TP + FP); 0 for a class that is never called, NaN for one without positives."""
        return self._with_positives(_ratio(self.true_positive, self.called, empty=0.0))

    @property
    def ppv(self) -> Floats:
        """Positive predictive value: TP / (TP + FP); NaN for a class that is never called."""
        return _ratio(self.true_positive, self.called)

    @property
    def npv(self) -> Floats:
        """Negative predictive value: TN / (TN + FN); NaN for a class that is always called."""
        return _ratio(self.true_negative, self.true_negative + self.false_negative)

    @property
    def recall(self) -> Floats:
        """Sensitivity: TP / (TP + FN); NaN for a class without positives."""
        return _ratio(self.true_positive, self.positives)

    @property
    def specificity(self) -> Floats:
        """TN / (TN + FP); NaN for a class without negatives."""
        return _ratio(self.true_negative, self.negatives)

    @property
    def accuracy(self) -> Floats:
        """Share of right calls among the known records."""
        return _ratio(self.true_positive + self.true_negative, self.positives + self.negatives)

    @property
    def kappa(self) -> Floats:
        """Cohen's kappa of calls and truth; NaN where both are the same for every record."""
        n = self.positives + self.negatives
        expected = _ratio(
            self.positives * self.called + self.negatives * (self.true_negative + self.false_negative), n * n
        )
        return _ratio(self.accuracy - expected, 1 - expected)

    @property
    def called(self) -> Floats:
        """Weight of the calls."""
        return self.true_positive + self.false_positive

    def _with_positives(self, values: Floats) -> Floats:
        return np.where(self.positives > 0, values, np.nan)


def _ratio(part: Floats, whole: Floats, empty: float = np.nan) -> Floats:
    """part / whole; ``empty`` where the whole is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole == 0, empty, part / whole)


def count(
    truth: ArrayLike,
    scores: ArrayLike,
    thresholds: ArrayLike,
    known: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Counts:
    """Right and wrong calls of each class, where a score at or above the class's threshold is a call.

    truth, scores, known: (records, classes); thresholds: (classes,) or one number, NaN where a class
    has none (its counts are then NaN); weights: (weightings, records).
    """
    positive, score_values, mask = checked(truth, scores, known)
    limits = checked_thresholds(thresholds, positive.shape[1])
    all_weights = checked_weights(weights, len(positive))
    called = score_values >= limits

    def summed(where: np.ndarray) -> Floats:
        return np.where(np.isnan(limits), np.nan, all_weights @ (where & mask).astype(np.float64))

    return Counts(
        true_positive=summed(positive & called),
        false_positive=summed(~positive & called),
        false_negative=summed(positive & ~called),
        true_negative=summed(~positive & ~called),
    )


def mean_square(
    truth: ArrayLike,
    probabilities: ArrayLike,
    known: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Floats:
    """Mean squared distance between probability and truth, (weightings, classes): the Brier score."""
    positive, values, mask = checked(truth, probabilities, known)
    all_weights = checked_weights(weights, len(positive))
    squares = np.where(mask, (values - positive) ** 2, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((all_weights @ squares) / (all_weights @ mask.astype(np.float64)))


@dataclass(frozen=True)
class RecordCentred:
    """Precision, recall and F averaged over records, each (weightings, thresholds); NaN where not defined."""

    thresholds: Floats
    precision: Floats
    recall: Floats

    @property
    def f(self) -> Floats:
        """2PR / (P + R) of the two averages."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(2 * self.precision * self.recall / (self.precision + self.recall))


def record_centred(
    truth: ArrayLike,
    scores: ArrayLike,
    thresholds: ArrayLike,
    known: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> RecordCentred:
    """Precision and recall of each record's set of findings, averaged over records, at shared thresholds.

    thresholds: (thresholds,), each shared by all classes; a score at or above it is a finding.
    Precision is averaged over the records with at least one finding, recall over the records with at
    least one true label. Classes that are not known for a record count neither as finding nor as label.
    Radivojac et al., Nature Methods 2013, doi:10.1038/nmeth.2340.
    """
    positive, score_values, mask = checked(truth, scores, known)
    all_weights = checked_weights(weights, len(positive))
    limits = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    positive = positive & mask
    n_labels = positive.sum(axis=1)
    precisions = np.zeros((len(positive), len(limits)))
    recalls = np.zeros_like(precisions)
    with_finding = np.zeros_like(precisions)
    for column, limit in enumerate(limits):
        called = (score_values >= limit) & mask
        n_called, n_right = called.sum(axis=1), (called & positive).sum(axis=1)
        precisions[:, column] = n_right / np.maximum(n_called, 1)
        recalls[:, column] = n_right / np.maximum(n_labels, 1)
        with_finding[:, column] = n_called > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = (all_weights @ precisions) / (all_weights @ with_finding)
        recall = (all_weights @ recalls) / (all_weights @ (n_labels > 0))[:, None]
    return RecordCentred(limits, precision, recall)
