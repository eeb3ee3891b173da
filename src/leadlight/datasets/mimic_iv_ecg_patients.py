"""Who was recorded, and which note belongs to it: tables beside MIMIC-IV-ECG's own.

Age and sex stand in ``hosp/patients.csv`` of MIMIC-IV alone, which needs credentials and
is never fetched. Dates are shifted by one distance for each patient, so the years of
``ecg_time`` and ``anchor_year`` compare: age = anchor_age + year of the ECG - anchor_year.
MIMIC-IV gives 91 as anchor_age of everybody above 89.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from pathlib import Path
from typing import NamedTuple

from leadlight.datasets.mimic_iv_ecg_rows import RowError, read_id, rows
from leadlight.recording import Sex

PATIENT_COLUMNS = ("subject_id", "gender", "anchor_age", "anchor_year")
NOTE_COLUMNS = ("subject_id", "study_id", "note_id")
ABOVE_89 = 91
"""MIMIC-IV's anchor_age of patients above 89 years."""
ABOVE_89_NOTE = "anchor_age given as 91, which stands for above 89: age read as 90"
UNKNOWN_NOTE = "anchor_age given as 91, which stands for above 89, in a later year: age taken as unknown"
_OLDEST = 120
_SEXES: dict[str, Sex] = {"M": "male", "F": "female"}


class Person(NamedTuple):
    """A row of patients.csv. age: years in ``year``, a shifted one; None where not readable."""

    sex: Sex | None
    age: int | None
    year: int | None


def read_patients(file: Path, wanted: Container[str], notes: list[str]) -> dict[str, Person]:
    """Rows of the wanted subject_ids. file: patients.csv or patients.csv.gz.

    Rows without a usable subject_id, and patients with rows that differ, are left out and
    counted in notes. Raises FileFormatError for what is no such table.
    """
    found: dict[str, Person] = {}
    differing: set[str] = set()
    faults: Counter[str] = Counter()
    table = rows(file, PATIENT_COLUMNS)
    header = _header(next(table))
    at = [header.index(name) for name in PATIENT_COLUMNS]
    for fields in table:
        if isinstance(fields, RowError) or len(fields) != len(header):
            faults["rows that cannot be read"] += 1
            continue
        try:
            subject = read_id("subject_id", fields[at[0]])
        except RowError:
            faults["rows that cannot be read"] += 1
            continue
        if subject not in wanted:
            continue
        sex = _SEXES.get(fields[at[1]].strip().upper())
        person = Person(sex, _whole(fields[at[2]], _OLDEST), _whole(fields[at[3]], 9999))
        if sex is None:
            faults["gender neither M nor F, taken as unknown"] += 1
        if person.age is None or person.year is None:
            faults[f"anchor_age not from 0 to {_OLDEST} or no anchor_year, age taken as unknown"] += 1
        if found.setdefault(subject, person) != person:
            differing.add(subject)
    for subject in differing:
        del found[subject]
    if differing:
        faults["patients with rows that differ, age and sex taken as unknown"] = len(differing)
    notes += [f"{file.name}, {what}: {count:,}" for what, count in sorted(faults.items())]
    return found


def age_at(person: Person, time: str) -> tuple[float | None, str]:
    """Age in years at the time of an ECG, and a note where there is something to say of it."""
    if person.age is None or person.year is None or not time:
        return None, ""
    later = int(time[:4]) - person.year
    if person.age == ABOVE_89:
        return (90.0, ABOVE_89_NOTE) if later >= 0 else (None, UNKNOWN_NOTE)
    age = person.age + later
    if 0 <= age <= _OLDEST:
        return float(age), ""
    return None, f"age is not from 0 to {_OLDEST} years by ecg_time and anchor_year, taken as unknown"


def read_note_links(file: Path, patient_of: dict[str, str], notes: list[str]) -> dict[str, str]:
    """The cardiologist's note of each study: study_id -> note_id.

    patient_of: study_id -> subject_id of the records. Links that name several notes for a
    study, or another patient than the study has, are left out and counted in notes.
    Raises FileFormatError for what is no such table.
    """
    found: dict[str, str] = {}
    several: set[str] = set()
    faults: Counter[str] = Counter()
    table = rows(file, NOTE_COLUMNS)
    header = _header(next(table))
    at = [header.index(name) for name in NOTE_COLUMNS]
    for fields in table:
        if isinstance(fields, RowError) or len(fields) != len(header):
            faults["rows that cannot be read"] += 1
            continue
        subject, study, note = (fields[place].strip() for place in at)
        if study not in patient_of or not note:
            continue
        owner = note.split("-", 1)[0]
        if subject != patient_of[study] or (len(owner) == 8 and owner.isdecimal() and owner != subject):
            faults["links to another patient, left out"] += 1
        elif len(note) > 60:
            faults["note_ids longer than 60 characters, left out"] += 1
        elif found.setdefault(study, note) != note:
            several.add(study)
    for study in several:
        del found[study]
    if several:
        faults["studies with several notes, left out"] = len(several)
    notes += [f"{file.name}, {what}: {count:,}" for what, count in sorted(faults.items())]
    return found


def _header(first: list[str] | RowError) -> list[str]:
    if isinstance(first, RowError):  # rows() begins with the header or raises
        raise first
    return first


def _whole(text: str, highest: int) -> int | None:
    text = text.strip()
    return (
        int(text) if text.isascii() and text.isdecimal() and len(text) < 5 and int(text) <= highest else None
    )
