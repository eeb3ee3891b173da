"""Change the sampling rate of a signal without aliasing."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.recording import Recording

STOPBAND_DECIBEL = 80.0
CUTOFF = 0.45
"""Cut-off as a share of the lower of the two rates."""
TRANSITION = 0.10
"""Width of the transition band as a share of the lower rate, centred on the cut-off."""
LARGEST_FACTOR = 2000
DESCRIPTION = "polyphase, linear phase, Kaiser window 80 dB, cut-off at 0.45 of the lower rate, width 0.10"
"""The filter in words, for the description of what was made with it."""

_BLOCK = 50  # outputs of one matrix product's block: near the fastest for 500 -> 100 Hz
_LARGEST_MATRIX = 1_000_000  # entries; a larger one would be mostly zeros


def ratio(rate: float, new_rate: float) -> tuple[int, int]:
    """Up and down factors that turn ``rate`` into ``new_rate``, in lowest terms."""
    if not (rate > 0 and new_rate > 0 and np.isfinite(rate) and np.isfinite(new_rate)):
        raise SignalError(f"resample: found rates {rate} and {new_rate} Hz; accepted: both above 0.")
    # A rate in a file is a decimal number with few digits, which a float only comes near.
    new, old = (Fraction(value).limit_denominator(10_000) for value in (new_rate, rate))
    if not (new and old):
        raise SignalError(f"resample: found rates {rate} and {new_rate} Hz; accepted: 0.0001 Hz or more.")
    exact = new / old
    if max(exact.numerator, exact.denominator) > LARGEST_FACTOR:
        raise SignalError(
            f"resample from {rate:g} to {new_rate:g} Hz: found the ratio {exact}; accepted: factors up to "
            f"{LARGEST_FACTOR}. Choose a target rate with a simpler ratio."
        )
    return exact.numerator, exact.denominator


@lru_cache(maxsize=16)
def lowpass(up: int, down: int) -> NDArray[np.float64]:
    """Coefficients of the linear-phase filter at the rate ``rate * up``, for the upsampled signal.

    Odd length, symmetric. Each of the ``up`` polyphase branches sums to 1, so
    that a constant stays that constant at every output sample.
    """
    from scipy.signal import firwin, kaiser_beta, kaiserord

    highest = max(up, down)
    # Everything as a share of the Nyquist frequency of the upsampled signal.
    cutoff, width = 2 * CUTOFF / highest, 2 * TRANSITION / highest
    taps, _ = kaiserord(STOPBAND_DECIBEL, width)
    coefficients: NDArray[np.float64] = firwin(
        2 * (taps // 2) + 1, cutoff, window=("kaiser", kaiser_beta(STOPBAND_DECIBEL))
    )
    for branch in range(up):
        coefficients[branch::up] /= coefficients[branch::up].sum()
    coefficients.flags.writeable = False
    return coefficients


def resample(signal: NDArray[np.float32], rate: float, new_rate: float) -> NDArray[np.float32]:
    """Resample with a linear-phase polyphase filter.

    signal: (..., samples), any unit; NaN where samples are missing.
    rate, new_rate: Hz.
    Returns (..., round(samples * new_rate / rate)) float32, the same unit; a gap in
    the input stays a gap of the same place and duration (to one new sample), and
    the filter does not look into it: it sees a straight line across the gap.
    Raises SignalError for rates that are not positive or have no simple ratio,
    and for a signal that is shorter than one new sample.
    Filter: Kaiser window, 80 dB, cut-off at 0.45 of the lower rate; the ends
    are continued by the first and last value.
    """
    signal = np.asarray(signal, dtype=np.float32)
    up, down = ratio(rate, new_rate)
    if up == down:
        return signal
    n = signal.shape[-1]
    n_new = round(n * up / down)
    if n_new == 0:
        raise SignalError(
            f"resample from {rate:g} to {new_rate:g} Hz: found {n} samples; "
            "accepted: enough for one new sample."
        )
    missing = np.isnan(signal)
    has_gaps = bool(missing.any())
    source = bridge_gaps(signal) if has_gaps else signal
    rows = source.reshape(-1, n)
    filtered = _by_blocks if _matrix_size(up, down) <= _LARGEST_MATRIX else _by_phases
    new = filtered(rows, up, down, n_new)
    new = new.reshape(*signal.shape[:-1], n_new)
    if has_gaps:
        new[_missing_after(missing, up, down, n_new)] = np.nan
    return new


def _by_phases(rows: NDArray[np.float32], up: int, down: int, n_new: int) -> NDArray[np.float32]:
    """The definition: upsample by zeros, filter, keep every ``down``-th. (rows, samples) -> (rows, n_new)."""
    from scipy.signal import resample_poly

    # resample_poly multiplies by `up` by itself.
    coefficients = lowpass(up, down).astype(np.float32) / np.float32(up)
    new: NDArray[np.float32] = resample_poly(rows, up, down, axis=-1, window=coefficients, padtype="edge")  # type: ignore[call-overload]
    return np.ascontiguousarray(new[:, :n_new])


def _by_blocks(rows: NDArray[np.float32], up: int, down: int, n_new: int) -> NDArray[np.float32]:
    """The same as one matrix product: each block of outputs is a window of inputs times one matrix.

    Does twice the multiplications of the polyphase form, but as a matrix
    product, which runs about ten times as fast as a loop over coefficients.
    """
    matrix, first, advance = _block_matrix(up, down)
    window, block = matrix.shape
    n_rows, n = rows.shape
    n_blocks = -(-n_new // block)
    padded = np.empty((n_rows, (n_blocks - 1) * advance + window), dtype=np.float32)
    stop = min(n, padded.shape[1] + first)
    padded[:, :-first] = rows[:, :1]
    padded[:, -first : stop - first] = rows[:, :stop]
    padded[:, stop - first :] = rows[:, n - 1 :]
    windows = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)[:, ::advance]
    new = windows.reshape(n_rows * n_blocks, window) @ matrix
    return np.ascontiguousarray(new.reshape(n_rows, n_blocks * block)[:, :n_new])


def _matrix_size(up: int, down: int) -> int:
    block = up * -(-_BLOCK // up)
    return block * (block * down + len(lowpass(up, down))) // up


@lru_cache(maxsize=16)
def _block_matrix(up: int, down: int) -> tuple[NDArray[np.float32], int, int]:
    """Matrix (inputs, outputs) of one block, its first input relative to the block's start, its advance."""
    block = up * -(-_BLOCK // up)
    coefficients = lowpass(up, down)
    half = len(coefficients) // 2
    first, last = -(half // up), ((block - 1) * down + half) // up
    # Output m lies at m * down, input k at k * up on the upsampled grid.
    distance = np.arange(block) * down - np.arange(first, last + 1)[:, None] * up
    matrix = np.where(np.abs(distance) <= half, coefficients[np.clip(distance + half, 0, 2 * half)], 0.0)
    return matrix.astype(np.float32), first, block * down // up


def _missing_after(missing: NDArray[np.bool_], up: int, down: int, n_new: int) -> NDArray[np.bool_]:
    """Where gaps lie after resampling: at the nearest samples, so that no gap vanishes, however short."""
    n = missing.shape[-1]
    nearest_old = np.minimum(np.round(np.arange(n_new) * (down / up)).astype(int), n - 1)
    result: NDArray[np.bool_] = missing[..., nearest_old]
    if down > up:
        *where, sample = np.nonzero(missing)
        nearest_new = np.minimum(np.round(sample * (up / down)).astype(int), n_new - 1)
        result[(*where, nearest_new)] = True
    return result


def bridge_gaps(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Straight lines across missing (NaN) samples; a row that is missing entirely becomes zero.

    signal: (..., samples). For filters, which spread NaN over everything; the
    caller marks the gaps as missing again, or says that it filled them.
    """
    filled = np.array(signal, dtype=np.float32)
    positions = np.arange(filled.shape[-1])
    for row in filled.reshape(-1, filled.shape[-1]):
        gap = np.isnan(row)
        if gap.all():
            row[:] = 0
        elif gap.any():
            row[gap] = np.interp(positions[gap], positions[~gap], row[~gap])
    return filled


def resample_recording(recording: Recording, new_rate: float) -> Recording:
    """The recording at another sampling rate (Hz), with a note that says so."""
    if recording.sampling_rate == new_rate:
        return recording
    note = f"resampled from {recording.sampling_rate:g} to {new_rate:g} Hz"
    return replace(
        recording,
        signal=resample(recording.signal, recording.sampling_rate, new_rate),
        sampling_rate=float(new_rate),
        notes=(*recording.notes, note),
    )
