"""Where QRS complexes begin and end: where all leads together start to move and come to rest.

What electrocardiographs call spatial velocity: the slope of every lead, in multiples of its usual slope, and
the root mean square of these over the leads. It is low between P wave and QRS complex, whatever the complex
looks like in one lead. A complex lasts for as long as it stays above a share of its height.

A delineator of single leads takes the last dip before R for the Q wave. Where a lead has no Q wave, this dip
lies between P and QRS, and the onset with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GRID = 500.0
"""Hz at which the velocity is sampled: boundaries fall between the samples of a slow recording."""
SHARE = 0.08
"""Of the velocity's height above its lowest level nearby."""
HALF_STEP = 0.01
"""Seconds: slopes are taken over twice this, one period of 50 Hz, which is thereby left out."""
AT_REST = 0.024
"""Seconds for which the velocity must stay low: a notch is shorter."""
BEFORE, AFTER = 0.16, 0.20
NEAR = 0.06
"""Seconds around the R peak within which the velocity is highest."""
ALIKE = 0.9
"""Correlation with the median beat from which a beat looks like the others."""
APART = 0.015
"""Seconds from where the others begin or end."""
_SMALLEST_STEP = 0.002  # millivolts: a lead at rest is not taken for a moving one


def qrs_boundaries(signals: Sequence[Floats], rate: float, r_peaks: Floats) -> Floats:
    """Onset and end of the QRS complex of each beat in seconds: (beats, 2), NaN where neither is seen.

    signals: of leads, without gaps, in millivolts, at this rate in Hz; r_peaks: (beats,) seconds. Where a
    beat looks like the others and begins or ends elsewhere, that is noise: it gets the place of the others.
    """
    velocity = spatial_velocity(signals, rate)
    edges = np.array([_edges(velocity, peak) for peak in r_peaks]).reshape(-1, 2)
    lags, alike = _alignment(velocity, r_peaks)
    centres = (r_peaks + lags)[:, np.newaxis]
    offsets = edges - centres
    for column in range(2):
        known = alike & np.isfinite(offsets[:, column])
        if known.sum() < 3:
            continue
        usual = np.median(offsets[known, column])
        far = ~(np.abs(offsets[:, column] - usual) <= APART)
        offsets[alike & far, column] = usual
    return offsets + centres


def spatial_velocity(signals: Sequence[Floats], rate: float) -> Floats:
    """Root mean square over the leads of their slopes, each in multiples of its median, at GRID Hz."""
    from scipy.interpolate import make_interp_spline

    times = np.arange(len(signals[0])) / rate
    grid = np.arange(0.0, times[-1], 1 / GRID)
    squares = np.zeros(len(grid))
    for signal in signals:
        spline = make_interp_spline(times, signal, k=3)
        earlier, later = np.clip(grid - HALF_STEP, 0, None), np.clip(grid + HALF_STEP, None, times[-1])
        steps = spline(later) - spline(earlier)
        squares += (steps / max(float(np.median(np.abs(steps))), _SMALLEST_STEP)) ** 2
    return np.asarray(np.sqrt(squares / len(signals)))


def _edges(velocity: Floats, peak: float) -> tuple[float, float]:
    """Onset and end in seconds of the complex around an R peak; NaN for what is not seen."""
    place, near = round(peak * GRID), round(NEAR * GRID)
    first, last = max(0, place - round(BEFORE * GRID)), min(len(velocity), place + round(AFTER * GRID))
    start = max(first, place - near)
    around = velocity[start : min(last, place + near + 1)]
    if not len(around):
        return np.nan, np.nan
    top = start + int(np.argmax(around))
    before, after = _rest(velocity[first : top + 1][::-1]), _rest(velocity[top:last])
    return (top - before) / GRID, (top + after) / GRID


def _rest(falling: Floats) -> float:
    """Samples from the top to where the velocity comes to rest; NaN where it does not."""
    floor = falling.min()
    high = falling >= floor + SHARE * (falling[0] - floor)
    ends = np.append(np.flatnonzero(high), len(falling))
    quiet = np.flatnonzero(np.diff(ends) > AT_REST * GRID)
    return float(ends[quiet[0]] + 1) if len(quiet) else np.nan


def _alignment(velocity: Floats, r_peaks: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """By how many seconds each beat is late against the median beat, and whether it looks like it."""
    half, most = round(0.12 * GRID), round(0.04 * GRID)
    padded = np.pad(velocity, half + most, mode="edge")
    places = np.clip(np.round(r_peaks * GRID).astype(int), 0, len(velocity) - 1) + half + most
    windows = padded[places[:, np.newaxis] + np.arange(-half - most, half + most + 1)]
    pattern = np.median(windows[:, most:-most], axis=0)
    pattern -= pattern.mean()
    lags, likeness = np.zeros(len(r_peaks)), np.zeros(len(r_peaks))
    for beat, window in enumerate(windows):
        shifted = np.lib.stride_tricks.sliding_window_view(window, len(pattern))
        deviations = shifted - shifted.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(deviations, axis=1) * np.linalg.norm(pattern)
        correlations = deviations @ pattern / np.maximum(norms, 1e-12)
        best = int(correlations.argmax())
        lags[beat], likeness[beat] = (best - most) / GRID, correlations[best]
    return lags, likeness >= ALIKE
