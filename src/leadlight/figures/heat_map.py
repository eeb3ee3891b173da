"""Relevance by lead and wave: which part of the beat counts, in which lead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.figures.chart import LETTERS, ONE_COLUMN, SMALL, TITLE
from leadlight.figures.paper import INK, QUIET, millimetre_axes, new_page, points
from leadlight.figures.relevance_colours import COLOURS, LOWEST, SIGNED, places

_ROW = 6.0


def plot_lead_waves(
    leads: Sequence[str],
    waves: Sequence[str],
    values: NDArray[np.floating],
    *,
    signed: bool = False,
    unit: str = "multiples",
    title: str = "",
    foot: str = "",
) -> Figure:
    """A row a lead and a column a wave, with a number in each cell.

    values: (leads, waves), NaN where there is no such wave. unit: "multiples" of the uniform share, drawn on
    the scale of all figures; or the name of another unit, such as "logit", on a scale of its own from 0 (or,
    signed, from the largest on one side to the other). Raises SignalError for another shape.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (len(leads), len(waves)):
        raise SignalError(
            f"values: found shape {values.shape}; accepted: {(len(leads), len(waves))}, leads by waves."
        )
    below = 17.0 + 3.2 * (foot.count("\n") + 1 if foot else 0)
    above = 12.0 if title else 6.5
    height = above + _ROW * len(leads) + below
    page = new_page(ONE_COLUMN, height)
    axes = millimetre_axes(page, 0.0, 0.0, ONE_COLUMN, height)
    left, top = 13.0, height - above
    cell = (ONE_COLUMN - left - 4.0) / len(waves)
    if title:
        _write(axes, 2.0, height - 4.0, title, TITLE, weight="bold")
    for column, wave in enumerate(waves):
        _write(axes, left + cell * (column + 0.5), top + 2.6, wave, LETTERS, align="center", weight="bold")
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    for row, lead in enumerate(leads):
        bottom = top - _ROW * (row + 1)
        _write(axes, left - 2.0, bottom + _ROW / 2, lead, LETTERS, align="right", weight="bold")
        for column in range(len(waves)):
            value = float(values[row, column])
            axes.add_patch(
                Rectangle(
                    (left + cell * column, bottom), cell, _ROW, edgecolor="white", linewidth=points(0.2),
                    facecolor=_shade(value, signed, unit, largest), gid=f"cell-{lead}-{waves[column]}",
                )
            )  # fmt: skip
            _write(
                axes, left + cell * (column + 0.5), bottom + _ROW / 2, _number(value, unit, signed),
                SMALL, align="center", colour=INK if np.isfinite(value) else QUIET,
            )  # fmt: skip
    _draw_scale(axes, left, top - _ROW * len(leads) - 4.0, signed, unit, largest)
    if foot:
        axes.text(
            2.0, 1.2, foot, fontsize=points(SMALL), color=QUIET, va="bottom", linespacing=1.3,
            parse_math=False,
        )  # fmt: skip
    return page


def _shade(value: float, signed: bool, unit: str, largest: float) -> tuple[float, ...]:
    if not np.isfinite(value):
        return (0.93, 0.935, 0.94, 1.0)
    on_own_scale = value / largest if largest else 0.0
    at = float(places(np.array([value]))[0]) if unit == "multiples" else on_own_scale
    colours: Colormap = SIGNED if signed else COLOURS
    return tuple(colours((at + 1) / 2 if signed else abs(at)))


def _number(value: float, unit: str, signed: bool) -> str:
    if not np.isfinite(value):
        return "–"
    if unit == "multiples":
        size = abs(value)
        text = f"{size:.2f}" if size < 1 else f"{size:.1f}" if size < 10 else f"{size:.0f}"
        text = "<1/8×" if size < LOWEST else f"{text}×"
        return f"−{text}" if value < 0 and size >= LOWEST else text
    rounded = round(value, 2) + 0.0  # no −0.00
    return f"{rounded:+.2f}".replace("-", "−") if signed and rounded else f"{rounded:.2f}"


def _draw_scale(axes: Axes, left: float, top: float, signed: bool, unit: str, largest: float) -> None:
    width, height = 40.0, 2.4
    axes.imshow(
        np.linspace(0, 1, 128)[None], cmap=SIGNED if signed else COLOURS, norm=Normalize(0, 1),
        extent=(left, left + width, top - height, top), aspect="auto",
    )  # fmt: skip
    page = axes.figure
    assert isinstance(page, Figure)
    axes.set(xlim=(0, ONE_COLUMN), ylim=(0, float(page.get_size_inches()[1]) * 25.4))
    axes.add_patch(
        Rectangle((left, top - height), width, height, facecolor="none", edgecolor=QUIET, linewidth=0.4)
    )
    if unit == "multiples":
        ends = ("32× against", "0", "32× for") if signed else ("1/8×", "2×", "32×")
    else:
        most = f"{largest:.2g}"
        ends = (f"−{most}", "0", f"+{most}") if signed else ("0", "", most)
    for place, text in zip((0.0, 0.5, 1.0), ends, strict=True):
        _write(axes, left + width * place, top - height - 1.8, text, SMALL, align="center", colour=QUIET)
    about = "mean relevance, × uniform" if unit == "multiples" else unit
    _write(axes, left + width + 3.0, top - height / 2, about, SMALL)


def _write(
    axes: Axes, x: float, y: float, text: str, size: float, *, align: str = "left", colour: str = INK,
    weight: str = "normal",
) -> None:  # fmt: skip
    axes.text(
        x, y, text, fontsize=points(size), color=colour, ha=align, va="center", weight=weight,
        parse_math=False,
    )  # fmt: skip
