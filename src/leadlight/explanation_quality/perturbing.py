"""Deletion and insertion: how fast the answer goes when what counts most is taken away, or comes back.

Blocks of a lead are ordered by their mean positive relevance. Deletion covers the first ones step by
step; insertion begins with everything covered and uncovers them in the same order. Covered is a straight
line between the samples at both ends of what is covered, however many blocks that is, and the lead's median
where nothing of it is left: never zeros. f is the probability of the class; the area under each curve is
taken by trapezoids over the share of the blocks (deletion: low is good; insertion: high is good).
Petsiuk et al. 2018, arXiv 1806.07421; the fill, Rong et al. 2022, arXiv 2202.00449 (without its noise).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.explanation_quality.measures import positive

if TYPE_CHECKING:
    from leadlight.explanation.reading import Reading, Singles

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Curves:
    """Probabilities (steps + 1,) as blocks are taken away (deletion) and put back (insertion)."""

    deletion: Floats
    insertion: Floats

    @property
    def deletion_area(self) -> float:
        """Mean height of the deletion curve."""
        return trapezoids(self.deletion)

    @property
    def insertion_area(self) -> float:
        """Mean height of the insertion curve."""
        return trapezoids(self.insertion)


def trapezoids(curve: NDArray[np.floating]) -> float:
    """Area under a curve of equal steps from 0 to 1."""
    values = np.asarray(curve, dtype=np.float64)
    return float((values[:-1] + values[1:]).mean() / 2)


@dataclass(frozen=True)
class Blocks:
    """Windows of each lead, all of one length but the last: what is covered and uncovered at once."""

    n_leads: int
    n_samples: int
    length: int

    @property
    def by_lead(self) -> int:
        """How many a lead has."""
        return -(-self.n_samples // self.length)

    def __len__(self) -> int:
        return self.n_leads * self.by_lead

    def means(self, relevance: NDArray[np.floating]) -> Floats:
        """Mean of (leads, samples) in each block: (blocks,)."""
        edges = np.arange(0, self.n_samples, self.length)
        sizes = np.diff(np.append(edges, self.n_samples))
        means: Floats = (np.add.reduceat(relevance, edges, axis=1) / sizes).ravel()
        return means

    def mask(self, blocks: NDArray[np.integer]) -> Bools:
        """Samples (leads, samples) in these blocks."""
        chosen = np.zeros(len(self), dtype=bool)
        chosen[blocks] = True
        whole = np.repeat(chosen.reshape(self.n_leads, self.by_lead), self.length, axis=1)
        return whole[:, : self.n_samples]


def order_of(relevance: NDArray[np.floating], blocks: Blocks, rng: np.random.Generator) -> NDArray[np.intp]:
    """Blocks from the most to the least positive relevance; ties in random order."""
    means = blocks.means(positive(relevance))
    shuffled = rng.permutation(len(blocks))
    result: NDArray[np.intp] = shuffled[np.argsort(-means[shuffled], kind="stable")]
    return result


def cover(inputs: Singles, mask: Bools) -> Singles:
    """Inputs (leads, samples) with what is in the mask covered."""
    result = inputs.copy()
    places = np.arange(inputs.shape[1])
    for lead in np.flatnonzero(mask.any(axis=1)):
        hidden = mask[lead]
        kept = ~hidden
        if kept.any():
            result[lead, hidden] = np.interp(places[hidden], places[kept], inputs[lead, kept])
        else:
            result[lead] = np.median(inputs[lead])
    return result


def curves(reading: Reading, target: int, order: NDArray[np.intp], blocks: Blocks, steps: int = 10) -> Curves:
    """Deletion and insertion of a record's answer for one class, in this order of the blocks.

    target: place of the class among the outputs. 2 x steps variants of the record are read.
    """
    cuts = np.round(np.linspace(0, len(order), steps + 1)).astype(int)
    masks = [blocks.mask(order[:cut]) for cut in cuts]
    masks += [blocks.mask(order[cut:]) for cut in cuts[1:-1]]
    probabilities = covered_answers(reading, masks)[:, target]
    forwards = probabilities[: steps + 1]
    # Insertion begins where deletion ends, and the other way round.
    backwards = np.concatenate([forwards[-1:], probabilities[steps + 1 :], forwards[:1]])
    return Curves(forwards, backwards)


def covered_answers(reading: Reading, masks: list[Bools]) -> Floats:
    """Probabilities (masks, classes) of the record with each mask (leads, samples) covered."""
    length = reading.window_samples
    variants = (
        np.stack(
            [
                cover(own, mask[:, start : start + length])
                for own, start in zip(reading.inputs, reading.starts, strict=True)
            ]
        )
        for mask in masks
    )
    return probabilities_of(reading, _flat_answers(reading, list(variants)))


def _flat_answers(reading: Reading, variants: list[Singles]) -> Floats:
    """Logits of the record (variants, classes), all windows of all variants in shared batches."""
    windows = len(reading.inputs)
    of_windows = reading.window_logits(np.concatenate(variants))
    return reading.record_logits(of_windows.reshape(len(variants), windows, -1))


def probabilities_of(reading: Reading, logits: Floats) -> Floats:
    """Probabilities of logits (n, classes), calibrated where the contract says how."""
    calibration = reading.classifier.contract.calibration
    if calibration is not None:
        return np.asarray(calibration.probabilities(logits.astype(np.float32)), dtype=np.float64)
    from scipy.special import expit

    result: Floats = expit(logits)
    return result
