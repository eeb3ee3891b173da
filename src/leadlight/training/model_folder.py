"""The end of a run: thresholds on the validation folds, and the model folder with its contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from leadlight import datasets, labels, models
from leadlight.classifier import Classifier, save_model
from leadlight.classifier.contract import contract_from
from leadlight.evaluation import average_precision, fit_thresholds, macro_mean, predict_rows, roc_auc
from leadlight.recipes import Recipe
from leadlight.store import Selection
from leadlight.training.data import TrainingInput
from leadlight.training.loop import Progress

LICENCE = "Apache-2.0; the training data keep their own licence"
UNFITTED_THRESHOLD = 0.5


def save_best(
    folder: Path, module: nn.Module, data: TrainingInput, recipe: Recipe, progress: Progress
) -> Path:
    """Write the model folder of a run's best epoch.

    The scores behind thresholds and metrics come by the same road as any later
    prediction: float32, whatever the precision of the training was.
    """
    contract = contract_from(_contract_values(recipe, data, progress))
    part = data.validation
    scores = predict_rows(Classifier(module, contract), data.store, part.rows)
    fitted = fit_thresholds(part.truth, scores, part.known, rule="best-f1")
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
    }
    values["metrics"] = {
        "folds": list(recipe.folds.validation),
        "n_records": len(part),
        "values": _metrics(part, scores, contract.codes),
    }
    return save_model(folder, module, contract_from(values))


def _metrics(part: Selection, scores: NDArray[np.float32], codes: tuple[str, ...]) -> dict[str, float | None]:
    auc = roc_auc(part.truth, scores, part.known)
    precision = average_precision(part.truth, scores, part.known)
    values = {
        "macro ROC-AUC": float(macro_mean(auc)),
        "macro average precision": float(macro_mean(precision)),
        **{f"ROC-AUC {code}": float(value) for code, value in zip(codes, auc, strict=True)},
    }
    return {name: None if np.isnan(value) else value for name, value in values.items()}


def _contract_values(recipe: Recipe, data: TrainingInput, progress: Progress) -> dict[str, object]:
    model_input = data.preprocessing
    space = labels.space(recipe.labels)
    dataset = datasets.describe(data.store.dataset)
    version = str(data.store.description["dataset_version"] or "")
    simulated = version == datasets.SIMULATED_VERSION
    source = "simulated" if simulated else dataset.name.replace("-", "")
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
        "training_data": {
            "dataset": dataset.name,
            "version": version,
            "title": "Recordings in the layout of PTB-XL" if simulated else dataset.title,
            "licence": "none needed" if simulated else dataset.licence,
            "counts": _counts(data),
        },
        "folds": {"training": list(recipe.folds.training), "validation": list(recipe.folds.validation)},
        "recipe": recipe.model_dump(mode="json"),
        "seed": recipe.seed,
        "metrics": {"folds": [], "n_records": 0, "values": {}},
        "licence": LICENCE,
        "citations": [paper] if simulated else [paper, dataset.citation],
        "limits": [
            f"Trained on {len(data.training)} {'simulated ' if simulated else ''}records of one data set; "
            f"best epoch {progress.best_epoch} of {len(progress.rows)}.",
            "Recordings from other devices, populations or filters may be read worse: check on your own.",
            "For research, not a medical device.",
        ],
    }


def _counts(data: TrainingInput) -> dict[str, int]:
    patients = data.store.index["patient_id"].to_numpy()
    return {
        "training records": len(data.training),
        "training patients": len(set(patients[data.training.rows])),
        "validation records": len(data.validation),
        "validation patients": len(set(patients[data.validation.rows])),
    }
