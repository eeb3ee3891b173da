"""Where beats and their waves are: found by NeuroKit2 in several leads, one set of boundaries for all.

R peaks: those that at least half of the leads agree on. QRS complexes: where all leads together start to
move and come to rest (``qrs``). P and T waves: the wavelet delineator of NeuroKit2 (Martinez et al. 2004,
doi:10.1109/TBME.2003.821031) in four leads; for each beat the median over the leads, as ECG machines
measure. A boundary at a place that no heart has is not taken; what is missing in single beats follows from
the other beats of the recording.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import LeadlightError, SignalError
from leadlight.explanation.qrs import qrs_boundaries
from leadlight.recording import Recording

WAVES = ("P", "QRS", "ST", "T")
BOUNDARIES = ("p_onset", "p_end", "qrs_onset", "qrs_end", "t_onset", "t_end")
DELINEATED = ("II", "V5", "V2", "I")
"""Leads whose P and T waves are measured, where they are there; else the first ones."""
FEWEST_BEATS = 2
ENOUGH_BEATS = 8
"""Of fewer, the delineator finds nothing."""
SAME_BEAT_SECONDS = 0.09
# The delineator's names, with their places among the boundaries.
_NAMES = {"ECG_P_Onsets": 0, "ECG_P_Offsets": 1, "ECG_T_Onsets": 4, "ECG_T_Offsets": 5}
# Seconds from the R peak between which a boundary can lie: an ectopic QRS is as wide as a block's.
_POSSIBLE = np.array(
    [(-0.45, -0.06), (-0.35, -0.02), (-0.12, -0.015), (0.02, 0.16), (0.06, 0.45), (0.15, 0.65)]
)
# Boundaries are taken from other beats where at least this share of the beats has them.
_COMMON = 0.3


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats of a recording.

    r_peaks: (beats,) seconds; boundaries: (beats, 6) seconds, in the order of ``BOUNDARIES``, NaN where a
    beat has no such wave; duration: of the recording in seconds.
    """

    r_peaks: NDArray[np.float64]
    boundaries: NDArray[np.float64]
    duration: float

    def spans(self, wave: str) -> NDArray[np.float64]:
        """Onset and end in seconds of one of ``WAVES`` in each beat: (beats, 2), NaN where there is none.

        ST lasts from the end of the QRS complex to the onset of the T wave.
        """
        first, last = {"P": (0, 1), "QRS": (2, 3), "ST": (3, 4), "T": (4, 5)}[wave]
        return self.boundaries[:, [first, last]]

    def runs(self, wave: str, sampling_rate: float) -> list[tuple[int, int] | None]:
        """First and last + 1 sample of a wave in each beat; None where there is none."""
        n_samples = round(self.duration * sampling_rate)
        result: list[tuple[int, int] | None] = []
        for onset, end in self.spans(wave):
            run = None
            if np.isfinite(onset) and np.isfinite(end):
                start = max(0, round(onset * sampling_rate))
                stop = min(n_samples, round(end * sampling_rate))
                run = (start, stop) if stop > start else None
            result.append(run)
        return result

    def mask(self, wave: str, sampling_rate: float) -> NDArray[np.bool_]:
        """Samples that belong to a wave: (samples,)."""
        inside = np.zeros(round(self.duration * sampling_rate), dtype=bool)
        for run in self.runs(wave, sampling_rate):
            if run is not None:
                inside[run[0] : run[1]] = True
        return inside


def find_beats(recording: Recording) -> Beats:
    """The beats of a recording and where their waves begin and end.

    Raises SignalError where fewer than two beats are found, and LeadlightError without NeuroKit2.
    """
    neurokit = _neurokit()
    peaks = find_r_peaks(recording)
    leads = [lead for lead in DELINEATED if lead in recording.leads] or list(recording.leads[:4])
    rate = recording.sampling_rate
    by_lead = []
    for lead in leads:
        signal = _clean(neurokit, recording[lead], rate)
        if signal is None:
            continue
        longer, places, back = _with_enough_beats(signal, np.round(peaks * rate).astype(int))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _, waves = neurokit.ecg_delineate(longer, places, sampling_rate=round(rate), method="dwt")
        except Exception:  # its errors are of every kind; the other leads may do
            continue
        found = np.full((len(places), 6), np.nan)
        for name, column in _NAMES.items():
            values = np.asarray(waves[name], dtype=float)[: len(places)]
            found[: len(values), column] = values
        offsets = (found - places[:, np.newaxis])[back] / rate
        by_lead.append(offsets + peaks[:, np.newaxis])
    if not by_lead:
        raise SignalError(
            f"beats: {len(peaks)} R peaks, but no wave's boundaries were found in {', '.join(leads)}."
        )
    bridged = [one for one in (_bridged(recording[lead]) for lead in recording.leads) if one is not None]
    qrs = qrs_boundaries(bridged, rate, peaks)
    return Beats(peaks, _agreed(np.stack(by_lead), qrs, peaks), recording.duration)


