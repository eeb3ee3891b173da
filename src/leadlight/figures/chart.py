"""Charts: the one place that knows their widths, letters, colours and axes.

Widths are those of print: one column and two columns of a journal. No letter is
smaller than 6 points, so that a figure set at its own width can be read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadlight.figures.paper import INK, MM_PER_INCH, QUIET, new_page, points

ONE_COLUMN, TWO_COLUMNS = 88.0, 180.0
"""Millimetres."""
TITLE, LETTERS, SMALL = 2.8, 2.5, 2.2
"""Heights of letters in millimetres; 2.12 mm are 6 points."""
LINE_WIDTH, THIN_LINE = 0.4, 0.2
GRID, BAND_ALPHA = "#e5e5e5", 0.22
NEUTRAL = "#8a8a8a"

COLOURS = ("#0072b2", "#d55e00", "#009458", "#aa4f86", "#8a6a00", "#2387bf", "#111111")
"""After Okabe and Ito, told apart by every kind of colour vision; orange, sky and green are darker here, so
that a thin line of each stands out from white by 3:1. Dashes and markers say the same without colour."""
DASHES: tuple[Any, ...] = (
    "-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)),
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

FEW_CLASSES = 12
"""Up to so many classes each get a panel of their own."""


def colour_of(number: int) -> str:
    """The colour of the number-th thing, from 0."""
    return COLOURS[number % len(COLOURS)]


def dashes_of(number: int) -> Any:
    """Its dashes; a colour that comes back has others."""
    return DASHES[(number // len(COLOURS) + number) % len(DASHES)]


def chart(
    page: Figure,
    left: float,
    bottom: float,
    width: float,
    height: float,
    *,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
) -> Axes:
    """Axes of a chart on a page; left, bottom, width, height: of the field within the axes, millimetres."""
    page_width, page_height = (float(size) * MM_PER_INCH for size in page.get_size_inches())
    axes = page.add_axes((left / page_width, bottom / page_height, width / page_width, height / page_height))
    axes.set_title(title, fontsize=points(TITLE), color=INK, loc="left", pad=points(0.9), parse_math=False)
    axes.set_xlabel(xlabel, fontsize=points(LETTERS), color=INK, labelpad=points(0.8), parse_math=False)
    axes.set_ylabel(ylabel, fontsize=points(LETTERS), color=INK, labelpad=points(0.8), parse_math=False)
    axes.tick_params(labelsize=points(SMALL), colors=QUIET, length=2, pad=2)
    axes.grid(color=GRID, linewidth=points(0.15))
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=QUIET, linewidth=points(0.15))
    return axes


def panels(
    titles: Sequence[str],
    *,
    columns: int = 0,
    width: float = 0.0,
    height: float = 0.0,
    xlabel: str = "",
    ylabel: str = "",
    foot: float = 0.0,
) -> tuple[Figure, list[Axes]]:
    """A page of panels with the same axes, one a title, row by row.

    columns: 0 takes what fits: two in one print column, four in two. height: of a panel's field, 0 makes it
    as high as it is wide; width: of the page, 0 takes one column for up to two panels, else two; foot: mm
    left free below. Only the outer panels carry numbers and the axes' names.
    """
    n = len(titles)
    width = width or (ONE_COLUMN if n <= 2 else TWO_COLUMNS)
    columns = columns or min(n, 2 if width < TWO_COLUMNS else (3 if n in (3, 5, 6) else 4))
    rows = math.ceil(n / columns)
    left, between, right = 13.0, 6.0, 4.0
    field = (width - left - right - between * (columns - 1)) / columns
    tall = height or field
    above, under = 7.0, 11.0
    step = tall + 9.0
    page = new_page(width, above + step * rows - 9.0 + under + foot)
    page_height = float(page.get_size_inches()[1]) * MM_PER_INCH
    found = []
    for number, title in enumerate(titles):
        row, column = divmod(number, columns)
        lowest = number + columns >= n
        axes = chart(
            page, left + column * (field + between), page_height - above - tall - row * step, field, tall,
            title=title, xlabel=xlabel if lowest else "", ylabel=ylabel if column == 0 else "",
        )  # fmt: skip
        if not lowest:
            axes.tick_params(labelbottom=False)
        if column:
            axes.tick_params(labelleft=False)
        found.append(axes)
    return page, found


def unit_axes(axes: Axes, *, x: bool = True, y: bool = True) -> None:
    """Axes from 0 to 1, with a little room, so that a line on the edge is seen whole."""
    ticks, labels = [0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"]
    if x:
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks(ticks, labels)
    if y:
        axes.set_ylim(-0.02, 1.02)
        axes.set_yticks(ticks, labels)


def note(axes: Axes, x: float, y: float, text: str, *, size: float = SMALL, align: str = "left") -> None:
    """Small print within a panel, x and y as shares of its field, on white: no line runs through it."""
    axes.text(
        x, y, text, transform=axes.transAxes, fontsize=points(size), color=INK, ha=align,
        va="bottom" if y < 0.5 else "top", zorder=6, parse_math=False, linespacing=1.25,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.8},
    )  # fmt: skip


def foot_note(page: Figure, text: str, *, left: float = 13.0, bottom: float = 1.6) -> None:
    """Small print at the foot of a page, millimetres from its lower left corner."""
    width, height = (float(size) * MM_PER_INCH for size in page.get_size_inches())
    page.text(
        left / width, bottom / height, text,
        fontsize=points(SMALL), color=QUIET, va="bottom", ha="left", parse_math=False, linespacing=1.3,
    )  # fmt: skip


def interval(value: float, low: float, high: float) -> str:
    """ "0.912 (0.89–0.93)", or the value alone, or a dash."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.3f} ({low:.3f}–{high:.3f})" if math.isfinite(low) else f"{value:.3f}"
