"""What a training run reads: rows of a store by fold, targets, and batches in a drawn order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadlight import labels
from leadlight.errors import RunError
from leadlight.recipes import Recipe
from leadlight.signal import Preprocessing, fit_scaling
from leadlight.store import Store

SCALING_CHUNK = 256


@dataclass(frozen=True)
class Part:
    """Records of some folds: rows of the store (records,), targets and known (records, classes)."""

    rows: NDArray[np.int64]
    targets: NDArray[np.uint8]
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class TrainingInput:
    """What the loop reads: a store, two parts of it, and how signals become model input."""

    store: Store
    training: Part
    validation: Part
    preprocessing: Preprocessing


def select_part(store: Store, recipe: Recipe, folds: Sequence[int]) -> tuple[Part, tuple[str, ...]]:
    """The records of these folds that the recipe can use, and notes on those that it cannot.

    Left out, and counted in the notes: records without a label of the space
    (unless the recipe keeps them), of another length, or with missing samples.
    """
    index = store.index
    of_folds = np.flatnonzero(index["fold"].isin(list(folds)).to_numpy())
    space = labels.space(recipe.labels)
    targets = space.encode(store.statements(of_folds), min_likelihood=recipe.min_likelihood)
    labelled = targets.usable("keep" if recipe.keep_unlabelled else "drop")
    right_length = index["n_samples"].to_numpy()[of_folds] == recipe.input.n_samples
    whole = index["missing_samples"].to_numpy()[of_folds] == 0
    usable = labelled & right_length & whole
    reasons = {
        f"without a label of {recipe.labels}": ~labelled,
        f"not {recipe.input.seconds:g} s long": labelled & ~right_length,
        "with missing samples": labelled & right_length & ~whole,
    }
    names = ", ".join(str(fold) for fold in folds)
    notes = tuple(
        f"folds {names}: {int(left_out.sum())} records {reason} left out"
        for reason, left_out in reasons.items()
        if left_out.any()
    )
    if not usable.any():
        raise RunError(
            f"folds {names}: found no usable record among {len(of_folds)}; "
            f"accepted: at least one. {' '.join(notes)}"
        )
    return Part(of_folds[usable], targets.values[usable], targets.known[usable]), notes


def fit_preprocessing(store: Store, part: Part, recipe: Recipe) -> Preprocessing:
    """Preprocessing with its scaling fitted on this part: give it the training part, no other."""
    leads = recipe.input.leads
    mean, scale = 0.0, 1.0
    if recipe.input.scaling == "global":
        rows = [store.leads.index(lead) for lead in leads]
        mean, scale = fit_scaling(
            store.signals(part.rows[start : start + SCALING_CHUNK])[:, rows]
            for start in range(0, len(part), SCALING_CHUNK)
        )
    return Preprocessing(leads, recipe.input.sampling_rate, recipe.input.n_samples, mean, scale)


def read_batch(
    store: Store, part: Part, chosen: NDArray[np.int64], preprocessing: Preprocessing
) -> tuple[Tensor, Tensor, Tensor]:
    """Model input (batch, leads, samples), targets and known (batch, classes) of these places in the part."""
    leads = [store.leads.index(lead) for lead in preprocessing.leads]
    signals = store.signals(part.rows[chosen])
    if leads != list(range(signals.shape[1])):
        signals = signals[:, leads]
    return (
        torch.from_numpy(preprocessing.scaled(signals)),
        torch.from_numpy(part.targets[chosen].astype(np.float32)),
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