def find_r_peaks(recording: Recording) -> NDArray[np.float64]:
    """R peaks in seconds, those that at least half of the leads with a signal agree on.

    Raises SignalError where fewer than two are found, and LeadlightError without NeuroKit2.
    """
    neurokit = _neurokit()
    rate, found, n_leads = recording.sampling_rate, [], 0
    for lead in recording.leads:
        signal = _clean(neurokit, recording[lead], rate)
        if signal is None:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _, peaks = neurokit.ecg_peaks(signal, sampling_rate=round(rate))
        except Exception:  # its errors are of every kind; the other leads may do
            continue
        n_leads += 1
        found.append(np.asarray(peaks["ECG_R_Peaks"], dtype=float) / rate)
    together = np.sort(np.concatenate(found)) if found else np.zeros(0)
    groups = np.split(together, np.flatnonzero(np.diff(together) > SAME_BEAT_SECONDS) + 1)
    agreed = np.array([np.median(group) for group in groups if len(group) >= max(1, n_leads / 2)])
    if len(agreed) < FEWEST_BEATS:
        raise SignalError(
            f"beats: found {len(agreed)} that half of the leads agree on; accepted: {FEWEST_BEATS} or more. "
            'Methods that need no beats still work: occlusion by "window" or "lead".'
        )
    return agreed


def _with_enough_beats(
    signal: NDArray[np.float64], peaks: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """The signal made long enough for the delineator, its R peaks, and which of them are the own ones.

    From its first to its last R peak the signal is repeated, so that it joins where it is alike. The last
    beat is the last one of the longer signal, the others are the first ones.
    """
    everyone = np.arange(len(peaks))
    if len(peaks) >= ENOUGH_BEATS:
        return signal, peaks, everyone
    first, last = peaks[0], peaks[-1]
    turns = -(-ENOUGH_BEATS // (len(peaks) - 1))
    middle = signal[first:last]
    longer = np.concatenate([signal[:last], *[middle] * turns, signal[first:]])
    span = last - first
    places = np.concatenate(
        [peaks[:-1] + turn * span for turn in range(turns + 2)] + [[last + (turns + 1) * span]]
    )
    return longer, places.astype(np.int64), np.append(everyone[:-1], len(places) - 1)


def _agreed(
    by_lead: NDArray[np.float64], qrs: NDArray[np.float64], peaks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Boundaries (leads, beats, 6) of single leads to those of the beats (beats, 6), in seconds.

    qrs: (beats, 2), of all leads together; it takes the place of columns 2 and 3.
    """
    offsets = by_lead - peaks[:, np.newaxis]
    offsets[:, :, 2:4] = qrs - peaks[:, np.newaxis]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a beat without a wave is a mean of nothing
        offsets[(offsets < _POSSIBLE[:, 0]) | (offsets > _POSSIBLE[:, 1])] = np.nan
        beats = np.nanmedian(offsets, axis=0)
        usual = np.nanmedian(beats, axis=0)
    common = np.isfinite(beats).mean(axis=0) >= _COMMON
    # A QRS complex is in every beat. Others are filled in where the beat's other end was found.
    other_end = np.isfinite(beats[:, [1, 0, 3, 2, 5, 4]])
    fill = ~np.isfinite(beats) & common & (other_end | (np.arange(6) // 2 == 1))
    beats = np.where(fill, usual, beats)
    beats[:, 2:4] = np.where(np.isfinite(beats[:, 2:4]), beats[:, 2:4], [-0.05, 0.05])
    # Waves follow each other: P ends before QRS begins, T begins after it has ended and before the next beat.
    beats[:, 1] = np.minimum(beats[:, 1], beats[:, 2])
    beats[:, 4] = np.maximum(beats[:, 4], beats[:, 3])
    rest = np.append(np.diff(peaks), np.inf)[:, np.newaxis] - 0.1
    beats[:, 4:] = np.where(beats[:, 4:] < rest, beats[:, 4:], np.nan)
    for first, last in ((0, 1), (4, 5)):
        without = ~(beats[:, last] - beats[:, first] > 0.02)
        beats[without, first : last + 1] = np.nan
    return beats + peaks[:, np.newaxis]


def _clean(neurokit: Any, signal: NDArray[np.float32], rate: float) -> NDArray[np.float64] | None:
    """The filtered lead, gaps bridged; None for a flat or mostly missing one."""
    values = _bridged(signal)
    if values is None:
        return None
    try:
        cleaned: NDArray[np.float64] = neurokit.ecg_clean(values, sampling_rate=round(rate))
    except Exception:  # too short for its filter
        return None
    return cleaned


def _bridged(signal: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """The lead with straight lines over its gaps; None for a flat or mostly missing one."""
    values = signal.astype(np.float64)
    known = np.isfinite(values)
    if known.mean() < 0.5 or np.ptp(values[known]) < 0.02:
        return None
    places = np.arange(len(values))
    return np.interp(places, places[known], values[known])


def _neurokit() -> Any:
    try:
        import neurokit2
    except ImportError:
        raise LeadlightError(
            'beats are found by NeuroKit2, which is not installed: pip install "leadlight[beats]".'
        ) from None
    return neurokit2
