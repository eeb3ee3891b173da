"""A run, or any model, measured on one fold of a data set."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.datasets import SIMULATED_VERSION
from leadlight.errors import EvaluationError
from leadlight.evaluation.evaluation import Evaluation, evaluate
from leadlight.progress import ProgressCallback, silent

if TYPE_CHECKING:
    from leadlight.classifier import Classifier, Contract
    from leadlight.classifier.contract import SeenFolds
    from leadlight.labels import LabelSpace
    from leadlight.store import Data, Store

_CHUNK = 512
"""Model inputs that are in memory at a time."""


def evaluate_run(
    model: str | os.PathLike[str],
    fold: int,
    data: Data | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    allow_training_fold: bool = False,
    on_progress: ProgressCallback = silent,
) -> Evaluation:
    """Measure a run, a model folder or a shipped model on one fold.

    data: a data set's folder or a store, or several; None takes the data that the run was trained on.
    resamples, seed: of the bootstrap over patients. A fold that the weights were fitted on is refused
    unless allow_training_fold. Labels, their likelihoods and unlabelled records are handled as the
    model's contract says they were in training.
    Raises EvaluationError, and what loading the model and opening the data raise.
    """
    from leadlight.classifier import find_model_folder, load, read_contract
    from leadlight.classifier.from_store import accepts_missing
    from leadlight.store import open_data, places_of, select

    contract = read_contract(find_model_folder(model))
    places = places_of(data) if data is not None else _data_of_run(Path(model))
    steps = contract.preprocessing
    store = open_data(places, steps.first_rate or steps.sampling_rate, on_progress)
    notes = _fold_remarks(_seen_here(store, contract), fold, allow_training_fold)
    selection = select(
        store,
        [fold],
        _label_space(contract),
        n_samples=contract.input.n_samples,
        accepts_length=steps.accepts if steps.takes_other_lengths else None,
        accepts_missing=accepts_missing(store, steps) if steps.takes_missing else None,
        min_likelihood=float(str(contract.recipe.get("min_likelihood", 0.0))),
        below="unknown" if contract.recipe.get("below_likelihood") == "unknown" else "negative",
        where=str(contract.recipe.get("where", "")),
        keep_unlabelled=bool(contract.recipe.get("keep_unlabelled", False)),
    )
    notes += [f"{n} records {reason} left out." for reason, n in selection.left_out.items()]
    chosen = store.index.iloc[selection.rows]
    return evaluate(
        selection.truth,
        predict_rows(load(model), store, selection.rows, on_progress),
        contract.codes,
        # As predictions compare them: float32.
        np.array(contract.thresholds.values, dtype=np.float32),
        patients=chosen["patient_id"].tolist(),
        known=selection.known,
        record_ids=chosen["record_id"].tolist(),
        descriptions=[one.description for one in contract.classes],
        subject={
            "model": contract.name,
            "weights_sha256": contract.weights_sha256,
            "dataset": store.dataset,
            "dataset_version": store.description["dataset_version"],
            "data": " + ".join(map(str, places)),
            "fold": fold,
            "training_folds": list(contract.folds.training),
            "validation_folds": list(contract.folds.validation),
            "label_space": contract.label_space.name,
            "threshold_rule": contract.thresholds.rule,
            "left_out": selection.left_out,
        },
        notes=notes,
        resamples=resamples,
        seed=seed,
    )


def _seen_here(store: Store, contract: Contract) -> list[SeenFolds]:
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


def _label_space(contract: Contract) -> LabelSpace:
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


def _fold_remarks(seen: Sequence[SeenFolds], fold: int, allow_training_fold: bool) -> list[str]:
    """What the fold was already used for; a fold of the fitting is refused."""
    fitted = sorted({number for one in seen for number in one.training})
    if fold in fitted:
        if not allow_training_fold:
            training = ", ".join(map(str, fitted))
            raise EvaluationError(
                f"fold: found {fold}, which the weights were fitted on (folds {training}); accepted: "
                "another. Metrics on it would say how well it was learnt by heart; "
                "--allow-training-fold shows them all the same."
            )
        return [f"Fold {fold} was used for FITTING: these metrics say nothing about new patients."]
    if any(fold in one.validation for one in seen):
        return [f"Fold {fold} chose the epoch and the thresholds of this model: its metrics are too good."]
    return []


def predict_rows(
    classifier: Classifier,
    store: Store,
    rows: NDArray[np.int64],
    on_progress: ProgressCallback = silent,
) -> NDArray[np.float32]:
    """Probabilities float32 (records, classes) of these rows of a store, in bounded memory.

    As ``predict`` gives them: by the contract's steps, and with its rule for long records.
    The store has the rate where the steps begin. Raises ContractError.
    """
    from leadlight.classifier.from_store import stored_metadata, stored_windows
    from leadlight.classifier.windows import parts_of, window_counts

    steps = classifier.contract.preprocessing
    beside = stored_metadata(store, rows, classifier.contract.metadata)
    parts = []
    for part in parts_of(window_counts(store.lengths[rows], steps), _CHUNK):
        inputs, windows = stored_windows(store, rows[part], steps)
        metadata = None if beside is None else beside[part]
        parts.append(classifier.predict_inputs(inputs, metadata=metadata, windows=windows.tolist()))
        on_progress(part.stop, len(rows), "records predicted")
    return np.concatenate(parts)
