"""Recipes searched for: trials of a model's recipe, kept in a study that can be gone on with.

space.py     which values of a recipe are tried, as TOML; data/ has the shipped spaces
studying.py  the trials, one run folder each, in an Optuna study on disk
saving.py    the best recipe, the table of trials, and the two plots

Trials are judged by the validation fold alone: the test fold is never read here.
"""

from __future__ import annotations

from leadlight.tuning.saving import save
from leadlight.tuning.space import SearchSpace, load_space, shipped
from leadlight.tuning.studying import Tuning, tune

__all__ = ["SearchSpace", "Tuning", "load_space", "save", "shipped", "tune"]
