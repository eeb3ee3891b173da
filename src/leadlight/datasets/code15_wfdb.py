"""CODE-15% as WFDB records, as the PhysioNet/CinC Challenge 2025 converts it.

Each header states exam, patient, age, sex and the Chagas label in its comments; later
ones state the collection ("Source") as well. The folder may hold other collections of the
Challenge in the same form: they keep their names as source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from leadlight.datasets.code15_rows import truth, whole
from leadlight.errors import FileFormatError
from leadlight.files.header_comments import read_comments
from leadlight.files.wfdb import Header, read_header
from leadlight.recording import Patient

SOURCE = "code-15"
_COMMENT = re.compile(r"(exam id|chagas label|source)\s*:\s*(.*)", re.IGNORECASE)
_SOURCES = {"": SOURCE, "code-15%": SOURCE, "code-15": SOURCE, "code15": SOURCE}
_LOOKED_AT = 20


class Stated(NamedTuple):
    """What a header says. path: relative to the root, as an entry names it; exam: None where it has none."""

    path: str
    sampling_rate: float
    exam: int | None
    patient: Patient
    chagas: bool | None
    source: str
    notes: tuple[str, ...]


def looks_like(root: Path) -> bool:
    """Whether one of the first headers of a folder states a Chagas label."""
    for name in islice(headers_below(root), _LOOKED_AT):
        try:
            comments = read_header(root / name).comments
        except FileFormatError:
            continue
        if any(_COMMENT.fullmatch(one) and one.lower().startswith("chagas") for one in comments):
            return True
    return False


def headers_below(root: Path) -> Iterator[str]:
    """Headers below a folder, relative to it, "/" between folders, in order of their names."""
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        folder = Path(place).relative_to(root).as_posix()
        for name in sorted(names):
            if name.endswith(".hea") and not name.startswith("."):
                yield name if folder == "." else f"{folder}/{name}"


def read_stated(root: Path, name: str) -> Stated:
    """What the header of this name states. Raises FileFormatError for one that cannot be read."""
    header = read_header(root / name)
    patient, _, notes = read_comments(header.comments)
    fields: dict[str, str] = {}
    odd = list(notes)
    for comment in header.comments:
        match = _COMMENT.fullmatch(comment)
        if match is None:
            continue
        field, value = match[1].lower(), match[2].strip()
        if fields.setdefault(field, value) != value:
            odd.append(f"the header's comments state {field} twice; the first was read")
    label = fields.get("chagas label", "")
    chagas = truth(label)
    if chagas is None and label.lower() not in ("", "nan", "unknown", "none"):
        odd.append("the header's chagas label was not understood")
    stem = name.removesuffix(".hea")
    exam = _exam(header, stem, fields.get("exam id"), odd)
    named = fields.get("source", "").lower()
    source = _SOURCES.get(named) or re.sub(r"[^a-z0-9]+", "-", named).strip("-")[:40] or SOURCE
    # A name with a dot would pass for one with an extension.
    path = name if "." in stem.rpartition("/")[2] else stem
    return Stated(path, header.sampling_rate, exam, patient, chagas, source, tuple(odd))


def _exam(header: Header, stem: str, stated: str | None, odd: list[str]) -> int | None:
    """The exam that the comments state, else the one that the record is named after."""
    named = whole(stem.rpartition("/")[2])
    if stated is None:
        return named or None
    exam = whole(stated)
    if not exam:
        odd.append("the header's exam id was not understood")
        return named or None
    if named is not None and named != exam:
        odd.append("the record's name is not its exam id")
    return exam
