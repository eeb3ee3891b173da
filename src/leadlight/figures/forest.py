"""Forest plots: values or differences with their intervals, a row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from leadlight.figures.chart import LETTERS, SMALL, THIN_LINE, TWO_COLUMNS, chart, colour_of, foot_note
from leadlight.figures.paper import INK, QUIET, new_page, points

_STEP = 5.0
_RIGHT = 47.0


@dataclass(frozen=True)
class ForestRow:
    """A row: label, value with interval, a count beside the label and a remark beside the value.

    heading: the group that it stands under, "" for none; remark: stands in place of the interval where the
    value is NaN (such as "too few"), else behind it.
    """

    label: str
    value: float
    low: float = np.nan
    high: float = np.nan
    count: str = ""
    remark: str = ""
    heading: str = ""


def plot_forest(
    rows: Sequence[ForestRow],
    xlabel: str,
    *,
    reference: float | None = None,
    title: str = "",
    sides: tuple[str, str] = ("", ""),
    digits: int = 3,
    foot: str = "",
) -> Figure:
    """Values with intervals, a row each, under the headings of their groups.

    reference: a line, such as 0 of a difference; rows whose interval leaves it out are drawn filled, others
    hollow. sides: what lies to the left and to the right of it; digits: of the numbers beside.
    """
    lines: list[ForestRow | str] = []
    for row in rows:
        if row.heading and (not lines or row.heading != _heading_above(lines)):
            lines.append(row.heading)
        lines.append(row)
    n_lines = max(1, len(lines))
    left = min(62.0, 8.0 + 1.62 * max([len(row.label) + len(row.count) + 3 for row in rows], default=1))
    bottom = 11.0 + (4.0 if any(sides) else 0.0) + (3.2 * (foot.count("\n") + 1) if foot else 0.0)
    height = bottom + _STEP * n_lines + (8.0 if title else 2.5)
    page = new_page(TWO_COLUMNS, height)
    field = TWO_COLUMNS - left - _RIGHT
    axes = chart(page, left, bottom, field, _STEP * n_lines, title=title, xlabel=xlabel)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(n_lines - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    low, high = _limits(rows, reference)
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    if reference is not None:
        axes.axvline(reference, color=QUIET, linewidth=points(THIN_LINE), zorder=1, gid="reference")
    for place, line in enumerate(lines):
        if isinstance(line, str):
            _write(axes, (2.0 - left) / field, place, line, LETTERS, bold=True)
        else:
            indent = 4.0 if line.heading else 2.0
            _draw_row(axes, place, line, (indent - left) / field, reference, digits)
    if any(sides):
        for x, align, text in ((0.0, "left", sides[0]), (1.0, "right", sides[1])):
            arrow = f"← {text}" if align == "left" else f"{text} →"
            axes.text(
                x, -9.5 / (_STEP * n_lines), arrow, transform=axes.transAxes, fontsize=points(SMALL),
                color=QUIET, ha=align, va="top", parse_math=False,
            )  # fmt: skip
    if foot:
        foot_note(page, foot, left=4.0)
    return page


def _draw_row(
    axes: Axes, place: int, row: ForestRow, left: float, reference: float | None, digits: int
) -> None:
    _write(axes, left, place, row.label, LETTERS)
    if row.count:
        _write(axes, -0.015, place, row.count, SMALL, colour=QUIET, align="right")
    if not np.isfinite(row.value):
        _write(axes, 1.02, place, row.remark or "–", SMALL, colour=QUIET)
        return
    is_apart = reference is not None and (row.low > reference or row.high < reference)
    colour = colour_of(0)
    if np.isfinite(row.low):
        axes.plot(
            [row.low, row.high], [place, place], color=colour, linewidth=points(0.35), zorder=2,
            solid_capstyle="butt", gid="interval",
        )  # fmt: skip
    axes.plot(
        row.value, place, "s", color=colour if is_apart or reference is None else "white",
        markeredgecolor=colour, markeredgewidth=points(0.3), markersize=points(1.6), zorder=3,
        gid="apart" if is_apart else "value",
    )  # fmt: skip
    sign = "+" if reference == 0 else ""
    text = f"{row.value:{sign}.{digits}f}"
    if np.isfinite(row.low):
        text += f" ({row.low:{sign}.{digits}f} to {row.high:{sign}.{digits}f})"
    text = text.replace("-", "−")
    _write(axes, 1.02, place, f"{text}  {row.remark}".rstrip(), SMALL, bold=is_apart)


def _write(
    axes: Axes, x: float, place: float, text: str, size: float, *, colour: str = INK, align: str = "left",
    bold: bool = False,
) -> None:  # fmt: skip
    axes.text(
        x, place, text, transform=axes.get_yaxis_transform(), fontsize=points(size), color=colour, ha=align,
        va="center", weight="bold" if bold else "normal", parse_math=False, clip_on=False,
    )  # fmt: skip


def _heading_above(lines: Sequence[ForestRow | str]) -> str:
    last = lines[-1]
    return last if isinstance(last, str) else last.heading


def _limits(rows: Sequence[ForestRow], reference: float | None) -> tuple[float, float]:
    numbers = [n for row in rows for n in (row.value, row.low, row.high) if np.isfinite(n)]
    if reference is not None:
        numbers.append(reference)
    if not numbers:
        return 0.0, 1.0
    low, high = min(numbers), max(numbers)
    room = 0.04 * (high - low) or 0.05
    return low - room, high + room
