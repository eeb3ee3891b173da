"""Whether probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from leadlight.figures.chart import (
    FEW_CLASSES,
    NEUTRAL,
    THIN_LINE,
    colour_of,
    foot_note,
    note,
    panels,
    unit_axes,
)
from leadlight.figures.paper import points

_FOOT = (
    "Points: share of positives in bins of the probability, with exact 95% intervals; hollow: of fewer than "
    "10 records.\nBars: records in the bins, on a logarithmic scale. On the line, probabilities mean what "
    "they say; below it, they are too high."
)
_NARROW_FOOT = "Points: share of positives, 95% interval.\nBars: records (log scale). Line: calibrated."
FEW_RECORDS = 10
_HISTOGRAM = 0.17


@dataclass(frozen=True, eq=False)
class Bins:
    """The bins of one class, each (bins,): probability, share of positives with its interval, records.

    low_edge, high_edge: of the bins; error: the expected calibration error, NaN for none.
    """

    name: str
    low_edge: NDArray[np.float64]
    high_edge: NDArray[np.float64]
    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    records: NDArray[np.int64]
    positives: int
    error: float = np.nan


def plot_reliability(classes: Sequence[Bins], before: Sequence[Bins] | None = None) -> Figure:
    """Share of positives against probability, a panel a class; how many records below.

    before: the same without calibration, drawn thin beside it. Of more than twelve classes, the twelve with
    the most positives are shown, and the foot says so.
    """
    order = sorted(range(len(classes)), key=lambda k: -classes[k].positives)
    shown = sorted(order[:FEW_CLASSES])
    page, fields = panels(
        [classes[k].name for k in shown], xlabel="probability", ylabel="share of positives", foot=11.0
    )
    for axes, k in zip(fields, shown, strict=True):
        one = classes[k]
        unit_axes(axes)
        axes.plot([0, 1], [0, 1], color=NEUTRAL, linewidth=points(THIN_LINE), zorder=1)
        if not len(one.records):
            note(axes, 0.03, 0.97, "no records")
            continue
        tall = _HISTOGRAM * np.log1p(one.records) / np.log1p(one.records.max())
        axes.bar(
            one.low_edge, tall, width=one.high_edge - one.low_edge, align="edge", bottom=-0.02,
            color="#d5d9de", edgecolor="white", linewidth=points(0.1), zorder=1, gid="records",
        )  # fmt: skip
        if before is not None and len(before[k].records):
            axes.plot(
                before[k].predicted, before[k].observed, color=NEUTRAL, linewidth=points(0.3),
                linestyle=(0, (3, 1.5)), zorder=2, gid="before",
            )  # fmt: skip
        axes.vlines(one.predicted, one.low, one.high, color=colour_of(0), linewidth=points(0.2), zorder=3)
        for are_few, ground in ((True, "white"), (False, colour_of(0))):
            some = (one.records < FEW_RECORDS) == are_few
            axes.plot(
                one.predicted[some], one.observed[some], "o", color=ground, markersize=points(1.1),
                markeredgecolor=colour_of(0), markeredgewidth=points(0.2), zorder=4,
                gid="few" if are_few else "bins",
            )  # fmt: skip
        error = f"error {one.error:.3f}\n" if np.isfinite(one.error) else ""
        note(axes, 0.03, 0.97, f"{error}{one.positives:,} of {int(one.records.sum()):,}")
    some = f" The {len(shown)} most frequent of {len(classes)}." if len(shown) < len(classes) else ""
    dashed = " Dashed: before calibration." if before is not None else ""
    text = _NARROW_FOOT if len(shown) <= 2 else _FOOT
    more = f"{dashed}{some}".strip()
    foot_note(page, f"{text}\n{more}" if more else text)
    return page
