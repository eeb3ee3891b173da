"""What the report statements of ECG carts say, each read by itself, never joined.

``reading.py`` reads one statement: from the reviewed table of phrases where it
stands there, else by rules. ``rules.py`` is the engine of the rules, ``tables.py``
reads ``labels/data/reports/``: phrases, certainties, cues, walls, rules. ``published.py`` holds the
keyword rules of ECG-XPLAIM as published, for reproduction. Which labels a finding
sets is for the label spaces to say.
"""

from __future__ import annotations

from leadlight.labels.reports.published import published_labels
from leadlight.labels.reports.reading import meanings, read_statement
from leadlight.labels.reports.statement import ReportStatement, StatedFinding, certainties, normalise

__all__ = [
    "ReportStatement",
    "StatedFinding",
    "certainties",
    "meanings",
    "normalise",
    "published_labels",
    "read_statement",
]
