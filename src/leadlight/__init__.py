"""Leadlight reads twelve-lead ECGs, says which findings they show, and shows why.

Research software, not a medical device.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from leadlight import datasets, labels, models, signal
    from leadlight.classifier import Classifier, Prediction, load
    from leadlight.errors import LeadlightError
    from leadlight.explanation import Explanation, explain
    from leadlight.figures import plot
    from leadlight.files import read, write
    from leadlight.recording import Patient, Recording, Statement
    from leadlight.store import Store, open_store, prepare

# Name -> the module that holds it. Loaded at first use, so that
# `import leadlight` stays quick: torch alone takes seconds.
_HOME = {
    "Classifier": "leadlight.classifier",
    "Explanation": "leadlight.explanation",
    "LeadlightError": "leadlight.errors",
    "Patient": "leadlight.recording",
    "Prediction": "leadlight.classifier",
    "Recording": "leadlight.recording",
    "Statement": "leadlight.recording",
    "Store": "leadlight.store",
    "explain": "leadlight.explanation",
    "load": "leadlight.classifier",
    "open_store": "leadlight.store",
    "plot": "leadlight.figures",
    "prepare": "leadlight.store",
    "read": "leadlight.files",
    "write": "leadlight.files",
}
_ROOMS = ("datasets", "labels", "models", "signal")

__all__ = [
    "Classifier",
    "Explanation",
    "LeadlightError",
    "Patient",
    "Prediction",
    "Recording",
    "Statement",
    "Store",
    "datasets",
    "explain",
    "labels",
    "load",
    "models",
    "open_store",
    "plot",
    "prepare",
    "read",
    "signal",
    "write",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"leadlight.{name}")
    else:
        raise AttributeError(f"module 'leadlight' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
