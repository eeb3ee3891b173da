"""The end of a run: thresholds on the validation folds, and the model folder with its contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from leadlight import models
from leadlight.classifier import Classifier, save_model
from leadlight.classifier.contract import Origin, contract_from
from leadlight.evaluation import (
    average_precision,
    macro_mean,
    predict_rows,
    roc_auc,
    threshold_estimates,
)
from leadlight.recipes import Recipe
from leadlight.store import Selection, label_space
from leadlight.training.data import TrainingInput
from leadlight.training.data_sets import citations, data_parts, short_name, training_data
from leadlight.training.loop import Progress

LICENCE = "Apache-2.0; the training data keep their own licence"
UNFITTED_THRESHOLD = 0.5
_LARGEST_RESAMPLING = 20_000_000


def save_best(
    folder: Path,
    module: nn.Module,
    data: TrainingInput,
    recipe: Recipe,
    progress: Progress,
    origin: Origin | None = None,
) -> Path:
    """Write the model folder of a run's best epoch.

    The scores behind thresholds and metrics come by the same road as any later
    prediction: float32, whatever the precision of the training was.
    """
    contract = contract_from(_contract_values(recipe, data, progress, origin))
    part = data.validation
    scores = predict_rows(Classifier(module, contract), data.store, part.rows)
    patients = data.store.columns("patient_id")["patient_id"].take(part.rows).to_pylist()
    estimates = threshold_estimates(
        part.truth, scores, np.array(patients), part.known, "best-f1", _resamples(len(part)), recipe.seed
    )
    fitted = np.array([one.value for one in estimates])
    unfitted = [code for code, value in zip(contract.codes, fitted, strict=True) if np.isnan(value)]
    limits = contract.limits
    if unfitted:
        limits = (
            *limits,
            f"No positives in the validation folds for {', '.join(unfitted)}: the threshold there is "
            f"{UNFITTED_THRESHOLD}, not fitted.",
        )
    values = contract.model_dump(mode="json")
    values["limits"] = list(limits)
    values["thresholds"] = {
        "values": np.nan_to_num(fitted, nan=UNFITTED_THRESHOLD).tolist(),
        "rule": "best-f1",
        "folds": list(recipe.folds.validation),
        "n_records": len(part),
        "low": [one.low if np.isfinite(one.low) else None for one in estimates],
        "high": [one.high if np.isfinite(one.high) else None for one in estimates],
    }
    values["metrics"] = {
        "folds": list(recipe.folds.validation),
        "n_records": len(part),
        "values": _metrics(part, scores, contract.codes),
    }
    return save_model(folder, module, contract_from(values))


def _resamples(n_records: int) -> int:
    """Behind the thresholds' intervals: 1,000, and fewer where so many would fill the memory."""
    return max(100, min(1000, _LARGEST_RESAMPLING // n_records))


def _metrics(part: Selection, scores: NDArray[np.float32], codes: tuple[str, ...]) -> dict[str, float | None]:
    auc = roc_auc(part.truth, scores, part.known)
    precision = average_precision(part.truth, scores, part.known)
    values = {
        "macro ROC-AUC": float(macro_mean(auc)),
        "macro average precision": float(macro_mean(precision)),
        **{f"ROC-AUC {code}": float(value) for code, value in zip(codes, auc, strict=True)},
    }
    return {name: None if np.isnan(value) else value for name, value in values.items()}


def _contract_values(
    recipe: Recipe, data: TrainingInput, progress: Progress, origin: Origin | None
) -> dict[str, object]:
    model_input = data.preprocessing
    space = label_space(data.store, recipe.labels)
    parts = data_parts(data.store, data.training, data.validation)
    source = short_name(parts)
    what = "simulated records" if source == "simulated" else "records"
    of = "one data set" if len(parts) == 1 else f"{len(parts)} data sets"
    architecture = models.describe(recipe.model)
    paper = f"{architecture.paper}, doi:{architecture.doi}"
    return {
        "name": f"{recipe.model}-{source}-{recipe.labels.rpartition('/')[2]}",
        "architecture": {
            "name": recipe.model,
            "n_classes": len(space),
            "n_leads": len(model_input.leads),
            "n_samples": model_input.n_samples,
            "sampling_rate": model_input.sampling_rate,
            "arguments": recipe.arguments,
        },
        "preprocessing": model_input,
        "metadata": data.metadata,
        "label_space": {"name": space.name, "version": space.version},
        "classes": [(label.code, label.description) for label in space.classes],
        "thresholds": {"values": [UNFITTED_THRESHOLD] * len(space), "rule": "0.5 for every class"},
        "training_data": training_data(parts, _counts(data)),
        "folds": {"training": list(recipe.folds.training), "validation": list(recipe.folds.validation)},
        # The origin's name, not its place on this machine.
        "origin": None if origin is None else origin.model_dump(mode="json"),
        "recipe": recipe.model_dump(mode="json") | {"init_from": "" if origin is None else origin.name},
        "seed": recipe.seed,
        "metrics": {"folds": [], "n_records": 0, "values": {}},
        "licence": LICENCE,
        "citations": [paper, *citations(parts)],
        "limits": [
            f"Trained on {len(data.training)} {what} of {of}; "
            f"best epoch {progress.best_epoch} of {len(progress.rows)}.",
            "Recordings from other devices, populations or filters may be read worse: check on your own.",
            "For research, not a medical device.",
        ],
    }


def _counts(data: TrainingInput) -> dict[str, int]:
    patients = data.store.columns("patient_id")["patient_id"].to_numpy()
    return {
        "training records": len(data.training),
        "training patients": len(set(patients[data.training.rows])),
        "validation records": len(data.validation),
        "validation patients": len(set(patients[data.validation.rows])),
    }
