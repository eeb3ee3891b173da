"""A page of sections, set as one HTML file without anything from outside.

Every text is escaped; pictures are part of the file; a content security policy
in the page itself forbids scripts and everything from the network.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.figure import Figure

DISCLAIMER = "Research software, not a medical device: not for diagnosis or treatment."


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text. tone: "plain", "missing" or "note"."""

    text: str
    tone: str = "plain"
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Picture:
    """A picture. source: a data URL; alt: what it shows, for those who do not see it; width: millimetres."""

    source: str
    alt: str
    width: float
    caption: str = ""
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Table:
    """Rows with the same keys; the rows whose numbers are in ``strong`` are set in bold."""

    rows: Sequence[Mapping[str, Any]]
    caption: str = ""
    strong: frozenset[int] = frozenset()
    kind: ClassVar[str] = "table"

    @property
    def numeric(self) -> frozenset[str]:
        """Names of the columns that hold numbers only, and are set flush right."""
        names = self.rows[0] if self.rows else ()
        return frozenset(
            name for name in names if all(isinstance(row[name], int | float | None) for row in self.rows)
        )


@dataclass(frozen=True)
class Markdown:
    """A text in Markdown. HTML in it is shown as text, pictures are left out."""

    text: str
    kind: ClassVar[str] = "markdown"

    @property
    def html(self) -> str:
        """The text as HTML, headings two levels down."""
        from markdown_it import MarkdownIt

        parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
        tokens = parser.parse(self.text)
        for token in tokens:
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        html: str = parser.renderer.render(tokens, parser.options, {})
        return html


@dataclass(frozen=True)
class Heading:
    """A heading within a section, one level below the section's own; the contents list it."""

    text: str
    kind: ClassVar[str] = "heading"


Block = Paragraph | Picture | Table | Markdown | Heading


@dataclass(frozen=True)
class Section:
    """A part of a page."""

    title: str
    blocks: Sequence[Block]

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings within, in order."""
        return tuple(block.text for block in self.blocks if isinstance(block, Heading))


@dataclass(frozen=True)
class Page:
    """A page: its title, sections in order, and the sentence below the title."""

    title: str
    sections: Sequence[Section]
    lead: str = ""


def picture(figure: Figure, alt: str, caption: str = "") -> Picture:
    """A figure as a picture of a page, drawn in lines (SVG), in its true size when printed at 100%."""
    from leadlight.figures.paper import MM_PER_INCH
    from leadlight.figures.saving import encode_figure

    encoded = base64.b64encode(encode_figure(figure, ".svg")).decode("ascii")
    width = float(figure.get_size_inches()[0]) * MM_PER_INCH
    return Picture(f"data:image/svg+xml;base64,{encoded}", alt, width, caption)


def render(page: Page) -> str:
    """The page as one HTML file."""
    from leadlight import __version__

    return _template().render(page=page, version=__version__, disclaimer=DISCLAIMER)


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = _cell
    environment.tests["measured"] = _is_measured
    return environment.get_template("page.html")


def _is_measured(text: str) -> bool:
    """Whether a cell is a number with its interval, which stays on one line, rather than words."""
    return len(text) <= 24 and any(letter.isdigit() for letter in text)


def _cell(value: Any) -> str:
    """A value of a table: what is not there is a dash, numbers with three decimals."""
    if value is None or value != value:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
