"""Bar charts of an explanation: how much each lead counts, and how probable each class is."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from leadlight.figures.paper import INK, QUIET, millimetre_axes, new_page, points

FOUND, NOT_FOUND, THRESHOLD, IMPORTANCE = "#1f4e87", "#b9c2cc", "#c2410c", "#659bd2"
MOST_CLASSES = 8
_TITLE, _ROW = 7.0, 6.0


@dataclass(frozen=True, eq=False)
class Findings:
    """What a model says of a recording, for drawing: one entry a class, in the model's order.

    descriptions may be empty; target: code of a class that is pointed at, or None.
    """

    classes: Sequence[str]
    descriptions: Sequence[str]
    probabilities: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    target: str | None = None

    @property
    def found(self) -> NDArray[np.bool_]:
        """Which classes are at or above their threshold, in the single precision that thresholds have."""
        result: NDArray[np.bool_] = np.asarray(self.probabilities, np.float32) >= np.asarray(
            self.thresholds, np.float32
        )
        return result


def plot_lead_importance(
    leads: Sequence[str], importance: NDArray[np.floating], what: str = "attention"
) -> Figure:
    """Bar chart of each lead's share; importance: (leads,), summing to one; what: of what."""
    page = new_page(130.0, 50.0)
    axes = millimetre_axes(page, 6.0, 4.0, 118.0, 44.0)
    draw_lead_importance(axes, 0.0, 44.0, 118.0, leads, importance, what)
    return page


def plot_probabilities(
    classes: Sequence[str],
    probabilities: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    descriptions: Sequence[str] = (),
    target: str | None = None,
) -> Figure:
    """Bar chart of probabilities with their thresholds; a class at or above its threshold is a finding.

    Of more than eight classes, eight are shown: the target, the findings, then
    the most probable. target: code of a class that is pointed at.
    """
    findings = Findings(classes, descriptions, probabilities, thresholds, target)
    height = probabilities_height(len(classes)) + 6.0
    page = new_page(150.0, height)
    axes = millimetre_axes(page, 6.0, 3.0, 138.0, height - 6.0)
    draw_probabilities(axes, 0.0, height - 6.0, 138.0, findings)
    return page


def draw_lead_importance(
    axes: Axes,
    x: float,
    top: float,
    width: float,
    leads: Sequence[str],
    importance: NDArray[np.floating] | None,
    what: str = "attention",
) -> None:
    """Draw the chart on axes in millimetres, its upper left corner at (x, top); 40 mm high.

    importance: None where all leads share one map; then it says so.
    """
    _title(axes, x, top, f"{what.capitalize()} by lead (share of the whole)")
    if importance is None:
        axes.text(
            x, top - 8.0, "All leads share one map: this method does not tell them apart.",
            fontsize=points(2.6), color=QUIET, va="top",
        )  # fmt: skip
        return
    percent = 100 * np.asarray(importance, dtype=float)
    # Few ends of the axis, so that charts of different records look alike.
    end = next((end for end in (25, 50, 100) if percent.max(initial=0.0) <= end), 100)
    left, bottom, height = x + 9.0, top - 35.0, 25.0
    for tick in np.linspace(0, end, 6):
        y = bottom + height * tick / end
        axes.plot([left, x + width], [y, y], color="#dddddd", linewidth=points(0.12), zorder=1)
        axes.text(left - 1.2, y, f"{tick:g}%", fontsize=points(2.2), color=QUIET, ha="right", va="center")
    step = (x + width - left) / len(leads)
    for number, (lead, share) in enumerate(zip(leads, percent, strict=True)):
        middle = left + step * (number + 0.5)
        size = height * share / end
        axes.add_patch(
            Rectangle((middle - 0.32 * step, bottom), 0.64 * step, size, facecolor=IMPORTANCE, zorder=2)
        )
        axes.text(
            middle, bottom + size + 0.5, f"{share:.1f}",
            fontsize=points(2.2), color=INK, ha="center", va="bottom", zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
        )  # fmt: skip
        axes.text(
            middle, bottom - 1.0, lead, fontsize=points(2.5), color=INK, ha="center", va="top", weight="bold"
        )
    uniform = bottom + height / len(leads) * 100 / end
    axes.plot(
        [left, x + width], [uniform] * 2,
        color=INK, linewidth=points(0.18), linestyle=(0, (4, 2)), zorder=3, gid="uniform-share",
    )  # fmt: skip
    axes.text(
        x + width, top - 1.2, f"dashed: uniform share, {100 / len(leads):.3g}%",
        fontsize=points(2.2), color=QUIET, ha="right", va="top",
    )  # fmt: skip


