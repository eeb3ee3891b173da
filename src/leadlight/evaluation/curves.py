"""What figures of an evaluation show: curves with bands over resampled patients, calls, label counts.

Bands are pointwise: at each place of the grid 95% of the resamples lie within. They say how far the curve
depends on the patients that were drawn, not where a whole curve would lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.evaluation.arrays import Bools, Floats, checked, checked_thresholds
from leadlight.evaluation.counting import count
from leadlight.evaluation.intervals import LEVEL, Estimate, Resamples
from leadlight.evaluation.reliability import calibration_error, reliability

if TYPE_CHECKING:
    from leadlight.figures import Bins, Calls, Curve, ThresholdCurves

GRID = np.linspace(0, 1, 101)
BAND_RESAMPLES = 300
"""Enough for a band's edges to the width of its line."""
FEWEST_RESAMPLES = 20
BINS_DRAWN = 10
"""Fewer than those behind the calibration error: each point is to be read by itself."""


@dataclass(frozen=True, eq=False)
class _Points:
    """The steps of one class from the highest score down, under each weighting: (weightings, steps)."""

    scores: Floats
    true_positive: Floats
    false_positive: Floats

    @classmethod
    def of(cls, positive: Bools, scores: Floats, weights: Floats) -> _Points:
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        ends = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
        shown = positive[order]
        drawn = weights[:, order]
        return cls(
            ordered[ends],
            np.cumsum(drawn * shown, axis=1)[:, ends],
            np.cumsum(drawn * ~shown, axis=1)[:, ends],
        )


def roc_curves(
    truth: ArrayLike,
    scores: ArrayLike,
    classes: Sequence[str],
    *,
    patients: ArrayLike,
    known: ArrayLike | None = None,
    thresholds: ArrayLike = np.nan,
    areas: Sequence[Estimate] | None = None,
    resamples: int = BAND_RESAMPLES,
    seed: int = 0,
) -> tuple[Curve, ...]:
    """The ROC curve of each class, with its band and the point at its threshold.

    truth, scores, known: (records, classes); areas: ROC-AUC with intervals, as an evaluation has them.
    """
    return _curves(
        truth, scores, classes, patients, known, thresholds, areas, resamples, seed, precision=False
    )


def precision_recall_curves(
    truth: ArrayLike,
    scores: ArrayLike,
    classes: Sequence[str],
    *,
    patients: ArrayLike,
    known: ArrayLike | None = None,
    thresholds: ArrayLike = np.nan,
    areas: Sequence[Estimate] | None = None,
    resamples: int = BAND_RESAMPLES,
    seed: int = 0,
) -> tuple[Curve, ...]:
    """The precision-recall curve of each class in steps, as average precision sums it up.

    areas: average precision with intervals.
    """
    return _curves(
        truth, scores, classes, patients, known, thresholds, areas, resamples, seed, precision=True
    )


