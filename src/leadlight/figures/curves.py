"""ROC and precision-recall curves with their bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from leadlight.figures.chart import (
    BAND_ALPHA,
    FEW_CLASSES,
    LINE_WIDTH,
    NEUTRAL,
    SMALL,
    THIN_LINE,
    TWO_COLUMNS,
    chart,
    colour_of,
    dashes_of,
    foot_note,
    note,
    panels,
    unit_axes,
)
from leadlight.figures.paper import INK, new_page, points

BAND = "Band: 95% of the resamples of patients at each place. Dot: the model's threshold."
_NAMED = 6
_LOW, _TEXT_HEIGHT = 0.6, 0.25
"""Where the curve leaves room for the numbers: above one that is low, below others, beside chance's line."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A ROC or precision-recall curve of one class.

    x, y: its points in order; grid, low, high: a band, empty for none; area, area_low, area_high: of ROC the
    area below, of precision-recall the average precision, NaN where not defined; positives, records: known;
    at: the point at the model's threshold, or None.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    grid: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    area: float
    area_low: float
    area_high: float
    positives: int
    records: int
    at: tuple[float, float] | None = None

    @property
    def is_defined(self) -> bool:
        """Whether there is a curve: there are positives and negatives."""
        return 0 < self.positives < self.records


def plot_roc(curves: Sequence[Curve]) -> Figure:
    """Sensitivity against 1 - specificity: a panel a class, or all in one where they are many.

    A class without positives or negatives has no curve, and the panel says so.
    """
    if len(curves) > FEW_CLASSES:
        return _together(curves, "1 − specificity", "sensitivity", "ROC-AUC")
    page, fields = panels(
        [one.name for one in curves], xlabel="1 − specificity", ylabel="sensitivity", foot=4.0
    )
    for number, (axes, one) in enumerate(zip(fields, curves, strict=True)):
        axes.plot([0, 1], [0, 1], color=NEUTRAL, linewidth=points(THIN_LINE), zorder=1)
        _draw(axes, one, number)
        note(axes, 0.98, 0.03, _said(one, "AUC"), align="right")
    foot_note(page, f"{BAND} Line: chance.")
    return page


def plot_precision_recall(curves: Sequence[Curve]) -> Figure:
    """Precision against sensitivity (recall); the thin line is the share of positives, which chance reaches.

    Of a rare class the curve is lower than of a frequent one that is told as well.
    """
    if len(curves) > FEW_CLASSES:
        return _together(curves, "sensitivity (recall)", "precision (PPV)", "average precision")
    page, fields = panels(
        [one.name for one in curves], xlabel="sensitivity (recall)", ylabel="precision (PPV)", foot=4.0
    )
    for number, (axes, one) in enumerate(zip(fields, curves, strict=True)):
        if one.records:
            share = one.positives / one.records
            axes.plot([0, 1], [share, share], color=NEUTRAL, linewidth=points(THIN_LINE), zorder=1)
        _draw(axes, one, number)
        if one.is_defined and one.area < _LOW:
            note(axes, 0.98, 0.97, _said(one, "AP"), align="right")
        else:
            share = one.positives / one.records if one.records else 1.0
            note(axes, 0.02, 0.03 if share > _TEXT_HEIGHT else share + 0.03, _said(one, "AP"))
    foot_note(page, f"{BAND} Line: chance, the share of positives.")
    return page


def _draw(axes: Axes, one: Curve, number: int) -> None:
    unit_axes(axes)
    if not one.is_defined:
        return
    colour = colour_of(number)
    if len(one.grid):
        axes.fill_between(
            one.grid, one.low, one.high, color=colour, alpha=BAND_ALPHA, linewidth=0, zorder=2,
            gid=f"band-{one.name}",
        )  # fmt: skip
    axes.plot(
        one.x, one.y, color=colour, linewidth=points(LINE_WIDTH), zorder=3, gid=f"curve-{one.name}",
        solid_joinstyle="round",
    )  # fmt: skip
    if one.at is not None:
        axes.plot(
            *one.at, "o", markersize=points(1.5), color=INK, markeredgecolor="white",
            markeredgewidth=points(0.2), zorder=5, gid=f"threshold-{one.name}",
        )  # fmt: skip


def _said(one: Curve, area: str) -> str:
    count = f"{one.positives:,} of {one.records:,}"
    if not one.is_defined:
        return f"not defined:\n{count} positive"
    between = f"\n{one.area_low:.3f}–{one.area_high:.3f}" if np.isfinite(one.area_low) else ""
    return f"{area} {one.area:.3f}{between}\n{count}"


def _together(curves: Sequence[Curve], xlabel: str, ylabel: str, area: str) -> Figure:
    """All in one chart: thin and grey, their mean dark, and the lowest with colour and name."""
    page = new_page(TWO_COLUMNS, 96.0)
    axes = chart(page, 13.0, 16.0, 74.0, 74.0, xlabel=xlabel, ylabel=ylabel)
    unit_axes(axes)
    known = [one for one in curves if one.is_defined]
    for one in known:
        axes.plot(one.x, one.y, color="#c4c4c4", linewidth=points(0.15), zorder=1, gid=f"curve-{one.name}")
    lowest = sorted(known, key=lambda one: one.area)[:_NAMED]
    for number, one in enumerate(lowest):
        axes.plot(
            one.x, one.y, color=colour_of(number), linestyle=dashes_of(number), linewidth=points(0.3),
            zorder=3, label=f"{one.name}: {one.area:.3f} ({one.positives:,} of {one.records:,})",
        )  # fmt: skip
    if known:
        grid = np.linspace(0, 1, 101)
        columns = [np.interp(grid, one.x, one.y) for one in known]
        mean = float(np.mean([one.area for one in known]))
        axes.plot(
            grid, np.mean(columns, axis=0), color=INK, linewidth=points(0.6), zorder=4, gid="mean",
            label=f"mean of {len(known)} classes: {mean:.3f}",
        )  # fmt: skip
    legend = axes.legend(
        title=f"{area} (positives of records)", title_fontsize=points(SMALL), fontsize=points(SMALL),
        frameon=False, loc="upper left", bbox_to_anchor=(1.04, 1.0), alignment="left",
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    without = [one.name for one in curves if not one.is_defined]
    remark = f" Without positives or negatives, not shown: {', '.join(without)}." if without else ""
    foot_note(page, f"Grey: every class. Colour: the {len(lowest)} with the lowest value.{remark}"[:190])
    return page
