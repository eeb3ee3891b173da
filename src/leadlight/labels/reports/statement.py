"""A statement that has been read, and how sure a statement can be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, cast

from leadlight.labels.findings import findings
from leadlight.labels.rows import rows

Certainty = Literal["certain", "probable", "borderline", "possible", "cannot rule out", "absent"]
Kind = Literal[
    "finding", "summary", "technical", "comment", "comparison", "advice", "empty", "not understood"
]
Origin = Literal["table", "rules", "none"]


@dataclass(frozen=True)
class CertaintyLevel:
    """How sure a statement is. likelihood: percent; strength: the weaker of two levels holds; reason: why."""

    name: Certainty
    likelihood: float
    strength: int
    reason: str


@cache
def certainties() -> Mapping[Certainty, CertaintyLevel]:
    """Every certainty by its name, the surest first."""
    levels = [
        CertaintyLevel(
            cast(Certainty, row["level"]), float(row["likelihood"]), int(row["strength"]), row["reason"]
        )
        for row in rows("reports/certainty.csv")
    ]
    return MappingProxyType({level.name: level for level in levels})


@dataclass(frozen=True)
class StatedFinding:
    """A finding of the vocabulary as a statement states it.

    certainty: a name of ``certainties()``; rule: the phrase of the table or the words that were matched.
    """

    code: str
    certainty: Certainty
    rule: str

    @property
    def likelihood(self) -> float:
        """Percent; 0 where the statement says that the finding is absent."""
        return certainties()[self.certainty].likelihood


@dataclass(frozen=True)
class ReportStatement:
    """One report statement of a cart, read.

    text: normalised; kind: "finding"; or what a statement is that says nothing of the
    heart beyond a verdict: "summary", "technical", "comment" (on other statements),
    "comparison" (with another tracing), "advice", "empty"; or "not understood".
    findings: may hold the codes of verdicts and technical remarks, too. origin: the
    reviewed "table", the "rules", or "none". note: why the table reads it so.
    unread: words that no rule used.
    """

    text: str
    kind: Kind
    findings: tuple[StatedFinding, ...]
    origin: Origin
    note: str = ""
    unread: tuple[str, ...] = ()

    @property
    def understood(self) -> bool:
        """False where neither the table nor the rules know the statement."""
        return self.kind != "not understood"

    @property
    def deliberately_without(self) -> bool:
        """True for a statement that is understood and states nothing of the heart beyond a verdict."""
        groups = ("technical", "group")
        known = findings()
        return self.understood and all(known[one.code].kind in groups for one in self.findings)


def normalise(text: str) -> str:
    """The statement in the table's spelling.

    Lower case, single spaces, no asterisks, dashes, stops or spaces at either end.
    """
    return _SPACE.sub(" ", text.casefold()).strip(_EDGES)


_SPACE = re.compile(r"\s+")
_EDGES = " *.-‐‑‒–—−"
