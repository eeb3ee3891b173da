"""What the functions of this room accept: truth, scores and a mask, all of one shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.errors import EvaluationError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def checked(
    truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None
) -> tuple[Bools, Floats, Bools]:
    """Truth and mask as booleans, scores as float64, all (records, classes).

    float32 scores are promoted before they are compared with anything: 0.3 stored as float32 is
    0.30000001 and passes a threshold of 0.3; 0.7 is 0.69999999 and does not pass 0.7.
    Raises EvaluationError for other shapes, for truth other than 0 and 1 and for scores that are not finite.
    """
    truth_values = np.asarray(truth)
    score_values = np.asarray(scores, dtype=np.float64)
    if truth_values.ndim != 2 or truth_values.shape != score_values.shape or 0 in truth_values.shape:
        raise EvaluationError(
            f"truth {truth_values.shape} and scores {score_values.shape}: both must be (records, classes), "
            "the same and not empty. For one class, use truth[:, None] and scores[:, None]."
        )
    if not np.isin(truth_values, (0, 1)).all():
        raise EvaluationError(
            "truth: only 0 and 1 are accepted; say what is not known with the mask `known`."
        )
    if not np.isfinite(score_values).all():
        n_bad = int((~np.isfinite(score_values)).any(axis=1).sum())
        raise EvaluationError(
            f"scores: {n_bad} of {len(score_values)} records have a score that is NaN or infinite; finite "
            "numbers are needed. Look for missing samples in these records (Store.signals keeps them as NaN)."
        )
    if known is None:
        return truth_values.astype(bool), score_values, np.ones(truth_values.shape, dtype=bool)
    mask = np.asarray(known)
    if mask.shape != truth_values.shape:
        raise EvaluationError(f"known {mask.shape}: must have the shape of truth, {truth_values.shape}.")
    return truth_values.astype(bool), score_values, mask.astype(bool)


def checked_thresholds(thresholds: ArrayLike, n_classes: int) -> Floats:
    """One threshold for each class, (classes,) float64; a single number serves all classes. NaN: none."""
    values = np.asarray(thresholds, dtype=np.float64)
    if values.ndim == 0:
        return np.full(n_classes, float(values))
    if values.shape != (n_classes,):
        raise EvaluationError(f"thresholds {values.shape}: one number or ({n_classes},), one for each class.")
    return values


def checked_weights(weights: ArrayLike | None, n_records: int) -> Floats:
    """Record weights (weightings, records), float64; None is one weighting with every record once."""
    if weights is None:
        return np.ones((1, n_records))
    values = np.asarray(weights, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != n_records:
        raise EvaluationError(
            f"weights {values.shape}: must be (weightings, {n_records}), one for each record."
        )
    return values
