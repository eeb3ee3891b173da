"""Which labels stand together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.figures.chart import LETTERS, ONE_COLUMN, SMALL, TWO_COLUMNS
from leadlight.figures.confusion import SHADES
from leadlight.figures.paper import INK, QUIET, millimetre_axes, new_page, points

_SELF = "#eef0f2"
_WRITTEN = 26
"""Up to so many classes the cells carry numbers."""


def plot_cooccurrence(classes: Sequence[str], counts: NDArray[np.integer]) -> Figure:
    """Of the records with the row's label, the share that has the column's as well.

    counts: (classes, classes), records with both labels; on the diagonal, records with the label, which the
    figure writes as a number. Raises SignalError for counts that are not of this shape.
    """
    counts = np.asarray(counts)
    n = len(classes)
    if counts.shape != (n, n):
        raise SignalError(f"counts: found shape {counts.shape}; accepted: {(n, n)}, as there are classes.")
    width = ONE_COLUMN if n <= 8 else TWO_COLUMNS
    room = min(24.0, 5.0 + 1.6 * max(map(len, classes)))
    cell = min(14.0, (width - room - 4.0) / n)
    page = new_page(width, room + cell * n + 12.0)
    axes = millimetre_axes(page, 2.0, 10.0, width - 4.0, room + cell * n)
    left, top = room, cell * n
    letters = min(LETTERS, max(SMALL, cell * 0.62))
    # Below 6 points nothing can be read: of many classes every second or third is named.
    every = max(1, int(np.ceil(2.3 / cell)))
    for row in range(n):
        y = top - cell * (row + 1)
        if row % every == 0:
            axes.text(
                left - 1.2, y + cell / 2, classes[row], fontsize=points(letters), color=INK, ha="right",
                va="center", parse_math=False,
            )  # fmt: skip
            axes.text(
                left + cell * (row + 0.5), top + 1.2, classes[row], fontsize=points(letters), color=INK,
                ha="center", va="bottom", rotation=90 if n > 8 else 0, parse_math=False,
            )  # fmt: skip
        whole = int(counts[row, row])
        for column in range(n if n <= _WRITTEN else 0):
            share = counts[row, column] / whole if whole else 0.0
            is_self = row == column
            axes.add_patch(
                Rectangle(
                    (left + cell * column, y), cell, cell,
                    facecolor=_SELF if is_self else SHADES(share),
                    edgecolor="white", linewidth=points(0.15), gid="cell",
                )
            )  # fmt: skip
            if is_self or counts[row, column]:
                text = f"{whole:,}" if is_self else _percent(share)
                if len(text) * 1.35 <= cell + 0.2:
                    axes.text(
                        left + cell * (column + 0.5), y + cell / 2, text, fontsize=points(SMALL),
                        color=QUIET if is_self else INK, ha="center", va="center",
                    )  # fmt: skip
    if n > _WRITTEN:
        _draw_shades(axes, counts, left, top, cell)
    foot = "Of the records with the row's label, the share with the column's."
    second = (
        "Diagonal: records with the label. Empty: none."
        if n <= _WRITTEN
        else f"Darkest: all. {n} classes, grey: itself."
    )
    axes.text(0, -1.5, f"{foot}\n{second}", fontsize=points(SMALL), color=QUIET, va="top", linespacing=1.3)
    return page


def _draw_shades(axes: Axes, counts: NDArray[np.integer], left: float, top: float, cell: float) -> None:
    """All cells at once, without numbers."""
    whole = np.diag(counts)[:, np.newaxis]
    shares = np.divide(counts, whole, out=np.zeros(counts.shape), where=whole > 0)
    colours = SHADES(shares)
    np.einsum("iij->ij", colours)[:] = to_rgba(_SELF)
    edges = np.arange(len(counts) + 1) * cell
    axes.pcolormesh(left + edges, top - edges, colours, gid="cells", linewidth=0)


def _percent(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{100 * share:.0f}%"
