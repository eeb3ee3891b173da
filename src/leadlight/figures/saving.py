"""Figures to files: PNG, SVG and PDF, the same bytes for the same figure."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from leadlight.errors import LeadlightError
from leadlight.writing import write_whole

FORMATS = (".png", ".svg", ".pdf")

# No date and no random names: the same figure makes the same file.
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": "Leadlight"},
    ".svg": {"Date": None, "Creator": "Leadlight"},
    ".pdf": {"CreationDate": None, "Creator": "Leadlight"},
}


def check_suffix(path: str | Path, accepted: tuple[str, ...] = FORMATS) -> str:
    """The suffix of a file to be written, in lower case; LeadlightError for one that is not accepted."""
    suffix = Path(path).suffix.lower()
    if suffix not in accepted:
        raise LeadlightError(
            f"{Path(path).name}: found the suffix {suffix or '(none)'}; accepted: {', '.join(accepted)}. "
            "The suffix decides the format."
        )
    return suffix


def encode_figure(figure: Figure, suffix: str) -> bytes:
    """A figure as the bytes of a PNG, SVG or PDF file. suffix: one of FORMATS."""
    buffer = io.BytesIO()
    # Text stays text in a PDF; an SVG draws it, so that it looks the same whatever the fonts. A
    # reader's own settings must not cut the page: it would no longer be to scale.
    with rc_context(
        {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "leadlight", "savefig.bbox": None}
    ):
        figure.savefig(buffer, format=suffix[1:], dpi=figure.dpi, metadata=_METADATA[suffix])
    return buffer.getvalue()


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure to scale; the suffix (.png, .svg, .pdf) decides the format. Returns the path.

    Raises LeadlightError for another suffix.
    """
    path = Path(path)
    encoded = encode_figure(figure, check_suffix(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, encoded)
    return path
