"""Which records are explained, and for which class: those where the class is present and found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Subject:
    """A record of a store, by its row, and the classes for which it is explained, by their columns."""

    row: int
    columns: tuple[int, ...]


def choose(
    rows: NDArray[np.int64],
    eligible: NDArray[np.bool_],
    columns: Sequence[int],
    limit: int,
    seed: int,
) -> list[tuple[int, int]]:
    """Pairs of (row, column), drawn by turns from the classes until there are ``limit``, or no more.

    eligible: (records, classes), which record can be explained for which class. A class with few
    gives all it has. The same seed draws the same pairs, and a smaller limit the first of them.
    """
    rng = np.random.default_rng(seed)
    waiting = {column: list(rng.permutation(rows[eligible[:, column]])) for column in columns}
    pairs: list[tuple[int, int]] = []
    while any(waiting.values()) and len(pairs) < limit:
        for column in columns:
            if waiting[column] and len(pairs) < limit:
                pairs.append((int(waiting[column].pop()), column))
    return pairs


def by_record(pairs: Sequence[tuple[int, int]]) -> list[Subject]:
    """The pairs of one record together, in the order in which records were first drawn."""
    columns: dict[int, list[int]] = {}
    for row, column in pairs:
        columns.setdefault(row, []).append(column)
    return [Subject(row, tuple(own)) for row, own in columns.items()]
