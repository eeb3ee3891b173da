"""What the electrodes add: baseline wander, mains hum, muscle and motion.

Noise belongs to electrodes, not to leads: it is made for right arm, left arm, left leg and the six
chest electrodes, so that the leads keep Einthoven's and Goldberger's relations with it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ELECTRODES = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")


@dataclass(frozen=True)
class NoiseLevels:
    """How much of each noise, in mV root mean square at an electrode; bursts, motions: how many."""

    baseline: float
    breathing: float
    mains: float
    muscle: float
    bursts: int
    motions: int

    def to_dict(self) -> dict[str, float]:
        """As a plain dictionary."""
        return asdict(self)


NO_NOISE = NoiseLevels(0, 0, 0, 0, 0, 0)


def draw_levels(rng: np.random.Generator) -> NoiseLevels:
    """Levels of one recording; log-normal, the published defaults lie in the upper tail.

    Published: baseline 0.15 mV and muscle 0.01 mV root mean square (simECG's defaults), breathing
    0.15 mV (McSharry et al. 2003). The medians here bring the spectra near PTB-XL's
    (benchmarks/results/simulator.md).
    """
    return NoiseLevels(
        baseline=float(min(0.020 * np.exp(rng.normal(0, 0.8)), 0.15)),
        breathing=float(min(0.012 * np.exp(rng.normal(0, 0.7)), 0.10)),
        mains=float(min(0.0012 * np.exp(rng.normal(0, 1.1)), 0.03)),
        muscle=float(min(0.006 * np.exp(rng.normal(0, 0.6)), 0.05)),
        bursts=int(rng.random() < 0.06),
        motions=int(rng.random() < 0.08),
    )


def electrode_noise(
    rng: np.random.Generator, levels: NoiseLevels, n_samples: int, rate: float, breathing: float
) -> Array:
    """Noise of the nine electrodes, (9, samples) in mV.

    rate: Hz; breathing: Hz, the frequency of the respiratory part of the baseline.
    """
    n = len(ELECTRODES)
    times = np.arange(n_samples) / rate
    spectrum_of = np.fft.rfftfreq(n_samples, 1 / rate)
    white = rng.standard_normal((n, 2, len(spectrum_of)))
    waves = white[:, 0] + 1j * white[:, 1]
    # Muscle: nearly flat between 25 and 120 Hz; the shape was chosen beside PTB-XL's spectra.
    muscle = (
        waves * (spectrum_of / 25) / np.sqrt(1 + (spectrum_of / 25) ** 2) / (1 + (spectrum_of / 120) ** 4)
    )
    # Drift: falls with frequency up to half a hertz, nothing below 0.05 Hz.
    drift = (
        waves
        * np.where(spectrum_of > 0.05, (0.1 / np.maximum(spectrum_of, 0.05)) ** 1.5, 0)
        / (1 + (spectrum_of / 0.6) ** 4)
    )
    noise = levels.muscle * _unit(np.fft.irfft(muscle, n_samples)) * np.exp(rng.normal(0, 0.3, (n, 1)))
    for _ in range(levels.bursts):
        centre, width = rng.uniform(0, times[-1]), rng.uniform(0.2, 1.0)
        here = np.exp(-0.5 * ((times - centre) / width) ** 2)
        noise *= 1 + rng.uniform(3, 8) * (rng.random((n, 1)) < 0.4) * here
    noise += levels.baseline * _unit(np.fft.irfft(drift, n_samples)) * np.exp(rng.normal(0, 0.4, (n, 1)))
    swing = np.sin(2 * np.pi * breathing * times + rng.uniform(0, 2 * np.pi))
    noise += levels.breathing * np.sqrt(2) * swing * rng.normal(0, 1, (n, 1))
    hum = 2 * np.pi * rng.uniform(49.8, 50.2) * times + rng.uniform(0, 2 * np.pi)
    mains = np.sin(hum) + 0.2 * np.sin(3 * hum + 1.0)
    noise += levels.mains * np.sqrt(2) * mains * rng.normal(0, 1, (n, 1))
    for _ in range(levels.motions):
        noise[rng.integers(n)] += _motion(rng, times)
    return noise


def _motion(rng: np.random.Generator, times: Array) -> Array:
    """One electrode jumps and creeps back."""
    begin, height = rng.uniform(0, times[-1]), rng.choice([-1, 1]) * rng.uniform(0.2, 0.8)
    after = np.maximum(times - begin, 0)
    rise = 1 - np.exp(-after / rng.uniform(0.02, 0.1))
    jump: Array = height * rise * np.exp(-after / rng.uniform(0.3, 1.0))
    return jump


def _unit(rows: Array) -> Array:
    scaled: Array = rows / np.maximum(rows.std(axis=-1, keepdims=True), 1e-12)
    return scaled


def leads_of_electrodes(potential: Array) -> Array:
    """I, II, V1 ... V6 (8, samples) from RA, LA, LL, V1 ... V6 (9, samples), against Wilson's terminal."""
    right, left, foot = potential[:3]
    terminal = (right + left + foot) / 3
    return np.vstack([left - right, foot - right, potential[3:] - terminal])
