"""Steps one by one: what they do to a signal, and how impossible ones are named."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import butter, iirnotch, sosfreqz, tf2sos

from leadlight.errors import ContractError
from leadlight.recording import Recording
from leadlight.signal import Preprocessing
from leadlight.signal.stating import steps_from


def apply(signal: np.ndarray, rate: float, *steps: object) -> np.ndarray:
    """One lead through the steps."""
    taken = Recording(np.asarray(signal, np.float32)[np.newaxis], ("II",), rate)
    return Preprocessing(("II",), rate, len(signal), steps).apply(taken)[0]


def sine(hertz: float, rate: float = 500.0, seconds: float = 20.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


class TestFilters:
    @pytest.mark.parametrize(
        ("step", "design"),
        [
            ({"kind": "high-pass", "cutoff": 0.67}, butter(2, 0.67, "high", fs=500, output="sos")),
            ({"kind": "low-pass", "cutoff": 40, "order": 4}, butter(4, 40, "low", fs=500, output="sos")),
            ({"kind": "band-pass", "low": 0.5, "high": 40, "order": 3},
             butter(3, [0.5, 40], "band", fs=500, output="sos")),
            ({"kind": "notch", "frequency": 50, "quality": 30}, tf2sos(*iirnotch(50, 30, fs=500))),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("hertz", [0.25, 0.67, 2, 10, 40, 50, 55, 100])
    def test_a_sine_keeps_its_phase_and_is_damped_by_the_response_squared(self, step, design, hertz):
        _, response = sosfreqz(design, worN=[hertz], fs=500)
        wave = sine(hertz, seconds=60)
        inside = slice(5000, -5000)
        expected = np.abs(response[0]) ** 2 * wave
        assert_allclose(apply(wave, 500, step)[inside], expected[inside], atol=2e-4)

    def test_a_high_pass_takes_drift_away_and_leaves_the_beat(self):
        beats = sine(1.2) ** 21
        drift = 2 * sine(0.1) + 5
        found = apply(beats + drift, 500, {"kind": "high-pass", "cutoff": 0.5})
        inside = slice(1000, -1000)
        assert_allclose(found[inside], (beats - beats.mean())[inside], atol=0.05)

    def test_an_ecg_that_begins_with_a_qrs_complex_keeps_its_baseline(self):
        # As if the complex stood in the middle; an odd continuation makes a step of twice its height.
        signal = np.zeros(5000)
        signal[:20] = 2.0
        step = {"kind": "high-pass", "cutoff": 0.5}
        found, in_the_middle = (apply(one, 500, step) for one in (signal, [*signal[:0:-1], *signal]))
        assert_allclose(found, in_the_middle[4999:], atol=1e-3)
        published = apply(signal, 500, {**step, "form": "coefficients"})
        assert np.abs(published[100:]).max() > 4 * np.abs(found[100:]).max()

    def test_moving_medians_follow_the_baseline_between_beats(self):
        baseline = 0.5 * sine(0.15)
        beats = np.zeros(10_000)
        beats[250::400] = 1.5
        found = apply(baseline + beats, 500, "median-baseline")
        assert_allclose(found[500:-500], beats[500:-500], atol=0.03)

    def test_published_form_and_ours_agree_inside(self):
        noise = np.random.default_rng(0).standard_normal(10_000)
        ours, published = (
            apply(noise, 500, {"kind": "band-pass", "low": 0.5, "high": 40.0, "form": form})
            for form in ("sections", "coefficients")
        )
        assert_allclose(ours[2500:-2500], published[2500:-2500], atol=1e-3)


class TestScaling:
    def test_z_score_of_each_lead_or_of_all_together(self):
        signal = np.array([[1.0, 3.0, 1.0, 3.0], [10.0, 30.0, 10.0, 30.0]], np.float32)
        taken = Recording(signal, ("I", "II"), 100)

        def scaled(over: str) -> np.ndarray:
            step = {"kind": "z-score", "over": over, "epsilon": 0.0}
            return Preprocessing(("I", "II"), 100, 4, (step,)).apply(taken)

        assert_allclose(scaled("lead"), [[-1, 1, -1, 1]] * 2, rtol=1e-6)
        assert_allclose(scaled("record"), (signal - 11) / signal.std(), rtol=1e-6)

    @pytest.mark.parametrize("value", [0.0, 0.1, -3.7, 1e4])
    def test_a_flat_lead_becomes_zero_exactly(self, value):
        assert_array_equal(apply(np.full(999, value), 100, "z-score"), 0)
        assert_array_equal(apply(np.full(999, value), 100, "min-max"), 0)

    def test_min_max_stretches_to_the_stated_ends(self):
        found = apply(np.array([-1.0, 0.0, 3.0]), 100, {"kind": "min-max", "lowest": -1.0, "highest": 1.0})
        assert_allclose(found, [-1, -0.5, 1], rtol=1e-6)

    def test_gaps_do_not_count_in_a_z_score(self):
        signal = np.array([1.0, np.nan, 3.0, 1.0, 3.0, np.nan])
        found = apply(signal, 100, {"kind": "z-score", "epsilon": 0.0}, "zero-missing")
        assert_allclose(found, [-1, 0, 1, -1, 1, 0], rtol=1e-6)

    def test_clipping_and_a_fixed_factor(self):
        found = apply(np.array([-9.0, 0.5, 9.0]), 100, {"kind": "clip", "limit": 5.0},
                      {"kind": "scale-fixed", "factor": 1000.0})  # fmt: skip
        assert_array_equal(found, [-5000, 500, 5000])


class TestPadding:
    @pytest.mark.parametrize(
        ("step", "expected"),
        [
            ({"fill": "zero", "place": "end"}, [1, 2, 6, 0, 0, 0]),
            ({"fill": "edge", "place": "start"}, [1, 1, 1, 1, 2, 6]),
            ({"fill": "mean", "place": "both"}, [3, 1, 2, 6, 3, 3]),
        ],
    )
    def test_by_hand(self, step, expected):
        steps = Preprocessing(("II",), 1, 6, ({"kind": "pad", **step},))
        found = steps.apply(Recording(np.array([[1, 2, 6]], np.float32), ("II",), 1))
        assert_array_equal(found, [expected])


class TestWrongSteps:
    @pytest.mark.parametrize(
        ("step", "message"),
        [
            ("band-pas", r"steps\[0\].kind: found 'band-pas'; accepted: .* Did you mean 'band-pass'"),
            ({"low": 1.0}, r"steps\[0\].kind: found None"),
            (3, r"steps\[0\]: found 3; accepted: a table with kind"),
            ({"kind": "band-pass", "lo": 1.0}, r"steps\[0\].lo: found an unknown key .* Did you mean 'low'"),
            ({"kind": "band-pass", "low": 50.0}, r"steps\[0\].low: found 50.0; accepted: below high, 40 Hz"),
            ({"kind": "band-pass", "order": 2.5}, r"steps\[0\].order: found 2.5; accepted: a whole number"),
            ({"kind": "band-pass", "order": 11}, r"steps\[0\].order: found 11; accepted: 1 to 10"),
            ({"kind": "high-pass", "cutoff": "0.5"}, r"steps\[0\].cutoff: found '0.5'; accepted: a number"),
            ({"kind": "high-pass", "cutoff": True}, r"steps\[0\].cutoff: found True; accepted: a number"),
            ({"kind": "high-pass", "cutoff": float("nan")}, r"steps\[0\].cutoff: found nan"),
            (
                {"kind": "high-pass", "cutoff": 0},
                r"steps\[0\].cutoff: found 0.0; accepted: 0.001 to 10000 Hz",
            ),
            (
                {"kind": "high-pass", "form": "sos"},
                r"steps\[0\].form: found 'sos'; accepted: sections, coeff",
            ),
            ({"kind": "notch", "quality": 0}, r"steps\[0\].quality: found 0.0"),
            ({"kind": "median-baseline", "windows": 0.2}, r"steps\[0\].windows: found 0.2; accepted: a list"),
            ({"kind": "median-baseline", "windows": []}, r"steps\[0\].windows: found \[\]; accepted: 1 to 4"),
            ({"kind": "fill-gaps", "longest": -1}, r"steps\[0\].longest: found -1.0; accepted: 0 to 3600 s"),
            ({"kind": "scale-global", "scale": 0}, r"steps\[0\].scale: found 0.0; accepted: above 0 mV"),
            ({"kind": "scale-per-lead", "scales": [0.0]}, r"steps\[0\].scales: found \[0.0\]"),
            ({"kind": "scale-fixed", "factor": 0}, r"steps\[0\].factor: found 0.0"),
            ({"kind": "min-max", "lowest": 2}, r"steps\[0\].lowest: found 2.0; accepted: below highest, 1"),
            ({"kind": "crop", "training": "windows"}, r"steps\[0\].training: found 'windows'"),
        ],
    )
    def test_are_refused_by_place_and_key(self, step, message):
        with pytest.raises(ContractError, match=message):
            steps_from([step], "steps")

    def test_in_a_contract_every_parameter_must_stand(self):
        with pytest.raises(ContractError, match=r"steps\[0\].order: found nothing; this key of the step"):
            steps_from([{"kind": "high-pass", "cutoff": 0.5}], "steps", complete=True)

    @pytest.mark.parametrize("twice", ["resample", "crop", "pad"])
    def test_a_second_one_of_those_that_set_rate_or_length_is_refused(self, twice):
        with pytest.raises(ContractError, match=rf"steps\[2\]: found a second step {twice}"):
            Preprocessing(steps=(twice, "z-score", twice))

    @pytest.mark.parametrize(
        "step", [{"kind": "notch", "frequency": 50.0}, {"kind": "low-pass", "cutoff": 60.0}]
    )
    def test_a_frequency_that_the_rate_does_not_hold_is_refused(self, step):
        with pytest.raises(
            ContractError, match=r"steps\[0\], .* at a sampling rate of 100 Hz; accepted: below 50"
        ):
            Preprocessing(sampling_rate=100, steps=(step,))
        Preprocessing(sampling_rate=100, starting_rate=500, steps=(step, "resample"))

    def test_a_starting_rate_needs_a_step_that_leads_from_it(self):
        with pytest.raises(ContractError, match="starting_rate: found 500 Hz without a step resample"):
            Preprocessing(starting_rate=500)

    def test_as_many_numbers_as_leads_are_needed(self):
        step = {"kind": "scale-per-lead", "means": [0.0], "scales": [1.0]}
        with pytest.raises(ContractError, match=r"scale-per-lead\.means: found 1 numbers; accepted: 2"):
            Preprocessing(("I", "II"), 100, 10, (step,)).apply_batch(np.zeros((1, 2, 10), np.float32))
