"""What a model attended to, drawn on a tracing, on one fixed scale (``relevance_colours``).

Relevance is shown in multiples of the uniform share: 1 is what every sample
would have if nothing stood out. As bands behind the trace, or as the colour and
width of the trace itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.figures.bars import Findings, draw_lead_importance, draw_probabilities, probabilities_height
from leadlight.figures.paper import MM_PER_SECOND, points
from leadlight.figures.placement import PlacedStrip, Tracing
from leadlight.figures.relevance_colours import (
    BAR_ROOM,
    COLOURS,
    HIGHEST,
    LOWEST,
    draw_colour_bar,
    places,
    shades,
    trace_colours,
)
from leadlight.figures.tracing import PAPER_WIDTH, SECONDS_MARKS, Sheet, tracing_sheet
from leadlight.recording import Recording

__all__ = ["COLOURS", "HIGHEST", "LOWEST", "STYLES", "Drawn", "plot_explanation", "plot_relevance"]

STYLES = ("bands", "trace")
_STEPS_A_DOUBLING = 2
_THIN, _THICK = 0.3, 0.8
"""Widths of a coloured trace, millimetres."""


@dataclass(frozen=True)
class Drawn:
    """How relevance is drawn. style: one of STYLES; signed: negative values are evidence against the target;
    what: the word for it, "attention" or "relevance"."""

    style: str = "bands"
    signed: bool = False
    what: str = "attention"


def plot_relevance(
    recording: Recording,
    multiples: NDArray[np.floating],
    layout: str = "auto",
    start: float = 0.0,
    title: str = "",
    text: Sequence[str] = (),
    drawn: Drawn | None = None,
) -> Figure:
    """A tracing with relevance on it and a colour bar.

    multiples: (leads, samples) of the recording, in multiples of the uniform
    share; text: paragraphs below the tracing. layout, start, title: as ``plot``.
    Raises SignalError for another shape or style, and for values that are not finite, or negative
    where they have no sign.
    """
    return _relevance_sheet(recording, multiples, layout, start, title, text, 0.0, drawn or Drawn()).page


def plot_explanation(
    recording: Recording,
    multiples: NDArray[np.floating],
    lead_importance: NDArray[np.floating] | None,
    findings: Findings,
    layout: str = "auto",
    start: float = 0.0,
    title: str = "",
    text: Sequence[str] = (),
    drawn: Drawn | None = None,
) -> Figure:
    """One page: tracing with relevance, lead importance, probabilities with thresholds, and what they mean.

    multiples: (leads, samples), in multiples of the uniform share; lead_importance: (leads,), shares that
    sum to one, None where all leads share one map; text: paragraphs of the caption.
    """
    how = drawn or Drawn()
    room = max(40.0, probabilities_height(len(findings.classes))) + 4.0
    sheet = _relevance_sheet(recording, multiples, layout, start, title, text, room, how)
    top = _height(sheet.below) - SECONDS_MARKS - BAR_ROOM
    draw_lead_importance(sheet.below, 0.0, top, 112.0, recording.leads, lead_importance, how.what)
    draw_probabilities(sheet.below, 126.0, top, PAPER_WIDTH - 126.0, findings)
    return sheet.page


def check_multiples(recording: Recording, multiples: NDArray[np.floating], how: Drawn) -> None:
    """Raise SignalError for relevance that does not fit the recording, or that cannot be drawn so."""
    if how.style not in STYLES:
        raise SignalError(f"style: found {how.style!r}; accepted: {', '.join(STYLES)}.")
    if multiples.shape != recording.signal.shape:
        raise SignalError(
            f"relevance: found shape {multiples.shape}; accepted: {recording.signal.shape}, "
            "one value for every lead and sample of the recording."
        )
    if not np.isfinite(multiples).all() or (not how.signed and (multiples < 0).any()):
        raise SignalError(
            "relevance: found negative or missing values; accepted: multiples from 0 on, negative ones only "
            "where they are said to be signed."
        )


def _relevance_sheet(
    recording: Recording,
    multiples: NDArray[np.floating],
    layout: str,
    start: float,
    title: str,
    text: Sequence[str],
    room: float,
    how: Drawn,
) -> Sheet:
    multiples = np.asarray(multiples)
    check_multiples(recording, multiples, how)
    sheet = tracing_sheet(recording, layout, start, title, BAR_ROOM + room, text)
    draw = draw_bands if how.style == "bands" else draw_coloured_trace
    draw(sheet.paper, sheet.tracing, recording, multiples, how.signed)
    draw_colour_bar(
        sheet.below, 0.0, _height(sheet.below) - SECONDS_MARKS, multiples,
        signed=how.signed, style=how.style, what=how.what,
    )  # fmt: skip
    return sheet


def draw_bands(
    axes: Axes, tracing: Tracing, recording: Recording, multiples: NDArray[np.floating], signed: bool = False
) -> None:
    """Colour the field of every strip by its relevance, behind grid and trace."""
    colours, norm = shades(signed)
    for piece in tracing.strips:
        values = multiples[recording.leads.index(piece.strip.lead), piece.samples]
        # One field for each run of equal values: a step of attention is one field.
        begins = np.flatnonzero(np.append(True, np.diff(values) != 0))
        edges = sample_edges(piece, recording.sampling_rate)
        borders = np.minimum(np.append(edges[begins], edges[-1]), piece.right)
        shown = places(values[begins]) if signed else np.clip(values[begins], LOWEST, HIGHEST)
        axes.pcolormesh(
            borders, [piece.bottom + 0.5, piece.top - 0.5], shown[None], cmap=colours, norm=norm,
            # Without edges of their own colour, hairlines show between the fields of a PDF.
            edgecolors="face", linewidth=0.25, zorder=1,
            gid=f"relevance-{piece.strip.lead}-{piece.strip.start:g}",
        )  # fmt: skip


def draw_coloured_trace(
    axes: Axes, tracing: Tracing, recording: Recording, multiples: NDArray[np.floating], signed: bool = False
) -> None:
    """Draw the trace of every strip in the colour of its relevance, the wider the more of it."""
    for piece in tracing.strips:
        values = multiples[recording.leads.index(piece.strip.lead), piece.samples]
        # In steps of half a doubling, so that a run of nearly equal values is one line.
        at = np.round(places(values) * 8 * _STEPS_A_DOUBLING) / (8 * _STEPS_A_DOUBLING)
        begins = np.flatnonzero(np.append(True, np.diff(at) != 0))
        ends = np.append(begins[1:] + 1, len(at))  # each line ends where the next begins
        lines = [
            np.column_stack([piece.x[first:last], piece.y[first:last]])
            for first, last in zip(begins, ends, strict=True)
        ]
        level = np.sign(at[begins]) * LOWEST * 2.0 ** (8 * np.abs(at[begins]))
        axes.add_collection(
            LineCollection(
                lines, colors=trace_colours(level, signed).tolist(), zorder=4.5, capstyle="round",
                linewidths=[points(_THIN + (_THICK - _THIN) * size) for size in np.abs(at[begins])],
                gid=f"relevance-{piece.strip.lead}-{piece.strip.start:g}",
            ),
            autolim=False,
        )  # fmt: skip


def sample_edges(piece: PlacedStrip, rate: float) -> NDArray[np.float64]:
    """Where each sample of a strip begins on the paper, and where the last one ends: (samples + 1,).

    A sample stands for the time from itself to the next one.
    """
    samples = np.append(piece.samples, piece.samples[-1] + 1)
    result: NDArray[np.float64] = piece.left + (samples / rate - piece.strip.start) * MM_PER_SECOND
    return result


def _height(axes: Axes) -> float:
    return float(axes.get_ylim()[1])
