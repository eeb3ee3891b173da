"""What a training run reads: model input and targets, in batches of a drawn order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadlight.classifier.from_store import (
    ages_and_sexes,
    check_rate,
    stored_inputs,
    stored_metadata,
    stored_windows,
)
from leadlight.classifier.windows import window_counts
from leadlight.recipes import AugmentationSettings, MetadataSettings, Recipe
from leadlight.signal import Metadata, Preprocessing, fit, fit_metadata
from leadlight.signal.metadata import COLUMNS
from leadlight.signal.step import Floats
from leadlight.store import Selection, Store
from leadlight.training.augmentation import Batch, augment
from leadlight.training.sampling import Sampler

CROP_STREAM, HIDING_STREAM, AUGMENTATION_STREAM = 1, 2, 3
"""Streams of random numbers besides the plain order of an epoch, [seed, epoch]."""
NO_AUGMENTATION = AugmentationSettings()
FITTING_CHUNK = 256
"""Records of one length that are in memory at a time while scaling is fitted."""
FITTING_SAMPLES = 4_000_000
"""Samples of one lead, of these records together: fewer records where they are long."""


@dataclass(frozen=True)
class TrainingInput:
    """What the loop reads: a store, two selections from it, how records become model input, and the order.

    metadata: None for a model that reads the signal alone; hidden: share of the training records whose
    age, and as many whose sex, are hidden in an epoch; augmentation: of the training batches.
    """

    store: Store
    training: Selection
    validation: Selection
    preprocessing: Preprocessing
    sampler: Sampler
    metadata: Metadata | None = None
    hidden: float = 0.0
    augmentation: AugmentationSettings = NO_AUGMENTATION

    @cached_property
    def training_metadata(self) -> NDArray[np.float32] | None:
        """What is known of the training records' patients, (records, columns)."""
        return stored_metadata(self.store, self.training.rows, self.metadata)

    @cached_property
    def validation_metadata(self) -> NDArray[np.float32] | None:
        """Likewise of the validation records."""
        return stored_metadata(self.store, self.validation.rows, self.metadata)

    @cached_property
    def validation_windows(self) -> NDArray[np.int64]:
        """How many model inputs a prediction reads of each validation record."""
        return window_counts(self.store.lengths[self.validation.rows], self.preprocessing)


@dataclass(frozen=True)
class Epoch:
    """An epoch of training: what is random in its batches is a function of seed, epoch and record.

    number: of the epoch, from 1.
    """

    data: TrainingInput
    seed: int
    number: int

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Places of the training records, as they are read."""
        return self.data.sampler.order(self.seed, self.number)

    @cached_property
    def _places(self) -> NDArray[np.float64]:
        return crop_places(len(self.data.training), self.seed, self.number)

    @cached_property
    def _metadata(self) -> NDArray[np.float32] | None:
        known, metadata = self.data.training_metadata, self.data.metadata
        if known is None or metadata is None:
            return None
        return metadata.hidden(known, *hidden_records(len(known), self.data.hidden, self.seed, self.number))

    def batch(self, chosen: NDArray[np.int64]) -> Batch:
        """What the model is called with, targets and known (batch, classes) of these places of the part.

        The first of the inputs is the signal, (batch, leads, samples), the second, for a model that reads
        it, the metadata, (batch, columns).
        """
        data, beside = self.data, self._metadata
        signal, targets, known = read_batch(
            data.store, data.training, chosen, data.preprocessing, self._places
        )
        if beside is None:
            return Batch((signal,), targets, known)
        return Batch((signal, torch.from_numpy(beside[chosen])), targets, known)

    def augment(self, batch: Batch, number: int, process: int) -> Batch:
        """The batch as it is learnt from. number: of the batch, from 1; process: that reads this share."""
        seed = (self.seed, self.number, AUGMENTATION_STREAM, number, process)
        steps = self.data.preprocessing
        return augment(batch, self.data.augmentation, steps.sampling_rate, seed, steps.leads)


def validation_batch(data: TrainingInput, chosen: NDArray[np.int64]) -> Batch:
    """All that predictions read of these places of the validation part, with its targets and known.

    Window by window and record by record: ``data.validation_windows`` inputs of each, with the labels
    of their record.
    """
    part, beside = data.validation, data.validation_metadata
    signals, windows = stored_windows(data.store, part.rows[chosen], data.preprocessing)
    inputs = [signals] if beside is None else [signals, np.repeat(beside[chosen], windows, axis=0)]
    truth, known = (
        np.repeat(of[chosen], windows, axis=0).astype(np.float32) for of in (part.truth, part.known)
    )
    return Batch(tuple(map(torch.from_numpy, inputs)), torch.from_numpy(truth), torch.from_numpy(known))


def fit_beside(store: Store, part: Selection, n_columns: int, settings: MetadataSettings) -> Metadata:
    """Metadata of so many columns, its scaling fitted on these records: give it the training folds'."""
    ages, _ = ages_and_sexes(store, part.rows)
    return fit_metadata(COLUMNS[:n_columns], ages, settings.age)


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
    return np.random.default_rng([seed, epoch, CROP_STREAM]).random(n_records)


def hidden_records(
    n_records: int, share: float, seed: int, epoch: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whose age, and whose sex, is hidden in this epoch: a function of seed, epoch and record."""
    age, sex = np.random.default_rng([seed, epoch, HIDING_STREAM]).random((2, n_records)) < share
    return age, sex


def bounds_of_batches(n_records: int, batch_size: int, drop_last: bool = False) -> list[int]:
    """Where the batches of so many records begin, and at last where they end.

    The last batch may be smaller, or is left out by drop_last; a single record joins the batch
    before it, since batch normalisation cannot learn from one.
    """
    bounds = [*range(0, n_records, batch_size), n_records]
    left_over = n_records % batch_size
    if n_records > batch_size and left_over:
        if drop_last:
            del bounds[-1]
        elif left_over == 1:
            del bounds[-2]
    return bounds


def batches(
    order: NDArray[np.int64], batch_size: int, rank: int, processes: int, drop_last: bool = False
) -> Iterator[NDArray[np.int64]]:
    """This process's share of each batch; shares differ by one record at most."""
    for start, end in pairwise(bounds_of_batches(len(order), batch_size, drop_last)):
        yield order[start:end][rank::processes]
