"""From the heart's dipole to the twelve leads, and back from wanted leads to a dipole."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from leadlight.leads import LIMB_COMBINATIONS, STANDARD_LEADS

EIGHT_LEADS: tuple[str, ...] = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The independent leads; the other four follow from I and II."""

RESISTANCE = 0.3
RIDGE = 0.1

Array = NDArray[np.float64]


@lru_cache(maxsize=1)
def _published_matrix() -> Array:
    text = files("leadlight.simulate").joinpath("data/lead_matrix.csv").read_text(encoding="utf-8")
    rows = {row["lead"]: [float(row[axis]) for axis in "xyz"] for row in csv.DictReader(text.splitlines())}
    return np.array([rows[lead] for lead in EIGHT_LEADS])


def lead_matrix() -> Array:
    """Dower's matrix, (8, 3): leads I, II, V1 ... V6 from X (left), Y (down), Z (backwards), mV from mV.

    Source: Dower, Machado & Osborne, Clin Cardiol 1980;3:87-95.
    """
    return _published_matrix().copy()


def twelve_leads(eight: Array) -> Array:
    """The twelve standard leads (12, ...) from I, II, V1 ... V6 (8, ...).

    Works on signals and on lead matrices. Einthoven's and Goldberger's relations hold exactly,
    because III, aVR, aVL and aVF are computed from I and II and nothing else.
    """
    rows = dict(zip(EIGHT_LEADS, eight, strict=True))
    for lead, (of_one, of_two) in LIMB_COMBINATIONS.items():
        rows[lead] = of_one * rows["I"] + of_two * rows["II"]
    return np.stack([rows[lead] for lead in STANDARD_LEADS])


def dipole_towards(matrix: Array, leads: Sequence[str], change: Array) -> Array:
    """The dipole (3, ...) that makes the wanted change in the named leads and little in the others, in mV.

    matrix: (8, 3); change: (leads, ...). A dipole cannot change three or more leads at will: this is
    weighted least squares over the named leads (weight 1) and no change in the other independent
    leads (weight ``RESISTANCE``), with a small ridge.
    """
    rows = twelve_leads(matrix)
    named = rows[[STANDARD_LEADS.index(lead) for lead in leads]]
    others = RESISTANCE * rows[[STANDARD_LEADS.index(lead) for lead in EIGHT_LEADS if lead not in leads]]
    normal = named.T @ named + others.T @ others + RIDGE**2 * np.eye(3)
    return np.asarray(np.linalg.solve(normal, named.T @ change), dtype=np.float64)


def net_axis(net_one: float, net_avf: float) -> float:
    """Frontal axis in degrees from the net deflection of I and aVF; 0 is left, +90 is down.

    aVF is an augmented lead: 2 / sqrt(3) brings it to the scale of lead I.
    """
    return float(np.degrees(np.arctan2(2 / np.sqrt(3) * net_avf, net_one)))


def turn_to_axis(net: Array, axis: float, matrix: Array) -> Array:
    """Rotation (3, 3) about Z after which the net dipole (3,) shows this frontal axis in I and aVF.

    Dower's limb leads do not lie at 0 and 90 degrees, so the angle is found on the leads
    and not on the dipole.
    """
    twelve = twelve_leads(matrix)
    one, avf = twelve[STANDARD_LEADS.index("I")], twelve[STANDARD_LEADS.index("aVF")]
    # Across the wanted direction the leads must show nothing: a cos + b sin + c = 0.
    across = 2 / np.sqrt(3) * avf * np.cos(np.radians(axis)) - one * np.sin(np.radians(axis))
    a = across[0] * net[0] + across[1] * net[1]
    b = across[1] * net[0] - across[0] * net[1]
    c = across[2] * net[2]
    reach = np.hypot(a, b)
    middle = np.arctan2(b, a)
    spread = np.arccos(np.clip(-c / max(reach, 1e-12), -1, 1))
    best = None
    for angle in (middle + spread, middle - spread):
        rotation = about_z(float(angle))
        turned = rotation @ net
        error = abs(wrap(net_axis(float(one @ turned), float(avf @ turned)) - axis))
        if best is None or error < best[0]:
            best = (error, rotation)
    assert best is not None
    return best[1]


def wrap(degrees: float) -> float:
    """The same angle between -180 and 180 degrees."""
    return (degrees + 180.0) % 360.0 - 180.0


def about_z(angle: float) -> Array:
    """Rotation (3, 3) in the frontal plane; angle in radians, from left (X) towards the feet (Y)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def small_rotation(angles: Array) -> Array:
    """Rotation (3, 3) by small angles (3,) in radians about X, Y and Z, one after the other."""
    cx, cy, cz = np.cos(angles)
    sx, sy, sz = np.sin(angles)
    around_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    around_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    around_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turned: Array = around_z @ around_y @ around_x
    return turned
