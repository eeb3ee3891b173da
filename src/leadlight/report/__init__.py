"""Self-contained HTML pages: one file that needs no network and can be printed.

Here: sections and the page that they are set in (``page``), pages of
explanations (``explanations``), the report of a run (``run``). A page is written
from plain values, figures and files of a run; it knows no model.
"""

from __future__ import annotations

from leadlight.report.explanations import explanation_page
from leadlight.report.page import Markdown, Page, Paragraph, Picture, Section, Table, picture, render
from leadlight.report.run import run_report

__all__ = [
    "Markdown",
    "Page",
    "Paragraph",
    "Picture",
    "Section",
    "Table",
    "explanation_page",
    "picture",
    "render",
    "run_report",
]
