"""Calibrators, fitted on the validation fold, for the contract (``leadlight.classifier.calibration``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import ArrayLike

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Bools, Floats, checked

if TYPE_CHECKING:
    from leadlight.classifier.calibration import Calibration, FittedOn, Isotonic, Logistic, Method

FEWEST_FOR_PLATT = 5
"""Positives, and negatives, below which a class is left as it is."""
FEWEST_FOR_ISOTONIC = 50
"""Positives, and negatives, below which a class gets a line: a curve would follow chance."""
# float32 probabilities end here; a logit of exactly 0 or 1 has no number.
_SMALLEST, _LARGEST = 1e-30, 1 - 2.0**-25


def fit_calibration(
    truth: ArrayLike,
    probabilities: ArrayLike,
    known: ArrayLike | None = None,
    *,
    method: Method = "platt",
    fitted_on: FittedOn,
) -> Calibration:
    """A calibrator of a model's probabilities.

    truth, probabilities, known: (records, classes) of records that took no part in fitting the weights.
    "temperature": one factor for the logits of all classes, by likelihood (Guo et al. 2017,
    arXiv:1706.04599). "platt": slope and intercept for each class, with Platt's smoothed truth, which keeps
    a separated class finite (Platt 1999; Lin et al. 2007, doi:10.1007/s10994-007-5018-6). "isotonic": a
    rising curve for each class (Zadrozny and Elkan 2002, doi:10.1145/775047.775151) that ends half a record
    before 0 and 1. With fewer than FEWEST_FOR_ISOTONIC positives or negatives it is "platt", with fewer
    than FEWEST_FOR_PLATT, and where the best line falls, the class is left as it is.
    """
    from leadlight.classifier.calibration import Calibration, Logistic, Method

    if method not in get_args(Method):
        raise EvaluationError(f"method: found {method!r}; accepted: {', '.join(get_args(Method))}.")
    positive, values, mask = checked(truth, probabilities, known)
    maps: list[Logistic | Isotonic | None]
    if method == "temperature":
        slope = _fit_temperature(positive[mask], logits_of(values[mask]))
        maps = [Logistic(slope=slope, intercept=0.0) for _ in range(positive.shape[1])]
    else:
        maps = [
            _fit_class(positive[rows, k], values[rows, k], method)
            for k, rows in enumerate(mask.T)
        ]  # fmt: skip
    return Calibration(method=method, fitted_on=fitted_on, maps=tuple(maps))


def cross_calibrated(
    truth: ArrayLike,
    probabilities: ArrayLike,
    patients: ArrayLike,
    known: ArrayLike | None = None,
    *,
    method: Method = "platt",
    parts: int = 5,
    seed: int = 0,
) -> Floats:
    """Calibrated probabilities (records, classes), each by a calibrator that has not seen its patient.

    For measuring what a calibrator does on the very records that the final one is fitted on. Patients
    are dealt into ``parts``.
    """
    from leadlight.classifier.calibration import FittedOn

    positive, values, mask = checked(truth, probabilities, known)
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    n_patients = int(patient.max()) + 1
    if not 2 <= parts <= n_patients:
        raise EvaluationError(f"parts: found {parts} of {n_patients} patients; accepted: 2 to {n_patients}.")
    part = np.random.default_rng(seed).permutation(np.arange(n_patients) % parts)[patient]
    nowhere = FittedOn(dataset="cross-fitting", version="", folds=(), n_records=0)
    result = np.empty(values.shape)
    for number in range(parts):
        held = part == number
        fitted = fit_calibration(
            positive[~held], values[~held], mask[~held], method=method, fitted_on=nowhere
        )
        result[held] = fitted.probabilities(logits_of(values[held]))
    return result


def left_as_they_are(calibration: Calibration, codes: Sequence[str]) -> tuple[str, ...]:
    """Codes of the classes that the calibrator does not change."""
    return tuple(code for code, one in zip(codes, calibration.maps, strict=True) if one is None)


def logits_of(probabilities: ArrayLike) -> Floats:
    """Logits of probabilities; 0 and 1 are taken as the nearest numbers that have one."""
    values = np.clip(np.asarray(probabilities, dtype=np.float64), _SMALLEST, _LARGEST)
    return np.asarray(np.log(values) - np.log1p(-values))


def fit_line(logits: Floats, targets: Floats) -> tuple[float, float]:
    """(slope, intercept) of the logistic line with the largest likelihood of targets in 0 to 1."""
    from scipy.optimize import minimize
    from scipy.special import expit

    # On centred logits of unit spread the two numbers hardly depend on each other.
    centre, spread = float(logits.mean()), float(logits.std()) or 1.0
    given = (logits - centre) / spread

    def loss(line: Floats) -> tuple[float, Floats]:
        z = line[0] * given + line[1]
        distance = expit(z) - targets
        value = (np.logaddexp(0, z) - targets * z).mean()
        return float(value), np.array([(distance * given).mean(), distance.mean()])

    share = np.clip(targets.mean(), 1e-6, 1 - 1e-6)
    start = np.array([0.0, np.log(share / (1 - share))])
    slope, intercept = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9}).x
    return float(slope / spread), float(intercept - slope * centre / spread)


def _fit_temperature(positive: Bools, logits: Floats) -> float:
    """1 / temperature."""
    from scipy.optimize import minimize_scalar

    def loss(log_slope: float) -> float:
        z = np.exp(log_slope) * logits
        return float((np.logaddexp(0, z) - positive * z).mean())

    found = minimize_scalar(
        loss, bounds=(np.log(0.01), np.log(100)), method="bounded", options={"xatol": 1e-8}
    )
    return float(np.exp(found.x))


def _fit_class(positive: Bools, probabilities: Floats, method: str) -> Logistic | Isotonic | None:
    from leadlight.classifier.calibration import Logistic

    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if min(n_positive, n_negative) < FEWEST_FOR_PLATT:
        return None
    if method == "isotonic" and min(n_positive, n_negative) >= FEWEST_FOR_ISOTONIC:
        return _fit_isotonic(positive, probabilities)
    targets = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    slope, intercept = fit_line(logits_of(probabilities), targets)
    return Logistic(slope=slope, intercept=intercept) if slope > 0 else None


def _fit_isotonic(positive: Bools, probabilities: Floats) -> Isotonic:
    from sklearn.isotonic import IsotonicRegression

    from leadlight.classifier.calibration import Isotonic

    fitted = IsotonicRegression(out_of_bounds="clip").fit(probabilities, positive.astype(np.float64))
    half = 0.5 / len(positive)
    return Isotonic(
        probabilities=tuple(fitted.X_thresholds_.tolist()),
        calibrated=tuple(np.clip(fitted.y_thresholds_, half, 1 - half).tolist()),
    )
