"""Bars of probabilities and of lead importance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from leadlight.figures import plot_lead_importance, plot_probabilities
from leadlight.figures.bars import FOUND, NOT_FOUND
from leadlight.leads import STANDARD_LEADS


def written(figure: Any) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def bars(figure: Any) -> dict[str, Any]:
    return {
        str(patch.get_gid()).removeprefix("probability-"): patch
        for axes in figure.axes for patch in axes.patches if str(patch.get_gid()).startswith("probability-")
    }  # fmt: skip


def test_a_bar_is_as_long_as_its_probability() -> None:
    drawn = bars(
        plot_probabilities(["A", "B", "C"], np.float32([0.25, 0.5, 1.0]), np.float32([0.5, 0.5, 0.5]))
    )
    lengths = [drawn[name].get_width() for name in "ABC"]
    assert_allclose(np.array(lengths) / lengths[2], [0.25, 0.5, 1.0])


def test_a_probability_on_its_threshold_is_a_finding() -> None:
    value = np.float32(0.1)
    figure = plot_probabilities(
        ["A", "B"], np.array([value, np.nextafter(value, np.float32(0))]), np.full(2, value)
    )
    assert written(figure).count("finding") == 1
    from matplotlib.colors import to_hex

    assert [to_hex(bars(figure)[name].get_facecolor()) for name in "AB"] == [FOUND, NOT_FOUND]


def test_of_many_classes_the_target_and_the_findings_are_shown_and_how_many_are_not() -> None:
    names = [f"C{n}" for n in range(71)]
    probabilities = np.linspace(0.5, 0.1, 71, dtype=np.float32)
    thresholds = np.full(71, 0.9, np.float32)
    thresholds[60] = 0.05
    figure = plot_probabilities(names, probabilities, thresholds, target="C70")
    assert list(bars(figure)) == ["C70", "C60", "C0", "C1", "C2", "C3", "C4", "C5"]
    assert any("8 of 71 classes" in text for text in written(figure))


def test_bars_of_lead_importance_stand_beside_the_uniform_share() -> None:
    share = np.array([0.2] + [0.8 / 11] * 11)
    figure = plot_lead_importance(STANDARD_LEADS, share)
    axes = figure.axes[0]
    heights = np.array([patch.get_height() for patch in axes.patches])
    assert_allclose(heights / heights.sum(), share)
    uniform = next(line for line in axes.lines if line.get_gid() == "uniform-share")
    bottom = axes.patches[0].get_y()
    assert_allclose((uniform.get_ydata()[0] - bottom) / heights[0], (1 / 12) / 0.2)
    assert "20.0" in written(figure)


@pytest.mark.parametrize(("largest", "end"), [(0.2, "25%"), (0.4, "50%"), (0.9, "100%")])
def test_the_axis_of_lead_importance_has_few_ends(largest: float, end: str) -> None:
    figure = plot_lead_importance(("I", "II"), np.array([largest, 0.1]))
    assert end in written(figure)
