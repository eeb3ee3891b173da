"""The names of ECG leads, their order, and the limb leads that follow from two others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

STANDARD_LEADS: tuple[str, ...] = (
    "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6",
)  # fmt: skip
"""The twelve standard leads, in Leadlight's order."""

FURTHER_LEADS: tuple[str, ...] = ("V7", "V8", "V9", "V3R", "V4R", "V5R", "V6R", "VX", "VY", "VZ")
"""Leads that are recognised beside the twelve: posterior, right-sided and Frank."""

LIMB_COMBINATIONS: dict[str, tuple[float, float]] = {
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}
"""Coefficients of I and II (Einthoven and Goldberger): III = II - I, aVR = -(I + II) / 2, ..."""

_CANONICAL = {name.upper(): name for name in STANDARD_LEADS + FURTHER_LEADS}
_CANONICAL.update({"D1": "I", "D2": "II", "D3": "III", "DI": "I", "DII": "II", "DIII": "III"})
_PREFIX = re.compile(r"^(?:ECG|LEAD|MDC_ECG_LEAD)[\s_:\-]+", re.IGNORECASE)


@lru_cache(maxsize=1024)
def canonical_lead(name: str) -> str | None:
    """Canonical name of a lead ("AVR", "lead I", "avf" -> "aVR", "I", "aVF"), or None if unknown."""
    stripped = _PREFIX.sub("", name.strip())
    return _CANONICAL.get(re.sub(r"[\s_\-]", "", stripped).upper())


def lead_rank(lead: str) -> int:
    """Place of a canonical lead in Leadlight's order, standard leads first."""
    return (STANDARD_LEADS + FURTHER_LEADS).index(lead)


def derive_limb_leads(
    signal: NDArray[np.float32], leads: Sequence[str]
) -> tuple[NDArray[np.float32], tuple[str, ...], tuple[str, ...]]:
    """Add the limb leads that follow from I and II where they are missing.

    signal: (leads, samples) in millivolts; leads: canonical names, any order.
    Returns the signal in Leadlight's order, its leads, and which of them were derived.
    Without both I and II nothing is derived. A sample missing in I or II is
    missing in what is derived from it.
    """
    rows = dict(zip(leads, signal, strict=True))
    derived: tuple[str, ...] = ()
    if "I" in rows and "II" in rows:
        derived = tuple(lead for lead in LIMB_COMBINATIONS if lead not in rows)
        for lead in derived:
            of_one, of_two = LIMB_COMBINATIONS[lead]
            rows[lead] = (of_one * rows["I"] + of_two * rows["II"]).astype(np.float32)
    ordered = tuple(sorted(rows, key=lead_rank))
    if not derived and ordered == tuple(leads):
        return signal, ordered, ()
    return np.stack([rows[lead] for lead in ordered]), ordered, derived
