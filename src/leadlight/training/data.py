"""What a training run reads: scaled signals and targets, in batches of a drawn order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadlight.recipes import Recipe
from leadlight.signal import Preprocessing, fit_scaling
from leadlight.store import Selection, Store

SCALING_CHUNK = 256


@dataclass(frozen=True)
class TrainingInput:
    """What the loop reads: a store, two selections from it, and how signals become model input."""

    store: Store
    training: Selection
    validation: Selection
    preprocessing: Preprocessing


def fit_preprocessing(store: Store, part: Selection, recipe: Recipe) -> Preprocessing:
    """Preprocessing with its scaling fitted on these records: give it the training folds', no other."""
    leads = recipe.input.leads
    mean, scale = 0.0, 1.0
    if recipe.input.scaling == "global":
        mean, scale = fit_scaling(
            store.signals(part.rows[start : start + SCALING_CHUNK], leads)
            for start in range(0, len(part), SCALING_CHUNK)
        )
    return Preprocessing(leads, recipe.input.sampling_rate, recipe.input.n_samples, mean, scale)


def read_batch(
    store: Store, part: Selection, chosen: NDArray[np.int64], preprocessing: Preprocessing
) -> tuple[Tensor, Tensor, Tensor]:
    """Model input (batch, leads, samples), targets and known (batch, classes) of these places in the part."""
    signals = store.signals(part.rows[chosen], preprocessing.leads)
    return (
        torch.from_numpy(preprocessing.scaled(signals)),
        torch.from_numpy(part.truth[chosen].astype(np.float32)),
        torch.from_numpy(part.known[chosen].astype(np.float32)),
    )


def epoch_order(n_records: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of the records in an epoch: a function of seed and epoch alone, so that it can be resumed."""
    return np.random.default_rng([seed, epoch]).permutation(n_records)


def batches(
    order: NDArray[np.int64], batch_size: int, rank: int, processes: int
) -> Iterator[NDArray[np.int64]]:
    """This process's share of each batch; shares differ by one record at most."""
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size][rank::processes]
