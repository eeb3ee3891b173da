"""Augmentation: changes of a training batch that leave its labels true, all records of it at once.

Signals are model input, (batch, leads, samples), after scaling. Each function takes its settings and a
generator on the signal's device, from which all that is random comes, and changes nothing in place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from leadlight.leads import STANDARD_LEADS
from leadlight.recipes.augmentation_settings import (
    AmplitudeScaling,
    AugmentationSettings,
    BaselineWander,
    LeadDropout,
    LeadMasking,
    LeadSets,
    Mixup,
    Noise,
    TimeMasking,
    TimeShift,
)


class Batch(NamedTuple):
    """inputs: signal, and metadata for a model that reads it; targets, known: (batch, classes)."""

    inputs: tuple[Tensor, ...]
    targets: Tensor
    known: Tensor


def augment(
    batch: Batch,
    settings: AugmentationSettings,
    sampling_rate: float,
    seed: tuple[int, ...],
    leads: Sequence[str] = (),
) -> Batch:
    """The batch with what the settings name, in their order. seed: the same one gives the same batch.

    sampling_rate: Hz, of the signal; leads: names of its leads, () for the first of the standard ones.
    """
    if settings.is_off:
        return batch
    signal = batch.inputs[0]
    generator = Generator(signal.device).manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
    if settings.time_shift is not None:
        signal = shift(signal, settings.time_shift, sampling_rate, generator)
    if settings.amplitude_scaling is not None:
        signal = scale_amplitude(signal, settings.amplitude_scaling, generator)
    if settings.baseline_wander is not None:
        signal = add_baseline_wander(signal, settings.baseline_wander, sampling_rate, generator)
    if settings.noise is not None:
        signal = add_noise(signal, settings.noise, generator)
    if settings.time_masking is not None:
        signal = mask_time(signal, settings.time_masking, sampling_rate, generator)
    if settings.lead_masking is not None:
        signal = mask_leads(signal, settings.lead_masking, generator)
    if settings.lead_dropout is not None:
        signal = drop_leads(signal, settings.lead_dropout, generator)
    if settings.lead_sets is not None:
        signal = keep_lead_set(
            signal, settings.lead_sets, leads or STANDARD_LEADS[: signal.shape[1]], generator
        )
    changed = Batch((signal, *batch.inputs[1:]), batch.targets, batch.known)
    return changed if settings.mixup is None else mix(changed, settings.mixup, generator)


def shift(signal: Tensor, settings: TimeShift, sampling_rate: float, generator: Generator) -> Tensor:
    """Each record later by a whole number of samples, earlier where it is below 0."""
    n_samples = signal.shape[2]
    most = min(round(settings.seconds * sampling_rate), n_samples - 1)
    by = torch.randint(-most, most + 1, (len(signal), 1), generator=generator, device=signal.device)
    by = by * _chosen(signal, settings.probability, generator)[:, None]
    source = (torch.arange(n_samples, device=signal.device) - by).clamp(0, n_samples - 1)
    return signal.gather(2, source[:, None].expand_as(signal))


def scale_amplitude(signal: Tensor, settings: AmplitudeScaling, generator: Generator) -> Tensor:
    """Each record, or each of its leads, times a factor; its logarithm is uniform."""
    shape = (len(signal), signal.shape[1] if settings.each_lead else 1, 1)
    low, high = math.log(settings.smallest), math.log(settings.largest)
    logarithms = low + (high - low) * _uniform(signal, shape, generator)
    chosen = _chosen(signal, settings.probability, generator)[:, None, None]
    return signal * torch.exp(logarithms * chosen)


def add_baseline_wander(
    signal: Tensor, settings: BaselineWander, sampling_rate: float, generator: Generator
) -> Tensor:
    """A record's waves have the same frequencies in all leads, and phases and heights of each lead."""
    n_records, n_leads, n_samples = signal.shape
    span = settings.highest - settings.lowest
    frequencies = settings.lowest + span * _uniform(signal, (n_records, settings.waves, 1), generator)
    angles = 2 * math.pi * frequencies * torch.arange(n_samples, device=signal.device) / sampling_rate
    # So much of each wave's sine and so much of its cosine: heights and phases in one matrix product.
    phases = 2 * math.pi * _uniform(signal, (n_records, n_leads, settings.waves), generator)
    heights = _uniform(signal, (n_records, n_leads, settings.waves), generator) / settings.waves
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)
    wander = torch.bmm(torch.cat([heights * phases.cos(), heights * phases.sin()], dim=2), waves)
    level = settings.largest * _deviation(signal)
    return signal + wander * level * _chosen(signal, settings.probability, generator)[:, None, None]


