"""ECG paper: the one place that knows its grid, speed and gain.

A page is measured in millimetres: on the axes that ``draw_paper`` returns, one
unit is one millimetre of the printed page, so that everything drawn on them is
to scale in a PDF or SVG printed at 100%.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

MM_PER_SECOND = 25.0
MM_PER_MILLIVOLT = 10.0
MM_PER_INCH = 25.4
DOTS_PER_INCH = 8 * MM_PER_INCH
"""Eight pixels a millimetre: every grid line of a PNG falls on whole pixels."""

INK = "#111111"
QUIET = "#444444"
PAPER = "#fffdfb"
FINE_LINE, BOLD_LINE = "#f6d3cf", "#e7a49c"

CALIBRATION_SECONDS, CALIBRATION_MILLIVOLTS = 0.2, 1.0


def new_page(width: float, height: float) -> Figure:
    """A blank page. width, height: millimetres."""
    return Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), dpi=DOTS_PER_INCH, facecolor="white")


def millimetre_axes(page: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Invisible axes whose unit is one millimetre. left, bottom: the lower left corner on the page, mm."""
    page_width, page_height = (float(size) * MM_PER_INCH for size in page.get_size_inches())
    axes = page.add_axes((left / page_width, bottom / page_height, width / page_width, height / page_height))
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.axis("off")
    return axes


def draw_paper(page: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """ECG paper on a page: fine lines every 1 mm, bold lines every 5 mm.

    left, bottom: the lower left corner on the page; width, height: multiples of
    5 mm. Returns axes in millimetres from that corner.
    """
    axes = millimetre_axes(page, left, bottom, width, height)
    axes.add_patch(Rectangle((0, 0), width, height, facecolor=PAPER, edgecolor="none", zorder=0))
    for step, colour, line_width in ((1, FINE_LINE, 0.1), (5, BOLD_LINE, 0.22)):
        # The fine lines leave out the places of the bold ones.
        places_x = [x for x in range(0, int(width) + 1, step) if step == 5 or x % 5]
        places_y = [y for y in range(0, int(height) + 1, step) if step == 5 or y % 5]
        lines = [[(x, 0), (x, height)] for x in places_x] + [[(0, y), (width, y)] for y in places_y]
        grid = LineCollection(
            lines, colors=colour, linewidths=points(line_width), zorder=1.5, gid=f"grid-{step}-mm"
        )
        grid.set_snap(True)
        grid.set_clip_on(False)
        axes.add_collection(grid)
    return axes


def draw_calibration(axes: Axes, x: float, y: float) -> float:
    """The calibration pulse, 1 mV high and 0.2 s long, from (x, y) in millimetres; returns where it ends."""
    foot, pulse = 2.5, CALIBRATION_SECONDS * MM_PER_SECOND
    rise = CALIBRATION_MILLIVOLTS * MM_PER_MILLIVOLT
    steps_x = [x, x + foot, x + foot, x + foot + pulse, x + foot + pulse, x + 2 * foot + pulse]
    axes.plot(
        steps_x, [y, y, y + rise, y + rise, y, y],
        color=INK, linewidth=points(0.25), zorder=3, solid_joinstyle="miter", gid="calibration",
    )  # fmt: skip
    return steps_x[-1]


LINE = 3.5
"""Millimetres from one line of small print to the next."""


def write_lines(axes: Axes, x: float, top: float, lines: Sequence[str], size: float = 2.5) -> None:
    """Lines of text below each other; size: of the letters, millimetres."""
    for number, line in enumerate(lines):
        axes.text(
            x, top - number * LINE, line,
            fontsize=points(size), color=QUIET, va="top", ha="left", parse_math=False,
        )  # fmt: skip


def points(millimetres: float) -> float:
    """Typographic points, Matplotlib's unit of line widths and letters."""
    return millimetres / MM_PER_INCH * 72
