"""Where a class shows in a record, as far as is known: by a simulation's truth, by the table of criteria."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.labels import Criterion, LabelSpace, criterion, meanings
from leadlight.labels.meanings import VOCABULARY
from leadlight.recording import Recording, Statement
from leadlight.simulate import read_truth

if TYPE_CHECKING:
    from leadlight.store import Store

Bools = NDArray[np.bool_]
TRUTH = "truth"


def setting_statements(space: LabelSpace, column: int, statements: Sequence[Statement]) -> list[Statement]:
    """Those of a record's statements that set a class of the space by themselves."""
    return [
        one
        for one in statements
        if one.likelihood != 0 and space.rules.effect(one).sets >> column & 1
    ]  # fmt: skip


def findings_of(space: LabelSpace, column: int, statements: Sequence[Statement]) -> list[str]:
    """Findings of the vocabulary by which a record has a class, the most particular that are stated."""
    named: dict[str, None] = {}
    for one in setting_statements(space, column, statements):
        meant = [code for code, likelihood in meanings(one) if likelihood != 0]
        own = [
            code for code in meant if space.rules.effect(Statement(code, VOCABULARY)).sets >> column & 1
        ]  # fmt: skip
        named |= dict.fromkeys(own or meant)
    return list(named)


def criteria_of(findings: Sequence[str]) -> list[Criterion]:
    """The criteria that have a place, of these findings."""
    found = (criterion(code) for code in findings)
    return [one for one in found if one is not None and one.has_place]


def truth_folder(store: Store, places: Sequence[Path], stated: Path | None = None) -> Path | None:
    """The simulated data set that a store was made of, where its truth is there; None where it is not.

    places: what the store was opened from; stated: the folder, where somebody names it.
    """
    if stated is not None:
        return stated
    folders = [*places, Path(str(store.description.get("source", {}).get("folder", "")))]
    return next((one for one in folders if (one / TRUTH).is_dir()), None) if len(places) == 1 else None


@dataclass(frozen=True, eq=False)
class TruePlace:
    """mask: (leads, samples); codes: the statements whose place it is."""

    mask: Bools
    codes: tuple[str, ...]


def true_place(
    root: Path, record_id: str, codes: Sequence[str], recording: Recording, start: float
) -> TruePlace | None:
    """Where the statements of these codes show in a simulated record; None where they have no place.

    recording: what the model reads of it, from ``start`` seconds on.
    """
    truth = read_truth(root, record_id)
    located = tuple(code for code in codes if code in truth.runs)
    if not located:
        return None
    rate, n_samples = recording.sampling_rate, recording.n_samples
    first = round(start * rate)
    mask = np.zeros((len(recording.leads), n_samples), dtype=bool)
    for code in located:
        part = truth.mask(code, rate, recording.leads)[:, first : first + n_samples]
        mask[:, : part.shape[1]] |= part
    return TruePlace(mask, located) if mask.any() else None
