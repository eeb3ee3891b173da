"""Filters that shift nothing in time: band-pass, high-pass, low-pass, notch, moving-median baseline.

Butterworth filters run forwards and backwards in double precision, so that no
wave moves; the response is that of the design squared: -6 dB at the cut-off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ContractError
from leadlight.signal.step import Conditions, Floats, ParameterError, Step, refuse_missing

Form = Literal["sections", "coefficients"]
"""How a filter is computed.

sections: second-order sections; the ends are continued by their mirror image
for two periods of the lowest cut-off (or as long as the signal is), so that a
QRS complex at the very start does not shift the baseline. coefficients: as many
published scripts do: one transfer function, SciPy's ``filtfilt`` with its own odd
continuation of three times the filter's length. Less exact at low cut-offs.
"""

PERIODS_OF_PADDING = 2
SHARE_OF_PERIOD = 0.25
"""Of the lowest cut-off's period (of a notch's ringing), that a signal must last: 0.5 s for 0.5 Hz."""
LARGEST_ORDER = 10
LARGEST_FREQUENCY = 10_000.0


@lru_cache(maxsize=64)
def _design(band: str, edges: tuple[float, ...], order: int, rate: float, form: str) -> NDArray[np.float64]:
    from scipy.signal import butter

    wanted = edges[0] if len(edges) == 1 else edges
    output = "sos" if form == "sections" else "ba"
    # Sections, or (2, coefficients): b and a.
    designed = np.array(butter(order, wanted, band, fs=rate, output=output))  # type: ignore[call-overload]
    designed.flags.writeable = False
    return designed


@lru_cache(maxsize=64)
def _notch(frequency: float, quality: float, rate: float, form: str) -> NDArray[np.float64]:
    from scipy.signal import iirnotch, tf2sos

    b, a = iirnotch(frequency, quality, fs=rate)
    designed = np.asarray(tf2sos(b, a)) if form == "sections" else np.stack([b, a])
    designed.flags.writeable = False
    return designed


class _ZeroPhase(Step):
    """A filter that runs forwards and backwards."""

    form: Form

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        from scipy.signal import filtfilt, sosfiltfilt

        self.check(at.rate)
        refuse_missing(signals, at, f"the step {self.kind} would spread them")
        designed = self._designed(at.rate)
        n = signals.shape[-1]
        if self.form == "sections":
            padding = min(n - 1, round(self._settling() * at.rate))
            # SciPy wants an array that it could write to.
            filtered = sosfiltfilt(designed.copy(), signals, axis=-1, padtype="even", padlen=padding)
        else:
            padding = 3 * designed.shape[1]
            if n <= padding:
                raise ContractError(
                    f"signal: found {n} samples; the step {self.kind} needs more than {padding}."
                )
            filtered = filtfilt(designed[0], designed[1], signals, axis=-1)
        # Running backwards leaves a view with a negative stride.
        return np.ascontiguousarray(filtered)

    def check(self, rate: float) -> None:
        for name, frequency in self._frequencies():
            if frequency >= rate / 2:
                raise ParameterError(
                    self.kind,
                    name,
                    f"found {frequency:g} Hz at a sampling rate of {rate:g} Hz; accepted: below {rate / 2:g} "
                    "Hz. Filter before resampling (starting_rate and the step resample), or leave it out: "
                    "a lower rate holds no higher frequency.",
                )

    def shortest(self, rate: float) -> float:
        shortest = SHARE_OF_PERIOD * self._settling() / PERIODS_OF_PADDING
        if self.form == "coefficients":
            shortest = max(shortest, (3 * self._designed(rate).shape[1] + 1) / rate)
        return shortest

    def note(self, before: Floats, at: Conditions) -> str:
        return f"filtered: {self._words()}"

    def describe(self) -> str:
        form = ", as one transfer function" if self.form == "coefficients" else ""
        words = self._words()
        return f"{words[0].upper()}{words[1:]}, run forwards and backwards{form}."

    def _settling(self) -> float:
        """Seconds by which the ends are continued."""
        raise NotImplementedError

    def _frequencies(self) -> Iterator[tuple[str, float]]:
        raise NotImplementedError

    def _designed(self, rate: float) -> NDArray[np.float64]:
        raise NotImplementedError

    def _words(self) -> str:
        raise NotImplementedError


class _OneEdge(_ZeroPhase):
    """A Butterworth filter with one cutoff; kind says on which side of it signals pass."""

    cutoff: float
    order: int
    form: Form

    def __post_init__(self) -> None:
        self._need("cutoff", 0.001, LARGEST_FREQUENCY, "Hz")
        self._need("order", 1, LARGEST_ORDER)

    def _settling(self) -> float:
        return PERIODS_OF_PADDING / self.cutoff

    def _frequencies(self) -> Iterator[tuple[str, float]]:
        yield "cutoff", self.cutoff

    def _designed(self, rate: float) -> NDArray[np.float64]:
        return _design(self.kind.replace("-", ""), (self.cutoff,), self.order, rate, self.form)

    def _words(self) -> str:
        return f"{self.kind} {self.cutoff:g} Hz, Butterworth of order {self.order}"


@dataclass(frozen=True)
class HighPass(_OneEdge):
    """Butterworth high-pass against baseline wander. cutoff: Hz; order: of each of two runs."""

    kind: ClassVar[str] = "high-pass"
    cutoff: float = 0.5
    order: int = 2
    form: Form = "sections"


@dataclass(frozen=True)
class LowPass(_OneEdge):
    """Butterworth low-pass against muscle noise. cutoff: Hz; order: of each of two runs."""

    kind: ClassVar[str] = "low-pass"
    cutoff: float = 40.0
    order: int = 4
    form: Form = "sections"


@dataclass(frozen=True)
class BandPass(_ZeroPhase):
    """Butterworth band-pass. low, high: Hz; order: of the design, as SciPy counts it (each edge has it)."""

    kind: ClassVar[str] = "band-pass"
    low: float = 0.5
    high: float = 40.0
    order: int = 3
    form: Form = "sections"

    def __post_init__(self) -> None:
        self._need("low", 0.001, LARGEST_FREQUENCY, "Hz")
        self._need("high", 0.001, LARGEST_FREQUENCY, "Hz")
        self._need("order", 1, LARGEST_ORDER)
        if self.low >= self.high:
            self._refuse("low", f"below high, {self.high:g} Hz")

    def _settling(self) -> float:
        return PERIODS_OF_PADDING / self.low

    def _frequencies(self) -> Iterator[tuple[str, float]]:
        yield "low", self.low
        yield "high", self.high

    def _designed(self, rate: float) -> NDArray[np.float64]:
        return _design("bandpass", (self.low, self.high), self.order, rate, self.form)

    def _words(self) -> str:
        return f"band-pass {self.low:g}-{self.high:g} Hz, Butterworth of order {self.order}"


@dataclass(frozen=True)
class Notch(_ZeroPhase):
    """Second-order notch against mains interference. frequency: Hz (50, 60 in the Americas); quality: its Q.

    The notch is frequency / quality wide; a higher Q is narrower and rings longer.
    """

    kind: ClassVar[str] = "notch"
    frequency: float = 50.0
    quality: float = 30.0
    form: Form = "sections"

    def __post_init__(self) -> None:
        self._need("frequency", 0.001, LARGEST_FREQUENCY, "Hz")
        self._need("quality", 0.1, 1000)

    def _settling(self) -> float:
        return PERIODS_OF_PADDING * self.quality / self.frequency

    def _frequencies(self) -> Iterator[tuple[str, float]]:
        yield "frequency", self.frequency

    def _designed(self, rate: float) -> NDArray[np.float64]:
        return _notch(self.frequency, self.quality, rate, self.form)

    def _words(self) -> str:
        return f"notch {self.frequency:g} Hz, Q {self.quality:g}"


@dataclass(frozen=True)
class MedianBaseline(Step):
    """Subtract a baseline from moving medians, one after the other.

    windows: seconds; the first takes out QRS complexes and P waves, the second T
    waves (de Chazal et al. 2004, doi:10.1109/TBME.2004.827359: 0.2 and 0.6 s).
    """

    kind: ClassVar[str] = "median-baseline"
    windows: tuple[float, ...] = (0.2, 0.6)

    def __post_init__(self) -> None:
        object.__setattr__(self, "windows", tuple(self.windows))
        if not 1 <= len(self.windows) <= 4 or not all(0.01 <= one <= 10 for one in self.windows):
            self._refuse("windows", "1 to 4 durations of 0.01 to 10 s")

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        from scipy.ndimage import median_filter

        refuse_missing(signals, at, f"the step {self.kind} would spread them")
        signals = np.asarray(signals, dtype=np.float64)
        baseline = signals.copy()
        for row in baseline.reshape(-1, signals.shape[-1]):
            for seconds in self.windows:
                width = 2 * round(seconds * at.rate / 2) + 1
                row[:] = median_filter(row, size=width, mode="nearest")
        return signals - baseline

    def shortest(self, rate: float) -> float:
        return max(self.windows)

    def note(self, before: Floats, at: Conditions) -> str:
        return f"baseline subtracted: moving medians of {self._words()} s"

    def describe(self) -> str:
        return f"The baseline is subtracted: moving medians of {self._words()} s, one after the other."

    def _words(self) -> str:
        return " and ".join(f"{one:g}" for one in self.windows)
