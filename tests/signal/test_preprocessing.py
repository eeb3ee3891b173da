"""Preprocessing: the one way from a recording to model input, and what it refuses."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from leadlight.errors import ContractError
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.signal import KINDS, GlobalScaling, LeadScaling, Preprocessing, fit, fit_scaling

SCALED = Preprocessing(steps=(GlobalScaling(0.5, 2.0),))

# One of every kind, and forms that are computed in another way.
EVERY_STEP: tuple[dict[str, Any], ...] = (
    {"kind": "fill-gaps", "longest": 0.5},
    {"kind": "zero-missing"},
    {"kind": "zero-missing", "of": "lead"},
    {"kind": "high-pass"},
    {"kind": "low-pass", "cutoff": 30.0},
    {"kind": "low-pass", "cutoff": 30.0, "form": "coefficients"},
    {"kind": "band-pass", "low": 1.0, "high": 30.0},
    {"kind": "notch", "frequency": 25.0},
    {"kind": "median-baseline"},
    {"kind": "resample"},
    {"kind": "resample", "method": "scipy-polyphase"},
    {"kind": "resample", "method": "fft"},
    {"kind": "resample", "method": "halve-or-fft"},
    {"kind": "crop"},
    {"kind": "pad", "fill": "mean", "place": "both"},
    {"kind": "pad", "fill": "edge", "place": "start"},
    {"kind": "clip", "limit": 0.4},
    {"kind": "scale-global", "mean": 0.1, "scale": 0.3},
    {"kind": "scale-per-lead", "means": [0.1] * 12, "scales": [0.3] * 12},
    {"kind": "z-score"},
    {"kind": "z-score", "over": "record"},
    {"kind": "min-max"},
    {"kind": "min-max", "over": "record"},
    {"kind": "scale-fixed", "factor": 0.001},
)


def recording(
    n_samples: int = 1000, rate: float = 100.0, leads: tuple[str, ...] = STANDARD_LEADS, seed: int = 0
) -> Recording:
    values = np.random.default_rng(seed).normal(size=(len(leads), n_samples)).astype(np.float32)
    return Recording(values, leads, rate)


def with_gap(taken: Recording, lead: int = 1, first: int = 10, stop: int = 13) -> Recording:
    signal = taken.signal.copy()
    signal[lead, first:stop] = np.nan
    return Recording(signal, taken.leads, taken.sampling_rate)


def test_every_kind_of_step_is_tested_here():
    assert {step["kind"] for step in EVERY_STEP} == set(KINDS)


class TestFromARecording:
    def test_one_that_fits_is_only_scaled(self):
        taken = recording()
        assert SCALED.view(taken) is taken
        assert_allclose(SCALED.apply(taken), (taken.signal - 0.5) / 2.0, rtol=1e-6)
        assert SCALED.apply(taken).dtype == np.float32

    def test_leads_are_taken_by_name_whatever_their_order(self):
        backwards = tuple(reversed(STANDARD_LEADS))
        taken = recording(leads=backwards)
        assert_array_equal(Preprocessing().apply(taken), taken.signal[::-1])
        two = Preprocessing(leads=("V1", "I")).view(taken)
        assert_array_equal(two.signal, np.stack([taken["V1"], taken["I"]]))

    def test_another_rate_is_resampled_and_noted(self):
        times = np.arange(5000) / 500
        wave = np.tile(np.sin(2 * np.pi * 5 * times), (12, 1)).astype(np.float32)
        seen = Preprocessing().view(Recording(wave, STANDARD_LEADS, 500))
        assert (seen.n_samples, seen.sampling_rate) == (1000, 100)
        assert_allclose(seen["II"][50:-50], np.sin(2 * np.pi * 5 * np.arange(1000) / 100)[50:-50], atol=2e-3)
        assert any("500 to 100 Hz" in note for note in seen.notes)

    def test_the_view_is_filtered_and_cropped_but_not_scaled(self):
        steps = Preprocessing(
            steps=("z-score", {"kind": "low-pass", "cutoff": 20.0}, {"kind": "clip", "limit": 0.5}, "crop")
        )
        filtered = Preprocessing(steps=({"kind": "low-pass", "cutoff": 20.0}, "crop"))
        taken = recording(3000)
        assert_array_equal(steps.view(taken).signal, filtered.apply(taken))
        assert np.abs(steps.view(taken).signal).max() > np.abs(steps.apply(taken)).max() == 0.5

    def test_what_was_done_is_noted_in_its_order(self):
        steps = Preprocessing(
            starting_rate=500,
            steps=("fill-gaps", {"kind": "notch", "frequency": 50.0}, "resample", "crop",
                   {"kind": "clip", "limit": 100.0}, {"kind": "clip", "limit": 0.001}),
        )  # fmt: skip
        notes = steps.view(with_gap(recording(10_000, 500.0))).notes
        assert notes[:4] == (
            "gaps of up to 0.1 s filled by straight lines: II 1",
            "filtered: notch 50 Hz, Q 30",
            "resampled from 500 to 100 Hz",
            "cropped to 5-15 s of 20 s",
        )
        assert len(notes) == 5 and notes[4].startswith("samples clipped at +-0.001: I ")

    def test_padding_is_noted_and_counted(self):
        steps = Preprocessing(steps=({"kind": "pad", "place": "both"},))
        seen = steps.view(recording(701))
        assert seen.notes == ("padded with 2.99 s (zeros, on both sides)",)
        assert_array_equal(seen.signal[:, :149], 0)
        assert_array_equal(seen.signal[:, 850:], 0)
        assert_array_equal(seen.signal[:, 149:850], recording(701).signal)


class TestRefusals:
    @pytest.mark.parametrize(
        ("taken", "message"),
        [
            (recording(999), "found 9.99 s; the model needs 10 s"),
            (recording(3000), r"recording.crop\(0, 10\)"),
            (recording(leads=("I", "II", "V1")), "V6 missing"),
        ],
    )
    def test_what_does_not_fit_is_refused_with_the_call_that_mends_it(self, taken, message):
        with pytest.raises(ContractError, match=message):
            Preprocessing().view(taken)

    def test_missing_samples_are_refused_by_lead(self):
        with pytest.raises(ContractError, match=r"II 3.*interpolate_gaps"):
            Preprocessing().view(with_gap(recording()))

    @pytest.mark.parametrize("step", ["high-pass", "median-baseline"])
    def test_missing_samples_are_refused_before_a_filter_spreads_them(self, step):
        with pytest.raises(ContractError, match=rf"II 3\); the step {step} would spread them"):
            Preprocessing(steps=(step, "zero-missing")).view(with_gap(recording()))

    def test_infinite_samples_are_refused(self):
        signal = recording().signal.copy()
        signal[3, 7] = np.inf
        taken = Recording(signal, STANDARD_LEADS, 100)
        with pytest.raises(ContractError, match="infinite"):
            Preprocessing().view(taken)
        with pytest.raises(ContractError, match="infinite"):
            Preprocessing().apply_batch(signal[np.newaxis])

    def test_a_long_gap_is_refused_where_short_ones_are_filled(self):
        steps = Preprocessing(steps=("fill-gaps",))
        assert np.isfinite(steps.apply(with_gap(recording()))).all()
        with pytest.raises(ContractError, match=r"gap of 0.11 s in lead II; accepted: at most 0.1 s"):
            steps.apply(with_gap(recording(), stop=21))
        with pytest.raises(ContractError, match="lead II has no sample at all"):
            steps.apply(with_gap(recording(), first=0, stop=1000))

    def test_in_a_batch_the_record_is_named(self):
        batch = np.stack([recording().signal, with_gap(recording(), stop=60).signal])
        with pytest.raises(ContractError, match=r"signals\[1\]: found a gap of 0.5 s in lead II"):
            Preprocessing(steps=("fill-gaps",)).apply_batch(batch)
        with pytest.raises(ContractError, match=r"signals\[1\]: found missing samples \(II 50\)"):
            Preprocessing().apply_batch(batch)

    def test_scaling_that_is_not_fitted_is_refused(self):
        for step in ("scale-global", "scale-per-lead"):
            with pytest.raises(ContractError, match="not fitted yet"):
                Preprocessing(steps=(step,)).apply(recording())

    def test_a_recording_shorter_than_a_filter_needs_is_refused_in_words(self):
        pad = {"kind": "pad", "shortest_recording": 0.1}
        steps = Preprocessing(n_samples=100, steps=({"kind": "high-pass", "cutoff": 0.5}, pad))
        assert steps.accepts(50)
        with pytest.raises(ContractError, match=r"found 0\.49 s; the step high-pass needs at least 0\.5 s"):
            steps.apply(recording(49))
        published = {"kind": "low-pass", "cutoff": 30.0, "order": 4, "form": "coefficients"}
        with pytest.raises(ContractError, match=r"found 0\.15 s; the step low-pass needs at least 0\.16 s"):
            Preprocessing(n_samples=15, steps=(published,)).apply(recording(15))

    @pytest.mark.parametrize("name", ["sampling_rate", "n_samples", "starting_rate"])
    @pytest.mark.parametrize("value", [0, -1, float("inf")])
    def test_impossible_numbers_are_named(self, name, value):
        with pytest.raises(ContractError, match=f"preprocessing.{name}: found {value}"):
            Preprocessing(**{name: value})


class TestABatch:
    @settings(deadline=None, max_examples=40)
    @given(
        chosen=st.lists(st.sampled_from(EVERY_STEP), max_size=5),
        n_records=st.integers(1, 5),
        n_samples=st.integers(700, 1400),
        rate=st.sampled_from([100.0, 200.0, 257.0]),
        gap=st.booleans(),
        seed=st.integers(0, 1000),
    )
    def test_equals_its_records_one_by_one_to_the_bit(self, chosen, n_records, n_samples, rate, gap, seed):
        once = ("resample", "crop", "pad")
        steps = [
            step for place, step in enumerate(chosen)
            if step["kind"] not in once or step["kind"] not in [one["kind"] for one in chosen[:place]]
        ]  # fmt: skip
        kinds = [step["kind"] for step in steps]
        steps += [{"kind": kind} for kind in ("crop", "pad") if kind not in kinds]
        resamples = any(step["kind"] == "resample" for step in steps)
        try:
            one = Preprocessing(n_samples=1000, steps=tuple(steps), starting_rate=rate if resamples else None)
        except ContractError:
            return  # no number of samples at 257 Hz becomes the model's
        rate = rate if resamples else 100.0
        records = [recording(n_samples, rate, seed=seed + number) for number in range(n_records)]
        if gap:
            records[0] = with_gap(records[0])
        expected, refused = [], False
        for record in records:
            try:
                expected.append(one.apply(record))
            except ContractError:
                refused = True
        batch = np.stack([record.signal for record in records])
        if refused:
            with pytest.raises(ContractError):
                one.apply_batch(batch)
        else:
            assert_array_equal(one.apply_batch(batch), np.stack(expected))

    @pytest.mark.parametrize("step", EVERY_STEP, ids=lambda step: "-".join(map(str, step.values())))
    def test_every_step_by_itself_equals_records_one_by_one_to_the_bit(self, step):
        rate = 200.0 if step["kind"] == "resample" else 100.0
        n_samples = {"crop": 1500, "pad": 613}.get(step["kind"], round(10 * rate))
        one = Preprocessing(steps=(step,), starting_rate=rate if rate != 100 else None)
        records = [recording(n_samples, rate, seed=number) for number in range(7)]
        batch = np.stack([record.signal for record in records])
        before = batch.copy()
        found = one.apply_batch(batch)
        assert_array_equal(found, np.stack([one.apply(record) for record in records]))
        assert found.shape == (7, 12, 1000) and found.dtype == np.float32
        assert_array_equal(batch, before)

    def test_another_shape_is_refused(self):
        with pytest.raises(ContractError, match=r"found shape \(3, 2, 1000\); accepted: \(records, 12, samp"):
            Preprocessing().apply_batch(np.zeros((3, 2, 1000), np.float32))

    def test_the_rate_must_be_known_where_the_steps_begin_at_any(self):
        with pytest.raises(ContractError, match="own rate"):
            Preprocessing(steps=("resample",)).apply_batch(np.zeros((1, 12, 1000), np.float32))


class TestLengths:
    def test_without_crop_and_pad_one_length_is_accepted(self):
        assert [n for n in range(990, 1010) if Preprocessing().accepts(n)] == [1000]

    def test_crop_accepts_longer_and_pad_shorter_ones(self):
        crop, pad = Preprocessing(steps=("crop",)), Preprocessing(steps=("pad",))
        assert (crop.accepts(999), crop.accepts(1001), crop.accepts(180_000)) == (False, True, True)
        # A pad refuses what is shorter than a second.
        assert [pad.accepts(n) for n in (99, 100, 1000, 1001)] == [False, True, True, False]

    def test_lengths_are_counted_at_the_recordings_rate(self):
        steps = Preprocessing(steps=("resample",))
        assert steps.accepts(5000, 500.0) and not steps.accepts(1000, 500.0)

    @pytest.mark.parametrize(("place", "first"), [("first", 0), ("centre", 250), ("last", 500)])
    def test_a_crop_keeps_the_stated_part(self, place, first):
        taken = recording(1500)
        found = Preprocessing(steps=({"kind": "crop", "prediction": place},)).apply(taken)
        assert_array_equal(found, taken.signal[:, first : first + 1000])

    def test_windows_overlap_by_half_and_the_last_ends_with_the_recording(self):
        steps = Preprocessing(steps=({"kind": "crop", "prediction": "windows"}, "z-score"))
        taken = recording(2370)
        views = steps.views(taken)
        starts = [0, 500, 1000, 1370]
        for view, start in zip(views, starts, strict=True):
            assert_array_equal(view.recording.signal, taken.signal[:, start : start + 1000])
            assert_allclose(view.values.std(axis=1), 1, rtol=1e-5)
        # Where one input is asked for, it is the centre.
        assert_array_equal(steps.view(taken).signal, taken.signal[:, 685:1685])
        assert_array_equal(steps.apply_batch(taken.signal[np.newaxis])[0], steps.apply(taken))

    def test_a_crop_before_resampling_keeps_what_becomes_the_models_length(self):
        steps = Preprocessing(starting_rate=250, steps=("crop", "resample"))
        assert steps.apply(recording(6000, 250.0)).shape == (12, 1000)
        with pytest.raises(ContractError, match="Put it after resample"):
            Preprocessing(sampling_rate=500, n_samples=4096, starting_rate=257,
                          steps=("crop", {"kind": "resample", "method": "fft"}))  # fmt: skip

    @settings(deadline=None, max_examples=60)
    @given(lengths=st.lists(st.integers(1, 5000), min_size=1, max_size=20), seed=st.integers(0, 100))
    def test_random_crops_lie_inside_and_reach_both_ends(self, lengths, seed):
        steps = Preprocessing(steps=("crop", "pad"))
        places = np.random.default_rng(seed).random(len(lengths))
        rest = np.maximum(np.array(lengths) - 1000, 0)
        for drawn in (places, np.zeros(len(lengths)), np.full(len(lengths), np.nextafter(1, 0))):
            starts = steps.crop_starts(np.array(lengths), drawn)
            assert ((starts >= 0) & (starts <= rest)).all()
        assert_array_equal(starts, rest)

    def test_every_place_of_a_random_crop_is_equally_likely(self):
        steps = Preprocessing(steps=("crop",))
        places = np.random.default_rng(0).random(30_000)
        starts = steps.crop_starts(np.full(30_000, 1002), places)
        assert_allclose(np.bincount(starts), [10_000] * 3, rtol=0.03)

    def test_an_asked_for_crop_comes_first_so_that_parts_are_recordings_of_their_own(self):
        steps = Preprocessing(steps=("z-score",))
        taken = recording(3000)
        part = Recording(taken.signal[:, 1000:2000], taken.leads, 100.0)
        assert_array_equal(steps.with_crop("centre").apply(taken), steps.apply(part))
        assert steps.with_crop("refuse") is steps or steps.with_crop("refuse") == steps


class TestMissingSamples:
    @pytest.mark.parametrize(
        ("steps", "taken"),
        [((), False), (("fill-gaps",), True), (({"kind": "fill-gaps", "longest": 0.01},), False),
         (("crop", "z-score", "zero-missing"), True)],
    )  # fmt: skip
    def test_whether_the_steps_take_them_is_known_without_fitting(self, steps, taken):
        preprocessing = Preprocessing(steps=(*steps, "scale-global"))
        assert preprocessing.accepts_missing(with_gap(recording(3000)).signal[np.newaxis]) is taken
        assert preprocessing.accepts_missing(recording(3000).signal[np.newaxis])


class TestFitting:
    def test_each_number_is_fitted_on_what_reaches_its_step(self):
        signals = 0.5 + 3 * np.random.default_rng(1).normal(size=(20, 12, 1000)).astype(np.float32)
        steps = Preprocessing(steps=({"kind": "clip", "limit": 1.0}, "scale-per-lead", "scale-global"))
        fitted = fit(steps, lambda: (signals[:7], signals[7:]))
        clipped = np.clip(signals.astype(np.float64), -1, 1)
        by_lead, together = fitted.steps[1:]
        assert isinstance(by_lead, LeadScaling) and isinstance(together, GlobalScaling)
        assert_allclose(by_lead.means, clipped.mean(axis=(0, 2)), rtol=1e-6)
        assert_allclose(by_lead.scales, clipped.std(axis=(0, 2)), rtol=1e-6)
        assert_allclose([together.mean, together.scale], [0, 1], atol=1e-6)
        assert fitted.is_fitted and not steps.is_fitted

    def test_numbers_that_are_stated_are_kept(self):
        assert fit(SCALED, lambda: pytest.fail("nothing is to be fitted")) == SCALED

    def test_flat_training_records_are_refused(self):
        for step in ("scale-global", "scale-per-lead"):
            with pytest.raises(ContractError, match=r"flat in|are flat"):
                fit(Preprocessing(steps=(step,)), lambda: [np.zeros((2, 12, 1000), np.float32)])

    @settings(deadline=None, max_examples=50)
    @given(
        sizes=st.lists(st.integers(0, 40), min_size=1, max_size=8),
        offset=st.floats(-1000, 1000),
        seed=st.integers(0, 1000),
    )
    def test_scaling_is_numpys_mean_and_deviation_however_the_data_are_cut(self, sizes, offset, seed):
        generator = np.random.default_rng(seed)
        parts = [offset + generator.normal(size=(size, 2)) for size in [*sizes, 3]]
        mean, scale = fit_scaling(parts)
        together = np.concatenate(parts)
        assert_allclose(mean, together.mean(), rtol=1e-9, atol=1e-12)
        assert_allclose(scale, together.std(), rtol=1e-7)

    def test_missing_samples_do_not_count(self):
        assert_allclose(fit_scaling([np.array([1.0, np.nan, 3.0])]), [2, 1])

    def test_scaling_of_nothing_is_refused(self):
        with pytest.raises(ContractError, match="at least one training record"):
            fit_scaling([])


@pytest.mark.parametrize("step", EVERY_STEP, ids=lambda step: "-".join(map(str, step.values())))
def test_plain_values_make_the_same_steps_again(step):
    resamples = step["kind"] == "resample"
    one = Preprocessing(("I", "V1"), 250.0, 2500, (step,), 500.0 if resamples else None)
    assert Preprocessing.from_dict(one.to_dict()) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert all(sentence.endswith(".") for sentence in one.describe())
