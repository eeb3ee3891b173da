"""The tracing: nothing collides, nothing is lost in silence, nobody is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leadlight.figures import plot
from leadlight.figures.arrangement import LAYOUTS, arrange
from leadlight.figures.placement import place
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Patient, Recording

MakeRecording = Callable[..., Recording]


def texts(figure: Any) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def small_print(figure: Any) -> str:
    return " ".join(texts(figure))


def boxes_of_names(figure: Any) -> list[Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()
    return [
        text.get_window_extent(renderer)
        for axes in figure.axes for text in axes.texts if text.get_text() in STANDARD_LEADS
    ]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", range(4))
def test_no_trace_runs_through_a_leads_name(beats: MakeRecording, layout: str, seed: int) -> None:
    figure = plot(beats(seed=seed), layout)
    traces = [
        axes.transData.transform(drawn.get_xydata())
        for axes in figure.axes for drawn in axes.lines if str(drawn.get_gid()).startswith("trace")
    ]  # fmt: skip
    names = boxes_of_names(figure)
    assert names
    for box in names:
        for trace in traces:
            inside = (
                (trace[:, 0] > box.x0)
                & (trace[:, 0] < box.x1)
                & (trace[:, 1] > box.y0)
                & (trace[:, 1] < box.y1)
            )
            assert not inside.any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_traces_of_neighbouring_rows_do_not_cross(beats: MakeRecording, layout: str) -> None:
    recording = beats(seed=5)
    tracing = place(recording, arrange(recording, layout))
    rows = {baseline: [s for s in tracing.strips if s.baseline == baseline] for baseline in tracing.rows}
    for upper, lower in zip(tracing.rows[:-1], tracing.rows[1:], strict=True):
        for above in rows[upper]:
            for below in rows[lower]:
                shared = (below.x >= above.x.min()) & (below.x <= above.x.max())
                gap = np.interp(below.x[shared], above.x, above.y) - below.y[shared]
                assert (gap > 0).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_traces_stay_on_the_paper(beats: MakeRecording, layout: str) -> None:
    recording = beats(seed=6)
    tracing = place(recording, arrange(recording, layout))
    for piece in tracing.strips:
        assert piece.y.min() > 0
        assert piece.y.max() < tracing.height
        assert piece.name_y + 3 <= tracing.height


def test_a_lead_is_placed_by_its_median_and_a_large_offset_is_said(beats: MakeRecording) -> None:
    recording = beats()
    moved = replace(recording, signal=recording.signal + np.eye(12, dtype=np.float32)[:, :1] * 1.3)
    one, other = (place(r, arrange(r, "12x1")) for r in (recording, moved))
    np.testing.assert_allclose(one.strips[0].y, other.strips[0].y, atol=1e-4)
    assert not one.notes
    assert other.notes == ("offset of I (+1.3 mV) taken off",)


def test_a_gap_stays_blank_and_is_said(beats: MakeRecording) -> None:
    signal = beats().signal.copy()
    signal[3, 1500:1750] = np.nan
    recording = replace(beats(), signal=signal)
    strip = next(s for s in place(recording, arrange(recording, "12x1")).strips if s.strip.lead == "aVR")
    assert np.isnan(strip.y[1500:1750]).all()
    assert np.isfinite(np.delete(strip.y, np.arange(1500, 1750))).all()
    assert "aVR: 0.5 s missing, left blank" in small_print(plot(recording))


def test_a_lead_without_signal_is_named(beats: MakeRecording) -> None:
    signal = beats().signal.copy()
    signal[7] = np.nan
    assert "V2: no signal" in small_print(plot(replace(beats(), signal=signal)))


def test_an_amplitude_beyond_its_row_is_said_and_the_page_stays_finite(beats: MakeRecording) -> None:
    signal = beats().signal.copy()
    signal[6, 2000:2010] = 40.0
    figure = plot(replace(beats(), signal=signal), "12x1")
    assert "beyond its row: V1" in small_print(figure)
    assert figure.get_size_inches()[1] * 25.4 < 1000


def test_high_amplitudes_make_a_higher_page_that_says_its_size(beats: MakeRecording) -> None:
    tall = replace(beats(), signal=4 * beats().signal)
    figure = plot(tall, "12x1")
    height = figure.get_size_inches()[1] * 25.4
    assert height > 210
    assert f"to scale on a page of 297 × {height:g} mm" in small_print(figure)
    assert "to scale on a page" not in small_print(plot(beats()))


def test_nothing_of_the_patient_is_written(beats: MakeRecording) -> None:
    private = replace(
        beats(), patient=Patient("4711-Muster", 63.0, "female"), source="/clinic/Erika_Muster_1961/ecg.hea"
    )
    written = small_print(plot(private))
    for secret in ("4711", "Muster", "63", "female", "clinic"):
        assert secret not in written


def test_speed_gain_rate_and_duration_are_written(recording: Recording) -> None:
    written = small_print(plot(recording, title="Before treatment"))
    for fact in ("25 mm/s", "10 mm/mV", "500 Hz", "10 s", "no filter added", "Before treatment"):
        assert fact in written


def test_a_title_is_never_read_as_a_formula(recording: Recording, tmp_path: Path) -> None:
    from leadlight.figures import save_figure

    save_figure(plot(recording, title=r"costs $5 and \frac{ $"), tmp_path / "a.png")


def test_notes_of_the_recording_are_written(recording: Recording) -> None:
    assert "derived: III" in small_print(plot(replace(recording, notes=("derived: III",))))


def test_drawing_leaves_no_global_state_behind() -> None:
    import subprocess
    import sys

    code = (
        "import sys, numpy as np\n"
        "import leadlight.figures as f\n"
        "from leadlight.recording import Recording\n"
        "f.plot(Recording(np.zeros((1, 500), 'f4'), ('I',), 100))\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@settings(deadline=None, max_examples=25)
@given(
    signal=arrays(
        np.float32, (3, 120), elements=st.floats(-50, 50, width=32) | st.just(np.nan) | st.just(np.inf)
    ),
    layout=st.sampled_from(LAYOUTS),
)
def test_any_signal_can_be_drawn(signal: np.ndarray, layout: str) -> None:
    figure = plot(Recording(signal, ("I", "V1", "VZ"), 50), layout)
    assert np.isfinite(figure.get_size_inches()).all()


@pytest.mark.real
def test_real_recordings_of_every_source_can_be_drawn(real_data: Path) -> None:
    from leadlight.files import read

    folders = [
        real_data / "ptb-xl/records100/00000", real_data / "ptb-xl/records500/00000", real_data / "code-15",
        *sorted((real_data / "challenge-2021").iterdir()),
    ]  # fmt: skip
    for folder in folders:
        for header in sorted(folder.rglob("*.hea"))[:2]:
            recording = read(header.with_suffix(""))
            figure = plot(recording)
            drawn = {text for text in texts(figure) if text in recording.leads}
            assert drawn == set(recording.leads)
