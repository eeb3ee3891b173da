"""From a recipe's loss to the loss itself: class weights from the training records, the teacher."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from leadlight.classifier import load
from leadlight.errors import RecipeError, did_you_mean
from leadlight.labels import challenge_weights
from leadlight.recipes.training_settings import (
    Asymmetric,
    BinaryCrossEntropy,
    ChallengeScore,
    Distillation,
    Focal,
    FocalPublished,
    Weights,
)
from leadlight.signal import Preprocessing
from leadlight.signal.step import step_values
from leadlight.store import Selection
from leadlight.training.losses.asymmetric import asymmetric
from leadlight.training.losses.challenge_score import ChallengeScoreLoss
from leadlight.training.losses.cross_entropy import (
    OverLabels,
    focal,
    focal_published,
    weighted_cross_entropy,
)
from leadlight.training.losses.distillation import DistillationLoss
from leadlight.training.losses.terms import Loss

LossSettings = BinaryCrossEntropy | Focal | FocalPublished | Asymmetric | ChallengeScore | Distillation

SCALING_TOLERANCE = 0.02
"""By how much fitted numbers may differ: a teacher that saw a few records more scales nearly alike."""


def build_loss(
    settings: LossSettings,
    training: Selection,
    labels: str,
    codes: Sequence[str],
    preprocessing: Preprocessing,
) -> tuple[Loss, dict[str, float]]:
    """The loss that a recipe names, and the weight of each class that it uses ({} for none).

    training: the records that weights are counted in; labels: name of the label space, with codes.
    Raises RecipeError for weights that do not fit the classes, for a label space that the loss is not
    defined for, and for a teacher that is missing or reads or answers something else.
    """
    weights = weights_of_classes(settings, training, codes)
    used = {} if weights is None else dict(zip(codes, map(float, weights), strict=True))
    tensor = None if weights is None else torch.from_numpy(weights.astype(np.float32))
    match settings:
        case BinaryCrossEntropy():
            return OverLabels(weighted_cross_entropy(tensor)), used
        case Focal():
            return OverLabels(focal(settings.alpha, settings.gamma, tensor)), used
        case FocalPublished():
            every = torch.ones(len(codes)) if tensor is None else tensor
            return OverLabels(focal_published(settings.alpha, settings.gamma, every)), used
        case Asymmetric():
            return OverLabels(
                asymmetric(settings.gamma_positive, settings.gamma_negative, settings.margin)
            ), used
        case ChallengeScore():
            if labels != "challenge-2021":
                raise RecipeError(
                    f"training.loss: found challenge-score with the labels {labels}; accepted: "
                    "challenge-2021, whose classes the Challenge's table scores, or another loss "
                    '(training.loss = "bce").'
                )
            table = torch.from_numpy(challenge_weights().astype(np.float32))
            return ChallengeScoreLoss(table, tensor, settings.score_weight, settings.sparsity_weight), used
        case Distillation():
            teacher = load_teacher(settings.teacher, codes, preprocessing)
            return DistillationLoss(teacher, settings.alpha, settings.temperature, settings.over), used


def weights_of_classes(
    settings: LossSettings, training: Selection, codes: Sequence[str]
) -> NDArray[np.float64] | None:
    """The weight of each class that a loss uses, (classes,); None for no weights.

    "negatives/positives" counts known labels of the training records. A class without positive
    labels has the largest weight of the others, one without negative labels the weight 1.
    """
    key = "class_weights" if isinstance(settings, FocalPublished) else "positive_weights"
    stated: Weights = getattr(settings, key, "none")
    if stated == "none":
        return None
    if isinstance(stated, dict):
        for code in stated:
            if code not in codes:
                raise RecipeError(
                    f"training.loss.{key}: found {code!r}; accepted: {', '.join(codes)}."
                    f"{did_you_mean(code, codes)}"
                )
        absent = [code for code in codes if code not in stated]
        if absent:
            raise RecipeError(
                f"training.loss.{key}: found no number for {', '.join(absent)}; accepted: one for each class."
            )
        return np.array([stated[code] for code in codes])
    positives = ((training.truth > 0) & training.known).sum(axis=0)
    negatives = ((training.truth == 0) & training.known).sum(axis=0)
    weights = np.where(negatives > 0, negatives / np.maximum(positives, 1), 1.0)
    counted = weights[positives > 0]
    return np.where(positives > 0, weights, counted.max() if len(counted) else 1.0)


def load_teacher(teacher: str, codes: Sequence[str], preprocessing: Preprocessing) -> nn.Module:
    """The network of a run or model folder, in evaluation mode, that answers the same question.

    Raises RecipeError where it is not named, reads another input or has other classes.
    """
    if not teacher:
        raise RecipeError(
            "training.loss.teacher: missing. Distillation needs a trained teacher: "
            "--set training.loss.teacher=RUN, a run or a model folder with the same classes and input."
        )
    classifier = load(Path(teacher) if Path(teacher).exists() else teacher)
    contract = classifier.contract
    if tuple(contract.codes) != tuple(codes):
        raise RecipeError(
            f"training.loss.teacher: found the classes {_some(contract.codes)} in {teacher}; "
            f"accepted: those of the recipe's labels, {_some(codes)}."
        )
    if contract.metadata is not None:
        raise RecipeError(
            f"training.loss.teacher: found {teacher}, which reads {', '.join(contract.metadata.columns)} "
            "beside the signal; accepted: a teacher that reads the signal alone."
        )
    if not _reads_alike(contract.preprocessing, preprocessing):
        raise RecipeError(
            f"training.loss.teacher: found another input in {teacher} "
            f"({'; '.join(contract.preprocessing.describe())}); accepted: that of the recipe "
            f"({'; '.join(preprocessing.describe())}), fitted numbers within 2 percent."
        )
    return classifier.module.eval().requires_grad_(False)


def _some(codes: Sequence[str]) -> str:
    return ", ".join(codes[:8]) + (", ..." if len(codes) > 8 else "")


def _reads_alike(one: Preprocessing, other: Preprocessing) -> bool:
    """Whether leads, rate, length and steps are the same, and fitted numbers nearly so."""

    def stated(preprocessing: Preprocessing) -> list[object]:
        shape = [preprocessing.leads, preprocessing.sampling_rate, preprocessing.n_samples]
        steps = [
            {name: value for name, value in step_values(step).items() if name not in step.fitted}
            for step in preprocessing.steps
        ]
        return [*shape, preprocessing.first_rate, *steps]

    if stated(one) != stated(other):
        return False
    for ours, theirs in zip(one.steps, other.steps, strict=True):
        for centre, scale in (("mean", "scale"), ("means", "scales")):
            if scale in ours.fitted:
                units = np.asarray(getattr(ours, scale))
                apart = np.asarray(getattr(theirs, centre)) - np.asarray(getattr(ours, centre))
                same_unit = np.allclose(getattr(theirs, scale), units, rtol=SCALING_TOLERANCE)
                if not same_unit or bool((np.abs(apart) > SCALING_TOLERANCE * units).any()):
                    return False
    return True
