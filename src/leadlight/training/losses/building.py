"""From a recipe's loss to the loss itself: class weights from the training records."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

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
from leadlight.training.losses.teacher import load_teacher
from leadlight.training.losses.terms import Loss

LossSettings = BinaryCrossEntropy | Focal | FocalPublished | Asymmetric | ChallengeScore | Distillation


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
