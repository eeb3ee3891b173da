"""The steps between a recording and what a model eats, as data.

One ``Preprocessing`` serves training, evaluation and prediction. It is stored
in the recipe and, with its fitted numbers, in the model folder's contract.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ContractError
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.signal.resample import resample_recording


@dataclass(frozen=True)
class Preprocessing:
    """How a recording becomes model input.

    leads: rows of the input, in this order; sampling_rate: Hz, other rates are
    resampled; n_samples: length of the input; mean, scale: millivolts, one pair
    for everything: input = (signal - mean) / scale.
    """

    leads: tuple[str, ...] = STANDARD_LEADS
    sampling_rate: float = 100.0
    n_samples: int = 1000
    mean: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "leads", tuple(self.leads))
        for name in ("sampling_rate", "n_samples", "scale"):
            if not getattr(self, name) > 0:
                raise ContractError(f"preprocessing.{name}: found {getattr(self, name)}; accepted: above 0.")

    @property
    def duration(self) -> float:
        """Length of the model input in seconds."""
        return self.n_samples / self.sampling_rate

    def view(self, recording: Recording) -> Recording:
        """The recording as the model sees it, still in millivolts: its leads, its rate, its length.

        Raises ContractError, naming the call that mends it, for leads that are
        not there, for another length, and for missing samples.
        """
        absent = [lead for lead in self.leads if lead not in recording.leads]
        if absent:
            raise ContractError(
                f"leads: found {', '.join(recording.leads)}; the model needs {', '.join(self.leads)} "
                f"({', '.join(absent)} missing). leadlight.read derives III, aVR, aVL and aVF from I and II; "
                "other leads cannot be derived: use a model trained without them."
            )
        if np.isinf(recording.signal).any():
            raise ContractError("signal: found infinite samples; accepted: millivolts, with NaN for missing.")
        selected = recording if recording.leads == self.leads else recording.select(self.leads)
        resampled = resample_recording(selected, self.sampling_rate)
        if resampled.n_samples < self.n_samples:
            raise ContractError(
                f"length: found {recording.duration:g} s; the model needs {self.duration:g} s. "
                "A shorter recording cannot be used with this model: nothing is invented to fill it."
            )
        if resampled.n_samples > self.n_samples:
            raise ContractError(
                f"length: found {recording.duration:g} s; the model reads {self.duration:g} s. "
                f"Choose the part: recording.crop(0, {self.duration:g}), "
                'or predict(recording, longer="windows") for the mean over the whole recording.'
            )
        if resampled.n_missing:
            gaps = ", ".join(f"{lead} {count}" for lead, count in resampled.missing.items())
            raise ContractError(
                f"signal: found missing samples ({gaps}); the model accepts none. "
                "leadlight.signal.interpolate_gaps(recording, longest=0.1) fills short gaps and says so."
            )
        return resampled

    def scaled(self, signals: NDArray[Any]) -> NDArray[np.float32]:
        """Millivolts, (..., leads, samples), to model input, float32."""
        mean, scale = np.float32(self.mean), np.float32(self.scale)
        result: NDArray[np.float32] = (np.asarray(signals, dtype=np.float32) - mean) / scale
        return result

    def apply(self, recording: Recording) -> NDArray[np.float32]:
        """Model input for one recording: (leads, samples) float32. Raises as ``view`` does."""
        return self.scaled(self.view(recording).signal)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON and TOML."""
        return {**asdict(self), "leads": list(self.leads)}


def fit_scaling(signals: Iterable[NDArray[Any]]) -> tuple[float, float]:
    """One mean and one population standard deviation (mV) over every value of every array.

    signals: arrays of any shape in millivolts, one pass, constant memory.
    The scaling of IMLE-Net (doi:10.1109/SMC52423.2021.9658706) and of the PTB-XL
    benchmark (doi:10.1109/JBHI.2020.3022989).
    """
    count, mean, squares = 0, 0.0, 0.0
    for array in signals:
        values = np.asarray(array, dtype=np.float64)
        here = values.size
        if not here:
            continue
        # Chan, Golub & LeVeque's pairwise update: exact enough for 10^9 values.
        batch_mean = float(values.mean())
        delta = batch_mean - mean
        squares += float(np.square(values - batch_mean).sum()) + delta * delta * count * here / (count + here)
        count += here
        mean += delta * here / count
    if count == 0:
        raise ContractError("fit_scaling: found no samples; accepted: at least one training record.")
    return mean, float(np.sqrt(squares / count))
