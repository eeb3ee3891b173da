"""From a record's file to the counts that a store keeps: leads, unit, rate, and what was found on the way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import FileFormatError, LeadlightError
from leadlight.files import read
from leadlight.files.padding import padding_note, zero_padding
from leadlight.files.wfdb import DigitalRecord, physical, read_header
from leadlight.files.wfdb_data import read_samples
from leadlight.leads import LIMB_COMBINATIONS, derive_limb_leads
from leadlight.recording import Recording
from leadlight.signal.resample import resample
from leadlight.store import layout

_MANY_IN_ONE = (".hdf5", ".h5")
"""Extensions of files that hold many records; an entry's number says which."""


class UnusableError(LeadlightError):
    """A record that can be read but not stored; the message is the reason."""


@dataclass(frozen=True)
class StoredRecord:
    """One record in the store's form, and what the index says of it.

    counts: int16 (leads, samples), C order; file_sampling_rate: Hz, of the file
    that was read; missing_samples, clipped_samples: in all leads together, of
    what is stored; checksum: SHA-256 of the counts, little-endian.
    """

    counts: NDArray[np.int16]
    file_sampling_rate: float
    resampled: bool
    missing_samples: int
    clipped_samples: int
    notes: tuple[str, ...]
    checksum: str


def read_record(
    path: Path, sampling_rate: float, number: int | None = None, *, zero_padded: bool = False
) -> StoredRecord:
    """Read a record and bring it to the store's leads, unit and rate.

    path: as a data set's entry names it: without extension where a header names the file
    (WFDB), else with; sampling_rate: Hz; number: place in a file of many records; zero_padded:
    whether zeros at the ends are padding, to be taken off.
    Raises FileFormatError for a file that cannot be read and UnusableError for one that
    lacks leads or samples.
    """
    extension = path.suffix.lower()
    if extension in _MANY_IN_ONE:
        from leadlight.files.code_hdf5 import read_tracing

        if number is None:
            raise UnusableError(f"no number; a place in {path.name}, which holds many records, is needed")
        return _from_recording(read_tracing(path, number), sampling_rate)
    if number is not None:
        raise UnusableError(f"number {number} of a file that holds one record")
    if zero_padded:
        return _from_recording(_without_padding(read(path)), sampling_rate)
    if extension not in ("", ".hea"):
        return _from_recording(read(path), sampling_rate)
    header = read_header(path)
    if header.segments:  # they may count in different units
        return _from_recording(read(path), sampling_rate)
    return _from_counts(read_samples(header), sampling_rate)


def _without_padding(recording: Recording) -> Recording:
    before, after = zero_padding(recording.signal)
    if before == recording.n_samples:
        raise UnusableError("zeros alone: padding without a record")
    if not (before or after):
        return recording
    return replace(
        recording,
        signal=recording.signal[:, before : recording.n_samples - after],
        notes=(*recording.notes, padding_note(before, after)),
    )


def _from_counts(record: DigitalRecord, sampling_rate: float) -> StoredRecord:
    header = record.header
    notes = list(header.notes)
    if not all(channel.unit for channel in header.channels):
        notes.append("no unit in the header, millivolts by WFDB's rule")
    plan = _plan(header.leads)
    rate = header.sampling_rate
    if _is_in_microvolts(record) and not plan.derived:
        stored = _in_order(record.samples, plan)
        if rate == sampling_rate:
            counts = np.ascontiguousarray(stored, dtype=np.int16)
            return _examined(counts, rate, sampling_rate, 0, [*notes, *plan.notes])
        values = stored.astype(np.float32)
        values[stored == layout.MISSING] = np.nan
    else:
        signal = physical(record) * np.float32(layout.COUNTS_PER_MILLIVOLT)
        values = _with_all_leads(signal, header.leads, plan)
    counts, clipped = _rounded(resample(values, rate, sampling_rate))
    return _examined(counts, rate, sampling_rate, clipped, [*notes, *plan.notes])


def _from_recording(recording: Recording, sampling_rate: float) -> StoredRecord:
    plan = _plan(recording.leads)
    signal = recording.signal * np.float32(layout.COUNTS_PER_MILLIVOLT)
    values = _with_all_leads(signal, recording.leads, plan)
    counts, clipped = _rounded(resample(values, recording.sampling_rate, sampling_rate))
    notes = [*recording.notes, *plan.notes]
    return _examined(counts, recording.sampling_rate, sampling_rate, clipped, notes)


@dataclass(frozen=True)
class _Plan:
    order: tuple[int, ...]  # channel of each standard lead that is in the file
    derived: tuple[str, ...]
    is_file_order: bool
    notes: tuple[str, ...]


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
    notes = [f"not stored: {', '.join(surplus)}"] if surplus else []
    if absent:
        notes.append(f"derived from I and II: {', '.join(absent)}")
    return _Plan(order, absent, order == tuple(range(len(leads))), tuple(notes))


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


def _with_all_leads(signal: NDArray[np.float32], leads: tuple[str, ...], plan: _Plan) -> NDArray[np.float32]:
    """The store's leads in its order; what is missing among the limb leads is derived."""
    values, _, _ = derive_limb_leads(_in_order(signal, plan), tuple(leads[row] for row in plan.order))
    return values


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
    counts: NDArray[np.int16], file_rate: float, sampling_rate: float, clipped_here: int, notes: list[str]
) -> StoredRecord:
    """What the index says of the counts. clipped_here: how many samples did not fit."""
    if file_rate != sampling_rate:
        notes.append(f"resampled from {file_rate:g} to {sampling_rate:g} Hz")
    if clipped_here:
        limit = layout.LARGEST_COUNT / layout.COUNTS_PER_MILLIVOLT
        notes.append(f"{clipped_here} samples clipped at {limit:g} mV")
    if counts.shape[1] == 0:
        raise UnusableError("holds no samples")
    lowest, highest = counts.min(), counts.max()
    missing = clipped = 0
    if lowest == layout.MISSING:
        missing = int(np.count_nonzero(counts == layout.MISSING))
        if missing == counts.size:
            raise UnusableError("every sample is missing")
    if highest == layout.LARGEST_COUNT or lowest <= -layout.LARGEST_COUNT:
        clipped = int(np.count_nonzero(np.abs(counts.astype(np.int32)) == layout.LARGEST_COUNT))
    return StoredRecord(
        counts=counts,
        file_sampling_rate=file_rate,
        resampled=file_rate != sampling_rate,
        missing_samples=missing,
        clipped_samples=clipped,
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
