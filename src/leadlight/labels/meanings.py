"""What a source's statement says in the findings of the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from leadlight.labels.findings import findings
from leadlight.labels.rows import rows
from leadlight.recording import Statement

VOCABULARY = "leadlight"
"""The system whose codes are the findings themselves."""

REPORT = "mimic-report"
"""The system whose codes are the sentences of a recorder's report: read by rules, not by a table."""


@dataclass(frozen=True)
class SystemCode:
    """A code of a statement system, and what it says.

    abbreviation, name: as the system has them; findings: codes of the vocabulary, all of which it states;
    narrower: it says more than these findings; source: where that is from.
    """

    system: str
    code: str
    abbreviation: str
    name: str
    findings: tuple[str, ...]
    narrower: bool
    source: str
    note: str = ""


@cache
def codes(system: str) -> Mapping[str, SystemCode]:
    """Every code of a system by the code; empty for a system that has no table."""
    if system == VOCABULARY:
        return MappingProxyType(
            {
                code: SystemCode(system, code, code, one.name, (code,), False, one.source, one.note)
                for code, one in findings().items()
            }
        )
    return _tables().get(system, MappingProxyType({}))


def systems() -> tuple[str, ...]:
    """Names of the statement systems whose codes have a table."""
    return (*_tables(), VOCABULARY)


def meanings(statement: Statement) -> tuple[tuple[str, float | None], ...]:
    """The findings that a statement states, each with its likelihood in percent.

    None: the source does not say how sure it is; 0: the source says that the finding is
    absent. Empty for a statement whose system or code is not known.
    """
    if statement.system == REPORT:
        return _of_report(statement.code)
    known = codes(statement.system).get(statement.code)
    return tuple((finding, statement.likelihood) for finding in known.findings) if known else ()


@cache
def phrases() -> Mapping[str, tuple[str, ...]]:
    """Sentences of recorders' reports by the finding that they state, surely or not, denials left out."""
    stated: dict[str, dict[str, None]] = {}
    for row in rows("reports/phrases.csv"):
        for finding, likelihood in _of_report(row["phrase"]):
            if likelihood != 0:
                stated.setdefault(finding, {})[row["phrase"]] = None
    return MappingProxyType({finding: tuple(sentences) for finding, sentences in stated.items()})


def _of_report(sentence: str) -> tuple[tuple[str, float | None], ...]:
    # The rules for reports stand on the vocabulary: imported here, not above.
    from leadlight.labels import reports

    return reports.meanings(sentence)


@cache
def _tables() -> Mapping[str, Mapping[str, SystemCode]]:
    tables: dict[str, dict[str, SystemCode]] = {}
    for row in rows("statement_findings.csv"):
        tables.setdefault(row["system"], {})[row["code"]] = SystemCode(
            row["system"],
            row["code"],
            row["abbreviation"],
            row["name"],
            tuple(row["findings"].split()),
            row["relation"] == "narrower",
            row["source"],
            row["note"],
        )
    return MappingProxyType({system: MappingProxyType(table) for system, table in tables.items()})
