"""The colours of relevance: one fixed scale, the same for every record, method and model.

Multiples of the uniform share from 1/8 to 32, one colour a doubling. Without a sign: white to blue. With
one: evidence for the target is blue, evidence against it orange, and what lies below 1/8 on either side is
white. Blue and orange are told apart by every kind of colour vision, and both grow darker away from white.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from leadlight.figures.paper import INK, QUIET, points

LOWEST, HIGHEST = 1 / 8, 32.0
"""Ends of the colour scale, in multiples of the uniform share."""
DOUBLINGS = round(np.log2(HIGHEST / LOWEST))

# From white at 1/8 to a blue that a black trace can still be read on. Lightness falls all the way, so that it
# survives grey print and every kind of colour blindness; the larger part of the fall lies above 1, where a
# model looks more than evenly.
_SHADES = (
    "#ffffff", "#f7f9fc", "#edf3f9", "#e0eaf6", "#c6daef", "#a9c8e8", "#88b3df", "#649bd3", "#4284c9",
)  # fmt: skip
_AGAINST = (
    "#ffffff", "#fdf8f1", "#fbf0e0", "#f8e4c9", "#f3d2a5", "#edbb7c", "#e4a254", "#d98a32", "#c97217",
)  # fmt: skip
COLOURS = LinearSegmentedColormap.from_list("leadlight-relevance", _SHADES)
SIGNED = LinearSegmentedColormap.from_list("leadlight-evidence", (*_AGAINST[:0:-1], *_SHADES))
# For a coloured trace: from a grey that stands out from the paper to the darkest of each.
_TRACE, _TRACE_AGAINST = ("#8d9299", "#5f8fc4", "#1f66b5", "#063a78"), ("#c98a3a", "#b35c00", "#7a3900")
TRACE = LinearSegmentedColormap.from_list("leadlight-trace", _TRACE)
SIGNED_TRACE = LinearSegmentedColormap.from_list("leadlight-trace-evidence", (*_TRACE_AGAINST[::-1], *_TRACE))

_BAR_WIDTH, _BAR_HEIGHT = 84.0, 3.0
BAR_ROOM = 11.0


def places(multiples: NDArray[np.floating]) -> NDArray[np.float64]:
    """Where multiples stand on the scale: 0 at 1/8 and below, 1 at 32 and above, with their sign."""
    sizes = np.clip(np.abs(np.asarray(multiples, dtype=np.float64)), LOWEST, HIGHEST)
    result: NDArray[np.float64] = np.sign(multiples) * np.log2(sizes / LOWEST) / DOUBLINGS
    return result


def shades(signed: bool) -> tuple[Colormap, Normalize]:
    """Colour map and norm for multiples (unsigned) or for ``places`` of them (signed)."""
    return (SIGNED, Normalize(-1, 1)) if signed else (COLOURS, LogNorm(LOWEST, HIGHEST))


def trace_colours(multiples: NDArray[np.floating], signed: bool) -> NDArray[np.float64]:
    """Colours (n, 4) of a trace with these multiples."""
    at = places(multiples)
    colours = SIGNED_TRACE((at + 1) / 2) if signed else TRACE(np.abs(at))
    return np.asarray(colours, dtype=np.float64)


def draw_colour_bar(
    axes: Axes, x: float, top: float, multiples: NDArray[np.floating], *, signed: bool = False,
    style: str = "bands", what: str = "attention", narrow: bool = False,
) -> None:  # fmt: skip
    """The scale with numbers; arrowheads stand for what lies beyond it, and the text says how much does.

    style: "bands" or "trace", whose colours are shown; what: the name of what is drawn; narrow:
    with the text below the bar, which takes 7 mm more.
    """
    bottom, arrow = top - 2.0 - _BAR_HEIGHT, 3.0
    width, height = float(axes.get_xlim()[1]), float(axes.get_ylim()[1])
    left, right = x + arrow, x + arrow + _BAR_WIDTH
    colours = {("bands", False): COLOURS, ("bands", True): SIGNED, ("trace", False): TRACE,
               ("trace", True): SIGNED_TRACE}[style, signed]  # fmt: skip
    axes.imshow(
        np.linspace(0, 1, 256)[None], cmap=colours, norm=Normalize(0, 1),
        extent=(left, right, bottom, bottom + _BAR_HEIGHT), aspect="auto",
    )  # fmt: skip
    axes.set(xlim=(0, width), ylim=(0, height))  # an image would fit the axes to itself
    outline = [
        (left, bottom), (left - arrow, bottom + _BAR_HEIGHT / 2), (left, bottom + _BAR_HEIGHT),
        (right, bottom + _BAR_HEIGHT), (right + arrow, bottom + _BAR_HEIGHT / 2), (right, bottom),
    ]  # fmt: skip
    axes.add_patch(Polygon(outline[:3], facecolor=colours(0.0), edgecolor="none"))
    axes.add_patch(Polygon(outline[3:], facecolor=colours(1.0), edgecolor="none"))
    axes.add_patch(Polygon(outline, facecolor="none", edgecolor=QUIET, linewidth=points(0.15)))
    for at, label in _marks(signed):
        place = left + _BAR_WIDTH * at
        axes.plot([place] * 2, [bottom - 0.8, bottom], color=QUIET, linewidth=points(0.15))
        axes.text(place, bottom - 1.1, label, fontsize=points(2.3), color=INK, ha="center", va="top")
    for line, (text, size, colour) in enumerate(_words(multiples, signed, style, what)):
        if narrow:
            axes.text(x, bottom - 4.6 - 3.4 * line, text, fontsize=points(2.3), color=colour, va="top")
            continue
        axes.text(
            right + arrow + 4, top - 1.6 - 3.8 * line, text,
            fontsize=points(size), color=colour, ha="left", va="top",
        )  # fmt: skip


def _marks(signed: bool) -> list[tuple[float, str]]:
    """Places on the bar, from 0 to 1, and what is written there."""
    names = [f"{Fraction(LOWEST * 2**n).limit_denominator(64)}×" for n in range(DOUBLINGS + 1)]
    if not signed:
        return [(n / DOUBLINGS, name) for n, name in enumerate(names)]
    sides = [(n / DOUBLINGS, names[n]) for n in (3, 5, 8)]
    return [
        *((0.5 - at / 2, name) for at, name in sides),
        (0.5, "0"),
        *((0.5 + at / 2, name) for at, name in sides),
    ]


def _words(
    multiples: NDArray[np.floating], signed: bool, style: str, what: str
) -> tuple[tuple[str, float, str], tuple[str, float, str]]:
    sizes = np.abs(multiples)
    above, below = 100 * float((sizes > HIGHEST).mean()), 100 * float((sizes < LOWEST).mean())
    most = _times(float(sizes.max(initial=0.0)))
    meaning = "in multiples of the uniform share (1× = all samples alike)"
    if signed:
        first = f"{what} {meaning}: blue for the target, orange against it"
        pale = "white" if style == "bands" else "grey"
        second = (
            f"same scale in every figure; {pale}: below 1/8×, {_percent(below)} of the samples; "
            f"{_percent(above)} lie above it (at most {most})"
        )
    else:
        first = f"{what} of each sample, {meaning}"
        second = (
            f"same scale in every figure; arrowheads: {_percent(below)} of the samples lie below it, "
            f"{_percent(above)} above (at most {most})"
        )
    return (first, 2.6, INK), (second, 2.3, QUIET)


def _percent(share: float) -> str:
    if share == 0:
        return "none"
    return f"{share:.0f}%" if share >= 1 else f"{share:.1g}%"


def _times(multiple: float) -> str:
    return f"{multiple:.2g}×" if multiple < 10 else f"{multiple:.0f}×"