def _curves(
    truth: ArrayLike,
    scores: ArrayLike,
    classes: Sequence[str],
    patients: ArrayLike,
    known: ArrayLike | None,
    thresholds: ArrayLike,
    areas: Sequence[Estimate] | None,
    resamples: int,
    seed: int,
    *,
    precision: bool,
) -> tuple[Curve, ...]:
    from leadlight.evaluation.metrics import average_precision, roc_auc
    from leadlight.figures import Curve

    positive, values, mask = checked(truth, scores, known)
    limits = checked_thresholds(thresholds, positive.shape[1])
    drawn = Resamples(patients, resamples, seed)
    if areas is None:
        plain = (average_precision if precision else roc_auc)(positive, values, mask)
        areas = [Estimate(float(one)) for one in plain]
    nothing = np.zeros(0)
    found = []
    for k, name in enumerate(classes):
        rows = mask[:, k]
        shown, of_class = positive[rows, k], values[rows, k]
        n_positive, n = int(shown.sum()), int(rows.sum())
        x, y, low, high, grid, at = nothing, nothing, nothing, nothing, nothing, None
        if 0 < n_positive < n:
            weights, _ = drawn.of_class((positive & mask)[:, k])
            steps = _Points.of(shown, of_class, np.concatenate([np.ones((1, n)), weights[:, rows]]))
            columns = _precision_recall(steps) if precision else _roc(steps)
            x, y = _thinned(columns[0][0], columns[1][0])
            on_grid = _on_grid(columns[0][1:], columns[1][1:], steps=precision)
            if len(on_grid) >= FEWEST_RESAMPLES:
                grid = GRID
                low, high = np.quantile(on_grid, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
            at = _at(shown, of_class, float(limits[k]), precision=precision)
        area = areas[k]
        found.append(Curve(name, x, y, grid, low, high, area.value, area.low, area.high, n_positive, n, at))
    return tuple(found)


def _roc(steps: _Points) -> tuple[Floats, Floats]:
    """(1 - specificity, sensitivity) under each weighting, from (0, 0) to (1, 1)."""
    zeros = np.zeros((len(steps.true_positive), 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity = steps.true_positive / steps.true_positive[:, -1:]
        false_rate = steps.false_positive / steps.false_positive[:, -1:]
    return np.hstack([zeros, false_rate]), np.hstack([zeros, sensitivity])


def _precision_recall(steps: _Points) -> tuple[Floats, Floats]:
    """(recall, precision) under each weighting; precision begins as it is at the first step."""
    called = steps.true_positive + steps.false_positive
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = steps.true_positive / steps.true_positive[:, -1:]
        precision = np.where(called > 0, steps.true_positive / called, np.nan)
    # Steps that a resample did not draw call nothing yet.
    first = precision[np.arange(len(precision)), (called > 0).argmax(axis=1)]
    precision = np.where(called > 0, precision, first[:, None])
    return np.hstack([np.zeros((len(recall), 1)), recall]), np.hstack([precision[:, :1], precision])


def _on_grid(x: Floats, y: Floats, *, steps: bool) -> Floats:
    """y of each weighting at the places of GRID, (weightings, grid); weightings without a curve are left out.

    steps: the value at the first point that reaches the place, as average precision takes it; else lines.
    """
    found = []
    for across, up in zip(x, y, strict=True):
        if not (np.isfinite(across).all() and np.isfinite(up).all()):
            continue
        if steps:
            place = np.minimum(np.searchsorted(across, GRID, side="left"), len(across) - 1)
            found.append(up[place])
        else:
            found.append(np.interp(GRID, across, up))
    return np.array(found).reshape(-1, len(GRID))


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The same line without points that lie between others on one straight line along an axis."""
    if len(x) < 3:
        return x, y
    along_x = (y[1:-1] == y[:-2]) & (y[1:-1] == y[2:])
    along_y = (x[1:-1] == x[:-2]) & (x[1:-1] == x[2:])
    kept = np.r_[True, ~(along_x | along_y), True]
    return x[kept], y[kept]


def _at(shown: Bools, scores: Floats, threshold: float, *, precision: bool) -> tuple[float, float] | None:
    if not np.isfinite(threshold):
        return None
    called = scores >= threshold
    sensitivity = float(called[shown].mean())
    if not precision:
        return float(called[~shown].mean()), sensitivity
    return (sensitivity, float(shown[called].mean())) if called.any() else None


def threshold_curves(
    truth: ArrayLike,
    scores: ArrayLike,
    classes: Sequence[str],
    thresholds: ArrayLike,
    *,
    known: ArrayLike | None = None,
    low: Sequence[float | None] = (),
    high: Sequence[float | None] = (),
) -> tuple[ThresholdCurves, ...]:
    """Sensitivity, specificity, precision and F1 of each class at thresholds from 0 to 1.

    low, high: intervals of the thresholds, as a contract has them; () for none.
    """
    from leadlight.figures import ThresholdCurves

    positive, values, mask = checked(truth, scores, known)
    limits = checked_thresholds(thresholds, positive.shape[1])
    at = [count(positive, values, float(one), mask) for one in GRID]
    columns = {
        "sensitivity": np.stack([one.recall[0] for one in at]),
        "specificity": np.stack([one.specificity[0] for one in at]),
        "precision (PPV)": np.stack([np.where(one.positives[0] > 0, one.ppv[0], np.nan) for one in at]),
        "F1": np.stack([one.f1[0] for one in at]),
    }

    def edge(edges: Sequence[float | None], k: int) -> float:
        value = edges[k] if len(edges) else None
        return np.nan if value is None else float(value)

    return tuple(
        ThresholdCurves(
            name, GRID, {key: column[:, k] for key, column in columns.items()}, float(limits[k]),
            edge(low, k), edge(high, k),
        )
        for k, name in enumerate(classes)
    )  # fmt: skip


def calls_of(
    truth: ArrayLike,
    scores: ArrayLike,
    classes: Sequence[str],
    thresholds: ArrayLike,
    known: ArrayLike | None = None,
) -> tuple[Calls, ...]:
    """Right and wrong calls of each class that has a threshold."""
    from leadlight.figures import Calls

    counts = count(truth, scores, thresholds, known)
    columns = (counts.true_positive, counts.false_negative, counts.false_positive, counts.true_negative)
    return tuple(
        Calls(name, *(int(column[0, k]) for column in columns))
        for k, name in enumerate(classes)
        if np.isfinite(counts.true_positive[0, k])
    )


def reliability_bins(
    truth: ArrayLike, probabilities: ArrayLike, classes: Sequence[str], known: ArrayLike | None = None
) -> tuple[Bins, ...]:
    """A reliability diagram's bins of each class, with its calibration error."""
    from leadlight.figures import Bins

    positive, values, mask = checked(truth, probabilities, known)
    errors = calibration_error(positive, values, mask)[0]
    found = reliability(positive, values, mask, BINS_DRAWN)
    return tuple(
        Bins(
            name, one.low_edge, one.high_edge, one.predicted, one.observed, one.low, one.high, one.records,
            int((positive & mask)[:, k].sum()), float(errors[k]),
        )
        for k, (name, one) in enumerate(zip(classes, found, strict=True))
    )  # fmt: skip


def cooccurrences(truth: ArrayLike, known: ArrayLike | None = None) -> NDArray[np.int64]:
    """Records that show both labels, (classes, classes); on the diagonal, records that show the one."""
    positive = np.asarray(truth, dtype=bool)
    if known is not None:
        positive = positive & np.asarray(known, dtype=bool)
    shown = positive.astype(np.int64)
    return shown.T @ shown
