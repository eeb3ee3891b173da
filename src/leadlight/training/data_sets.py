"""Which data sets a run learns from, and how much each gives: for the contract and environment.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from leadlight import datasets
from leadlight.store import Part, Selection, Store, part_of_rows, parts_of


def data_parts(store: Store, training: Selection, validation: Selection) -> list[dict[str, Any]]:
    """Each data set within a store: name, version, title, licence, records for training and validation.

    Parts of one version of one data set count as one.
    """
    parts = parts_of(store)
    used = {
        "training records": np.bincount(part_of_rows(store, training.rows), minlength=len(parts)),
        "validation records": np.bincount(part_of_rows(store, validation.rows), minlength=len(parts)),
    }
    known: dict[tuple[str, str], dict[str, Any]] = {}
    for place, part in enumerate(parts):
        counts = {what: int(numbers[place]) for what, numbers in used.items()}
        before = known.setdefault((part.dataset, part.version), described(part))
        before["counts"] = {what: before["counts"].get(what, 0) + n for what, n in counts.items()}
    return list(known.values())


def set_aside(store: Store) -> dict[str, int]:
    """How many records of the data sets are not in the store at all, by reason."""
    reasons = Counter(
        next(
            (what for words, what in _REASONS.items() if one["reason"].startswith(words)),
            "set aside when prepared",
        )
        for one in store.description["set_aside"]
    )
    return dict(reasons)


_REASONS = {
    "the same recording as": "copies of a recording that is there",
    "its patient stands in fold": "of a patient who stands in another fold",
}
"""How the reasons of ``store.combining`` begin -> in few words."""


def described(part: Part) -> dict[str, Any]:
    """What is known of a data set, with counts left to be filled."""
    dataset = datasets.describe(part.dataset)
    simulated = part.version == datasets.SIMULATED_VERSION
    return {
        "dataset": dataset.name,
        "version": part.version,
        "title": f"Recordings in the layout of {_short(dataset.title)}" if simulated else dataset.title,
        "licence": "none needed" if simulated else dataset.licence,
        "counts": {},
    }


def training_data(parts: Sequence[dict[str, Any]], counts: dict[str, int]) -> dict[str, Any]:
    """The contract's table of this name; counts: over all parts."""
    if len(parts) == 1:
        return {**parts[0], "counts": counts}
    versions = {part["version"] for part in parts}
    return {
        "dataset": " + ".join(dict.fromkeys(part["dataset"] for part in parts)),
        "version": versions.pop() if len(versions) == 1 else "",
        "title": "; ".join(dict.fromkeys(part["title"] for part in parts)),
        "licence": "; ".join(dict.fromkeys(part["licence"] for part in parts if part["licence"])),
        "counts": counts,
        "parts": list(parts),
    }


def citations(parts: Sequence[dict[str, Any]]) -> list[str]:
    """How the data sets want to be cited; simulated ones do not."""
    real = [part["dataset"] for part in parts if part["version"] != datasets.SIMULATED_VERSION]
    return [one for one in (datasets.describe(name).citation for name in dict.fromkeys(real)) if one]


def short_name(parts: Sequence[dict[str, Any]]) -> str:
    """The data sets within a model's name: "ptbxl", "ptbxl-challenge2021", "simulated"."""
    names = dict.fromkeys(
        "simulated" if part["version"] == datasets.SIMULATED_VERSION else part["dataset"].replace("-", "")
        for part in parts
    )
    return "-".join(names)


def _short(title: str) -> str:
    return title.partition(",")[0].partition(":")[0]
