"""Split files: which record is in which fold, as a table that others can use and check.

A CSV with the columns record_id, patient_id, source, fold, sorted by record_id. Its first
line is a comment, "# leadlight split {...}", with JSON that says how the split was made and
the SHA-256 of records and folds. The same records give the same file, byte for byte.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadlight.datasets.index import DatasetIndex, RecordEntry, SetAside
from leadlight.datasets.splits import Split
from leadlight.errors import DatasetError, FileFormatError
from leadlight.writing import write_whole

COLUMNS = ("record_id", "patient_id", "source", "fold")
MOST_FOLDS = 1000
_MARK = "# leadlight split "
_LONGEST_FILE = 1 << 30
_LONGEST_WORD = 100
"""Characters of a word of the first line that stands in a note."""
_WRITE_AGAIN = "Write it again with leadlight split."


@dataclass(frozen=True)
class SplitFile:
    """What a split file says. folds: record_id -> fold; about: its first line, {} where it has none."""

    file: Path
    folds: dict[str, int]
    about: dict[str, Any]


def write_split(file: Path, index: DatasetIndex, split: Split) -> str:
    """Write the split of an index as a file; returns the SHA-256 of its records and folds."""
    rows = sorted(
        (one.record_id, one.patient_id, one.source, split.folds[one.record_id])
        for one in index.entries
        if one.record_id in split.folds
    )
    body = io.StringIO(newline="")
    table = csv.writer(body, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(rows)
    checksum = _checksum(row[0] + "\0" + str(row[3]) for row in rows)
    counts = Counter(row[3] for row in rows)
    about = {
        "format": 1,
        "dataset": split.dataset,
        "scheme": split.scheme,
        "version": split.version,
        "seed": split.seed,
        "n_folds": split.n_folds,
        "stratified_by": split.stratified_by,
        "left_out": split.left_out,
        "records": len(rows),
        "patients": len({row[1] for row in rows}),
        "records_per_fold": {str(fold): counts[fold] for fold in range(1, split.n_folds + 1)},
        "records_sha256": _checksum(row[0] for row in rows),
        "sha256": checksum,
    }
    text = _MARK + json.dumps(about, ensure_ascii=True, separators=(", ", ": ")) + "\n" + body.getvalue()
    write_whole(file, text.encode())
    return checksum


def read_split(file: Path) -> SplitFile:
    """Read a split file, of Leadlight or any CSV with the columns record_id and fold.

    Raises FileFormatError for a file that is no such table, a record that stands twice, a fold
    that is no whole number from 1 up, a patient in two folds, and rows that were changed
    after Leadlight wrote them.
    """
    if not file.is_file():
        raise FileFormatError(file, "file", "no such file", "a split file", _WRITE_AGAIN)
    if file.stat().st_size > _LONGEST_FILE:
        raise FileFormatError(file, "size", f"{file.stat().st_size:,} bytes", f"at most {_LONGEST_FILE:,}")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FileFormatError(file, "content", "bytes that are not UTF-8", "a CSV in UTF-8") from None
    first, _, rest = text.partition("\n")
    about, skipped = ({}, 0) if not first.startswith("#") else (_about(file, first), 1)
    folds, patients = _rows(file, rest if skipped else text, skipped)
    _refuse_two_folds(file, patients)
    if about:
        _compare(file, about, folds)
    return SplitFile(file, folds, about)


def apply_split(index: DatasetIndex, split: Split) -> DatasetIndex:
    """The index with the folds of a split that was made of it, and a note on how they came about."""
    return replace(
        index,
        entries=_with_folds(index.entries, split.folds),
        set_aside=(*index.set_aside, *split.set_aside),
        notes=(*index.notes, split.note),
    )


def apply_split_file(index: DatasetIndex, split: SplitFile) -> DatasetIndex:
    """The index with the folds of a file in place of its own.

    Records that the file does not name are set aside; names of records that are not here are
    counted in a note, since a part of a data set is used with the file of the whole.
    Raises DatasetError for a file of another data set, one that names no record of this one, and one
    that has a patient, or copies of one recording, in two folds.
    """
    of = split.about.get("dataset", index.dataset)
    if of != index.dataset:
        raise DatasetError(f"{split.file}: found the split of {of}; accepted: one of {index.dataset}.")
    entries = _with_folds(index.entries, split.folds)
    if not entries:
        raise DatasetError(
            f"{split.file}: found none of the {len(index.entries):,} records of {index.root} in it; "
            f"accepted: a split of {index.dataset}."
        )
    _refuse_split_groups(split.file, entries)
    there = {entry.record_id for entry in entries}
    name = split.file.name
    aside = tuple(
        SetAside(entry.record_id, f"not in the split file {name}")
        for entry in index.entries
        if entry.record_id not in there
    )
    notes = [f"folds: read from {name}{_origin(split.about)}"]
    if absent := len(split.folds) - len(there):
        notes.append(f"records of {name} that are not here: {absent:,} of {len(split.folds):,}")
    return replace(index, entries=entries, set_aside=(*index.set_aside, *aside), notes=(*index.notes, *notes))


def _with_folds(entries: Sequence[RecordEntry], folds: dict[str, int]) -> tuple[RecordEntry, ...]:
    return tuple(
        entry if entry.fold == folds[entry.record_id] else replace(entry, fold=folds[entry.record_id])
        for entry in entries
        if entry.record_id in folds
    )


def _origin(about: dict[str, Any]) -> str:
    if not about:
        return ""
    version, seed, scheme = (str(about.get(key))[:_LONGEST_WORD] for key in ("version", "seed", "scheme"))
    return f" (version {version}, seed {seed}, {scheme})"


def _about(file: Path, line: str) -> dict[str, Any]:
    if not line.startswith(_MARK):
        return {}
    try:
        about = json.loads(line.removeprefix(_MARK))
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict) or about.get("format") != 1:
        raise FileFormatError(
            file, "line 1", "a description that cannot be read", "JSON of format 1", _WRITE_AGAIN
        )
    return about


def _rows(file: Path, text: str, skipped: int) -> tuple[dict[str, int], dict[str, set[int]]]:
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    folds: dict[str, int] = {}
    patients: dict[str, set[int]] = {}
    try:
        header = [name.strip() for name in next(table, [])]
        if any(header.count(name) != 1 for name in ("record_id", "fold")):
            found = f"{len(header)} columns without record_id or fold"
            raise FileFormatError(
                file, f"line {1 + skipped}, columns", found, f"{', '.join(COLUMNS)}, of which record_id and "
                "fold are needed", _WRITE_AGAIN,
            )  # fmt: skip
        at_record, at_fold = header.index("record_id"), header.index("fold")
        at_patient = header.index("patient_id") if "patient_id" in header else None
        for fields in table:
            if not fields:
                continue
            line = f"line {table.line_num + skipped}"
            if len(fields) != len(header):
                raise FileFormatError(file, line, f"{len(fields)} fields", f"{len(header)}, as the columns")
            record, fold = fields[at_record], fields[at_fold]
            if not (fold.isascii() and fold.isdecimal() and len(fold) < 5 and 1 <= int(fold) <= MOST_FOLDS):
                accepted = f"a whole number from 1 to {MOST_FOLDS}"
                raise FileFormatError(file, f"{line}, fold", "something else", accepted)
            if not record:
                raise FileFormatError(file, f"{line}, record_id", "nothing", "the name of a record")
            if record in folds:
                raise FileFormatError(file, f"{line}, record_id", "a record that stands before", "each once")
            folds[record] = int(fold)
            if at_patient is not None and fields[at_patient]:
                patients.setdefault(fields[at_patient], set()).add(int(fold))
    except csv.Error as error:
        line = f"line {table.line_num + skipped}"
        raise FileFormatError(file, line, str(error), "a comma-separated table") from None
    if not folds:
        raise FileFormatError(file, "content", "no record", "one row for each record", _WRITE_AGAIN)
    return folds, patients


def _refuse_two_folds(file: Path, patients: dict[str, set[int]]) -> None:
    split = sum(len(folds) > 1 for folds in patients.values())
    if split:
        raise FileFormatError(
            file, "patient_id", f"{split:,} patients in more than one fold", "all records of a patient in one"
        )


def _refuse_split_groups(file: Path, entries: Sequence[RecordEntry]) -> None:
    """Refuse a patient or copies of a recording in two folds, as the data set itself has them."""
    fold_of: dict[tuple[str, str], int | None] = {}
    for entry in entries:
        for kind, mark in (("patient", entry.patient_id), ("recording", entry.same_as)):
            if mark and fold_of.setdefault((kind, mark), entry.fold) != entry.fold:
                raise DatasetError(
                    f"{file}, record {entry.record_id}: found in another fold than a record of the same "
                    f"{kind}; accepted: all records of a {kind} in one fold, as leadlight split has them."
                )


def _compare(file: Path, about: dict[str, Any], folds: dict[str, int]) -> None:
    rows = sorted(f"{record}\0{fold}" for record, fold in folds.items())
    if about.get("sha256") != _checksum(rows):
        raise FileFormatError(
            file, "rows", "other records or folds than were written (their SHA-256 differs)",
            "the file as it was written",
            "Copy it again; to use folds of your own, take its first line away.",
        )  # fmt: skip


def _checksum(lines: Any) -> str:
    """SHA-256 of lines, each ended by a line feed."""
    sha = hashlib.sha256()
    for line in lines:
        sha.update(line.encode() + b"\n")
    return sha.hexdigest()
