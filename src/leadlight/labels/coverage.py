"""What a collection's labelling can tell: the codes it states, whose absence so means something."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from leadlight.labels.meanings import REPORT, codes, phrases
from leadlight.labels.rows import rows

ANY_SOURCE = ""
"""The source of records whose collection is not named: what the system itself can state."""

EVERY_CODE = "*"


@dataclass(frozen=True)
class Coverage:
    """What one collection states in one system.

    told: codes whose absence from a record means that the finding is absent; mentioned:
    these and codes too rare in the collection for that; findings: of the told codes,
    those whose absence means something; records: how many have a code, where that was
    counted; about: where the counts are from.
    """

    source: str
    system: str
    told: frozenset[str]
    mentioned: frozenset[str]
    findings: frozenset[str]
    about: str
    records: Mapping[str, int]


@cache
def coverage() -> Mapping[tuple[str, str], Coverage]:
    """What each collection states, by (source, system)."""
    told: dict[tuple[str, str], set[str]] = {}
    mentioned: dict[tuple[str, str], set[str]] = {}
    about: dict[tuple[str, str], str] = {}
    records: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows("coverage.csv"):
        key = row["source"], row["system"]
        about.setdefault(key, row["about"])
        told.setdefault(key, set())
        counts = records.setdefault(key, {})
        if row["records"]:
            counts[row["code"]] = int(row["records"])
        mentioned.setdefault(key, set()).add(row["code"])
        if row["tells"] == "absence":
            told[key].add(row["code"])
    return MappingProxyType(
        {
            key: Coverage(
                *key,
                frozenset(told[key]),
                frozenset(mentioned[key]),
                meant(key[1], told[key]),
                about[key],
                MappingProxyType(records[key]),
            )
            for key in told
        }
    )


def sources() -> tuple[str, ...]:
    """Names of the collections whose labelling is known, in the order of the table."""
    return tuple(dict.fromkeys(source for source, _ in coverage() if source != ANY_SOURCE))


def meant(system: str, stated: Set[str]) -> frozenset[str]:
    """The findings of which one can say that they are absent where none of these codes is stated."""
    if system == REPORT:
        # Sentences are not listed here: "*" is every sentence of the table, other codes are findings.
        return frozenset(phrases() if EVERY_CODE in stated else ()) | (stated - {EVERY_CODE})
    table = codes(system)
    # A code that says more than its finding does not tell the finding's absence.
    return frozenset(f for code in stated if not table[code].narrower for f in table[code].findings)
