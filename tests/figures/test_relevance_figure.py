"""Relevance behind a tracing: at the right place, on one fixed scale that says what lies beyond it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from numpy.testing import assert_allclose

from leadlight.errors import SignalError
from leadlight.figures import Findings, plot_explanation, plot_relevance
from leadlight.figures.relevance import COLOURS, HIGHEST, LOWEST
from leadlight.recording import Recording

MakeRecording = Callable[..., Recording]
FINDINGS = Findings(
    ["MI", "NORM"], ["Myocardial infarction", "Normal"], np.float32([0.8, 0.1]), np.float32([0.5, 0.5]), "MI"
)


@pytest.fixture
def seen(beats: MakeRecording) -> Recording:
    return beats(rate=100)


def fields(figure: Any, lead: str, start: float) -> tuple[np.ndarray, np.ndarray]:
    """Borders on the paper (mm from the trace's origin) and colours of a strip's fields."""
    for axes in figure.axes:
        for drawn in axes.collections:
            if isinstance(drawn, QuadMesh) and drawn.get_gid() == f"relevance-{lead}-{start:g}":
                drawn.update_scalarmappable()
                return drawn.get_coordinates()[0, :, 0] - 15.0, drawn.get_facecolor()
    raise AssertionError(f"{lead} from {start} s has no field")


def written(figure: Any) -> str:
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


def luminance(colour: Any) -> float:
    """Relative luminance as WCAG 2 defines it."""
    rgb = np.asarray(colour)[:3]
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_a_field_lies_where_its_samples_are(seen: Recording) -> None:
    multiples = np.full(seen.signal.shape, 0.5)
    multiples[seen.leads.index("V1"), 600:604] = 4.0  # 6.00 to 6.04 s
    borders, colours = fields(plot_relevance(seen, multiples, "3x4"), "V1", 5)
    assert_allclose(borders, [125, 150, 151, 187.5])
    assert_allclose(colours[1][:3], COLOURS(5 / 8)[:3], atol=0.01)
    assert_allclose(colours[0][:3], COLOURS(2 / 8)[:3], atol=0.01)


def test_the_rhythm_strip_shows_the_same_relevance_as_the_column(seen: Recording) -> None:
    multiples = np.full(seen.signal.shape, 1.0)
    multiples[1, 100:110] = 3.0
    figure = plot_relevance(seen, multiples, "3x4")
    for layout_figure in (figure, plot_relevance(seen, multiples, "12x1")):
        borders, colours = fields(layout_figure, "II", 0)
        assert_allclose(borders[1:3], [25, 27.5])
        assert len(colours) == 3


def test_a_uniform_map_has_one_colour_that_is_not_the_top_one(seen: Recording) -> None:
    figure = plot_relevance(seen, np.ones(seen.signal.shape), "12x1")
    colours = np.concatenate([fields(figure, lead, 0)[1] for lead in seen.leads])
    assert len(np.unique(colours, axis=0)) == 1
    assert_allclose(colours[0][:3], COLOURS(3 / 8)[:3], atol=0.01)


def test_the_scale_is_the_same_whatever_is_drawn(seen: Recording) -> None:
    multiples = np.ones(seen.signal.shape)
    alone = plot_relevance(seen, multiples, "12x1")
    multiples[4, 500:600] = 7.0
    beside_more = plot_relevance(seen, multiples, "12x1")
    assert_allclose(fields(alone, "V6", 0)[1], fields(beside_more, "V6", 0)[1])


def test_every_doubling_within_the_scale_gets_darker(seen: Recording) -> None:
    levels = LOWEST * 2.0 ** np.arange(9)
    assert levels[-1] == HIGHEST
    lightness = [luminance(COLOURS(number / 8)) for number in range(9)]
    assert (np.diff(lightness) < -0.02).all()


def test_a_black_trace_is_readable_on_the_darkest_colour() -> None:
    contrast = (luminance(COLOURS(1.0)) + 0.05) / (luminance((0.067, 0.067, 0.067)) + 0.05)
    assert contrast >= 4.5


def test_the_colour_bar_has_numbers_and_says_what_lies_beyond_it(seen: Recording) -> None:
    multiples = np.ones(seen.signal.shape)
    multiples[0, :100] = 48.0  # 100 of 12,000 samples
    multiples[1, :240] = 0.01
    text = written(plot_relevance(seen, multiples))
    for number in ("1/8×", "1×", "32×", "multiples of the uniform share"):
        assert number in text
    assert "2% of the samples lie below it, 0.8% above (at most 48×)" in text


def test_another_shape_is_refused(seen: Recording) -> None:
    with pytest.raises(SignalError, match=r"found shape \(12, 999\); accepted: \(12, 1000\)"):
        plot_relevance(seen, np.ones((12, 999)))


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_values_that_are_no_multiples_are_refused(seen: Recording, value: float) -> None:
    with pytest.raises(SignalError, match="negative or missing"):
        plot_relevance(seen, np.full(seen.signal.shape, value))


@pytest.mark.parametrize("layout", ["3x4", "12x1"])
def test_an_explanation_keeps_the_tracing_to_scale(seen: Recording, layout: str) -> None:
    figure = plot_explanation(seen, np.ones(seen.signal.shape), np.full(12, 1 / 12), FINDINGS, layout)
    for axes in figure.axes:
        for drawn in axes.lines:
            if str(drawn.get_gid()).startswith("trace-II-0"):
                pixels = axes.transData.transform(drawn.get_xydata())
                step = np.diff(pixels[:, 0]) / figure.dpi * 25.4
                assert_allclose(step, 0.25, atol=1e-6)
                return
    raise AssertionError("lead II was not drawn")


def test_nothing_written_on_an_explanation_overlaps(seen: Recording) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    long_text = "What this figure shows and what it does not show, said at some length. " * 8
    figure = plot_explanation(
        seen, np.ones(seen.signal.shape), np.full(12, 1 / 12), FINDINGS, title="A title", text=[long_text]
    )
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [
        (text.get_text(), text.get_window_extent(renderer)) for axes in figure.axes for text in axes.texts
        if text.get_text()
    ]  # fmt: skip
    width, height = figure.canvas.get_width_height()
    for number, (name, box) in enumerate(boxes):
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height, name
        for other_name, other in boxes[number + 1 :]:
            inside = (
                min(box.x1, other.x1) - max(box.x0, other.x0),
                min(box.y1, other.y1) - max(box.y0, other.y0),
            )
            assert min(inside) <= 1.5, (name, other_name)  # pixels


def test_a_signed_map_has_the_colours_of_evidence_for_and_against(seen: Recording) -> None:
    from leadlight.figures import Drawn
    from leadlight.figures.relevance_colours import SIGNED

    multiples = np.zeros(seen.signal.shape)
    multiples[6, 600:604], multiples[6, 604:608] = 2.0, -2.0  # V1
    _, colours = fields(plot_relevance(seen, multiples, "3x4", drawn=Drawn(signed=True)), "V1", 5)
    expected = [SIGNED(0.5), SIGNED(0.75), SIGNED(0.25), SIGNED(0.5)]
    assert_allclose(colours[:, :3], np.array(expected)[:, :3], atol=0.01)


def test_negative_relevance_is_refused_where_it_has_no_sign(seen: Recording) -> None:
    with pytest.raises(SignalError, match="signed"):
        plot_relevance(seen, -np.ones(seen.signal.shape))


def test_a_coloured_trace_is_the_trace_itself_and_the_wider_the_more_relevant(seen: Recording) -> None:
    from matplotlib.collections import LineCollection

    from leadlight.figures import Drawn

    multiples = np.full(seen.signal.shape, 1.0)
    multiples[6, 600:650] = 16.0  # V1
    figure = plot_relevance(seen, multiples, "3x4", drawn=Drawn("trace"))
    drawn = [
        one for axes in figure.axes for one in axes.collections
        if isinstance(one, LineCollection) and one.get_gid() == "relevance-V1-5"
    ]  # fmt: skip
    trace = next(
        line for axes in figure.axes for line in axes.lines if line.get_gid() == "trace-V1-5"
    ).get_xydata()
    pieces = drawn[0].get_segments()
    assert_allclose(np.concatenate([pieces[0], pieces[1][1:], pieces[2][1:]]), trace)
    widths = drawn[0].get_linewidths()
    assert widths[1] > widths[0] and widths[0] == widths[2]


def test_an_unknown_style_is_refused(seen: Recording) -> None:
    from leadlight.figures import Drawn

    with pytest.raises(SignalError, match="accepted: bands, trace"):
        plot_relevance(seen, np.ones(seen.signal.shape), drawn=Drawn("rainbow"))


def test_leads_that_share_one_map_have_no_chart_of_their_own(seen: Recording) -> None:
    figure = plot_explanation(seen, np.ones(seen.signal.shape), None, FINDINGS)
    assert "All leads share one map" in written(figure)
