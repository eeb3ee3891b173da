"""Many models, recipes and seeds, trained and measured alike, in one table.

suite.py     what is trained and measured, as TOML; data/ has the suites of the papers
running.py   does it, entry by entry, and goes on where it was cut short
table.py     results beside the published numbers: rows, Markdown, CSV

A suite is nothing but ``leadlight train`` and ``leadlight evaluate``, repeated: each run can be used alone.
"""

from __future__ import annotations

from leadlight.suites.running import Outcome, run_suite
from leadlight.suites.suite import Entry, Published, Suite, load_suite, shipped
from leadlight.suites.table import Result, results, to_csv, to_markdown

__all__ = [
    "Entry",
    "Outcome",
    "Published",
    "Result",
    "Suite",
    "load_suite",
    "results",
    "run_suite",
    "shipped",
    "to_csv",
    "to_markdown",
]
