"""One lead close up: to scale, with beats and waves where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from leadlight.errors import SignalError
from leadlight.figures import Drawn, plot_lead
from leadlight.figures.close_up import own_peaks
from leadlight.recording import Recording

MakeRecording = Callable[..., Recording]
MM_PER_INCH = 25.4


@dataclass(frozen=True)
class Beats:
    r_peaks: Any

    def spans(self, wave: str) -> Any:
        first, last = {"P": (-0.2, -0.1), "QRS": (-0.05, 0.05), "ST": (np.nan, 0.1), "T": (0.15, 0.35)}[wave]
        return np.column_stack([self.r_peaks + first, self.r_peaks + last])


def on_page(figure: Any, gid: str) -> np.ndarray:
    for axes in figure.axes:
        for drawn in axes.lines:
            if drawn.get_gid() == gid:
                return axes.transData.transform(drawn.get_xydata()) / figure.dpi * MM_PER_INCH
    raise AssertionError(f"{gid} was not drawn")


def written(figure: Any) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_a_second_is_50_mm_and_a_millivolt_20() -> None:
    ramp = Recording(np.linspace(-0.5, 0.5, 400, dtype=np.float32)[None], ("V2",), 100.0)
    points = on_page(plot_lead(ramp, "V2", 0.0, 4.0), "trace-V2-0")
    assert_allclose(np.diff(points[:, 0]), 0.5, atol=1e-6)
    assert_allclose(points[-1, 1] - points[0, 1], 20.0, atol=1e-4)
    pulse = on_page(plot_lead(ramp, "V2"), "calibration")
    assert np.ptp(pulse[:, 1]) == pytest.approx(20.0)
    assert {"50 mm/s   20 mm/mV   100 Hz"} <= set(written(plot_lead(ramp, "V2")))


def peaked(lead: str, *moves: tuple[float, float], rate: float = 100.0) -> Recording:
    """6 s of one lead at rest, with a point at each of these times (s) of this height (mV)."""
    signal = np.zeros(round(6 * rate), np.float32)
    for time, height in moves:
        signal[round(time * rate)] = height
    return Recording(signal[None], (lead,), rate)


def test_beats_are_marked_where_they_are_with_their_intervals() -> None:
    """Above the lead's own peaks, not above those of all leads together; intervals are the recording's."""
    common = np.array([0.3, 1.1, 1.9, 3.9, 5.0])
    own = common + np.array([0.0, 0.02, -0.03, 0.04, 0.0])
    recording = peaked("V1", *((time, 1.2) for time in own))
    figure = plot_lead(recording, "V1", 1.0, 3.0, beats=Beats(common))
    marks, trace = on_page(figure, "r-peaks"), on_page(figure, "trace-V1-1")
    assert_allclose(marks[:, 0] - trace[0, 0], (own[1:4] - 1.0) * 50.0, atol=1e-6)
    assert {"800 ms, 75/min", "2000 ms, 30/min"} <= set(written(figure))


def test_the_mark_of_a_lead_that_points_down_stands_over_its_lowest_point() -> None:
    beats = Beats(np.array([1.0, 2.0, 3.0, 4.0]))
    down = peaked("V1", *((t - 0.03, 0.2) for t in (1, 2, 3, 4)), *((t + 0.02, -1) for t in (1, 2, 3, 4)))
    assert_allclose(own_peaks(down, "V1", beats), [1.02, 2.02, 3.02, 4.02])
    # As far up as down: as in the other beats. Far the other way: an ectopic beat's own peak.
    both = peaked("V1", (1.02, -1), (1.98, 1.1), (2.02, -1), (2.97, 2.0), (3.02, -0.2), (4.02, -1))
    assert_allclose(own_peaks(both, "V1", beats), [1.02, 2.02, 2.97, 4.02])


def test_a_beat_in_a_gap_is_marked_where_the_other_leads_have_it() -> None:
    signal = peaked("V1", (1.02, 1.0), (2.02, 1.0)).signal.copy()
    signal[:, 180:220] = np.nan
    recording = Recording(signal, ("V1",), 100.0)
    assert_allclose(own_peaks(recording, "V1", Beats(np.array([1.0, 2.0]))), [1.02, 2.0])


def test_waves_are_bars_with_names_and_one_that_is_missing_is_left_out(recording: Recording) -> None:
    figure = plot_lead(recording, "V1", 0.0, 2.0, beats=Beats(np.array([0.5, 1.3])))
    waves = [patch for axes in figure.axes for patch in axes.patches if "wave" in str(patch.get_gid())]
    assert sorted(str(one.get_gid()) for one in waves) == [
        *["wave-P"] * 2,
        *["wave-QRS"] * 2,
        *["wave-T"] * 2,
    ]
    assert_allclose([one.get_width() for one in waves if one.get_gid() == "wave-QRS"], 5.0)
    assert "ST" not in written(figure)


@pytest.mark.parametrize("style", ["bands", "trace"])
def test_relevance_is_drawn_on_it(recording: Recording, style: str) -> None:
    figure = plot_lead(
        recording, "V1", 0.0, 2.0, multiples=np.ones(recording.signal.shape), drawn=Drawn(style)
    )
    assert any(one.get_gid() == "relevance" for axes in figure.axes for one in axes.collections)
    assert any("multiples of the uniform share" in text for text in written(figure))


def test_a_gap_and_a_flat_lead_can_be_drawn(recording: Recording) -> None:
    signal = recording.signal.copy()
    signal[0, 100:800], signal[1] = np.nan, np.nan
    damaged = Recording(signal, recording.leads, recording.sampling_rate)
    for lead in ("I", "II"):
        assert plot_lead(damaged, lead).get_size_inches()[1] > 0


@pytest.mark.parametrize(
    ("lead", "start", "seconds"), [("V9", 0.0, 1.0), ("V1", 10.0, 1.0), ("V1", -1.0, 1.0), ("V1", 0.0, 0.0)]
)
def test_what_the_recording_does_not_have_is_refused(
    recording: Recording, lead: str, start: float, seconds: float
) -> None:
    with pytest.raises(SignalError, match="accepted"):
        plot_lead(recording, lead, start, seconds)


def test_the_command_draws_it(recording: Recording, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from leadlight.cli.app import app
    from leadlight.files import write

    write(recording, tmp_path / "one")
    for marks in ("--marks", "--no-marks"):
        out = tmp_path / f"v1{marks}.svg"
        answer = CliRunner().invoke(
            app, ["plot", str(tmp_path / "one"), "--close-up", "V1", marks, "--out", str(out)]
        )
        assert answer.exit_code == 0 and out.is_file(), answer.output
    refused = CliRunner().invoke(app, ["plot", str(tmp_path / "one"), "--close-up", "V9"])
    assert refused.exit_code == 2 and "V9" in refused.output
