"""Every figure can be read in print: letters, room on the page, contrast, colours for every vision."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from numpy.typing import NDArray

from leadlight.figures import chart, paper
from leadlight.figures.confusion import SHADES
from leadlight.figures.relevance_colours import COLOURS, SIGNED, SIGNED_TRACE, TRACE

POINTS_PER_MM = 72 / 25.4
SMALLEST_POINTS = 5.9

# Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113, table 1, severity 1.0.
VISION = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900],
    ],
}  # fmt: skip


def linear(colour: Any) -> NDArray[np.float64]:
    rgb = np.asarray(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: Any, other: Any) -> float:
    """As WCAG 2 defines it: from 1 to 21."""
    high, low = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear RGB to CIELAB, D65."""
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.clip(rgb, 0, 1) @ np.transpose(matrix) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def seen(colour: Any, vision: str) -> NDArray[np.float64]:
    return lab(np.array(VISION[vision]) @ linear(colour) if vision else linear(colour))


def test_letters_are_6_points_or_more_and_all_of_them_lie_on_the_page(drawn: tuple[str, Any]) -> None:
    figure = drawn[1]
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer, page = canvas.get_renderer(), figure.bbox
    hidden = [text for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for text in unseen(axis)]
    for text in figure.findobj(Text):
        if not text.get_text().strip() or not text.get_visible() or any(text is one for one in hidden):
            continue
        assert text.get_fontsize() >= SMALLEST_POINTS, f"{text.get_text()!r}: {text.get_fontsize():.1f} pt"
        box = text.get_window_extent(renderer)
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1
        assert inside, f"{text.get_text()!r} leaves the page: {box}"


def unseen(axis: Any) -> list[Text]:
    """Texts of an axis that Matplotlib holds and does not draw: of no axis, and of ticks beyond its ends."""
    if not axis.axes.axison:
        return list(axis.findobj(Text))
    low, high = sorted(axis.get_view_interval())
    beyond = [
        tick
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if not low <= tick.get_loc() <= high
    ]
    return [text for tick in beyond for text in tick.findobj(Text)]


def test_a_figure_fits_a_journal_or_a_sheet_of_paper(drawn: tuple[str, Any]) -> None:
    name, width = drawn[0], drawn[1].get_size_inches()[0] * 25.4
    assert width <= 297.5
    if not name.startswith(("tracing", "relevance", "explanation", "close-up")):
        assert width <= chart.TWO_COLUMNS + 0.5


@pytest.mark.parametrize("colour", [*chart.COLOURS, chart.NEUTRAL])
def test_every_line_stands_out_from_white(colour: str) -> None:
    assert contrast(colour, "white") >= 3.0  # WCAG 1.4.11


@pytest.mark.parametrize("colour", [paper.INK, paper.QUIET])
def test_letters_stand_out_from_white_and_paper(colour: str) -> None:
    assert contrast(colour, "white") >= 7.0
    assert contrast(colour, paper.PAPER) >= 7.0


@pytest.mark.parametrize("colours", [COLOURS, SIGNED, SHADES], ids=lambda one: one.name)
def test_black_letters_and_traces_can_be_read_on_every_shade(colours: Any) -> None:
    for place in np.linspace(0, 1, 65):
        assert contrast(paper.INK, colours(place)) >= 4.5


@pytest.mark.parametrize("colours", [TRACE, SIGNED_TRACE], ids=lambda one: one.name)
def test_a_coloured_trace_stands_out_from_the_paper(colours: Any) -> None:
    for place in np.linspace(0, 1, 65):
        assert contrast(colours(place), paper.PAPER) >= 2.8


@pytest.mark.parametrize("vision", ["", *VISION])
def test_the_first_four_colours_are_told_apart_by_every_kind_of_vision(vision: str) -> None:
    for one, other in combinations(chart.COLOURS[:4], 2):
        assert np.linalg.norm(seen(one, vision) - seen(other, vision)) > 12, (one, other)


@pytest.mark.parametrize("vision", ["", *VISION])
@pytest.mark.parametrize("colours", [SIGNED, SIGNED_TRACE], ids=lambda one: one.name)
def test_evidence_for_and_against_are_told_apart_by_every_kind_of_vision(colours: Any, vision: str) -> None:
    for size in (0.5, 0.75, 1.0):
        one, other = colours(0.5 + size / 2), colours(0.5 - size / 2)
        assert np.linalg.norm(seen(one, vision) - seen(other, vision)) > 20


@pytest.mark.parametrize("vision", ["", *VISION])
def test_more_relevance_is_darker_for_every_kind_of_vision(vision: str) -> None:
    for colours, places in ((COLOURS, np.linspace(0, 1, 9)), (SIGNED, np.linspace(0.5, 1, 9)),
                            (SIGNED, np.linspace(0.5, 0, 9)), (TRACE, np.linspace(0, 1, 9))):  # fmt: skip
        assert (np.diff([seen(colours(place), vision)[0] for place in places]) < 0.5).all()
