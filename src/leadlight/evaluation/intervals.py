"""How sure a metric is: 95 % percentile intervals by a bootstrap over patients.

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

    resamples: how many resamples define it and so made the interval; fewer than were drawn where a
    class lost all its positives (or negatives) in some.
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    resamples: int = 0

    def __str__(self) -> str:
        if not np.isfinite(self.value):
            return "–"
        if not np.isfinite(self.low):
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


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
    return Estimate(float(value), float(low), float(high), len(values))
