"""The step that brings signals to the model's rate: in our form, and in those of published systems."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from leadlight.errors import ContractError
from leadlight.signal.resample import DESCRIPTION, ratio, resample
from leadlight.signal.step import Conditions, Floats, Step, refuse_missing

Method = Literal["polyphase", "scipy-polyphase", "fft", "halve-or-fft"]
"""polyphase: ours, ``leadlight.signal.resample``. scipy-polyphase: SciPy's ``resample_poly`` with its own
Kaiser window (beta 5) and zeros beyond the ends. fft: SciPy's ``resample``, which takes the signal for
periodic and rings at both ends. halve-or-fft: scipy-polyphase to half the rate, fft to any other, as
published for ResUNet-LC and ISIBrno-AIMT."""


@dataclass(frozen=True)
class Resample(Step):
    """Bring signals to the model's sampling rate; where they come from, ``starting_rate`` says."""

    kind: ClassVar[str] = "resample"
    method: Method = "polyphase"

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        if at.rate == at.new_rate:
            return signals
        if not self.length(signals.shape[-1], at):
            raise ContractError(f"length: found {signals.shape[-1]} samples; accepted: enough for a new one.")
        if self.method == "polyphase":
            # Record by record: a matrix product of another size rounds in another way.
            single = np.asarray(signals, dtype=np.float32)
            return np.stack([resample(one, at.rate, at.new_rate) for one in single])
        refuse_missing(signals, at, f"the step {self.kind} would spread them")
        from scipy.signal import resample as by_fft
        from scipy.signal import resample_poly

        double = np.asarray(signals, dtype=np.float64)
        if self._is_polyphase(at):
            up, down = ratio(at.rate, at.new_rate)
            new = resample_poly(double, up, down, axis=-1)
        else:
            length = self.length(signals.shape[-1], at)
            new = np.stack([by_fft(one, length, axis=-1) for one in double])
        return np.ascontiguousarray(new)

    def length(self, n_samples: int, at: Conditions) -> int:
        """Samples that come out of so many."""
        if at.rate == at.new_rate:
            return n_samples
        if self.method == "polyphase":
            up, down = ratio(at.rate, at.new_rate)
            return round(n_samples * up / down)
        if self._is_polyphase(at):
            up, down = ratio(at.rate, at.new_rate)
            return -(-n_samples * up // down)
        return math.floor(n_samples * at.new_rate / at.rate)

    def _is_polyphase(self, at: Conditions) -> bool:
        halves = at.rate == 2 * at.new_rate
        return self.method == "scipy-polyphase" or (self.method == "halve-or-fft" and halves)

    def note(self, before: Floats, at: Conditions) -> str:
        how = "" if self.method == "polyphase" else f" ({self.method})"
        return "" if at.rate == at.new_rate else f"resampled from {at.rate:g} to {at.new_rate:g} Hz{how}"

    def describe(self) -> str:
        words = {
            "polyphase": DESCRIPTION,
            "scipy-polyphase": "SciPy's polyphase form, zeros beyond the ends",
            "fft": "by Fourier transform",
            "halve-or-fft": "SciPy's polyphase form to half the rate, else by Fourier transform",
        }
        return f"Resampling to the model's rate: {words[self.method]}."
