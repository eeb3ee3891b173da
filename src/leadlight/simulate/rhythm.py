"""When the heart beats: sinus rhythm with breathing and slow waves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RATES: dict[str, tuple[float, float]] = {"SBRAD": (42.0, 58.5), "STACH": (101.5, 135.0)}
"""Lowest and highest rate a minute of the rhythms that their rate defines (criteria table)."""


def beat_times(
    rng: np.random.Generator, rate: float, start: float, stop: float, breathing: float, arrhythmia: bool
) -> Array:
    """QRS onsets in seconds from start to stop.

    rate: mean, a minute; breathing: Hz; arrhythmia: sinus arrhythmia (PP varies by more than 120 ms).
    The intervals swing with breathing and with the 0.1 Hz (Mayer) wave, LF/HF 0.5, as in
    McSharry et al. 2003; the spread is that of short recordings (Nunan 2010, SDNN about 50 ms).
    """
    mean = 60.0 / rate
    spread = rng.uniform(0.015, 0.04) * mean
    if arrhythmia:
        spread = 0.0
    fast, slow = spread * np.sqrt(2 * 2 / 3), spread * np.sqrt(2 / 3)
    if arrhythmia:
        fast, slow = rng.uniform(0.075, 0.14) * mean, 0.01 * mean
    phase_fast, phase_slow = rng.uniform(0, 2 * np.pi, 2)
    times = [start]
    while times[-1] < stop:
        t = times[-1]
        interval = (
            mean
            + fast * np.sin(2 * np.pi * breathing * t + phase_fast)
            + slow * np.sin(2 * np.pi * 0.1 * t + phase_slow)
            + rng.normal(0, 0.004)
        )
        times.append(t + max(interval, 0.3))
    return np.array(times)
