"""How the channels of a WFDB record are stored, and what follows from that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

MILLIVOLTS = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "v": 1e3}
"""Millivolts in one unit, by its name in lower case (there are two Unicode characters for micro)."""

FORMATS = (8, 16, 24, 32, 61, 80, 160, 212, 310, 311)
"""Storage formats that are read; the compressed ones (508, 516, 524) are not."""

MISSING = {16: -(2**15), 24: -(2**23), 32: -(2**31), 61: -(2**15), 80: -(2**7), 160: -(2**15),
           212: -(2**11), 310: -(2**9), 311: -(2**9)}  # fmt: skip
"""The count that stands for a missing sample, by storage format (format 8 has none)."""

_Scale = tuple[NDArray[Any], NDArray[Any] | None, NDArray[Any] | None]


@dataclass(frozen=True)
class Channel:
    """How one lead is stored: what its signal line says, but for the file's name and the sums.

    storage: WFDB format; skew: frames; byte_offset: of the first sample; gain: counts
    per unit; baseline: the count of 0 volts; unit: as written, "" where the header
    names none; lead: canonical name.
    """

    storage: int
    samples_per_frame: int
    skew: int
    byte_offset: int
    gain: float
    baseline: int
    unit: str
    lead: str

    @property
    def millivolts(self) -> float:
        """Millivolts in one of this channel's units; WFDB reads a missing unit as mV."""
        return MILLIVOLTS[self.unit.lower()] if self.unit else 1.0


@dataclass(frozen=True)
class ChannelTable:
    """A record's channels, and what follows from them alone: worked out once for all records stored alike."""

    channels: tuple[Channel, ...] = ()

    @cached_property
    def leads(self) -> tuple[str, ...]:
        """Canonical names, in the file's order."""
        return tuple([channel.lead for channel in self.channels])

    @cached_property
    def without_unit(self) -> tuple[str, ...]:
        """Leads for which the header names no unit."""
        return tuple([channel.lead for channel in self.channels if not channel.unit])

    @cached_property
    def plain_16(self) -> bool:
        """Whether all is format 16, one sample a frame, at one offset: what the fast path reads."""
        plain = {(c.storage, c.samples_per_frame, c.skew, c.byte_offset) for c in self.channels}
        return len(plain) == 1 and next(iter(plain))[:3] == (16, 1, 0)

    def to_millivolts(self, samples: NDArray[Any]) -> tuple[NDArray[np.float32], bool]:
        """Counts (channels, samples) as float32 mV, NaN where a sample is missing; whether any may be.

        Equal to ``(count - baseline) / gain`` in float64, rounded to float32. Where
        count, baseline and gain are exact in float32, float32 division gives
        that very result in half the time (double rounding of a quotient is innocuous
        from 2p + 2 bits on: Roux 2014, doi:10.6092/issn.1972-5787/4359).
        """
        scale = self._exact_scale if samples.dtype == np.int16 else None
        gain, baseline, unit = scale or self._scale
        values: NDArray[Any] = samples.astype(gain.dtype)
        if baseline is not None:
            values -= baseline
        values /= gain
        if unit is not None:
            values *= unit
        signal = values.astype(np.float32, copy=False)
        if not self._missing_values or int(samples.min()) > self._missing_values[-1][0]:
            return signal, False
        for value, of_storage in self._missing_values:
            signal[(samples == value) & of_storage] = np.nan
        return signal, True

    @cached_property
    def _missing_values(self) -> list[tuple[int, NDArray[np.bool_]]]:
        """The counts for missing samples, lowest first, and the channels (channels, 1) that mean it so."""
        storages = {channel.storage for channel in self.channels if channel.storage in MISSING}
        return [
            (MISSING[storage], np.array([[channel.storage == storage] for channel in self.channels]))
            for storage in sorted(storages, key=MISSING.__getitem__)
        ]

    @cached_property
    def _scale(self) -> _Scale:
        """Gain, baseline and millivolts in a unit, float64 (channels, 1); None where they change nothing."""
        gain = np.array([[channel.gain] for channel in self.channels])
        baseline = np.array([[float(channel.baseline)] for channel in self.channels])
        unit = np.array([[channel.millivolts] for channel in self.channels])
        return gain, baseline if baseline.any() else None, unit if (unit != 1).any() else None

    @cached_property
    def _exact_scale(self) -> _Scale | None:
        """The same in float32, if that is exact for 16-bit counts."""
        gain, baseline, unit = self._scale
        narrow = gain.astype(np.float32)
        fits = baseline is None or bool((np.abs(baseline) < 2**23).all())
        if unit is not None or not fits or (narrow != gain).any():
            return None
        return narrow, None if baseline is None else baseline.astype(np.float32), None
