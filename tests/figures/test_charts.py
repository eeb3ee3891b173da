"""What the charts of an evaluation say: numbers where they belong, and what is left out named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from leadlight.errors import SignalError
from leadlight.figures import (
    BeatColumn,
    Bins,
    Calls,
    ForestRow,
    ThresholdCurves,
    Value,
    plot_by_class,
    plot_class,
    plot_confusion,
    plot_cooccurrence,
    plot_distributions,
    plot_forest,
    plot_lead_waves,
    plot_reliability,
    plot_thresholds,
)
from leadlight.figures.confusion import SHADES
from leadlight.figures.names import fitted, text_width, wrapped
from leadlight.figures.relevance_colours import COLOURS, SIGNED


def written(figure: Any) -> list[str]:
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    ticks = [text.get_text() for axes in figure.axes for text in axes.get_yticklabels()]
    return [*texts, *ticks, *(text.get_text() for text in figure.texts)]


def lines(figure: Any, gid: str) -> list[Any]:
    return [line for axes in figure.axes for line in axes.lines if line.get_gid() == gid]


def test_a_confusion_matrix_has_counts_and_shares_of_its_row() -> None:
    text = written(plot_confusion([Calls("MI", 45, 23, 25, 229)]))
    for part in ("45", "66.2%", "23", "33.8%", "25", "9.8%", "229", "90.2%"):
        assert part in text


@pytest.mark.parametrize("n", [1, 30])
def test_a_class_without_positives_has_no_share(n: int) -> None:
    text = written(plot_confusion([Calls(f"C{k}", 0, 0, 1, 9) for k in range(n)]))
    assert any("–" in part for part in text)


def test_classes_stand_from_the_highest_mean_to_the_lowest_and_undefined_ones_last() -> None:
    models = {
        "one": {"A": Value(0.5), "B": Value(np.nan), "C": Value(0.9)},
        "two": {"A": Value(0.7), "C": Value(0.4), "D": Value(0.8)},
    }
    figure = plot_by_class(models, "F1")
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["D", "C", "A", "B"]
    assert_allclose(lines(figure, "model-two")[0].get_xdata(), [0.8, 0.4, 0.7])


def test_a_distribution_has_its_mean_median_quartiles_and_lowest_classes() -> None:
    values = {
        name: Value(number)
        for name, number in zip("ABCDEFG", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0], strict=True)
    }
    figure = plot_distributions({"one": {**values, "H": Value(np.nan)}}, "F1")
    assert any("mean 0.443, median 0.400; lowest: A, B, C" in text for text in written(figure))
    assert_allclose(lines(figure, "mean-one")[0].get_xdata(), [3.1 / 7])
    box = next(one for one in figure.axes[0].collections if one.get_gid() == "box")
    assert_allclose(box.get_paths()[0].get_extents().intervalx, [0.25, 0.55])
    assert len(lines(figure, "classes-one")[0].get_xdata()) == 7


def test_equal_values_do_not_hide_each_other() -> None:
    figure = plot_distributions({"one": {name: Value(0.5) for name in "ABC"}}, "F1")
    assert len(set(lines(figure, "classes-one")[0].get_ydata())) == 3


def bins(records: Any, positives: int = 9) -> Bins:
    n = len(records)
    at = (np.arange(n) + 0.5) / 10
    return Bins("MI", at - 0.05, at + 0.05, at, at, at * 0.9, at * 1.05, np.asarray(records), positives, 0.02)


def test_reliability_points_of_few_records_are_hollow() -> None:
    figure = plot_reliability([bins([100, 50, 9, 3])])
    assert [len(lines(figure, gid)[0].get_xdata()) for gid in ("bins", "few")] == [2, 2]
    assert to_hex(lines(figure, "few")[0].get_markerfacecolor()) == "#ffffff"
    assert any("error 0.020" in text for text in written(figure))


def test_of_many_classes_the_most_frequent_are_shown_and_that_is_said() -> None:
    figure = plot_reliability([bins([10], positives) for positives in range(20)])
    assert len(figure.axes) == 12
    assert any("The 12 most frequent of 20." in text for text in written(figure))
    assert any("\n8 of 10" in text for text in written(figure))
    assert not any("\n7 of 10" in text for text in written(figure))


def test_a_threshold_stands_where_it_is_with_its_interval() -> None:
    grid = np.linspace(0, 1, 11)
    curves = {"sensitivity": 1 - grid, "specificity": grid, "precision (PPV)": grid, "F1": grid}
    figure = plot_thresholds([ThresholdCurves("MI", grid, curves, 0.111, 0.05, 0.3)])
    assert_allclose(lines(figure, "threshold")[0].get_xdata(), [0.111, 0.111])
    span = next(patch for patch in figure.axes[0].patches if patch.get_gid() == "interval")
    assert_allclose(
        span.get_extents().transformed(figure.axes[0].transData.inverted()).intervalx, [0.05, 0.3]
    )
    without = plot_thresholds([ThresholdCurves("MI", grid, curves, np.nan)])
    assert not lines(without, "threshold")


def test_a_forest_tells_rows_that_leave_out_the_reference_from_others() -> None:
    rows = [
        ForestRow("female", 0.02, 0.01, 0.03, heading="sex", count="n = 9"),
        ForestRow("male", -0.02, -0.05, 0.01, heading="sex"),
        ForestRow("under 18", np.nan, remark="too few to say", heading="age"),
    ]
    figure = plot_forest(rows, "gap", reference=0.0)
    assert (len(lines(figure, "apart")), len(lines(figure, "value"))) == (1, 1)
    text = written(figure)
    assert [text.index(one) for one in ("sex", "female", "male", "age", "under 18")] == sorted(
        text.index(one) for one in ("sex", "female", "male", "age", "under 18")
    )
    assert {"+0.020 (+0.010 to +0.030)", "−0.020 (−0.050 to +0.010)", "too few to say", "n = 9"} <= set(text)
    assert not lines(plot_forest(rows, "gap"), "reference")


def test_an_empty_forest_is_a_figure() -> None:
    assert plot_forest([], "gap").axes


def test_shares_of_labels_are_read_by_row() -> None:
    text = written(plot_cooccurrence(["MI", "CD"], np.array([[40, 10], [10, 200]])))
    assert {"40", "25%", "5%", "200"} <= set(text)
    with pytest.raises(SignalError, match="accepted"):
        plot_cooccurrence(["MI"], np.zeros((2, 2), dtype=int))


def cell(figure: Any, name: str) -> str:
    patch = next(one for axes in figure.axes for one in axes.patches if one.get_gid() == f"cell-{name}")
    return to_hex(patch.get_facecolor())


def test_a_heat_map_of_multiples_has_the_scale_of_all_figures() -> None:
    values = np.array([[32.0, 2.0], [np.nan, 0.01]])
    figure = plot_lead_waves(("I", "V1"), ("QRS", "T"), values)
    assert cell(figure, "I-QRS") == to_hex(COLOURS(1.0))
    assert cell(figure, "I-T") == to_hex(COLOURS(0.5))
    assert {"32×", "2.0×", "–", "<1/8×"} <= set(written(figure))


def test_a_signed_heat_map_of_another_unit_reaches_from_the_largest_to_its_opposite() -> None:
    figure = plot_lead_waves(
        ("I", "V1"), ("QRS", "T"), np.array([[2.0, -2.0], [1.0, -0.001]]), signed=True, unit="logit"
    )
    assert cell(figure, "I-QRS") == to_hex(SIGNED(1.0))
    assert cell(figure, "I-T") == to_hex(SIGNED(0.0))
    assert cell(figure, "V1-QRS") == to_hex(SIGNED(0.75))
    assert {"+2.00", "−2.00", "+1.00", "0.00", "logit"} <= set(written(figure))
    with pytest.raises(SignalError, match="leads by waves"):
        plot_lead_waves(("I",), ("QRS",), np.zeros((2, 2)))


def test_of_many_labels_shades_stand_alone_and_the_diagonal_is_grey() -> None:
    counts = np.full((30, 30), 2) + np.diag([2] * 30)
    figure = plot_cooccurrence([f"C{n}" for n in range(30)], counts)
    cells = next(one for one in figure.axes[0].collections if one.get_gid() == "cells")
    colours = np.array([to_hex(one) for one in cells.get_array().reshape(-1, 4)]).reshape(30, 30)
    assert set(np.diag(colours)) == {"#eef0f2"}
    assert colours[0, 1] == to_hex(SHADES(0.5))
    assert not any("%" in text for text in written(figure))


LONG = (
    "xresnet1d18-ptbxl-superclass", "xresnet1d101-ptbxl-superclass: common/another-place/seed-43",
    "x" * 60 + "-1", "x" * 60 + "-2", "a $5 model $ with a price",
)  # fmt: skip


@pytest.mark.parametrize("n_models", [1, 5])
@pytest.mark.parametrize("plot", [plot_by_class, plot_distributions])
def test_long_names_stay_on_the_page(plot: Callable[..., Any], n_models: int) -> None:
    values = {"a-class-with-a-name-that-is-as-long-as-a-sentence": Value(0.9), "B": Value(0.5)}
    figure = plot(dict.fromkeys(LONG[:n_models], values), "F1")
    figure.draw_without_rendering()  # the legend finds its place
    page = figure.bbox
    drawn = [text for axes in figure.axes for text in axes.get_yticklabels()]
    drawn += [text for legend in figure.legends for text in legend.get_texts()]
    assert len(drawn) >= 1
    for text in drawn:
        box = text.get_window_extent()
        assert page.x0 <= box.x0 and box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 and box.y1 <= page.y1, text.get_text()


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    assert fitted("imle-net", 40.0, 2.5) == "imle-net"
    assert fitted("xresnet1d18-ptbxl-superclass", 30.0, 2.5, lines=2) == "xresnet1d18-ptbxl-\nsuperclass"
    shown = fitted("xresnet1d18-ptbxl-superclass/seed-42", 30.0, 2.5)
    assert shown.startswith("xresnet") and shown.endswith("eed-42") and "…" in shown
    assert text_width(shown, 2.5) <= 30.0
    first, last = fitted("a" * 30 + "b" * 30 + "c" * 30, 30.0, 2.5, lines=2).split("\n")
    assert first.strip("a") == "" and last.strip("c") == "…"


def test_sentences_are_broken_to_the_width_of_the_page() -> None:
    text = "The diagnostic criteria look at: " + "; ".join(["QRS, ST, T in V1, V2, V3, V4"] * 8)
    lines = wrapped(text, 120.0, 2.5)
    assert len(lines) > 1 and " ".join(lines) == text
    assert max(text_width(line, 2.5) for line in lines) <= 120.0


def test_a_long_foot_of_a_class_stays_on_the_page() -> None:
    times = np.linspace(-0.3, 0.5, 9)
    column = BeatColumn("found", 2, 9, np.zeros((1, 9)), np.ones((1, 9)), np.full((1, 3), 1.0))
    page = plot_class(["V1"], times, [column], foot=["word " * 80])
    page.canvas.draw()
    width = page.bbox.width
    written = [
        one.get_window_extent() for axes in page.axes for one in axes.texts if "word" in one.get_text()
    ]
    assert len(written) > 1 and all(one.x0 >= 0 and one.x1 <= width for one in written)
