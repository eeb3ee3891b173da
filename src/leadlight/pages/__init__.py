"""Self-contained HTML pages: one file that needs no network and can be printed.

Here: sections and the page that they are set in (``page``), and pages of explanations
(``explanations``). A page is written from plain values and figures; it knows no model and no run.
"""

from __future__ import annotations

from leadlight.pages.explanations import explanation_page
from leadlight.pages.page import (
    Block,
    Heading,
    Markdown,
    Page,
    Paragraph,
    Picture,
    Section,
    Table,
    picture,
    render,
)

__all__ = [
    "Block",
    "Heading",
    "Markdown",
    "Page",
    "Paragraph",
    "Picture",
    "Section",
    "Table",
    "explanation_page",
    "picture",
    "render",
]
