"""How a training went, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from leadlight.figures.chart import DASHES, LINE_WIDTH, SMALL, TWO_COLUMNS, chart, colour_of, note
from leadlight.figures.paper import INK, new_page, points

_MANY_EPOCHS = 30


def plot_training(rows: Sequence[Mapping[str, float]]) -> Figure:
    """Losses, the validation AUC and the learning rate by epoch; the best epoch is marked.

    rows: one an epoch, with epoch, train_loss, validation_loss and validation_macro_auc, and learning_rate
    where it is known; a value that is not defined (NaN) leaves a gap.
    """
    page = new_page(TWO_COLUMNS, 60.0)
    epochs = np.array([row["epoch"] for row in rows], dtype=float)
    has_rate = all("learning_rate" in row for row in rows)
    width = 44.0 if has_rate else 72.0
    step = width + 16.0
    losses = chart(page, 13.0, 12.0, width, 42.0, title="Loss", xlabel="epoch")
    for number, (name, label) in enumerate((("train_loss", "training"), ("validation_loss", "validation"))):
        values = np.array([row[name] for row in rows], dtype=float)
        _line(losses, epochs, values, number, label)
    losses.set_ylim(bottom=0)
    losses.legend(fontsize=points(SMALL), frameon=False, loc="lower left")

    quality = chart(page, 13.0 + step, 12.0, width, 42.0, title="Validation macro ROC-AUC", xlabel="epoch")
    aucs = np.array([row["validation_macro_auc"] for row in rows], dtype=float)
    _line(quality, epochs, aucs, 1)
    known = np.flatnonzero(np.isfinite(aucs))
    if known.size:
        best = known[np.argmax(aucs[known])]
        quality.plot(epochs[best], aucs[best], "o", color=INK, markersize=points(1.4), zorder=4, gid="best")
        quality.set_ylim(min(0.5, float(aucs[known].min()) - 0.02), 1.0)
        note(quality, 0.97, 0.04, f"best: {aucs[best]:.3f}\nafter epoch {epochs[best]:.0f}", align="right")
    fields = [losses, quality]
    if has_rate:
        rates = np.array([row["learning_rate"] for row in rows], dtype=float)
        largest = float(np.nanmax(rates)) if np.isfinite(rates).any() else 0.0
        power = math.floor(math.log10(largest)) if largest > 0 else 0
        title = f"Learning rate (1e{power})" if power else "Learning rate"
        rate = chart(page, 13.0 + 2 * step, 12.0, width, 42.0, title=title, xlabel="epoch")
        _line(rate, epochs, rates / 10.0**power, 6)
        rate.set_ylim(bottom=0)
        fields.append(rate)
    for axes in fields:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return page


def _line(
    axes: Axes, epochs: NDArray[np.float64], values: NDArray[np.float64], number: int, label: str = ""
) -> None:
    axes.plot(
        epochs, values, label=label or None, color=colour_of(number), linestyle=DASHES[number % 2],
        marker="o" if len(epochs) < _MANY_EPOCHS else "", markersize=points(0.7),
        linewidth=points(LINE_WIDTH),
    )  # fmt: skip