def add_noise(signal: Tensor, settings: Noise, generator: Generator) -> Tensor:
    """Independent normal numbers in each sample, of one level in a record."""
    drawn = _uniform(signal, (len(signal), 1, 1), generator)
    level = (settings.smallest + (settings.largest - settings.smallest) * drawn) * _deviation(signal)
    level = level * _chosen(signal, settings.probability, generator)[:, None, None]
    noise = torch.randn(signal.shape, generator=generator, device=signal.device, dtype=signal.dtype)
    return torch.addcmul(signal, noise, level.expand_as(signal))


def mask_time(signal: Tensor, settings: TimeMasking, sampling_rate: float, generator: Generator) -> Tensor:
    """Each span lies wholly within the record, at any place alike."""
    n_samples = signal.shape[2]
    longest = min(settings.seconds * sampling_rate, n_samples)
    shape = (len(signal), settings.spans, 1)
    lengths = _uniform(signal, shape, generator) * longest
    starts = _uniform(signal, shape, generator) * (n_samples - lengths)
    time = torch.arange(n_samples, device=signal.device)
    covered = ((time >= starts) & (time < starts + lengths)).any(dim=1, keepdim=True)
    chosen = _chosen(signal, settings.probability, generator)[:, None, None]
    return signal.masked_fill(covered & chosen, 0.0)


def mask_leads(signal: Tensor, settings: LeadMasking, generator: Generator) -> Tensor:
    """Neighbours in the model's order of leads; any number of them alike, at any place alike."""
    n_leads = signal.shape[1]
    most = min(settings.most, n_leads - 1)
    if not most:
        return signal
    n = torch.randint(1, most + 1, (len(signal), 1), generator=generator, device=signal.device)
    first = (_uniform(signal, (len(signal), 1), generator) * (n_leads - n + 1)).floor()
    leads = torch.arange(n_leads, device=signal.device)
    covered = (leads >= first) & (leads < first + n)
    covered = covered & _chosen(signal, settings.probability, generator)[:, None]
    return signal.masked_fill(covered[:, :, None], 0.0)


def drop_leads(signal: Tensor, settings: LeadDropout, generator: Generator) -> Tensor:
    """Where all leads of a record would go, the one that was drawn to stay most stays."""
    draws = _uniform(signal, tuple(signal.shape[:2]), generator)
    dropped = draws < settings.share
    dropped = dropped & (draws < draws.amax(dim=1, keepdim=True))
    dropped = dropped & _chosen(signal, settings.probability, generator)[:, None]
    return signal.masked_fill(dropped[:, :, None], 0.0)


def keep_lead_set(signal: Tensor, settings: LeadSets, leads: Sequence[str], generator: Generator) -> Tensor:
    """Each record keeps the leads of one of the sets, drawn for it."""
    rows = [[lead in one for lead in leads] for one in settings.sets]
    sets = torch.tensor([row for row in rows if any(row)], dtype=torch.bool, device=signal.device)
    if not len(sets):
        return signal
    drawn = torch.randint(len(sets), (len(signal),), generator=generator, device=signal.device)
    dropped = ~sets[drawn] & _chosen(signal, settings.probability, generator)[:, None]
    return signal.masked_fill(dropped[:, :, None], 0.0)


def mix(batch: Batch, settings: Mixup, generator: Generator) -> Batch:
    """Each record with another of the batch: signal, metadata and labels by the same weights.

    A label is known where it is known of both.
    """
    from scipy.special import betaincinv

    signal = batch.inputs[0]
    partner = torch.randperm(len(signal), generator=generator, device=signal.device)
    uniform = _uniform(signal, (len(signal),), generator).double().cpu().numpy()
    drawn = torch.from_numpy(betaincinv(settings.alpha, settings.alpha, uniform)).to(signal)
    own = torch.maximum(drawn, 1 - drawn)
    chosen = _chosen(signal, settings.probability, generator)
    own = torch.where(chosen, own, torch.ones_like(own))

    def mixed(values: Tensor) -> Tensor:
        weight = own.reshape(-1, *[1] * (values.ndim - 1))
        return torch.lerp(values[partner], values, weight)

    known = torch.where(chosen[:, None], batch.known * batch.known[partner], batch.known)
    return Batch(tuple(mixed(one) for one in batch.inputs), mixed(batch.targets), known)


def _uniform(signal: Tensor, shape: tuple[int, ...], generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=signal.device, dtype=signal.dtype)


def _chosen(signal: Tensor, probability: float, generator: Generator) -> Tensor:
    """Which records something is done to, (batch,)."""
    return _uniform(signal, (len(signal),), generator) < probability


def _deviation(signal: Tensor) -> Tensor:
    """Of each record over all leads and samples, (batch, 1, 1)."""
    return signal.flatten(1).std(dim=1, correction=0)[:, None, None]
