"""Gaussian waves in three dimensions, of which a beat is the sum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

QRS_INSTANTS: Array = np.arange(1, 10) / 10
"""The shares of the QRS duration at which a QRS shape states its vector."""

_QRS_WIDTH = 0.07
_QRS_GRID = np.arange(-1, 12) / 10
# Weights of the Gaussians that pass through given values at the instants and through zero at the
# onset, at the end and one step outside.
_QRS_WEIGHTS = np.linalg.inv(np.exp(-((_QRS_GRID[:, None] - _QRS_GRID[None, :]) ** 2) / (2 * _QRS_WIDTH**2)))[
    :, 2:-2
]


@dataclass(frozen=True)
class Waves:
    """A sum of Gaussian waves.

    centre: (waves,) seconds; rise, fall: (waves,) widths (standard deviations) in seconds before
    and after the centre; vector: (3, waves) peak in mV along X, Y, Z.
    """

    centre: Array
    rise: Array
    fall: Array
    vector: Array

    def dipole(self, times: Array) -> Array:
        """The dipole (3, ...) in mV at these times (...) in seconds."""
        distance = times[..., None] - self.centre
        width = np.where(distance < 0, self.rise, self.fall)
        total: Array = np.moveaxis(np.exp(-0.5 * (distance / width) ** 2) @ self.vector.T, -1, 0)
        return total

    def __add__(self, other: Waves) -> Waves:
        return Waves(
            np.concatenate([self.centre, other.centre]),
            np.concatenate([self.rise, other.rise]),
            np.concatenate([self.fall, other.fall]),
            np.concatenate([self.vector, other.vector], axis=1),
        )


def wave(centre: float, rise: float, fall: float, vector: Array) -> Waves:
    """One wave; rise and fall are its widths in seconds, vector (3,) its peak in mV."""
    return Waves(np.array([centre]), np.array([rise]), np.array([fall]), np.asarray(vector, float)[:, None])


def qrs_waves(vectors: Array, duration: float) -> Waves:
    """A QRS from 0 to duration (seconds) that passes through these vectors (3, 9) at ``QRS_INSTANTS``."""
    width = np.full(len(_QRS_GRID), _QRS_WIDTH * duration)
    return Waves(_QRS_GRID * duration, width, width, vectors @ _QRS_WEIGHTS.T)


def plateau(start: float, bend: float, stop: float, first: Array, last: Array) -> Waves:
    """A level with soft ends: one vector (3,) at start, another at bend, and on to nothing at stop.

    start, bend, stop: seconds.
    """
    width = 0.018
    centres = np.arange(start + width, max(stop, start + 2.5 * width), width)
    # A row of Gaussians one width apart adds up to sqrt(2 pi).
    along = np.stack(
        [np.interp(centres, [start, bend, stop], [a, b, 0.0]) for a, b in zip(first, last, strict=True)]
    )
    widths = np.full(len(centres), width)
    return Waves(centres, widths, widths, along / np.sqrt(2 * np.pi))
