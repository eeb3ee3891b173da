"""The teacher of a distillation: where it is, what it may have seen, that it answers the same question."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from leadlight import datasets
from leadlight.classifier import Contract, find_model_folder, load, read_contract, shipped
from leadlight.errors import RecipeError, RunError
from leadlight.recipes import Recipe
from leadlight.recipes.training_settings import Distillation
from leadlight.signal import Preprocessing
from leadlight.signal.step import step_values
from leadlight.store import Part

SCALING_TOLERANCE = 0.02
"""By how much fitted numbers may differ: a teacher that saw a few records more scales nearly alike."""


def with_teacher(recipe: Recipe) -> Recipe:
    """The recipe with the place of its teacher, so that the run goes on from any folder.

    Raises RecipeError where distillation names none, ModelError or RunError where there is no model.
    """
    loss = recipe.training.loss
    if not isinstance(loss, Distillation):
        return recipe
    if not loss.teacher:
        raise RecipeError(
            "training.loss.teacher: missing. Distillation needs a trained teacher: "
            "--set training.loss.teacher=RUN, a run or a model folder with the same classes and input."
        )
    place = loss.teacher if loss.teacher in shipped() else str(find_model_folder(loss.teacher).resolve())
    found = loss.model_copy(update={"teacher": place})
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"loss": found})})


def check_teacher(recipe: Recipe, data: Sequence[Part], weights_sha256: str = "") -> Contract | None:
    """The contract of the recipe's teacher; None where it has none.

    data: the data sets to learn from; weights_sha256: of the teacher that this run began with, where it
    goes on. Raises RunError for another teacher, and for one that learnt from folds which the
    recipe does not train on: the student would know of them.
    """
    loss = recipe.training.loss
    if not isinstance(loss, Distillation):
        return None
    contract = read_contract(find_model_folder(loss.teacher))
    if weights_sha256 not in ("", contract.weights_sha256):
        raise RunError(
            f"{loss.teacher}: found another teacher than this run began with; accepted: the one with sha256 "
            f"{weights_sha256}."
        )
    here = {(one.dataset, one.version == datasets.SIMULATED_VERSION) for one in data}
    for one in contract.seen:
        unseen = sorted(set(one.training) - set(recipe.folds.training))
        if unseen and (one.dataset, one.version == datasets.SIMULATED_VERSION) in here:
            raise RunError(
                f"training.loss.teacher: found {loss.teacher}, which learnt from fold "
                f"{', '.join(map(str, unseen))} of {one.dataset}; accepted: a teacher that learnt from the "
                f"training folds alone ({', '.join(map(str, recipe.folds.training))})."
            )
    return contract


def load_teacher(teacher: str, codes: Sequence[str], preprocessing: Preprocessing) -> nn.Module:
    """The network of a run or model folder, in evaluation mode, that answers the same question.

    Raises RecipeError where it reads another input or has other classes.
    """
    classifier = load(teacher)
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
