"""Every kind of figure, from values by hand: what the tests of legibility and of images draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from leadlight.figures import (
    Bins,
    Calls,
    Curve,
    Drawn,
    Findings,
    ForestRow,
    ThresholdCurves,
    Value,
    plot,
    plot_by_class,
    plot_confusion,
    plot_cooccurrence,
    plot_distributions,
    plot_explanation,
    plot_forest,
    plot_lead,
    plot_lead_importance,
    plot_lead_waves,
    plot_precision_recall,
    plot_probabilities,
    plot_relevance,
    plot_reliability,
    plot_roc,
    plot_thresholds,
    plot_training,
)
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording

CLASSES = ("CD", "HYP", "MI", "NORM", "STTC")
MANY = tuple(f"CLASS{n}" for n in range(40))
UNIT = np.linspace(0, 1, 21)


def recording() -> Recording:
    """Ten seconds at 100 Hz: a spike and a slow wave every 0.8 s, of another size in each lead."""
    times = np.arange(1000) / 100
    phase = times % 0.8 - 0.3
    beat = 1.2 * np.exp(-((phase / 0.02) ** 2)) + 0.3 * np.exp(-(((phase - 0.25) / 0.05) ** 2))
    size = np.linspace(-1.2, 1.4, 12)[:, np.newaxis]
    return Recording((size * beat).astype(np.float32), STANDARD_LEADS, 100.0)


@dataclass(frozen=True)
class Beats:
    """Beats of that recording."""

    r_peaks: NDArray[np.float64]

    def spans(self, wave: str) -> NDArray[np.float64]:
        first, last = {"P": (-0.2, -0.1), "QRS": (-0.05, 0.05), "ST": (0.05, 0.15), "T": (0.15, 0.35)}[wave]
        return np.column_stack([self.r_peaks + first, self.r_peaks + last])


BEATS = Beats(np.arange(0.3, 10, 0.8))


def multiples(signed: bool = False) -> NDArray[np.float64]:
    """Relevance that lies on the spikes, and grows from lead to lead."""
    size = np.abs(recording().signal) * np.linspace(0.5, 30, 12)[:, np.newaxis]
    result: NDArray[np.float64] = size * np.where(np.arange(1000) % 160 < 80, 1, -1) if signed else size
    return result


FINDINGS = Findings(
    CLASSES, ("conduction", "hypertrophy", "infarction", "normal", "ST-T"),
    np.float32([0.2, 0.05, 0.8, 0.1, 0.4]), np.float32([0.3, 0.2, 0.4, 0.5, 0.4]), "MI",
)  # fmt: skip


def curves(names: tuple[str, ...], falling: bool = False) -> list[Curve]:
    found = []
    for n, name in enumerate(names):
        y = UNIT ** (0.1 + 0.4 * n / len(names))
        if falling:
            y = 1 - UNIT ** (6.0 - 4.0 * n / len(names)) * 0.8
        found.append(
            Curve(name, UNIT, y, UNIT, np.clip(y - 0.08, 0, 1), np.clip(y + 0.06, 0, 1), float(y.mean()),
                  float(y.mean()) - 0.03, float(y.mean()) + 0.02, 40 + n, 322, (0.25, float(y[5])))
        )  # fmt: skip
    return [*found[:-1], Curve(names[-1], *[np.zeros(0)] * 5, np.nan, np.nan, np.nan, 0, 322)]


def calls(names: tuple[str, ...]) -> list[Calls]:
    return [Calls(name, 60 + n, 14, 1200 + n, 40_000) for n, name in enumerate(names)]


def values(names: tuple[str, ...], shift: float = 0.0) -> dict[str, Value]:
    found = {name: Value(0.9 - 0.5 * n / len(names) + shift, 0.3, 0.95) for n, name in enumerate(names)}
    return {**found, "NONE": Value(np.nan)}


def bins(names: tuple[str, ...]) -> list[Bins]:
    middle = np.arange(0.05, 1, 0.1)
    records = np.array([900, 300, 90, 40, 20, 12, 9, 14, 30, 60])
    return [
        Bins(name, middle - 0.05, middle + 0.05, middle, middle**1.5, middle**1.5 * 0.8,
             middle**1.5 * 0.8 + 0.2, records, 100 - n, 0.04)
        for n, name in enumerate(names)
    ]  # fmt: skip


def thresholds(names: tuple[str, ...]) -> list[ThresholdCurves]:
    columns = {
        "sensitivity": 1 - UNIT**2, "specificity": UNIT**0.3, "precision (PPV)": 0.3 + 0.6 * UNIT,
        "F1": 0.8 - (UNIT - 0.4) ** 2,
    }  # fmt: skip
    return [ThresholdCurves(name, UNIT, columns, 0.4, 0.3, 0.55) for name in names]


def forest(n_groups: int) -> list[ForestRow]:
    rows = [
        ForestRow(f"group {n}", 0.01 * (n - 2), 0.01 * (n - 2) - 0.015, 0.01 * (n - 2) + 0.015,
                  count=f"n = {100 * n:,}", heading="sex" if n < 2 else "age")
        for n in range(n_groups)
    ]  # fmt: skip
    return [*rows, ForestRow("80 and over", np.nan, count="n = 4", remark="too few to say", heading="age")]


EPOCHS: list[dict[str, float]] = [
    {"epoch": n + 1.0, "train_loss": 0.7 / (n + 1), "validation_loss": 0.6 / (n + 1) ** 0.5,
     "validation_macro_auc": 0.9 - 0.3 / (n + 1) - 0.0008 * n, "learning_rate": 0.003 * np.exp(-n / 5)}
    for n in range(20)
]  # fmt: skip
WAVES = ("P", "QRS", "ST", "T")
BY_WAVE = np.linspace(-2.5, 3.0, 48).reshape(12, 4)
TOGETHER = np.array([[74, 13, 26, 5, 14], [13, 35, 10, 0, 16], [26, 10, 68, 0, 21], [5, 0, 0, 157, 1],
                     [14, 16, 21, 1, 76]])  # fmt: skip
SIGNED, TRACE = Drawn("bands", True, "relevance"), Drawn("trace", True, "relevance")
LEADS_SHARE = np.linspace(0.02, 0.1466, 12)

GALLERY: dict[str, Callable[[], Figure]] = {
    "tracing-3x4": lambda: plot(recording(), "3x4", title="A title"),
    "tracing-6x2": lambda: plot(recording(), "6x2"),
    "tracing-12x1": lambda: plot(recording(), "12x1"),
    "tracing-single": lambda: plot(recording(), "single"),
    "relevance-bands": lambda: plot_relevance(recording(), multiples()),
    "relevance-trace": lambda: plot_relevance(recording(), multiples(), drawn=Drawn("trace")),
    "relevance-signed": lambda: plot_relevance(recording(), multiples(True), drawn=SIGNED),
    "relevance-signed-trace": lambda: plot_relevance(recording(), multiples(True), drawn=TRACE),
    "explanation": lambda: plot_explanation(recording(), multiples(), LEADS_SHARE, FINDINGS),
    "explanation-one-map": lambda: plot_explanation(recording(), multiples(), None, FINDINGS),
    "close-up": lambda: plot_lead(recording(), "V5", 1.0, 3.0, beats=BEATS),
    "close-up-relevance": lambda: plot_lead(
        recording(), "V6", 1.0, 2.5, beats=BEATS, multiples=multiples(True), drawn=TRACE
    ),
    "lead-importance": lambda: plot_lead_importance(STANDARD_LEADS, LEADS_SHARE),
    "probabilities": lambda: plot_probabilities(CLASSES, FINDINGS.probabilities, FINDINGS.thresholds),
    "lead-waves": lambda: plot_lead_waves(
        STANDARD_LEADS, WAVES, np.abs(BY_WAVE) * 4, foot="Mean of 12 beats."
    ),
    "lead-waves-signed": lambda: plot_lead_waves(
        STANDARD_LEADS, WAVES, BY_WAVE, signed=True, unit="fall of the logit", title="MI"
    ),
    "roc": lambda: plot_roc(curves(CLASSES)),
    "roc-many": lambda: plot_roc(curves(MANY)),
    "precision-recall": lambda: plot_precision_recall(curves(CLASSES, falling=True)),
    "confusion": lambda: plot_confusion(calls(CLASSES)),
    "confusion-one": lambda: plot_confusion(calls(("MI",))),
    "confusion-many": lambda: plot_confusion(calls(MANY)),
    "by-class": lambda: plot_by_class({"one": values(CLASSES), "another": values(CLASSES, 0.05)}, "F1"),
    "by-class-many": lambda: plot_by_class({"one": values(MANY)}, "F1"),
    "distributions": lambda: plot_distributions(
        {"one": values(MANY), "another of a long name indeed": values(MANY, 0.05), "x": values(MANY, -0.1)},
        "F1",
    ),
    "reliability": lambda: plot_reliability(bins(CLASSES), bins(CLASSES)),
    "reliability-many": lambda: plot_reliability(bins(MANY)),
    "thresholds": lambda: plot_thresholds(thresholds(CLASSES)),
    "thresholds-many": lambda: plot_thresholds(thresholds(MANY)),
    "forest": lambda: plot_forest(
        forest(5), "gap", reference=0.0, sides=("lower here", "higher here"), foot="Filled: leaves out 0."
    ),
    "cooccurrence": lambda: plot_cooccurrence(CLASSES, TOGETHER),
    "cooccurrence-many": lambda: plot_cooccurrence(MANY, np.full((40, 40), 3) + np.diag([20] * 40)),
    "training": lambda: plot_training(EPOCHS),
}  # fmt: skip
