"""PhysioNet/CinC Challenge 2020 and 2021: the index of their public training data, from the headers.

Reyna et al., "Will Two Do? Varying Dimensions in Electrocardiography", Computing in
Cardiology 2021, doi:10.23919/CinC53138.2021.9662687; Perez Alday et al., Physiological
Measurement 41, 124003 (2020), doi:10.1088/1361-6579/abc960. ``challenge_sources.py``
knows the collections, ``challenge_walk.py`` finds and reads the headers.

There is no table of records: each header says what is known. Set aside, with the reason:
headers that cannot be read, records without their data file, links that lead out of the
folder, names that stand for different signals, copies of other records of PTB-XL.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from leadlight.datasets import ptbxl
from leadlight.datasets.challenge_sources import (
    incart_patient,
    ptbxl_number,
    source_of_record,
    sources,
)
from leadlight.datasets.challenge_walk import Found, found_in, walk
from leadlight.datasets.facts import described, facts_of
from leadlight.datasets.index import DatasetDescription, DatasetIndex, RecordEntry, SetAside
from leadlight.datasets.ptbxl_versions import copies, shared_name
from leadlight.errors import DatasetError

__all__ = ["LAYOUT", "NAME", "describe", "found_in", "read_index"]

NAME = "challenge-2021"
LAYOUT = "folders such as georgia/g1/ with E00001.hea and E00001.mat"
HIGHEST_RATE = 1000.0
_PTBXL = "ptb-xl"


def describe() -> DatasetDescription:
    """Title, size, licence, citation and label spaces of the Challenge's data."""
    return described(NAME)


def read_index(
    root: Path, sampling_rate: float, *, drop_duplicates: bool = True, labels: Path | None = None
) -> DatasetIndex:
    """Which records a folder of the Challenge holds, for use at a sampling rate.

    root: the folder above those of the collections, or one of them. sampling_rate: Hz, up to
    1000; a collection with a lower rate is upsampled. drop_duplicates: set aside the copies
    of other records that PTB-XL 1.0.3 no longer has. labels: PTB-XL's ptbxl_database.csv, or
    the folder with it, from which the records of PTB-XL get their patients and official folds.
    Raises DatasetError for a rate that cannot be served, for a table that is not
    PTB-XL's, and when not one record is left.
    """
    if not 0 < sampling_rate <= HIGHEST_RATE:
        raise DatasetError(
            f"{NAME}: found a sampling rate of {sampling_rate:g} Hz; "
            f"accepted: above 0 to {HIGHEST_RATE:g} Hz."
        )
    official = {} if labels is None else ptbxl.patients_and_folds(labels)
    set_aside: list[SetAside] = []
    notes: list[str] = []
    found = _one_of_each_name(walk(root, set_aside, notes), set_aside)
    if drop_duplicates:
        _drop_copies(found, set_aside, notes)
    if not found:
        why = f", for example {set_aside[0].record_id}: {set_aside[0].reason}" if set_aside else ""
        raise DatasetError(
            f"{root}: found no record to use; {len(set_aside):,} set aside{why}. "
            f"Accepted: a folder with {LAYOUT}."
        )
    names_of_copies = _same_signals(found, notes)
    entries = [_entry(one, names_of_copies, official) for one in found]
    notes += _summary(entries, sampling_rate, labels)
    version = f"2021, {len(entries):,} of {facts_of(NAME)['records']:,} records"
    return DatasetIndex(
        NAME,
        version,
        root,
        float(sampling_rate),
        tuple(entries),
        tuple(set_aside),
        tuple(notes),
        {"seconds": "number"},
    )


def _one_of_each_name(records: Iterable[Found], set_aside: list[SetAside]) -> list[Found]:
    """The records, one of each name: which one does not matter if they hold the same signal."""
    by_name: dict[str, list[Found]] = defaultdict(list)
    for record in records:
        by_name[record.name].append(record)
    kept = []
    for name, alike in sorted(by_name.items()):
        if len({one.fingerprint for one in alike}) > 1:
            places = " and ".join(one.path for one in alike)
            set_aside += [SetAside(name, f"stands for different signals: {places}")] * len(alike)
            continue
        # Codes say more than the text labels of early headers.
        alike.sort(key=lambda one: (any(s.system == "text" for s in one.statements), one.path))
        kept.append(alike[0])
        set_aside += [
            SetAside(name, f"{one.path} is the same recording as {alike[0].path}") for one in alike[1:]
        ]
    return kept


