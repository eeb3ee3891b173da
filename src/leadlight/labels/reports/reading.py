"""Reads one report statement of a cart: from the reviewed table, else by rules."""

from __future__ import annotations

from functools import lru_cache

from leadlight.labels.reports.rules import read_by_rules
from leadlight.labels.reports.statement import ReportStatement, StatedFinding, normalise
from leadlight.labels.reports.tables import phrases

# The longest statement known has 119 characters. A longer text than this is several
# statements or none, and reading it by rules would join what the cart kept apart.
LONGEST = 300


def read_statement(text: str) -> ReportStatement:
    """What one statement says.

    text: one statement as the cart wrote it; case, dashes, asterisks, final stops and
    spacing do not matter. Give each statement by itself, never several joined.
    Never raises for any text: what neither the table nor the rules know has the kind
    "not understood", as has a text of more than 300 characters.
    """
    if len(text) > 2 * LONGEST:
        return ReportStatement(normalise(text[: 2 * LONGEST]), "not understood", (), "none", "too long")
    return _read(normalise(text))


def meanings(statement_text: str) -> tuple[tuple[str, float], ...]:
    """The findings that one statement states: (code, likelihood in percent), 0 for an absent one."""
    return tuple((one.code, one.likelihood) for one in read_statement(statement_text).findings)


@lru_cache(maxsize=2**15)
def _read(text: str) -> ReportStatement:
    if not text:
        return ReportStatement(text, "empty", (), "none")
    if len(text) > LONGEST:
        return ReportStatement(text, "not understood", (), "none", "too long")
    if text in phrases():
        known = phrases()[text]
        stated = tuple(StatedFinding(code, certainty, text) for code, certainty in known.findings)
        return ReportStatement(text, known.kind, stated, "table", known.note)
    return read_by_rules(text)
