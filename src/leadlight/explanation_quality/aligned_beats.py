"""Beats aligned at their R peaks: windows of a signal or a map, and their mean over a recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import EvaluationError
from leadlight.explanation_quality.regions import is_early

Floats = NDArray[np.float64]
BEATS = ("regular", "early", "all")
"""Which beats: those that do not come early, those that do, or both."""


@dataclass(frozen=True)
class Window:
    """Seconds before and after the R peak."""

    before: float = 0.3
    after: float = 0.5

    def __post_init__(self) -> None:
        if not (0 < self.before <= 2 and 0 < self.after <= 2):
            raise EvaluationError(
                f"window: found {self.before:g} and {self.after:g} s; accepted: above 0 to 2 s on each side."
            )

    def offsets(self, sampling_rate: float) -> NDArray[np.int64]:
        """Samples from the R peak: (times,)."""
        return np.arange(-round(self.before * sampling_rate), round(self.after * sampling_rate) + 1)


def chosen_peaks(r_peaks: Floats, which: str) -> Floats:
    """R peaks in seconds of the beats that are asked for; which: of BEATS."""
    if which == "all":
        return r_peaks
    early = is_early(r_peaks)
    return r_peaks[early if which == "early" else ~early]


def mean_beat(
    values: NDArray[np.floating], r_peaks: Floats, window: Window, sampling_rate: float
) -> tuple[Floats, int]:
    """Mean over the beats of (leads, samples): (leads, times), and how many lie wholly within the recording.

    NaN where none does. A missing sample is left out of its mean.
    """
    offsets = window.offsets(sampling_rate)
    places = np.round(r_peaks * sampling_rate).astype(int)
    places = places[(places + offsets[0] >= 0) & (places + offsets[-1] < values.shape[1])]
    if not len(places):
        return np.full((len(values), len(offsets)), np.nan), 0
    beats = np.asarray(values, dtype=np.float64)[:, places[:, np.newaxis] + offsets]
    known = np.isfinite(beats)
    total = np.where(known, beats, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean, len(places)
