"""Rows of MIMIC-IV-ECG's tables: what stands in them, and what is wrong with them.

Columns: documentation of the ECG module, mimic.mit.edu; for the tables' oddities see
``docs/datasets.md``.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from io import TextIOWrapper
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from leadlight.datasets.mimic_iv_ecg_measurements import MEASURED, Cleaner
from leadlight.errors import FileFormatError
from leadlight.recording import Statement

SYSTEM = "mimic-report"
"""System of the statements: code = one report cell, word for word, without spaces around it."""
REPORTS = tuple(f"report_{number}" for number in range(18))
LIST_COLUMNS = ("subject_id", "study_id", "ecg_time", "path")
MEASUREMENT_COLUMNS = ("subject_id", "study_id", *REPORTS, "bandwidth", "filtering", *MEASURED)
_OPTIONAL = ("cart_id", "ecg_time")
_COMPARE = "Compare it with the file of that name on physionet.org/content/mimic-iv-ecg."
_ID = re.compile(r"[1-9]\d{7}", re.ASCII)
_INSIDE = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}/){0,8}[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
_LONGEST_LINE = 20_000
_MOST_EMPTY_LINES = 10_000
_LARGEST_RATIO = 10
"""Characters of a packed table to its bytes, above a million; MIMIC-IV's patients.csv.gz has about 4."""
_LONGEST_STATEMENT = 400
_LONGEST_TEXT = 60
_MOST_KNOWN = 200_000


class RowError(ValueError):
    """Why a row cannot be used. Says nothing of the patient."""


class Listed(NamedTuple):
    """A row of record_list.csv. subject: of the patient; time: as the table has it, "" where it is none."""

    subject: str
    time: str


class Measured(NamedTuple):
    """A row of machine_measurements.csv. values: of ``MEASURED`` and ``DERIVED``."""

    subject: str
    time: str
    statements: tuple[Statement, ...]
    values: tuple[float | None, ...]
    bandwidth: str | None
    filtering: str | None
    cart: str | None


def rows(file: Path, required: Sequence[str]) -> Iterator[list[str] | RowError]:
    """The rows of a comma-separated table, first the header; empty lines are passed over.

    Each line is a row of its own: no cell of these tables has a line break, so a quotation
    mark too many spoils its own row, which comes as an error, and no other.
    Raises FileFormatError for what is no such table or lacks a required column, and for a packed
    one that unpacks to far more than tables do.
    """
    header: list[str] = []
    n_empty = n_characters = 0
    is_packed = file.suffix == ".gz"
    most = 1_000_000 + _LARGEST_RATIO * file.stat().st_size if is_packed else None
    with (
        file.open("rb") as stored,
        TextIOWrapper(
            gzip.open(stored) if is_packed else stored,
            encoding="utf-8-sig",
            errors="replace",  # only free text has letters beyond ASCII
            newline="",
        ) as text,
    ):
        try:
            for number, line in enumerate(iter(partial(text.readline, _LONGEST_LINE), ""), start=1):
                if len(line) == _LONGEST_LINE:
                    found = f"more than {_LONGEST_LINE:,} characters"
                    raise FileFormatError(
                        file, f"line {number:,}", found, "a comma-separated table", _COMPARE
                    )
                n_characters += len(line)
                if most is not None and n_characters > most:
                    found = f"more than {_LARGEST_RATIO} characters for each packed byte"
                    raise FileFormatError(file, "compressed data", found, "a table", _COMPARE)
                if not (line := line.rstrip("\r\n")):
                    n_empty += 1
                    if n_empty > _MOST_EMPTY_LINES:
                        found = f"more than {_MOST_EMPTY_LINES:,} empty lines"
                        raise FileFormatError(
                            file, f"line {number:,}", found, "a comma-separated table", _COMPARE
                        )
                    continue
                row = _cells(line)
                if header:
                    yield row
                else:
                    header = [] if isinstance(row, RowError) else [name.strip() for name in row]
                    _check_header(file, header, required)
                    yield header
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            accepted = "a table compressed with gzip"
            raise FileFormatError(file, "compressed data", str(error), accepted, _COMPARE) from None
    if not header:
        _check_header(file, [], required)


def _cells(line: str) -> list[str] | RowError:
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return RowError("has quotation marks that do not belong together")


def _check_header(file: Path, header: Sequence[str], required: Sequence[str]) -> None:
    wrong = [name for name in required if header.count(name) != 1]
    wrong += [name for name in _OPTIONAL if name not in required and header.count(name) > 1]
    if wrong:
        raise FileFormatError(
            file,
            "line 1, columns",
            f"missing or twice: {', '.join(wrong)} ({len(header)} comma-separated columns)",
            f"{', '.join(required)} once each, and others, in any order",
            _COMPARE,
        )


