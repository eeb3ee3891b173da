"""The value that an explanation is: relevance for every lead and sample, and what it means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight.recording import Recording
from leadlight.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from leadlight.classifier import Prediction
    from leadlight.figures import Drawn
    from leadlight.pages import Section

FORMATS = (".png", ".svg", ".pdf", ".html", ".json", ".npz")
DISCLAIMER = "Research software, not a medical device."


@dataclass(frozen=True)
class Cost:
    """What an explanation took.

    forward_passes, backward_passes: model inputs that went through the network, and back; a window
    of a long recording is an input of its own; seconds: by the clock; targets: that were explained
    together for it.
    """

    forward_passes: int = 0
    backward_passes: int = 0
    seconds: float = 0.0
    targets: int = 1

    def __str__(self) -> str:
        passes = f"{self.forward_passes:,} forward"
        if self.backward_passes:
            passes += f" and {self.backward_passes:,} backward"
        together = f", {self.targets} targets together" if self.targets > 1 else ""
        return f"{passes} passes, {self.seconds:.2g} s{together}"


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where a model looked in one recording.

    relevance: (leads, samples), in ``unit``; uniform: shares that sum to one, as of a model that
    looks everywhere alike; recording: as the model saw it, the whole of what the prediction read;
    method: its name; target: code of the class that was asked for, or None; class_dependent: whether
    the map would be another one for another class; signed: whether it tells evidence for (above 0) from
    evidence against (below 0); meaning: how to read it, in sentences; lead_importance: (leads,), shares
    of all absolute relevance; parts: what it was made of; prediction; notes; unit: what a number of
    ``relevance`` is; leads_apart: False where all leads share one map; baseline: what stood in
    place of what was taken away, "" where nothing was; cost; settings: of the method; facts: single
    numbers, such as the target's logit; beside: relevance of age and sex, for models that read them.
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
    unit: str = "share of the whole"
    leads_apart: bool = True
    baseline: str = ""
    cost: Cost = Cost()
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    beside: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("relevance", "uniform", "lead_importance"):
            view = np.asarray(getattr(self, name), dtype=np.float64).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __repr__(self) -> str:
        # Not the recording's source: a repr ends up in logs.
        most = f"most of it in {self.leading_leads()}" if self.leads_apart else "one map for all leads"
        return f"Explanation({self.method}, target {self.target}, {most})"

    @property
    def shares(self) -> NDArray[np.float64]:
        """Absolute relevance that sums to one, (leads, samples); zero where all of it is zero."""
        absolute: NDArray[np.float64] = np.abs(self.relevance)
        total = absolute.sum()
        return absolute if total == 0 else absolute / total

    @property
    def multiples(self) -> NDArray[np.float64]:
        """Absolute relevance in multiples of what it would be everywhere alike: (leads, samples)."""
        result: NDArray[np.float64] = np.divide(
            self.shares, self.uniform, out=np.zeros_like(self.uniform), where=self.uniform > 0
        )
        return result

    @property
    def signed_multiples(self) -> NDArray[np.float64]:
        """``multiples`` with the sign of the relevance: evidence for the target above 0, against below."""
        return np.sign(self.relevance) * self.multiples

    def leading_leads(self, n: int = 3) -> str:
        """The n leads that count most, with their shares: "V2 21%, II 14%, V3 12%"."""
        if not self.leads_apart:
            return "all leads, which share one map"
        order = np.argsort(-self.lead_importance, kind="stable")[:n]
        return ", ".join(f"{self.recording.leads[i]} {100 * self.lead_importance[i]:.0f}%" for i in order)

    def caption(self) -> str:
        """What the figure shows and what it does not, in sentences."""
        return " ".join((*self.meaning, DISCLAIMER))

    def figure(self, layout: str = "auto", title: str = "", style: str = "bands") -> Figure:
        """One page: tracing with relevance, lead importance, probabilities with thresholds, caption.

        layout, title: as ``leadlight.plot`` takes them; style: relevance as "bands" behind the trace, or
        as the colour of the "trace". A Matplotlib figure, to scale when saved as PDF or SVG and printed
        at 100%.
        """
        from leadlight.figures import Findings, plot_explanation

        said = self.prediction
        findings = Findings(said.classes, said.descriptions, said.probabilities, said.thresholds, self.target)
        return plot_explanation(
            self.recording,
            self.drawn_multiples,
            self.lead_importance if self.leads_apart else None,
            findings,
            layout,
            0.0,
            title,
            (self.caption(),),
            self.drawn(style),
        )

    def tracing(self, layout: str = "auto", title: str = "", style: str = "bands") -> Figure:
        """The tracing with relevance on it and a colour bar alone."""
        from leadlight.figures import plot_relevance

        multiples = self.drawn_multiples
        return plot_relevance(self.recording, multiples, layout, 0.0, title, drawn=self.drawn(style))

    @property
    def drawn_multiples(self) -> NDArray[np.float64]:
        """What figures show: ``signed_multiples`` of a signed map, else ``multiples``."""
        return self.signed_multiples if self.signed else self.multiples

    def drawn(self, style: str = "bands") -> Drawn:
        """How figures draw this map."""
        from leadlight.figures import Drawn

        what = "attention" if self.method == "attention" else "relevance"
        return Drawn(style, self.signed, what)

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
            "unit": self.unit,
            "leads_apart": self.leads_apart,
            "baseline": self.baseline,
            "settings": dict(self.settings),
            "cost": asdict(self.cost),
            "facts": {name: _plain(np.asarray(value)) for name, value in self.facts.items()},
            "beside": {name: _plain(np.asarray(value)) for name, value in self.beside.items()},
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

    def save(self, path: str | Path, layout: str = "auto", title: str = "", style: str = "bands") -> Path:
        """Write the figure (.png, .svg, .pdf), a self-contained page (.html) or the numbers (.json, .npz).

        .npz: ``relevance``, ``uniform``, ``lead_importance``, ``signal`` (mV), each of ``parts`` as
        ``part: NAME``, and ``about``, the rest as JSON. It is read with numpy.load, unpickling nothing.

        Returns the path. Raises LeadlightError for another suffix.
        """
        from leadlight.figures.saving import check_suffix, save_figure

        path = Path(path)
        suffix = check_suffix(path, FORMATS)
        if suffix not in (".html", ".json", ".npz"):
            return save_figure(self.figure(layout, title, style), path)
        if suffix == ".json":
            content = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False).encode()
        elif suffix == ".npz":
            content = self._arrays()
        else:
            from leadlight.pages import explanation_page

            page = explanation_page([self], titles=[title] if title else None, layout=layout)
            content = page.encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
        return path

    def _arrays(self) -> bytes:
        about = json.dumps(self.to_dict(maps=False), ensure_ascii=False, allow_nan=False)
        stream = BytesIO()
        np.savez_compressed(
            stream,
            allow_pickle=False,
            relevance=self.relevance,
            uniform=self.uniform,
            lead_importance=self.lead_importance,
            signal=self.recording.signal,
            about=np.array(about),
            **{f"part: {name}": values for name, values in self.parts.items()},
        )
        return stream.getvalue()


def _plain(values: NDArray[Any]) -> Any:
    """Lists of numbers with the seven digits that single precision has; None for what is no number."""
    if values.ndim:
        return [_plain(row) for row in values]
    number = float(values)
    return float(f"{number:.7g}") if np.isfinite(number) else None
