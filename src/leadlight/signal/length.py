"""Steps that bring signals to the model's length: crop what is longer, pad what is shorter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from leadlight.signal.step import Conditions, Floats, Step

Place = Literal["first", "centre", "last"]
Aggregate = Literal["mean", "max", "mean-logit"]
LARGEST_OVERLAP = 0.95
"""Twenty windows in place of one: more cost time and tell nothing new."""


@dataclass(frozen=True)
class Crop(Step):
    """Keep a part of the model's length of what is longer; what is not longer stays as it is.

    training, prediction: which part. random: drawn anew for each record in each
    epoch, every place equally likely. windows: over the whole recording, the last one
    ending with it; where one input a record is asked for (a view, an explanation), the centre.
    overlap: share of a window that the next one repeats; aggregate: how the windows become one
    answer: the mean or the largest (max) of their probabilities, or the mean of their logits.
    """

    kind: ClassVar[str] = "crop"
    training: Literal["random", "first", "centre", "last"] = "random"
    prediction: Literal["first", "centre", "last", "windows"] = "centre"
    overlap: float = 0.5
    aggregate: Aggregate = "mean"

    def __post_init__(self) -> None:
        self._need("overlap", 0, LARGEST_OVERLAP)

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        rest = signals.shape[-1] - at.n_samples
        if rest <= 0:
            return signals
        if at.starts is None:
            start = self.start(rest)
            return np.ascontiguousarray(signals[..., start : start + at.n_samples])
        parts = [one[:, start : start + at.n_samples] for one, start in zip(signals, at.starts, strict=True)]
        return np.stack(parts)

    def start(self, rest: int) -> int:
        """First sample of the part that predictions read. rest: samples beyond the model's length."""
        return _start(self.prediction, rest)

    def starts(self, rest: int, n_samples: int) -> list[int]:
        """First samples of all parts that a prediction reads; the last window ends with the recording."""
        if self.prediction != "windows" or rest <= 0:
            return [self.start(max(rest, 0))]
        stride = max(1, int(n_samples * (1 - self.overlap) + 1e-6))
        starts = list(range(0, rest + 1, stride))
        return starts if starts[-1] == rest else [*starts, rest]

    def place(self, rest: NDArray[np.int64], places: NDArray[np.float64] | None) -> NDArray[np.int64]:
        """First samples. rest: (records,), 0 or more; places: for training, uniform in [0, 1)."""
        part = self.prediction if places is None else self.training
        if places is None or part != "random":
            return np.array([_start(part, int(one)) for one in rest], dtype=np.int64)
        return np.minimum(np.floor(places * (rest + 1)).astype(np.int64), rest)

    def note(self, before: Floats, at: Conditions) -> str:
        n = before.shape[-1]
        if n <= at.n_samples:
            return ""
        start = self.start(n - at.n_samples) if at.starts is None else int(at.starts[0])
        first, last = start / at.rate, (start + at.n_samples) / at.rate
        return f"cropped to {first:g}-{last:g} s of {n / at.rate:g} s"

    def describe(self) -> str:
        prediction = {
            "first": "their first part is read",
            "centre": "their centre is read",
            "last": "their last part is read",
            "windows": f"{self.describe_aggregate()} over windows, of which each repeats "
            f"{100 * self.overlap:g}% of the one before, is taken",
        }[self.prediction]
        training = "a random part" if self.training == "random" else f"the {self.training} part"
        return f"Longer recordings: {prediction}; {training} in training."

    def describe_aggregate(self) -> str:
        """What becomes of the windows' answers, in words."""
        return {
            "mean": "the mean of the probabilities",
            "max": "the largest probability of each class",
            "mean-logit": "the mean of the logits",
        }[self.aggregate]


@dataclass(frozen=True)
class Pad(Step):
    """Fill what is shorter up to the model's length; what is not shorter stays as it is.

    place: where the filling goes; both: half before, half after (the odd sample after).
    fill: zero, edge (the nearest sample) or mean (of the lead). shortest: seconds
    below which a recording is refused.
    """

    kind: ClassVar[str] = "pad"
    place: Literal["end", "start", "both"] = "end"
    fill: Literal["zero", "edge", "mean"] = "zero"
    shortest_recording: float = 1.0

    def __post_init__(self) -> None:
        self._need("shortest_recording", 0, 3600, "s")

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        lack = at.n_samples - signals.shape[-1]
        if lack <= 0:
            return signals
        before = {"end": 0, "start": lack, "both": lack // 2}[self.place]
        result = np.zeros((*signals.shape[:-1], at.n_samples), dtype=signals.dtype)
        stop = before + signals.shape[-1]
        result[..., before:stop] = signals
        if self.fill == "edge":
            result[..., :before] = signals[..., :1]
            result[..., stop:] = signals[..., -1:]
        elif self.fill == "mean":
            means = signals.mean(axis=-1, keepdims=True, dtype=np.float64)
            result[..., :before] = means
            result[..., stop:] = means
        return result

    def shortest(self, rate: float) -> float:
        return self.shortest_recording

    def note(self, before: Floats, at: Conditions) -> str:
        lack = at.n_samples - before.shape[-1]
        return f"padded with {lack / at.rate:g} s ({self._filling()}, {self._where()})" if lack > 0 else ""

    def describe(self) -> str:
        return (
            f"Shorter recordings, down to {self.shortest_recording:g} s, are filled up {self._where()} "
            f"({self._filling()})."
        )

    def _filling(self) -> str:
        return {"zero": "zeros", "edge": "the nearest sample", "mean": "the lead's mean"}[self.fill]

    def _where(self) -> str:
        return {"end": "at the end", "start": "at the start", "both": "on both sides"}[self.place]


def _start(place: str, rest: int) -> int:
    return {"first": 0, "last": rest}.get(place, rest // 2)
