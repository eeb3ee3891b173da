"""Which row of which HDF5 part holds an exam of CODE-15%."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from leadlight.errors import DatasetError, FileFormatError
from leadlight.files.code_hdf5 import EXTENSIONS, CodePart

_MOST_FOLDERS = 1_000


@dataclass(frozen=True)
class Part:
    """Where the exams of one part stand. path: relative to the root; rows: exam -> row; fault: why none."""

    path: str
    rows: dict[int, int]
    doubled: frozenset[int] = frozenset()
    unnumbered: int = 0
    fault: str = ""


def find_parts(root: Path) -> dict[str, str]:
    """HDF5 files in a folder and in the folders within it: name -> path relative to the root.

    Raises DatasetError where one name stands in two places.
    """
    found: dict[str, str] = {}
    inside = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and entry.name[0] != ".")
    for folder in ("", *islice(inside, _MOST_FOLDERS)):
        for entry in sorted(os.scandir(root / folder), key=lambda entry: entry.name):
            if Path(entry.name).suffix.lower() not in EXTENSIONS or not entry.is_file():
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            if found.setdefault(entry.name, path) != path:
                raise DatasetError(
                    f"{root}: found {entry.name} twice ({found[entry.name]} and {path}); "
                    "accepted: each part once. Move one of them away."
                )
    return found


def read_parts(root: Path, paths: Iterable[str]) -> dict[str, Part]:
    """The exams of each part, by file name. A part that cannot be read comes with its fault."""
    parts = {}
    for path in paths:
        name = path.rpartition("/")[2]
        try:
            part = CodePart(root / path)
            try:
                ids = part.exam_ids()
            finally:
                part.close()
        except FileFormatError as error:
            parts[name] = Part(path, {}, fault=f"{error.field}: found {error.found}")
            continue
        # The real parts end with a row of zeros whose exam is 0.
        numbered = np.flatnonzero(ids > 0)
        kept, counts = np.unique(ids[numbered], return_counts=True)
        doubled = frozenset(kept[counts > 1].tolist())
        rows = dict(zip(ids[numbered].tolist(), numbered.tolist(), strict=True))
        parts[name] = Part(path, rows, doubled, len(ids) - len(numbered))
    return parts
