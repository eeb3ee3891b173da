"""Whether explanations are true, and how a model explains a class over many records.

``measures`` (maps against places), ``perturbing`` (deletion and insertion), ``randomising`` (sanity check),
``places`` and ``regions`` (where a class shows: by the truth of a simulation, by the diagnostic criteria),
``one_record`` and ``measuring`` (all of it, over a fold), ``quality`` and ``saving`` (the result);
``class_explaining``, ``class_explanation`` and ``aligned_beats`` (a class, beat by beat). Not here:
the methods of explanation (``leadlight.explanation``), the table of the criteria (``leadlight.labels``).
"""

from __future__ import annotations

from leadlight.explanation_quality.asking import FAMILIES, MEASURES, Plan
from leadlight.explanation_quality.class_explaining import explain_class
from leadlight.explanation_quality.class_explanation import ClassExplanation
from leadlight.explanation_quality.measuring import measure_explanations
from leadlight.explanation_quality.quality import ExplanationQuality, Summary

__all__ = [
    "FAMILIES",
    "MEASURES",
    "ClassExplanation",
    "ExplanationQuality",
    "Plan",
    "Summary",
    "explain_class",
    "measure_explanations",
]
