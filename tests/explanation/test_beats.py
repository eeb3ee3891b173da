"""Beats and waves beside the simulator, which knows where they are; of people; short and bad ones."""

from __future__ import annotations

import numpy as np
import pytest

from leadlight.errors import SignalError
from leadlight.explanation import find_beats
from leadlight.explanation.beats import BOUNDARIES, WAVES, Beats, find_r_peaks
from leadlight.explanation.qrs import qrs_boundaries
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.signal.resample import resample_recording
from leadlight.simulate import simulate_recording

pytest.importorskip("neurokit2")


@pytest.mark.parametrize("code", ["NORM", "IMI", "CRBBB"])
def test_beats_of_simulated_hearts_are_where_they_are(code: str) -> None:
    recording, truth = simulate_recording([code], 0)
    beats = find_beats(recording)
    inner = truth.r_peaks[(truth.r_peaks > 0.5) & (truth.r_peaks < 9.5)]
    nearest = np.abs(beats.r_peaks[:, None] - inner).min(axis=0)
    assert nearest.max() < 0.06
    matched = [int(np.argmin(np.abs(truth.r_peaks - peak))) for peak in beats.r_peaks]
    error = np.nanmedian(np.abs(beats.boundaries - truth.boundaries[matched]), axis=0)
    # The delineator sets the T wave's onset where it is steep, some 30 ms late.
    assert (error < [0.03, 0.04, 0.01, 0.02, 0.09, 0.03]).all(), dict(zip(BOUNDARIES, error, strict=True))


@pytest.mark.parametrize("rate", [100.0, 500.0])
def test_qrs_complexes_begin_where_they_begin_in_every_single_beat(rate: float) -> None:
    onsets, ends = [], []
    for code in ("NORM", "CLBBB"):
        recording, truth = simulate_recording([code], 1)
        beats = find_beats(resample_recording(recording, rate))
        matched = [int(np.argmin(np.abs(truth.r_peaks - peak))) for peak in beats.r_peaks]
        found = beats.boundaries[:, 2:4] - truth.boundaries[matched, 2:4]
        onsets.append(found[:, 0])
        ends.append(found[:, 1])
    # Two standard deviations among readers: 6.5 ms at the onset, 11.6 ms at the end (CSE Working Party 1985).
    assert np.quantile(np.abs(np.concatenate(onsets)), 0.95) < 0.010
    assert np.quantile(np.abs(np.concatenate(ends)), 0.95) < 0.025


def test_a_lead_without_a_q_wave_does_not_move_the_onset_to_the_p_wave() -> None:
    """Straight lines by hand: P from 0.10 to 0.20 s, then a QRS from 0.28 to 0.36 s, of R alone or of RS."""
    times = np.arange(0, 8, 0.002)
    beat = np.interp(times % 0.8, [0.1, 0.15, 0.2, 0.28, 0.32, 0.36], [0, 0.15, 0, 0, 1.2, 0])
    other = np.interp(times % 0.8, [0.1, 0.15, 0.2, 0.28, 0.31, 0.34, 0.36], [0, 0.1, 0, 0, 0.5, -0.8, 0])
    peaks = np.arange(10) * 0.8 + 0.32
    found = qrs_boundaries([beat, other, 0.5 * (beat + other)], 500.0, peaks)
    np.testing.assert_allclose(found[:, 0], np.arange(10) * 0.8 + 0.28, atol=0.010)
    np.testing.assert_allclose(found[:, 1], np.arange(10) * 0.8 + 0.36, atol=0.010)


def test_a_wide_beat_among_narrow_ones_keeps_its_own_width() -> None:
    times = np.arange(0, 8, 0.002)
    signal = np.interp(times % 0.8, [0.28, 0.32, 0.36], [0, 1.2, 0])
    wide = (times >= 4.0) & (times < 4.8)
    signal[wide] = np.interp(times[wide] - 4.0, [0.25, 0.34, 0.43], [0, 1.5, 0])
    found = qrs_boundaries([signal, -signal], 500.0, np.arange(10) * 0.8 + 0.32)
    widths = np.diff(found, axis=1)[:, 0]
    np.testing.assert_allclose(widths[5], 0.18, atol=0.02)
    np.testing.assert_allclose(np.delete(widths, 5), 0.08, atol=0.02)


