"""A folder of one's own: any readable recordings, with a table of labels or, for prediction, without.

The table (CSV) has one row a record: ``path`` or ``record_id``, ``patient``, ``age``, ``sex``,
``fold``, ``source``, and any columns of labels (``folder_labels.py``); docs/datasets.md has
the rules. What a row states stands in place of what the file's own header states; a row
without labels leaves the header's statements as they are.

Set aside, with the reason: files without a row, rows without a file, rows that differ about one
file, labels that are none, identifiers that a spreadsheet has changed, headers that cannot be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from leadlight.datasets.folder_files import AS_TEXT, Files, Seen, look, reason_of
from leadlight.datasets.folder_labels import (
    Columns,
    RowError,
    number_of,
    own_codes,
    read_columns,
    read_statements,
)
from leadlight.datasets.folder_table import Table, read_table, spoiled
from leadlight.datasets.index import DatasetDescription, DatasetIndex, RecordEntry, SetAside
from leadlight.errors import DatasetError, LeadlightError
from leadlight.files.header_comments import OLDEST
from leadlight.recording import Sex

NAME = "folder"
LAYOUT = "any readable recordings, asked for by this name; see docs/datasets.md"
_SEXES: dict[str, Sex] = {"male": "male", "m": "male", "female": "female", "f": "female"}
_LONGEST = 200
"""Characters of an identifier, a patient or a source."""
_UNKNOWN = ("", "nan", "na", "n/a", "unknown", "?")


def describe() -> DatasetDescription:
    """What can be said of any folder: nothing of its records."""
    return DatasetDescription(
        name=NAME,
        title="your own recordings, with a table of labels or without",
        records=0,
        patients=None,
        licence="your own",
        url="",
        doi="",
        citation="",
        versions=(),
        label_spaces=(),
    )


def found_in(root: Path) -> bool:
    """Never: any folder may be one, so it must be asked for."""
    return False


def read_index(
    root: Path, sampling_rate: float, *, drop_duplicates: bool = True, labels: Path | None = None
) -> DatasetIndex:
    """Which recordings a folder holds, for use at a sampling rate (Hz).

    labels: the table of labels; without one the records have neither statements nor
    folds and serve for prediction alone. drop_duplicates: without effect.
    Raises FileFormatError for a table that cannot be read, DatasetError for one whose
    columns cannot be told apart, patients in two folds, a folder without recordings, and
    when not one record is left.
    """
    if not sampling_rate > 0:
        raise DatasetError(f"{NAME}: found a sampling rate of {sampling_rate:g} Hz; accepted: above 0.")
    if not root.is_dir():
        raise DatasetError(f"{root}: found no such folder; accepted: a folder with recordings.")
    files = Files(root)
    set_aside: list[SetAside] = []
    notes: list[str] = []
    codes: tuple[str, ...] = ()
    if labels is None:
        notes.append("no table of labels: records without statements and folds, for prediction")
        entries = _without_table(files, set_aside)
    else:
        entries, codes = _with_table(files, read_table(labels), set_aside, notes)
        _refuse_split_patients(labels, entries)
    counted = Counter(note for entry in entries for note in entry.notes)
    notes += [f"{note}: {count:,} of {len(entries):,} records" for note, count in counted.items()]
    rates = Counter(entry.file_sampling_rate for entry in entries)
    for rate, count in sorted(rates.items()):
        if rate != sampling_rate:
            how = "upsampled" if rate < sampling_rate else "resampled"
            notes.append(f"at {rate:g} Hz, to be {how} to {sampling_rate:g} Hz: {count:,} records")
    if not entries:
        why = f", for example {set_aside[0].record_id}: {set_aside[0].reason}" if set_aside else ""
        raise DatasetError(f"{root}: found no record to use; {len(set_aside):,} set aside{why}.")
    return DatasetIndex(
        NAME, "own", root, float(sampling_rate), tuple(entries), tuple(set_aside), tuple(notes),
        label_columns=codes,
    )  # fmt: skip


def _without_table(files: Files, set_aside: list[SetAside]) -> list[RecordEntry]:
    entries = []
    for stem in files.paths:
        try:
            seen = look(files, stem)
        except LeadlightError as error:
            set_aside.append(SetAside(stem, reason_of(error)))
            continue
        notes = list(seen.notes)
        if seen.statements:
            notes.append("statements of the file's own header, not read without a table of labels")
        patient, note = _patient("", seen, stem)
        entries.append(
            RecordEntry(
                stem,
                patient,
                seen.path,
                seen.sampling_rate,
                age=seen.patient.age,
                sex=seen.patient.sex,
                source=NAME,
                notes=(*notes, *note),
            )
        )
    return entries


def _with_table(
    files: Files, table: Table, set_aside: list[SetAside], notes: list[str]
) -> tuple[list[RecordEntry], tuple[str, ...]]:
    columns = read_columns(table)
    if not {"path", "record_id"} & set(columns.roles):
        raise DatasetError(
            f"{table.file}: found the columns {', '.join(table.header)[:300]}; accepted: among them path "
            "(of the file, within the folder) or record_id (its name)."
        )
    notes += _about(table, columns)
    set_aside += [SetAside(f"row {number}", reason) for number, reason in table.faults]
    rows = _rows_by_file(files, table, columns, set_aside, notes)
    set_aside += [SetAside(stem, f"no row in {table.file.name}") for stem in files.paths if stem not in rows]
    entries = []
    own = 0
    for stem, row in rows.items():
        if row is None:
            continue
        try:
            entry = _entry(files, stem, row, table, columns)
        except RowError as why:
            set_aside.append(SetAside(stem, str(why)))
            continue
        except LeadlightError as error:
            set_aside.append(SetAside(stem, reason_of(error)))
            continue
        own += bool(entry.statements)
        entries.append(entry)
    entries = _with_own_ids(entries, rows, columns, set_aside)
    stated = [one for entry in entries for one in entry.statements]
    notes.append(f"records of which something is stated: {own:,} of {len(entries):,}")
    return entries, own_codes(columns, stated)


def _about(table: Table, columns: Columns) -> list[str]:
    notes = list(table.notes)
    if columns.labels:
        shown = [f"{name} ({system})" for name, system, _ in columns.labels.values()]
        notes.append(f"label columns: {', '.join(shown)[:2_000]}")
    if columns.others:
        notes.append(f"columns that hold no labels, not read: {', '.join(columns.others)[:500]}")
    return notes


def _rows_by_file(
    files: Files, table: Table, columns: Columns, set_aside: list[SetAside], notes: list[str]
) -> dict[str, tuple[str, ...] | None]:
    """The row of each record; None for a record whose rows differ."""
    at = columns.roles.get("path", columns.roles.get("record_id", 0))
    rows: dict[str, tuple[str, ...] | None] = {}
    repeated = 0
    for number, cells in table.rows:
        try:
            if not cells[at]:
                raise RowError(f"{table.header[at]} is empty")
            stem = files.match(cells[at])
        except RowError as why:
            set_aside.append(SetAside(cells[at][:100] or f"row {number}", f"row {number}: {why}"))
            continue
        before = rows.setdefault(stem, cells)
        if before is None or before == cells:
            repeated += before is not None and before is not cells
        elif [*before[:at], *before[at + 1 :]] == [*cells[:at], *cells[at + 1 :]]:
            repeated += 1
        else:
            rows[stem] = None
            set_aside.append(SetAside(stem, f"several rows of {table.file.name} that differ"))
    if repeated:
        notes.append(f"rows of {table.file.name} that repeat another, read once: {repeated:,}")
    return rows


def _entry(files: Files, stem: str, cells: tuple[str, ...], table: Table, columns: Columns) -> RecordEntry:
    def cell(role: str) -> str:
        text = cells[columns.roles[role]] if role in columns.roles else ""
        return "" if text.casefold() in _UNKNOWN else text

    statements = read_statements(columns, cells, table.decimal_comma)
    patient = cell("patient")
    if patient and spoiled(patient):
        raise RowError(f"the patient looks like {spoiled(patient)}. {AS_TEXT}")
    for role in ("patient", "source", "record_id"):
        if len(cell(role)) > _LONGEST:
            raise RowError(f"the {role} has {len(cell(role)):,} characters; accepted: up to {_LONGEST}")
    fold = None
    if "fold" in columns.roles:
        number = number_of(cell("fold"))
        if number is None or not number.is_integer() or not 1 <= number <= 10:
            raise RowError("fold is not a whole number from 1 to 10, as other rows have")
        fold = int(number)
    seen = look(files, stem)
    notes = list(seen.notes)
    age, sex = seen.patient.age, seen.patient.sex
    if cell("age"):
        age = number_of(cell("age"), table.decimal_comma)
        if age is None or not 0 <= age <= OLDEST:
            age = None
            notes.append(f"age is not a number from 0 to {OLDEST}, taken as unknown")
    if cell("sex"):
        sex = _SEXES.get(cell("sex").casefold())
        if sex is None:
            notes.append("sex is neither male nor female (m, f), taken as unknown")
    if statements and seen.statements:
        notes.append("labelled by the table; the header's own statements are not read")
    identifier, own = _patient(patient, seen, stem)
    return RecordEntry(
        stem, identifier, seen.path, seen.sampling_rate, fold=fold, age=age, sex=sex,
        statements=statements or seen.statements, source=cell("source") or NAME, notes=(*notes, *own),
    )  # fmt: skip


def _patient(stated: str, seen: Seen, stem: str) -> tuple[str, tuple[str, ...]]:
    """The table's patient, else the header's, else one of its own, and a note of it."""
    if stated:
        return stated, ()
    if seen.patient.id:
        return seen.patient.id, ("patient from the file's own header",)
    return f"record {stem}", ("no patient is stated, taken as a patient of its own",)


def _with_own_ids(
    entries: list[RecordEntry],
    rows: dict[str, tuple[str, ...] | None],
    columns: Columns,
    set_aside: list[SetAside],
) -> list[RecordEntry]:
    """Where a table has both a path and an identifier, the identifier names the record."""
    if not {"path", "record_id"} <= set(columns.roles):
        return entries
    at = columns.roles["record_id"]
    named = [(entry, (rows[entry.record_id] or ())[at]) for entry in entries]
    counts = Counter(name for _, name in named)
    kept = []
    for entry, name in named:
        if not name or counts[name] > 1:
            why = "an identifier that other files have, too" if name else "no identifier, as other rows have"
            set_aside.append(SetAside(entry.record_id, why))
        else:
            kept.append(replace(entry, record_id=name))
    return kept


def _refuse_split_patients(file: Path, entries: Iterable[RecordEntry]) -> None:
    fold_of: dict[str, int | None] = {}
    split = {one.patient_id for one in entries if fold_of.setdefault(one.patient_id, one.fold) != one.fold}
    if split:
        records = [one.record_id for one in entries if one.patient_id in split]
        shown = ", ".join(records[:6]) + (", ..." if len(records) > 6 else "")
        raise DatasetError(
            f"{file}, fold: found patients with records in more than one fold: {len(split):,} "
            f"(records {shown}); accepted: all records of a patient in one fold. "
            "Correct the folds, or leave the column out: `leadlight split` makes them."
        )
