"""PTB-XL: its index, in the official folder layout.

Wagner et al., "PTB-XL, a large publicly available electrocardiography dataset",
Scientific Data 7, 154 (2020), doi:10.1038/s41597-020-0495-6. Versions 1.0.1 to 1.0.3
and parts of them are read: ``ptbxl_rows.py`` reads a row, ``ptbxl_versions.py`` tells
the version and knows which records are the same recording.

Set aside, with the reason: rows that cannot be read, numbers that stand twice with
different content, records without a file that serves the sampling rate, copies of other
records. A patient in two folds makes the whole index refused: nothing tells which row
is wrong, and every use of the folds would leak. Unknown statement codes are kept and
noted; they set no class.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from leadlight.datasets.facts import described
from leadlight.datasets.index import (
    SIMULATED_VERSION,
    DatasetDescription,
    DatasetIndex,
    RecordEntry,
    SetAside,
)
from leadlight.datasets.ptbxl_rows import REQUIRED, Row, RowError, RowReader
from leadlight.datasets.ptbxl_versions import copies, official_numbering, shared_name, tell_version
from leadlight.errors import DatasetError, FileFormatError
from leadlight.labels import statements as known_statements

NAME = "ptb-xl"
DATABASE = "ptbxl_database.csv"
STATEMENTS = "scp_statements.csv"
SIMULATED = "SIMULATED.json"
"""Stands in data sets that `leadlight simulate` wrote in this layout."""
LAYOUT = f"{DATABASE}, {STATEMENTS}, records100/, records500/"
_COMPARE = "Compare it with the file of that name on physionet.org/content/ptb-xl."


def describe() -> DatasetDescription:
    """Title, size, licence, citation and label spaces of PTB-XL."""
    return described(NAME)


def found_in(root: Path) -> bool:
    """Whether a folder holds PTB-XL, or another data set in its layout."""
    return (root / DATABASE).is_file()


def read_index(
    root: Path, sampling_rate: float, *, drop_duplicates: bool = True, labels: Path | None = None
) -> DatasetIndex:
    """Which records a folder in PTB-XL's layout holds, for use at a sampling rate.

    sampling_rate: Hz, up to 500. 100 Hz is read from records100 where the file is there,
    else from records500, to be resampled; other rates from records500. Nothing is
    upsampled. drop_duplicates: set aside the copies of other records that 1.0.1 and
    1.0.2 still have.
    labels: refused, PTB-XL has its own.
    Raises FileFormatError for an index that is no table with the official columns,
    DatasetError for patients in two folds, for a rate that the data set cannot serve
    and when not one record is left.
    """
    if labels is not None:
        raise DatasetError(f"{NAME}: found a table of labels ({labels}); accepted: none, it has its own.")
    if not 0 < sampling_rate <= 500:
        raise DatasetError(
            f"{NAME}: found a sampling rate of {sampling_rate:g} Hz; accepted: above 0 to 500 Hz."
        )
    if not found_in(root):
        raise DatasetError(f"{root}: found no {DATABASE}; accepted: a folder with {LAYOUT}.")
    set_aside: list[SetAside] = []
    notes: list[str] = []
    rows, n_rows = _read_rows(root / DATABASE, set_aside, notes)
    _refuse_split_patients(root / DATABASE, rows)
    simulated = (root / SIMULATED).is_file()
    version, evidence = (
        (SIMULATED_VERSION, (f"{SIMULATED} says so",)) if simulated else tell_version(rows, n_rows)
    )
    notes.append(f"version: {version} ({'; '.join(evidence)})")
    notes += _compare_statements(root / STATEMENTS)
    notes += _unknown_codes(rows)
    source = SIMULATED_VERSION if simulated else NAME
    entries = _find_files(root, rows, sampling_rate, source, set_aside, notes)
    if not simulated and official_numbering(rows):
        entries = {number: replace(one, same_as=shared_name(number)) for number, one in entries.items()}
        _part_from_copies(entries, set_aside, notes, drop=drop_duplicates)
    counted = Counter(note for entry in entries.values() for note in entry.notes)
    notes += [f"{note}: {count:,} of {len(entries):,} records" for note, count in counted.items()]
    if not entries:
        why = f", for example {set_aside[0].record_id}: {set_aside[0].reason}" if set_aside else ""
        raise DatasetError(
            f"{root}: found no record to use at {sampling_rate:g} Hz; {len(set_aside):,} set aside{why}."
        )
    return DatasetIndex(
        NAME, version, root, float(sampling_rate), tuple(entries.values()), tuple(set_aside), tuple(notes),
        columns=dict.fromkeys(next(iter(entries.values())).columns, "text"),
    )  # fmt: skip


def patients_and_folds(database: Path) -> dict[int, tuple[str, int]]:
    """Patient and official fold of each record of PTB-XL, by ecg_id.

    database: ptbxl_database.csv or the folder with it. Raises FileFormatError for what is no such
    table, DatasetError for patients in two folds or records that are not numbered as PTB-XL's.
    """
    file = database / DATABASE if database.is_dir() else database
    if not file.is_file():
        raise DatasetError(f"{file}: found no such file; accepted: PTB-XL's {DATABASE}, or its folder.")
    rows, _ = _read_rows(file, [], [])
    _refuse_split_patients(file, rows)
    if not rows or not official_numbering(rows):
        raise DatasetError(
            f"{file}: found record numbers and folds that are not PTB-XL's; "
            f"accepted: PTB-XL's {DATABASE}. {_COMPARE}"
        )
    return {row.ecg_id: (row.patient_id, row.fold) for row in rows.values()}


def _read_rows(file: Path, set_aside: list[SetAside], notes: list[str]) -> tuple[dict[int, Row], int]:
    """Rows that can be used, by ecg_id in file order, and the number of all rows."""
    rows: dict[int, Row] = {}
    refused: dict[int, str] = {}
    seen: dict[int, int] = {}
    n_rows = repeated = 0
    lines = _lines(file)
    header = [name.strip() for name in next(lines, [])]
    if wrong := [name for name in REQUIRED if header.count(name) != 1]:
        raise FileFormatError(
            file,
            "line 1, columns",
            f"missing or twice: {', '.join(wrong)} ({len(header)} comma-separated columns)",
            f"{', '.join(REQUIRED)} once each, and others, in any order",
            _COMPARE,
        )
    reader = RowReader(header)
    for fields in lines:
        n_rows += 1
        try:
            ecg_id = reader.ecg_id(fields)
        except RowError as why:
            set_aside.append(SetAside(f"row {n_rows}", str(why)))
            continue
        content = hash(tuple(fields))
        if seen.setdefault(ecg_id, content) != content:
            refused[ecg_id] = "stands in several rows that differ"
        elif ecg_id in rows or ecg_id in refused:
            n_rows -= 1
            repeated += 1
        else:
            try:
                rows[ecg_id] = reader.read(ecg_id, fields)
            except RowError as why:
                refused[ecg_id] = str(why)
    for ecg_id, reason in refused.items():
        rows.pop(ecg_id, None)
        set_aside.append(SetAside(str(ecg_id), reason))
    if repeated:
        notes.append(f"rows that repeat another word for word, read once: {repeated:,}")
    return rows, n_rows


def _lines(file: Path) -> Iterator[list[str]]:
    # Only free text has letters beyond ASCII: a wrong one there is no reason to refuse the file.
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        table = csv.reader(lines, strict=True)
        try:
            yield from (fields for fields in table if fields)
        except csv.Error as error:
            raise FileFormatError(
                file, f"line {table.line_num:,}", str(error), "a comma-separated table", _COMPARE
            ) from None


def _refuse_split_patients(file: Path, rows: dict[int, Row]) -> None:
    fold_of: dict[str, int] = {}
    split: set[str] = set()
    for row in rows.values():
        if fold_of.setdefault(row.patient_id, row.fold) != row.fold:
            split.add(row.patient_id)
    if split:
        records = [str(row.ecg_id) for row in rows.values() if row.patient_id in split]
        shown = ", ".join(records[:6]) + (", ..." if len(records) > 6 else "")
        raise DatasetError(
            f"{file}, strat_fold: found patients with records in more than one fold: "
            f"{len(split):,} (ecg_id {shown}); accepted: all records of a patient in one fold, as published. "
            f"{_COMPARE}"
        )


def _find_files(
    root: Path,
    rows: dict[int, Row],
    sampling_rate: float,
    source: str,
    set_aside: list[SetAside],
    notes: list[str],
) -> dict[int, RecordEntry]:
    """Entries of the records that have a file to read, by ecg_id."""
    order = [rate for rate in ((100, 500) if sampling_rate == 100 else (500, 100)) if rate >= sampling_rate]
    folders: dict[str, frozenset[str]] = {}
    entries: dict[int, RecordEntry] = {}
    for row in rows.values():
        missing: list[str] = []
        for rate in order:
            absent = _absent(root, row.files[rate], folders)
            if not absent:
                break
            missing.append(absent)
        else:
            reason = f"missing: {' and '.join(missing)}"
            if 100 not in order and not _absent(root, row.files[100], folders):
                reason += "; its 100 Hz file is there, but nothing is upsampled"
            set_aside.append(SetAside(str(row.ecg_id), reason))
            continue
        entries[row.ecg_id] = RecordEntry(
            record_id=str(row.ecg_id),
            patient_id=row.patient_id,
            path=row.files[rate],
            file_sampling_rate=float(rate),
            fold=row.fold,
            age=row.age,
            sex=row.sex,
            statements=row.statements,
            source=source,
            quality=row.quality,
            columns=row.recorder,
            notes=row.notes,
        )
    rates = Counter(entry.file_sampling_rate for entry in entries.values())
    for found, count in sorted(rates.items()):
        resampled = "" if found == sampling_rate else f", to be resampled to {sampling_rate:g} Hz"
        notes.append(f"read from {found:g} Hz files{resampled}: {count:,} of {len(entries):,} records")
    return entries


def _absent(root: Path, path: str, folders: dict[str, frozenset[str]]) -> str:
    """Which of a record's two files are missing, in words; "" where both are there."""
    folder, _, name = path.rpartition("/")
    if folder not in folders:
        # One look at the folder in place of two at each record.
        try:
            with os.scandir(root / folder) as found:
                folders[folder] = frozenset(item.name for item in found)
        except (FileNotFoundError, NotADirectoryError):
            folders[folder] = frozenset()
    there = folders[folder]
    if name + ".hea" not in there:
        return f"{path}.hea" if name + ".dat" in there else f"{path} (.hea and .dat)"
    return "" if name + ".dat" in there else f"{path}.dat"


