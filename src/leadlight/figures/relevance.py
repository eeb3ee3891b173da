"""What a model attended to, drawn behind a tracing, on one fixed scale.

Relevance is shown in multiples of the uniform share: 1 is what every sample
would have if nothing stood out. The scale is the same for every record and
model, so that figures can be compared, and a uniform map looks uniform.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.figures.bars import Findings, draw_lead_importance, draw_probabilities, probabilities_height
from leadlight.figures.paper import INK, MM_PER_SECOND, QUIET, points
from leadlight.figures.placement import Tracing
from leadlight.figures.tracing import PAPER_WIDTH, SECONDS_MARKS, Sheet, tracing_sheet
from leadlight.recording import Recording

LOWEST, HIGHEST = 1 / 8, 32.0
"""Ends of the colour scale, in multiples of the uniform share."""

# One colour a doubling, from white at 1/8 to a blue that a black trace can still be read on.
# Lightness falls all the way, so that it survives grey print and every kind of colour
# blindness; the larger part of the fall lies above 1, where a model looks more than evenly.
_SHADES = (
    "#ffffff", "#f7f9fc", "#edf3f9", "#e0eaf6", "#c6daef", "#a9c8e8", "#88b3df", "#649bd3", "#4284c9",
)  # fmt: skip
COLOURS = LinearSegmentedColormap.from_list("leadlight-relevance", _SHADES)
_BAR_WIDTH, _BAR_HEIGHT, _BAR_ROOM = 84.0, 3.0, 11.0


def plot_relevance(
    recording: Recording,
    multiples: NDArray[np.floating],
    layout: str = "auto",
    start: float = 0.0,
    title: str = "",
    text: Sequence[str] = (),
) -> Figure:
    """A tracing with relevance behind it and a colour bar.

    multiples: (leads, samples) of the recording, in multiples of the uniform
    share; text: paragraphs below the tracing. layout, start, title: as ``plot``.
    Raises SignalError for another shape or values that are negative or not finite.
    """
    return _relevance_sheet(recording, multiples, layout, start, title, text, 0.0).page


def plot_explanation(
    recording: Recording,
    multiples: NDArray[np.floating],
    lead_importance: NDArray[np.floating],
    findings: Findings,
    layout: str = "auto",
    start: float = 0.0,
    title: str = "",
    text: Sequence[str] = (),
) -> Figure:
    """One page: tracing with relevance, lead importance, probabilities with thresholds, and what they mean.

    multiples: (leads, samples), in multiples of the uniform share;
    lead_importance: (leads,), shares that sum to one; text: paragraphs of the caption.
    """
    room = max(40.0, probabilities_height(len(findings.classes))) + 4.0
    sheet = _relevance_sheet(recording, multiples, layout, start, title, text, room)
    top = _height(sheet.below) - SECONDS_MARKS - _BAR_ROOM
    draw_lead_importance(sheet.below, 0.0, top, 112.0, recording.leads, lead_importance)
    draw_probabilities(sheet.below, 126.0, top, PAPER_WIDTH - 126.0, findings)
    return sheet.page


def _relevance_sheet(
    recording: Recording,
    multiples: NDArray[np.floating],
    layout: str,
    start: float,
    title: str,
    text: Sequence[str],
    room: float,
) -> Sheet:
    multiples = np.asarray(multiples)
    if multiples.shape != recording.signal.shape:
        raise SignalError(
            f"relevance: found shape {multiples.shape}; accepted: {recording.signal.shape}, "
            "one value for every lead and sample of the recording."
        )
    if not (np.isfinite(multiples).all() and (multiples >= 0).all()):
        raise SignalError("relevance: found negative or missing values; accepted: multiples from 0 on.")
    sheet = tracing_sheet(recording, layout, start, title, _BAR_ROOM + room, text)
    draw_relevance(sheet.paper, sheet.tracing, recording, multiples)
    draw_colour_bar(sheet.below, 0.0, _height(sheet.below) - SECONDS_MARKS, multiples)
    return sheet


def draw_relevance(
    axes: Axes, tracing: Tracing, recording: Recording, multiples: NDArray[np.floating]
) -> None:
    """Colour the field of every strip by its relevance, behind grid and trace."""
    rate = recording.sampling_rate
    for piece in tracing.strips:
        samples = piece.samples
        # A sample stands for the time from itself to the next one.
        edges = piece.left + (np.append(samples, samples[-1] + 1) / rate - piece.strip.start) * MM_PER_SECOND
        values = multiples[recording.leads.index(piece.strip.lead), samples]
        # One field for each run of equal values: a step of attention is one field.
        begins = np.flatnonzero(np.append(True, np.diff(values) != 0))
        borders = np.minimum(np.append(edges[begins], edges[-1]), piece.right)
        axes.pcolormesh(
            borders, [piece.bottom + 0.5, piece.top - 0.5],
            np.clip(values[begins], LOWEST, HIGHEST)[None], cmap=COLOURS, norm=LogNorm(LOWEST, HIGHEST),
            # Without edges of their own colour, hairlines show between the fields of a PDF.
            edgecolors="face", linewidth=0.25, zorder=1,
            gid=f"relevance-{piece.strip.lead}-{piece.strip.start:g}",
        )  # fmt: skip


def draw_colour_bar(axes: Axes, x: float, top: float, multiples: NDArray[np.floating]) -> None:
    """The scale with numbers; arrowheads stand for what lies beyond it, and the text says how much does."""
    bottom, arrow, height = top - 2.0 - _BAR_HEIGHT, 3.0, _height(axes)
    left, right = x + arrow, x + arrow + _BAR_WIDTH
    axes.imshow(
        np.geomspace(LOWEST, HIGHEST, 256)[None], cmap=COLOURS, norm=LogNorm(LOWEST, HIGHEST),
        extent=(left, right, bottom, bottom + _BAR_HEIGHT), aspect="auto",
    )  # fmt: skip
    axes.set(xlim=(0, PAPER_WIDTH), ylim=(0, height))  # an image would fit the axes to itself
    outline = [
        (left, bottom), (left - arrow, bottom + _BAR_HEIGHT / 2), (left, bottom + _BAR_HEIGHT),
        (right, bottom + _BAR_HEIGHT), (right + arrow, bottom + _BAR_HEIGHT / 2), (right, bottom),
    ]  # fmt: skip
    axes.add_patch(Polygon(outline[:3], facecolor=COLOURS(0.0), edgecolor="none"))
    axes.add_patch(Polygon(outline[3:], facecolor=COLOURS(1.0), edgecolor="none"))
    axes.add_patch(Polygon(outline, facecolor="none", edgecolor=QUIET, linewidth=points(0.15)))
    n_doublings = round(np.log2(HIGHEST / LOWEST))
    for number in range(n_doublings + 1):
        place = left + _BAR_WIDTH * number / n_doublings
        axes.plot([place] * 2, [bottom - 0.8, bottom], color=QUIET, linewidth=points(0.15))
        label = f"{Fraction(LOWEST * 2**number).limit_denominator(64)}×"
        axes.text(place, bottom - 1.1, label, fontsize=points(2.3), color=INK, ha="center", va="top")
    beyond = 100 * np.array([(multiples < LOWEST).mean(), (multiples > HIGHEST).mean()])
    axes.text(
        right + arrow + 4, top - 1.6,
        "attention of each sample, in multiples of the uniform share (1× = all samples alike)",
        fontsize=points(2.6), color=INK, ha="left", va="top",
    )  # fmt: skip
    axes.text(
        right + arrow + 4, top - 5.4,
        f"same scale in every figure; arrowheads: {_percent(beyond[0])} of the samples lie below it, "
        f"{_percent(beyond[1])} above (at most {_times(float(multiples.max()))})",
        fontsize=points(2.3), color=QUIET, ha="left", va="top",
    )  # fmt: skip


def _percent(share: float) -> str:
    if share == 0:
        return "none"
    return f"{share:.0f}%" if share >= 1 else f"{share:.1g}%"


def _times(multiple: float) -> str:
    return f"{multiple:.2g}×" if multiple < 10 else f"{multiple:.0f}×"


def _height(axes: Axes) -> float:
    return float(axes.get_ylim()[1])
