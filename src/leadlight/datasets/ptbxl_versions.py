"""Which version of PTB-XL a folder holds, and which of its records are the same recording.

Facts: ``data/ptb-xl.toml`` and ``data/ptb-xl_duplicates.csv`` (change logs of 1.0.2 and
1.0.3). Versions differ in their number of records, in 38 records of 1.0.1 that 1.0.3
dropped as copies of others, in how ages above 89 are given, and in the labels of 16
kept copies, for which 1.0.3 has a consensus.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from leadlight.datasets.facts import facts_of
from leadlight.datasets.ptbxl_rows import AGE_ABOVE_89, Row

_DATA = files("leadlight.datasets") / "data"


@dataclass(frozen=True)
class Duplicate:
    """A record that 1.0.3 dropped. same_as: the copy that it kept; consensus: that copy's new labels."""

    record: int
    fold: int
    same_as: int
    same_as_fold: int
    consensus: frozenset[tuple[str, float]] | None


@cache
def duplicates() -> tuple[Duplicate, ...]:
    """The records that 1.0.3 dropped as copies of others."""
    found = []
    for row in csv.DictReader((_DATA / "ptb-xl_duplicates.csv").read_text(encoding="utf-8").splitlines()):
        labels = (part.split(":") for part in row["consensus"].split())
        found.append(
            Duplicate(
                int(row["record"]),
                int(row["fold"]),
                int(row["same_as"]),
                int(row["same_as_fold"]),
                frozenset((code, float(likelihood)) for code, likelihood in labels) or None,
            )
        )
    return tuple(found)


def copies(ids: Iterable[int]) -> dict[int, int]:
    """Of these records, those that are copies: record -> the one that stands for it.

    The copy that 1.0.3 kept stands for the others; where it is not among the ids, the
    lowest id does.
    """
    there = set(ids)
    groups: dict[int, list[int]] = {}
    for duplicate in duplicates():
        groups.setdefault(duplicate.same_as, []).append(duplicate.record)
    of: dict[int, int] = {}
    for kept, dropped in groups.items():
        present = [record for record in (kept, *sorted(dropped)) if record in there]
        of.update((record, present[0]) for record in present[1:])
    return of


def shared_name(record: int) -> str:
    """The name that all copies of a record of PTB-XL share, wherever they stand: "ptb-xl/1"."""
    return f"ptb-xl/{_kept().get(record, record)}"


@cache
def _kept() -> dict[int, int]:
    return {duplicate.record: duplicate.same_as for duplicate in duplicates()}


def official_numbering(rows: Mapping[int, Row]) -> bool:
    """Whether the records are numbered as in PTB-XL, as far as can be told.

    A data set in PTB-XL's layout, a simulated one for instance, has its own records
    under the same numbers. Told by the highest number of 1.0.1, in which there is no gap,
    and by the folds of the 74 records around the duplicates.
    """
    folds = {duplicate.record: duplicate.fold for duplicate in duplicates()}
    folds |= {duplicate.same_as: duplicate.same_as_fold for duplicate in duplicates()}
    return max(rows, default=0) <= facts_of("ptb-xl")["versions"][0]["records"] and all(
        rows[record].fold == fold for record, fold in folds.items() if record in rows
    )


def tell_version(rows: Mapping[int, Row], n_rows: int) -> tuple[str, tuple[str, ...]]:
    """The version, as far as it can be told, and the evidence.

    n_rows: rows in the index, with those that could not be read.
    """
    if not official_numbering(rows):
        return "own records in the layout of PTB-XL", ("record numbers and folds are not those of PTB-XL",)
    versions: list[dict[str, Any]] = facts_of("ptb-xl")["versions"]
    evidence = [f"{n_rows:,} records"]
    possible = [one for one in versions if n_rows <= one["records"]]

    dropped = sum(duplicate.record in rows for duplicate in duplicates())
    if dropped:
        evidence.append(f"{dropped} of the records that 1.0.3 dropped")
        possible = [one for one in possible if dropped <= one["duplicates"]]

    consensus = {duplicate.same_as: duplicate.consensus for duplicate in duplicates() if duplicate.consensus}
    told = {_labels(rows[record]) == labels for record, labels in consensus.items() if record in rows}
    if told:
        whose = "those of 1.0.3" if told == {True} else "older than 1.0.3" if told == {False} else "mixed"
        evidence.append(f"labels that 1.0.3 revised: {whose}")
    if len(told) == 1:
        possible = [one for one in possible if one["consensus"] in told]

    ages = [row.stated_age for row in rows.values() if row.stated_age is not None and row.stated_age > 89]
    hidden = ages.count(AGE_ABOVE_89)
    if ages:
        # Copies mixed from several releases have both; 300 cannot come from 1.0.1.
        evidence.append(f"ages above 89: {hidden} as 300, {len(ages) - hidden} as they are")
        given = "300" if hidden else "stated"
        possible = [one for one in possible if one["age_above_89"] == given]

    for one in possible:
        if (one["records"], one["duplicates"]) == (n_rows, dropped):
            return one["version"], tuple(evidence)
    if len(possible) == len(versions):
        return "part of PTB-XL, version not to be told", tuple(evidence)
    if not possible:
        return "PTB-XL, changed or mixed from several versions", tuple(evidence)
    return f"part of {' or '.join(one['version'] for one in possible)}", tuple(evidence)


def _labels(row: Row) -> frozenset[tuple[str, float]]:
    return frozenset((statement.code, statement.likelihood or 0.0) for statement in row.statements)
