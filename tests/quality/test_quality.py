"""What ``recording.quality()`` finds: faults of known size in clean signals, and faults of real ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import leadlight as ll
from leadlight.errors import SignalError
from leadlight.leads import STANDARD_LEADS
from leadlight.quality import COLUMNS, examine, quality_columns, thresholds
from leadlight.recording import Recording
from leadlight.simulate import simulate_recording

RATES = (100, 250, 257, 360, 400, 500, 1000)


def clean(rate: float = 500, seed: int = 7) -> Recording:
    return simulate_recording(["NORM"], seed, sampling_rate=rate, noise=False)[0]


def changed(recording: Recording, lead: str, values: np.ndarray) -> Recording:
    signal = recording.signal.copy()
    signal[recording.leads.index(lead)] = values
    return replace(recording, signal=signal)


@pytest.mark.parametrize("rate", RATES)
def test_a_clean_recording_has_no_flag_at_any_rate(rate):
    quality = clean(rate).quality()
    assert quality.is_good, quality
    assert quality.limb_leads.assessed
    assert repr(quality) == "Quality(12 leads: nothing found)"


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("size", [0.004, 0.03, 0.1])
def test_white_noise_of_a_known_density_is_measured(rate, size):
    """Noise that has ``size`` mV in 50 Hz: at every rate the same density, so the same number."""
    noise = np.random.default_rng(1).normal(0, size * np.sqrt(rate / 100), (12, 10 * rate))
    recording = replace(clean(rate), signal=(clean(rate).signal + noise).astype(np.float32))
    quality = recording.quality()
    # The level held for 0.7 s somewhere in 10 s is near the level of stationary noise; the curvature
    # of T waves adds up to 0.003 mV.
    assert_allclose([one.noise for one in quality.leads], size, rtol=0.3, atol=0.003)
    assert (len(quality.flagged("noisy")) == 12) == (size > thresholds()["noisy"]["millivolts"])


def test_a_burst_in_one_lead_is_found_there_alone():
    recording = clean(100)
    values = recording["V3"].copy()
    values[300:420] += np.random.default_rng(2).normal(0, 0.1, 120).astype(np.float32)
    assert changed(recording, "V3", values).quality().flagged("noisy") == ("V3",)


@pytest.mark.parametrize("line", [50.0, 50.2, 60.0])
@pytest.mark.parametrize("rate", [250, 400, 500, 1000])
def test_mains_is_measured_and_named(rate, line):
    recording = clean(rate)
    hum = 0.03 * np.sqrt(2) * np.sin(2 * np.pi * line * recording.times + 1)
    one = changed(recording, "V2", recording["V2"] + hum).quality()
    assert one.flagged("mains") == ("V2",)
    assert one["V2"].mains == pytest.approx(0.03, rel=0.15)
    assert one["V2"].mains_frequency == round(line, -1)
    # A QRS has some of every frequency: without any hum a few microvolts are left.
    assert one["V1"].mains < 0.004


def test_mains_is_not_assessed_where_the_rate_does_not_show_it():
    quality = clean(100).quality()
    assert quality["I"].mains is None
    assert quality.columns()["mains_leads"] is None
    assert "mains: not assessed" in str(quality)


def test_drift_is_measured_apart_from_noise():
    recording = clean(500)
    wave = 0.6 * np.sin(2 * np.pi * 0.2 * recording.times)
    quality = changed(recording, "V5", recording["V5"] + wave).quality()
    assert quality["V5"].flags == ("drifting",)
    assert quality["V5"].drift == pytest.approx(1.2, rel=0.15)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("level", [0.0, -3.2])
def test_flat_stretches_are_measured_in_share_of_the_time(rate, level):
    recording = clean(rate)
    values = recording["V6"].copy()
    values[4 * rate : 7 * rate] = level
    quality = changed(recording, "V6", values).quality()
    assert "flat" in quality["V6"].flags
    assert quality["V6"].flat == pytest.approx(0.3, abs=0.03)
    assert quality.flagged("flat") == ("V6",)


def test_a_straight_line_is_flat_and_a_pause_between_beats_is_not():
    recording = clean(500)
    ramp = np.linspace(0, 5, recording.n_samples)
    assert changed(recording, "V1", ramp).quality()["V1"].flat == 1
    values = recording["V1"].copy()
    values[1000:1400] = 0
    assert changed(recording, "V1", values).quality()["V1"].flags == ()


@pytest.mark.parametrize("rate", [100, 500])
def test_clipping_is_found(rate):
    recording = clean(rate)
    tall = recording["V4"] * (4 / recording["V4"].max())
    assert "saturated" not in changed(recording, "V4", tall).quality()["V4"].flags
    quality = changed(recording, "V4", np.minimum(tall, 2.0)).quality()
    assert quality.flagged("saturated") == ("V4",)
    expected = (tall >= 2.0).sum() / rate
    assert 0.3 * expected < quality["V4"].saturated <= expected


def test_missing_samples_are_counted_and_no_other_fault_is_made_of_them():
    recording = clean(500)
    values = recording["V2"].copy()
    values[:600] = np.nan
    values[2000:3500] = np.nan
    quality = changed(recording, "V2", values).quality()
    assert quality["V2"].flags == ("missing",)
    assert quality["V2"].missing == pytest.approx(2100 / 5000)
    assert quality["V2"].longest_gap == pytest.approx(3.0)
    assert not quality.limb_leads.assessed
    nothing = changed(recording, "V2", np.full(5000, np.nan)).quality()
    assert nothing["V2"].flags == ("missing",) and nothing["V2"].missing == 1


def test_counts_and_millivolts_give_the_same():
    recording = clean(500)
    counts = np.rint(recording.signal * 1000).astype(np.int16)
    counts[3, 100:140] = -32768
    millivolts = np.where(counts == -32768, np.nan, counts / 1000)
    one, other = (examine(values, STANDARD_LEADS, 500) for values in (counts, millivolts))
    for ours, theirs in zip(one.leads, other.leads, strict=True):
        assert ours.flags == theirs.flags
        for name in ("missing", "longest_gap", "flat", "noise", "drift", "mains", "range"):
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-4), name


def test_values_are_plain_and_print():
    quality = clean(500).quality()
    document = json.loads(json.dumps(quality.to_dict()))
    assert [one["lead"] for one in document["leads"]] == list(STANDARD_LEADS)
    assert set(quality.columns()) == set(COLUMNS)
    assert len(quality.table()) == 12
    assert str(quality).splitlines()[0].split()[0] == "lead"
    with pytest.raises(KeyError, match="no lead 'X'"):
        quality["X"]
    with pytest.raises(KeyError, match="no flag 'bad'"):
        quality.flagged("bad")


@pytest.mark.parametrize(
    ("signal", "rate", "message"),
    [
        (np.zeros((12, 500), np.float32), 50, "100 Hz and more"),
        (np.zeros((12, 150), np.float32), 100, "2 s and more"),
        (np.zeros((11, 500), np.float32), 100, "11 leads and 12 names"),
        (np.zeros(500, np.float32), 100, r"found shape \(500,\)"),
        (np.zeros((12, 500), np.float32), 0, "found 0 Hz"),
        (np.zeros((12, 500), np.float32), np.nan, "found nan Hz"),
        (np.zeros((12, 500), np.int32), 100, "int32"),
        (np.full((12, 500), np.inf, np.float32), 100, "infinite"),
        (np.full((12, 500), -1e20, np.float32), 100, "beyond 1,000,000 mV"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_words(signal, rate, message):
    with pytest.raises(SignalError, match=message):
        examine(signal, STANDARD_LEADS, rate)


def test_one_lead_alone_is_examined():
    quality = clean(500).select(["II"]).quality()
    assert quality.is_good and not quality.limb_leads.assessed
    assert quality.limb_leads.einthoven is None


@settings(deadline=None, max_examples=25)
@given(
    rate=st.sampled_from(RATES),
    seconds=st.floats(2, 30),
    scale=st.floats(0, 20),
    gaps=st.lists(st.tuples(st.integers(0, 11), st.floats(0, 1), st.floats(0, 1)), max_size=4),
    seed=st.integers(0, 99),
)
def test_any_signal_gets_finite_numbers_within_their_bounds(rate, seconds, scale, gaps, seed):
    n = int(np.ceil(seconds * rate))
    signal = np.random.default_rng(seed).normal(0, scale, (12, n)).astype(np.float32)
    for lead, start, stop in gaps:
        signal[lead, int(start * n) : int(stop * n)] = np.nan
    quality = examine(signal, STANDARD_LEADS, rate)
    for one in quality.leads:
        values = (one.noise, one.drift, one.range, one.longest_gap, one.saturated, one.noise_to_qrs)
        assert all(np.isfinite(value) and value >= 0 for value in values)
        assert 0 <= one.missing <= 1 and 0 <= one.flat <= 1
    (columns,) = quality_columns(signal[None], STANDARD_LEADS, rate)
    assert columns == quality.columns()


@pytest.mark.parametrize("rate", [100, 500])
def test_columns_of_many_records_are_those_of_each(rate):
    recordings = [clean(rate, seed) for seed in range(4)]
    signals = np.stack([np.rint(one.signal * 1000) for one in recordings]).astype(np.int16)
    signals[1, 6] = 0
    signals[2, 2, 50:60] = -32768
    signals[3, 0] *= -1
    rows = quality_columns(signals, STANDARD_LEADS, rate)
    assert rows == [examine(signal, STANDARD_LEADS, rate).columns() for signal in signals]
    assert rows[1]["flat_leads"] == ("V1",)
    assert rows[2]["missing_leads"] == ("III",)
    assert rows[3]["limb_leads"] == "inconsistent"


def test_columns_of_records_too_short_to_judge_name_missing_and_constant_leads_alone():
    signals = np.random.default_rng(1).integers(-9, 9, (2, 12, 100), dtype=np.int16)
    signals[0, 4] = 3
    signals[1, 5, 7] = -32768
    first, second = quality_columns(signals, STANDARD_LEADS, 100)
    assert first == dict.fromkeys(COLUMNS) | {"missing_leads": (), "flat_leads": ("aVL",)}
    assert second["missing_leads"] == ("aVF",) and second["noisy_leads"] is None


@pytest.mark.real
def test_known_flat_leads_of_the_challenge_are_found(real_data: Path):
    chest = ("V1", "V2", "V3", "V4", "V5", "V6")
    known = {"JS11438": chest, "JS45542": chest, "JS20004": chest[1::2], "JS20008": chest[1::2]}
    files = {file.stem: file for file in (real_data / "challenge-2021").rglob("JS*.hea")}
    found = {name: ll.read(file).quality().flagged("flat") for name, file in files.items()}
    assert {name: leads for name, leads in found.items() if leads} == known


@pytest.mark.real
def test_real_hum_and_a_lost_electrode_are_found(real_data: Path):
    by_name = {file.stem: file for file in (real_data / "challenge-2021").rglob("*.hea")}
    hum = ll.read(by_name["JS20006"]).quality()
    assert hum["II"].mains_frequency == 50 and hum["II"].mains > 0.1
    lost = ll.read(real_data / "ptb-xl/records100/19000/19299_lr").quality()
    assert {"V3", "V6"} <= set(lost.flagged("flat"))
