"""What a threshold decides: sensitivity, specificity, predictive value and F1 from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from leadlight.figures.chart import (
    DASHES,
    FEW_CLASSES,
    LETTERS,
    LINE_WIDTH,
    SMALL,
    TWO_COLUMNS,
    chart,
    colour_of,
    foot_note,
    panels,
    unit_axes,
)
from leadlight.figures.paper import INK, new_page, points

_NAMES = {"sensitivity": 0, "specificity": 1, "precision (PPV)": 2, "F1": 3}
_INTERVAL = "#d9c7a8"


@dataclass(frozen=True, eq=False)
class ThresholdCurves:
    """What each threshold would give on the measured records.

    grid: thresholds; curves: name -> value at each, NaN where not defined, by the names of the figure;
    threshold: the model's, NaN for none; low, high: its interval, NaN for none.
    """

    name: str
    grid: NDArray[np.float64]
    curves: dict[str, NDArray[np.float64]]
    threshold: float
    low: float = np.nan
    high: float = np.nan


def plot_thresholds(classes: Sequence[ThresholdCurves]) -> Figure:
    """Sensitivity, specificity, precision and F1 against the threshold, with the model's own.

    Of more than twelve classes: each threshold with its interval alone, a row a class.
    """
    if len(classes) > FEW_CLASSES:
        return _rows(classes)
    page, fields = panels([one.name for one in classes], xlabel="threshold", height=32.0, foot=3.0)
    for axes, one in zip(fields, classes, strict=True):
        unit_axes(axes)
        for name, values in one.curves.items():
            number = _NAMES[name]
            axes.plot(
                one.grid, values, color=colour_of(number), linestyle=DASHES[number],
                linewidth=points(LINE_WIDTH), zorder=3, gid=f"{name}-{one.name}",
            )  # fmt: skip
        if np.isfinite(one.low):
            axes.axvspan(one.low, one.high, color=_INTERVAL, alpha=0.5, linewidth=0, zorder=1, gid="interval")
        if np.isfinite(one.threshold):
            axes.axvline(one.threshold, color=INK, linewidth=points(0.3), zorder=2, gid="threshold")
            axes.text(
                1.0, 1.03, f"threshold {one.threshold:.3f}", fontsize=points(SMALL), color=INK, ha="right",
                va="bottom", transform=axes.transAxes,
            )  # fmt: skip
    handles = [
        Line2D([], [], color=colour_of(k), linestyle=DASHES[k], linewidth=points(LINE_WIDTH), label=name)
        for name, k in _NAMES.items()
    ]
    columns = 4 if len(classes) > 2 else 2
    page.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.04, 0.0), ncols=columns, frameon=False,
        fontsize=points(SMALL), borderpad=0.3,
    )  # fmt: skip
    return page


def _rows(classes: Sequence[ThresholdCurves]) -> Figure:
    step = 4.2
    page = new_page(TWO_COLUMNS / 2, step * len(classes) + 24.0)
    room = min(34.0, 6.0 + 1.65 * max(len(one.name) for one in classes))
    axes = chart(
        page, room, 15.0, TWO_COLUMNS / 2 - room - 5.0, step * len(classes), title="Threshold of each class"
    )
    for row, one in enumerate(classes):
        if np.isfinite(one.low):
            axes.plot([one.low, one.high], [row, row], color=colour_of(0), linewidth=points(0.35), zorder=2)
        if np.isfinite(one.threshold):
            axes.plot(
                one.threshold, row, "o", color=colour_of(0), markersize=points(1.2), zorder=3, gid="threshold"
            )
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.set_yticks(range(len(classes)), [one.name for one in classes], fontsize=points(LETTERS), color=INK)
    axes.tick_params(axis="y", length=0)
    unit_axes(axes, y=False)
    foot_note(page, "Point: the model's threshold. Line: its 95% interval,\nwhere one was fitted.", left=4.0)
    return page
