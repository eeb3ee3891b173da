from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from leadlight.simulate import simulate_recording
from leadlight.simulate.noise import NO_NOISE, draw_levels, electrode_noise, leads_of_electrodes
from leadlight.simulate.projection import twelve_leads


def power(signal: np.ndarray, low: float, high: float, rate: float = 500) -> float:
    """Root mean square of the part between two frequencies in Hz."""
    spectrum = np.fft.rfft(signal)
    frequency = np.fft.rfftfreq(signal.shape[-1], 1 / rate)
    inside = (frequency >= low) & (frequency < high)
    return float(np.sqrt(2 * (np.abs(spectrum[..., inside]) ** 2).sum(-1).mean()) / signal.shape[-1])


def electrodes(seed: int = 0, **levels: float) -> np.ndarray:
    asked = replace(NO_NOISE, **levels)
    return electrode_noise(np.random.default_rng(seed), asked, 5000, 500, 0.25)


def test_no_noise_is_none() -> None:
    assert_allclose(electrodes(), 0, atol=1e-15)


@pytest.mark.parametrize(
    ("kind", "band"), [("baseline", (0.05, 1.0)), ("mains", (49.0, 51.0)), ("muscle", (10.0, 200.0))]
)
def test_each_noise_has_its_band_and_its_level(kind: str, band: tuple[float, float]) -> None:
    noise = np.stack([electrodes(seed, **{kind: 0.02}) for seed in range(20)])
    inside = power(noise, *band)
    assert inside == pytest.approx(0.02, rel=0.35)
    assert power(noise, 0, 250) == pytest.approx(inside, rel=0.25), "nearly nothing outside"


def test_noise_keeps_einthoven_and_goldberger() -> None:
    noise = electrodes(baseline=0.1, mains=0.02, muscle=0.02, motions=1, bursts=1)
    lead = twelve_leads(leads_of_electrodes(noise))
    assert_allclose(lead[0] + lead[2], lead[1], atol=1e-12)
    assert_allclose(lead[3] + lead[4] + lead[5], 0, atol=1e-12)


def test_an_arm_electrode_disturbs_all_leads_and_a_chest_electrode_one() -> None:
    potential = np.zeros((9, 4))
    potential[0] = 1  # right arm
    assert_allclose(leads_of_electrodes(potential)[:, 0], [-1, -1, *[-1 / 3] * 6])
    potential = np.zeros((9, 4))
    potential[5] = 1  # V3
    assert_allclose(leads_of_electrodes(potential)[:, 0], [0, 0, 0, 0, 1, 0, 0, 0])


def test_levels_stay_below_the_published_ones() -> None:
    drawn = [draw_levels(np.random.default_rng(seed)) for seed in range(300)]
    assert all(level.baseline <= 0.15 and level.breathing <= 0.15 for level in drawn)
    assert 0.002 < np.median([level.muscle for level in drawn]) < 0.010
    assert 0 < sum(level.motions for level in drawn) < 60


def test_noise_does_not_move_the_heart() -> None:
    noisy, truth = simulate_recording(["CRBBB"], 4)
    clean, same = simulate_recording(["CRBBB"], 4, noise=False)
    assert noisy.signal.std() != clean.signal.std()
    assert_allclose(
        truth.boundaries[:, 3] - truth.boundaries[:, 2], same.boundaries[0, 3] - same.boundaries[0, 2]
    )
