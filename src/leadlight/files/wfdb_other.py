"""All but format 16 in one file: read by the ``wfdb`` package, behind our own check of header and files.

``wfdb`` parses the header by itself. It is let near the data only when it
understood the header as we did.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from leadlight.errors import FileFormatError
from leadlight.files import wfdb_data
from leadlight.files.wfdb_data import DigitalRecord
from leadlight.files.wfdb_header import Header
from leadlight.files.wfdb_lines import DAMAGED, HIGHEST_RATE

_BYTES = {8: 1, 16: 2, 24: 3, 32: 4, 61: 2, 80: 1, 160: 2}
_PACKED = {212: (2, 3), 310: (3, 4), 311: (3, 4)}
"""Formats that pack samples: samples in a group, bytes in a group."""


def read_through_wfdb(header: Header) -> DigitalRecord:
    """The samples of a record in any format, in several files, with several samples a frame or with skew.

    Raises FileFormatError.
    """
    per_frame = _samples_per_frame(header)
    header = _check_files(header)
    frames = header.n_samples or 0
    skewed = any(channel.skew for channel in header.channels)
    if any(channel.skew >= frames for channel in header.channels):
        raise FileFormatError(
            header.path, "skew", "more than the whole record", f"less than {frames:,} frames"
        )
    stored = _run_wfdb(header, ignore_skew=True)
    # Checksums are those of the samples as stored.
    header = wfdb_data.verify(header, stored)
    samples = _run_wfdb(header, ignore_skew=False) if skewed else stored
    if per_frame > 1:
        rate = header.sampling_rate * per_frame
        if rate > HIGHEST_RATE:
            limit = f"at most {HIGHEST_RATE:,.0f} Hz"
            raise FileFormatError(
                header.path, "sampling rate", f"{rate:,g} Hz ({per_frame} samples a frame)", limit
            )
        header = replace(header, sampling_rate=rate, n_samples=frames * per_frame)
    return DigitalRecord(header, samples)


def _samples_per_frame(header: Header) -> int:
    counts = {channel.samples_per_frame for channel in header.channels}
    if len(counts) > 1:
        raise FileFormatError(
            header.path,
            "samples per frame",
            f"leads at different rates ({', '.join(map(str, sorted(counts)))} samples a frame)",
            "the same number for every lead",
            "Bring the leads to one rate first (WFDB: xform).",
        )
    return counts.pop()


def _check_files(header: Header) -> Header:
    """The header with its length known, after each data file was found to have the size that it needs."""
    for file in dict.fromkeys(header.files):
        channels = [c for c, name in zip(header.channels, header.files, strict=True) if name == file]
        if len({(c.storage, c.byte_offset) for c in channels}) > 1:
            raise FileFormatError(
                header.path,
                f"format of {file}",
                "several formats or offsets",
                "one format and offset for a file",
            )
        size = wfdb_data.check_data_file(header, header.beside(file))
        storage, offset = channels[0].storage, channels[0].byte_offset
        width = sum(channel.samples_per_frame for channel in channels)
        if header.n_samples is None:
            header = wfdb_data.with_length_from_file(
                header, file, _n_samples(storage, size - offset) // width
            )
        n_samples = (header.n_samples or 0) * width
        sizes = _sizes(storage, n_samples)
        if size - offset not in sizes:
            path = header.beside(file)
            reckoning = f"{n_samples:,} samples in format {storage}"
            raise wfdb_data.wrong_size(path, size, min(sizes) + offset, reckoning, offset)
    return header


def _sizes(storage: int, n_samples: int) -> set[int]:
    """Bytes that so many samples take; packed formats may or may not fill up the last group."""
    if storage in _BYTES:
        return {n_samples * _BYTES[storage]}
    group, n_bytes = _PACKED[storage]
    exact, filled = -(-n_samples * n_bytes // group), -(-n_samples // group) * n_bytes
    return {exact, filled}


def _n_samples(storage: int, size: int) -> int:
    group, n_bytes = _PACKED.get(storage, (1, _BYTES.get(storage, 1)))
    return max(0, size) * group // n_bytes


def _run_wfdb(header: Header, ignore_skew: bool) -> Any:
    """Digital samples (channels, samples) int32, as ``wfdb`` reads them."""
    import wfdb

    per_frame = header.channels[0].samples_per_frame
    record_path = str(Path(header.path).absolute())[: -len(".hea")]
    try:
        understood = wfdb.rdheader(record_path)
        if understood.sig_len == 0:
            accepted = "the number, or nothing, in any format but 16"
            raise FileFormatError(header.path, "number of samples", "0", accepted)
        if not _same(header, understood):
            found = "a header that can be read in two ways"
            raise FileFormatError(header.path, "content", found, "a header as WFDB specifies it", DAMAGED)
        record = wfdb.rdrecord(
            record_path,
            sampto=None if understood.sig_len is None else header.n_samples,
            physical=False,
            smooth_frames=per_frame == 1,
            ignore_skew=ignore_skew,
            return_res=32,
        )
        # Not e_d_signal for both: wfdb 4.3 stumbles over format 61 there.
        stored = record.d_signal.T if per_frame == 1 else np.stack(record.e_d_signal)
        samples = np.ascontiguousarray(stored, dtype=np.int32)
    except FileFormatError:
        raise
    except Exception as error:
        # wfdb has no error class of its own: whatever it stumbles over is this file's fault.
        found = f"something that wfdb cannot read ({type(error).__name__})"
        raise FileFormatError(
            header.path, "content", found, "a record as WFDB specifies it", DAMAGED
        ) from error
    expected = (len(header.channels), (header.n_samples or 0) * per_frame)
    if samples.shape != expected:
        raise FileFormatError(header.path, "number of samples", f"{samples.shape}", f"{expected}")
    return samples


def _same(header: Header, understood: Any) -> bool:
    channels = header.channels
    return (
        getattr(understood, "n_seg", None) is None
        and understood.n_sig == len(channels)
        and abs(understood.fs - header.sampling_rate) <= 1e-6 * header.sampling_rate
        and understood.sig_len in (header.n_samples, None)
        and list(understood.file_name) == list(header.files)
        and [int(value) for value in understood.fmt] == [c.storage for c in channels]
        and [value or 1 for value in understood.samps_per_frame] == [c.samples_per_frame for c in channels]
        and [value or 0 for value in understood.skew] == [c.skew for c in channels]
        and [value or 0 for value in understood.byte_offset] == [c.byte_offset for c in channels]
        and [value or 0 for value in understood.init_value] == list(header.initial_values)
    )
