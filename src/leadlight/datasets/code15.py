"""CODE-15%: its index, of the HDF5 parts of version 1.0.0 or of the Challenge 2025's WFDB records.

Ribeiro et al., "CODE-15%: a large scale annotated dataset of 12-lead ECGs", Zenodo 2021,
doi:10.5281/zenodo.4916206. exams.csv says what is known of each exam (``code15_rows.py``),
each part which exams it holds (``code15_parts.py``). The Challenge's form states the Chagas
label in the headers (``code15_wfdb.py``); exams.csv is joined on the exam where it is there.

Set aside, with the reason: rows that cannot be read, exams that stand twice, exams whose part
is missing, cannot be read, or does not hold them. The row of zeros with exam 0 at the end of
each part is no record. There are no official folds.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from leadlight.datasets import code15_rows, code15_wfdb
from leadlight.datasets.code15_parts import Part, find_parts, read_parts
from leadlight.datasets.code15_rows import COLUMNS, REQUIRED, Exam, ExamReader, RowError
from leadlight.datasets.facts import described, facts_of
from leadlight.datasets.index import DatasetDescription, DatasetIndex, RecordEntry, SetAside
from leadlight.errors import DatasetError, FileFormatError
from leadlight.files.code_hdf5 import SAMPLING_RATE

NAME = "code-15"
EXAMS = "exams.csv"
CHAGAS = "code15_chagas_labels.csv"
LAYOUT = f"{EXAMS} and exams_part0.hdf5 ..., or the Challenge 2025's WFDB records with Chagas labels"
AMPLITUDE_NOTE = "amplitudes are as published: about twice those of other collections (docs/datasets.md)"
_NOTHING: dict[str, float | str | None] = {}


def describe() -> DatasetDescription:
    """Title, size, licence, citation and label spaces of CODE-15%."""
    return described(NAME)


def found_in(root: Path) -> bool:
    """Whether a folder holds CODE-15%, in parts or as the Challenge 2025's WFDB records."""
    return _has_exams(root) or code15_wfdb.looks_like(root)


def read_index(
    root: Path, sampling_rate: float, *, drop_duplicates: bool = True, labels: Path | None = None
) -> DatasetIndex:
    """Which records a folder of CODE-15% holds, for use at a sampling rate (Hz).

    drop_duplicates: without effect, no copies are known. labels: a table of Chagas labels
    (exam_id, chagas), code15_chagas_labels.csv in the folder where none is named.
    Raises FileFormatError for tables without the official columns, DatasetError for a
    folder without either form and when not one record is left.
    """
    if not sampling_rate > 0:
        raise DatasetError(f"{NAME}: found a sampling rate of {sampling_rate:g} Hz; accepted: above 0.")
    set_aside: list[SetAside] = []
    notes: list[str] = []
    exams = _read_exams(root / EXAMS, set_aside, notes) if _has_exams(root) else {}
    chagas = _read_chagas(root, labels, notes)
    parts = find_parts(root) if root.is_dir() else {}
    if exams and (parts or not code15_wfdb.looks_like(root)):
        entries = _in_parts(root, exams, parts, chagas, set_aside, notes)
    elif root.is_dir() and next(code15_wfdb.headers_below(root), None):
        entries = _in_records(root, exams, chagas, set_aside, notes)
    else:
        raise DatasetError(f"{root}: found no {EXAMS} and no WFDB records; accepted: a folder with {LAYOUT}.")
    counted = Counter(note for entry in entries.values() for note in entry.notes)
    notes += [f"{note}: {count:,} of {len(entries):,} records" for note, count in counted.items()]
    rates = Counter(entry.file_sampling_rate for entry in entries.values())
    for rate, count in sorted(rates.items()):
        if rate != sampling_rate:
            how = "upsampled" if rate < sampling_rate else "resampled"
            notes.append(f"at {rate:g} Hz, to be {how} to {sampling_rate:g} Hz: {count:,} records")
    notes.append(AMPLITUDE_NOTE)
    if not entries:
        why = f", for example {set_aside[0].record_id}: {set_aside[0].reason}" if set_aside else ""
        raise DatasetError(f"{root}: found no record to use; {len(set_aside):,} set aside{why}.")
    return DatasetIndex(
        NAME,
        "1.0.0" if len(entries) >= facts_of(NAME)["records"] else "part of 1.0.0",
        root,
        float(sampling_rate),
        tuple(entries.values()),
        tuple(set_aside),
        tuple(notes),
        COLUMNS if exams else {},
    )


