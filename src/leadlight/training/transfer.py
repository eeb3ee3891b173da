"""Begin with another model's weights: what must be alike, what is taken over, and what is stated of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import nn

from leadlight import datasets, models
from leadlight.classifier import Classifier, find_model_folder, load, read_contract, shipped
from leadlight.classifier.contract import Contract, Origin
from leadlight.errors import ModelError, RecipeError, RunError
from leadlight.recipes import Recipe
from leadlight.signal import Crop, Metadata, Pad, Preprocessing, Step
from leadlight.signal.step import step_values
from leadlight.store import Part


@dataclass(frozen=True, eq=False)
class Start:
    """Where a training begins.

    preprocessing, metadata: with the numbers that the weights were fitted with, None where the recipe
    prepares its input otherwise; origin: for the contract.
    """

    classifier: Classifier
    preprocessing: Preprocessing | None
    metadata: Metadata | None
    origin: Origin


def with_origin(recipe: Recipe, init_from: str) -> Recipe:
    """The recipe that begins with these weights: where they are, and the arguments that their network has.

    init_from: a shipped model, a run or a model folder. Raises RecipeError for another architecture,
    other leads, another order of them or another rate, ModelError or RunError where there is no model.
    """
    folder = find_model_folder(init_from)
    contract = read_contract(folder)
    given, wanted = contract.input, recipe.input
    architecture = models.describe(recipe.model).name
    leads = ", ".join(f'"{lead}"' for lead in given.leads)
    origin = contract.architecture.name
    for what, found, accepted, remedy in (
        ("the model", origin, architecture, f"leadlight train {origin}"),
        ("the leads", ", ".join(given.leads), ", ".join(wanted.leads), f"--set 'input.leads=[{leads}]'"),
        (
            "the rate", f"{given.sampling_rate:g} Hz", f"{wanted.sampling_rate:g} Hz",
            f"--set input.sampling_rate={given.sampling_rate:g}",
        ),
    ):  # fmt: skip
        if found != accepted:
            raise RecipeError(
                f"recipe, init_from: found {what} {found} in {init_from}; accepted: {accepted}, "
                f"as the recipe has. To take those weights: {remedy}."
            )
    own = {name: value for name, value in contract.architecture.arguments.items() if value is not None}
    place = init_from if init_from in shipped() else str(folder.resolve())
    return recipe.model_copy(update={"init_from": place, "arguments": {**own, **recipe.arguments}})


def start_from(recipe: Recipe, codes: Sequence[str], data: Sequence[Part], weights_sha256: str = "") -> Start:
    """The model that ``recipe.init_from`` names, and what of it is taken over.

    codes: of the classes to learn; data: the data sets to learn from; weights_sha256: of the weights that
    this run began with, where it goes on. Raises RunError for other weights than these, and where
    the weights had already learnt from the folds that are to choose among the epochs.
    """
    classifier = load(recipe.init_from, device="cpu")
    contract = classifier.contract
    if weights_sha256 not in ("", contract.weights_sha256):
        raise RunError(
            f"{recipe.init_from}: found other weights than this run began with; accepted: those with sha256 "
            f"{weights_sha256}."
        )
    _refuse_seen_validation(recipe, contract, data)
    wanted = recipe.input.preprocessing()
    steps = with_numbers_of(wanted, contract.preprocessing)
    beside = contract.metadata
    if beside is not None and recipe.metadata is not None and beside.scaling != recipe.metadata.age:
        beside = None
    notes = list(_differences(recipe, contract, steps))
    if contract.metadata is not None and beside is None:
        notes.append(f"ages were scaled otherwise: {contract.metadata.describe()}")
    origin = Origin(
        name=contract.name,
        weights_sha256=contract.weights_sha256,
        label_space=contract.label_space.name,
        head="kept" if tuple(codes) == contract.codes else "fresh",
        data=contract.seen,
        notes=tuple(notes),
    )
    return Start(classifier, steps, beside, origin)


def begin(start: Start, recipe: Recipe, n_classes: int) -> nn.Module:
    """The recipe's network with the weights, and a fresh head for other classes.

    Raises RecipeError where length or arguments need weights of other sizes.
    """
    old = start.classifier.contract.architecture
    module = models.create(
        recipe.model,
        old.n_classes,
        old.n_leads,
        recipe.input.n_samples,
        old.sampling_rate,
        **recipe.arguments,
    )
    weights, sizes = start.classifier.module.state_dict(), module.state_dict()
    unlike = [name for name in {**weights, **sizes} if _size(weights, name) != _size(sizes, name)]
    if unlike:
        raise RecipeError(
            f"recipe, init_from: found weights of other sizes in {start.origin.name} ({', '.join(unlike[:3])}"
            f"{', ...' if len(unlike) > 3 else ''}); accepted: input.seconds = "
            f"{old.n_samples / old.sampling_rate:g}, and arguments {old.arguments or 'as published'}."
        )
    module.load_state_dict(weights)
    if start.origin.head == "fresh":
        if not hasattr(module, "reset_head"):
            raise ModelError(f"{recipe.model}: has no reset_head, which other classes need.")
        module.reset_head(n_classes)  # type: ignore[operator]
    return module


def with_numbers_of(wanted: Preprocessing, fitted: Preprocessing) -> Preprocessing | None:
    """The wanted steps with fitted numbers of others; None where they do something else.

    How long recordings are cropped or short ones padded may differ.
    """
    pairs = list(zip(_steps(wanted), _steps(fitted), strict=False))
    alike = len(_steps(wanted)) == len(_steps(fitted)) and all(_alike(*pair) for pair in pairs)
    if not alike or wanted.starting_rate != fitted.starting_rate:
        return None
    numbers = iter(_steps(fitted))
    steps = [step if isinstance(step, Crop | Pad) else next(numbers) for step in wanted.steps]
    return replace(wanted, steps=tuple(steps))


def _refuse_seen_validation(recipe: Recipe, contract: Contract, data: Sequence[Part]) -> None:
    here = {(one.dataset, one.version == datasets.SIMULATED_VERSION) for one in data}
    for one in contract.seen:
        if (one.dataset, one.version == datasets.SIMULATED_VERSION) not in here:
            continue
        both = sorted(set(one.training) & set(recipe.folds.validation))
        if both:
            raise RunError(
                f"folds.validation: found fold {', '.join(map(str, both))} of {one.dataset}, which the "
                f"weights of {recipe.init_from} were fitted on (folds {', '.join(map(str, one.training))}); "
                "accepted: folds that they have not seen: --set folds.validation=[...]."
            )


def _differences(recipe: Recipe, contract: Contract, steps: Preprocessing | None) -> list[str]:
    """What of the input differs from what the weights were fitted with, in sentences."""
    notes = []
    if steps is None:
        notes.append(
            "input was prepared otherwise, and its numbers are fitted anew: "
            + " ".join(contract.preprocessing.describe())
        )
    if contract.input.n_samples != recipe.input.n_samples:
        notes.append(f"input was {contract.preprocessing.duration:g} s long")
    old = contract.architecture.arguments
    notes += [
        f"argument {name} was {old[name]!r}"
        for name, value in recipe.arguments.items()
        if name in old and old[name] != value
    ]
    return notes


def _steps(preprocessing: Preprocessing) -> list[Step]:
    return [step for step in preprocessing.steps if not isinstance(step, Crop | Pad)]


def _alike(wanted: Step, fitted: Step) -> bool:
    """Whether two steps do the same; what the first leaves to be fitted may have any value."""
    other = step_values(fitted)
    return wanted.kind == fitted.kind and all(
        value == other.get(name) for name, value in step_values(wanted).items()
    )


def _size(weights: dict[str, object], name: str) -> object:
    return getattr(weights.get(name), "shape", None)
