"""How good scores are, one number a class or one in all.

truth: (records, classes), 0 or 1; scores: (records, classes), the higher the surer; known: the same
shape, False where the truth of a record and class is not known: metrics of a class use its known
records only. A class for which a metric is not defined has NaN; `macro_mean` leaves it out and the
caller says which (`undefined_classes`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from leadlight.evaluation.arrays import Bools, Floats, checked
from leadlight.evaluation.counting import RecordCentred, count, mean_square, record_centred
from leadlight.evaluation.ranking import rank

PAPER_THRESHOLDS: Floats = np.arange(10, dtype=np.float64) * (1 / 9)
"""The ten thresholds over which Reddy et al. (IMLE-Net, SMC 2021) take Fmax."""

BENCHMARK_THRESHOLDS: Floats = np.arange(101, dtype=np.float64) * 0.01
"""The thresholds over which the PTB-XL benchmark (Strodthoff et al., JBHI 2021) takes Fmax."""


def roc_auc(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None) -> Floats:
    """Area under the ROC curve of each class, (classes,): ties count one half.

    NaN for a class without positives or without negatives.
    """
    return np.asarray(rank(truth, scores, known).roc_auc[0])


def average_precision(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None) -> Floats:
    """Step-wise average precision of each class, (classes,), without interpolation; NaN without positives."""
    return np.asarray(rank(truth, scores, known).average_precision[0])


def f1(truth: ArrayLike, scores: ArrayLike, thresholds: ArrayLike, known: ArrayLike | None = None) -> Floats:
    """F1 of each class at its threshold (score >= threshold), (classes,); NaN without positives."""
    return np.asarray(count(truth, scores, thresholds, known).f1[0])


def accuracy(
    truth: ArrayLike, scores: ArrayLike, thresholds: ArrayLike, known: ArrayLike | None = None
) -> Floats:
    """Share of right calls of each class at its threshold (score >= threshold), (classes,)."""
    return np.asarray(count(truth, scores, thresholds, known).accuracy[0])


def brier(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None) -> Floats:
    """Mean squared distance between probability and truth of each class, (classes,): 0 is best."""
    return np.asarray(mean_square(truth, scores, known)[0])


def macro_mean(per_class: ArrayLike) -> Floats:
    """Mean over the classes (the last axis) for which the metric is defined; NaN where it is for none."""
    values = np.asarray(per_class, dtype=np.float64)
    defined = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(defined, values, 0.0).sum(axis=-1) / defined.sum(axis=-1))


def undefined_classes(truth: ArrayLike, known: ArrayLike | None = None) -> Bools:
    """Which classes have no positives or no negatives among their known records, (classes,)."""
    values = np.asarray(truth)
    positive, _, mask = checked(values, np.zeros(values.shape), known)
    return np.asarray(~((positive & mask).any(axis=0) & (~positive & mask).any(axis=0)))


@dataclass(frozen=True)
class FMax:
    """The largest record-centred F, with the shared threshold, precision and recall that give it."""

    value: float
    threshold: float
    precision: float
    recall: float


def fmax(
    truth: ArrayLike,
    scores: ArrayLike,
    thresholds: ArrayLike | None = None,
    known: ArrayLike | None = None,
) -> FMax:
    """The largest record-centred F over thresholds that all classes share.

    thresholds: the candidates, of equal maxima the lowest wins: PAPER_THRESHOLDS as in IMLE-Net's
    paper, BENCHMARK_THRESHOLDS as in the PTB-XL benchmark; None: every distinct score, of equal
    maxima the highest wins. Recall is averaged over records with at least one true label (where every
    record has one, this is the published definition; elsewhere that one is not defined).
    NaN throughout where no record has a label. Radivojac et al. 2013, doi:10.1038/nmeth.2340.
    """
    if thresholds is None:
        curve = _at_every_score(truth, scores, known)
    else:
        curve = record_centred(truth, scores, thresholds, known)
    f = curve.f[0]
    if not np.isfinite(f).any():
        return FMax(np.nan, np.nan, np.nan, np.nan)
    best = int(np.nanargmax(f))
    precision, recall = float(curve.precision[0, best]), float(curve.recall[0, best])
    return FMax(float(f[best]), float(curve.thresholds[best]), precision, recall)


def _at_every_score(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None) -> RecordCentred:
    """Record-centred precision and recall at every distinct score, from the highest down.

    Each score that is passed on the way down changes the precision and recall of its own record alone,
    so the averages over records are running sums of these changes.
    """
    positive, score_values, mask = checked(truth, scores, known)
    positive = positive & mask
    below_all = np.where(mask, score_values, -np.inf)  # what is not known is never called
    order = np.argsort(-below_all, axis=1, kind="stable")
    hits = np.take_along_axis(positive, order, axis=1)
    found = np.cumsum(hits, axis=1)
    precision = found / np.arange(1, found.shape[1] + 1)
    n_labels = positive.sum(axis=1)
    gained = np.diff(precision, axis=1, prepend=0.0)
    recalled = hits / np.maximum(n_labels, 1)[:, None]
    opened = np.zeros(found.shape)
    opened[:, 0] = 1.0

    ordered_scores = np.take_along_axis(below_all, order, axis=1).ravel()
    called = np.isfinite(ordered_scores)
    descending = np.argsort(-ordered_scores[called], kind="stable")
    passed = ordered_scores[called][descending]
    last_of_equals = np.flatnonzero(np.r_[passed[1:] != passed[:-1], True])

    def running(changes: Floats) -> Floats:
        return np.asarray(np.cumsum(changes.ravel()[called][descending])[last_of_equals])

    with np.errstate(invalid="ignore", divide="ignore"):
        mean_precision = running(gained) / running(opened)
        mean_recall = running(recalled) / (n_labels > 0).sum()
    return RecordCentred(passed[last_of_equals], mean_precision[None], mean_recall[None])