def _has_exams(root: Path) -> bool:
    file = root / EXAMS
    if not file.is_file():
        return False
    try:
        header = next(code15_rows.lines(file))
    except (FileFormatError, OSError):
        return False
    # One column alone may be missing: then reading says which.
    return len(set(REQUIRED) & set(header)) > len(REQUIRED) // 2


def _read_exams(file: Path, set_aside: list[SetAside], notes: list[str]) -> dict[int, Exam]:
    """Rows that can be used, by exam, in file order."""
    rows = code15_rows.lines(file)
    header = next(rows)
    code15_rows.check_header(file, header, REQUIRED)
    absent = [name for name in (code15_rows.NORMAL, *COLUMNS) if name not in header]
    if absent:
        notes.append(f"{EXAMS} has no column {', '.join(absent)}")
    reader = ExamReader(header)
    exams: dict[int, Exam] = {}
    refused: dict[int, str] = {}
    repeated = 0
    for number, fields in enumerate(rows, start=1):
        try:
            exam_id = reader.exam_id(fields)
        except RowError as why:
            set_aside.append(SetAside(f"row {number}", str(why)))
            continue
        try:
            exam = reader.read(fields)
        except RowError as why:
            refused[exam_id] = str(why)
            continue
        if exam_id not in exams:
            exams[exam_id] = exam
        elif exams[exam_id] == exam:
            repeated += 1
        else:
            refused[exam_id] = f"stands in several rows of {EXAMS} that differ"
    for exam_id, reason in refused.items():
        exams.pop(exam_id, None)
        set_aside.append(SetAside(str(exam_id), reason))
    if repeated:
        notes.append(f"rows of {EXAMS} that repeat another, read once: {repeated:,}")
    return exams


def _read_chagas(root: Path, labels: Path | None, notes: list[str]) -> dict[int, bool]:
    file = root / CHAGAS if labels is None else labels
    if not file.is_file():
        if labels is not None:
            raise DatasetError(f"{labels}: found no such file; accepted: a table with exam_id and chagas.")
        return {}
    chagas, unusable = code15_rows.read_chagas(file)
    notes.append(
        f"Chagas labels from {file.name}: {len(chagas):,} exams"
        + (f"; rows without an exam or a label, or that contradict another: {unusable:,}" if unusable else "")
    )
    return chagas


def _in_parts(
    root: Path,
    exams: dict[int, Exam],
    paths: dict[str, str],
    chagas: dict[int, bool],
    set_aside: list[SetAside],
    notes: list[str],
) -> dict[str, RecordEntry]:
    """Entries of the exams that some part holds, in the order of parts and rows: so they are read fastest."""
    wanted = {exam.file for exam in exams.values()}
    parts = read_parts(root, (path for name, path in paths.items() if name in wanted))
    numbers = {name: at for at, name in enumerate(sorted(wanted, key=_natural))}
    found: list[tuple[int, int, RecordEntry]] = []
    for exam_id, exam in exams.items():
        reason = _not_in(parts.get(exam.file), exam)
        if reason:
            set_aside.append(SetAside(str(exam_id), reason))
            continue
        part = parts[exam.file]
        row = part.rows[exam_id]
        entry = _entry(exam, chagas.get(exam_id), part.path, SAMPLING_RATE, row)
        found.append((numbers[exam.file], row, entry))
    found.sort(key=lambda one: one[:2])
    missing = sorted(wanted - set(parts), key=_natural)
    if missing:
        notes.append(f"parts that are not there: {', '.join(missing[:20])}{' ...' * (len(missing) > 20)}")
    for name, part in parts.items():
        if part.fault:
            notes.append(f"{name} cannot be read: {part.fault}")
    unnumbered = sum(part.unnumbered for part in parts.values())
    if unnumbered:
        notes.append(f"rows of the parts without an exam (0), passed over: {unnumbered:,}")
    unknown = sum(exam not in exams for part in parts.values() for exam in part.rows)
    if unknown:
        notes.append(f"exams of the parts that have no row in {EXAMS} to use, passed over: {unknown:,}")
    notes.append("zero padding at the ends of the tracings is removed when they are read")
    return {entry.record_id: entry for _, _, entry in found}


