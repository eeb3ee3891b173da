"""WFDB headers (.hea): read, parsed strictly, and checked before anything is allocated on their word.

What WFDB allows and this reader refuses, because guessing would be the
alternative: a missing sampling rate (WFDB: 250 Hz), a gain of 0 or none (WFDB:
200, uncalibrated), a lead without a name. Format:
https://physionet.org/physiotools/wag/header-5.htm
"""

# Paths are strings here: making a Path takes as long as parsing a header.

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field

from leadlight.errors import FileFormatError
from leadlight.files import wfdb_lines
from leadlight.files.wfdb_channels import Channel, ChannelTable
from leadlight.files.wfdb_lines import Fault, Segment

LARGEST_HEADER = 256 * 1024
"""Bytes. A header of 64 leads with long comments has about 10 kB."""

# Not to wait at a pipe; on Windows, not to change line ends.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Header:
    """What a .hea file says.

    path: of the .hea file; sampling_rate: frames per second (Hz); n_samples: frames,
    None where the header leaves it to the data file; table: its channels; files,
    initial_values, checksums: one a channel, in the file's order; segments: of a
    multi-segment record, which has no channels of its own; comments: as written,
    without "#"; notes: what was odd.
    """

    path: str
    sampling_rate: float
    n_samples: int | None
    table: ChannelTable = field(default_factory=ChannelTable)
    files: tuple[str, ...] = ()
    initial_values: tuple[int, ...] = ()
    checksums: tuple[int, ...] = ()
    segments: tuple[Segment, ...] = ()
    comments: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[Channel, ...]:
        """How each lead is stored, in the file's order."""
        return self.table.channels

    @property
    def leads(self) -> tuple[str, ...]:
        """Canonical names of the leads, in the file's order."""
        return self.table.leads

    def beside(self, name: str) -> str:
        """Path of another file of this record."""
        return os.path.join(os.path.dirname(self.path), name)


def header_from_file(path: str) -> Header:
    """Read and check a header alone, without its data. path: of the .hea file.

    Raises FileFormatError, which names line and field.
    """
    return parse_header(read_header_bytes(path), path)


def read_layout(path: str) -> tuple[str, ...]:
    """Canonical lead names of the layout header of a multi-segment record. Raises FileFormatError."""
    lines, numbers, _, _ = _split(read_header_bytes(path), path)
    try:
        return wfdb_lines.parse_layout_lines(lines[1:])
    except Fault as fault:
        raise _named(path, numbers, fault) from None


def read_header_bytes(path: str) -> bytes:
    """The bytes of a header, if it is a plain file of bearable size."""
    try:
        file = os.open(path, _OPEN)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise FileFormatError(
                    path, "file", "something that is not a plain file", "a WFDB header (.hea)"
                )
            if status.st_size > LARGEST_HEADER:
                limit = f"a WFDB header of at most {LARGEST_HEADER:,} bytes"
                raise FileFormatError(path, "size", f"{status.st_size:,} bytes", limit)
            return os.read(file, LARGEST_HEADER)
        finally:
            os.close(file)
    except (OSError, ValueError) as error:
        raise unreadable(path, error, "a WFDB header (.hea)") from error


def unreadable(path: str, error: OSError | ValueError, expected: str) -> FileFormatError:
    """The error for a file that the system does not open."""
    reason = getattr(error, "strerror", None) or "a name that no file can have"
    return FileFormatError(path, "file", reason.lower(), f"{expected} that can be read")


def parse_header(content: bytes, path: str) -> Header:
    """A header from its bytes. path: of the .hea file, for errors and for finding the data.

    Raises FileFormatError, which names line and field.
    """
    lines, numbers, comments, notes = _split(content, path)
    try:
        record = wfdb_lines.parse_record_line(lines[0])
        announced = record.n_leads if record.n_segments is None else record.n_segments
        if len(lines) - 1 != announced:
            kind = "signal" if record.n_segments is None else "segment"
            announcement = f"{announced:,}, as line {numbers[0]} announces"
            raise Fault(None, f"number of {kind} lines", f"{len(lines) - 1:,}", announcement)
        if record.n_segments is not None:
            segments = wfdb_lines.parse_segment_lines(lines[1:])
            return Header(
                path,
                record.sampling_rate,
                record.n_samples,
                segments=segments,
                comments=comments,
                notes=notes,
            )
        signals = wfdb_lines.parse_signal_lines(lines[1:])
    except Fault as fault:
        raise _named(path, numbers, fault) from None
    stem = os.path.basename(path)[: -len(".hea")]
    if record.name != stem and record.name not in (f"{stem}.mat", f"{stem}.dat"):
        notes += ("the header gives the record another name than its file has",)
    return Header(
        path,
        record.sampling_rate,
        record.n_samples,
        signals.table,
        signals.files,
        signals.initial_values,
        signals.checksums,
        comments=comments,
        notes=notes,
    )


def _named(path: str, numbers: list[int], fault: Fault) -> FileFormatError:
    place = "" if fault.line is None else f"line {numbers[fault.line]}, "
    return FileFormatError(path, place + fault.field, fault.found, fault.accepted, fault.remedy)


def _split(content: bytes, path: str) -> tuple[list[str], list[int], tuple[str, ...], tuple[str, ...]]:
    """Lines that are not comments, their numbers in the file, the comments, and notes."""
    notes: tuple[str, ...] = ()
    if b"\0" in content:
        raise FileFormatError(path, "content", "binary data", "the text of a WFDB header", wfdb_lines.DAMAGED)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        notes = ("the header is not UTF-8; its comments were read as Latin-1",)
    lines: list[str] = []
    numbers: list[int] = []
    comments: list[str] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line:
            continue
        if line[0] == "#":
            comments.append(line[1:].strip())
            continue
        if len(line) > wfdb_lines.LONGEST_LINE:
            limit = f"at most {wfdb_lines.LONGEST_LINE:,} characters"
            raise FileFormatError(
                path, f"line {number}", f"{len(line):,} characters", limit, wfdb_lines.DAMAGED
            )
        if notes and not line.isascii():
            raise FileFormatError(
                path, f"line {number}", "bytes that are not UTF-8", "ASCII or UTF-8 text", wfdb_lines.DAMAGED
            )
        lines.append(line)
        numbers.append(number)
    if not lines:
        raise FileFormatError(path, "content", "no record line", "a WFDB header", wfdb_lines.DAMAGED)
    return lines, numbers, tuple(comments), notes
