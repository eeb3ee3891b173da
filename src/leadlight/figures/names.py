"""Text that fits: how wide it is, what of a long name is shown, where a sentence is broken."""

from __future__ import annotations

import re

from leadlight.figures.paper import MM_PER_INCH, points

_BREAKS = re.compile(r"(?<=[-_/: .,])")


def text_width(text: str, size: float) -> float:
    """Millimetres that a text takes in the figures' own letters; size: their height in millimetres."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    letters = FontProperties(size=points(size))
    width, _, _ = text_to_path.get_text_width_height_descent(text, letters, False)
    return float(width) / 72 * MM_PER_INCH


def fitted(name: str, room: float, size: float, lines: int = 1) -> str:
    """A name within so many millimetres, on so many lines (1 or 2) at most.

    A long name is broken where its parts end. One that is too long for that loses its middle: its beginning
    says what it is, its end tells runs of one kind apart.
    """
    if text_width(name, size) <= room:
        return name
    if lines > 1:
        for place in sorted((found.start() for found in _BREAKS.finditer(name)), reverse=True):
            first, last = name[:place].rstrip(), name[place:].lstrip()
            if first and max(text_width(first, size), text_width(last, size)) <= room:
                return f"{first}\n{last}"
        first = next((name[:n] for n in range(len(name), 0, -1) if text_width(name[:n], size) <= room), "")
        rest = range(max(1, len(first)), len(name))
        last = next((f"…{name[n:]}" for n in rest if text_width(f"…{name[n:]}", size) <= room), "…")
        return f"{first}\n{last}"
    for kept in range(len(name) - 1, 1, -1):
        shown = f"{name[: kept - kept // 2]}…{name[len(name) - kept // 2 :]}"
        if text_width(shown, size) <= room:
            return shown
    return name[:1] + "…"


def wrapped(text: str, room: float, size: float) -> list[str]:
    """A sentence in as many lines as it takes within so many millimetres, broken between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
