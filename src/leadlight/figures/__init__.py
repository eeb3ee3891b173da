"""Figures: values in, a Matplotlib figure out.

ECG paper (``paper``), tracings (``arrangement``, ``placement``, ``tracing``),
one lead close up (``close_up``), relevance on a tracing (``relevance``,
``relevance_colours``) and by lead and wave (``heat_map``), lead importance and
probabilities (``bars``), a class's mean beats (``class_beats``). Charts
(``chart``): training (``training``), ROC and
precision-recall (``curves``), confusion matrices (``confusion``), metrics over
classes and models (``distributions``), ``reliability``, ``thresholds``, forest
plots (``forest``), label co-occurrence (``cooccurrence``). Files (``saving``).
Knows no model, no file of recordings and no pyplot: nothing here has global state.
"""

from __future__ import annotations

from leadlight.figures.bars import Findings, plot_lead_importance, plot_probabilities
from leadlight.figures.class_beats import BeatColumn, plot_class
from leadlight.figures.close_up import plot_lead
from leadlight.figures.confusion import Calls, plot_confusion
from leadlight.figures.cooccurrence import plot_cooccurrence
from leadlight.figures.curves import Curve, plot_precision_recall, plot_roc
from leadlight.figures.distributions import Value, plot_by_class, plot_distributions
from leadlight.figures.forest import ForestRow, plot_forest
from leadlight.figures.heat_map import plot_lead_waves
from leadlight.figures.relevance import Drawn, plot_explanation, plot_relevance
from leadlight.figures.reliability import Bins, plot_reliability
from leadlight.figures.saving import save_figure
from leadlight.figures.thresholds import ThresholdCurves, plot_thresholds
from leadlight.figures.tracing import plot
from leadlight.figures.training import plot_training

__all__ = [
    "BeatColumn",
    "Bins",
    "Calls",
    "Curve",
    "Drawn",
    "Findings",
    "ForestRow",
    "ThresholdCurves",
    "Value",
    "plot",
    "plot_by_class",
    "plot_class",
    "plot_confusion",
    "plot_cooccurrence",
    "plot_distributions",
    "plot_explanation",
    "plot_forest",
    "plot_lead",
    "plot_lead_importance",
    "plot_lead_waves",
    "plot_precision_recall",
    "plot_probabilities",
    "plot_relevance",
    "plot_reliability",
    "plot_roc",
    "plot_thresholds",
    "plot_training",
    "save_figure",
]
