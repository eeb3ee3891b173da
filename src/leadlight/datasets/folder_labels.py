"""What the columns of a user's own table of labels say: statements, and which columns are none."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from leadlight import labels
from leadlight.datasets.folder_table import SCIENTIFIC, Table
from leadlight.errors import DatasetError, did_you_mean
from leadlight.labels.own import OWN, own_system
from leadlight.recording import Statement

ROLES: dict[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "file_name"),
    "record_id": ("record_id", "id", "record"),
    "patient": ("patient", "patient_id"),
    "age": ("age",),
    "sex": ("sex", "gender"),
    "fold": ("fold", "strat_fold"),
    "source": ("source",),
    "statements": ("statements", "dx", "labels"),
}
"""Role -> the column names that have it, whatever their case. Every other column may be a label."""

PRESENT = ("1", "1.0", "true", "yes", "y", "present", "positive")
ABSENT = ("0", "0.0", "false", "no", "n", "absent", "negative")
UNKNOWN = ("", "nan", "na", "n/a", "unknown", "?")
ACCEPTED = "1 or yes, 0 or no, empty, a likelihood between 0 and 1, or 35%"
_WITHOUT_TABLE = ("text", "mimic-report", OWN)
_SNOMED = re.compile(r"\d{6,18}", re.ASCII)
_CODE = re.compile(r"[^\s;,:|][^;,|]{0,99}")


class RowError(ValueError):
    """Why a row cannot be used. Says nothing of the patient."""


@dataclass(frozen=True)
class Columns:
    """What each column is. roles: role -> place; labels: place -> (name, system, code); others: names."""

    roles: dict[str, int]
    labels: dict[int, tuple[str, str, str]]
    others: tuple[str, ...]


def read_columns(table: Table) -> Columns:
    """Tell a table's columns apart.

    A column without a role is a label where at least half of its filled cells can be read as
    one; so a column of weights is none, and a slip of the pen in a column of labels is
    found. Raises DatasetError for a role that two columns claim and for a system or finding
    that is not known.
    """
    by_name = {name: role for role, known in ROLES.items() for name in known}
    roles: dict[str, int] = {}
    found: dict[int, tuple[str, str, str]] = {}
    others = []
    for at, name in enumerate(table.header):
        role = by_name.get(name.casefold())
        if role is not None:
            if role in roles:
                raise DatasetError(
                    f"{table.file}: found two columns for {role}: {table.header[roles[role]]} and {name}; "
                    "accepted: one. Rename or remove the other."
                )
            roles[role] = at
            continue
        filled = [cells[at] for _, cells in table.rows if cells[at].casefold() not in UNKNOWN]
        readable = sum(_readable(cell, table.decimal_comma) for cell in filled)
        if filled and 2 * readable >= len(filled):
            found[at] = (name, *_system_and_code(table, name))
        else:
            others.append(name)
    taken: dict[tuple[str, str], str] = {}
    for name, system, code in found.values():
        if taken.setdefault((system, code), name) != name:
            raise DatasetError(
                f"{table.file}: found {code} in two columns, {taken[system, code]} and {name}; accepted: one."
            )
    return Columns(roles, found, tuple(others))


def read_statements(columns: Columns, cells: Sequence[str], decimal_comma: bool) -> tuple[Statement, ...]:
    """What a row states. Raises RowError."""
    found: dict[tuple[str, str], Statement] = {}
    for at, (name, system, code) in columns.labels.items():
        cell = cells[at]
        if cell.casefold() in UNKNOWN:
            continue
        try:
            likelihood = read_likelihood(cell, decimal_comma)
        except ValueError:
            raise RowError(f"{name} is none of: {ACCEPTED}") from None
        found[system, code] = Statement(code, system, likelihood)
    at_list = columns.roles.get("statements")
    for word in re.split(r"[;,|]", "" if at_list is None else cells[at_list]):
        if word.strip().casefold() in UNKNOWN:
            continue
        one = _listed(word.strip())
        before = found.setdefault((one.system, one.code), one)
        if before.likelihood == 0:
            raise RowError(f"{one.code[:40]} is listed and denied in the same row")
    return tuple(found.values())


def own_codes(columns: Columns, stated: Sequence[Statement]) -> tuple[str, ...]:
    """Codes of the space of the user's own labels: the columns in their order, then listed codes.

    A finding by Leadlight's code whichever system states it, where its code means one finding and
    no more; else the label itself where it is the user's own.
    """
    pairs = [(system, code) for _, system, code in columns.labels.values()]
    pairs += sorted({(one.system, one.code) for one in stated} - set(pairs))
    codes: dict[str, None] = {}
    for system, code in pairs:
        if system in (OWN, "leadlight"):
            codes[code] = None
            continue
        known = labels.codes(system).get(code)
        if known is not None and len(known.findings) == 1 and not known.narrower:
            codes[known.findings[0]] = None
    return tuple(codes)


def read_likelihood(cell: str, decimal_comma: bool = False) -> float | None:
    """Percent; None for a plain yes, 0 for a plain no. Raises ValueError for what is no label."""
    word = cell.casefold()
    if word in PRESENT:
        return None
    if word in ABSENT:
        return 0.0
    percent = word.endswith("%")
    number = number_of(word.removesuffix("%").strip(), decimal_comma)
    if number is None or not (0 <= number <= 100 if percent else 0 < number < 1):
        raise ValueError(cell)
    return number if percent else 100 * number


def number_of(cell: str, decimal_comma: bool = False) -> float | None:
    """A finite number, or None."""
    if decimal_comma and "," in cell and "." not in cell:
        cell = cell.replace(",", ".", 1)
    if "_" in cell or not cell.isascii():
        return None
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _readable(cell: str, decimal_comma: bool) -> bool:
    try:
        read_likelihood(cell, decimal_comma)
    except ValueError:
        return False
    return True


def _system_and_code(table: Table, name: str) -> tuple[str, str]:
    prefix, colon, code = (part.strip() for part in name.partition(":"))
    if not colon:
        return own_system(name), name
    known = (*labels.systems(), *_WITHOUT_TABLE)
    if prefix not in known:
        raise DatasetError(
            f"{table.file}, column {name!r}: found the system {prefix!r}; accepted: {', '.join(known)}."
            f"{did_you_mean(prefix, known)} A label of your own has no colon in its name."
        )
    _refuse_unknown(f"{table.file}, column {name!r}", prefix, code)
    return prefix, code


def _listed(word: str) -> Statement:
    prefix, colon, code = (part.strip() for part in word.partition(":"))
    if SCIENTIFIC.fullmatch(word) or SCIENTIFIC.fullmatch(code):
        raise RowError("a code is a number that a spreadsheet rounded, such as 4.27E+08")
    if not _CODE.fullmatch(code if colon else word) or not word.isprintable():
        raise RowError("the list of statements has a code that is none")
    if not colon:
        return Statement(word, "snomed-ct" if _SNOMED.fullmatch(word) else own_system(word))
    if prefix not in (*labels.systems(), *_WITHOUT_TABLE):
        raise RowError(f"a statement's system is none of {', '.join(labels.systems())}, {OWN}")
    if prefix == "leadlight" and code not in labels.findings():
        raise RowError("a statement of the system leadlight is no finding of its vocabulary")
    return Statement(code, prefix)


def _refuse_unknown(place: str, system: str, code: str) -> None:
    # SNOMED CT has far more codes than any table here.
    table = {} if system in (*_WITHOUT_TABLE, "snomed-ct") else labels.codes(system)
    if not code or (table and code not in table):
        raise DatasetError(
            f"{place}: found {code!r}; accepted: a code of {system}.{did_you_mean(code, table)} "
            "`leadlight labels` shows them."
        )
