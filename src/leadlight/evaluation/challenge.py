"""The score of the PhysioNet/Computing in Cardiology Challenge 2021, and its F-measure.

Reyna et al. 2021, doi:10.23919/CinC53138.2021.9662687.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Floats, checked, checked_thresholds, checked_weights
from leadlight.evaluation.counting import count
from leadlight.labels import space
from leadlight.labels.challenge_weights import challenge_weights

SPACE = "challenge-2021"
_SINUS_RHYTHM = "NSR"


def has_challenge_score(classes: Sequence[str]) -> bool:
    """Whether these are the 26 classes of the Challenge, in its order."""
    return tuple(classes) == space(SPACE).codes


def challenge_score(
    truth: ArrayLike,
    scores: ArrayLike,
    thresholds: ArrayLike = 0.5,
    known: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Floats:
    """The Challenge 2021 metric of calls (score >= threshold), (weightings,): 1 is best, it can be negative.

    truth, scores, known: (records, 26), classes as in ``space("challenge-2021")``. Every pair of a label
    and a call earns the Challenge's weight of that answer, divided by how many classes are either.
    0 is what "sinus rhythm" for everybody earns, 1 what the labels themselves earn; 0 where the two are
    the same. Classes that are not known for a record are neither label nor call there.
    Raises EvaluationError for another number of classes.
    """
    positive, values, mask = checked(truth, scores, known)
    table = challenge_weights()
    if positive.shape[1] != len(table):
        raise EvaluationError(
            f"classes: found {positive.shape[1]}; accepted: the {len(table)} of {SPACE}, in their order."
        )
    all_weights = checked_weights(weights, len(positive))
    labels = positive & mask
    calls = (values >= checked_thresholds(thresholds, len(table))) & mask
    sinus_rhythm = np.zeros_like(mask)
    sinus_rhythm[:, space(SPACE).index(_SINUS_RHYTHM)] = True

    def earned(answers: np.ndarray) -> Floats:
        """What the answers earn, summed over the records: (weightings,)."""
        either = np.maximum((labels | answers).sum(axis=1), 1)
        pairs = ((labels @ table) * answers).sum(axis=1)
        return np.asarray(all_weights @ (pairs / either))

    inactive, best = earned(sinus_rhythm & mask), earned(labels)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(best == inactive, 0.0, (earned(calls) - inactive) / (best - inactive))


def challenge_f_measure(
    truth: ArrayLike, scores: ArrayLike, thresholds: ArrayLike = 0.5, known: ArrayLike | None = None
) -> Floats:
    """F1 of each class as the Challenge takes it, (classes,): 0 where a class without positives is called.

    NaN where a class has neither positives nor calls. ResUNet-LC takes it so, too; ``f1`` leaves out
    every class without positives.
    """
    counts = count(truth, scores, thresholds, known)
    calls_and_positives = counts.positives + counts.called
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((2 * counts.true_positive / calls_and_positives)[0])
