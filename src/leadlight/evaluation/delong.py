"""ROC-AUC with its analytic error, for one model and for several on the same records.

DeLong, DeLong and Clarke-Pearson, Biometrics 1988, doi:10.2307/2531595; for records that share patients
Obuchowski, Biometrics 1997, doi:10.2307/2533958, which is the same where every record has its own patient.
Midranks as in Sun and Xu, IEEE Signal Processing Letters 2014, doi:10.1109/LSP.2014.2337313.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Bools, Floats, checked
from leadlight.evaluation.intervals import LEVEL, Estimate


@dataclass(frozen=True, eq=False)
class DeLong:
    """ROC-AUCs of one class by several models, (models,), and their covariance, (models, models).

    NaN: an AUC without positives or without negatives; a covariance where fewer than two patients have
    a positive, or a negative.
    """

    auc: Floats
    covariance: Floats

    def estimate(self, model: int = 0, level: float = LEVEL) -> Estimate:
        """AUC -+ z errors, cut at 0 and 1. No interval where nothing varies, as with perfect separation."""
        value, variance = float(self.auc[model]), float(self.covariance[model, model])
        if not variance > 0:
            return Estimate(value)
        reach = _z(level) * float(np.sqrt(variance))
        return Estimate(value, max(0.0, value - reach), min(1.0, value + reach))

    def difference(self, one: int = 0, other: int = 1, level: float = LEVEL) -> tuple[Estimate, float]:
        """AUC of one model minus that of another, with its interval, and the two-sided p-value.

        p is 1 where both always rank alike; NaN where the error is not defined.
        """
        from scipy.special import ndtr

        value = float(self.auc[one] - self.auc[other])
        covariance = self.covariance
        variance = float(covariance[one, one] + covariance[other, other] - 2 * covariance[one, other])
        # What is left of equal numbers by rounding is no variance.
        if not variance > 1e-14:
            return Estimate(value), 1.0 if variance == variance and abs(value) < 1e-12 else np.nan
        error = float(np.sqrt(variance))
        reach = _z(level) * error
        p = 2 * float(ndtr(-abs(value) / error))
        return Estimate(value, value - reach, value + reach), p


def delong(
    truth: ArrayLike,
    scores: ArrayLike,
    known: ArrayLike | None = None,
    patients: ArrayLike | None = None,
) -> DeLong:
    """AUC and covariance of several models on one class.

    truth, known: (records,); scores: (models, records), or (records,) for one model; patients: (records,),
    whose each record is; None: each its own.
    """
    values = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    truths = np.asarray(truth)
    if truths.ndim != 1 or values.ndim != 2 or values.shape[1] != len(truths):
        raise EvaluationError(
            f"truth {truths.shape}, scores {values.shape}: accepted: (records,) and (models, records)."
        )
    spread = np.repeat(truths[:, None], len(values), axis=1)
    mask = None if known is None else np.repeat(np.asarray(known)[:, None], len(values), axis=1)
    positive, checked_scores, all_known = checked(spread, values.T, mask)
    rows = all_known[:, 0]
    names = np.arange(len(truths)) if patients is None else np.asarray(patients)
    if names.shape != truths.shape:
        raise EvaluationError(f"patients {names.shape}: accepted: {truths.shape}, one for each record.")
    _, patient = np.unique(names[rows], return_inverse=True)
    return _delong(positive[rows, 0], checked_scores[rows].T, patient)


def _delong(positive: Bools, scores: Floats, patient: np.ndarray) -> DeLong:
    n_models, n_positive, n_negative = len(scores), int(positive.sum()), int((~positive).sum())
    nothing = np.full((n_models, n_models), np.nan)
    if not n_positive or not n_negative:
        return DeLong(np.full(n_models, np.nan), nothing)
    won, kept = _placements(positive, scores)
    auc = won.mean(axis=1)
    # Sums of each patient's placements, less what the AUC would let expect: (models, patients).
    n_patients = int(patient.max()) + 1
    of_positives = _by_patient(won - auc[:, None], patient[positive], n_patients)
    of_negatives = _by_patient(kept - auc[:, None], patient[~positive], n_patients)
    with_positive = len(np.unique(patient[positive]))
    with_negative = len(np.unique(patient[~positive]))
    if with_positive < 2 or with_negative < 2:
        return DeLong(auc, nothing)
    s10 = with_positive / (with_positive - 1) * of_positives @ of_positives.T / n_positive**2
    s01 = with_negative / (with_negative - 1) * of_negatives @ of_negatives.T / n_negative**2
    s11 = n_patients / (n_patients - 1) * of_positives @ of_negatives.T / (n_positive * n_negative)
    return DeLong(auc, s10 + s01 + s11 + s11.T)


def _placements(positive: Bools, scores: Floats) -> tuple[Floats, Floats]:
    """For each positive the share of negatives below it, for each negative that of positives above it."""
    from scipy.stats import rankdata

    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    ranks = rankdata(scores, axis=1)
    among_positives = rankdata(scores[:, positive], axis=1)
    among_negatives = rankdata(scores[:, ~positive], axis=1)
    won = (ranks[:, positive] - among_positives) / n_negative
    kept = 1 - (ranks[:, ~positive] - among_negatives) / n_positive
    return np.asarray(won), np.asarray(kept)


def _by_patient(values: Floats, patient: np.ndarray, n_patients: int) -> Floats:
    return np.stack([np.bincount(patient, row, n_patients) for row in values])


def _z(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))