def read_id(column: str, text: str) -> str:
    """A number of eight digits, as MIMIC-IV numbers patients and studies. Raises RowError."""
    text = text.strip()
    if not _ID.fullmatch(text):
        raise RowError(f"{column} is not a whole number of eight digits")
    return text


def read_time(text: str) -> str:
    """A time as the tables write it, such as "2180-07-23 08:44:00", or "" where it is none."""
    text = text.strip()
    try:
        # Python takes more forms: week dates, time zones.
        return text if len(text) in (16, 19) and text[10] == " " and datetime.fromisoformat(text) else ""
    except ValueError:
        return ""


def record_path(subject: str, study: str) -> str:
    """Where a record lies, relative and without extension."""
    return f"files/p{subject[:4]}/p{subject}/s{study}/{study}"


class ListReader:
    """Reads rows of record_list.csv under one header, which has every required column."""

    def __init__(self, header: Sequence[str]) -> None:
        self.n_columns = len(header)
        self._cells = itemgetter(*(header.index(name) for name in LIST_COLUMNS))
        self._subjects: dict[str, str] = {}

    def study(self, fields: Sequence[str]) -> str:
        """The record's number. Raises RowError for a row that has none."""
        if len(fields) != self.n_columns:
            raise RowError(f"has {len(fields)} fields where the header has {self.n_columns}")
        return read_id("study_id", self._cells(fields)[1])

    def read(self, study: str, fields: Sequence[str]) -> Listed:
        """The row of this record. Raises RowError with the first thing that is wrong."""
        subject_text, _, time, path = self._cells(fields)
        subject = read_id("subject_id", subject_text)
        subject = self._subjects.setdefault(subject, subject)
        if path.strip() != record_path(subject, study):
            if not _INSIDE.fullmatch(path.strip()):
                raise RowError("path is not a path inside the data set's folder")
            raise RowError("path is not the one of its own patient and study")
        return Listed(subject, read_time(time))


class MeasurementReader:
    """Reads rows of machine_measurements.csv under one header, which has every required column."""

    def __init__(self, header: Sequence[str]) -> None:
        self.n_columns = len(header)
        at = header.index
        self._ids = itemgetter(at("subject_id"), at("study_id"))
        self._reports = itemgetter(*map(at, REPORTS))
        self._measured = itemgetter(*map(at, MEASURED))
        self._texts = tuple(at(name) for name in ("bandwidth", "filtering"))
        self._cart = at("cart_id") if "cart_id" in header else None
        self._time = at("ecg_time") if "ecg_time" in header else None
        self._subjects: dict[str, str] = {}
        self._statements: dict[str, Statement] = {}
        self._known: dict[str, str] = {}
        self.cleaner = Cleaner()

    def study(self, fields: Sequence[str]) -> str:
        """The number of the record that the row speaks of. Raises RowError for a row that has none."""
        if len(fields) != self.n_columns:
            raise RowError(f"has {len(fields)} fields where the header has {self.n_columns}")
        return read_id("study_id", self._ids(fields)[1])

    def read(self, fields: Sequence[str]) -> Measured:
        """The content of a row. Raises RowError with the first thing that is wrong."""
        subject = read_id("subject_id", self._ids(fields)[0])
        statements = tuple([self._statement(cell) for cell in self._reports(fields) if cell])
        return Measured(
            subject=self._subjects.setdefault(subject, subject),
            time="" if self._time is None else read_time(fields[self._time]),
            statements=tuple(one for one in statements if one) if None in statements else statements,  # type: ignore[arg-type]
            values=self.cleaner.clean(self._measured(fields)),
            bandwidth=self._text("bandwidth", fields[self._texts[0]]),
            filtering=self._text("filtering", fields[self._texts[1]]),
            cart=None if self._cart is None else self._text("cart_id", fields[self._cart]),
        )

    def _statement(self, cell: str) -> Statement | None:
        """The statement in a cell; equal ones are one object."""
        try:
            return self._statements[cell]
        except KeyError:
            words = cell.strip()
            if not words:
                return None
            if len(words) > _LONGEST_STATEMENT:
                raise RowError(f"a report is longer than {_LONGEST_STATEMENT} characters") from None
            if words != cell:
                return self._statement(words)
            statement = Statement(words, SYSTEM, None)
            if len(self._statements) < _MOST_KNOWN:
                self._statements[words] = statement
            return statement

    def _text(self, column: str, cell: str) -> str | None:
        try:
            return self._known[cell]
        except KeyError:
            words = cell.strip()
            if not words:
                return None
            if len(words) > _LONGEST_TEXT:
                raise RowError(f"{column} is longer than {_LONGEST_TEXT} characters") from None
            return self._known.setdefault(words, words) if len(self._known) < _MOST_KNOWN else words
