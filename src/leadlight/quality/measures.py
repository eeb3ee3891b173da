"""What can be measured of each lead from its samples alone: one vectorised pass over many records.

Everything is measured on the signal averaged to about 100 Hz, so that the same numbers mean the
same at every rate; only the rail (extreme values) and mains hum need the samples as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.leads import LIMB_COMBINATIONS
from leadlight.quality.limb_leads import limb_correlations

Float = NDArray[np.float32]

MISSING_COUNT = -32768
"""The count that stands for a missing sample in int16 signals (1 count = 1 microvolt)."""
LOWEST_RATE = 100.0
SHORTEST = 2.0
BLOCK = 0.1
"""Seconds; noise, flatness and baseline are looked at in blocks of this length."""
NOISE_BLOCKS, FLAT_BLOCKS, DRIFT_BLOCKS = 7, 10, 10
MAINS = (50.0, 60.0)
LOWEST_MAINS_RATE = 140.0
"""Hz; below it 60 Hz and what stands beside it cannot be seen."""
STRAIGHT = 0.3**2
"""Square microvolts of curvature: a block below it is a constant or a straight line, to the microvolt."""
RAIL_DISTANCE = 1.0
"""Millivolts from a lead's mean: nearer extremes are no rail but a resting line or a small wave."""
_SHORTEST_RAIL = 0.02
"""Seconds; a lead with less time at its extreme is not looked at."""
LARGEST = 1e6
"""Millivolts: a kilovolt is no ECG, and squares beyond it would overflow."""


@dataclass(frozen=True, eq=False)
class Measures:
    """Arrays of shape (records, leads), or (records,) where said; millivolts, seconds, shares of the time.

    missing: share of samples; longest_gap: seconds; flat: share of the time in stretches of at least
    a second that are constant or a straight line; rail: seconds at the lead's own highest or lowest
    value, sample after sample, where that is at least 1 mV from the mean;
    range: highest minus lowest; noise: mV root mean square, the level that high-frequency
    noise holds for 0.7 s somewhere; qrs: mV, the same measure in the sharpest tenth of each second;
    drift: mV between the highest and the lowest one-second mean; mains: mV root mean square of
    50 and of 60 Hz (records, leads, 2), None below 140 Hz; mains_ratio: power over that of the
    frequencies beside; einthoven, goldberger: (records,) mV root mean square, NaN where leads are
    lacking; limb: (records, 2, 6) correlations with what the chest leads foretell for each way of
    connecting the three limb electrodes; limb_sizes: (records, 2) size of the QRS in II and in III
    over that in I; NaN where leads are lacking.
    """

    missing: Float
    longest_gap: Float
    flat: Float
    rail: Float
    range: Float
    noise: Float
    qrs: Float
    drift: Float
    mains: Float | None
    mains_ratio: Float | None
    einthoven: Float
    goldberger: Float
    limb: Float
    limb_sizes: Float


