"""Prediction sets with a stated coverage: for each class "present", "absent", both, or neither.

Split conformal prediction within each class and each truth, so that the coverage holds for those who have
a finding as well as for those who have not: Vovk, Gammerman and Shafer 2005; Vovk 2012,
doi:10.1007/s10994-013-5355-6. It holds on average over the draw of the records behind the limits and of the
new record, whatever the model, as long as new records are like those: another hospital is not. Records of
one patient are alike; where patients have many records, the coverage holds for patients only roughly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Floats, checked
from leadlight.evaluation.intervals import Estimate, proportion

if TYPE_CHECKING:
    from leadlight.classifier.calibration import FittedOn, PredictionSets


def fit_prediction_sets(
    truth: ArrayLike,
    probabilities: ArrayLike,
    known: ArrayLike | None = None,
    *,
    coverage: float = 0.9,
    fitted_on: FittedOn,
) -> PredictionSets:
    """The limits of the sets, from records that took no part in fitting the weights.

    truth, probabilities, known: (records, classes), calibrated if predictions will be; coverage: between
    0 and 1. A class with fewer than coverage / (1 - coverage) positives has "present" in every set.
    """
    from leadlight.classifier.calibration import PredictionSets

    if not 0 < coverage < 1:
        raise EvaluationError(f"coverage: found {coverage}; accepted: between 0 and 1, such as 0.9.")
    positive, values, mask = checked(truth, probabilities, known)
    present_from, absent_to = [], []
    for k, rows in enumerate(mask.T):
        shown = positive[rows, k]
        of_class = values[rows, k]
        present_from.append(_limit(of_class[shown], coverage, lower=True))
        absent_to.append(_limit(of_class[~shown], coverage, lower=False))
    return PredictionSets(
        coverage=coverage,
        fitted_on=fitted_on,
        present_from=tuple(present_from),
        absent_to=tuple(absent_to),
    )


@dataclass(frozen=True)
class SetCoverage:
    """What the sets of one class did on records with known truth.

    present, absent: of the records that show the class (and of those that do not), the share whose set
    says so, with exact intervals; uncertain, neither: the share of all records with such a set.
    """

    code: str
    positives: int
    negatives: int
    present: Estimate
    absent: Estimate
    uncertain: float
    neither: float


def measure_sets(
    sets: PredictionSets,
    truth: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    known: ArrayLike | None = None,
) -> tuple[SetCoverage, ...]:
    """How often the sets of each class hold the truth, on records that took no part in fitting the limits."""
    positive, _, mask = checked(truth, probabilities, known)
    inside = sets.sets(np.asarray(probabilities))
    found = []
    for k, code in enumerate(classes):
        rows = mask[:, k]
        shown, present, absent = positive[rows, k], inside[rows, k, 0], inside[rows, k, 1]
        n_positive, n_negative = int(shown.sum()), int((~shown).sum())
        found.append(
            SetCoverage(
                code=code,
                positives=n_positive,
                negatives=n_negative,
                present=proportion(int(present[shown].sum()), n_positive),
                absent=proportion(int(absent[~shown].sum()), n_negative),
                uncertain=float((present & absent).mean()) if len(shown) else np.nan,
                neither=float((~present & ~absent).mean()) if len(shown) else np.nan,
            )
        )
    return tuple(found)


def _limit(scores: Floats, coverage: float, *, lower: bool) -> float:
    """The limit on one side of which a new score of this kind lies with at least this probability.

    Of n + 1 exchangeable scores each rank is as likely: at or above the k-th smallest of n lies the new one
    with probability 1 - k / (n + 1) or more.
    """
    ordered = np.sort(scores) if lower else np.sort(-scores)
    # 0.1 x 10 must not be 0.9999...
    k = int(np.floor((1 - coverage) * (len(scores) + 1) + 1e-9))
    if k < 1:
        return 0.0 if lower else 1.0
    return float(ordered[k - 1] if lower else -ordered[k - 1])
