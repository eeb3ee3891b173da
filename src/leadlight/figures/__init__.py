"""Figures: values in, a Matplotlib figure out.

ECG paper (``paper``), tracings (``arrangement``, ``placement``, ``tracing``),
relevance behind a tracing (``relevance``), lead importance and probabilities
(``bars``), training and ROC curves (``curves``), files (``saving``). Knows no
model, no file of recordings and no pyplot: nothing here has global state.
"""

from __future__ import annotations

from leadlight.figures.bars import Findings, plot_lead_importance, plot_probabilities
from leadlight.figures.curves import plot_roc, plot_training
from leadlight.figures.relevance import plot_explanation, plot_relevance
from leadlight.figures.saving import save_figure
from leadlight.figures.tracing import plot

__all__ = [
    "Findings",
    "plot",
    "plot_explanation",
    "plot_lead_importance",
    "plot_probabilities",
    "plot_relevance",
    "plot_roc",
    "plot_training",
    "save_figure",
]
