"""What stands for "no signal" where a method compares a recording with something.

None is neutral. A flat line is itself an abnormal ECG; a smoothed one keeps the slow waves. So the
explanation always names its baseline.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BASELINES = ("median", "zero", "smoothed")
SMOOTHING_SHARE = 0.02
"""Standard deviation of the Gaussian, as a share of the input's length: 0.2 s of 10 s."""


def baseline_of(inputs: NDArray[np.float32], kind: str) -> NDArray[np.float32]:
    """The baseline of model inputs (windows, leads, samples), of the same shape.

    median: each lead flat at its median, near its iso-electric line; zero: zero in the model's scaled
    input; smoothed: each lead under a Gaussian too wide to leave a QRS complex.
    """
    if kind == "zero":
        return np.zeros_like(inputs)
    if kind == "median":
        flat: NDArray[np.float32] = np.broadcast_to(
            np.median(inputs, axis=2, keepdims=True), inputs.shape
        ).astype(np.float32)
        return flat
    from scipy.ndimage import gaussian_filter1d

    smooth: NDArray[np.float32] = gaussian_filter1d(
        inputs, SMOOTHING_SHARE * inputs.shape[2], axis=2, mode="nearest"
    ).astype(np.float32)
    return smooth


def describe_baseline(kind: str) -> str:
    """In words."""
    return {
        "median": "a flat line at each lead's median",
        "zero": "zero in the model's scaled input",
        "smoothed": "the lead smoothed until no QRS complex is left",
    }[kind]
