"""A model's calibration, thresholds and prediction sets, fitted on records that its weights were not."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Floats
from leadlight.evaluation.by_record import log_loss
from leadlight.evaluation.calibrating import cross_calibrated, fit_calibration, left_as_they_are
from leadlight.evaluation.conformal import fit_prediction_sets
from leadlight.evaluation.intervals import Estimate
from leadlight.evaluation.metrics import brier, macro_mean
from leadlight.evaluation.opening import open_for, records_for, seen_here
from leadlight.evaluation.reliability import calibration_error
from leadlight.evaluation.runs import predict_rows
from leadlight.evaluation.thresholds import ThresholdRule, threshold_estimates
from leadlight.progress import ProgressCallback, silent

if TYPE_CHECKING:
    from leadlight.classifier import Classifier, Contract
    from leadlight.classifier.calibration import FittedOn, Method
    from leadlight.store import Data, Selection, Store

UNFITTED_THRESHOLD = 0.5
"""Of a class that the rule cannot tell a threshold for; ``Contract.limits`` names it."""
_PARTS = 5
_UNFITTED = "No threshold could be fitted for"


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A model with what was fitted: save it with ``classifier.save(folder)``.

    thresholds: with intervals, one a class; before, after: log loss, Brier score and calibration error of
    the probabilities on the records of the fit, after by calibrators that had not seen the patient
    (``cross_calibrated``); None without a calibration. notes: what was left as it was, and why.
    """

    classifier: Classifier
    thresholds: tuple[Estimate, ...]
    before: Mapping[str, float]
    after: Mapping[str, float] | None
    notes: tuple[str, ...]


def calibrate_run(
    model: str | os.PathLike[str],
    data: Data | None = None,
    *,
    folds: Sequence[int] = (),
    method: Method | Literal["none"] = "platt",
    thresholds: str = "best-f1",
    coverage: float | None = 0.9,
    resamples: int = 1000,
    seed: int = 0,
    on_progress: ProgressCallback = silent,
) -> Calibrated:
    """Fit a model's calibration, then thresholds and prediction sets of the calibrated probabilities.

    model: a run, a model folder or a shipped name; an earlier calibration is replaced. data: None takes the
    run's own. folds: none takes the validation folds, which is right on the data of the training; on other
    data, such as those of another hospital, any folds that the weights have not seen. method: "none" leaves
    probabilities as they are; thresholds: see ``ThresholdRule``; coverage: of prediction sets, None for none;
    resamples, seed: of the thresholds' intervals. Raises EvaluationError for folds of the training.
    """
    from leadlight.classifier import Classifier, find_model_folder, load, read_contract
    from leadlight.classifier.calibration import FittedOn

    rule = ThresholdRule.read(thresholds)
    contract = read_contract(find_model_folder(model))
    store, _ = open_for(contract, model, data, on_progress)
    chosen = _folds(contract, store, folds)
    selection = records_for(contract, store, chosen)
    fitted_on = FittedOn(
        dataset=store.dataset,
        version=str(store.description["dataset_version"] or ""),
        folds=tuple(chosen),
        n_records=len(selection),
    )
    notes = [f"{n} records {reason} left out." for reason, n in selection.left_out.items()]
    patients = store.columns("patient_id")["patient_id"].take(selection.rows).to_pylist()
    plain = contract.model_copy(update={"calibration": None, "prediction_sets": None})
    classifier = Classifier(load(model).module, plain)
    scores = predict_rows(classifier, store, selection.rows, on_progress).astype(np.float64)
    before, after = _quality(selection, scores), None
    if method != "none":
        fitted = fit_calibration(selection.truth, scores, selection.known, method=method, fitted_on=fitted_on)
        left = left_as_they_are(fitted, contract.codes)
        if left:
            notes.append(
                f"Not calibrated, for too few positives or negatives or a falling line: {', '.join(left)}."
            )
        parts = min(_PARTS, len(set(patients)))
        across = cross_calibrated(
            selection.truth,
            scores,
            np.array(patients),
            selection.known,
            method=method,
            parts=parts,
            seed=seed,
        )
        after = _quality(selection, across)
        if after["log loss"] > before["log loss"]:
            notes.append(
                f"The log loss of patients that the calibrator has not seen rises from "
                f"{before['log loss']:.4f} to {after['log loss']:.4f}: another method, or none, does better."
            )
        classifier = Classifier(classifier.module, plain.model_copy(update={"calibration": fitted}))
        # By the same road as any later prediction, so that a record on a threshold stays on it.
        scores = predict_rows(classifier, store, selection.rows, on_progress).astype(np.float64)
    estimates = threshold_estimates(
        selection.truth, scores, np.array(patients), selection.known, rule, resamples, seed
    )
    unfitted = [
        code for code, one in zip(contract.codes, estimates, strict=True) if not np.isfinite(one.value)
    ]
    if unfitted:
        notes.append(f"{_UNFITTED} {', '.join(unfitted)}: {UNFITTED_THRESHOLD} there.")
    sets = None
    if coverage is not None:
        sets = fit_prediction_sets(
            selection.truth, scores, selection.known, coverage=coverage, fitted_on=fitted_on
        )
    stated = _with_thresholds(classifier.contract, rule, estimates, fitted_on, store, unfitted)
    whole = _checked(stated.model_copy(update={"prediction_sets": sets}))
    return Calibrated(Classifier(classifier.module, whole), estimates, before, after, tuple(notes))


