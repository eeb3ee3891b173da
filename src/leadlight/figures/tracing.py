"""A recording on ECG paper, to scale: 25 mm/s and 10 mm/mV."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadlight.errors import SignalError, kind_of
from leadlight.figures.arrangement import PAGE_SECONDS, arrange
from leadlight.figures.paper import (
    INK,
    LINE,
    MM_PER_MILLIVOLT,
    MM_PER_SECOND,
    QUIET,
    draw_calibration,
    draw_paper,
    millimetre_axes,
    new_page,
    points,
    write_lines,
)
from leadlight.figures.placement import LEFT_OF_TRACE, NAME_HEIGHT, Tracing, place
from leadlight.recording import Recording

PAGE_WIDTH, PAGE_HEIGHT = 297.0, 210.0
"""A4 in landscape, millimetres; a page grows in height where the traces need it."""
MARGIN = 16.0
PAPER_WIDTH = LEFT_OF_TRACE + PAGE_SECONDS * MM_PER_SECOND
HEADER = 12.0
SECONDS_MARKS = 5.0
LETTERS_IN_A_LINE = 205


@dataclass(frozen=True)
class Sheet:
    """A page with a tracing on it. paper, below: axes in millimetres; below: what lies under the paper."""

    page: Figure
    paper: Axes
    below: Axes
    tracing: Tracing


def plot(recording: Recording, layout: str = "auto", start: float = 0.0, title: str = "") -> Figure:
    """A recording on ECG paper.

    layout: "3x4" with a rhythm strip, "6x2", "12x1" (one strip a lead), "single"
    (lead II or else the first one, on a page as high as it needs) or "auto";
    start: seconds, at most 10 s are shown from there; title: written
    above the tracing (nothing of the patient is written unless it stands there).
    Returns a Matplotlib figure, to scale when saved as PDF or SVG and printed
    at 100%: A4 in landscape, higher where the traces need it. Gaps stay blank;
    what is not shown or was moved is said below the tracing.
    Raises SignalError for anything but a Recording, an unknown layout, an empty recording or a start
    outside it.
    """
    check_recording(recording)
    if not isinstance(title, str):
        raise SignalError(f"title: found {kind_of(title)}; accepted: a text.")
    return tracing_sheet(recording, layout, start, title).page


def check_recording(recording: object) -> None:
    """Raise SignalError, with the call that gives one, for anything but a Recording."""
    if not isinstance(recording, Recording):
        raise SignalError(
            f"recording: found {kind_of(recording)}; accepted: a Recording. leadlight.read(path) reads one "
            "from a file; leadlight.Recording(signal, leads, sampling_rate) makes one of an array."
        )


def tracing_sheet(
    recording: Recording, layout: str, start: float, title: str, room: float = 0.0, text: Sequence[str] = ()
) -> Sheet:
    """A tracing with room (mm) left free below the paper, and below that small print.

    text: paragraphs of the small print; the facts of the recording follow them.
    """
    arrangement = arrange(recording, layout, start)
    tracing = place(recording, arrangement)
    # A recording that was filtered says so in its own notes.
    is_filtered = any(note.startswith(("filtered:", "baseline subtracted")) for note in recording.notes)
    facts = (
        *arrangement.notes, f"{recording.sampling_rate:g} Hz", *(() if is_filtered else ("no filter added",)),
        *recording.notes, *tracing.notes,
    )  # fmt: skip
    lines = _lines((*text, "  ·  ".join(facts)))
    below = SECONDS_MARKS + room + LINE * len(lines) + 5.0
    if layout == "single":
        height = float(math.ceil(tracing.height + HEADER + below))
    elif tracing.height + HEADER + below <= PAGE_HEIGHT:
        height = PAGE_HEIGHT
        # Once more, with all the room that A4 leaves.
        tracing = place(recording, arrangement, 5 * ((PAGE_HEIGHT - HEADER - below) // 5))
    else:
        height = float(math.ceil(tracing.height + HEADER + below + LINE))
        facts = (*facts, f"to scale on a page of {PAGE_WIDTH:g} × {height:g} mm, larger than A4")
        lines = _lines((*text, "  ·  ".join(facts)))
    page = new_page(PAGE_WIDTH, height)
    # Whole millimetres, so that the grid of a PNG falls on whole pixels.
    below = float(int(height - HEADER - tracing.height))
    _write_header(page, below + tracing.height, title)
    axes = draw_paper(page, MARGIN, below, PAPER_WIDTH, tracing.height)
    draw_tracing(axes, tracing)
    under = millimetre_axes(page, MARGIN, 0, PAPER_WIDTH, below)
    write_lines(under, 0, below - SECONDS_MARKS - room, lines)
    return Sheet(page, axes, under, tracing)


def _lines(paragraphs: Sequence[str]) -> list[str]:
    return [line for paragraph in paragraphs for line in textwrap.wrap(paragraph, LETTERS_IN_A_LINE)]


def _write_header(page: Figure, bottom: float, title: str) -> None:
    """The title on the left and what the paper's lines mean on the right."""
    axes = millimetre_axes(page, MARGIN, bottom + 2, PAPER_WIDTH, HEADER - 2)
    axes.text(
        0, 0.5, textwrap.shorten(title, 90, placeholder=" …"), parse_math=False,
        fontsize=points(3.8), color=INK, ha="left", va="bottom", weight="bold",
    )  # fmt: skip
    axes.text(
        PAPER_WIDTH, 0.5, f"{MM_PER_SECOND:g} mm/s   {MM_PER_MILLIVOLT:g} mm/mV",
        fontsize=points(3.2), color=INK, ha="right", va="bottom",
    )  # fmt: skip


def draw_tracing(axes: Axes, tracing: Tracing) -> None:
    """Draw placed strips with calibration pulses, lead names, column marks and seconds on paper."""
    for y in tracing.rows:
        draw_calibration(axes, 2.0, y)
    for piece in tracing.strips:
        axes.plot(
            piece.x, piece.y,
            color=INK, linewidth=points(0.28), zorder=4, solid_joinstyle="round", solid_capstyle="round",
            gid=f"trace-{piece.strip.lead}-{piece.strip.start:g}",
        )  # fmt: skip
        axes.text(
            piece.name_x, piece.name_y, piece.strip.lead,
            fontsize=points(NAME_HEIGHT), color=INK, weight="bold", va="bottom", ha="left", zorder=5,
        )  # fmt: skip
        if piece.strip.at > 0:
            # The bar between two columns, where one lead ends and the next begins.
            for end in (-6.0, 4.0):
                axes.plot(
                    [piece.left] * 2, [piece.baseline + end, piece.baseline + end + 2],
                    color=QUIET, linewidth=points(0.25), zorder=3,
                )  # fmt: skip
    if tracing.arrangement.continuous:
        _mark_seconds(axes, tracing)


def _mark_seconds(axes: Axes, tracing: Tracing) -> None:
    start, duration = tracing.arrangement.start, tracing.arrangement.duration
    for second in range(int(duration) + 1):
        x = LEFT_OF_TRACE + second * MM_PER_SECOND
        axes.plot([x, x], [-1.2, 0], color=QUIET, linewidth=points(0.2), clip_on=False, zorder=3)
        label = f"{start + second:g} s" if second == 0 else f"{start + second:g}"
        axes.text(x, -1.6, label, fontsize=points(2.1), color=QUIET, va="top", ha="center")
