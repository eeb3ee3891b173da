"""The value that an explanation is: relevance for every lead and sample, and what it means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight.recording import Recording
from leadlight.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from leadlight.classifier import Prediction
    from leadlight.report import Section

FORMATS = (".png", ".svg", ".pdf", ".html", ".json")
DISCLAIMER = "Research software, not a medical device."


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where a model looked in one recording.

    relevance: (leads, samples), sums to one; uniform: the same for a model that
    looks everywhere alike; recording: as the model saw it; method; target: code of
    the class that was asked for, or None; class_dependent: whether the map would
    be another one for another class; signed: whether it tells evidence for from
    evidence against; meaning: how to read it, in sentences; lead_importance:
    (leads,), sums to one; parts: what it was made of; prediction; notes.
    """

    relevance: NDArray[np.float64]
    uniform: NDArray[np.float64]
    recording: Recording
    method: str
    target: str | None
    class_dependent: bool
    signed: bool
    meaning: tuple[str, ...]
    lead_importance: NDArray[np.float64]
    parts: Mapping[str, NDArray[np.float32]]
    prediction: Prediction
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("relevance", "uniform", "lead_importance"):
            view = np.asarray(getattr(self, name), dtype=np.float64).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __repr__(self) -> str:
        # Not the recording's source: a repr ends up in logs.
        return f"Explanation({self.method}, target {self.target}, most of it in {self.leading_leads()})"

    @property
    def multiples(self) -> NDArray[np.float64]:
        """Relevance in multiples of what a model that looks everywhere alike would give: (leads, samples)."""
        result: NDArray[np.float64] = self.relevance / self.uniform
        return result

    def leading_leads(self, n: int = 3) -> str:
        """The n leads that count most, with their shares: "V2 21%, II 14%, V3 12%"."""
        order = np.argsort(-self.lead_importance, kind="stable")[:n]
        return ", ".join(f"{self.recording.leads[i]} {100 * self.lead_importance[i]:.0f}%" for i in order)

    def caption(self) -> str:
        """What the figure shows and what it does not, in sentences."""
        return " ".join((*self.meaning, DISCLAIMER))

    def figure(self, layout: str = "auto", title: str = "") -> Figure:
        """One page: tracing with relevance, lead importance, probabilities with thresholds, caption.

        layout, title: as ``leadlight.plot`` takes them. A Matplotlib figure, to
        scale when saved as PDF or SVG and printed at 100%.
        """
        from leadlight.figures import Findings, plot_explanation

        said = self.prediction
        findings = Findings(said.classes, said.descriptions, said.probabilities, said.thresholds, self.target)
        return plot_explanation(
            self.recording,
            self.multiples,
            self.lead_importance,
            findings,
            layout,
            0.0,
            title,
            (self.caption(),),
        )

    def tracing(self, layout: str = "auto", title: str = "") -> Figure:
        """The tracing with relevance behind it and a colour bar alone."""
        from leadlight.figures import plot_relevance

        return plot_relevance(self.recording, self.multiples, layout, 0.0, title)

    def section(self, title: str, layout: str = "auto") -> Section:
        """This explanation as a part of a page."""
        from leadlight.explanation.page import explanation_section

        return explanation_section(self, title, layout)

    def to_dict(self, *, maps: bool = True) -> dict[str, Any]:
        """Plain values, for JSON. maps: with relevance and the attention it was made of, number by number."""
        summary = {
            "method": self.method,
            "target": self.target,
            "class_dependent": self.class_dependent,
            "signed": self.signed,
            "meaning": list(self.meaning),
            "prediction": self.prediction.to_dict(),
            "sampling_rate": self.recording.sampling_rate,
            "leads": list(self.recording.leads),
            "lead_importance": _plain(self.lead_importance),
            "notes": list(self.notes),
        }
        if not maps:
            return summary
        return {
            **summary,
            "relevance": _plain(self.relevance),
            "uniform": _plain(self.uniform),
            "parts": {name: _plain(values) for name, values in self.parts.items()},
        }

    def save(self, path: str | Path, layout: str = "auto", title: str = "") -> Path:
        """Write the figure (.png, .svg, .pdf), a self-contained page (.html) or the numbers (.json).

        Returns the path. Raises LeadlightError for another suffix.
        """
        from leadlight.figures.saving import check_suffix, save_figure

        path = Path(path)
        suffix = check_suffix(path, FORMATS)
        if suffix not in (".html", ".json"):
            return save_figure(self.figure(layout, title), path)
        if suffix == ".json":
            text = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)
        else:
            from leadlight.report import explanation_page

            text = explanation_page([self], titles=[title] if title else None, layout=layout)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
        return path


def _plain(values: NDArray[Any]) -> Any:
    """Lists of numbers with the seven digits that single precision has."""
    if values.ndim:
        return [_plain(row) for row in values]
    return float(f"{float(values):.7g}")