def probabilities_height(n_classes: int) -> float:
    """Millimetres that ``draw_probabilities`` needs."""
    return _TITLE + _ROW * min(n_classes, MOST_CLASSES) + 8.0


def draw_probabilities(axes: Axes, x: float, top: float, width: float, findings: Findings) -> None:
    """Draw the chart on axes in millimetres, its upper left corner at (x, top)."""
    shown = _shown(findings)
    some = f" ({len(shown)} of {len(findings.classes)} classes)" if len(shown) < len(findings.classes) else ""
    _title(axes, x, top, f"Probability by class, with threshold{some}")
    left, right = x + 50.0, x + width - 27.0
    lowest = top - _TITLE - _ROW * len(shown)
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        place = left + (right - left) * tick
        axes.plot([place] * 2, [lowest, top - _TITLE], color="#dddddd", linewidth=points(0.12), zorder=1)
        axes.text(place, lowest - 0.8, f"{tick:g}", fontsize=points(2.2), color=QUIET, ha="center", va="top")
    for row, number in enumerate(shown):
        middle = top - _TITLE - _ROW * (row + 0.5)
        if findings.classes[number] == findings.target:
            axes.add_patch(
                Rectangle(
                    (x - 1.5, middle - _ROW / 2), width + 1.5, _ROW,
                    facecolor="#fff3cd", zorder=0.5, gid="target",
                )
            )  # fmt: skip
        _draw_class(axes, x, left, right, middle, findings, number)
    target = " Yellow: the class asked for." if findings.target else ""
    axes.text(
        x, lowest - 4.2, f"Orange line: threshold. Dark bar: at or above it, a finding.{target}",
        fontsize=points(2.2), color=QUIET, va="top",
    )  # fmt: skip


def _draw_class(
    axes: Axes, x: float, left: float, right: float, middle: float, findings: Findings, number: int
) -> None:
    """One class: its name, its bar from left to right, the threshold's mark and the number."""
    found = bool(findings.found[number])
    probability, threshold = float(findings.probabilities[number]), float(findings.thresholds[number])

    def write(place: float, text: str, size: float, bold: bool) -> None:
        axes.text(
            place, middle, text, fontsize=points(size), weight="bold" if bold else "normal",
            color=INK, va="center", parse_math=False,
        )  # fmt: skip

    write(x, textwrap.shorten(findings.classes[number], 12, placeholder="…"), 2.8, found)
    if findings.descriptions:
        write(x + 14.0, textwrap.shorten(findings.descriptions[number], 26, placeholder=" …"), 2.3, False)
    axes.add_patch(
        Rectangle(
            (left, middle - 1.7), (right - left) * probability, 3.4,
            facecolor=FOUND if found else NOT_FOUND, zorder=2, gid=f"probability-{findings.classes[number]}",
        )
    )  # fmt: skip
    place = left + (right - left) * threshold
    for colour, line_width, zorder in (("white", 0.9, 3), (THRESHOLD, 0.45, 4)):
        axes.plot(
            [place] * 2, [middle - 2.6, middle + 2.6],
            color=colour, linewidth=points(line_width), zorder=zorder,
        )  # fmt: skip
    write(right + 2.5, f"{probability:.2f}", 2.8, found)
    write(right + 11.5, "finding" if found else "–", 2.6, found)


def _shown(findings: Findings) -> list[int]:
    """Numbers of the classes that are drawn: the target and the findings first where not all are."""
    everything = list(range(len(findings.classes)))
    if len(everything) <= MOST_CLASSES:
        return everything
    found = findings.found
    first = sorted(
        everything,
        key=lambda n: (findings.classes[n] != findings.target, not found[n], -findings.probabilities[n]),
    )
    return first[:MOST_CLASSES]


def _title(axes: Axes, x: float, top: float, text: str) -> None:
    axes.text(x, top - 1.0, text, fontsize=points(3.0), color=INK, va="top", ha="left", weight="bold")
