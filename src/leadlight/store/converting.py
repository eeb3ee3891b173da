"""From a record's file to the counts that a store keeps: leads, unit, rate, and what was found on the way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import FileFormatError, LeadlightError
from leadlight.files.wfdb import DigitalRecord, physical, read_digital
from leadlight.leads import LIMB_COMBINATIONS, derive_limb_leads
from leadlight.signal.resample import resample
from leadlight.store import layout


class UnusableError(LeadlightError):
    """A record that can be read but not stored; the message is the reason."""


@dataclass(frozen=True)
class StoredRecord:
    """One record in the store's form, and what the index says of it.

    counts: int16 (leads, samples), C order; file_sampling_rate: Hz, of the file
    that was read; missing_samples, clipped_samples: in all leads together, of
    what is stored; flat_leads: leads with one value throughout, or none;
    checksum: SHA-256 of the counts, little-endian.
    """

    counts: NDArray[np.int16]
    file_sampling_rate: float
    resampled: bool
    missing_samples: int
    clipped_samples: int
    flat_leads: tuple[str, ...]
    notes: tuple[str, ...]
    checksum: str


def read_record(path: Path, sampling_rate: float) -> StoredRecord:
    """Read a record and bring it to the store's leads, unit and rate.

    path: without extension; sampling_rate: Hz. Raises FileFormatError for a file
    that cannot be read and UnusableError for one that lacks leads or samples.
    """
    record = read_digital(path)
    header = record.header
    notes = list(header.notes)
    if not all(channel.unit for channel in header.channels):
        notes.append("no unit in the header, millivolts by WFDB's rule")
    plan = _plan(header.leads)
    if plan.surplus:
        notes.append(f"not stored: {', '.join(plan.surplus)}")
    resampled = header.sampling_rate != sampling_rate
    clipped = 0
    if plan.derived or not _is_in_microvolts(record):
        values, derived = _microvolts(record, plan)
        if derived:
            notes.append(f"derived from I and II: {', '.join(derived)}")
        counts, clipped = _rounded(resample(values, header.sampling_rate, sampling_rate))
    elif resampled:
        stored = _in_order(record.samples, plan)
        values = stored.astype(np.float32)
        values[stored == layout.MISSING] = np.nan
        counts, clipped = _rounded(resample(values, header.sampling_rate, sampling_rate))
    else:
        counts = np.ascontiguousarray(_in_order(record.samples, plan), dtype=np.int16)
    if resampled:
        notes.append(f"resampled from {header.sampling_rate:g} to {sampling_rate:g} Hz")
    if clipped:
        limit = layout.LARGEST_COUNT / layout.COUNTS_PER_MILLIVOLT
        notes.append(f"{clipped} samples clipped at {limit:g} mV")
    return _examined(counts, header.sampling_rate, resampled, notes)


@dataclass(frozen=True)
class _Plan:
    order: tuple[int, ...]  # channel of each standard lead that is in the file
    derived: tuple[str, ...]
    surplus: tuple[str, ...]
    is_file_order: bool


@lru_cache(maxsize=64)
def _plan(leads: tuple[str, ...]) -> _Plan:
    """Which channels become which rows. Raises UnusableError for leads that cannot be had."""
    if len(set(leads)) != len(leads):
        raise UnusableError("a lead stands twice in the header")
    absent = tuple(lead for lead in layout.LEADS if lead not in leads)
    underivable = [lead for lead in absent if lead not in LIMB_COMBINATIONS]
    if underivable:
        raise UnusableError(
            f"lacks {', '.join(underivable)}; the twelve standard leads are stored, "
            "and only III, aVR, aVL and aVF can be derived"
        )
    order = tuple(leads.index(lead) for lead in layout.LEADS if lead in leads)
    surplus = tuple(lead for lead in leads if lead not in layout.LEADS)
    return _Plan(order, absent, surplus, order == tuple(range(len(leads))))


def _in_order(samples: NDArray[Any], plan: _Plan) -> NDArray[Any]:
    return samples if plan.is_file_order else samples[list(plan.order)]


def _is_in_microvolts(record: DigitalRecord) -> bool:
    """Whether the file's counts are the store's counts."""
    # Format 16 alone: it marks a missing sample by the same count.
    return all(
        channel.storage == 16
        and channel.baseline == 0
        and channel.gain == layout.COUNTS_PER_MILLIVOLT * channel.millivolts
        for channel in record.header.channels
    )


def _microvolts(record: DigitalRecord, plan: _Plan) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """float32 (leads, samples) in microvolts, NaN where missing, and the leads that were derived."""
    signal = physical(record) * np.float32(layout.COUNTS_PER_MILLIVOLT)
    leads = tuple(record.header.leads[channel] for channel in plan.order)
    values, _, derived = derive_limb_leads(_in_order(signal, plan), leads)
    return values, derived


def _rounded(values: NDArray[np.float32]) -> tuple[NDArray[np.int16], int]:
    """Microvolts to counts, and how many did not fit."""
    rounded = np.rint(values)
    missing = np.isnan(rounded)
    limit = layout.LARGEST_COUNT
    too_large = int(np.count_nonzero(np.abs(rounded) > limit))  # NaN compares false
    if too_large:
        np.clip(rounded, -limit, limit, out=rounded)
    if missing.any():
        rounded[missing] = layout.MISSING
    return rounded.astype(np.int16), too_large


def _examined(
    counts: NDArray[np.int16], file_sampling_rate: float, resampled: bool, notes: list[str]
) -> StoredRecord:
    if counts.shape[1] == 0:
        raise UnusableError("holds no samples")
    lowest, highest = counts.min(axis=1), counts.max(axis=1)
    missing = clipped = 0
    flat = lowest == highest
    if lowest.min() == layout.MISSING:
        gaps = counts == layout.MISSING
        missing = int(np.count_nonzero(gaps))
        if missing == counts.size:
            raise UnusableError("every sample is missing")
        flat = np.where(gaps, layout.LARGEST_COUNT, counts).min(axis=1) >= highest
    if highest.max() == layout.LARGEST_COUNT or lowest.min() <= -layout.LARGEST_COUNT:
        clipped = int(np.count_nonzero(np.abs(counts.astype(np.int32)) == layout.LARGEST_COUNT))
    return StoredRecord(
        counts=counts,
        file_sampling_rate=file_sampling_rate,
        resampled=resampled,
        missing_samples=missing,
        clipped_samples=clipped,
        flat_leads=tuple(lead for lead, is_flat in zip(layout.LEADS, flat, strict=True) if is_flat),
        notes=tuple(notes),
        checksum=record_checksum(counts),
    )


def record_checksum(counts: NDArray[np.int16]) -> str:
    """SHA-256 of a record's counts as they lie in the file (little-endian, C order)."""
    return hashlib.sha256(np.ascontiguousarray(counts, dtype="<i2").data).hexdigest()


def reason_of(error: LeadlightError) -> str:
    """Why a record was set aside: without the path, which the record's entry has."""
    if isinstance(error, FileFormatError):
        name = Path(error.file).name
        return f"{name}, {error.field}: found {error.found}; accepted: {error.accepted}"
    return str(error)
