"""Preprocessing: the one way from a recording to model input, and what it refuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from leadlight.errors import ContractError
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.signal import Preprocessing, fit_scaling


def recording(
    n_samples: int = 1000, rate: float = 100.0, leads: tuple[str, ...] = STANDARD_LEADS
) -> Recording:
    values = np.random.default_rng(0).normal(size=(len(leads), n_samples)).astype(np.float32)
    return Recording(values, leads, rate)


def test_a_recording_that_fits_is_only_scaled():
    taken = recording()
    steps = Preprocessing(mean=0.5, scale=2.0)
    assert steps.view(taken) is taken
    assert_allclose(steps.apply(taken), (taken.signal - 0.5) / 2.0, rtol=1e-6)
    assert steps.apply(taken).dtype == np.float32


def test_leads_are_taken_by_name_whatever_their_order():
    backwards = tuple(reversed(STANDARD_LEADS))
    taken = recording(leads=backwards)
    assert_array_equal(Preprocessing().apply(taken), taken.signal[::-1])
    two = Preprocessing(leads=("V1", "I")).view(taken)
    assert_array_equal(two.signal, np.stack([taken["V1"], taken["I"]]))


def test_another_rate_is_resampled_and_noted():
    times = np.arange(5000) / 500
    wave = np.tile(np.sin(2 * np.pi * 5 * times), (12, 1)).astype(np.float32)
    seen = Preprocessing().view(Recording(wave, STANDARD_LEADS, 500))
    assert (seen.n_samples, seen.sampling_rate) == (1000, 100)
    assert_allclose(seen["II"][50:-50], np.sin(2 * np.pi * 5 * np.arange(1000) / 100)[50:-50], atol=2e-3)
    assert any("500 to 100 Hz" in note for note in seen.notes)


def test_one_record_and_a_batch_are_scaled_alike():
    steps, taken = Preprocessing(mean=-0.1, scale=0.3), recording()
    assert_array_equal(steps.scaled(np.stack([taken.signal] * 3))[1], steps.apply(taken))


@pytest.mark.parametrize(
    ("taken", "message"),
    [
        (recording(999), "found 9.99 s; the model needs 10 s"),
        (recording(3000), r"recording.crop\(0, 10\)"),
        (recording(leads=("I", "II", "V1")), "V6 missing"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_call_that_mends_it(taken, message):
    with pytest.raises(ContractError, match=message):
        Preprocessing().view(taken)


def test_missing_samples_are_refused_by_lead():
    signal = recording().signal.copy()
    signal[1, 10:13] = np.nan
    with pytest.raises(ContractError, match=r"II 3.*interpolate_gaps"):
        Preprocessing().view(Recording(signal, STANDARD_LEADS, 100))


def test_infinite_samples_are_refused():
    signal = recording().signal.copy()
    signal[3, 7] = np.inf
    with pytest.raises(ContractError, match="infinite"):
        Preprocessing().view(Recording(signal, STANDARD_LEADS, 100))


@pytest.mark.parametrize("name", ["sampling_rate", "n_samples", "scale"])
def test_impossible_numbers_are_named(name):
    with pytest.raises(ContractError, match=f"preprocessing.{name}: found 0"):
        Preprocessing(**{name: 0})


def test_plain_values_make_the_same_steps_again():
    steps = Preprocessing(("I", "V1"), 250.0, 2500, 0.1, 0.7)
    values = steps.to_dict()
    assert values["leads"] == ["I", "V1"]
    assert Preprocessing(**values) == steps
    assert set(values) == {field.name for field in dataclasses.fields(Preprocessing)}


@settings(deadline=None, max_examples=50)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=8),
    offset=st.floats(-1000, 1000),
    seed=st.integers(0, 1000),
)
def test_scaling_is_numpys_mean_and_deviation_however_the_data_are_cut(sizes, offset, seed):
    generator = np.random.default_rng(seed)
    parts = [offset + generator.normal(size=(size, 2)) for size in [*sizes, 3]]
    mean, scale = fit_scaling(parts)
    together = np.concatenate(parts)
    assert_allclose(mean, together.mean(), rtol=1e-9, atol=1e-12)
    assert_allclose(scale, together.std(), rtol=1e-7)


def test_scaling_of_nothing_is_refused():
    with pytest.raises(ContractError, match="at least one training record"):
        fit_scaling([])