def _drop_copies(found: list[Found], set_aside: list[SetAside], notes: list[str]) -> None:
    names = {number: one.name for one in found if (number := ptbxl_number(one.name)) is not None}
    copy_of = copies(names)
    if copy_of:
        dropped = {names[record] for record in copy_of}
        found[:] = [one for one in found if one.name not in dropped]
        notes.append(f"copies of other records, as PTB-XL 1.0.3 found: {len(copy_of)}; set aside")
        set_aside += [
            SetAside(names[record], f"the same recording as {names[kept]}, as PTB-XL 1.0.3 found")
            for record, kept in copy_of.items()
        ]


def _same_signals(found: list[Found], notes: list[str]) -> dict[str, str]:
    """Record -> the name that its copies share, for records whose headers describe the same samples."""
    by_fingerprint: dict[object, list[str]] = defaultdict(list)
    for one in found:
        if one.fingerprint is not None:
            by_fingerprint[one.fingerprint].append(one.name)
    shared: dict[str, str] = {}
    groups = [names for names in by_fingerprint.values() if len(names) > 1]
    for names in groups:
        numbers = [number for name in names if (number := ptbxl_number(name)) is not None]
        common = shared_name(numbers[0]) if numbers else f"{NAME}/{names[0]}"
        shared |= dict.fromkeys(names, common)
    if groups:
        example = " and ".join(groups[0][:2])
        notes.append(
            f"records whose headers describe the same samples as another's: {len(shared):,}, such as "
            f"{example}; kept, and together in one fold"
        )
    return shared


def _entry(
    record: Found, names_of_copies: dict[str, str], official: dict[int, tuple[str, int]]
) -> RecordEntry:
    number = ptbxl_number(record.name)
    patient, fold, same_as = f"{record.source}/{record.name}", None, names_of_copies.get(record.name, "")
    if number is not None:
        same_as = shared_name(number)
        kept = int(same_as.rpartition("/")[2])
        known = official.get(number) or official.get(kept)
        if known is not None:
            patient, fold = f"{_PTBXL}/patient-{known[0]}", known[1]
    elif (holter := incart_patient(record.name)) is not None:
        patient = f"st_petersburg_incart/patient-{holter}"
    notes = record.notes
    if not record.statements:
        notes = (*notes, "the header states no diagnosis")
    named = source_of_record(record.name)
    if named != record.source:
        notes = (*notes, "the record's name is not one of its folder's collection")
    return RecordEntry(
        record_id=record.name,
        patient_id=patient,
        path=record.path,
        file_sampling_rate=record.sampling_rate,
        fold=fold,
        age=record.age,
        sex=record.sex,
        statements=record.statements,
        source=record.source,
        notes=notes,
        same_as=same_as,
        columns={"seconds": record.seconds},
    )


def _summary(entries: list[RecordEntry], sampling_rate: float, labels: Path | None) -> list[str]:
    total = len(entries)
    counted = Counter(entry.source for entry in entries)
    notes = [
        "records of each collection: "
        + ", ".join(
            f"{name} {counted[name]:,} of {one.records:,}" for name, one in sources().items() if counted[name]
        )
    ]
    for rate, count in sorted(Counter(entry.file_sampling_rate for entry in entries).items()):
        if rate != sampling_rate:
            how = "upsampled" if rate < sampling_rate else "resampled"
            notes.append(
                f"read from {rate:g} Hz files, to be {how} to {sampling_rate:g} Hz: {count:,} of {total:,}"
            )
    notes += _patients(entries, counted, labels)
    said = Counter(note for entry in entries for note in entry.notes)
    notes += [f"{note}: {count:,} of {total:,} records" for note, count in said.items()]
    return notes


def _patients(entries: list[RecordEntry], counted: Counter[str], labels: Path | None) -> list[str]:
    notes = []
    silent = [name for name, one in sources().items() if counted[name] and one.records_a_patient == "unknown"]
    if silent:
        notes.append(
            f"{', '.join(silent)}: which records are of one patient is not published; "
            "each counts as a patient"
        )
    if counted[_PTBXL]:
        known = sum(entry.fold is not None for entry in entries if entry.source == _PTBXL)
        if labels is None:
            notes.append(
                "ptb-xl: patients are in PTB-XL's own table, which is not here; each record counts as a "
                "patient. labels=ptbxl_database.csv gives patients and official folds"
            )
        else:
            notes.append(
                f"ptb-xl: patient and official fold from PTB-XL's table for {known:,} of "
                f"{counted[_PTBXL]:,} records"
            )
    if counted["st_petersburg_incart"]:
        notes.append("st_petersburg_incart: patients as INCART's own list has them")
    return notes
