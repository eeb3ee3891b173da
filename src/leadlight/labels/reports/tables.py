"""Reads the tables of this subpackage: phrases, spellings, cues, walls and rules."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, cast

from leadlight.labels.findings import findings
from leadlight.labels.reports.statement import Certainty, Kind, certainties
from leadlight.labels.rows import DATA, rows

Side = Literal["before", "after", "both"]
Reach = Literal["clause", "list", "statement"]
Effect = Literal[
    "certain", "probable", "borderline", "possible", "cannot rule out", "absent", "ignore", "nothing"
]


@dataclass(frozen=True)
class Phrase:
    """A reviewed phrase: what kind of statement it is, what it states, why."""

    phrase: str
    kind: Kind
    findings: tuple[tuple[str, Certainty], ...]
    note: str


@dataclass(frozen=True)
class Cue:
    """Words that change how sure a finding is.

    effect: a certainty, "ignore" (the findings are not stated) or "nothing" (no cue after
    all); side: whether they work on what follows, on what stands before, or on whichever
    their clause has; reach: "clause", "list" (past commas) or "statement".
    """

    effect: Effect
    side: Side
    reach: Reach


@dataclass(frozen=True)
class Rule:
    """A pattern and the findings that it states.

    place: the column of territories.csv that names the finding by its wall, "age" for
    the age of an infarct; follows: no surer than the nearest finding of this kind;
    fixed: hedges do not change it.
    """

    name: str
    findings: tuple[tuple[str, Certainty], ...]
    place: str
    follows: str
    fixed: bool


@dataclass(frozen=True)
class WholeRule:
    """A pattern that decides what the whole statement is."""

    pattern: re.Pattern[str]
    kind: Kind
    findings: tuple[tuple[str, Certainty], ...]


@cache
def phrases() -> Mapping[str, Phrase]:
    """The reviewed phrases, by the phrase."""
    return MappingProxyType(
        {
            row["phrase"]: Phrase(
                row["phrase"], cast(Kind, row["kind"]), _stated(row["findings"]), row["note"]
            )
            for row in rows("reports/phrases.csv")
        }
    )


@cache
def spellings() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns and what is read in their place, in order."""
    return tuple((re.compile(row["written"]), row["read"]) for row in rows("reports/spellings.csv"))


@cache
def cues() -> tuple[re.Pattern[str], tuple[Cue, ...]]:
    """One pattern with a group for each cue, and the cues in the order of the groups."""
    table = rows("reports/cues.csv")
    return _one_of(row["cue"] for row in table), tuple(
        Cue(cast(Effect, row["effect"]), cast(Side, row["side"]), cast(Reach, row["reach"])) for row in table
    )


@cache
def rules() -> tuple[re.Pattern[str], tuple[Rule, ...]]:
    """One pattern with a group for each rule, and the rules in the order of the groups."""
    table = _toml()["rule"]
    return _one_of(row["pattern"] for row in table), tuple(
        Rule(
            row["pattern"],
            _stated(row.get("findings", "")),
            row.get("place", ""),
            row.get("follows", ""),
            row.get("fixed", False),
        )
        for row in table
    )


@cache
def whole_rules() -> tuple[WholeRule, ...]:
    """Rules that decide what a whole statement is, in order."""
    return tuple(
        WholeRule(re.compile(_between_words(row["pattern"])), row["kind"], _stated(row["findings"]))
        for row in _toml()["whole"]
    )


@cache
def walls() -> tuple[re.Pattern[str], tuple[frozenset[str], ...]]:
    """One pattern with a group for each name of a wall, and the walls that it names."""
    table = dict(_toml()["walls"])
    return _one_of(table.values()), tuple(frozenset(name.split()) for name in table)


@cache
def territories() -> Mapping[frozenset[str], Mapping[str, tuple[str, ...]]]:
    """Set of walls -> family ("MI", "ISC", ...) -> codes."""
    return MappingProxyType(
        {
            frozenset(row["walls"].split()): MappingProxyType(
                {
                    family: tuple(codes.split())
                    for family, codes in row.items()
                    if family not in ("walls", "note")
                }
            )
            for row in rows("reports/territories.csv")
        }
    )


@cache
def ages() -> Mapping[str, str]:
    """Word for the age of an infarct -> finding."""
    return MappingProxyType(dict(_toml()["ages"]))


@cache
def neutral_words() -> frozenset[str]:
    """Words that change no finding."""
    return frozenset(_toml()["neutral"]["words"].split())


@cache
def _toml() -> dict[str, Any]:
    return tomllib.loads((DATA / "reports/rules.toml").read_text(encoding="utf-8"))


def _between_words(pattern: str) -> str:
    return rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])"


def _one_of(patterns: Iterable[str]) -> re.Pattern[str]:
    # Groups inside the patterns do not capture, so lastindex tells which one matched.
    return re.compile(_between_words("|".join(f"({one})" for one in patterns)))


def _stated(cell: str) -> tuple[tuple[str, Certainty], ...]:
    """ "LAD; LAFB possible" -> (("LAD", "certain"), ("LAFB", "possible"))."""
    stated: list[tuple[str, Certainty]] = []
    for part in filter(None, (one.strip() for one in cell.split(";"))):
        code, _, level = part.partition(" ")
        certainty = cast(Certainty, level or "certain")
        if code not in findings() or certainty not in certainties():
            raise ValueError(f"labels/data/reports: {part!r} is no finding with a certainty")
        stated.append((code, certainty))
    return tuple(stated)