def _not_in(part: Part | None, exam: Exam) -> str:
    """Why a part does not give an exam, or ""."""
    if part is None:
        return f"missing: {exam.file}"
    if part.fault:
        return f"{exam.file} cannot be read"
    if exam.exam_id in part.doubled:
        return f"stands in several rows of {exam.file}"
    return "" if exam.exam_id in part.rows else f"not in {exam.file}, which {EXAMS} names"


def _in_records(
    root: Path,
    exams: dict[int, Exam],
    chagas: dict[int, bool],
    set_aside: list[SetAside],
    notes: list[str],
) -> dict[str, RecordEntry]:
    """Entries of WFDB records, with what exams.csv says of them where it is there."""
    entries: dict[str, RecordEntry] = {}
    joined = 0
    for name in code15_wfdb.headers_below(root):
        try:
            stated = code15_wfdb.read_stated(root, name)
        except FileFormatError as error:
            reason = f"{error.field}: found {error.found}; accepted: {error.accepted}"
            set_aside.append(SetAside(name.removesuffix(".hea"), reason))
            continue
        own = stated.source == code15_wfdb.SOURCE
        exam = exams.get(stated.exam) if own and stated.exam else None
        joined += exam is not None
        entry = _record_entry(stated, exam, chagas.get(stated.exam or 0) if own else None)
        if entry.record_id in entries:
            reason = f"the same exam as {entries[entry.record_id].path}"
            set_aside.append(SetAside(stated.path, reason))
        elif exam is not None and stated.patient.id not in (None, exam.patient_id):
            set_aside.append(SetAside(entry.record_id, f"header and {EXAMS} name different patients"))
        else:
            entries[entry.record_id] = entry
    notes.append("WFDB records of the Challenge 2025; in CODE-15% the Chagas labels are self-reported")
    if exams:
        notes.append(f"found in {EXAMS} by their exam: {joined:,} of {len(entries):,} records")
    notes.append("zero padding at the ends of the records, where there is any, is removed when they are read")
    return entries


def _record_entry(stated: code15_wfdb.Stated, exam: Exam | None, label: bool | None) -> RecordEntry:
    name = str(stated.exam or stated.path.rpartition("/")[2])
    own = stated.source == code15_wfdb.SOURCE
    label = stated.chagas if stated.chagas is not None else label
    notes = list(stated.notes)
    if exam is not None:
        entry = _entry(exam, label, stated.path, stated.sampling_rate, None)
        return replace(entry, notes=(*entry.notes, *notes))
    patient = stated.patient.id
    if patient is None:
        patient = f"record {name}"
        notes.append("no patient is stated, taken as a patient of its own")
    # Numbers of different collections say nothing of each other.
    prefix = "" if own else f"{stated.source}/"
    return RecordEntry(
        record_id=prefix + name,
        patient_id=prefix + patient,
        path=stated.path,
        file_sampling_rate=stated.sampling_rate,
        age=stated.patient.age,
        sex=stated.patient.sex,
        statements=() if label is None else (code15_rows.chagas_statement(label),),
        source=stated.source,
        notes=tuple(notes),
        zero_padded=True,
    )


def _entry(exam: Exam, label: bool | None, path: str, rate: float, row: int | None) -> RecordEntry:
    statements = exam.statements
    if label is not None:
        statements = (*statements, code15_rows.chagas_statement(label))
    return RecordEntry(
        record_id=str(exam.exam_id),
        patient_id=exam.patient_id,
        path=path,
        file_sampling_rate=rate,
        age=exam.age,
        sex=exam.sex,
        statements=statements,
        source=code15_wfdb.SOURCE,
        notes=exam.notes,
        number=row,
        columns=exam.columns or _NOTHING,
        zero_padded=row is None,
    )


def _natural(name: str) -> tuple[int, str]:
    """exams_part2.hdf5 before exams_part10.hdf5."""
    digits = re.search(r"\d{1,9}", name, re.ASCII)
    return int(digits[0]) if digits else -1, name
