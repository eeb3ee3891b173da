"""An independent delineator finds the waves and measures the intervals that were asked for.

NeuroKit2's wavelet delineator (Martinez et al. 2004) sets the QRS onset some 13 ms before and the ends
some 10 ms after what was asked for, in every record; the tolerances hold that offset. On recordings of
people the same delineator is further off (benchmarks/results/simulator.md).
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from leadlight.recording import Recording
from leadlight.simulate import simulate_recording

neurokit2 = pytest.importorskip("neurokit2")


def measured(recording: Recording, lead: str) -> tuple[np.ndarray, dict[str, float]]:
    """R peaks in seconds, and intervals in ms as medians over the beats of one lead; NaN where not found."""
    rate = int(recording.sampling_rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signal = neurokit2.ecg_clean(recording[lead].astype(float), sampling_rate=rate)
        _, peaks = neurokit2.ecg_peaks(signal, sampling_rate=rate)
        _, waves = neurokit2.ecg_delineate(signal, peaks["ECG_R_Peaks"], sampling_rate=rate, method="dwt")
        at = {name: np.array(places, dtype=float) * 1000 / rate for name, places in waves.items()}
        return np.array(peaks["ECG_R_Peaks"]) / rate, {
            "pr": float(np.nanmedian(at["ECG_R_Onsets"] - at["ECG_P_Onsets"])),
            "qrs": float(np.nanmedian(at["ECG_R_Offsets"] - at["ECG_R_Onsets"])),
            "qt": float(np.nanmedian(at["ECG_T_Offsets"] - at["ECG_R_Onsets"])),
            "p_duration": float(np.nanmedian(at["ECG_P_Offsets"] - at["ECG_P_Onsets"])),
        }


def errors(codes: list[str], seeds: range, lead: str, noise: bool) -> dict[str, np.ndarray]:
    """Found less asked for, one a seed: rate a minute, intervals in ms."""
    found: dict[str, list[float]] = {}
    for seed in seeds:
        recording, truth = simulate_recording(codes, seed, noise=noise)
        peaks, intervals = measured(recording, lead)
        # The rate over whole beats: the delineator takes a P cut off by the end for a beat.
        seen, there = (at[(at > 0.4) & (at < 9.5)] for at in (peaks, truth.r_peaks))
        rate = 60 / np.diff(seen).mean() - 60 / np.diff(there).mean()
        found.setdefault("heart_rate", []).append(float(rate))
        for name, value in intervals.items():
            found.setdefault(name, []).append(value - 1000 * truth.parameters[name])
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.parametrize("noise", [False, True], ids=["clean", "noisy"])
def test_intervals_of_normal_hearts(noise: bool) -> None:
    error = errors(["NORM"], range(10), "V5", noise)
    assert np.abs(error["heart_rate"]).max() < 1
    assert np.median(np.abs(error["pr"])) < 20
    assert np.median(np.abs(error["qrs"])) < 20
    assert np.median(np.abs(error["qt"])) < 20
    assert np.median(np.abs(error["p_duration"])) < 10


@pytest.mark.parametrize(
    ("codes", "lead", "intervals"),
    [
        (["1AVB"], "V5", ("pr", "qt")),
        (["CRBBB"], "V5", ("pr", "qrs", "qt")),
        (["CLBBB"], "V2", ("pr", "qrs", "qt")),
        (["IMI"], "V5", ("pr", "qrs", "qt")),
    ],
)
def test_intervals_of_ill_hearts(codes: list[str], lead: str, intervals: tuple[str, ...]) -> None:
    error = errors(codes, range(7), lead, False)
    assert np.abs(error["heart_rate"]).max() < 1
    for name in intervals:
        assert np.isfinite(error[name]).sum() >= 5, f"{name} is found"
        assert np.nanmedian(np.abs(error[name])) < 30, name


def test_longer_intervals_are_measured_longer() -> None:
    """Over a range from normal to block the measured PR follows the one asked for."""
    asked, found = [], []
    for code in ("NORM", "1AVB"):
        for seed in range(6):
            recording, truth = simulate_recording([code], seed, noise=False)
            asked.append(truth.parameters["pr"] * 1000)
            found.append(measured(recording, "V5")[1]["pr"])
    assert np.corrcoef(asked, found)[0, 1] > 0.9
    assert np.polyfit(asked, found, 1)[0] == pytest.approx(1, abs=0.2)
