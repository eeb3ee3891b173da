"""The report of a run: everything that is known of it, on one self-contained HTML page.

files: what a run holds on disk. drawings: the figures of an evaluation. about: data, recipe, training, model
card. measurements: an evaluation as sections. choosing, examples: recordings worth a look, and why the model
says what it says of them. run: all of it together.
"""

from __future__ import annotations

from leadlight.report.choosing import Choice, choose_examples
from leadlight.report.drawings import Drawing, draw_evaluation, save_drawings
from leadlight.report.examples import explain_examples
from leadlight.report.run import run_report

__all__ = [
    "Choice",
    "Drawing",
    "choose_examples",
    "draw_evaluation",
    "explain_examples",
    "run_report",
    "save_drawings",
]
