"""Where on the tracing a finding shows: which waves, in which leads, it changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadlight.leads import STANDARD_LEADS
from leadlight.simulate.heart import Heart
from leadlight.simulate.tables import table

Array = NDArray[np.float64]
Place = tuple[int, float, float]
"""Lead (place in the standard order), begin and end in seconds from the QRS onset."""

VISIBLE = 0.05
"""mV: half a millimetre on paper, the smallest change that counts."""
_NEARLY_LEVEL = 0.02
"""mV: below this a QRS has neither R nor S."""


def criteria_leads(code: str) -> tuple[str, ...]:
    """The leads that the criteria of a finding name."""
    return tuple(_evidence(code)["leads"].split(";"))


def criteria_segments(code: str) -> tuple[str, ...]:
    """The parts of the beat that the criteria of a finding speak of: P, PR, QRS, Q, R, S, J, ST, T."""
    return tuple(_evidence(code)["segments"].split(";"))


def _evidence(code: str) -> dict[str, str]:
    (row,) = (row for row in table("evidence") if row["finding"] == code)
    return row


def places(
    code: str,
    segments: Sequence[str],
    heart: Heart,
    healthy: Heart,
    times: Array,
    beat: Array,
    without: Array,
) -> list[Place]:
    """The waves of one beat that a finding changed by ``VISIBLE`` or more, among the named segments.

    heart, healthy: with and without the finding, all else alike; times: (times,) seconds from the
    QRS onset; beat, without: (12, times) mV of the two. A wave is compared with the same wave of the
    heart without the finding, stretched to the same duration: a T that merely comes later is no change.
    """
    found: list[Place] = []
    theirs = _spans(healthy)
    for name, (begin, end) in _spans(heart).items():
        if name in segments:
            change = _along(beat, times, begin, end) - _along(without, times, *theirs[name])
            # A longer PR shows in every lead, however flat its P.
            seen = (np.abs(change).max(axis=1) >= VISIBLE) | (code == "1AVB")
            found += [(int(lead), begin, end) for lead in np.flatnonzero(seen)]
    if {"Q", "R", "S"} & set(segments):
        difference = np.abs(beat - without)
        for lead in range(len(STANDARD_LEADS)):
            for name, piece in _deflections(heart, times, beat[lead]):
                if name in segments and difference[lead, piece].max() >= VISIBLE:
                    found.append(
                        (lead, float(times[piece[0]]), float(times[piece[-1]] + times[1] - times[0]))
                    )
    return found


def _spans(heart: Heart) -> dict[str, tuple[float, float]]:
    """Begin and end in seconds from the QRS onset of the parts of the beat that all leads share."""
    return {
        "P": (-heart.pr, heart.p_duration - heart.pr),
        "PR": (-heart.pr, 0.0),
        "QRS": (0.0, heart.qrs),
        "J": (heart.qrs, heart.qrs + 0.02),
        "ST": (heart.qrs, heart.t_onset),
        "T": (heart.t_onset, heart.qt),
    }


def _along(signal: Array, times: Array, begin: float, end: float) -> Array:
    """A span of the signal (12, times) at 50 instants, however long it is."""
    wanted = np.clip((np.linspace(begin, end, 50) - times[0]) / (times[1] - times[0]), 0, len(times) - 1.001)
    before = wanted.astype(int)
    share = wanted - before
    values: Array = signal[:, before] * (1 - share) + signal[:, before + 1] * share
    return values


def _deflections(heart: Heart, times: Array, signal: Array) -> list[tuple[str, NDArray[np.intp]]]:
    """Q, R and S of one lead: each stretch of one sign in the QRS, as places in times."""
    inside = np.flatnonzero((times >= 0) & (times < heart.qrs))
    level = np.abs(signal[inside]) < _NEARLY_LEVEL
    sign = np.where(level, 0, np.sign(signal[inside]))
    found = []
    seen_r = False
    for piece in np.split(inside, np.flatnonzero(np.diff(sign)) + 1):
        if abs(signal[piece[0]]) < _NEARLY_LEVEL:
            continue
        name = "R" if signal[piece[0]] > 0 else "S" if seen_r else "Q"
        seen_r |= name == "R"
        found.append((name, piece))
    return found


def repeated(of_one_beat: list[Place], onsets: Array, n_samples: int, rate: float) -> NDArray[np.int32]:
    """One beat's places in all beats: merged runs (lead, first sample, last + 1) inside the recording."""
    runs: list[tuple[int, int, int]] = []
    for lead, begin, end in of_one_beat:
        firsts = np.clip(np.round((onsets + begin) * rate), 0, n_samples).astype(int)
        stops = np.clip(np.round((onsets + end) * rate), 0, n_samples).astype(int)
        runs += [(lead, first, stop) for first, stop in zip(firsts.tolist(), stops.tolist(), strict=True)]
    runs = [run for run in runs if run[1] < run[2]]
    merged: list[tuple[int, int, int]] = []
    for lead, first, stop in sorted(runs):
        if merged and merged[-1][0] == lead and first <= merged[-1][2]:
            merged[-1] = (lead, merged[-1][1], max(stop, merged[-1][2]))
        else:
            merged.append((lead, first, stop))
    return np.array(merged, dtype=np.int32).reshape(-1, 3)
