"""Findings and label spaces: tables as data files, and the small engine that reads them.

``findings.py``: the vocabulary that all sources share; ``meanings.py``: what a source's
statement says in it; ``coverage.py``: what a collection's labelling can tell;
``spaces.py``: label spaces, with ``encoding.py``, which turns statements into targets;
``tables.py`` reads the spaces from ``data/``; ``own.py``: spaces of a user's own labels;
``between.py`` and ``lookup.py``: what a mapping loses, and everything known of a code;
``criteria.py``: which leads and parts of the beat the criteria of a finding look at.
What a data set's own files say about its records lives in ``leadlight.datasets``.
"""

from __future__ import annotations

from leadlight.labels.between import ClassMapping, LostCode, Origin, SpaceMapping, mapping
from leadlight.labels.challenge_weights import challenge_weights
from leadlight.labels.coverage import Coverage, coverage, sources
from leadlight.labels.criteria import Criterion, criteria, criterion, without_place
from leadlight.labels.findings import Finding, broader, findings, narrower
from leadlight.labels.lookup import KnownFinding, Match, known_of, look_up
from leadlight.labels.meanings import SystemCode, codes, meanings, systems
from leadlight.labels.own import own_space, own_system
from leadlight.labels.spaces import LabelClass, LabelSpace, Targets
from leadlight.labels.tables import StatementMeaning, names, space, statements

__all__ = [
    "ClassMapping",
    "Coverage",
    "Criterion",
    "Finding",
    "KnownFinding",
    "LabelClass",
    "LabelSpace",
    "LostCode",
    "Match",
    "Origin",
    "SpaceMapping",
    "StatementMeaning",
    "SystemCode",
    "Targets",
    "broader",
    "challenge_weights",
    "codes",
    "coverage",
    "criteria",
    "criterion",
    "findings",
    "known_of",
    "look_up",
    "mapping",
    "meanings",
    "names",
    "narrower",
    "own_space",
    "own_system",
    "sources",
    "space",
    "statements",
    "systems",
    "without_place",
]
