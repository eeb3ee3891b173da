"""Rates and lengths along the steps of a preprocessing: known before any signal is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ContractError
from leadlight.signal.length import Crop, Pad
from leadlight.signal.resampling import Resample
from leadlight.signal.step import Conditions, Step

_Kind = TypeVar("_Kind", bound=Step)


@dataclass(frozen=True)
class Plan:
    """Steps on the way to leads at a sampling rate (Hz) and of a length. Rates given to its methods are
    those of the signals that reach the first step, unless they say otherwise."""

    leads: tuple[str, ...]
    steps: tuple[Step, ...]
    sampling_rate: float
    n_samples: int

    def find(self, kind: type[_Kind]) -> tuple[int, _Kind] | None:
        """Place and value of the only step of a kind."""
        return next(((place, step) for place, step in enumerate(self.steps) if isinstance(step, kind)), None)

    def conditions(self, rate: float, starts: NDArray[np.int64] | None = None) -> Conditions:
        """For a step that signals reach at this rate."""
        return Conditions(self.leads, rate, self.sampling_rate, self._length_at(rate), starts)

    def rate_at(self, place: int, rate: float) -> float:
        """Rate (Hz) of the signals that reach the step at this place."""
        resample = self.find(Resample)
        return self.sampling_rate if resample is not None and resample[0] < place else rate

    def length_after(self, length: int, rate: float, stop: int | None = None) -> int:
        """Samples that are left of a recording after the steps before ``stop``."""
        for step in self.steps[:stop]:
            at = self.conditions(rate)
            if isinstance(step, Crop):
                length = min(length, at.n_samples)
            elif isinstance(step, Pad):
                length = max(length, at.n_samples)
            elif isinstance(step, Resample):
                length, rate = step.length(length, at), self.sampling_rate
        return length

    def length_problem(self, n_samples: int, rate: float) -> str:
        """Why a recording of so many samples cannot be used; "" where it can."""
        found, wanted = n_samples / rate, self.n_samples / self.sampling_rate
        for place, step in enumerate(self.steps):
            here = self.rate_at(place, rate)
            needed = step.shortest(here)
            if self.length_after(n_samples, rate, place) < needed * here - 1e-6:
                return (
                    f"length: found {found:g} s; the step {step.kind} needs at least {needed:.3g} s. "
                    "A shorter recording cannot be used with this model."
                )
        length = self.length_after(n_samples, rate)
        if length < self.n_samples:
            return (
                f"length: found {found:g} s; the model needs {wanted:g} s. "
                "A shorter recording cannot be used with this model: nothing is invented to fill it."
            )
        if length > self.n_samples:
            return (
                f"length: found {found:g} s; the model reads {wanted:g} s. "
                f"Choose the part: recording.crop(0, {wanted:g}), "
                'or predict(recording, longer="windows") for the mean over the whole recording.'
            )
        return ""

    def check(self, first_rate: float | None) -> None:
        """Raise ContractError for steps that contradict each other, or the rate at which they stand."""
        for kind in (Resample, Crop, Pad):
            places = [place for place, step in enumerate(self.steps) if isinstance(step, kind)]
            if len(places) > 1:
                raise ContractError(
                    f"preprocessing.steps[{places[1]}]: found a second step {kind.kind}; accepted: one."
                )
        if first_rate is None:
            return
        for place, step in enumerate(self.steps):
            here = self.rate_at(place, first_rate)
            try:
                step.check(here)
            except ContractError as error:
                raise ContractError(f"preprocessing.steps[{place}], {error}") from None
            if isinstance(step, Crop | Pad) and not self._reaches(here):
                raise ContractError(
                    f"preprocessing.steps[{place}]: {step.kind} stands before resample, but no number of "
                    f"samples at {here:g} Hz becomes {self.n_samples} at {self.sampling_rate:g} Hz. "
                    "Put it after resample."
                )

    def _reaches(self, rate: float) -> bool:
        resample = self.find(Resample)
        if rate == self.sampling_rate or resample is None:
            return True
        return resample[1].length(self._length_at(rate), self.conditions(rate)) == self.n_samples

    def _length_at(self, rate: float) -> int:
        """Samples at this rate that become the model's length, or nearly, where none become it exactly."""
        resample = self.find(Resample)
        if rate == self.sampling_rate or resample is None:
            return self.n_samples
        at = Conditions(self.leads, rate, self.sampling_rate, 0)
        nearest = round(self.n_samples * rate / self.sampling_rate)
        for length in (nearest, nearest + 1, nearest - 1):
            if resample[1].length(length, at) == self.n_samples:
                return length
        return nearest
