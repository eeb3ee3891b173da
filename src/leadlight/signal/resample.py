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


def ratio(rate: float, new_rate: float) -> tuple[int, int]:
    """Up and down factors that turn ``rate`` into ``new_rate``, in lowest terms."""
    if not (rate > 0 and new_rate > 0 and np.isfinite(rate) and np.isfinite(new_rate)):
        raise SignalError(f"resample: found rates {rate} and {new_rate} Hz; accepted: both above 0.")
    exact = Fraction(new_rate).limit_denominator(10_000) / Fraction(rate).limit_denominator(10_000)
    if max(exact.numerator, exact.denominator) > LARGEST_FACTOR:
        raise SignalError(
            f"resample from {rate:g} to {new_rate:g} Hz: found the ratio {exact}; accepted: factors up to "
            f"{LARGEST_FACTOR}. Choose a target rate with a simpler ratio."
        )
    return exact.numerator, exact.denominator


@lru_cache(maxsize=16)
def lowpass(up: int, down: int) -> NDArray[np.float32]:
    """Coefficients of the linear-phase filter at the rate ``rate * up``, unit gain before upsampling."""
    from scipy.signal import firwin, kaiser_beta, kaiserord

    highest = max(up, down)
    # Everything as a share of the Nyquist frequency of the upsampled signal.
    cutoff, width = 2 * CUTOFF / highest, 2 * TRANSITION / highest
    taps, _ = kaiserord(STOPBAND_DECIBEL, width)
    half = -(-(taps // 2) // 1)
    coefficients: NDArray[np.float32] = firwin(
        2 * half + 1, cutoff, window=("kaiser", kaiser_beta(STOPBAND_DECIBEL))
    ).astype(np.float32)
    return coefficients


def resample(signal: NDArray[np.float32], rate: float, new_rate: float) -> NDArray[np.float32]:
    """Resample with a linear-phase polyphase filter.

    signal: (..., samples), any unit; NaN where samples are missing.
    rate, new_rate: Hz.
    Returns (..., round(samples * new_rate / rate)) float32, the same unit; a gap in
    the input stays a gap of the same place and duration, and the filter does
    not look into it: it sees a straight line across the gap.
    Raises SignalError for rates that are not positive or have no simple ratio.
    Filter: Kaiser window, 80 dB, cut-off at 0.45 of the lower rate; the ends
    are continued by the first and last value.
    """
    from scipy.signal import resample_poly

    signal = np.asarray(signal, dtype=np.float32)
    up, down = ratio(rate, new_rate)
    if up == down:
        return signal
    n_new = max(1, round(signal.shape[-1] * up / down))
    missing = np.isnan(signal)
    has_gaps = bool(missing.any())
    source = bridge_gaps(signal) if has_gaps else signal
    # The upsampled grid loses 1/up of its energy; resample_poly puts it back.
    new = resample_poly(source, up, down, axis=-1, window=lowpass(up, down), padtype="edge")
    new = np.ascontiguousarray(new[..., :n_new], dtype=np.float32)
    if has_gaps:
        nearest = np.minimum(np.round(np.arange(n_new) * (down / up)).astype(int), signal.shape[-1] - 1)
        new[missing[..., nearest]] = np.nan
    return new


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
