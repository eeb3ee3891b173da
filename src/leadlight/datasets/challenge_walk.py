"""Headers of the Challenge: found below a folder in any of its releases' layouts, and read."""

# Paths are strings here: making a Path takes as long as parsing a header.

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import NamedTuple

from leadlight.datasets.challenge_sources import source_of_folder, source_of_record
from leadlight.datasets.index import SetAside
from leadlight.errors import DatasetError, FileFormatError
from leadlight.files.header_comments import read_comments
from leadlight.files.wfdb_header import Header, header_from_file
from leadlight.recording import Sex, Statement

_DEEPEST = 8
_LOOK_AT = 64
"""How many folders and files of each folder are looked at to recognise a data set."""
_PASSED_THROUGH = ("training", "1.0.3", "1.0.2")


class Found(NamedTuple):
    """A record with a header that can be read and a data file.

    path: relative to the root, without extension; fingerprint: equal for equal samples,
    None where the header does not tell.
    """

    name: str
    source: str
    path: str
    sampling_rate: float
    seconds: float | None
    age: float | None
    sex: Sex | None
    statements: tuple[Statement, ...]
    fingerprint: Hashable
    notes: tuple[str, ...]


def found_in(root: Path) -> bool:
    """Whether a folder holds records of the Challenge: a header of its names in a folder of its layout."""
    inside = [str(root)]
    for _ in range(4):
        deeper: list[str] = []
        for folder in inside[:_LOOK_AT]:
            files, folders, _, _ = _listing(folder)
            some = [name for name in files if name.endswith(".hea")][:_LOOK_AT]
            if any(source_of_record(name[:-4]) and f"{name[:-4]}.mat" in files for name in some):
                return True
            deeper += [f"{folder}/{name}" for name in folders if _may_hold(name)]
        inside = deeper
    return False


def walk(root: Path, set_aside: list[SetAside], notes: list[str]) -> Iterator[Found]:
    """The records below a folder, in the order of their paths. Raises DatasetError for what is no folder.

    Hidden folders and links to folders are not entered.
    """
    if not root.is_dir():
        raise DatasetError(f"{root}: found no such folder; accepted: the folder of a data set.")
    real_root = os.path.realpath(root)
    links = odd = 0
    waiting = [("", source_of_folder(root.resolve().name))]
    while waiting:
        place, source = waiting.pop()
        files, folders, linked, unreadable = _listing(f"{root}/{place}")
        links += linked
        odd += unreadable
        deeper = [
            (f"{place}{name}/", source_of_folder(name) or source)
            for name in folders
            if place.count("/") < _DEEPEST
        ]
        waiting += reversed(deeper)
        for file in files:
            if file.endswith(".hea"):
                name = file[:-4]
                named = source_of_record(name)
                if named is None:
                    set_aside.append(SetAside(name, f"{place}{file}: not named as a record of the Challenge"))
                    continue
                try:
                    yield _read(real_root, place, name, source or named, files)
                except FileFormatError as error:
                    set_aside.append(SetAside(name, _reason(error, place)))
    if links:
        notes.append(f"links to folders, not entered: {links}")
    if odd:
        notes.append(f"files and folders whose names are not UTF-8, left alone: {odd}")


def _read(root: str, place: str, name: str, source: str, files: dict[str, bool]) -> Found:
    path = f"{root}/{place}{name}.hea"
    if files[f"{name}.hea"]:
        _refuse_outside(root, path)
    header = header_from_file(path)
    if header.segments:
        raise FileFormatError(
            path, "line 1, record name", "a record of several segments", "a record of one segment"
        )
    for data in dict.fromkeys(header.files):
        if data not in files:
            raise FileFormatError(path, "data file", f"no {data} beside it", "the file that the header names")
        if files[data]:
            _refuse_outside(root, f"{root}/{place}{data}")
    patient, statements, notes = read_comments(header.comments)
    return Found(
        name,
        source,
        f"{place}{name}",
        header.sampling_rate,
        None if header.n_samples is None else header.n_samples / header.sampling_rate,
        patient.age,
        patient.sex,
        statements,
        _fingerprint(header),
        (*header.notes, *notes),
    )


def _fingerprint(header: Header) -> Hashable:
    # Twelve checksums of 16 bits and twelve first values: equal by chance in one of 10^57 pairs or so.
    if header.n_samples is None or not any(header.checksums):
        return None
    return header.sampling_rate, header.n_samples, header.initial_values, header.checksums


def _refuse_outside(root: str, path: str) -> None:
    real = os.path.realpath(path)
    if os.path.commonpath((root, real)) != root:
        raise FileFormatError(path, "file", "a link that leads out of the data set's folder", "a file in it")


def _listing(folder: str) -> tuple[dict[str, bool], list[str], int, int]:
    """Files (name -> whether it is a link) and folders, sorted; how many links to folders and odd names."""
    files: dict[str, bool] = {}
    folders: list[str] = []
    links = odd = 0
    try:
        with os.scandir(folder) as found:
            for item in found:
                if item.name.startswith("."):
                    continue
                if any("\ud800" <= letter <= "\udfff" for letter in item.name):
                    odd += 1  # could be neither written down nor shown
                elif not item.is_dir():
                    files[item.name] = item.is_symlink()
                elif item.is_symlink():
                    links += 1
                else:
                    folders.append(item.name)
    except PermissionError:
        return {}, [], 0, 0
    return dict(sorted(files.items())), sorted(folders), links, odd


def _may_hold(folder: str) -> bool:
    numbered = folder[:1] == "g" and folder[1:].isdecimal()
    return numbered or folder in _PASSED_THROUGH or source_of_folder(folder) is not None


def _reason(error: FileFormatError, place: str) -> str:
    return f"{place}{Path(error.file).name}, {error.field}: found {error.found}; accepted: {error.accepted}"
