"""ECG-XPLAIM's labels of a cart's report, by its keyword rules as published, faults included.

For reproduction only. The rules take no account of word borders, negation or
hedges, and read over the border of two statements: "pac" hits every paced
rhythm, "longed PR" never matches. ``read_statement`` is the sound form.
Source: ECG-XPLAIM (doi:10.3389/fcvm.2025.1659971), set-up of its MIMIC-IV-ECG labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from leadlight.labels.rows import rows


def published_labels(report_statements: Sequence[str | None]) -> tuple[str, ...]:
    """Codes of the labels that the published rules give, in the published order.

    report_statements: the report columns of one record in their order, empty ones
    included (None or ""): an empty column becomes the word "nan" and keeps its
    neighbours apart, so leaving it out can change the labels.
    """
    text = f" {' '.join(one or 'nan' for one in report_statements)} ".lower()
    return tuple(label for label, keywords in _keywords() if any(word in text for word in keywords))


@cache
def _keywords() -> tuple[tuple[str, tuple[str, ...]], ...]:
    # Not trimmed: the spaces in "mobitz i " and " ventricular tach" count.
    return tuple(
        (row["label"], tuple(row["keywords"].split("|"))) for row in rows("reports/published_xplaim.csv")
    )
