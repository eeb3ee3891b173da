"""Explanations: where a model looked in one recording, and how to read that.

Here: the composition of attention (``attention``), the value (``explanation``),
``explain`` and its methods (``explaining``), the part of a page (``page``). Not
here: how it is drawn (``leadlight.figures``) and set as HTML (``leadlight.report``).
"""

from __future__ import annotations

from leadlight.explanation.attention import compose, published_relevance
from leadlight.explanation.explaining import METHODS, explain
from leadlight.explanation.explanation import Cost, Explanation

__all__ = ["METHODS", "Cost", "Explanation", "compose", "explain", "published_relevance"]
