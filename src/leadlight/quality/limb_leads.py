"""Which way the limb electrodes seem to be connected: the limb leads beside what the chest leads foretell.

The chest electrodes do not move when arms are exchanged, and their leads change little (Wilson's
terminal keeps its three electrodes). So I and II are foretold from V1 to V6 by a regression that
was fitted once on correctly connected recordings (``data/limb_leads.toml``), and compared with the
recorded I and II under each of the six ways to connect RA, LA and LL. Two ways that differ by an
exchange of LA and LL cannot be told apart from one recording, so only pairs of ways are judged.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from leadlight.quality.tables import regressions

Float = NDArray[np.float32]

# Way of connecting -> what is recorded as (I, II), in terms of the true I and II.
# RA-LA: the two are exchanged; RA>LA>LL: RA's electrode is on LA, LA's on LL, LL's on RA.
WAYS: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "correct": ((1, 0), (0, 1)),
    "LA-LL": ((0, 1), (1, 0)),
    "RA-LA": ((-1, 0), (-1, 1)),
    "RA>LL>LA": ((0, -1), (1, -1)),
    "RA-LL": ((1, -1), (0, -1)),
    "RA>LA>LL": ((-1, 1), (-1, 0)),
}
FAMILIES = {"": (0, 1), "RA-LA": (2, 3), "RA-LL": (4, 5)}
"""Verdict -> the two ways that it cannot tell apart (places in ``WAYS``)."""
SUSPECTED = tuple(FAMILIES)[1:]
"""The exchanges that a comparison can tell, in the order of ``margins``."""
CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
NEEDED = ("I", "II", *CHEST)
"""Without all of these there is no comparison."""

# I, II and III count alike: the metric |I|^2 + |II|^2 + |II - I|^2.
_METRIC = np.array([[2, -1], [-1, 2]], dtype=np.float64)


@lru_cache(maxsize=1)
def _regressions() -> NDArray[np.float64]:
    """(2 bands, 2 leads, 6 chest leads)."""
    values = regressions()
    return np.array([[values[band][lead] for lead in ("I", "II")] for band in ("fast", "slow")])


@lru_cache(maxsize=64)
def _rows(leads: tuple[str, ...]) -> Float | None:
    """(6, leads): I and II, and what V1 to V6 foretell of them, fast and slow; None without these leads."""
    if not set(NEEDED) <= set(leads):
        return None
    rows = np.zeros((6, len(leads)), dtype=np.float32)
    rows[0, leads.index("I")] = rows[1, leads.index("II")] = 1
    rows[2:, [leads.index(lead) for lead in CHEST]] = _regressions().reshape(4, len(CHEST))
    return rows


@lru_cache(maxsize=1)
def _forms() -> NDArray[np.float64]:
    """(16, 8): from products of (I, II, foretold I, foretold II) to the dot products that correlations need.

    With u what was recorded and p what is foretold: <undone u, p> for each way, <u, u> and <p, p>.
    """
    recorded, foretold = np.eye(4)[:2], np.eye(4)[2:]
    forms = [foretold.T @ _METRIC @ np.linalg.inv(np.array(way)) @ recorded for way in WAYS.values()]
    forms += [recorded.T @ _METRIC @ recorded, foretold.T @ _METRIC @ foretold]
    return np.stack([form.reshape(-1) for form in forms], axis=1)


def limb_correlations(records: Float, leads: tuple[str, ...], lag: int) -> tuple[Float, Float]:
    """(records, 2 bands, 6 ways): correlation of I, II and III with what the chest leads foretell.

    records: (records, leads, samples); lag: samples in 0.1 s. The bands are differences between
    neighbours (QRS) and over 0.1 s (P and T, too): the baseline plays no part.
    Second value: (records, 2), size of the QRS in II and in III over that in I.
    NaN where I, II or a chest lead is not there.
    """
    rows = _rows(leads)
    result = np.full((len(records), 2, len(WAYS)), np.nan, dtype=np.float32)
    sizes = np.full((len(records), 2), np.nan, dtype=np.float32)
    if rows is None:
        return result, sizes
    six = np.matmul(rows, records)
    fast = six[:, :4, 1:] - six[:, :4, :-1]
    slow = six[:, [0, 1, 4, 5], lag:] - six[:, [0, 1, 4, 5], :-lag]
    for band, steps in enumerate((fast, slow)):
        squares = np.matmul(steps, steps.transpose(0, 2, 1)).astype(np.float64)
        products = squares.reshape(len(records), 16) @ _forms()
        norm = np.sqrt(np.maximum(products[:, -2] * products[:, -1], 1e-12))
        result[:, band] = products[:, :-2] / norm[:, None]
        if band == 0:
            one, two, both = squares[:, 0, 0], squares[:, 1, 1], squares[:, 0, 1]
            in_two_and_three = np.stack([two, np.maximum(one + two - 2 * both, 0)], axis=1)
            sizes[:] = np.sqrt(in_two_and_three / np.maximum(one, 1e-6)[:, None])
    return result, sizes


def margins(correlations: Float) -> Float:
    """(records, 2), for each of ``SUSPECTED``: how much better each fits than a correct connection.

    The smaller of the two bands; NaN where not assessed.
    """
    families = np.stack([correlations[..., list(ways)].max(axis=-1) for ways in FAMILIES.values()], axis=-1)
    better: Float = (families[..., 1:] - families[..., :1]).min(axis=1)
    return better
