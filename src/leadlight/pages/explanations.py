"""A page of explanations: one section a recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from leadlight.errors import LeadlightError
from leadlight.pages.page import Page, Section, render


class Explained(Protocol):
    """Whatever can set itself as a section; a ``leadlight.Explanation`` does."""

    def section(self, title: str, layout: str = "auto") -> Section:
        """The section with this title; layout: of the tracing."""
        ...


def explanation_page(
    explanations: Sequence[Explained], titles: Sequence[str] | None = None, layout: str = "auto"
) -> str:
    """One self-contained HTML page of explanations.

    titles: one a recording; by default they are numbered, as the name of a file
    may be that of a patient. layout: of the tracings.
    """
    if not explanations:
        raise LeadlightError("explanation_page: found no explanation; accepted: at least one.")
    numbered = [f"Recording {number}" for number in range(1, len(explanations) + 1)]
    names = titles or (numbered if len(numbered) > 1 else ["The recording"])
    sections = [one.section(name, layout) for one, name in zip(explanations, names, strict=True)]
    title = "An ECG explained" if len(sections) == 1 else f"{len(sections)} ECGs explained"
    return render(Page(title, sections, "What a model finds, and where it looked."))
