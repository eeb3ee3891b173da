"""Explanations: where a model looked in one recording, and how to read that.

Here: the methods (``methods``, one file each; ``method`` says what one is), ``explain``
(``explaining``), the value (``explanation``), what a prediction reads (``reading``), how gradients pass
(``passing``), where layers lie on the signal (``cam_layers``), beats and waves (``beats``), the
composition of attention (``attention``), the part of a page (``page``). Not here: how it is drawn
(``leadlight.figures``) and set as HTML (``leadlight.pages``).
"""

from __future__ import annotations

from leadlight.explanation.attention import compose, published_relevance
from leadlight.explanation.beats import Beats, find_beats
from leadlight.explanation.explaining import explain
from leadlight.explanation.explanation import Cost, Explanation
from leadlight.explanation.method import Method
from leadlight.explanation.methods import METHODS

__all__ = [
    "METHODS",
    "Beats",
    "Cost",
    "Explanation",
    "Method",
    "compose",
    "explain",
    "find_beats",
    "published_relevance",
]
