"""How sure a metric is: 95% percentile intervals by a bootstrap over patients.

Patients are drawn with replacement, each with all of its records, since records of one patient are
alike. A resample is kept as a weight for each record, so that all resamples are measured in one pass
(`ranking`, `counting`). Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Floats

LEVEL = 0.95
RARE_PATIENTS = 20
"""A class that fewer patients show (or fewer lack) is resampled within those who do and those who do not."""

_DRAWS_AT_ONCE = 2**18


@dataclass(frozen=True)
class Estimate:
    """A metric with its interval. NaN where it is not defined.

    mean: over the resamples; far from the value where drawing twice itself moves the metric (average
    precision of rare classes goes up). resamples: how many define the metric and so made the interval;
    fewer than were drawn where a class lost all its positives (or negatives) in some.
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    mean: float = np.nan
    resamples: int = 0

    @property
    def is_shifted(self) -> bool:
        """Whether the resamples lie to one side of the value, by more than a quarter of the interval."""
        return abs(self.mean - self.value) > (self.high - self.low) / 4

    def __str__(self) -> str:
        if not np.isfinite(self.low):
            return self.format_value()
        return f"{self.format_value()} ({self.format_interval()})"

    def format_value(self) -> str:
        """The value to three decimals; a dash where it is not defined."""
        return f"{self.value:.3f}" if np.isfinite(self.value) else "–"

    def format_interval(self) -> str:
        """ "0.912–0.931"; a dash where there is none."""
        return f"{self.low:.3f}–{self.high:.3f}" if np.isfinite(self.low) else "–"


def resample_patients(
    patients: ArrayLike, resamples: int = 1000, seed: int = 0, strata: ArrayLike | None = None
) -> Floats:
    """How often each resample draws each record, (resamples, records).

    patients: (records,), whose each record is. As many patients are drawn as there are, with
    replacement; a record counts as often as its patient was drawn. The same seed, the same resamples.
    strata: (records,) numbers, such as the truth of a rare class: patients of one stratum (the largest
    number among a patient's records) are drawn among themselves, so that each resample has as many.
    """
    names = np.asarray(patients)
    if names.ndim != 1 or len(names) == 0:
        raise EvaluationError(f"patients {names.shape}: one name or number for each record is needed.")
    if resamples < 1:
        raise EvaluationError(f"resamples: found {resamples}; accepted: 1 or more (1,000 is usual).")
    _, patient_of_record = np.unique(names, return_inverse=True)
    n_patients = int(patient_of_record.max()) + 1
    rng = np.random.default_rng(seed)
    if strata is None:
        return _times_drawn(rng, resamples, n_patients)[:, patient_of_record]
    of_record = np.asarray(strata)
    if of_record.shape != names.shape:
        raise EvaluationError(f"strata {of_record.shape}: accepted: {names.shape}, one for each record.")
    stratum = np.full(n_patients, -np.inf)
    np.maximum.at(stratum, patient_of_record, of_record.astype(np.float64))
    times_drawn = np.empty((resamples, n_patients))
    for one in np.unique(stratum):
        members = np.flatnonzero(stratum == one)
        times_drawn[:, members] = _times_drawn(rng, resamples, len(members))
    return times_drawn[:, patient_of_record]


def _times_drawn(rng: np.random.Generator, resamples: int, n: int) -> Floats:
    """How often each of n is drawn in n draws with replacement, (resamples, n)."""
    times = np.empty((resamples, n))
    at_once = max(1, _DRAWS_AT_ONCE // n)
    for first in range(0, resamples, at_once):
        rows = times[first : first + at_once]
        draws = rng.integers(n, size=rows.shape) + n * np.arange(len(rows))[:, None]
        rows[:] = np.bincount(draws.ravel(), minlength=rows.size).reshape(rows.shape)
    return times


class Resamples:
    """The resamples of an evaluation, and of each of its classes; drawn when first asked for."""

    def __init__(self, patients: ArrayLike, resamples: int = 1000, seed: int = 0) -> None:
        self.patients = np.unique(np.asarray(patients), return_inverse=True)[1]
        self.resamples, self.seed = resamples, seed

    @cached_property
    def weights(self) -> Floats:
        """How often each resample draws each record, (resamples, records)."""
        return resample_patients(self.patients, self.resamples, self.seed)

    def of_class(self, positive: ArrayLike) -> tuple[Floats, bool]:
        """Those for one class, and whether they are stratified.

        positive: (records,), known positives. Plain resamples of a rare class lose its positives, or
        double them, by chance of the draw alone. Stratified ones have as many positive patients each.
        """
        shown = np.asarray(positive, dtype=bool)
        n_patients = int(self.patients.max()) + 1
        n_positive = len(np.unique(self.patients[shown]))
        is_rare = 0 < min(n_positive, n_patients - n_positive) < RARE_PATIENTS
        if not is_rare:
            return self.weights, False
        return resample_patients(self.patients, self.resamples, self.seed, strata=shown), True


def proportion(successes: int, n: int, level: float = LEVEL) -> Estimate:
    """A share of independent cases with its exact interval; NaN of none.

    Clopper and Pearson, Biometrika 1934, doi:10.1093/biomet/26.4.404: it covers at least as often as it
    says, and has a width where all cases, or none, succeed and a bootstrap has none.
    """
    from scipy.special import betaincinv

    if not 0 <= successes <= n:
        raise EvaluationError(f"successes: found {successes} of {n}; accepted: 0 to {n}.")
    if n == 0:
        return Estimate(np.nan)
    outside = (1 - level) / 2
    low = float(betaincinv(successes, n - successes + 1, outside)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - outside)) if successes < n else 1.0
    return Estimate(successes / n, low, high)


def bootstrap_p(differences: ArrayLike) -> float:
    """Two-sided p-value of paired resampled differences: how often they fall on the other side of 0.

    2 (1 + smaller of the numbers at or below and at or above 0) / (1 + resamples), at most 1: never 0, as
    no number of resamples can show it to be. NaN without defined resamples.
    """
    values = np.asarray(differences, dtype=np.float64)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return float("nan")
    fewer = min(int((values <= 0).sum()), int((values >= 0).sum()))
    return min(1.0, 2 * (1 + fewer) / (1 + len(values)))


def holm(p_values: ArrayLike) -> Floats:
    """p-values corrected for their number, in the same order; NaN stays NaN and is not counted.

    Holm, Scandinavian Journal of Statistics 1979: below 5% in all, however the tests hang together.
    """
    values = np.asarray(p_values, dtype=np.float64)
    result = np.full(values.shape, np.nan)
    defined = np.flatnonzero(np.isfinite(values))
    ordered = defined[np.argsort(values[defined], kind="stable")]
    factors = np.arange(len(ordered), 0, -1)
    result[ordered] = np.minimum(1.0, np.maximum.accumulate(values[ordered] * factors))
    return result


def estimate(value: float, resampled: ArrayLike, level: float = LEVEL) -> Estimate:
    """The value on all records with the percentile interval over its resamples.

    resampled: (resamples,), NaN where a resample does not define the metric: these are left out and
    not counted. Percentiles by linear interpolation.
    """
    values = np.asarray(resampled, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not np.isfinite(value) or len(values) == 0:
        return Estimate(float(value))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(value), float(low), float(high), float(values.mean()), len(values))
