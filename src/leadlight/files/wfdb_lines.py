"""The lines of a WFDB header: what each may say, and what is wrong when it says something else.

Knows no file: faults carry the index of the line, and wfdb_header.py adds path and line number.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from leadlight.files.wfdb_channels import FORMATS, MILLIVOLTS, Channel, ChannelTable
from leadlight.leads import FURTHER_LEADS, STANDARD_LEADS, canonical_lead

MOST_LEADS = 64
HIGHEST_RATE = 20_000.0
MOST_SEGMENTS = 4096
LONGEST_LINE = 1024
SMALLEST_GAIN, LARGEST_GAIN = 1e-6, 1e12

DAMAGED = "The header may be damaged: compare it with the data set's SHA256SUMS.txt, or copy it again."

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,200}")
_RECORD = re.compile(r"([^\s/]+)(?:/(\d{1,9}))?", re.ASCII)
_RATE = re.compile(r"(\d{1,15}(?:\.\d*)?|\.\d+)(?:/\S*)?", re.ASCII)
_COUNT = re.compile(r"\d{1,15}", re.ASCII)
_FORMAT = re.compile(r"(\d{1,4})(?:x(\d{1,4}))?(?::(\d{1,6}))?(?:\+(\d{1,15}))?", re.ASCII)
_GAIN = re.compile(
    r"(-?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,3})?)(?:\((-?\d{1,10})\))?(?:/(\S*))?",
    re.ASCII,
)
_INTEGER = re.compile(r"-?\d{1,10}", re.ASCII)


class Fault(Exception):
    """What is wrong with one line; line: its index among the lines that are not comments."""

    def __init__(
        self, line: int | None, field: str, found: str, accepted: str, remedy: str = DAMAGED
    ) -> None:
        super().__init__(field)
        self.line, self.field, self.found, self.accepted, self.remedy = line, field, found, accepted, remedy


@dataclass(frozen=True)
class Segment:
    """A part of a multi-segment record: another record in the same folder; "~" is a gap."""

    name: str
    n_samples: int


class RecordLine(NamedTuple):
    """The first line: record name, number of segments (None in an ordinary record), leads, Hz, length."""

    name: str
    n_segments: int | None
    n_leads: int
    sampling_rate: float
    n_samples: int | None


def parse_record_line(line: str) -> RecordLine:
    """The record line; date and time, which stand behind the length, are not read."""
    words = line.split(None, 4)
    match = _RECORD.fullmatch(words[0])
    if match is None:
        raise Fault(
            0, "record name", shown(words[0]), "letters, digits and underscores, as in 00001_hr or 100/3"
        )
    n_segments = None if match[2] is None else int(match[2])
    if n_segments is not None and not 1 <= n_segments <= MOST_SEGMENTS:
        raise Fault(0, "number of segments", f"{n_segments:,}", f"1 to {MOST_SEGMENTS:,}")
    n_leads = _count(words, 1, "number of leads")
    if not 1 <= n_leads <= MOST_LEADS:
        raise Fault(0, "number of leads", f"{n_leads:,}", f"1 to {MOST_LEADS}")
    rate_match = _RATE.fullmatch(words[2]) if len(words) > 2 else None
    if rate_match is None:
        found = shown(words[2]) if len(words) > 2 else "nothing"
        raise Fault(0, "sampling rate", found, f"a number above 0 and at most {HIGHEST_RATE:,.0f} Hz")
    rate = float(rate_match[1])
    if not 0 < rate <= HIGHEST_RATE:
        raise Fault(0, "sampling rate", f"{rate:,g} Hz", f"above 0 and at most {HIGHEST_RATE:,.0f} Hz")
    n_samples = _count(words, 3, "number of samples") if len(words) > 3 else 0
    # WFDB: a length of 0 or none at all means "as many as the file holds".
    return RecordLine(match[1], n_segments, n_leads, rate, n_samples or None)


def _count(words: list[str], place: int, field: str) -> int:
    if len(words) <= place or not _COUNT.fullmatch(words[place]):
        raise Fault(0, field, shown(words[place]) if len(words) > place else "nothing", "a whole number")
    return int(words[place])


def parse_segment_lines(lines: list[str]) -> tuple[Segment, ...]:
    """Name and length of each segment."""
    segments = []
    for index, line in enumerate(lines, start=1):
        words = line.split()
        if len(words) < 2 or not _COUNT.fullmatch(words[1]):
            raise Fault(
                index, "segment length", shown(words[1]) if len(words) > 1 else "nothing", "a whole number"
            )
        if words[0] != "~":
            check_name(index, "segment name", words[0])
        segments.append(Segment(words[0], int(words[1])))
    return tuple(segments)


class SignalLines(NamedTuple):
    """What the signal lines say, one value a channel."""

    table: ChannelTable
    files: tuple[str, ...]
    initial_values: tuple[int, ...]
    checksums: tuple[int, ...]


def parse_signal_lines(lines: list[str]) -> SignalLines:
    """Channels, data files, initial values and checksums."""
    rows = [line.split(None, 8) for line in lines]
    for index, row in enumerate(rows, start=1):
        if len(row) < 9:
            raise Fault(
                index,
                "lead name",
                f"a line of {len(row)} fields",
                "nine: file, format, gain, resolution, zero, first value, checksum, block size, lead name",
                "Leads are recognised by name only: complete the line.",
            )
    # By column from here on: twelve lines mostly say the same.
    files, storages, gains, resolutions, zeros, initial_values, checksums, blocks, names = zip(
        *rows, strict=True
    )
    for file in dict.fromkeys(files):
        check_name(files.index(file) + 1, "file name", file)
    table = _parse_channels(storages, gains, resolutions, zeros, blocks, names)
    numbers = _integers(("initial value", initial_values), ("checksum", checksums))
    return SignalLines(table, files, numbers[: len(rows)], numbers[len(rows) :])


def parse_layout_lines(lines: list[str]) -> tuple[str, ...]:
    """Canonical lead names of a layout header, which describes the whole record and holds no samples."""
    leads: list[str] = []
    for index, line in enumerate(lines, start=1):
        row = line.split(None, 8)
        if len(row) < 9 or row[0] != "~":
            raise Fault(index, "layout line", "something else", "~ 0 GAIN RESOLUTION ZERO 0 0 0 NAME")
        leads.append(_lead(index, row[8], leads))
    return tuple(leads)


def _integers(*columns: tuple[str, tuple[str, ...]]) -> tuple[int, ...]:
    words = [word for _, column in columns for word in column]
    # int() alone would take "1_0", "+1" and digits of other scripts.
    if "".join(words).strip("-0123456789") == "":
        with suppress(ValueError):
            return tuple(map(int, words))
    return tuple([_integer(i, field, word) for field, column in columns for i, word in enumerate(column, 1)])


@lru_cache(maxsize=64)
def _parse_channels(*columns: tuple[str, ...]) -> ChannelTable:
    # A data set's records differ in file names, initial values and checksums, hardly ever in these fields.
    channels: list[Channel] = []
    for index, row in enumerate(zip(*columns, strict=True), start=1):
        storage, gain, resolution, zero, block_size, name = row
        lead = _lead(index, name, [channel.lead for channel in channels])
        _integer(index, "resolution", resolution)
        _integer(index, "block size", block_size)
        channels.append(_channel(index, storage, gain, _integer(index, "zero", zero), lead))
    return ChannelTable(tuple(channels))


def _channel(index: int, storage: str, gain: str, zero: int, lead: str) -> Channel:
    storage_match = _FORMAT.fullmatch(storage)
    known = ", ".join(map(str, FORMATS))
    if storage_match is None or int(storage_match[1]) not in FORMATS:
        remedy = "Convert the record to format 16 (WFDB: xform -o 16)."
        raise Fault(index, "format", shown(storage), f"one of {known}", remedy)
    samples_per_frame = int(storage_match[2] or 1)
    if samples_per_frame < 1:
        raise Fault(index, "samples per frame", "0", "1 or more")
    gain_match = _GAIN.fullmatch(gain)
    if gain_match is None:
        raise Fault(index, "gain", shown(gain), "counts per unit, as in 1000/mV or 1000(0)/mV")
    counts = float(gain_match[1])
    if counts == 0:
        raise Fault(
            index,
            "gain",
            "0, which WFDB uses for a signal that was never calibrated",
            "counts per unit, as in 1000/mV",
            "If you know the calibration, write it into the header.",
        )
    if not SMALLEST_GAIN <= abs(counts) <= LARGEST_GAIN:
        raise Fault(index, "gain", f"{counts:g}", f"{SMALLEST_GAIN:g} to {LARGEST_GAIN:g} counts per unit")
    unit = gain_match[3] or ""
    if unit and unit.lower() not in MILLIVOLTS:
        raise Fault(index, "unit", shown(unit), "mV, uV, µV or V", "Only voltages can be read as ECG leads.")
    return Channel(
        storage=int(storage_match[1]),
        samples_per_frame=samples_per_frame,
        skew=int(storage_match[3] or 0),
        byte_offset=int(storage_match[4] or 0),
        gain=counts,
        baseline=zero if gain_match[2] is None else int(gain_match[2]),
        unit=unit,
        lead=lead,
    )


def _lead(index: int, name: str, earlier: list[str]) -> str:
    lead = canonical_lead(name)
    if lead is None:
        accepted = f"{', '.join(STANDARD_LEADS)}, also {', '.join(FURTHER_LEADS)}"
        raise Fault(
            index, "lead name", shown(name), accepted, "Write the lead's name at the end of the line."
        )
    if lead in earlier:
        raise Fault(index, "lead name", f"{lead} a second time", "each lead once")
    return lead


def _integer(index: int, field: str, word: str) -> int:
    if not _INTEGER.fullmatch(word):
        raise Fault(index, field, shown(word), "a whole number")
    return int(word)


def check_name(index: int, field: str, name: str) -> None:
    """Refuse any name that could lead out of the record's folder: paths, "..", URLs, devices."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise Fault(
            index,
            field,
            "a path, a URL or odd characters" if re.search(r"[/\\:]|\.\.", name) else "odd characters",
            "a plain name (letters, digits, _, - and .) in the record's own folder",
            "Put the file beside its header and write its name alone.",
        )


def shown(word: str) -> str:
    """A word of a header for an error: quoted if it is short and plain, else only measured.

    Damaged headers may hold anything in any place, so that no more is shown than helps.
    """
    if len(word) <= 20 and word.isascii() and word.isprintable():
        return repr(word)
    return f"{len(word):,} characters"