@pytest.mark.parametrize("seconds", [2.5, 4.0])
def test_few_beats_are_delineated_too(seconds: float) -> None:
    recording, truth = simulate_recording(["NORM"], 0)
    beats = find_beats(recording.crop(0, seconds))
    matched = [int(np.argmin(np.abs(truth.r_peaks - peak))) for peak in beats.r_peaks]
    error = np.nanmedian(np.abs(beats.boundaries - truth.boundaries[matched]), axis=0)
    assert len(beats.r_peaks) >= 2
    assert (error[:4] < 0.05).all(), error


def test_waves_follow_each_other() -> None:
    for seed in range(3):
        beats = find_beats(simulate_recording(["NORM"], seed)[0])
        steps = np.diff(beats.boundaries, axis=1)
        assert (steps[np.isfinite(steps)] >= 0).all()
        ends, next_p = beats.boundaries[:-1, 5], beats.boundaries[1:, 2]
        assert (ends[np.isfinite(ends)] < next_p[np.isfinite(ends)]).all()


def test_runs_and_masks_are_cut_at_the_ends_of_the_recording() -> None:
    boundaries = np.array([[-0.1, 0.05, 0.1, 0.2, 0.3, 0.4], [np.nan, np.nan, 0.9, 1.0, 1.1, 1.3]])
    beats = Beats(np.array([0.15, 0.95]), boundaries, 1.2)
    assert beats.runs("P", 100.0) == [(0, 5), None]
    assert beats.runs("ST", 100.0) == [(20, 30), (100, 110)]
    assert beats.runs("T", 100.0) == [(30, 40), (110, 120)]
    assert np.flatnonzero(beats.mask("QRS", 100.0)).tolist() == [*range(10, 20), *range(90, 100)]


def test_a_lead_that_is_off_and_gaps_do_no_harm() -> None:
    recording, _ = simulate_recording(["NORM"], 1)
    signal = recording.signal.copy()
    signal[7:10] = 0
    signal[1, 1000:1100] = np.nan
    damaged = Recording(signal, recording.leads, recording.sampling_rate)
    whole, found = find_r_peaks(recording), find_r_peaks(damaged)
    assert len(whole) == len(found)
    assert np.abs(whole - found).max() < 0.03
    assert np.isfinite(find_beats(damaged).boundaries[:, 2:4]).all()


@pytest.mark.parametrize("seconds", [0.3, 10.0])
def test_where_there_are_no_beats_it_is_said(seconds: float) -> None:
    flat = Recording(np.zeros((12, int(500 * seconds)), np.float32), STANDARD_LEADS, 500.0)
    with pytest.raises(SignalError, match=r"beats: found 0.*accepted: 2 or more"):
        find_beats(flat)


@pytest.mark.real
def test_beats_of_people(real_ptbxl) -> None:
    """Nearly every record has them, at a rate and with widths that hearts have."""
    from leadlight.files import find_recordings, read

    files = find_recordings([real_ptbxl / "records500"])[:6]
    for file in files:
        beats = find_beats(read(file))
        assert 0.25 < np.median(np.diff(beats.r_peaks)) < 2.0
        widths = {wave: np.nanmedian(np.diff(beats.spans(wave), axis=1)) for wave in WAVES}
        assert 0.05 < widths["QRS"] < 0.25 and widths["T"] < 0.4


@pytest.mark.real
def test_qrs_complexes_of_people_are_as_wide_as_they_are_and_the_same_at_a_lower_rate(real_ptbxl) -> None:
    """Normal is up to 110 ms (Surawicz et al. 2009, doi:10.1016/j.jacc.2008.12.013)."""
    from leadlight.files import find_recordings, read

    widths = []
    for file in find_recordings([real_ptbxl / "records500"])[:5]:
        recording = read(file)
        fine, coarse = find_beats(recording), find_beats(resample_recording(recording, 100.0))
        widths.append(np.median(np.diff(fine.spans("QRS"), axis=1)))
        if len(fine.r_peaks) == len(coarse.r_peaks):
            steps = fine.spans("QRS") - coarse.spans("QRS")
            assert np.median(np.abs(steps)) < 0.006
    assert 0.07 < np.median(widths) < 0.11
