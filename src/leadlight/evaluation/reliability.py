"""Whether probabilities mean what they say: reliability, calibration error, calibration line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Bools, Floats, checked, checked_weights
from leadlight.evaluation.intervals import proportion

BINS = 15
"""Of equal width, as in Guo et al., ICML 2017 (arXiv:1706.04599)."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Of one class: bins of the predicted probability, from 0 up; empty bins are left out.

    All (bins,): edges low and high, number of records, mean probability, share of positives with its exact
    95% interval (of records, not of patients).
    """

    low_edge: Floats
    high_edge: Floats
    records: NDArray[np.int64]
    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats


def reliability(
    truth: ArrayLike,
    probabilities: ArrayLike,
    known: ArrayLike | None = None,
    bins: int = BINS,
    *,
    equal_numbers: bool = False,
) -> tuple[Reliability, ...]:
    """A reliability diagram's values for each class.

    truth, probabilities, known: (records, classes). Bins of equal width, or of equal numbers of records,
    which show what happens where a rare class's probabilities all lie near 0.
    """
    positive, values, mask = _checked(truth, probabilities, known, bins)
    found = []
    for k in range(positive.shape[1]):
        shown, given = positive[mask[:, k], k], values[mask[:, k], k]
        edges = np.linspace(0, 1, bins + 1)
        if equal_numbers and len(given):
            edges = np.unique(np.r_[0.0, np.quantile(given, edges[1:-1]), 1.0])
        place = np.clip(np.searchsorted(edges, given, side="right") - 1, 0, len(edges) - 2)
        n = np.bincount(place, minlength=len(edges) - 1)
        some = np.flatnonzero(n)
        n_positive = np.bincount(place, shown, len(edges) - 1)[some]
        shares = [proportion(int(one), int(of)) for one, of in zip(n_positive, n[some], strict=True)]
        found.append(
            Reliability(
                low_edge=edges[some],
                high_edge=edges[some + 1],
                records=n[some].astype(np.int64),
                predicted=np.bincount(place, given, len(edges) - 1)[some] / n[some],
                observed=np.array([one.value for one in shares]),
                low=np.array([one.low for one in shares]),
                high=np.array([one.high for one in shares]),
            )
        )
    return tuple(found)


def calibration_error(
    truth: ArrayLike,
    probabilities: ArrayLike,
    known: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    bins: int = BINS,
) -> Floats:
    """Expected calibration error of each class, (weightings, classes): 0 is best.

    Mean distance between the share of positives and the mean probability of a bin, weighted by the bins'
    records. Naeini et al., AAAI 2015. It is never below what chance alone makes of small bins, so resamples
    lie above the value.
    """
    positive, values, mask = _checked(truth, probabilities, known, bins)
    all_weights = checked_weights(weights, len(positive))
    result = np.empty((len(all_weights), positive.shape[1]))
    for k in range(positive.shape[1]):
        excess = np.where(mask[:, k], positive[:, k] - values[:, k], 0.0)
        result[:, k] = _binned(all_weights, excess, values[:, k], bins)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(result / (all_weights @ mask.astype(np.float64)))


def pooled_calibration_error(
    truth: ArrayLike, probabilities: ArrayLike, known: ArrayLike | None = None, bins: int = BINS
) -> float:
    """Expected calibration error of all records and classes as one pool; rare classes hide in it."""
    positive, values, mask = _checked(truth, probabilities, known, bins)
    return float(calibration_error(positive[mask][:, None], values[mask][:, None], bins=bins)[0, 0])


@dataclass(frozen=True, eq=False)
class CalibrationLine:
    """Logit of the truth as a line of the predicted logit, each (classes,); slope 1, intercept 0 are best.

    A slope below 1: probabilities too extreme. An intercept above 0: too low. NaN without positives or
    negatives, and where the class is separated, which leaves the line open.
    Cox 1958, doi:10.1093/biomet/45.3-4.562; Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7.
    """

    slope: Floats
    intercept: Floats


def calibration_line(
    truth: ArrayLike, probabilities: ArrayLike, known: ArrayLike | None = None
) -> CalibrationLine:
    """The calibration line of each class, by maximum likelihood."""
    from leadlight.evaluation.calibrating import fit_line, logits_of

    positive, values, mask = checked(truth, probabilities, known)
    lines = np.full((2, positive.shape[1]), np.nan)
    for k in range(positive.shape[1]):
        shown, logits = positive[mask[:, k], k], logits_of(values[mask[:, k], k])
        if shown.any() and not shown.all() and not _is_separated(shown, logits):
            lines[:, k] = fit_line(logits, shown.astype(np.float64))
    return CalibrationLine(*lines)


def _is_separated(positive: Bools, logits: Floats) -> bool:
    above = logits[positive].min() >= logits[~positive].max()
    return bool(above or logits[positive].max() <= logits[~positive].min())


def _binned(weights: Floats, excess: Floats, values: Floats, bins: int) -> Floats:
    """Sum over the bins of the absolute weighted excess, (weightings,)."""
    place = np.minimum(np.floor(bins * values), bins - 1).astype(np.intp)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(place[order]) > 0])
    sums = np.add.reduceat(weights[:, order] * excess[order], starts, axis=1)
    return np.asarray(np.abs(sums).sum(axis=1))


def _checked(
    truth: ArrayLike, probabilities: ArrayLike, known: ArrayLike | None, bins: int
) -> tuple[Bools, Floats, Bools]:
    positive, values, mask = checked(truth, probabilities, known)
    if values.min() < 0 or values.max() > 1:
        raise EvaluationError(
            f"probabilities: found values from {values.min():.3g} to {values.max():.3g}; accepted: 0 to 1."
        )
    if bins < 1:
        raise EvaluationError(f"bins: found {bins}; accepted: 1 or more.")
    return positive, values, mask
