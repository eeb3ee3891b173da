"""Exchanged limb electrodes in simulated and real recordings, and the laws of the limb leads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import leadlight as ll
from leadlight.leads import STANDARD_LEADS
from leadlight.quality import examine, quality_columns
from leadlight.quality.limb_leads import FAMILIES, WAYS
from leadlight.recording import Recording
from leadlight.simulate import simulate_recording

# Electrode that hangs on RA, LA and LL in each way of connecting; from the names, not from the matrices.
ELECTRODES = {
    "correct": ("RA", "LA", "LL"),
    "LA-LL": ("RA", "LL", "LA"),
    "RA-LA": ("LA", "RA", "LL"),
    "RA-LL": ("LL", "LA", "RA"),
}


def limb_leads(right: np.ndarray, left: np.ndarray, foot: np.ndarray) -> np.ndarray:
    """The six limb leads by their definitions, from the potentials of three electrodes."""
    return np.stack(
        [
            left - right,
            foot - right,
            foot - left,
            right - (left + foot) / 2,
            left - (right + foot) / 2,
            foot - (right + left) / 2,
        ]
    )


def connected(signal: np.ndarray, cables: tuple[str, str, str], leg: str = "") -> np.ndarray:
    """The signal as recorded with these electrodes at the ends of the cables RA, LA and LL."""
    one, two = signal[0], signal[1]
    at = {"RA": -(one + two) / 3, "LA": (2 * one - two) / 3, "LL": (2 * two - one) / 3}
    at["RL"] = at["LL"]  # between the legs there is nearly no potential
    return np.vstack([limb_leads(*(at[name] for name in cables)), signal[6:]]).astype(np.float32)


@pytest.fixture(scope="module")
def normal() -> np.ndarray:
    return simulate_recording(["NORM"], 3, sampling_rate=100)[0].signal


@pytest.mark.parametrize(("way", "cables"), ELECTRODES.items())
def test_ways_are_what_the_electrodes_give(normal, way, cables):
    """The matrices of ``WAYS`` against the definitions of the leads."""
    expected = connected(normal, cables)[:2]
    np.testing.assert_allclose(np.array(WAYS[way]) @ normal[:2], expected, atol=1e-5)


@pytest.mark.parametrize(("way", "cables"), ELECTRODES.items())
@pytest.mark.parametrize("rate", [100, 500])
def test_exchanges_of_a_simulated_heart_are_told(way, cables, rate):
    signal = simulate_recording(["NORM"], 3, sampling_rate=rate)[0].signal
    expected = next(name or None for name, ways in FAMILIES.items() if list(WAYS).index(way) in ways)
    limb = examine(connected(signal, cables), STANDARD_LEADS, rate).limb_leads
    assert limb.assessed and limb.verdict == expected


@pytest.mark.parametrize(
    ("cables", "verdict"), [(("RL", "LA", "LL"), "RA-RL"), (("RA", "RL", "LL"), "LA-RL")]
)
def test_an_arm_electrode_on_the_right_leg_is_told(normal, cables, verdict):
    noise = np.random.default_rng(1).normal(0, 0.001, normal.shape)
    signal = connected(normal, cables)
    signal[1] += noise[1]
    signal[:6] = limb_leads(np.zeros_like(signal[0]), signal[0], signal[1])
    assert examine(signal, STANDARD_LEADS, 100).limb_leads.verdict == verdict


def test_laws_hold_for_every_connection_and_break_for_wrong_labels(normal):
    for cables in ELECTRODES.values():
        limb = examine(connected(normal, cables), STANDARD_LEADS, 100).limb_leads
        assert limb.einthoven < 1e-5 and limb.goldberger < 1e-5
    relabelled = normal.copy()
    relabelled[[0, 4]] = normal[[4, 0]]
    limb = examine(relabelled, STANDARD_LEADS, 100).limb_leads
    assert limb.verdict == "inconsistent" and not limb.assessed
    # By hand: I becomes aVL = I - II/2, so I + III - II misses by -II/2.
    assert limb.einthoven == pytest.approx(np.sqrt(np.mean((normal[1] / 2) ** 2)), rel=1e-3)


def test_a_gap_in_one_limb_lead_breaks_no_law(normal):
    signal = normal.copy()
    signal[2, 300:400] = np.nan
    assert examine(signal, STANDARD_LEADS, 100).limb_leads.verdict is None


def test_without_chest_leads_nothing_is_suspected(normal):
    recording = Recording(-normal[:6], STANDARD_LEADS[:6], 100)
    limb = recording.quality().limb_leads
    assert limb.verdict is None and not limb.assessed and limb.einthoven is not None


@pytest.mark.real
@pytest.mark.parametrize("way", ["RA-LA", "RA-LL"])
def test_real_recordings_of_the_last_folds(real_ptbxl: Path, way):
    """On folds 8 and 9, which chose nothing: most exchanges are told, hardly any record is suspected."""
    import csv

    with (real_ptbxl / "ptbxl_database.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["strat_fold"] in ("8", "9")][::4]
    signals = np.stack([ll.read(real_ptbxl / row["filename_lr"]).signal for row in rows])
    as_recorded = quality_columns(signals, STANDARD_LEADS, 100)
    exchanged = np.stack([connected(signal, ELECTRODES[way]) for signal in signals])
    after = quality_columns(exchanged, STANDARD_LEADS, 100)
    told = np.mean([columns["limb_leads"] == way for columns in after])
    suspected = np.mean([columns["limb_leads"] is not None for columns in as_recorded])
    assert told > 0.88 and suspected < 0.015


def test_order_of_the_leads_does_not_matter(normal):
    recording = Recording(connected(normal, ELECTRODES["RA-LA"]), STANDARD_LEADS, 100)
    turned = recording.select(STANDARD_LEADS[::-1])
    assert turned.quality().limb_leads.verdict == "RA-LA"
    assert replace(turned).quality().limb_leads == turned.quality().limb_leads
