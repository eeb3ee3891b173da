"""Resampling: what passes, what must vanish, ends, gaps, and two forms of one definition."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import freqz

from leadlight.errors import SignalError
from leadlight.recording import Recording
from leadlight.signal import resample, resample_recording

# `leadlight.signal.resample` is the function; this is the file.
file = sys.modules["leadlight.signal.resample"]

RATES = [100.0, 125.0, 128.0, 200.0, 250.0, 257.0, 300.0, 360.0, 400.0, 500.0, 1000.0]


def sine(hertz: float, rate: float, seconds: float = 10.0, phase: float = 0.3) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate + phase).astype(np.float32)


def inner(signal: np.ndarray, rate: float) -> np.ndarray:
    """Without the first and last second, where the continued ends are felt."""
    return signal[round(rate) : -round(rate)]


@pytest.mark.parametrize("hertz", [0.05, 0.67, 5, 15, 30, 40])
@pytest.mark.parametrize("rate", [500, 400, 1000, 257])
def test_what_the_new_rate_can_hold_passes_unchanged_and_unshifted(hertz: float, rate: float) -> None:
    new = resample(sine(hertz, rate), rate, 100)
    assert_allclose(inner(new, 100), inner(sine(hertz, 100), 100), atol=1e-3)


@pytest.mark.parametrize("hertz", [50, 55, 60, 70, 100, 150, 199, 240])
def test_what_would_alias_vanishes_by_more_than_60_decibel(hertz: float) -> None:
    assert np.abs(inner(resample(sine(hertz, 500), 500, 100), 100)).max() < 1e-3


@pytest.mark.parametrize(("rate", "new_rate"), [(500, 100), (400, 100), (1000, 250), (100, 500), (360, 250)])
def test_the_filter_is_linear_phase_flat_below_and_80_decibel_down_above(
    rate: float, new_rate: float
) -> None:
    up, down = file.ratio(rate, new_rate)
    coefficients = file.lowpass(up, down)
    assert_allclose(coefficients, coefficients[::-1], atol=1e-12)
    lower = min(rate, new_rate)
    hertz, response = freqz(coefficients / up, worN=16384, fs=rate * up)
    assert np.abs(np.abs(response[hertz <= 0.40 * lower]) - 1).max() < 2e-3
    assert 20 * np.log10(np.abs(response[hertz >= 0.50 * lower]).max()) < -79


@pytest.mark.parametrize("new_rate", RATES)
@pytest.mark.parametrize("rate", RATES)
def test_a_constant_stays_that_constant_everywhere(rate: float, new_rate: float) -> None:
    new = resample(np.full((2, 700), 1.25, dtype=np.float32), rate, new_rate)
    assert_allclose(new, 1.25, rtol=2e-6)


@pytest.mark.parametrize("new_rate", [100.0, 257.0, 500.0])
@pytest.mark.parametrize("rate", RATES)
def test_the_matrix_form_equals_the_definition(rate: float, new_rate: float) -> None:
    up, down = file.ratio(rate, new_rate)
    if up == down:
        return
    rows = np.random.default_rng(0).standard_normal((3, 1234)).astype(np.float32)
    n_new = round(1234 * up / down)
    by_blocks, by_phases = (form(rows, up, down, n_new) for form in (file._by_blocks, file._by_phases))
    assert by_blocks.shape == by_phases.shape == (3, n_new)
    assert_allclose(by_blocks, by_phases, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1500), st.sampled_from([(1, 5), (1, 4), (2, 5), (5, 1), (18, 25), (125, 64), (3, 2)]))
def test_the_two_forms_agree_at_every_length(n: int, factors: tuple[int, int]) -> None:
    up, down = factors
    n_new = round(n * up / down)
    rows = np.random.default_rng(n).standard_normal((2, n)).astype(np.float32)
    if n_new:
        expected = file._by_phases(rows, up, down, n_new)
        assert_allclose(file._by_blocks(rows, up, down, n_new), expected, atol=1e-5)


def test_a_ratio_whose_matrix_would_be_large_is_resampled_too() -> None:
    assert file._matrix_size(1000, 1001) > file._LARGEST_MATRIX
    new = resample(sine(10, 100.1), 100.1, 100)
    assert_allclose(inner(new, 100), inner(sine(10, 100), 100), atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(5, 3000), st.sampled_from(RATES), st.sampled_from(RATES))
def test_the_length_is_the_old_length_times_the_ratio_rounded(n: int, rate: float, new_rate: float) -> None:
    if round(n * new_rate / rate) == 0:
        return
    new = resample(np.zeros((2, 3, n), dtype=np.float32), rate, new_rate)
    assert new.shape == (2, 3, round(n * new_rate / rate))
    assert new.dtype == np.float32


def test_resampling_is_linear_and_knows_no_other_row() -> None:
    a, b = np.random.default_rng(1).standard_normal((2, 2500)).astype(np.float32)
    together = resample(np.stack([a, b, 2 * a - 3 * b]), 500, 100)
    assert_allclose(together[2], 2 * together[0] - 3 * together[1], atol=1e-5)
    assert_allclose(together[0], resample(a, 500, 100), atol=1e-6)


def test_reversing_time_commutes_with_resampling() -> None:
    # 2,501 samples: the first and the last both lie on the new grid.
    signal = np.random.default_rng(2).standard_normal(2501).astype(np.float32)
    forwards, backwards = resample(signal, 500, 100), resample(signal[::-1], 500, 100)
    assert len(forwards) == 500
    whole = file._by_phases(signal[None], 1, 5, 501)[0]
    assert_allclose(forwards, whole[:500], atol=1e-5)
    assert_allclose(backwards[::-1], whole[1:], atol=1e-5)


def test_the_ends_are_continued_by_their_own_value() -> None:
    ramp = np.linspace(3, 5, 5000, dtype=np.float32)
    new = resample(ramp, 500, 100)
    # A flat continuation bends the ramp's ends by less than its rise in half the filter's length.
    assert_allclose(new, ramp[::5], atol=2 / 5000 * 126)
    assert new.min() >= 3 - 1e-5
    assert new.max() <= 5 + 1e-5


def test_a_gap_keeps_place_and_duration_and_leaves_the_rest_alone() -> None:
    signal = np.stack([np.linspace(0, 1, 5000), sine(3, 500)]).astype(np.float32)
    signal[0, 2000:2500] = np.nan
    new = resample(signal, 500, 100)
    assert np.flatnonzero(np.isnan(new[0])).tolist() == list(range(400, 501))
    assert not np.isnan(new[1]).any()
    # The filter saw a straight line across the gap, and the ramp is one.
    ramp = resample(np.linspace(0, 1, 5000).astype(np.float32), 500, 100)
    there = ~np.isnan(new[0])
    assert_allclose(new[0, there], ramp[there], atol=1e-4)


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 2499, 4999])
def test_not_even_a_single_missing_sample_vanishes(place: int) -> None:
    signal = np.zeros(5000, dtype=np.float32)
    signal[place] = np.nan
    gap = np.flatnonzero(np.isnan(resample(signal, 500, 100)))
    assert len(gap) == 1
    assert abs(gap[0] * 5 - place) <= 4


def test_a_gap_keeps_place_and_duration_when_upsampled() -> None:
    signal = np.zeros(1000, dtype=np.float32)
    signal[300:400] = np.nan
    gap = np.flatnonzero(np.isnan(resample(signal, 100, 500)))
    assert len(gap) == pytest.approx(500, abs=5)
    assert gap[0] == pytest.approx(1500, abs=3)


def test_a_row_that_is_missing_entirely_stays_missing() -> None:
    signal = np.zeros((2, 1000), dtype=np.float32)
    signal[1] = np.nan
    new = resample(signal, 500, 100)
    assert np.isnan(new[1]).all()
    assert_array_equal(new[0], 0)


def test_the_same_rate_gives_the_same_samples() -> None:
    signal = np.random.default_rng(0).standard_normal((12, 100)).astype(np.float32)
    assert_array_equal(resample(signal, 250, 250), signal)


def test_the_input_is_left_untouched() -> None:
    signal = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)
    signal[0, 100:120] = np.nan
    before = signal.copy()
    resample(signal, 500, 100)
    assert_array_equal(signal, before)


@pytest.mark.parametrize(("rate", "new_rate"), [(0, 100), (-1, 100), (100, 0), (np.nan, 100), (100, np.inf)])
def test_rates_that_are_no_rates_are_refused(rate: float, new_rate: float) -> None:
    with pytest.raises(SignalError, match="both above 0"):
        resample(np.zeros(100, dtype=np.float32), rate, new_rate)


@pytest.mark.parametrize(("rate", "new_rate"), [(1e-6, 100), (100, 1e-6)])
def test_rates_next_to_nothing_are_refused(rate: float, new_rate: float) -> None:
    with pytest.raises(SignalError, match=r"accepted: 0.0001 Hz or more"):
        resample(np.zeros(100, dtype=np.float32), rate, new_rate)


def test_a_ratio_without_small_factors_is_refused() -> None:
    with pytest.raises(SignalError, match="simpler ratio"):
        resample(np.zeros(100, dtype=np.float32), 500, 100.0037)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_signal_shorter_than_one_new_sample_is_refused(n: int) -> None:
    with pytest.raises(SignalError, match="one new sample"):
        resample(np.zeros((12, n), dtype=np.float32), 500, 100)


def test_a_recording_is_resampled_with_a_note() -> None:
    recording = Recording(np.zeros((1, 1000), dtype=np.float32), ("I",), 500)
    new = resample_recording(recording, 100)
    assert (new.sampling_rate, new.n_samples) == (100, 200)
    assert new.notes == ("resampled from 500 to 100 Hz",)
    assert resample_recording(new, 100) is new


@pytest.mark.real
def test_real_records_come_near_the_official_100_hz_files_without_shift(real_ptbxl) -> None:
    """The official files were made by another filter: 10 microvolts apart are normal, a shift is not."""
    import csv

    from leadlight.files import read

    with (real_ptbxl / "resampled.csv").open() as lines:
        not_official = {int(row["ecg_id"]) for row in csv.DictReader(lines)}
    distances = []
    for header in sorted(real_ptbxl.glob("records500/*/*.hea"))[::4]:
        number = int(header.name[:5])
        official = real_ptbxl / "records100" / header.parent.name / f"{number:05d}_lr.hea"
        if number in not_official or not official.exists():
            continue
        new = resample(read(header).signal, 500, 100)[:, 50:-50]
        wanted = read(official).signal
        by_shift = [np.abs(new - wanted[:, 50 + k : wanted.shape[1] - 50 + k]).mean() for k in (-1, 0, 1)]
        assert np.argmin(by_shift) == 1
        distances.append(by_shift[1])
    assert len(distances) > 20
    assert np.mean(distances) < 0.010  # mV
