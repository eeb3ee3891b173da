"""Zero padding: samples at either end of a record that are exactly zero in every lead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def zero_padding(samples: NDArray[Any]) -> tuple[int, int]:
    """How many samples at the start and at the end are zero in all leads.

    samples: (leads, samples), counts or any unit. Zeros between other samples are not
    counted: they may be a true isoelectric line. A record of zeros alone is all padding:
    (samples, 0).
    """
    n_samples = samples.shape[1]
    # Most records have none: two columns tell.
    if n_samples and samples[:, 0].any() and samples[:, -1].any():
        return 0, 0
    filled = np.flatnonzero(samples.any(axis=0))
    if not filled.size:
        return n_samples, 0
    return int(filled[0]), n_samples - 1 - int(filled[-1])


def padding_note(before: int, after: int) -> str:
    """What a recording's notes say of padding that was taken off."""
    return f"zero padding removed: {before:,} samples before, {after:,} after"
