"""25 mm/s and 10 mm/mV on the printed page, measured on the figure and on the files."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from numpy.testing import assert_allclose

from leadlight.figures import plot, save_figure
from leadlight.figures.paper import draw_calibration, draw_paper, new_page
from leadlight.figures.saving import encode_figure
from leadlight.recording import Recording

MM_PER_INCH = 25.4
POINTS_PER_MM = 72 / 25.4


def on_page(figure: Any, axes: Any, points: Any) -> np.ndarray:
    """Places on the page in millimetres, through Matplotlib's own transformations."""
    pixels = axes.transData.transform(np.asarray(points, dtype=float))
    return pixels / figure.dpi * MM_PER_INCH


def line(figure: Any, gid: str) -> np.ndarray:
    """The points of a drawn line on the page, mm."""
    for axes in figure.axes:
        for drawn in axes.lines:
            if drawn.get_gid() == gid:
                return on_page(figure, axes, drawn.get_xydata())
    raise AssertionError(f"{gid} was not drawn")


def pdf_page(figure: Any) -> list[float]:
    """Width and height of the page of a PDF file, mm."""
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", encode_figure(figure, ".pdf"))
    assert box
    return [float(size) / POINTS_PER_MM for size in box.groups()]


def ramp(seconds: float = 10.0, rate: float = 100.0) -> Recording:
    """One lead that rises by 1 mV over its whole length."""
    n = round(seconds * rate)
    return Recording(np.linspace(-0.5, 0.5, n, dtype=np.float32)[None], ("V2",), rate)


def test_one_second_is_25_mm() -> None:
    points = line(plot(ramp()), "trace-V2-0")
    assert_allclose(np.diff(points[:, 0]), 0.25, rtol=0, atol=1e-6 * MM_PER_INCH)
    assert_allclose(points[-1, 0] - points[0, 0], 25 * 9.99, atol=1e-6 * MM_PER_INCH)


def test_one_millivolt_is_10_mm() -> None:
    points = line(plot(ramp()), "trace-V2-0")
    assert_allclose(points[-1, 1] - points[0, 1], 10.0, atol=1e-6 * MM_PER_INCH)


@pytest.mark.parametrize("rate", [100.0, 257.0, 400.0, 1000.0])
def test_the_scale_does_not_depend_on_the_sampling_rate(rate: float) -> None:
    points = line(plot(ramp(rate=rate)), "trace-V2-0")
    assert_allclose(np.diff(points[:, 0]), 25 / rate, rtol=1e-6)


def test_the_calibration_pulse_is_1_mv_high_and_200_ms_long() -> None:
    page = new_page(100, 50)
    axes = draw_paper(page, 5, 5, 50, 40)
    end = draw_calibration(axes, 3, 10)
    points = line(page, "calibration")
    assert np.ptp(points[:, 1]) == pytest.approx(10.0)
    top = points[points[:, 1] > points[0, 1] + 5]
    assert np.ptp(top[:, 0]) == pytest.approx(5.0)
    assert end == pytest.approx(13.0)


def test_the_grid_has_lines_every_1_and_5_mm(recording: Recording) -> None:
    figure = plot(recording)
    places: dict[str, np.ndarray] = {}
    for axes in figure.axes:
        for drawn in axes.collections:
            if isinstance(drawn, LineCollection):
                ends = np.array([on_page(figure, axes, segment) for segment in drawn.get_segments()])
                upright = ends[np.isclose(ends[:, 0, 0], ends[:, 1, 0])]
                places[str(drawn.get_gid())] = np.sort(upright[:, 0, 0])
    assert_allclose(np.diff(places["grid-5-mm"]), 5.0, atol=1e-6)
    every = np.sort(np.concatenate([places["grid-1-mm"], places["grid-5-mm"]]))
    assert_allclose(np.diff(every), 1.0, atol=1e-6)


def test_a_second_of_the_tracing_begins_on_a_bold_line(recording: Recording) -> None:
    figure = plot(recording, "12x1")
    start = line(figure, "trace-I-0")[0, 0]
    bold = [
        on_page(figure, axes, drawn.get_segments()[0])[0, 0]
        for axes in figure.axes for drawn in axes.collections if drawn.get_gid() == "grid-5-mm"
    ]  # fmt: skip
    assert (start - bold[0]) % 5 == pytest.approx(0, abs=1e-6)


def test_a_pdf_is_a4_in_landscape_and_holds_ten_seconds(recording: Recording) -> None:
    assert_allclose(pdf_page(plot(recording)), [297, 210], atol=0.01)
    points = line(plot(recording), "trace-II-0")
    assert points[:, 0].min() >= 0
    assert points[:, 0].max() <= 297


def test_an_svg_is_to_scale(tmp_path: Path) -> None:
    text = save_figure(plot(ramp()), tmp_path / "ramp.svg").read_text()
    width = re.search(r'<svg [^>]*?width="([\d.]+)pt"', text)
    assert width and float(width[1]) == pytest.approx(297 * POINTS_PER_MM, abs=1e-3)
    path = re.search(r'id="trace-V2-0">\s*<path d="([^"]*)"', text)
    assert path
    numbers = np.array(re.findall(r"-?[\d.]+", path[1]), dtype=float).reshape(-1, 2)
    extent = np.ptp(numbers, axis=0) / POINTS_PER_MM
    assert_allclose(extent, [25 * 9.99, 10.0], atol=1e-3)


def test_a_png_has_eight_pixels_a_millimetre_and_says_so(recording: Recording) -> None:
    from matplotlib.image import imread

    encoded = encode_figure(plot(recording), ".png")
    assert imread(io.BytesIO(encoded)).shape[:2] == (210 * 8, 297 * 8)
    place = encoded.index(b"pHYs") + 4
    assert int.from_bytes(encoded[place : place + 4], "big") == 8000  # pixels a metre


def test_a_readers_own_settings_do_not_cut_the_page(recording: Recording) -> None:
    import matplotlib

    with matplotlib.rc_context({"savefig.bbox": "tight", "savefig.dpi": 50}):
        assert_allclose(pdf_page(plot(recording)), [297, 210], atol=0.01)


def test_the_same_recording_makes_the_same_file(recording: Recording) -> None:
    for suffix in (".png", ".svg", ".pdf"):
        assert encode_figure(plot(recording), suffix) == encode_figure(plot(recording), suffix)
