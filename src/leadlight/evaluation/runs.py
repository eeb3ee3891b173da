"""A run, or any model, measured on one fold of a data set."""

from __future__ import annotations

import json
import os
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
    from leadlight.labels import LabelSpace
    from leadlight.store import Store

_CHUNK = 512
"""Model inputs that are in memory at a time."""


def evaluate_run(
    model: str | os.PathLike[str],
    fold: int,
    data: str | os.PathLike[str] | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    allow_training_fold: bool = False,
    on_progress: ProgressCallback = silent,
) -> Evaluation:
    """Measure a run, a model folder or a shipped model on one fold.

    data: a data set's folder or a store; None takes the data that the run was trained on.
    resamples, seed: of the bootstrap over patients. A fold that the weights were fitted on is refused
    unless allow_training_fold. Labels, their likelihoods and unlabelled records are handled as the
    model's contract says they were in training.
    Raises EvaluationError, and what loading the model and opening the data raise.
    """
    from leadlight.classifier import find_model_folder, load, read_contract
    from leadlight.classifier.from_store import accepts_missing
    from leadlight.store import open_or_prepare, select

    contract = read_contract(find_model_folder(model))
    place = Path(data) if data is not None else _data_of_run(Path(model))
    steps = contract.preprocessing
    store = open_or_prepare(place, steps.first_rate or steps.sampling_rate, on_progress)
    notes = []
    if _same_source(store, contract):  # elsewhere a fold of that number is another one
        notes += _fold_remarks(contract, fold, allow_training_fold)
    selection = select(
        store,
        [fold],
        _label_space(contract),
        n_samples=contract.input.n_samples,
        accepts_length=steps.accepts if steps.takes_other_lengths else None,
        accepts_missing=accepts_missing(store, steps) if steps.takes_missing else None,
        min_likelihood=float(str(contract.recipe.get("min_likelihood", 0.0))),
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
            "data": str(place.resolve()),
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


def _same_source(store: Store, contract: Contract) -> bool:
    """Whether the folds mean the same records; a simulated set has the name and layout of a real one."""
    trained_on = contract.training_data
    simulated = [
        version == SIMULATED_VERSION for version in (store.description["dataset_version"], trained_on.version)
    ]
    return store.dataset == trained_on.dataset and simulated[0] == simulated[1]


def _data_of_run(folder: Path) -> Path:
    file = folder / "environment.json"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))["data"]
    except (OSError, ValueError, KeyError, TypeError):
        raise EvaluationError(
            f"{folder}: does not say on which data it was trained; name them with --data DIR."
        ) from None
    if not Path(data).exists():
        raise EvaluationError(
            f"{file}, data: found {data}, which is no longer there; name it with --data DIR."
        )
    return Path(data)


def _label_space(contract: Contract) -> LabelSpace:
    from leadlight import labels

    wanted = contract.label_space
    space = labels.space(wanted.name)
    if space.codes != contract.codes:
        raise EvaluationError(
            f"classes: the model's are not those of {space.name} version {space.version}; it was trained "
            f"with version {wanted.version}. Use Leadlight {contract.versions.leadlight}, which trained it."
        )
    return space


def _fold_remarks(contract: Contract, fold: int, allow_training_fold: bool) -> list[str]:
    """What the fold was already used for; a fold of the fitting is refused."""
    if fold in contract.folds.training:
        if not allow_training_fold:
            training = ", ".join(map(str, contract.folds.training))
            raise EvaluationError(
                f"fold: found {fold}, which the weights were fitted on (folds {training}); accepted: "
                "another. Metrics on it would say how well it was learnt by heart; "
                "--allow-training-fold shows them all the same."
            )
        return [f"Fold {fold} was used for FITTING: these metrics say nothing about new patients."]
    if fold in contract.folds.validation:
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
    from leadlight.classifier.windows import window_counts

    steps = classifier.contract.preprocessing
    beside = stored_metadata(store, rows, classifier.contract.metadata)
    last = np.cumsum(window_counts(store.lengths[rows], steps))
    parts, start = [], 0
    while start < len(rows):
        # As many records as have so many windows together, and at least one.
        before = int(last[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(last, before + _CHUNK, side="right")))
        inputs, windows = stored_windows(store, rows[start:stop], steps)
        metadata = None if beside is None else beside[start:stop]
        parts.append(classifier.predict_inputs(inputs, metadata=metadata, windows=windows.tolist()))
        on_progress(stop, len(rows), "records predicted")
        start = stop
    return np.concatenate(parts)