def _folds(contract: Contract, store: Store, wanted: Sequence[int]) -> list[int]:
    """The folds to fit on. Raises EvaluationError for those of the training."""
    seen = seen_here(store, contract)
    if not wanted:
        if not any(one.validation for one in seen):
            raise EvaluationError(
                f"folds: found none; accepted: those of {store.dataset} to fit on (--fold N). The validation "
                f"folds of {contract.name} are of other data."
            )
        return sorted({fold for one in seen for fold in one.validation})
    for fold in wanted:
        if any(fold in one.training for one in seen):
            raise EvaluationError(
                f"folds: found {fold}, which the weights were fitted on; accepted: another. What is fitted "
                "on records learnt by heart is too sure of itself."
            )
    return sorted(set(wanted))


def _quality(selection: Selection, probabilities: Floats) -> dict[str, float]:
    truth, known = selection.truth, selection.known
    return {
        "log loss": log_loss(truth, probabilities, known),
        "mean Brier score": float(macro_mean(brier(truth, probabilities, known))),
        "mean calibration error": float(macro_mean(calibration_error(truth, probabilities, known)[0])),
    }


def _with_thresholds(
    contract: Contract,
    rule: ThresholdRule,
    estimates: Sequence[Estimate],
    fitted_on: FittedOn,
    store: Store,
    unfitted: Sequence[str],
) -> Contract:
    from leadlight.classifier.contract import Thresholds

    def limit(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    # The contract's own folds are meant by number; those of other data are named in the rule.
    own = any(set(fitted_on.folds) <= set(one.validation) for one in seen_here(store, contract))
    own = own and set(fitted_on.folds) <= set(contract.folds.validation)
    is_fitted = rule.kind != "fixed"
    fitted = Thresholds(
        values=tuple(one.value if np.isfinite(one.value) else UNFITTED_THRESHOLD for one in estimates),
        rule=str(rule) if own or not is_fitted else f"{rule}, fitted on {fitted_on}",
        folds=fitted_on.folds if own and is_fitted else (),
        n_records=fitted_on.n_records if own and is_fitted else 0,
        low=tuple(limit(one.low) for one in estimates),
        high=tuple(limit(one.high) for one in estimates),
    )
    limits = [
        one for one in contract.limits if not one.startswith(("No positives in the validation", _UNFITTED))
    ]
    if unfitted:
        limits.append(f"{_UNFITTED} {', '.join(unfitted)}: {UNFITTED_THRESHOLD} is not fitted.")
    return contract.model_copy(update={"thresholds": fitted, "limits": tuple(limits)})


def _checked(contract: Contract) -> Contract:
    """The contract read again from its own text, with every check."""
    from leadlight.classifier.contract import parse_contract

    return parse_contract(contract.to_json().encode())
