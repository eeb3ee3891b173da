"""Figures: values in, a Matplotlib figure out.

ECG paper (``paper``), tracings (``tracing``), relevance over a tracing
(``relevance``), findings and lead importance (``bars``), training and ROC
curves (``curves``), files (``saving``). Knows no model, no file of recordings
and no pyplot: nothing here has global state.
"""

from __future__ import annotations

from leadlight.figures.saving import save_figure
from leadlight.figures.tracing import plot

__all__ = ["plot", "save_figure"]
