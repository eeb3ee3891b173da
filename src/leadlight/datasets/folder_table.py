"""A user's own table of labels, in the encodings and with the separators that spreadsheets write."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from leadlight.errors import FileFormatError

LARGEST = 256 * 1024**2
"""Bytes. A million rows of twenty labels have about 60 MB."""
_MOST_COLUMNS = 5_000
_LONGEST_NAME = 200
_LONGEST_FIRST_LINE = 100_000
"""Characters of the names of columns that tell the separator; csv takes cells of up to 131,072."""
_SAVE = 'Save it from the spreadsheet as "CSV UTF-8".'
_ACCEPTED = "a table of text, separated by commas, semicolons or tabs"

SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")
"""What a spreadsheet makes of a long number: digits are lost for good."""
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|fév|avr|août|déc"
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"{_YEAR}([-/.]){_MONTH}\1{_DAY}(?:[ T]\d.*)?"
    rf"|{_DAY}([-/.]){_MONTH}\2{_YEAR}(?: \d.*)?|{_MONTH}([-/.]){_DAY}\3{_YEAR}(?: \d.*)?"
    rf"|{_DAY}[-. ]+(?:{_MONTHS})\.?(?:[- ](?:{_YEAR}|\d\d))?|(?:{_MONTHS})[- ](?:{_YEAR}|\d\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Table:
    """rows: number of the row, from 1 behind the header, and its cells, as many as the header has, without
    blanks around them; faults: number and what is wrong of the rows that are left out; decimal_comma:
    whether numbers may be written so."""

    file: Path
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    faults: tuple[tuple[int, str], ...]
    decimal_comma: bool
    notes: tuple[str, ...]


def read_table(file: Path) -> Table:
    """Read a table with one line of column names. Raises FileFormatError for what is none."""
    text, notes = _text(file)
    first, _, rest = text.partition("\n")
    given = re.fullmatch(r"sep=(.)\s*", first)  # Excel's own way to name the separator
    if given:
        text = rest
    separator = given[1] if given else _separator(text)
    table = csv.reader(text.splitlines(keepends=True), delimiter=separator, strict=True)
    try:
        lines = [[cell.strip() for cell in cells] for cells in table]
    except csv.Error as error:
        raise FileFormatError(file, f"line {table.line_num:,}", str(error), _ACCEPTED, _SAVE) from None
    lines = [cells for cells in lines if any(cells)]
    header = tuple(lines[0]) if lines else ()
    while header and not header[-1]:
        header = header[:-1]
    doubled = sorted(name for name, count in Counter(header).items() if count > 1)
    if len(header) > _MOST_COLUMNS:
        most = f"at most {_MOST_COLUMNS:,}"
        raise FileFormatError(file, "line 1, column names", f"{len(header):,} columns", most, _SAVE)
    if not header or "" in header or doubled:
        found = f"twice: {', '.join(doubled)[:200]}" if doubled and any(doubled) else f"{len(header)} columns"
        if header and "" in header:
            found = f"a column without a name, number {header.index('') + 1}"
        raise FileFormatError(file, "line 1, column names", found, "a name for each column, each once", _SAVE)
    longest = max(header, key=len)
    if len(longest) > _LONGEST_NAME:
        found = f"a name of {len(longest):,} characters ({longest[:20]}...)"
        raise FileFormatError(file, "line 1, column names", found, f"up to {_LONGEST_NAME}", _SAVE)
    rows, faults = [], []
    for number, cells in enumerate(lines[1:], start=1):
        if len(cells) < len(header) or any(cells[len(header) :]):
            faults.append((number, f"has {len(cells)} cells where the header has {len(header)}"))
        else:
            rows.append((number, tuple(cells[: len(header)])))
    return Table(file, header, tuple(rows), tuple(faults), separator != ",", tuple(notes))


def _text(file: Path) -> tuple[str, list[str]]:
    if not file.is_file():
        raise FileFormatError(file, "file", "no such file", "a table of labels")
    size = file.stat().st_size
    if size > LARGEST:
        raise FileFormatError(file, "size", f"{size:,} bytes", f"at most {LARGEST:,}")
    content = file.read_bytes()
    if content[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise FileFormatError(file, "content", "a spreadsheet's own format", _ACCEPTED, _SAVE)
    notes: list[str] = []
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
        notes.append(f"{file.name} is not UTF-8; read as Windows-1252 (Latin-1)")
    if "\0" in text:
        raise FileFormatError(file, "content", "NUL characters", _ACCEPTED, _SAVE)
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def _separator(text: str) -> str:
    """The separator under which the first line has the most cells."""
    line = next((line for line in text.splitlines() if line.strip()), "")[:_LONGEST_FIRST_LINE]
    return max(",;\t", key=lambda one: len(next(csv.reader([line], delimiter=one), [])))


def spoiled(cell: str) -> str:
    """What a spreadsheet may have made of an identifier, in words, or ""."""
    if SCIENTIFIC.fullmatch(cell):
        return "a number that a spreadsheet rounded, such as 1.2E+05"
    if _DATE.fullmatch(cell):
        return "a date: a spreadsheet makes one of identifiers such as 1-2 or MAR1"
    return ""
