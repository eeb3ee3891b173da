"""Right and wrong calls of each class at its threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from leadlight.figures.chart import FEW_CLASSES, LETTERS, SMALL, TITLE, TWO_COLUMNS
from leadlight.figures.paper import INK, QUIET, millimetre_axes, new_page, points

SHADES = LinearSegmentedColormap.from_list("leadlight-share", ("#ffffff", "#d6e4f3", "#8fb8de", "#4284c9"))
"""White to a blue on which black letters can be read."""
_FOOT = (
    "Rows: the truth. Columns: the model's call at its threshold. Shade and percent: share of the row,\n"
    "so the upper left is the sensitivity, the lower right the specificity."
)


@dataclass(frozen=True)
class Calls:
    """Numbers of records of one class: really there and called, there and missed, and so on."""

    name: str
    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int

    @property
    def rows(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Those who have it, those who do not; called, not called."""
        return (self.true_positive, self.false_negative), (self.false_positive, self.true_negative)


def plot_confusion(calls: Sequence[Calls]) -> Figure:
    """A two-by-two table of each class, with numbers and shares of the row; many classes: a row each."""
    return _tables(calls) if len(calls) <= FEW_CLASSES else _lines(calls)


def _tables(calls: Sequence[Calls]) -> Figure:
    columns = min(4, len(calls))
    width, height = 40.0, 33.0
    rows = -(-len(calls) // columns)
    page = new_page(max(TWO_COLUMNS / 2, columns * 45.0), rows * (height + 4.0) + 11.0)
    for number, one in enumerate(calls):
        row, column = divmod(number, columns)
        top = rows * (height + 4.0) + 11.0 - row * (height + 4.0) - 2.0
        axes = millimetre_axes(page, 3.0 + column * 45.0, top - height, width, height)
        _write(axes, 0.0, height - 3.5, one.name, TITLE, bold=True)
        for side, name in ((13.0, "called"), (26.5, "not called")):
            _write(axes, side + 6.5, height - 7.5, name, SMALL, colour=QUIET, align="center")
        for line, (name, pair) in enumerate(zip(("there", "not there"), one.rows, strict=True)):
            bottom = height - 20.5 - 12.0 * line
            _write(axes, 11.8, bottom + 5.5, name, SMALL, colour=QUIET, align="right")
            for place, count in enumerate(pair):
                _cell(axes, 13.0 + 13.5 * place, bottom, 13.0, 11.5, count, sum(pair))
    foot = millimetre_axes(page, 3.0, 0.5, float(page.get_size_inches()[0]) * 25.4 - 6.0, 8.0)
    small_page = columns < 3
    text = _FOOT if not small_page else (
        "Rows: the truth. Columns: the call at the threshold.\nPercent: share of the row."
    )  # fmt: skip
    foot.text(0, 7.5, text, fontsize=points(SMALL), color=QUIET, va="top", linespacing=1.3)
    return page


def _cell(axes: Axes, x: float, y: float, width: float, height: float, count: int, whole: int) -> None:
    share = count / whole if whole else np.nan
    axes.add_patch(
        Rectangle(
            (x, y), width, height, facecolor=SHADES(share if whole else 0.0), edgecolor="#b9c2cc",
            linewidth=points(0.15), gid="cell",
        )
    )  # fmt: skip
    _write(axes, x + width / 2, y + height * 0.66, f"{count:,}", LETTERS, align="center")
    percent = f"{100 * share:.1f}%" if whole else "–"
    _write(axes, x + width / 2, y + height * 0.27, percent, SMALL, align="center")


def _lines(calls: Sequence[Calls]) -> Figure:
    """A row a class, in two blocks: of those who have it and of those who have not."""
    step, top = 4.6, 12.0
    page = new_page(TWO_COLUMNS, top + step * len(calls) + 9.0)
    height = top + step * len(calls) + 9.0
    axes = millimetre_axes(page, 3.0, 0.0, TWO_COLUMNS - 6.0, height)
    places = (34.0, 67.0, 104.0, 137.0)
    for place, name in zip(places, ("found", "missed", "false alarm", "rightly not called"), strict=True):
        _write(axes, place + 16.0, height - 9.0, name, SMALL, colour=QUIET, align="center")
    for place, name in ((places[0], "records that show it"), (places[2], "records that do not")):
        _write(axes, place + 32.5, height - 4.5, name, LETTERS, align="center", bold=True)
    for number, one in enumerate(calls):
        bottom = height - top - step * (number + 1)
        _write(axes, 31.0, bottom + step / 2, one.name, LETTERS, align="right", bold=True)
        for block, pair in enumerate(one.rows):
            whole = sum(pair)
            for place, count in enumerate(pair):
                x = places[2 * block + place]
                share = count / whole if whole else np.nan
                axes.add_patch(
                    Rectangle(
                        (x, bottom + 0.2), 32.0, step - 0.4, facecolor=SHADES(share if whole else 0.0),
                        edgecolor="none", gid="cell",
                    )
                )  # fmt: skip
                text = f"{count:,}  ({100 * share:.1f}%)" if whole else "0  (–)"
                _write(axes, x + 16.0, bottom + step / 2, text, SMALL, align="center")
    axes.text(
        0, 5.0, "At the model's thresholds. Shade and percent: share of the records of that side.",
        fontsize=points(SMALL), color=QUIET, va="top",
    )  # fmt: skip
    return page


def _write(
    axes: Axes, x: float, y: float, text: str, size: float, *, colour: str = INK, align: str = "left",
    bold: bool = False,
) -> None:  # fmt: skip
    axes.text(
        x, y, text, fontsize=points(size), color=colour, ha=align, va="center", parse_math=False,
        weight="bold" if bold else "normal",
    )  # fmt: skip
