"""Curves of a training run and of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from leadlight.figures.paper import INK, QUIET, new_page, points

# Okabe and Ito's colours, told apart by every kind of colour vision; yellow is left out on white.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1)),
    (0, (5, 1, 1, 1)),
)


def plot_training(rows: Sequence[Mapping[str, float]]) -> Figure:
    """Losses, and the validation AUC, by epoch; the best epoch is marked.

    rows: one an epoch, with epoch, train_loss, validation_loss and
    validation_macro_auc; a value that is not defined (NaN) leaves a gap.
    """
    page = new_page(180.0, 70.0)
    epochs = np.array([row["epoch"] for row in rows], dtype=float)
    losses = _axes(page, (0.085, 0.2, 0.39, 0.66), "Loss (binary cross-entropy)", "epoch")
    marker = "o" if len(rows) < 30 else ""
    for name, label, colour, dashes in (
        ("train_loss", "training", _COLOURS[0], _DASHES[0]),
        ("validation_loss", "validation", _COLOURS[1], _DASHES[1]),
    ):
        values = [row[name] for row in rows]
        losses.plot(
            epochs, values, label=label, color=colour, linestyle=dashes, marker=marker, markersize=3,
            linewidth=points(0.4),
        )  # fmt: skip
    losses.set_ylim(bottom=0)
    losses.legend(fontsize=points(2.6), frameon=False)

    quality = _axes(page, (0.58, 0.2, 0.39, 0.66), "Macro ROC-AUC on the validation fold", "epoch")
    aucs = np.array([row["validation_macro_auc"] for row in rows], dtype=float)
    quality.plot(epochs, aucs, color=_COLOURS[1], marker=marker, markersize=3, linewidth=points(0.4))
    known = np.flatnonzero(np.isfinite(aucs))
    if known.size:
        best = known[np.argmax(aucs[known])]
        quality.plot(epochs[best], aucs[best], "o", color=INK, markersize=5, zorder=4)
        quality.set_ylim(min(0.5, float(aucs[known].min()) - 0.02), 1.0)
        quality.text(
            0.98, 0.05, f"best: {aucs[best]:.3f} after epoch {epochs[best]:.0f}", transform=quality.transAxes,
            ha="right", va="bottom", fontsize=points(2.8), color=INK,
        )  # fmt: skip
    for axes in (losses, quality):
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    return page


def plot_roc(
    classes: Sequence[str], truth: NDArray[np.uint8], scores: NDArray[np.float32], known: NDArray[np.bool_]
) -> Figure:
    """ROC curve of every class, with its area; all arrays (records, classes).

    known: where the truth is known; a class without positives or negatives has no
    curve, and the legend says so.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    page = new_page(180.0, 90.0)
    axes = _axes(page, (0.085, 0.16, 0.41, 0.78), "sensitivity", "1 − specificity")
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=points(0.25))
    for number, name in enumerate(classes):
        mask = known[:, number]
        here, score = truth[mask, number], scores[mask, number]
        colour = _COLOURS[number % len(_COLOURS)]
        dashes = _DASHES[(number // len(_COLOURS)) % len(_DASHES)]
        positives = int(here.sum())
        if positives in (0, len(here)):
            axes.plot(
                [],
                [],
                color=colour,
                linestyle=dashes,
                label=f"{name}: not defined, {positives} of {len(here)}",
            )
            continue
        false_rate, true_rate, _ = roc_curve(here, score)
        area = roc_auc_score(here, score)
        axes.plot(
            false_rate, true_rate, color=colour, linestyle=dashes, linewidth=points(0.4),
            label=f"{name}: {area:.3f} ({positives} of {len(here)})",
        )  # fmt: skip
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_aspect("equal", anchor="W")
    axes.legend(
        title="class: area (positives of records)", title_fontsize=points(2.6), fontsize=points(2.6),
        frameon=False, loc="center left", bbox_to_anchor=(1.05, 0.5), ncols=1 + len(classes) // 20,
    )  # fmt: skip
    return page


def _axes(page: Figure, place: tuple[float, float, float, float], ylabel: str, xlabel: str) -> Axes:
    axes = page.add_axes(place)
    axes.set_xlabel(xlabel, fontsize=points(2.8), color=INK)
    axes.set_title(ylabel, fontsize=points(3.0), color=INK, loc="left")
    axes.tick_params(labelsize=points(2.6), colors=QUIET, length=2)
    axes.grid(color="#e5e5e5", linewidth=points(0.15))
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes
