"""ROC and precision-recall curves: the right line, a band, the threshold, and what is not defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from leadlight.figures import Curve, plot_precision_recall, plot_roc

NOTHING = np.zeros(0)


def curve(name: str = "MI", positives: int = 2, records: int = 5, **changed: Any) -> Curve:
    grid = np.linspace(0, 1, 5)
    values: dict[str, Any] = {
        "x": np.array([0.0, 0.0, 0.5, 1.0]), "y": np.array([0.0, 0.5, 1.0, 1.0]),
        "grid": grid, "low": grid * 0.8, "high": np.minimum(1, grid * 1.2),
        "area": 0.875, "area_low": 0.8, "area_high": 0.95, "at": (0.0, 0.5),
    }  # fmt: skip
    return Curve(name=name, positives=positives, records=records, **{**values, **changed})


def written(figure: Any) -> str:
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    boxes = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    legends = [text.get_text() for box in boxes for text in box.get_texts()]
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    return " | ".join(texts + legends + titles + [text.get_text() for text in figure.texts])


def line(figure: Any, gid: str) -> np.ndarray:
    return next(drawn.get_xydata() for axes in figure.axes for drawn in axes.lines if drawn.get_gid() == gid)


@pytest.mark.parametrize("plot", [plot_roc, plot_precision_recall])
def test_a_class_has_a_panel_with_curve_band_and_threshold(plot: Any) -> None:
    figure = plot([curve(), curve("NORM")])
    assert len(figure.axes) == 2
    assert_allclose(line(figure, "curve-NORM"), [[0, 0], [0, 0.5], [0.5, 1], [1, 1]])
    assert_allclose(line(figure, "threshold-MI"), [[0, 0.5]])
    bands = [drawn for axes in figure.axes for drawn in axes.collections if drawn.get_gid() == "band-MI"]
    assert_allclose(bands[0].get_paths()[0].get_extents().y1, 1.0)
    assert "0.875\n0.800–0.950\n2 of 5" in written(figure)


@pytest.mark.parametrize("positives", [0, 5])
def test_a_class_without_positives_or_negatives_has_no_curve_and_says_so(positives: int) -> None:
    figure = plot_roc([curve(positives=positives, x=NOTHING, y=NOTHING, grid=NOTHING, area=np.nan, at=None)])
    assert f"not defined:\n{positives} of 5 positive" in written(figure)
    assert not any(drawn.get_gid() == "curve-MI" for drawn in figure.axes[0].lines)


@pytest.mark.parametrize("plot", [plot_roc, plot_precision_recall])
def test_of_many_classes_the_lowest_are_named_and_all_are_drawn(plot: Any) -> None:
    curves = [curve(f"C{n}", area=0.5 + n / 100) for n in range(40)]
    curves.append(curve("NONE", positives=0, area=np.nan))
    figure = plot(curves)
    assert len(figure.axes) == 1
    gids = [drawn.get_gid() for drawn in figure.axes[0].lines]
    assert sum(str(gid).startswith("curve-") for gid in gids) == 40
    text = written(figure)
    assert "C0: 0.500 (2 of 5)" in text and "C6:" not in text
    assert "mean of 40 classes: 0.695" in text
    assert "not shown: NONE" in text
