from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from leadlight.leads import STANDARD_LEADS
from leadlight.simulate.projection import (
    EIGHT_LEADS,
    dipole_towards,
    lead_matrix,
    net_axis,
    small_rotation,
    turn_to_axis,
    twelve_leads,
    wrap,
)

# Edenbrandt & Pahlm, J Electrocardiol 1988;21:361-367: columns V1 ... V6, I, II.
INVERSE = np.array(
    [
        [-0.172, -0.074, 0.122, 0.231, 0.239, 0.194, 0.156, -0.010],
        [0.057, -0.019, -0.106, -0.022, 0.041, 0.048, -0.227, 0.887],
        [-0.229, -0.310, -0.246, -0.063, 0.055, 0.108, 0.022, 0.102],
    ]
)


def test_the_matrix_is_the_published_one(reference: Path) -> None:
    with (reference / "data" / "lead_matrices.csv").open() as file:
        published = {
            (row["lead"], row["axis"]): float(row["coefficient"])
            for row in csv.DictReader(file)
            if row["matrix"] == "dower_1980" and row["status"] == "published"
        }
    ours = {
        (lead, axis): value
        for lead, row in zip(EIGHT_LEADS, lead_matrix(), strict=True)
        for axis, value in zip("XYZ", row, strict=True)
    }
    assert ours == published


def test_the_published_inverse_undoes_the_matrix() -> None:
    order = [EIGHT_LEADS.index(lead) for lead in ("V1", "V2", "V3", "V4", "V5", "V6", "I", "II")]
    assert_allclose(INVERSE @ lead_matrix()[order], np.eye(3), atol=0.002)


def test_einthoven_and_goldberger_hold_exactly() -> None:
    eight = np.random.default_rng(0).normal(0, 1, (8, 1000))
    lead = dict(zip(STANDARD_LEADS, twelve_leads(eight), strict=True))
    assert_allclose(lead["I"] + lead["III"], lead["II"], atol=1e-14)
    assert_allclose(lead["aVR"] + lead["aVL"] + lead["aVF"], 0, atol=1e-14)
    assert_allclose(lead["aVF"], (lead["II"] + lead["III"]) / 2, atol=1e-14)


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        # By hand from the matrix: a septal, a main and a terminal vector of the normal QRS.
        ((-0.15, 0.05, -0.25), {"V1": 0.31, "V2": 0.35, "V6": -0.18, "I": -0.12}),
        ((1.10, 0.70, 0.45), {"I": 0.56, "II": 0.95, "aVR": -0.75, "V1": -0.87, "V5": 1.29}),
        ((-0.10, -0.15, 0.50), {"V1": -0.43, "V3": -0.74, "II": -0.25, "V6": 0.02}),
    ],
)
def test_vectors_of_the_normal_qrs_have_the_right_polarity(
    vector: tuple[float, float, float], expected: dict[str, float]
) -> None:
    seen = dict(zip(STANDARD_LEADS, twelve_leads(lead_matrix() @ np.array(vector)), strict=True))
    for lead, value in expected.items():
        assert seen[lead] == pytest.approx(value, abs=0.006), lead


@given(st.integers(0, 2**32 - 1), st.floats(-85, 120))
def test_turning_shows_the_wanted_axis_on_the_leads(seed: int, axis: float) -> None:
    net = np.random.default_rng(seed).normal(0, 1, 3) * np.array([1, 1, 0.3])
    if np.hypot(net[0], net[1]) < 0.3:
        return  # a vector along Z has no frontal axis
    matrix = lead_matrix()
    twelve = twelve_leads(matrix) @ turn_to_axis(net, axis, matrix) @ net
    seen = net_axis(twelve[STANDARD_LEADS.index("I")], twelve[STANDARD_LEADS.index("aVF")])
    assert abs(wrap(seen - axis)) < 0.01


def test_one_lead_can_be_moved_and_others_follow_little() -> None:
    change = twelve_leads(lead_matrix() @ dipole_towards(lead_matrix(), ["V2"], np.array([-0.3])))
    seen = dict(zip(STANDARD_LEADS, change, strict=True))
    assert seen["V2"] == pytest.approx(-0.3, abs=0.1)
    assert abs(seen["I"]) < 0.05 and abs(seen["II"]) < 0.05 and abs(seen["V6"]) < 0.1


def test_rotations_keep_lengths() -> None:
    turn = small_rotation(np.array([0.1, -0.2, 0.3]))
    assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
