"""One row of ``ptbxl_database.csv``: what stands in it, and what is wrong with it.

Column meanings: Wagner et al. 2020, doi:10.1038/s41597-020-0495-6, table 2.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from leadlight.recording import Sex, Statement

REQUIRED = (
    "ecg_id", "patient_id", "age", "sex", "scp_codes", "strat_fold", "filename_lr", "filename_hr",
)  # fmt: skip
QUALITY = (
    "baseline_drift", "static_noise", "burst_noise", "electrodes_problems", "extra_beats", "pacemaker",
)  # fmt: skip
"""Columns that flag a record by holding any text; the text is free and only freed of commas around it."""

RECORDER = ("device", "site")
"""Columns that say with what and where a record was taken; kept as columns of the index."""

AGE_ABOVE_89 = 300.0
"""From version 1.0.2 on this stands for every age above 89 years."""

AGE_NOTE = "age given as 300, which stands for above 89, read as 90"
_OLDEST = 120.0
# The longest in PTB-XL has about 200 characters.
_LONGEST_CODES = 4_000
_LONGEST_NAME = 60
# No "..", no leading "/", no drive, no backslash, no address: a path that stays inside the data set.
_INSIDE = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}/){0,8}[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
_NUMBERED = re.compile(r"(?:.*/)?0*(\d{1,9})_[^/]*")


class RowError(ValueError):
    """Why a row cannot be used. Says nothing of the patient."""


class Row(NamedTuple):
    """A row that can be used. stated_age: as the file has it; files: Hz -> path without extension."""

    ecg_id: int
    patient_id: str
    stated_age: float | None
    age: float | None
    sex: Sex | None
    fold: int
    statements: tuple[Statement, ...]
    files: dict[int, str]
    quality: dict[str, str]
    recorder: dict[str, str | None]
    notes: tuple[str, ...]


class RowReader:
    """Reads rows under one header, which has every required column."""

    def __init__(self, header: Sequence[str]) -> None:
        self.n_columns = len(header)
        self._required = itemgetter(*(header.index(name) for name in REQUIRED))
        self._quality = [(name, header.index(name)) for name in QUALITY if name in header]
        self.recorder = [(name, header.index(name)) for name in RECORDER if name in header]
        # Records share a few thousand different dictionaries.
        self._statements: dict[str, tuple[Statement, ...]] = {}

    def ecg_id(self, fields: Sequence[str]) -> int:
        """The record's number. Raises RowError for a row that has none."""
        if len(fields) != self.n_columns:
            raise RowError(f"has {len(fields)} fields where the header has {self.n_columns}")
        number = _whole(self._required(fields)[0])
        if number is None or number < 1:
            raise RowError("ecg_id is not a whole number from 1 up")
        return number

    def read(self, ecg_id: int, fields: Sequence[str]) -> Row:
        """The content of the row with this number. Raises RowError with the first thing that is wrong."""
        _, patient, age_text, sex_text, codes, fold_text, low, high = self._required(fields)
        patient_number = _whole(patient)
        if patient_number is None:
            raise RowError("patient_id is not a whole number, so that the record cannot be kept in one fold")
        fold = _whole(fold_text)
        if fold is None or not 1 <= fold <= 10:
            raise RowError("strat_fold is not a whole number from 1 to 10")
        if codes not in self._statements:
            self._statements[codes] = read_statements(codes)
        notes: list[str] = []
        stated_age, age = _age(age_text, notes)
        return Row(
            ecg_id=ecg_id,
            patient_id=str(patient_number),
            stated_age=stated_age,
            age=age,
            sex=_sex(sex_text, notes),
            fold=fold,
            statements=self._statements[codes],
            files={100: _path("filename_lr", low, ecg_id), 500: _path("filename_hr", high, ecg_id)},
            quality={
                name: text.strip(" ,") or text for name, at in self._quality if (text := fields[at].strip())
            },
            recorder={name: _name(fields[at]) for name, at in self.recorder},
            notes=tuple(notes),
        )


def _name(text: str) -> str | None:
    """A device ("CS-12   E") or a site, which the table has as a number with a fraction ("0.0")."""
    return " ".join(text.split())[:_LONGEST_NAME].removesuffix(".0") or None


def read_statements(text: str) -> tuple[Statement, ...]:
    """The statements in a cell of scp_codes: the text of a Python dictionary, code -> likelihood in percent.

    A likelihood of 0 means that none is stated: None. Nothing is evaluated.
    Raises RowError for anything but a dictionary of names to numbers from 0 to 100.
    """
    if len(text) > _LONGEST_CODES:
        raise RowError(f"scp_codes is longer than {_LONGEST_CODES:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd literals, which are refused below
            body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise RowError("scp_codes is not the text of a dictionary") from None
    if not isinstance(body, ast.Dict):
        raise RowError("scp_codes is not the text of a dictionary")
    statements = []
    for key, value in zip(body.keys, body.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str) and 0 < len(key.value) <= 20):
            raise RowError("scp_codes has a key that is not a statement code")
        likelihood = value.value if isinstance(value, ast.Constant) else None
        # type(): True is an int to isinstance.
        if type(likelihood) not in (int, float) or not 0 <= likelihood <= 100:  # type: ignore[operator]
            raise RowError("scp_codes has a likelihood that is not a number from 0 to 100")
        stated = float(likelihood) if likelihood else None  # type: ignore[arg-type]
        statements.append(Statement(key.value, "scp-ecg", stated))
    if len({statement.code for statement in statements}) != len(statements):
        raise RowError("scp_codes names a statement twice")
    return tuple(statements)


def _whole(text: str) -> int | None:
    """A whole number, also when written as a float ("17787.0"), or None."""
    number = _number(text)
    return int(number) if number is not None and number.is_integer() and abs(number) < 1e9 else None


def _number(text: str) -> float | None:
    # Python also takes "1_0" and digits of other scripts: not what a data set writes.
    if "_" in text or not text.isascii():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _age(text: str, notes: list[str]) -> tuple[float | None, float | None]:
    """Age as stated, and in years."""
    stated = _number(text)
    if stated == AGE_ABOVE_89:
        notes.append(AGE_NOTE)
        return stated, 90.0
    if stated is not None and 0 <= stated <= _OLDEST:
        return stated, stated
    if text.strip():
        notes.append(f"age is not a number from 0 to {_OLDEST:g} (nor 300), taken as unknown")
    return None, None


def _sex(text: str, notes: list[str]) -> Sex | None:
    code = _number(text)
    if code == 0:
        return "male"
    if code == 1:
        return "female"
    if text.strip():
        notes.append("sex is neither 0 (male) nor 1 (female), taken as unknown")
    return None


def _path(column: str, text: str, ecg_id: int) -> str:
    if not _INSIDE.fullmatch(text):
        raise RowError(f"{column} is not a path inside the data set's folder")
    number = _NUMBERED.fullmatch(text)
    if number is None or int(number[1]) != ecg_id:
        raise RowError(f"{column} does not carry the number of its own record")
    return text
