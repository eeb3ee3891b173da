"""What a training run reads: model input and targets, in batches of a drawn order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadlight.classifier.from_store import check_rate, stored_inputs
from leadlight.recipes import Recipe
from leadlight.signal import Preprocessing, fit
from leadlight.signal.step import Floats
from leadlight.store import Selection, Store
from leadlight.training.sampling import Sampler

FITTING_CHUNK = 256
"""Records of one length that are in memory at a time while scaling is fitted."""
FITTING_SAMPLES = 4_000_000
"""Samples of one lead, of these records together: fewer records where they are long."""


@dataclass(frozen=True)
class TrainingInput:
    """What the loop reads: a store, two selections from it, how signals become model input, and the order."""

    store: Store
    training: Selection
    validation: Selection
    preprocessing: Preprocessing
    sampler: Sampler


def fit_preprocessing(store: Store, part: Selection, recipe: Recipe) -> Preprocessing:
    """Preprocessing with its scaling fitted on these records: give it the training folds', no other."""
    preprocessing = recipe.input.preprocessing()
    check_rate(store, preprocessing)
    lengths = store.lengths[part.rows]

    def batches_to_fit() -> Iterator[Floats]:
        for length in np.unique(lengths):
            rows = part.rows[lengths == length]
            at_once = min(FITTING_CHUNK, max(1, FITTING_SAMPLES // int(length)))
            for start in range(0, len(rows), at_once):
                yield store.signals(rows[start : start + at_once], preprocessing.leads)

    return fit(preprocessing, batches_to_fit)


def read_batch(
    store: Store,
    part: Selection,
    chosen: NDArray[np.int64],
    preprocessing: Preprocessing,
    places: NDArray[np.float64] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Model input (batch, leads, samples), targets and known (batch, classes) of these places in the part.

    places: for training, where a crop begins in each record of the part, as ``crop_places`` draws it;
    None for the part of a recording that predictions read.
    """
    begins = None if places is None else places[chosen]
    return (
        torch.from_numpy(stored_inputs(store, part.rows[chosen], preprocessing, begins)),
        torch.from_numpy(part.truth[chosen].astype(np.float32)),
        torch.from_numpy(part.known[chosen].astype(np.float32)),
    )


def crop_places(n_records: int, seed: int, epoch: int) -> NDArray[np.float64]:
    """Where a random crop begins in each record, uniform in [0, 1): a function of seed, epoch and record."""
    return np.random.default_rng([seed, epoch, 1]).random(n_records)


def batches(
    order: NDArray[np.int64], batch_size: int, rank: int, processes: int
) -> Iterator[NDArray[np.int64]]:
    """This process's share of each batch; shares differ by one record at most."""
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size][rank::processes]
