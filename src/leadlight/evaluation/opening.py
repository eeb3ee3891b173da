"""The data that a model is measured on, opened and labelled as its contract says."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.datasets import SIMULATED_VERSION
from leadlight.errors import EvaluationError
from leadlight.progress import ProgressCallback, silent

if TYPE_CHECKING:
    from leadlight.classifier import Contract
    from leadlight.classifier.contract import SeenFolds
    from leadlight.labels import LabelSpace
    from leadlight.store import Data, Selection, Store


def open_for(
    contract: Contract,
    model: str | os.PathLike[str],
    data: Data | None,
    on_progress: ProgressCallback = silent,
) -> tuple[Store, list[Path]]:
    """The store that the model reads, and where its data are.

    data: a data set's folder or a store, or several; None takes those that the run ``model`` was trained on.
    Raises EvaluationError where a run does not say, and what opening raises.
    """
    from leadlight.store import open_data, places_of

    places = places_of(data) if data is not None else _data_of_run(Path(model))
    steps = contract.preprocessing
    return open_data(places, steps.first_rate or steps.sampling_rate, on_progress), places


def records_for(contract: Contract, store: Store, folds: Sequence[int]) -> Selection:
    """The records of some folds that the model can be measured on, with their labels as in training."""
    from leadlight.classifier.from_store import accepts_missing
    from leadlight.store import select

    steps, recipe = contract.preprocessing, contract.recipe
    return select(
        store,
        folds,
        label_space(contract),
        n_samples=contract.input.n_samples,
        accepts_length=steps.accepts if steps.takes_other_lengths else None,
        accepts_missing=accepts_missing(store, steps) if steps.takes_missing else None,
        min_likelihood=float(str(recipe.get("min_likelihood", 0.0))),
        below="unknown" if recipe.get("below_likelihood") == "unknown" else "negative",
        where=str(recipe.get("where", "")),
        keep_unlabelled=bool(recipe.get("keep_unlabelled", False)),
    )


def seen_here(store: Store, contract: Contract) -> list[SeenFolds]:
    """What the weights have learnt from whose folds mean the records of this store.

    Elsewhere a fold of that number is another one; a simulated set has the name and layout of a real one.
    """
    from leadlight.store import parts_of

    here = {(one.dataset, one.version == SIMULATED_VERSION) for one in parts_of(store)}
    return [one for one in contract.seen if (one.dataset, one.version == SIMULATED_VERSION) in here]


def _data_of_run(folder: Path) -> list[Path]:
    from leadlight.store import places_of

    file = folder / "environment.json"
    try:
        places = places_of(json.loads(file.read_text(encoding="utf-8"))["data"])
    except (OSError, ValueError, KeyError, TypeError):
        raise EvaluationError(
            f"{folder}: does not say on which data it was trained; name them with --data DIR."
        ) from None
    for one in places:
        if not one.exists():
            raise EvaluationError(
                f"{file}, data: found {one}, which is no longer there; name it with --data DIR."
            )
    return places


def label_space(contract: Contract) -> LabelSpace:
    """The label space of a model's classes. Raises EvaluationError where it has changed since."""
    from leadlight import labels
    from leadlight.store import OWN_LABELS

    wanted = contract.label_space
    if wanted.name == OWN_LABELS:
        return labels.own_space(OWN_LABELS, contract.codes)
    space = labels.space(wanted.name)
    if space.codes != contract.codes:
        raise EvaluationError(
            f"classes: the model's are not those of {space.name} version {space.version}; it was trained "
            f"with version {wanted.version}. Use Leadlight {contract.versions.leadlight}, which trained it."
        )
    return space
