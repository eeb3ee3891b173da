"""The collections of the PhysioNet/CinC Challenge 2021: their folders, record names and patients.

Facts: ``data/challenge-2021.toml`` and ``data/challenge-2021_incart-patients.csv``.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from leadlight.datasets.facts import facts_of

_DATA = files("leadlight.datasets") / "data"
_NAME = re.compile(r"([A-Z]{1,2})(\d{4,5})", re.ASCII)


@dataclass(frozen=True)
class Source:
    """A collection of the Challenge.

    letters: what its record names begin with; first, last: their numbers, where another
    collection uses the same letters; folders: what its folder is called, the newest
    release's name first.
    """

    name: str
    title: str
    records: int
    sampling_rate: float
    letters: str
    first: int
    last: int
    folders: tuple[str, ...]
    records_a_patient: str


@cache
def sources() -> dict[str, Source]:
    """The collections by name, in the Challenge's order."""
    return {
        one["name"]: Source(
            name=one["name"],
            title=one["title"],
            records=one["records"],
            sampling_rate=float(one["sampling_rate"]),
            letters=one["names"],
            first=one.get("first", 1),
            last=one.get("last", 99_999),
            folders=tuple(one["folders"]),
            records_a_patient=one["records_a_patient"],
        )
        for one in facts_of("challenge-2021")["sources"]
    }


@cache
def source_of_folder(folder: str) -> str | None:
    """The collection that a folder of this name holds, whatever the release; None for any other name."""
    for source in sources().values():
        if folder.casefold() in (name.casefold() for name in source.folders):
            return source.name
    return None


def source_of_record(name: str) -> str | None:
    """The collection whose records are named so, None for any other name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    number = int(match[2])
    for source in sources().values():
        if source.letters == match[1] and source.first <= number <= source.last:
            return source.name
    return None


def ptbxl_number(name: str) -> int | None:
    """PTB-XL's ecg_id of a record that comes from there (HR00001 is 1), None for any other name."""
    return int(name[2:]) if source_of_record(name) == "ptb-xl" else None


def incart_patient(name: str) -> int | None:
    """Number, from 1 to 32, of the patient whose Holter recording an INCART record was cut from.

    The Challenge's I0001 is INCART's I01, and so on; I36 is not in the Challenge.
    """
    if source_of_record(name) != "st_petersburg_incart":
        return None
    return _incart_patients().get(name)


@cache
def _incart_patients() -> dict[str, int]:
    text = (_DATA / "challenge-2021_incart-patients.csv").read_text(encoding="utf-8")
    return {
        f"I{number:04d}": int(row["patient"])
        for row in csv.DictReader(text.splitlines())
        for number in range(int(row["first"][1:]), int(row["last"][1:]) + 1)
    }
