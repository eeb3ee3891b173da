"""The samples of a WFDB record: format 16 in one file by a fast path of our own, all else through ``wfdb``.

Nothing is allocated before the data file was found to have exactly the size that
its header asks for, and no samples leave without agreeing with their checksums.
"""

# Paths are strings here: making a Path takes as long as parsing a header.

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from io import FileIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import FileFormatError
from leadlight.files.wfdb_header import Header, unreadable

COPY_AGAIN = "Copy the record again from its source."


@dataclass(frozen=True, eq=False)
class DigitalRecord:
    """Counts as stored. samples: int16 or int32 (channels, samples), in the file's order of leads.

    ``header.n_samples`` is always known here, and ``header.sampling_rate`` is that of the samples.
    """

    header: Header
    samples: NDArray[np.int16] | NDArray[np.int32]


def read_samples(header: Header) -> DigitalRecord:
    """The samples that belong to a header without segments.

    Raises FileFormatError for files that are missing, of another size than
    declared, outside the record's folder, or that disagree with a checksum.
    """
    if header.table.plain_16 and len(set(header.files)) == 1:
        return _read_format_16(header)
    from leadlight.files.wfdb_other import read_through_wfdb

    return read_through_wfdb(header)


def _read_format_16(header: Header) -> DigitalRecord:
    file, n_leads = header.files[0], len(header.channels)
    offset = header.channels[0].byte_offset
    path = header.beside(file)
    size = check_data_file(header, path)
    n_samples = header.n_samples
    if n_samples is None:
        header = with_length_from_file(header, file, (size - offset) // (2 * n_leads))
        n_samples = header.n_samples or 0
    expected = offset + 2 * n_leads * n_samples
    if size != expected:
        reckoning = f"{n_leads} leads x {n_samples:,} samples x 2 bytes"
        raise wrong_size(path, size, expected, reckoning, offset)
    # In this order, so that the frames lie on top of the heap and the millivolts can take their place:
    # otherwise the C library hands memory back and fetches it again for every record.
    samples = np.empty((n_leads, n_samples), np.int16)
    frames = np.empty((n_samples, n_leads), "<i2")
    try:
        with open(path, "rb", buffering=0) as data:
            data.seek(offset)
            n_read = _fill(data, frames)
    except (OSError, ValueError) as error:
        raise unreadable(path, error, "a data file") from error
    if n_read != frames.nbytes:
        raise FileFormatError(path, "size", "a file that changed while it was read", f"{expected:,} bytes")
    np.copyto(samples, frames.T)
    return DigitalRecord(verify(header, samples), samples)


def _fill(data: FileIO, frames: NDArray[np.int16]) -> int:
    """Read into an array until it is full or the file ends; bytes read."""
    n_read = data.readinto(frames) or 0  # type: ignore[arg-type]
    if n_read == frames.nbytes:
        return n_read
    # One call reads at most 2 GB.
    rest = memoryview(frames).cast("B")  # type: ignore[arg-type]
    while n_more := data.readinto(rest[n_read:]):
        n_read += n_more
    return n_read


def check_data_file(header: Header, path: str) -> int:
    """Size in bytes of a data file that is there, plain, and inside the record's folder."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            folder = os.path.realpath(os.path.dirname(header.path))
            if os.path.dirname(os.path.realpath(path)) != folder:
                raise FileFormatError(
                    path, "file", "a link that leads out of the record's folder", "a file in that folder",
                    "Copy the file itself beside its header.",
                )  # fmt: skip
            status = os.stat(path)
    except FileNotFoundError:
        raise FileFormatError(
            path, "file", "no such file", f"the data file that {os.path.basename(header.path)} names",
            "Copy it beside its header.",
        ) from None  # fmt: skip
    except (OSError, ValueError) as error:
        raise unreadable(path, error, "a data file") from error
    if not stat.S_ISREG(status.st_mode):
        raise FileFormatError(path, "file", "something that is not a plain file", "a data file")
    return status.st_size


def with_length_from_file(header: Header, file: str, n_samples: int) -> Header:
    """The header with the length that the size of a data file means, and a note that says so."""
    if n_samples < 1:
        raise FileFormatError(
            header.beside(file), "size", "no samples", "at least one of each lead", COPY_AGAIN
        )
    note = "the header gives no length; it was taken from the data file's size"
    return replace(header, n_samples=n_samples, notes=(*header.notes, note))


def wrong_size(path: str, size: int, expected: int, reckoning: str, offset: int) -> FileFormatError:
    """The error for a data file that is cut short or too long."""
    behind = f", behind {offset:,} bytes" if offset else ""
    what = "The file is cut short." if size < expected else "The file is longer than its header says."
    accepted = f"{expected:,} bytes ({reckoning}{behind})"
    return FileFormatError(path, "size", f"{size:,} bytes", accepted, f"{what} {COPY_AGAIN}")


def verify(header: Header, samples: NDArray[Any]) -> Header:
    """Compare each channel (channels, samples) with its checksum; the header, with a note if need be.

    The checksum covers every sample. A first sample other than the header's, under
    a right checksum, is therefore a slip of the writer: noted, not refused.
    Raises FileFormatError, which names the lead.
    """
    # Sums are compared modulo 2^16, so that they may overflow.
    sums = np.add.reduce(samples, axis=1, dtype=samples.dtype).tolist()
    for row, (found, stated) in enumerate(zip(sums, header.checksums, strict=True)):
        # Some writers store the sum as a signed, others as an unsigned 16-bit number.
        if (found - stated) & 0xFFFF:
            raise FileFormatError(
                header.beside(header.files[row]),
                f"lead {header.channels[row].lead}, checksum",
                f"{found & 0xFFFF}",
                f"{stated & 0xFFFF}, as the header states",
                f"The samples are not those that were written. {COPY_AGAIN}",
            )
    # In format 8, that number is where the differences start, and need not be a sample.
    if tuple(samples[:, 0].tolist()) != header.initial_values and header.channels[0].storage != 8:
        leads = [
            c.lead
            for c, a, b in zip(header.channels, samples[:, 0], header.initial_values, strict=True)
            if a != b
        ]
        note = f"the header states another first sample, under a right checksum: {', '.join(leads)}"
        return replace(header, notes=(*header.notes, note))
    return header


def physical(record: DigitalRecord) -> NDArray[np.float32]:
    """Millivolts, float32 (channels, samples), NaN where a sample is missing.

    Equal to what ``wfdb`` computes in float64, rounded to float32.
    """
    return record.header.table.to_millivolts(record.samples)[0]
