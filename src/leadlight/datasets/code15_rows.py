"""Rows of CODE-15%'s exams.csv: what stands in them, and what is wrong with them.

Columns: zenodo.org/records/4916206.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from leadlight.datasets.index import ColumnKind
from leadlight.errors import FileFormatError
from leadlight.recording import Sex, Statement

SYSTEM = "code-15"
LABELS = ("1dAVb", "RBBB", "LBBB", "SB", "AF", "ST")
NORMAL = "normal_ecg"
REQUIRED = ("exam_id", "age", "is_male", "patient_id", "trace_file", *LABELS)
COLUMNS: dict[str, ColumnKind] = {"nn_predicted_age": "number", "death": "number", "timey": "number"}
"""Columns that are kept as they are: a network's guess at the age; follow-up, of first exams alone."""

CHAGAS_SYSTEM, CHAGAS = "challenge-2025", "Chagas"
_CHAGAS_COLUMNS = ("chagas", "chagas_label")

OLDEST = 120.0
_COMPARE = "Compare it with the file of that name on zenodo.org/records/4916206."
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}\.(?:hdf5|h5)")
_WHOLE = re.compile(r"(\d{1,15})(?:\.0{1,6})?", re.ASCII)
_YES, _NO = ("true", "1", "1.0"), ("false", "0", "0.0")


class RowError(ValueError):
    """Why a row cannot be used. Says nothing of the patient."""


class Exam(NamedTuple):
    """A row that can be used. file: name of its part; columns: of ``COLUMNS``."""

    exam_id: int
    patient_id: str
    age: float | None
    sex: Sex | None
    statements: tuple[Statement, ...]
    file: str
    columns: Mapping[str, float | str | None]
    notes: tuple[str, ...]


class ExamReader:
    """Reads rows under one header, which has every required column."""

    def __init__(self, header: Sequence[str]) -> None:
        self._n_columns = len(header)
        self._required = itemgetter(*(header.index(name) for name in REQUIRED))
        self._normal = header.index(NORMAL) if NORMAL in header else None
        self._own = [(name, header.index(name)) for name in COLUMNS if name in header]
        # Exams share a few dozen different sets of labels.
        self._statements: dict[tuple[str, ...], tuple[Statement, ...]] = {}

    def exam_id(self, fields: Sequence[str]) -> int:
        """The exam's number. Raises RowError for a row that has none."""
        if len(fields) != self._n_columns:
            raise RowError(f"has {len(fields)} fields where the header has {self._n_columns}")
        number = whole(self._required(fields)[0])
        if not number:
            raise RowError("exam_id is not a whole number from 1 up")
        return number

    def read(self, fields: Sequence[str]) -> Exam:
        """The content of a row. Raises RowError with the first thing that is wrong."""
        _, age, male, patient, file, *labels = self._required(fields)
        patient_id = whole(patient)
        if patient_id is None:
            raise RowError("patient_id is not a whole number, so that the record cannot be kept in one fold")
        if not _FILE.fullmatch(file.strip()):
            raise RowError("trace_file is not the name of an HDF5 file")
        cells = (*labels, "" if self._normal is None else fields[self._normal])
        if cells not in self._statements:
            self._statements[cells] = _stated(cells)
        notes: list[str] = []
        years = number_of(age)
        if years is None or not 0 <= years <= OLDEST:
            years = None
            if age.strip():
                notes.append(f"age is not a number from 0 to {OLDEST:g}, taken as unknown")
        is_male = truth(male)
        if is_male is None and male.strip():
            notes.append("is_male is neither true nor false, sex taken as unknown")
        sex: Sex | None = None if is_male is None else "male" if is_male else "female"
        columns = {name: _column(name, fields[at], notes) for name, at in self._own}
        return Exam(
            self.exam_id(fields), str(patient_id), years, sex, self._statements[cells], file.strip(),
            columns, tuple(notes),
        )  # fmt: skip


def _stated(cells: Sequence[str]) -> tuple[Statement, ...]:
    """What the six labels and normal_ecg say; a likelihood of 0 where they say that it is absent."""
    statements = []
    for name, cell in zip((*LABELS, NORMAL), cells, strict=True):
        there = truth(cell)
        if there is not None:
            statements.append(Statement(name, SYSTEM, None if there else 0.0))
        elif name != NORMAL:
            raise RowError(f"{name} is neither true nor false")
        elif cell.strip():
            raise RowError(f"{NORMAL} is neither true nor false nor empty")
    return tuple(statements)


def _column(name: str, text: str, notes: list[str]) -> float | None:
    there = truth(text) if name == "death" else None
    value = number_of(text) if there is None else float(there)
    if value is None and text.strip():
        notes.append(f"{name} is not a number, taken as missing")
    return value


def chagas_statement(label: bool) -> Statement:
    """The Challenge 2025's label as a statement."""
    return Statement(CHAGAS, CHAGAS_SYSTEM, None if label else 0.0)


def read_chagas(file: Path) -> tuple[dict[int, bool], int]:
    """The Chagas label of each exam in a table of them, and how many rows could not be used.

    Columns exam_id and chagas, others are passed over. Exams whose rows contradict each
    other are left out. Raises FileFormatError.
    """
    rows = lines(file)
    header = next(rows, [])
    column = next((name for name in _CHAGAS_COLUMNS if name in header), _CHAGAS_COLUMNS[0])
    check_header(file, header, ("exam_id", column))
    at_id, at_label = header.index("exam_id"), header.index(column)
    found: dict[int, bool] = {}
    doubtful: set[int] = set()
    unusable = 0
    for fields in rows:
        exam = whole(fields[at_id]) if len(fields) == len(header) else None
        label = truth(fields[at_label]) if exam else None
        if not exam or label is None:
            unusable += 1
        elif found.setdefault(exam, label) != label:
            doubtful.add(exam)
    for exam in doubtful:
        del found[exam]
    return found, unusable + len(doubtful)


def lines(file: Path) -> Iterator[list[str]]:
    """The rows of a comma-separated table, first the header, without empty ones. Raises FileFormatError."""
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        # A line without an end is cut into pieces, which then have too few fields.
        table = csv.reader(iter(lambda: text.readline(20_000), ""), strict=True)
        try:
            header = next((fields for fields in table if fields), [])
            yield [name.strip() for name in header]
            yield from (fields for fields in table if fields)
        except csv.Error as error:
            raise FileFormatError(
                file, f"line {table.line_num:,}", str(error), "a comma-separated table", _COMPARE
            ) from None


def check_header(file: Path, header: Sequence[str], required: Sequence[str]) -> None:
    """Raise FileFormatError where a required column is missing, or any column stands twice."""
    wrong = [name for name in required if header.count(name) != 1]
    wrong += sorted({name for name in header if header.count(name) > 1} - set(wrong))
    if wrong:
        raise FileFormatError(
            file,
            "line 1, columns",
            f"missing or twice: {', '.join(name[:40] for name in islice(wrong, 12))} "
            f"({len(header)} comma-separated columns)",
            f"{', '.join(required)} once each, and others, in any order",
            _COMPARE,
        )


def whole(text: str) -> int | None:
    """A whole number from 0 up, also when written as "17787.0", or None."""
    match = _WHOLE.fullmatch(text.strip())
    return int(match[1]) if match else None


def truth(text: str) -> bool | None:
    """True, False, or None for what is neither."""
    word = text.strip().lower()
    return True if word in _YES else False if word in _NO else None


def number_of(text: str) -> float | None:
    """A finite number, or None."""
    # Python also takes "1_0" and digits of other scripts: not what a data set writes.
    if "_" in text or not text.isascii():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
