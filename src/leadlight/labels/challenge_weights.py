"""The Challenge 2021's table of what one answer is worth where another is right."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import LabelError
from leadlight.labels.rows import rows
from leadlight.labels.tables import space

FILE = "challenge/weights-2021.csv"


@cache
def challenge_weights() -> NDArray[np.float64]:
    """Weights of the Challenge 2021 metric, (labels, answers), classes as in ``space("challenge-2021")``.

    Symmetric, 1 on the diagonal. Source: the Challenge's evaluation code
    (physionetchallenges/evaluation-2021, BSD-2-Clause); Reyna et al. 2021,
    doi:10.23919/CinC53138.2021.9662687. The file states each pair once.
    """
    classes = space("challenge-2021")
    weights = np.full((len(classes), len(classes)), np.nan)
    for row in rows(FILE):
        one, other = classes.index(row["label"]), classes.index(row["answer"])
        weights[one, other] = weights[other, one] = float(row["weight"])
    if np.isnan(weights).any():
        raise LabelError(f"{FILE}: found pairs of classes without a weight; accepted: every pair once.")
    weights.flags.writeable = False
    return weights
