from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from leadlight.errors import LabelError, SignalError
from leadlight.leads import STANDARD_LEADS
from leadlight.simulate import conditions, simulate_recording


@pytest.mark.parametrize("code", conditions())
def test_every_condition_can_be_drawn_and_is_stated(code: str) -> None:
    recording, truth = simulate_recording([code], 11)
    assert recording.leads == STANDARD_LEADS and recording.signal.shape == (12, 5000)
    assert recording.n_missing == 0 and np.abs(recording.signal).max() < 8
    assert code in {statement.code for statement in recording.statements}
    assert len(truth.r_peaks) >= 6


def test_limb_leads_agree_to_float_precision() -> None:
    recording, _ = simulate_recording(["IMI"], 5)
    assert_allclose(recording["III"], recording["II"] - recording["I"], atol=2e-6)
    assert_allclose(recording["aVR"], -(recording["I"] + recording["II"]) / 2, atol=2e-6)
    assert_allclose(recording["aVR"] + recording["aVL"] + recording["aVF"], 0, atol=2e-6)


def test_without_noise_the_eight_leads_are_one_dipole_seen_by_the_matrix_of_the_truth() -> None:
    recording, truth = simulate_recording(["ASMI"], 5, noise=False)
    eight = recording.select(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")).signal.astype(float)
    matrix = np.array(truth.parameters["lead_matrix"])
    dipole = np.linalg.pinv(matrix) @ eight
    assert_allclose(matrix @ dipole, eight, atol=1e-5)


def test_the_seed_decides_everything() -> None:
    one, first = simulate_recording(["LVH"], 8)
    same, second = simulate_recording(["LVH"], 8)
    other, _ = simulate_recording(["LVH"], 9)
    assert_array_equal(one.signal, same.signal)
    assert first.parameters == second.parameters and one.patient == same.patient
    assert not np.array_equal(one.signal, other.signal)


def test_age_and_sex_can_be_asked_for() -> None:
    recording, _ = simulate_recording(["NORM"], 1, age=33, sex="female")
    assert (recording.patient.age, recording.patient.sex) == (33, "female")


@pytest.mark.parametrize(("rhythm", "low", "high"), [("SBRAD", 38, 60), ("STACH", 100, 140), ("SR", 59, 101)])
def test_rhythms_have_their_rates(rhythm: str, low: float, high: float) -> None:
    for seed in range(12):
        recording, truth = simulate_recording([rhythm], seed)
        rate = 60 / np.diff(truth.r_peaks).mean()
        assert low <= rate <= high
        assert truth.parameters["heart_rate"] == pytest.approx(rate)
        assert rhythm in {s.code for s in recording.statements}


def test_sinus_arrhythmia_varies_by_more_than_120_ms() -> None:
    for seed in range(8):
        _, truth = simulate_recording(["SARRH"], seed)
        assert np.ptp(np.diff(truth.r_peaks)) > 0.120


def test_qt_follows_the_rate() -> None:
    _, slow = simulate_recording(["SBRAD"], 2)
    _, fast = simulate_recording(["STACH"], 2)
    assert slow.parameters["qt"] > fast.parameters["qt"] + 0.05
    for truth in (slow, fast):
        rr = 60 / truth.parameters["heart_rate"]
        assert truth.parameters["qt"] / rr ** (1 / 3) == pytest.approx(
            truth.parameters["qtc_fridericia"], abs=0.012
        )


def test_diagnoses_have_likelihoods_and_rhythm_and_form_have_zero() -> None:
    seen = set()
    for seed in range(40):
        recording, truth = simulate_recording(["IMI", "LAFB"], seed)
        stated = {s.code: s.likelihood for s in recording.statements}
        assert stated["LAFB"] == 100
        assert stated["IMI"] in (15, 35, 50, 80, 100)
        assert all(stated[code] == 0 for code in stated if code not in ("IMI", "LAFB"))
        seen.add((stated["IMI"], truth.parameters["findings"][1]["severity"] > 0.44))
    assert {likelihood for likelihood, marked in seen if marked} == {100}
    assert len({likelihood for likelihood, marked in seen if not marked}) >= 3


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (["AFIB"], "'AFIB'"),
        (["CLBBB", "CRBBB"], "CLBBB with CRBBB"),
        (["NORM", "IMI"], "NORM with IMI"),
        (["SR", "STACH"], "SR with STACH"),
        (["CLBBB", "ASMI"], "CLBBB with ASMI"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(codes: list[str], words: str) -> None:
    with pytest.raises(LabelError, match=words):
        simulate_recording(codes, 1)


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"age": 5}, {"age": float("nan")}, {"sex": "M"}])
def test_impossible_people_and_seeds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SignalError, match="accepted"):
        simulate_recording(["NORM"], **{"seed": 1, **wrong})


def test_another_sampling_rate_is_resampled_and_said_so() -> None:
    recording, truth = simulate_recording(["NORM"], 1, sampling_rate=250)
    assert recording.signal.shape == (12, 2500) and recording.sampling_rate == 250
    assert any("resampled" in note for note in recording.notes)
    assert truth.duration == 10


def test_it_says_that_it_is_simulated() -> None:
    recording, _ = simulate_recording(["NORM"], 1)
    assert "simulated" in recording.source
    assert any("not a recording of a person" in note for note in recording.notes)
