"""Preprocessing as it was published, in order and to the number: ResUNet-LC, ISIBrno-AIMT, ECG-XPLAIM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import butter, filtfilt, iirnotch

from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.signal import Preprocessing

HERE = Path(__file__).parent
RESUNET = Preprocessing(
    leads=("I", "II"),
    sampling_rate=500,
    n_samples=4096,
    steps=("z-score", {"kind": "resample", "method": "halve-or-fft"}, "crop", "pad"),
)


@pytest.fixture(scope="module")
def resunet() -> dict[str, np.ndarray]:
    return dict(np.load(HERE / "resunet" / "resunet_preprocess.npz"))


@pytest.fixture(scope="module")
def isib() -> dict[str, np.ndarray]:
    return dict(np.load(HERE / "challenge" / "isib_preprocessing_io.npz"))


@pytest.mark.parametrize("case", ["a500", "b1000", "c257", "d500_flat"])
def test_resunet_scales_resamples_and_pads(resunet: dict[str, np.ndarray], case: str) -> None:
    recording = Recording(resunet[f"{case}.raw"], ("I", "II"), float(resunet[f"{case}.fs"]))
    expected = resunet[f"{case}.out"]
    found = RESUNET.apply(recording)
    assert_allclose(found[:, : expected.shape[1]], expected, atol=1e-6)
    assert_array_equal(found[:, expected.shape[1] :], 0)


@pytest.mark.parametrize("case", ["e500_long", "g500_one_more"])
def test_resunet_crops_where_it_was_drawn(resunet: dict[str, np.ndarray], case: str) -> None:
    raw, start = resunet[f"{case}.raw"].astype(np.float32), int(resunet[f"{case}.start"])
    found = RESUNET.apply_batch(raw[np.newaxis], 500.0, starts=np.array([start]))
    assert found.shape == (1, 2, 4096)
    assert_allclose(found[0, :, :8], resunet[f"{case}.head"], atol=1e-6)


@pytest.mark.parametrize("case", ["a", "b", "c", "d"])
def test_isib_filters_scales_crops_and_pads_in_front(isib: dict[str, np.ndarray], case: str) -> None:
    leads = tuple(map(str, isib[f"{case}_leads"]))
    steps = Preprocessing(
        leads=leads,
        sampling_rate=500,
        n_samples=8192,
        steps=(
            {"kind": "resample", "method": "halve-or-fft"},
            {"kind": "band-pass", "low": 1, "high": 47, "order": 3, "form": "coefficients"},
            {"kind": "z-score", "epsilon": 0},
            {"kind": "crop", "prediction": "first"},
            {"kind": "pad", "place": "start"},
        ),
    )
    found = steps.apply(Recording(isib[f"{case}_raw"], leads, float(isib[f"{case}_rate"])))
    assert_allclose(found, isib[f"{case}_signal_given_leads"], atol=1e-6)


def ecg(n_samples: int, seed: int = 0) -> np.ndarray:
    """Noise with drift and mains, float32 (12, samples), mV."""
    times = np.arange(n_samples) / 500
    noise = np.random.default_rng(seed).standard_normal((12, n_samples))
    both = 0.3 * np.sin(2 * np.pi * 0.2 * times) + 0.1 * np.sin(2 * np.pi * 50 * times)
    return (0.2 * noise + both).astype(np.float32)


XPLAIM = {"band-pass": {"kind": "band-pass", "low": 0.5, "high": 40, "order": 4, "form": "coefficients"},
          "notch": {"kind": "notch", "frequency": 50, "quality": 30, "form": "coefficients"}}  # fmt: skip


@pytest.mark.parametrize("names", [(), ("band-pass",), ("notch",), ("band-pass", "notch")])
def test_xplaim_sets_missing_samples_to_zero_and_filters_as_scipy_does(names: tuple[str, ...]) -> None:
    signal = ecg(5000)
    signal[2] = np.nan
    signal[7, 100:140] = np.nan
    expected = np.nan_to_num(signal).astype(np.float64)
    for name in names:
        design = butter(4, [0.5, 40], "band", fs=500) if name == "band-pass" else iirnotch(50, 30, fs=500)
        expected = filtfilt(*design, expected, axis=-1)
    steps = Preprocessing(
        sampling_rate=500, n_samples=5000, steps=("zero-missing", *(XPLAIM[name] for name in names))
    )
    assert_allclose(steps.apply(Recording(signal, STANDARD_LEADS, 500)), expected, atol=1e-6)


def test_a_lead_with_a_missing_sample_becomes_zero_as_resunet_had_it() -> None:
    signal = ecg(5000)[:2]
    signal[1, 3] = np.nan
    steps = ({"kind": "zero-missing", "of": "lead"}, *RESUNET.steps)
    found = Preprocessing(("I", "II"), 500, 4096, steps).apply(Recording(signal, ("I", "II"), 500))
    assert_array_equal(found[1], 0)
    assert_allclose(found[0].std(), 1, rtol=0.1)
