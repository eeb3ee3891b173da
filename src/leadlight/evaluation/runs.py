"""A run, or any model, measured on one fold of a data set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import EvaluationError
from leadlight.evaluation.evaluation import Evaluation, evaluate
from leadlight.evaluation.groups import ATTRIBUTES, check_attributes, groups_of
from leadlight.evaluation.opening import open_for, records_for, seen_here
from leadlight.evaluation.subgroups import measure_subgroups
from leadlight.progress import ProgressCallback, silent

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.classifier.contract import SeenFolds
    from leadlight.store import Data, Store

_CHUNK = 512
"""Model inputs that are in memory at a time."""


def evaluate_run(
    model: str | os.PathLike[str],
    fold: int,
    data: Data | None = None,
    *,
    subgroups: Sequence[str] = ATTRIBUTES,
    resamples: int = 1000,
    seed: int = 0,
    allow_training_fold: bool = False,
    on_progress: ProgressCallback = silent,
) -> Evaluation:
    """Measure a run, a model folder or a shipped model on one fold.

    data: a data set's folder or a store, or several; None takes the data that the run was trained on.
    subgroups: attributes whose groups are measured apart (``groups_of``), as far as the data have them;
    () for none. resamples, seed: of the bootstrap over patients. A fold that the weights were fitted on is
    refused unless allow_training_fold. Labels, their likelihoods and unlabelled records are handled as the
    model's contract says they were in training.
    Raises EvaluationError, and what loading the model and opening the data raise.
    """
    from leadlight.classifier import find_model_folder, load, read_contract

    contract = read_contract(find_model_folder(model))
    store, places = open_for(contract, model, data, on_progress)
    check_attributes(store, subgroups)
    notes = _fold_remarks(seen_here(store, contract), fold, allow_training_fold)
    used_for = _uses(seen_here(store, contract), fold)
    selection = records_for(contract, store, [fold])
    notes += [f"{n} records {reason} left out." for reason, n in selection.left_out.items()]
    if contract.calibration is not None:
        on = contract.calibration.fitted_on
        notes.append(f"Probabilities are calibrated: {contract.calibration.method}, on {on}.")
        if on.dataset == store.dataset and fold in on.folds:
            used_for.append("calibrating")
            notes.append(f"That is fold {fold} itself: calibration and thresholds look too good here.")
    probabilities = predict_rows(load(model), store, selection.rows, on_progress)
    # As predictions compare them: float32.
    thresholds = np.array(contract.thresholds.values, dtype=np.float32)
    chosen = store.columns("patient_id", "record_id").take(selection.rows)
    patients = chosen["patient_id"].to_pylist()
    apart = measure_subgroups(
        selection.truth,
        probabilities,
        contract.codes,
        thresholds,
        groups_of(store, selection.rows, subgroups, on_progress),
        patients=patients,
        known=selection.known,
        resamples=resamples,
        seed=seed,
        on_progress=on_progress,
    )
    return evaluate(
        selection.truth,
        probabilities,
        contract.codes,
        thresholds,
        patients=patients,
        known=selection.known,
        record_ids=chosen["record_id"].to_pylist(),
        descriptions=[one.description for one in contract.classes],
        subject={
            "model": contract.name,
            "weights_sha256": contract.weights_sha256,
            "dataset": store.dataset,
            "dataset_version": store.description["dataset_version"],
            "data": " + ".join(map(str, places)),
            "fold": fold,
            "fold_used_for": used_for,
            "training_folds": list(contract.folds.training),
            "validation_folds": list(contract.folds.validation),
            "label_space": contract.label_space.name,
            "threshold_rule": contract.thresholds.rule,
            "calibration": None if contract.calibration is None else contract.calibration.method,
            "coverage_of_sets": None
            if contract.prediction_sets is None
            else contract.prediction_sets.coverage,
            "left_out": selection.left_out,
        },
        notes=notes,
        sets=contract.prediction_sets,
        subgroups=apart,
        resamples=resamples,
        seed=seed,
    )


def _uses(seen: Sequence[SeenFolds], fold: int) -> list[str]:
    """What the model took from this fold: "fitting" its weights, "choosing" the epoch and the thresholds."""
    fitted = any(fold in one.training for one in seen)
    chose = any(fold in one.validation for one in seen)
    return ["fitting"] * fitted + ["choosing"] * chose


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
