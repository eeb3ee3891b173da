"""Multi-segment WFDB records: parts in files of their own, put together in time.

WFDB forbids records of segments inside one another
(https://physionet.org/physiotools/wpg/wpg_39.htm); so does this reader, and with it
any segment that names itself. Leads that a segment lacks, and gaps ("~"), are NaN.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import FileFormatError
from leadlight.files.wfdb_channels import ChannelTable
from leadlight.files.wfdb_data import check_data_file, physical, read_samples
from leadlight.files.wfdb_header import Header, header_from_file, read_layout
from leadlight.files.wfdb_lines import DAMAGED, Segment

LARGEST_GAP = 2**26
"""Missing samples, all leads together, that segments may ask for without bringing them in a file."""


def read_segments(header: Header) -> tuple[NDArray[np.float32], tuple[str, ...], Header]:
    """Millivolts (leads, samples), canonical lead names, and the header with what was noted on the way.

    Raises FileFormatError for segments that do not fit together, before any signal is read.
    """
    layout = header.segments[0].n_samples == 0
    parts = header.segments[1:] if layout else header.segments
    headers = _segment_headers(header, parts)
    if not headers:
        raise FileFormatError(header.path, "segments", "gaps alone", "at least one segment with samples")
    first = next(iter(headers.values()))
    leads = read_layout(header.beside(f"{header.segments[0].name}.hea")) if layout else first.leads
    for part in headers.values():
        if set(part.leads) - set(leads) or (not layout and part.leads != leads):
            raise FileFormatError(
                part.path, "leads", ", ".join(part.leads), f"those of the record: {', '.join(leads)}"
            )
    n_samples = _checked_length(header, parts, headers, len(leads))
    for part in headers.values():
        for file in dict.fromkeys(part.files):
            check_data_file(part, part.beside(file))
    signal = np.full((len(leads), n_samples), np.nan, dtype=np.float32)
    notes = [f"put together from {len(parts):,} segments"]
    start = 0
    for segment in parts:
        if segment.name in headers:
            record = read_samples(headers[segment.name])
            notes += [note for note in record.header.notes if note not in notes]
            rows = [leads.index(lead) for lead in record.header.leads]
            signal[rows, start : start + segment.n_samples] = physical(record)
        start += segment.n_samples
    channels = {channel.lead: channel for part in headers.values() for channel in part.channels}
    table = ChannelTable(tuple(channels.values()))
    return signal, leads, replace(header, table=table, notes=(*header.notes, *notes))


def _segment_headers(header: Header, parts: tuple[Segment, ...]) -> dict[str, Header]:
    """The header of each segment, by name, once each; gaps have none."""
    own_name = Path(header.path).stem
    headers: dict[str, Header] = {}
    for segment in parts:
        if segment.name == "~" or segment.name in headers:
            continue
        if segment.name == own_name:
            raise FileFormatError(header.path, "segment name", "the record itself", "another record", DAMAGED)
        part = header_from_file(header.beside(f"{segment.name}.hea"))
        if part.segments:
            raise FileFormatError(
                part.path, "segments", "segments inside a segment", "a record without segments"
            )
        if part.sampling_rate != header.sampling_rate:
            accepted = f"{header.sampling_rate:g} Hz, the rate of the whole record"
            raise FileFormatError(part.path, "sampling rate", f"{part.sampling_rate:g} Hz", accepted)
        if any(channel.samples_per_frame != 1 for channel in part.channels):
            raise FileFormatError(
                part.path, "samples per frame", "more than 1", "1 in a multi-segment record"
            )
        headers[segment.name] = part
    for segment in parts:
        if segment.name in headers and headers[segment.name].n_samples != segment.n_samples:
            part = headers[segment.name]
            found = f"{part.n_samples:,}" if part.n_samples else "nothing"
            accepted = f"{segment.n_samples:,}, as {Path(header.path).name} states"
            raise FileFormatError(part.path, "number of samples", found, accepted)
    return headers


def _checked_length(
    header: Header, parts: tuple[Segment, ...], headers: dict[str, Header], n_leads: int
) -> int:
    """Samples in each lead of the whole record."""
    total = sum(segment.n_samples for segment in parts)
    if header.n_samples not in (None, total):
        accepted = f"{total:,}, the sum of its segments"
        raise FileFormatError(header.path, "number of samples", f"{header.n_samples:,}", accepted, DAMAGED)
    recorded = sum(s.n_samples * len(headers[s.name].leads) for s in parts if s.name in headers)
    if total * n_leads - recorded > LARGEST_GAP:
        gap = f"{total * n_leads - recorded:,} samples that no file holds"
        raise FileFormatError(header.path, "segment lengths", gap, f"at most {LARGEST_GAP:,}", DAMAGED)
    return total