def measure(signals: NDArray[Any], leads: Sequence[str], sampling_rate: float) -> Measures:
    """Measure every lead of every record.

    signals: (records, leads, samples); int16 in microvolts with -32768 for a missing sample, or
    floating point in millivolts with NaN; leads: canonical names; sampling_rate: Hz, at least 100.
    Raises SignalError for another shape or type, a lower rate, less than 2 s, or infinite samples.
    """
    check_signals(signals, leads)
    _check_length(signals.shape[2], sampling_rate)
    n_records, n_leads, n_samples = signals.shape
    rows = n_records * n_leads
    raw = np.ascontiguousarray(signals).reshape(rows, n_samples)
    gaps, missing, longest_gap, raw, values = _without_gaps(raw, sampling_rate)
    factor = int(sampling_rate // LOWEST_RATE)
    rate = sampling_rate / factor
    reduced = _averaged(values, factor)
    block = round(BLOCK * rate)

    steps = reduced[:, 1:] - reduced[:, :-1]
    curvature = steps[:, 1:] - steps[:, :-1]
    # Of white noise, the second difference has six times the power; per hertz, as at 100 Hz.
    power = _block_sums(curvature * curvature, block) * np.float32(LOWEST_RATE / (6 * block * rate))
    noise = _rolling(power, NOISE_BLOCKS, np.minimum).max(axis=1)
    rail, extent = _rails(raw, values, gaps, sampling_rate)
    shape = (n_records, n_leads)
    hum, hum_ratio = _mains(values, sampling_rate, shape)
    records = reduced.reshape(n_records, n_leads, -1)
    einthoven, goldberger = _laws(records, tuple(leads))
    limb, limb_sizes = limb_correlations(records, tuple(leads), block)

    def table(values: NDArray[Any], scale: float = 1.0) -> Float:
        scaled: Float = (values * np.float32(scale)).astype(np.float32, copy=False).reshape(shape)
        return scaled

    return Measures(
        missing=table(missing),
        longest_gap=table(longest_gap),
        flat=table(_flat(power if gaps is None else _told(power, gaps, block * factor))),
        rail=table(rail, 1 / sampling_rate),
        range=table(extent, 1e-3),
        noise=table(np.sqrt(noise), 1e-3),
        qrs=table(np.sqrt(_sharpest(power)), 1e-3),
        drift=table(_drift(reduced, block), 1e-3),
        mains=hum,
        mains_ratio=hum_ratio,
        einthoven=einthoven,
        goldberger=goldberger,
        limb=limb,
        limb_sizes=limb_sizes,
    )


def check_signals(signals: NDArray[Any], leads: Sequence[str]) -> None:
    """Raise SignalError for what is no array of (records, leads, samples) with a name for each lead."""
    if signals.ndim != 3:
        raise SignalError(f"quality: found shape {signals.shape}; accepted: (records, leads, samples).")
    if signals.shape[1] != len(leads) or not len(leads):
        raise SignalError(
            f"quality: found {signals.shape[1]} leads and {len(leads)} names; "
            "accepted: one or more leads, each with a name."
        )
    if signals.dtype != np.int16 and signals.dtype.kind != "f":
        raise SignalError(
            f"quality: found samples of type {signals.dtype}; accepted: int16 microvolts, floating-point mV."
        )


def _check_length(n_samples: int, sampling_rate: float) -> None:
    if not LOWEST_RATE <= sampling_rate < np.inf:
        raise SignalError(
            f"quality: found {sampling_rate:g} Hz; accepted: {LOWEST_RATE:g} Hz and more. "
            "What a lower rate left out cannot be judged."
        )
    if n_samples < SHORTEST * sampling_rate:
        raise SignalError(
            f"quality: found {n_samples / sampling_rate:g} s; accepted: {SHORTEST:g} s and more."
        )


def find_gaps(signals: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where samples are missing; None where none is. Raises SignalError for infinite samples."""
    if signals.dtype == np.int16:
        return signals == MISSING_COUNT if signals.min() == MISSING_COUNT else None
    lowest, highest = signals.min(), signals.max()
    gaps = np.isnan(signals) if np.isnan(lowest) else None
    if gaps is not None:
        lowest, highest = (of.reduce(signals, axis=None, initial=0) for of in (np.fmin, np.fmax))
    if max(-lowest, highest) > LARGEST:
        raise SignalError(
            f"quality: found samples that are infinite or beyond {LARGEST:,.0f} mV; "
            "accepted: millivolts, NaN for missing."
        )
    return gaps


def _without_gaps(
    raw: NDArray[Any], rate: float
) -> tuple[NDArray[np.bool_] | None, Float, Float, NDArray[Any], Float]:
    """Gaps (None without any), share missing, longest gap (s), samples held over gaps, and microvolts."""
    nothing = np.zeros(len(raw), dtype=np.float32)
    gaps = find_gaps(raw)
    longest = nothing.copy()
    if gaps is not None:
        raw = raw.copy()
        for row in np.flatnonzero(gaps.any(axis=1)):
            edges = np.flatnonzero(np.diff(gaps[row], prepend=False, append=False))
            longest[row] = (edges[1::2] - edges[::2]).max() / rate
            held = np.maximum.accumulate(np.where(gaps[row], -1, np.arange(raw.shape[1])))
            held[held < 0] = edges[1] if edges[1] < raw.shape[1] else 0
            raw[row] = 0 if gaps[row].all() else raw[row][held]
    values = raw.astype(np.float32)
    if raw.dtype != np.int16:
        values *= np.float32(1e3)
    share = nothing if gaps is None else gaps.mean(axis=1, dtype=np.float32)
    return gaps, share, longest, raw, values


def _averaged(values: Float, factor: int) -> Float:
    if factor == 1:
        return values
    n = values.shape[1] // factor
    whole = values if values.shape[1] == n * factor else np.ascontiguousarray(values[:, : n * factor])
    # A product with a vector of ones sums short blocks far faster than ndarray.sum.
    averaged: Float = whole.reshape(-1, factor) @ np.full(factor, 1 / factor, dtype=np.float32)
    return averaged.reshape(len(values), n)


def _block_sums(values: Float, block: int) -> Float:
    n = values.shape[1] // block
    sums: Float = np.ascontiguousarray(values[:, : n * block]).reshape(-1, block) @ np.ones(block, np.float32)
    return sums.reshape(len(values), n)


def _rolling(values: Float, width: int, of_two: np.ufunc) -> Float:
    """Minimum or maximum over each ``width`` neighbouring columns."""
    span, rolled = 1, values
    while 2 * span <= width:
        rolled = of_two(rolled[:, :-span], rolled[:, span:])
        span *= 2
    rest = width - span
    rolled = of_two(rolled[:, :-rest], rolled[:, rest:]) if rest else rolled
    return rolled


def _told(power: Float, gaps: NDArray[np.bool_], samples: int) -> Float:
    """The power of blocks (of so many samples), infinite where one or the next has a gap: not flat."""
    told = power.copy()
    for row in np.flatnonzero(gaps.any(axis=1)):
        held = np.logical_or.reduceat(gaps[row], np.arange(power.shape[1]) * samples)
        held[:-1] |= held[1:]
        told[row, held] = np.inf
    return told


def _flat(power: Float) -> Float:
    """Share of blocks in runs of at least ``FLAT_BLOCKS`` without curvature."""
    share = np.zeros(len(power), dtype=np.float32)
    runs = _rolling(power, FLAT_BLOCKS, np.maximum) <= STRAIGHT
    for row in np.flatnonzero(runs.any(axis=1)):
        inside = np.convolve(runs[row], np.ones(FLAT_BLOCKS)) > 0
        share[row] = inside.mean()
    return share


def _sharpest(power: Float) -> Float:
    """Power of the sharpest block of each second, median over the seconds."""
    seconds = power.shape[1] // 10
    peaks = power[:, : 10 * seconds].reshape(len(power), seconds, 10).max(axis=2)
    # The lower median, by sorting: numpy.median takes several times as long on short rows.
    lower: Float = np.sort(peaks, axis=1)[:, (seconds - 1) // 2]
    return lower


@lru_cache(maxsize=16)
def _moving_mean(n: int, width: int) -> Float:
    """(n, n - width + 1): a product with it takes means of ``width`` neighbouring columns."""
    columns = np.arange(n)[:, None] - np.arange(n - width + 1)
    return ((columns >= 0) & (columns < width)).astype(np.float32) / np.float32(width)


def _drift(reduced: Float, block: int) -> Float:
    means = _block_sums(reduced, block)
    if means.shape[1] > 2000:  # minutes: the matrix would be larger than the signal
        sums = np.cumsum(means, axis=1, dtype=np.float64)
        smooth = ((sums[:, DRIFT_BLOCKS:] - sums[:, :-DRIFT_BLOCKS]) / DRIFT_BLOCKS).astype(np.float32)
    else:
        smooth = means @ _moving_mean(means.shape[1], DRIFT_BLOCKS)
    range_: Float = (smooth.max(axis=1) - smooth.min(axis=1)) / np.float32(block)
    return range_


def _rails(
    raw: NDArray[Any], values: Float, gaps: NDArray[np.bool_] | None, rate: float
) -> tuple[Float, Float]:
    """Samples at the more crowded of the two extremes that follow another such sample, and the range (uV)."""
    n_samples = raw.shape[1]
    scale = np.float32(1.0 if raw.dtype == np.int16 else 1e3)
    mean = values @ np.full(n_samples, 1 / n_samples, dtype=np.float32)
    extremes = raw.min(axis=1), raw.max(axis=1)
    lowest, highest = (extreme.astype(np.float32) * scale for extreme in extremes)
    time = np.zeros(len(raw), dtype=np.float32)
    shortest = _SHORTEST_RAIL * rate
    for extreme, level in zip(extremes, (lowest, highest), strict=True):
        # A row at a time: counting along an axis is many times slower than counting a row.
        for row in np.flatnonzero(np.abs(level - mean) >= RAIL_DISTANCE * 1e3).tolist():
            at = raw[row] == extreme[row]
            if gaps is not None:
                at &= ~gaps[row]
            if np.count_nonzero(at) > shortest:
                time[row] = max(time[row], np.count_nonzero(at[1:] & at[:-1]))
    return time, highest - lowest


@lru_cache(maxsize=16)
def _mains_basis(rate: float, n: int) -> Float:
    """Windowed cosines and sines, (samples, 2 lines x 5 frequencies x 2): the line and four beside it."""
    frequencies = np.array([line + offset for line in MAINS for offset in (0, -4, -3, 3, 4)])
    angle = 2 * np.pi * np.outer(np.arange(n) / rate, frequencies)
    window = np.hanning(n + 1)[:n, None, None]
    basis = np.stack([np.cos(angle), np.sin(angle)], axis=2) * window * (2 / window.sum())
    return basis.reshape(n, -1).astype(np.float32)  # type: ignore[no-any-return]


def _mains(values: Float, rate: float, shape: tuple[int, int]) -> tuple[Float | None, Float | None]:
    """Root mean square (mV) of each line, (records, leads, 2), and its power over that of the neighbours."""
    if rate < LOWEST_MAINS_RATE:
        return None, None
    n = round(rate)
    seconds = values.shape[1] // n
    whole = values if seconds * n == values.shape[1] else np.ascontiguousarray(values[:, : seconds * n])
    waves = (whole.reshape(-1, n) @ _mains_basis(rate, n)).reshape(len(values), seconds, 2, 5, 2)
    power = np.square(waves).sum(axis=-1)
    line = np.median(power[..., 0], axis=1)
    beside = np.median(power[..., 1:].mean(axis=-1), axis=1)
    level = np.sqrt(np.maximum(line - beside, 0) / 2) * np.float32(1e-3)
    ratio = line / np.maximum(beside, np.float32(1e-6))
    return level.reshape(*shape, 2), ratio.reshape(*shape, 2)


@lru_cache(maxsize=64)
def _law_rows(leads: tuple[str, ...]) -> tuple[Float, bool, int]:
    """What is zero by Einthoven's law (first row, if there) and by Goldberger's; is it; how many rows."""
    rows, has_einthoven = [], False
    for lead, (of_one, of_two) in LIMB_COMBINATIONS.items():
        if {"I", "II", lead} <= set(leads):
            row = np.zeros(len(leads), dtype=np.float32)
            row[[leads.index("I"), leads.index("II"), leads.index(lead)]] = (of_one, of_two, -1.0)
            rows.append(row)
            has_einthoven |= lead == "III"
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(leads)), has_einthoven, len(rows)


def _laws(records: Float, leads: tuple[str, ...]) -> tuple[Float, Float]:
    unknown = np.full(len(records), np.nan, dtype=np.float32)
    rows, has_einthoven, n = _law_rows(leads)
    if not n:
        return unknown, unknown
    rest = np.matmul(rows, records)
    size = np.sqrt(np.einsum("rls,rls->rl", rest, rest) / rest.shape[2]) * np.float32(1e-3)
    goldberger = size[:, int(has_einthoven) :]
    return (
        size[:, 0] if has_einthoven else unknown,
        goldberger.max(axis=1) if goldberger.shape[1] else unknown,
    )
