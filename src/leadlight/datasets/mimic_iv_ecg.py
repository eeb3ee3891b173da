"""MIMIC-IV-ECG: its index, in the folder layout of version 1.0 or a part of it.

Gow et al., "MIMIC-IV-ECG: Diagnostic Electrocardiogram Matched Subset", PhysioNet 2023,
doi:10.13026/4nqg-sb35. record_list.csv says which records there are, machine_measurements.csv
what the cart stated and measured (``mimic_iv_ecg_rows.py``, ``mimic_iv_ecg_measurements.py``);
both speak of a record by its study_id. Age and sex stand in MIMIC-IV alone
(``mimic_iv_ecg_patients.py``).

Set aside, with the reason: rows that cannot be read, studies that stand twice with different
content or that the tables give to different patients, records whose folder is missing. A file
that is missing in its folder is found when the record is read: 800,035 folders are not listed.
A record without a readable report is kept and noted: nothing is stated of it.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from leadlight.datasets.facts import described, facts_of
from leadlight.datasets.index import (
    SIMULATED_VERSION,
    DatasetDescription,
    DatasetIndex,
    RecordEntry,
    SetAside,
)
from leadlight.datasets.mimic_iv_ecg_measurements import COLUMNS, DERIVED, MEASURED, Values
from leadlight.datasets.mimic_iv_ecg_patients import Person, age_at, read_note_links, read_patients
from leadlight.datasets.mimic_iv_ecg_rows import (
    LIST_COLUMNS,
    MEASUREMENT_COLUMNS,
    Listed,
    ListReader,
    Measured,
    MeasurementReader,
    RowError,
    record_path,
    rows,
)
from leadlight.datasets.ptbxl import SIMULATED
from leadlight.errors import DatasetError

NAME = "mimic-iv-ecg"
RECORDS = "record_list.csv"
MEASUREMENTS = "machine_measurements.csv"
NOTES = "waveform_note_links.csv"
LAYOUT = f"{RECORDS}, {MEASUREMENTS}, files/pNNNN/pNNNNNNNN/sNNNNNNNN/NNNNNNNN.hea"
SAMPLING_RATE = 500.0
"""Hz, of every file."""
NO_ROW = f"no row in {MEASUREMENTS}: no report and no measurements"
NO_REPORT = "the cart's report is empty"
_NO_FLAGS: dict[str, str] = {}  # one for all records: MIMIC-IV-ECG raises none
_UNMEASURED: tuple[float | None, ...] = (None,) * (len(MEASURED) + len(DERIVED))


def describe() -> DatasetDescription:
    """Title, size, licence, citation and label spaces of MIMIC-IV-ECG."""
    return described(NAME)


def found_in(root: Path) -> bool:
    """Whether a folder holds MIMIC-IV-ECG, a part of it, or another data set in its layout."""
    return (root / RECORDS).is_file()


def read_index(
    root: Path, sampling_rate: float, *, drop_duplicates: bool = True, labels: Path | None = None
) -> DatasetIndex:
    """Which records a folder in MIMIC-IV-ECG's layout holds, for use at a sampling rate.

    sampling_rate: Hz, up to 500. drop_duplicates: without effect, no copies are known.
    labels: MIMIC-IV's hosp/patients.csv or .csv.gz, for age and sex.
    Raises FileFormatError for tables without the official columns, DatasetError for a rate
    that the data set cannot serve and when not one record is left.
    """
    if not 0 < sampling_rate <= SAMPLING_RATE:
        raise DatasetError(
            f"{NAME}: found a sampling rate of {sampling_rate:g} Hz; "
            f"accepted: above 0 to {SAMPLING_RATE:g} Hz."
        )
    if not found_in(root):
        raise DatasetError(f"{root}: found no {RECORDS}; accepted: a folder with {LAYOUT}.")
    if labels is not None and not labels.is_file():
        raise DatasetError(f"{labels}: found no such file; accepted: patients.csv of MIMIC-IV (hosp).")
    set_aside: list[SetAside] = []
    notes: list[str] = []
    listed, n_rows = _read_list(root / RECORDS, set_aside, notes)
    simulated = (root / SIMULATED).is_file()
    notes.insert(0, _version_note(simulated, n_rows))
    _keep_present(root, listed, set_aside, notes)
    measured = _read_measurements(root / MEASUREMENTS, listed, set_aside, notes)
    links: dict[str, str] = {}
    if (root / NOTES).is_file():
        links = read_note_links(root / NOTES, {study: row.subject for study, row in listed.items()}, notes)
    people: dict[str, Person] = {}
    if labels is None:
        notes.append("age and sex: not known, MIMIC-IV-ECG has none; patients.csv of MIMIC-IV has them")
    else:
        people = read_patients(labels, {row.subject for row in listed.values()}, notes)
    entries = _entries(listed, measured, links, people, SIMULATED_VERSION if simulated else NAME)
    if people:
        known = sum(entry.patient_id in people for entry in entries)
        notes.append(f"age and sex from {labels and labels.name}: {known:,} of {len(entries):,} records")
    counted = Counter(note for entry in entries for note in entry.notes)
    notes += [f"{note}: {count:,} of {len(entries):,} records" for note, count in counted.items()]
    if sampling_rate != SAMPLING_RATE:
        notes.append(f"read from {SAMPLING_RATE:g} Hz files, to be resampled to {sampling_rate:g} Hz")
    if not entries:
        why = f", for example {set_aside[0].record_id}: {set_aside[0].reason}" if set_aside else ""
        raise DatasetError(f"{root}: found no record to use; {len(set_aside):,} set aside{why}.")
    version = _version(simulated, n_rows)
    return DatasetIndex(
        NAME, version, root, float(sampling_rate), entries, tuple(set_aside), tuple(notes), COLUMNS
    )


def _version(simulated: bool, n_rows: int) -> str:
    if simulated:
        return SIMULATED_VERSION
    whole = facts_of(NAME)["records"]
    if n_rows > whole:
        return "own records in the layout of MIMIC-IV-ECG"
    return "1.0" if n_rows == whole else "part of 1.0"


def _version_note(simulated: bool, n_rows: int) -> str:
    evidence = f"{SIMULATED} says so" if simulated else f"{n_rows:,} records of {facts_of(NAME)['records']:,}"
    return f"version: {_version(simulated, n_rows)} ({evidence})"


def _read_list(file: Path, set_aside: list[SetAside], notes: list[str]) -> tuple[dict[str, Listed], int]:
    """Rows that can be used, by study_id in file order, and the number of all rows."""
    listed: dict[str, Listed] = {}
    refused: dict[str, str] = {}
    n_rows = repeated = timeless = 0
    table = rows(file, LIST_COLUMNS)
    reader = ListReader(_whole(next(table)))
    for fields in table:
        n_rows += 1
        study = ""
        try:
            study = reader.study(_whole(fields))
            row = reader.read(study, _whole(fields))
        except RowError as why:
            if study:
                refused[study] = str(why)
            else:
                set_aside.append(SetAside(f"row {n_rows}", str(why)))
            continue
        if study in listed or study in refused:
            if listed.get(study) == row:
                n_rows -= 1
                repeated += 1
            else:
                refused[study] = "stands in several rows that differ"
            continue
        listed[study] = row
        timeless += not row.time
    for study, reason in refused.items():
        listed.pop(study, None)
        set_aside.append(SetAside(study, reason))
    if repeated:
        notes.append(f"rows of {RECORDS} that repeat another, read once: {repeated:,}")
    if timeless:
        notes.append(f"ecg_time is no time in {RECORDS}, taken as unknown: {timeless:,} records")
    return listed, n_rows


def _whole(row: list[str] | RowError) -> list[str]:
    if isinstance(row, RowError):
        raise row
    return row


def _keep_present(root: Path, listed: dict[str, Listed], set_aside: list[SetAside], notes: list[str]) -> None:
    """Leave the records whose study has a folder; one look at each folder of a patient."""
    groups = _names(root / "files")
    patients: dict[str, frozenset[str]] = {}
    current, studies = "", frozenset[str]()
    absent: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for study, (subject, _) in listed.items():
        if subject != current:  # the rows of a patient follow each other
            group = f"p{subject[:4]}"
            missing = ""
            if group not in groups:
                missing = f"missing: folder files/{group}"
            else:
                if group not in patients:
                    patients[group] = _names(root / "files" / group)
                if f"p{subject}" not in patients[group]:
                    missing = f"missing: folder files/{group}/p{subject}"
            studies = frozenset() if missing else _names(root / "files" / group / f"p{subject}")
            current = subject
            reason_of_patient = reasons.setdefault(missing, missing)
        if f"s{study}" not in studies:
            absent[study] = reason_of_patient or f"missing: folder {record_path(subject, study)[:-9]}"
    for study, reason in absent.items():
        del listed[study]
        set_aside.append(SetAside(study, reason))
    if absent:
        notes.append(f"records of {RECORDS} that are not in this folder: {len(absent):,}")


def _names(folder: Path) -> frozenset[str]:
    try:
        with os.scandir(folder) as found:
            return frozenset(item.name for item in found)
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def _read_measurements(
    file: Path, listed: dict[str, Listed], set_aside: list[SetAside], notes: list[str]
) -> dict[str, Measured] | None:
    """Rows of the records, by study_id; None without the table.

    Records whose row cannot be used are set aside, and leave ``listed``.
    """
    if not file.is_file():
        notes.append(f"{MEASUREMENTS} is missing: no reports and no measurements")
        return None
    measured: dict[str, Measured] = {}
    refused: dict[str, str] = {}
    n_rows = unlisted = repeated = 0
    table = rows(file, MEASUREMENT_COLUMNS)
    reader = MeasurementReader(_whole(next(table)))
    for fields in table:
        n_rows += 1
        try:
            study = reader.study(_whole(fields))
        except RowError as why:
            set_aside.append(SetAside(f"row {n_rows} of {MEASUREMENTS}", str(why)))
            continue
        if study not in listed:
            unlisted += 1
            continue
        try:
            row = reader.read(_whole(fields))
        except RowError as why:
            refused[study] = f"{MEASUREMENTS}: {why}"
            continue
        if row.subject != listed[study].subject:
            refused[study] = f"subject_id differs between {RECORDS} and {MEASUREMENTS}"
        elif measured.setdefault(study, row) != row:
            refused[study] = f"stands in several rows of {MEASUREMENTS} that differ"
        elif measured[study] is not row:
            repeated += 1
    for study, reason in refused.items():
        del listed[study]
        measured.pop(study, None)
        set_aside.append(SetAside(study, reason))
    notes += reader.cleaner.notes()
    differing = sum(bool(row.time) and row.time != listed[study].time for study, row in measured.items())
    if differing:
        notes.append(
            f"ecg_time differs between {RECORDS}, which is read, and {MEASUREMENTS}: {differing:,} records"
        )
    if unlisted:
        notes.append(f"rows of {MEASUREMENTS} without a usable record, left out: {unlisted:,}")
    if repeated:
        notes.append(f"rows of {MEASUREMENTS} that repeat another, read once: {repeated:,}")
    return measured


def _entries(
    listed: dict[str, Listed],
    measured: dict[str, Measured] | None,
    links: dict[str, str],
    people: dict[str, Person],
    source: str,
) -> tuple[RecordEntry, ...]:
    entries = []
    for study, (subject, time) in listed.items():
        row = None if measured is None else measured.get(study)
        person = people.get(subject)
        age, note = (None, "") if person is None else age_at(person, time)
        notes = (note,) if note else ()
        if row is None:
            notes = notes if measured is None else (*notes, NO_ROW)
            texts: tuple[str | None, ...] = (None, None, None)
        else:
            notes = notes if row.statements else (*notes, NO_REPORT)
            texts = row[-3:]
        entries.append(
            RecordEntry(
                record_id=study,
                patient_id=subject,
                path=record_path(subject, study),
                file_sampling_rate=SAMPLING_RATE,
                age=age,
                sex=None if person is None else person.sex,
                statements=() if row is None else row.statements,
                source=source,
                quality=_NO_FLAGS,
                columns=Values(
                    (*(_UNMEASURED if row is None else row.values), *texts, time or None, links.get(study))
                ),
                notes=notes,
            )
        )
    return tuple(entries)
