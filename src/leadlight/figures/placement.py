"""Where strips lie on the paper: rows as close as their traces allow, names where no trace runs.

Pure geometry in millimetres, no drawing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from leadlight.figures.arrangement import Arrangement, Strip
from leadlight.figures.paper import MM_PER_MILLIVOLT, MM_PER_SECOND
from leadlight.recording import Recording

LEFT_OF_TRACE = 15.0
"""Room for the calibration pulse."""
CLEARANCE = 2.5
CLOSEST_ROWS, WIDEST_ROWS = 14.0, 60.0
OFFSET_WORTH_SAYING = 0.5
"""Millivolts."""
NAME_HEIGHT, LETTER_WIDTH = 3.0, 2.3
_BIN = 1.0
"""Millimetres of paper over which the extent of a trace is taken."""


@dataclass(frozen=True, eq=False)
class PlacedStrip:
    """A strip on the paper, millimetres from the paper's lower left corner.

    x, y: its points, NaN where samples are missing; baseline: the height of the
    lead's median; left, right, bottom, top: the field that belongs to it;
    samples: their indices in the recording; name_x, name_y: the lead's name.
    """

    strip: Strip
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    samples: NDArray[np.int64]
    baseline: float
    left: float
    right: float
    bottom: float
    top: float
    name_x: float
    name_y: float


@dataclass(frozen=True, eq=False)
class Tracing:
    """Strips placed on paper of this height; rows: height of each row's baseline; notes: what to know."""

    strips: tuple[PlacedStrip, ...]
    rows: tuple[float, ...]
    height: float
    arrangement: Arrangement
    notes: tuple[str, ...]


def place(recording: Recording, arrangement: Arrangement, height: float = 0.0) -> Tracing:
    """Place the strips of an arrangement on paper at least ``height`` millimetres high.

    Each lead is centred on its median over what is shown: a constant offset of
    the electrodes has no meaning in an ECG. Rows stand as close as their traces
    allow; room that is left is shared out between them. Where a trace would
    need more than 60 mm, it runs into its neighbours, and a note says so.
    """
    notes: list[str] = []
    rows = [[_shape(recording, arrangement, strip, notes) for strip in row] for row in arrangement.rows]
    profiles = [_profile(row) for row in rows]

    # What each row needs below the one above it; the first and the last: to the edge of the paper.
    needs = [profiles[0][0].max(), *((lower[0] - upper[1]).max() for upper, lower in pairwise(profiles))]
    gaps = [min(max(float(need) + CLEARANCE, CLOSEST_ROWS), WIDEST_ROWS) for need in needs]
    under = min(CLEARANCE - float(profiles[-1][1].min()), WIDEST_ROWS)
    total = 5.0 * math.ceil(max(sum(gaps) + under, height) / 5 - 1e-9)
    share = (total - sum(gaps) - under) / (len(rows) + 1)
    baselines = [total - float(below) for below in np.cumsum(np.asarray(gaps) + share)]

    tall = [
        piece.strip.lead for row in rows for piece in row
        if np.abs(piece.y[np.isfinite(piece.y)]).max(initial=0.0) > WIDEST_ROWS - CLEARANCE
    ]  # fmt: skip
    if tall:
        notes.append(f"beyond its row: {', '.join(dict.fromkeys(tall))}")

    # The border between two rows: half-way between the lowest of one and the highest of the other.
    inner = [
        min(max((base + low.min() + under_it + high.max()) / 2, under_it + 5.0), base - 5.0)
        for (base, (_, low)), (under_it, (high, _)) in pairwise(zip(baselines, profiles, strict=True))
    ]
    edges = [total, *inner, 0.0]
    placed = tuple(
        replace(
            piece, y=piece.y + base, baseline=base, top=edges[n], bottom=edges[n + 1],
            name_y=piece.name_y + base,
        )
        for n, (row, base) in enumerate(zip(rows, baselines, strict=True)) for piece in row
    )  # fmt: skip
    return Tracing(placed, tuple(baselines), total, arrangement, tuple(dict.fromkeys(notes)))


def _shape(recording: Recording, arrangement: Arrangement, strip: Strip, notes: list[str]) -> PlacedStrip:
    """The strip around a baseline of 0, with its notes."""
    rate, row = recording.sampling_rate, recording[strip.lead]
    shown = row[_first(arrangement.start, rate) : _last(arrangement.start + arrangement.duration, rate) + 1]
    known = shown[np.isfinite(shown)]
    centre = float(np.median(known)) if known.size else 0.0
    if abs(centre) > OFFSET_WORTH_SAYING:
        notes.append(f"offset of {strip.lead} ({centre:+.1f} mV) taken off")
    if not known.size:
        notes.append(f"{strip.lead}: no signal")
    elif known.size < shown.size:
        missing = (shown.size - known.size) / rate
        notes.append(f"{strip.lead}: {missing:.3g} s missing, left blank")

    last = min(_last(strip.stop, rate), len(row) - 1)
    samples = np.arange(_first(strip.start, rate), last + 1)
    left = LEFT_OF_TRACE + strip.at * MM_PER_SECOND
    x = left + (samples / rate - strip.start) * MM_PER_SECOND
    y = (row[samples].astype(np.float64) - centre) * MM_PER_MILLIVOLT
    y[~np.isfinite(y)] = np.nan
    name_x = left + 1.0
    name_y = _name_height(x, y, name_x, LETTER_WIDTH * len(strip.lead))
    right = left + (strip.stop - strip.start) * MM_PER_SECOND
    return PlacedStrip(strip, x, y, samples, 0.0, left, right, 0.0, 0.0, name_x, name_y)


def _first(seconds: float, rate: float) -> int:
    return math.ceil(seconds * rate - 1e-6)


def _last(seconds: float, rate: float) -> int:
    return math.floor(seconds * rate + 1e-6)


def _name_height(x: NDArray[np.float64], y: NDArray[np.float64], left: float, width: float) -> float:
    """Lower edge of the lead's name: above the trace that runs beneath it, and never on the baseline."""
    beneath = y[(x >= left - 1) & (x <= left + width + 1)]
    beneath = beneath[np.isfinite(beneath)]
    return max(4.0, float(beneath.max()) + 1.0) if beneath.size else 4.0


def _profile(row: list[PlacedStrip]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Highest and lowest point of a row, names and calibration pulse included, in bins along the paper."""
    width = LEFT_OF_TRACE + max(piece.right for piece in row)
    n_bins = int(max(width, 300.0) / _BIN) + 1
    high, low = np.zeros(n_bins), np.zeros(n_bins)
    high[: int(LEFT_OF_TRACE / _BIN)] = MM_PER_MILLIVOLT
    for piece in row:
        known = np.isfinite(piece.y)
        bins = (piece.x[known] / _BIN).astype(int)
        np.maximum.at(high, bins, piece.y[known])
        np.minimum.at(low, bins, piece.y[known])
        name_end = piece.name_x + LETTER_WIDTH * len(piece.strip.lead)
        name = slice(int(piece.name_x / _BIN), int(name_end / _BIN) + 1)
        high[name] = np.maximum(high[name], piece.name_y + NAME_HEIGHT)
    # A neighbour's peak may stand one bin aside.
    for values, extreme in ((high, np.maximum), (low, np.minimum)):
        wide = values.copy()
        wide[1:] = extreme(wide[1:], values[:-1])
        wide[:-1] = extreme(wide[:-1], values[1:])
        values[:] = wide
    return high, low
