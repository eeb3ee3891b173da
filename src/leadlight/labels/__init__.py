"""Findings and label spaces: tables as data files, and the small engine that reads them.

``spaces.py`` turns statements into targets, ``tables.py`` reads ``data/``: the
statements of SCP-ECG as PTB-XL uses them, and each label space with its classes
in order. What a data set's own files say about its records lives in
``leadlight.datasets``, not here.
"""

from __future__ import annotations

from leadlight.labels.findings import Finding, findings
from leadlight.labels.spaces import LabelClass, LabelSpace, Targets
from leadlight.labels.tables import StatementMeaning, names, space, statements

__all__ = [
    "Finding",
    "LabelClass",
    "LabelSpace",
    "StatementMeaning",
    "Targets",
    "findings",
    "names",
    "space",
    "statements",
]
