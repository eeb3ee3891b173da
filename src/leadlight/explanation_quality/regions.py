"""Where on one recording the criteria of a finding look: leads and parts of the beat, as masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlight.explanation import Beats
from leadlight.labels import Criterion
from leadlight.recording import Recording

Bools = NDArray[np.bool_]
J_SECONDS = 0.02
EARLY = 0.85
"""A beat is early when it comes before this share of the recording's median distance."""
MOST = 0.9
"""A region that takes in more of the signal tells no explanation from another."""


@dataclass(frozen=True, eq=False)
class Region:
    """expected, neutral: (leads, samples), apart from each other; findings: whose criteria they follow."""

    expected: Bools
    neutral: Bools
    findings: tuple[str, ...]


def is_early(r_peaks: NDArray[np.float64]) -> Bools:
    """Which beats come early, by their R peaks in seconds: (beats,)."""
    distances = np.diff(r_peaks)
    early = np.zeros(len(r_peaks), dtype=bool)
    if len(distances):
        early[1:] = distances < EARLY * np.median(distances)
    return early


def region_of(criteria: list[Criterion], beats: Beats, recording: Recording) -> Region | None:
    """The region of one or several findings together.

    Neutral is what is neutral for one of them and expected for none. None where no part of the beat that is
    looked at was found, or where the region takes in nearly everything.
    """
    shape = (len(recording.leads), recording.n_samples)
    expected, neutral = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for one in criteria:
        leads = _rows(one.leads, recording) if one.leads else np.ones(shape[0], dtype=bool)
        beside = _rows(one.neutral_leads, recording)
        times = _times(one.segments, one.beats == "early", beats, recording)
        more = _times(one.neutral_segments, one.beats == "early", beats, recording)
        expected |= leads[:, np.newaxis] & times
        neutral |= (leads | beside)[:, np.newaxis] & (times | more)
    if not expected.any() or expected.mean() > MOST:
        return None
    return Region(expected, neutral & ~expected, tuple(one.finding for one in criteria))


def _rows(leads: tuple[str, ...], recording: Recording) -> Bools:
    return np.array([lead in leads for lead in recording.leads])


def _times(segments: tuple[str, ...], only_early: bool, beats: Beats, recording: Recording) -> Bools:
    """Samples (samples,) in any of these parts of the beats."""
    inside = np.zeros(recording.n_samples, dtype=bool)
    chosen = is_early(beats.r_peaks) if only_early else np.ones(len(beats.r_peaks), dtype=bool)
    rate = recording.sampling_rate
    for segment in segments:
        for onset, end in segment_spans(segment, beats)[chosen]:
            if np.isfinite(onset) and np.isfinite(end):
                inside[max(0, round(onset * rate)) : max(0, round(end * rate))] = True
    return inside


def segment_spans(segment: str, beats: Beats) -> NDArray[np.float64]:
    """Onset and end in seconds of a part of each beat: (beats, 2), NaN where it was not found."""
    if segment in ("P", "QRS", "ST", "T"):
        return beats.spans(segment)
    p_onset, _, qrs_onset, qrs_end, _, t_end = beats.boundaries.T
    if segment == "PR":
        return np.stack([p_onset, qrs_onset], axis=1)
    if segment == "Q":
        return np.stack([qrs_onset, beats.r_peaks], axis=1)
    if segment == "J":
        return np.stack([qrs_end, qrs_end + J_SECONDS], axis=1)
    if segment != "TQ":
        raise ValueError(f"segment: found {segment!r}")
    # Where T was not found, it has ended after half of the beat.
    next_onset = np.append(qrs_onset[1:], beats.duration)
    ended = np.where(np.isfinite(t_end), t_end, (qrs_end + next_onset) / 2)
    return np.stack([ended, next_onset], axis=1)
