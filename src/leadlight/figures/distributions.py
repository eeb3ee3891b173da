"""One metric over classes and models: class by class, and as a distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from leadlight.figures.chart import (
    LETTERS,
    MARKERS,
    ONE_COLUMN,
    SMALL,
    TWO_COLUMNS,
    chart,
    colour_of,
    foot_note,
)
from leadlight.figures.names import fitted, text_width
from leadlight.figures.paper import INK, new_page, points

_ROW = 4.2
_NEAR = 0.018
_ROOM_FOR_NAMES = 40.0
_MARKER = 8.0
"""Millimetres; the last: of a marker in the legend, and what stands between two columns of it."""


@dataclass(frozen=True)
class Value:
    """A metric of one class; low, high: its interval, NaN for none. value: NaN where it is not defined."""

    value: float
    low: float = np.nan
    high: float = np.nan


def plot_by_class(models: Mapping[str, Mapping[str, Value]], title: str) -> Figure:
    """A row a class with a marker a model, and intervals; classes from the highest mean to the lowest.

    models: name -> class -> value, of a metric between 0 and 1, whose name is ``title``.
    """
    classes = _ordered(models)
    step = max(_ROW, 1.6 * len(models) + 1.4)
    width = ONE_COLUMN if len(models) <= 2 else TWO_COLUMNS * 0.75
    names = [fitted(name, width - 8.0 - _MARKER, SMALL) for name in models]
    columns = max(1, int((width - 8.0) // (_MARKER + _widest(names, SMALL))))
    legend = 3.6 * -(-len(models) // columns) + 1.0 if len(models) > 1 else 0.0
    page = new_page(width, step * len(classes) + 13.5 + legend)
    codes = [fitted(code, _ROOM_FOR_NAMES, LETTERS) for code in classes]
    room = 5.0 + _widest(codes, LETTERS)
    axes = chart(page, room, 6.5 + legend, width - room - 5.0, step * len(classes), title=title)
    for number, (name, values) in enumerate(models.items()):
        offset = (number - (len(models) - 1) / 2) * min(0.7 / max(1, len(models) - 1), 0.3)
        rows = [row for row, code in enumerate(classes) if code in values and np.isfinite(values[code].value)]
        found = [values[classes[row]] for row in rows]
        places = np.array(rows, dtype=float) + offset
        for place, one in zip(places, found, strict=True):
            if np.isfinite(one.low):
                axes.plot(
                    [one.low, one.high], [place, place], color=colour_of(number), linewidth=points(0.3),
                    zorder=2,
                )  # fmt: skip
        axes.plot(
            [one.value for one in found], places, MARKERS[number % len(MARKERS)], color=colour_of(number),
            markersize=points(1.4), markeredgecolor="white", markeredgewidth=points(0.1), zorder=3,
            label=names[number], gid=f"model-{name}",
        )  # fmt: skip
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.set_yticks(range(len(classes)), codes, fontsize=points(LETTERS), color=INK, parse_math=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(_from(models), 1.0)
    if len(models) > 1:
        _legend(page, axes, columns)
    return page


def plot_distributions(models: Mapping[str, Mapping[str, Value]], title: str, named: int = 3) -> Figure:
    """A row a model: a point a class, box of quartiles, bar of the median and diamond of the mean.

    models: as ``plot_by_class`` takes them; named: how many of the lowest classes are written beside.
    """
    step = 13.0
    width = ONE_COLUMN if len(models) == 1 else TWO_COLUMNS * 0.75
    page = new_page(width, step * len(models) + 18.5)
    names = [fitted(name, _ROOM_FOR_NAMES * width / TWO_COLUMNS / 0.75, LETTERS, lines=2) for name in models]
    room = 5.0 + _widest(names, LETTERS)
    axes = chart(page, room, 11.5, width - room - 5.0, step * len(models), title=title)
    for row, (name, values) in enumerate(models.items()):
        codes = [code for code, one in values.items() if np.isfinite(one.value)]
        found = np.array([values[code].value for code in codes])
        if not len(found):
            axes.text(0.5, row, "not defined", fontsize=points(SMALL), color=INK, va="center", ha="center")
            continue
        first, middle, last = np.quantile(found, [0.25, 0.5, 0.75])
        colour = colour_of(row)
        axes.fill_between(
            [first, last], row - 0.28, row + 0.28, color=colour, alpha=0.18, linewidth=0, zorder=1, gid="box"
        )
        axes.plot([middle] * 2, [row - 0.28, row + 0.28], color=colour, linewidth=points(0.5), zorder=2)
        axes.plot(
            found, row + _lanes(found), MARKERS[row % len(MARKERS)], color=colour, markersize=points(1.1),
            markeredgecolor="white", markeredgewidth=points(0.1), zorder=3, gid=f"classes-{name}",
        )  # fmt: skip
        axes.plot(
            found.mean(), row, "D", color="white", markeredgecolor=INK, markersize=points(1.5),
            markeredgewidth=points(0.3), zorder=4, gid=f"mean-{name}",
        )  # fmt: skip
        lowest = [codes[place] for place in np.argsort(found, kind="stable")[: min(named, len(found) // 2)]]
        text = f"mean {found.mean():.3f}, median {middle:.3f}"
        axes.text(
            0.01, row - 0.34, text + (f"; lowest: {', '.join(lowest)}" if lowest else ""),
            transform=axes.get_yaxis_transform(), fontsize=points(SMALL), color=INK, va="bottom",
            parse_math=False, zorder=5,
        )  # fmt: skip
    axes.set_ylim(len(models) - 0.55, -0.75)
    axes.set_yticks(range(len(models)), names, fontsize=points(LETTERS), color=INK, parse_math=False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlim(_from(models), 1.0)
    foot_note(page, "Points: classes. Box: quartiles. Bar: median. Diamond: mean.", left=4.0)
    return page


def _widest(names: Sequence[str], size: float) -> float:
    """Of the lines of these names, in millimetres, on a screen too, where letters are a little wider."""
    return 1.04 * max((text_width(line, size) for name in names for line in name.split("\n")), default=1.0)


def _lanes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each point stands above or below its row, so that near ones do not hide each other."""
    lanes = 0.075 * np.array([0, 1, -1, 2, -2, 3, -3])
    last = np.full(len(lanes), -np.inf)
    found = np.zeros(len(values))
    for place in np.argsort(values, kind="stable"):
        free = np.flatnonzero(values[place] - last > _NEAR)
        lane = int(free[0]) if len(free) else int(last.argmin())
        last[lane] = values[place]
        found[place] = lanes[lane]
    return found


def _ordered(models: Mapping[str, Mapping[str, Value]]) -> list[str]:
    """Classes from the highest mean over the models to the lowest; those without any value last."""
    codes: Sequence[str] = list(dict.fromkeys(code for of_model in models.values() for code in of_model))

    def key(code: str) -> float:
        values = [one[code].value for one in models.values() if code in one]
        known = [value for value in values if np.isfinite(value)]
        return -float(np.mean(known)) if known else np.inf

    return sorted(codes, key=key)


def _from(models: Mapping[str, Mapping[str, Value]]) -> float:
    """Where the axis begins: 0, or 0.5 where all intervals lie above it."""
    values = [
        number for of_model in models.values() for one in of_model.values() for number in (one.value, one.low)
    ]
    known = [value for value in values if np.isfinite(value)]
    return 0.5 if known and min(known) >= 0.5 else 0.0


def _legend(page: Figure, axes: Axes, columns: int) -> None:
    handles, names = axes.get_legend_handles_labels()
    legend = page.legend(
        handles, names, loc="lower left", bbox_to_anchor=(0.03, 0.0), ncols=columns, frameon=False,
        fontsize=points(SMALL), handletextpad=0.4, columnspacing=1.4, borderpad=0.3, labelspacing=0.35,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