def _part_from_copies(
    entries: dict[int, RecordEntry], set_aside: list[SetAside], notes: list[str], *, drop: bool
) -> None:
    copy_of = copies(entries)
    if not copy_of:
        return
    across = sum(entries[record].fold != entries[kept].fold for record, kept in copy_of.items())
    done = "set aside" if drop else "kept as asked for"
    notes.append(
        f"copies of other records, as PTB-XL 1.0.3 found: {len(copy_of)}, of which {across} in another fold "
        f"than the record that stands for them; {done}"
    )
    if drop:
        for record, kept in copy_of.items():
            del entries[record]
            set_aside.append(SetAside(str(record), f"the same recording as {kept}, as PTB-XL 1.0.3 found"))


def _unknown_codes(rows: dict[int, Row]) -> list[str]:
    known = known_statements("scp-ecg")
    counted = Counter(
        statement.code for row in rows.values() for statement in row.statements if statement.code not in known
    )
    if not counted:
        return []
    shown = ", ".join(f"{code!r} ({count:,} records)" for code, count in counted.most_common(10))
    more = f" and {len(counted) - 10} more" if len(counted) > 10 else ""
    return [f"statement codes that PTB-XL does not define, kept but in no class: {shown}{more}"]


def _compare_statements(file: Path) -> list[str]:
    """How the folder's own table of statements differs from Leadlight's, which decides the classes."""
    if not file.is_file():
        return [f"{STATEMENTS} is missing: Leadlight's own table of statements serves"]
    lines = _lines(file)
    try:
        header = [name.strip() for name in next(lines, [])]
        theirs = {fields[0]: _meaning(dict(zip(header, fields, strict=False))) for fields in lines}
    except FileFormatError:
        return [f"{STATEMENTS} cannot be read: Leadlight's own table of statements serves"]
    ours = {
        code: (set(meaning.kinds), meaning.superclass, meaning.subclass)
        for code, meaning in known_statements("scp-ecg").items()
    }
    differing = [code for code in ours | theirs if ours.get(code) != theirs.get(code)]
    if not differing:
        return []
    shown = ", ".join(repr(code[:20]) for code in differing[:10]) + (", ..." if len(differing) > 10 else "")
    return [
        f"{STATEMENTS} differs from the published one for {shown}: Leadlight's own table of statements serves"
    ]


def _meaning(row: dict[str, str]) -> tuple[set[str], str | None, str | None]:
    kinds = {kind for kind in ("diagnostic", "form", "rhythm") if row.get(kind, "").strip() in ("1", "1.0")}
    return kinds, row.get("diagnostic_class") or None, row.get("diagnostic_subclass") or None
