"""How sure a metric is: 95% percentile intervals by a bootstrap over patients.

Patients are drawn with replacement, each with all of its records, since records of one patient are
alike. A resample is kept as a weight for each record, so that all resamples are measured in one pass
(`ranking`, `counting`). Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Floats

LEVEL = 0.95


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


def resample_patients(patients: ArrayLike, resamples: int = 1000, seed: int = 0) -> Floats:
    """How often each resample draws each record, (resamples, records).

    patients: (records,), whose each record is. As many patients are drawn as there are, with
    replacement; a record counts as often as its patient was drawn. The same seed, the same resamples.
    """
    names = np.asarray(patients)
    if names.ndim != 1 or len(names) == 0:
        raise EvaluationError(f"patients {names.shape}: one name or number for each record is needed.")
    if resamples < 1:
        raise EvaluationError(f"resamples: found {resamples}; accepted: 1 or more (1,000 is usual).")
    _, patient_of_record = np.unique(names, return_inverse=True)
    n_patients = int(patient_of_record.max()) + 1
    draws = np.random.default_rng(seed).integers(n_patients, size=(resamples, n_patients))
    times_drawn = np.empty((resamples, n_patients))
    for row, drawn in enumerate(draws):
        times_drawn[row] = np.bincount(drawn, minlength=n_patients)
    return times_drawn[:, patient_of_record]


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
