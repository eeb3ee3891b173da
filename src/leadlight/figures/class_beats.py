"""A class explained: mean beats with mean relevance behind them, and how much each lead counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.figures.chart import (
    LETTERS,
    LINE_WIDTH,
    MARKERS,
    SMALL,
    THIN_LINE,
    TITLE,
    TWO_COLUMNS,
    chart,
    colour_of,
)
from leadlight.figures.names import wrapped
from leadlight.figures.paper import INK, QUIET, millimetre_axes, new_page, points
from leadlight.figures.relevance_colours import BAR_ROOM, COLOURS, SIGNED, draw_colour_bar, places

_ROW, _ABOVE, _BELOW, _NAMES, _BARS = 13.0, 16.0, 12.0, 11.0, 34.0


@dataclass(frozen=True, eq=False)
class BeatColumn:
    """A group of records.

    beat, relevance: (leads, times), means in mV and in multiples of the uniform share; importance:
    (leads, 3), the share of each lead with the ends of its interval, NaN for none.
    """

    name: str
    n_records: int
    n_beats: int
    beat: NDArray[np.floating]
    relevance: NDArray[np.floating]
    importance: NDArray[np.floating]


def plot_class(
    leads: Sequence[str],
    times: NDArray[np.floating],
    columns: Sequence[BeatColumn],
    *,
    signed: bool = False,
    title: str = "",
    foot: Sequence[str] = (),
) -> Figure:
    """A row a lead, a column a group of records, lead importance with intervals beside them.

    times: (times,) seconds from the R peak. All columns share the scale of millivolts and the colours of
    relevance, which are those of all figures; a group without records stays empty and says so.
    foot: sentences below, broken to the width of the page.
    Raises SignalError for arrays of another shape.
    """
    for column in columns:
        wanted = (len(leads), len(times))
        if column.n_records and (column.beat.shape != wanted or column.relevance.shape != wanted):
            raise SignalError(
                f"{column.name}: found {column.beat.shape} and {column.relevance.shape}; accepted: {wanted}, "
                "leads by times."
            )
    feet = [line for sentence in foot for line in wrapped(sentence, TWO_COLUMNS - 6.0, SMALL)]
    lines = len(feet)
    height = _ABOVE + _ROW * len(leads) + _BELOW + BAR_ROOM + 7.0 + 4.0 * lines + 2.0
    page = new_page(TWO_COLUMNS, height)
    base = millimetre_axes(page, 0.0, 0.0, TWO_COLUMNS, height)
    _write(base, 3.0, height - 3.0, title, TITLE, weight="bold")
    field = (TWO_COLUMNS - _NAMES - _BARS - 7.0) / len(columns) - 2.5
    top = height - _ABOVE
    low, high = _range(columns)
    for number, column in enumerate(columns):
        left = _NAMES + number * (field + 2.5)
        base.plot(left + 1.0, top + 6.4, MARKERS[number], color=colour_of(number), markersize=points(1.1))
        _write(base, left + 3.0, top + 7.6, column.name, LETTERS, weight="bold")
        _write(base, left, top + 4.0, _counts(column), SMALL)
        for row in range(len(leads)):
            axes = _panel(page, left, top - _ROW * (row + 1) + 0.6, field, _ROW - 1.2)
            axes.set(xlim=(times[0], times[-1]), ylim=(low, high))
            if column.n_records:
                _draw(axes, times, column.beat[row], column.relevance[row], signed)
            axes.tick_params(labelbottom=row == len(leads) - 1, labelleft=False)
    for row, lead in enumerate(leads):
        _write(base, 3.0, top - _ROW * (row + 0.5) + 1.4, lead, LETTERS, weight="bold")
    left = _NAMES + len(columns) * (field + 2.5) + 1.0
    _importance(page, left, top, len(leads), columns)
    _write(base, left, top + 7.6, "lead importance", LETTERS, weight="bold")
    _write(base, left, top + 4.0, "% of the relevance, 95% interval", SMALL)
    under = top - _ROW * len(leads)
    _write(base, _NAMES, under - 5.2, "seconds from the R peak", SMALL)
    shown = [column.relevance.ravel() for column in columns if column.n_records]
    everything = np.nan_to_num(np.concatenate(shown)) if shown else np.zeros(1)
    draw_colour_bar(base, 3.0, under - 9.5, everything, signed=signed, what="relevance", narrow=True)
    for number, line in enumerate(feet):
        _write(base, 3.0, 4.0 * (lines - number) + 1.0, line, SMALL)
    return page


def _draw(
    axes: Axes, times: NDArray[np.floating], beat: NDArray[np.floating], relevance: NDArray[np.floating],
    signed: bool,
) -> None:  # fmt: skip
    """One mean beat, its relevance as bands behind it."""
    half = np.diff(times).mean() / 2
    edges = np.append(times - half, times[-1] + half)
    at = places(np.nan_to_num(relevance))
    low, high = axes.get_ylim()
    axes.pcolormesh(
        edges, [low, high], at[np.newaxis] if signed else np.abs(at)[np.newaxis],
        cmap=SIGNED if signed else COLOURS, norm=Normalize(-1 if signed else 0, 1), edgecolors="face",
        linewidth=0.2, zorder=1,
    )  # fmt: skip
    axes.axvline(0, color=QUIET, linewidth=points(0.12), linestyle=(0, (2, 2)), zorder=2)
    axes.plot(times, beat, color=INK, linewidth=points(LINE_WIDTH), zorder=3, solid_joinstyle="round")


def _importance(
    page: Figure, left: float, top: float, n_leads: int, columns: Sequence[BeatColumn]
) -> None:  # fmt: skip
    """Shares of the leads with their intervals, level with the rows."""
    axes = chart(page, left, top - _ROW * n_leads, _BARS, _ROW * n_leads)
    largest = 1 / n_leads
    for number, column in enumerate(columns):
        if not column.n_records:
            continue
        rows = np.arange(n_leads) + 0.5 + 0.22 * (number - (len(columns) - 1) / 2)
        value, low, high = column.importance.T
        largest = max(largest, float(np.nanmax(np.where(np.isfinite(high), high, value))))
        axes.hlines(
            rows, 100 * low, 100 * high, color=colour_of(number), linewidth=points(THIN_LINE * 1.4), zorder=2
        )
        axes.plot(
            100 * value, rows, MARKERS[number], color=colour_of(number), markersize=points(1.1), zorder=3,
            label=column.name,
        )  # fmt: skip
    axes.axvline(100 / n_leads, color=INK, linewidth=points(0.15), linestyle=(0, (4, 2)), zorder=1)
    axes.set(ylim=(n_leads, 0), xlim=(0, 108 * largest))
    axes.set_yticks([])


def _panel(page: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    axes = chart(page, left, bottom, width, height)
    axes.grid(False)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    return axes


def _range(columns: Sequence[BeatColumn]) -> tuple[float, float]:
    """Millivolts from the lowest to the highest of all mean beats, with room."""
    shown = [column.beat for column in columns if column.n_records]
    values = np.concatenate([one.ravel() for one in shown]) if shown else np.zeros(2)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.08 * max(high - low, 0.1)
    return low - room, high + room


def _counts(column: BeatColumn) -> str:
    if not column.n_records:
        return "no record"
    return f"{column.n_records:,} records, {column.n_beats:,} beats"


def _write(axes: Axes, x: float, y: float, text: str, size: float, weight: str = "normal") -> None:
    axes.text(
        x, y, text, fontsize=points(size), color=INK, va="top", ha="left", weight=weight, parse_math=False
    )
