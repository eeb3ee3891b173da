"""How well a map of relevance agrees with a known place: mass, rank, pointing, concentration.

Of a signed map its positive part counts: what speaks for the class. Ties are given their expected value,
so that an even map gets exactly the share of the area, with no luck in it. A map without anything positive
has no mass and no peak: NaN.
Mass and rank: Arras et al. 2022, Information Fusion 81:14, doi:10.1016/j.inffus.2021.11.008; pointing game:
Zhang et al. 2018, doi:10.1007/s11263-017-1059-x.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def positive(relevance: NDArray[np.floating]) -> Floats:
    """What speaks for the class: relevance above 0, anything else 0."""
    return np.maximum(np.nan_to_num(np.asarray(relevance, dtype=np.float64), nan=0.0), 0.0)


def relevance_mass(relevance: NDArray[np.floating], mask: Bools) -> float:
    """Share of the positive relevance that lies in the mask; both (leads, samples)."""
    values = positive(relevance)
    total = values.sum()
    return float(values[mask].sum() / total) if total > 0 else float("nan")


def rank_accuracy(relevance: NDArray[np.floating], mask: Bools) -> float:
    """Of the k samples with most positive relevance, the share in the mask, whose size k is.

    Samples that share the last place count by the share of them that lies in the mask.
    """
    values, inside = positive(relevance).ravel(), mask.ravel()
    size = int(inside.sum())
    if size == 0 or not values.any():
        return float("nan")
    last = np.partition(values, len(values) - size)[len(values) - size]
    above, level = values > last, values == last
    hits = inside[above].sum() + (size - above.sum()) * inside[level].mean()
    return float(hits / size)


def pointing(relevance: NDArray[np.floating], mask: Bools) -> float:
    """1 where the sample with most positive relevance lies in the mask, 0 where not.

    Of several such samples, the share in the mask.
    """
    values = positive(relevance)
    return float(mask[values == values.max()].mean()) if values.any() else float("nan")


def concentration(relevance: NDArray[np.floating], expected: Bools, neutral: Bools) -> tuple[float, float]:
    """Share of the positive relevance in the expected region, and that share over the region's own.

    neutral: counts neither as inside nor as outside. The second number is 1 for an even map.
    """
    counted = expected | ~neutral
    share = relevance_mass(np.where(counted, relevance, 0.0), expected)
    return share, share / area(expected, counted)


def area(mask: Bools, within: Bools | None = None) -> float:
    """Share of the samples in the mask: what an even map gets."""
    total = mask.size if within is None else within.sum()
    return float(mask.sum() / total)


def rank_correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Spearman's correlation of absolute values; NaN where one of the maps is even."""
    from scipy.stats import rankdata

    one, other = (rankdata(np.abs(values).ravel()) for values in (first, second))
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum() / size) if size > 0 else float("nan")


def relative_change(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Length of the difference of two maps over that of the first; NaN where the first is zero."""
    size = float(np.linalg.norm(first))
    return float(np.linalg.norm(np.asarray(second) - first) / size) if size > 0 else float("nan")
