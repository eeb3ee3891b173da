"""The recipe: everything that decides a training run, checked key by key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    field_validator,
    model_validator,
)

from leadlight.errors import ContractError, RecipeError, did_you_mean, nearest
from leadlight.leads import STANDARD_LEADS, canonical_lead
from leadlight.recipes.augmentation_settings import AugmentationSettings
from leadlight.recipes.training_settings import KINDED, TrainingSettings
from leadlight.signal import Preprocessing, Resample, Step
from leadlight.signal.metadata import AgeScaling
from leadlight.signal.stating import steps_from
from leadlight.signal.step import step_values

_STRICT = ConfigDict(extra="forbid", frozen=True)


SCALINGS: dict[str, dict[str, str] | None] = {
    "global": {"kind": "scale-global"},
    "per-lead": {"kind": "scale-per-lead"},
    "per-record": {"kind": "z-score", "over": "record"},
    "per-record-lead": {"kind": "z-score", "over": "lead"},
    "min-max": {"kind": "min-max"},
    "none": None,
}
"""Short names of the step that scales, which then comes last."""

TABLES = ("input", "folds", "sampling", "metadata", "augmentation", "training")


def _steps(values: object) -> tuple[Step, ...]:
    try:
        return steps_from(values, "steps")
    except ContractError as error:
        raise ValueError(str(error)) from None


class InputSettings(BaseModel):
    """What the model reads of a recording: steps in their order, and then the scaling.

    sampling_rate: Hz, of the model's input; scaling: short for the last step; "none" where
    ``steps`` have their own; starting_rate: Hz, of the prepared store, where the steps resample.
    """

    model_config = _STRICT
    leads: tuple[str, ...] = STANDARD_LEADS
    sampling_rate: float = Field(default=100.0, gt=0, le=20_000)
    seconds: float = Field(default=10.0, gt=0)
    scaling: Literal["global", "per-lead", "per-record", "per-record-lead", "min-max", "none"] = "global"
    starting_rate: float | None = Field(default=None, gt=0, le=20_000)
    steps: Annotated[
        tuple[Step, ...],
        PlainValidator(lambda values: _steps(values)),
        PlainSerializer(lambda steps: [step_values(step) for step in steps]),
    ] = ()

    @field_validator("leads")
    @classmethod
    def _canonical(cls, leads: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [lead for lead in leads if canonical_lead(lead) is None]
        if unknown or not leads:
            raise ValueError(f"found {', '.join(unknown) or 'none'}; accepted: {', '.join(STANDARD_LEADS)}")
        return tuple(str(canonical_lead(lead)) for lead in leads)

    @model_validator(mode="after")
    def _possible(self) -> InputSettings:
        scaling = [step.kind for step in self.steps if step.rescales]
        if scaling and self.scaling != "none":
            raise ValueError(
                f"found scaling {self.scaling!r} beside the step {scaling[0]}; "
                'accepted: scaling = "none" where a step scales'
            )
        resamples = any(isinstance(step, Resample) for step in self.steps)
        if resamples and self.starting_rate is None:
            raise ValueError(
                "found the step resample without starting_rate; accepted: the rate (Hz) of the prepared "
                "store, where the steps begin"
            )
        try:
            self.preprocessing()
        except ContractError as error:
            raise ValueError(str(error).removeprefix("preprocessing.")) from None
        return self

    @property
    def n_samples(self) -> int:
        """Samples in each lead."""
        return round(self.seconds * self.sampling_rate)

    @property
    def first_rate(self) -> float:
        """Hz, of the store that the steps read."""
        return self.starting_rate or self.sampling_rate

    def preprocessing(self) -> Preprocessing:
        """The steps as a value; what is fitted on training records has no numbers yet."""
        last = SCALINGS[self.scaling]
        steps = self.steps if last is None else (*self.steps, *steps_from([last], "scaling"))
        return Preprocessing(self.leads, self.sampling_rate, self.n_samples, steps, self.starting_rate)


class FoldSettings(BaseModel):
    """Folds for fitting and for choosing (stopping, thresholds). All others stay unseen."""

    model_config = _STRICT
    training: tuple[int, ...] = Field(min_length=1)
    validation: tuple[int, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> FoldSettings:
        both = sorted(set(self.training) & set(self.validation))
        if both:
            raise ValueError(f"fold {both[0]} is in both training and validation; accepted: each fold in one")
        return self


class MetadataSettings(BaseModel):
    """How age and sex are read, for models that read them beside the signal.

    age: its scaling, fitted on the training records; hidden: share of the training records whose age,
    and as many whose sex, are hidden in each epoch, so that the model learns to do without.
    """

    model_config = _STRICT
    age: AgeScaling = "min-max"
    hidden: float = Field(default=0.1, ge=0, lt=1)


class SamplingSettings(BaseModel):
    """Which training records are drawn, and how epochs are made of them; by default all, each once an epoch.

    per_label: records of each label (one number, or a table of labels), none: records that show none of
    these labels, per_patient: records of one patient at most; all drawn once a run, without replacement.
    balance: classes or sources come equally often in an epoch; epoch_length: records, by default as many
    as were drawn; replacement: a record may return before all others of its class or source were read.
    """

    model_config = _STRICT
    per_label: Annotated[int, Field(ge=1)] | dict[str, Annotated[int, Field(ge=0)]] | None = None
    none: int | None = Field(default=None, ge=0)
    per_patient: int | None = Field(default=None, ge=1)
    when_short: Literal["take all", "refuse"] = "take all"
    balance: Literal["no", "class", "source"] = "no"
    replacement: bool = False
    epoch_length: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _possible(self) -> SamplingSettings:
        if self.per_label is None and self.none is not None:
            raise ValueError("found none without per_label; accepted: none beside labels that it is none of")
        if self.replacement and self.balance == "no":
            raise ValueError('found replacement without balance; accepted: balance = "class" or "source"')
        return self


class Recipe(BaseModel):
    """Everything that decides a training run but the data's place and the machine.

    labels: a label space, or "own" for the label columns of the data set; min_likelihood: percent,
    from which a statement sets its label; below_likelihood: what a less likely one leaves behind;
    where: a condition that the records meet, as ``leadlight filter`` takes it; init_from: a shipped model,
    a run or a model folder, whose weights are begun with.
    """

    model_config = _STRICT
    model: str
    labels: str
    min_likelihood: float = Field(default=0.0, ge=0, le=100)
    below_likelihood: Literal["negative", "unknown"] = "negative"
    where: str = ""
    keep_unlabelled: bool = False
    seed: int = Field(default=42, ge=0, lt=2**31)
    input: InputSettings = InputSettings()
    folds: FoldSettings
    sampling: SamplingSettings = SamplingSettings()
    metadata: MetadataSettings | None = None
    augmentation: AugmentationSettings = AugmentationSettings()
    arguments: dict[str, bool | int | float | str] = {}
    init_from: str = ""
    training: TrainingSettings = TrainingSettings()

    def to_toml(self) -> str:
        """The resolved recipe, with every value that is used."""
        import tomli_w

        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def shipped() -> dict[str, str]:
    """Names of the recipes in the package, each with its first line of comment."""
    folder = resources.files("leadlight.recipes")
    texts = {
        Path(item.name).stem: item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(".toml")
    }
    return {name: text.splitlines()[0].lstrip("# ").rstrip(":") for name, text in sorted(texts.items())}


def recipe_text(name: str) -> str:
    """The TOML text of a shipped recipe. Raises RecipeError, with the nearest name, for an unknown one."""
    names = tuple(shipped())
    if name not in names:
        raise RecipeError(
            f"recipes: found {name!r}; accepted: {', '.join(names)}.{did_you_mean(name, names)}"
        )
    return (resources.files("leadlight.recipes") / f"{name}.toml").read_text(encoding="utf-8")


def model_of(name: str) -> str:
    """The model that a shipped recipe is for; "" for one that is laid over any model's own."""
    return str(_parse(recipe_text(name), name).get("model", ""))


def load_recipe(
    model: str = "",
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    *,
    text: str | None = None,
) -> Recipe:
    """The resolved recipe of a model.

    recipe: a shipped name or a TOML file; one without a ``model`` key is laid
    over the model's own. overrides: "key=value" with dotted keys and TOML
    values ("training.epochs=5"); a bare word is taken as text. text: a whole
    recipe as TOML, a run's own, in place of the model's shipped one.
    Raises RecipeError naming the key, with the nearest match for an unknown one.
    """
    over = {} if recipe is None else _read_recipe(recipe)
    if over.get("model", model) != model:
        raise RecipeError(f"recipe {recipe}: found model {over['model']!r}; you asked for {model!r}.")
    if "model" in over:
        values = over
    else:
        values = _parse(text if text is not None else recipe_text(model), model or "of the run")
        if "model" not in values:
            raise RecipeError(
                f"recipe {model}: found no model in it; it is laid over a model's own recipe: "
                f"leadlight train MODEL --recipe {model}."
            )
        values = _lay_over(values, over, str(recipe))
    for override in overrides:
        _set(values, override)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise RecipeError(_explain(error, values)) from None


def _read_recipe(recipe: str | Path) -> dict[str, Any]:
    path = Path(recipe)
    if path.suffix == ".toml":
        if not path.is_file():
            raise RecipeError(f"recipe {path}: there is no such file.")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise RecipeError(
                f"recipe {path}: found bytes that are not UTF-8; accepted: TOML in UTF-8."
            ) from None
        return _parse(text, str(path))
    return _parse(recipe_text(str(recipe)), str(recipe))


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(f"recipe {name}: not TOML: {error}.") from None


def _lay_over(below: Mapping[str, Any], above: dict[str, Any], name: str) -> dict[str, Any]:
    """An overlay on a model's recipe; tables that it names as ``fresh`` begin from the defaults."""
    fresh = above.pop("fresh", [])
    if not isinstance(fresh, list) or not set(map(str, fresh)) <= set(TABLES):
        raise RecipeError(f"recipe {name}, fresh: found {fresh!r}; accepted: a list of {', '.join(TABLES)}.")
    return _merge({key: value for key, value in below.items() if key not in fresh}, above)


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    under: Any
    for key, value in above.items():
        under = merged.get(key)
        if key in KINDED and under is not None:
            under = {"kind": under} if isinstance(under, str) else {"kind": KINDED[key], **under}
        # A table of another kind has other keys: it takes the place of the one below.
        both = isinstance(value, dict) and isinstance(under, dict)
        if both and (key not in KINDED or value.get("kind", under["kind"]) == under["kind"]):
            merged[key] = _merge(under, value)
        else:
            merged[key] = value
    return merged


def _set(values: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key.strip():
        raise RecipeError(f"--set: found {override!r}; accepted: key=value, such as training.epochs=5.")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        parsed = value
    keys = key.strip().split(".")
    if keys[0] not in Recipe.model_fields:
        # `epochs=5` is as clear as `training.epochs=5` where only one table has the key.
        tables = [table for table in TABLES if keys[0] in _keys_of(table)]
        if len(tables) == 1:
            keys = [tables[0], *keys]
    _refuse_unknown(keys, key.strip())
    table = values
    for part in keys[:-1]:
        # A number that is replaced by a table, as in sampling.per_label.AFIB=500 over per_label = 100.
        if not isinstance(table.get(part), dict):
            named = part in KINDED and isinstance(table.get(part), str)
            table[part] = {"kind": table[part]} if named else {}
        table = table[part]
    table[keys[-1]] = parsed


def _keys_of(table: str) -> tuple[str, ...]:
    annotation = Recipe.model_fields[table].annotation
    # A table that may be left out is a union with None.
    for schema in (annotation, *get_args(annotation)):
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            return tuple(schema.model_fields)
    return ()


def _all_keys() -> list[str]:
    return [
        f"{table}.{key}" if key else table
        for table in Recipe.model_fields
        for key in (_keys_of(table) or ("",))
        if table != "arguments"
    ]


def _refuse_unknown(keys: list[str], written: str) -> None:
    # What stands in a table of a table is checked by the schema.
    in_table = len(keys) > 2 and (
        (keys[0] == "training" and keys[1] in KINDED)
        or (keys[0] == "augmentation" and keys[1] in AugmentationSettings.model_fields)
    )
    names_follow = keys[:-1] in (["arguments"], ["sampling", "per_label"]) or in_table
    if names_follow:
        return
    if ".".join(keys) not in _all_keys():
        raise RecipeError(
            f"--set {written}: there is no such key; accepted: {', '.join(_all_keys())}, "
            f"arguments.NAME.{_did_you_mean_key(written)}"
        )


def _did_you_mean_key(written: str) -> str:
    """By the whole dotted key or, failing that, its last word: "learning_rat" is training.learning_rate."""
    hint = did_you_mean(written, _all_keys())
    if hint:
        return hint
    by_last_word = {key.rpartition(".")[2]: key for key in _all_keys()}
    word = nearest(written.rpartition(".")[2], by_last_word)
    return "" if word is None else f" Did you mean {by_last_word[word]!r}?"


def _explain(error: ValidationError, values: Mapping[str, Any]) -> str:
    lines = []
    for problem in error.errors():
        parts = list(problem["loc"])
        if len(parts) > 2 and parts[0] == "training" and parts[1] in KINDED:
            del parts[2]  # the kind, which is no key
        key = ".".join(str(part) for part in parts)
        if problem["type"] == "extra_forbidden":
            lines.append(f"recipe, {key}: there is no such key.{_did_you_mean_key(key)}")
        elif problem["type"] == "union_tag_invalid":
            found, accepted = problem["ctx"]["tag"], problem["ctx"]["expected_tags"].replace("'", "")
            hint = did_you_mean(found, accepted.split(", "))
            lines.append(f"recipe, {key}: found {found!r}; accepted: {accepted}.{hint}")
        elif problem["type"] == "missing":
            lines.append(f"recipe, {key}: missing.")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            is_part = isinstance(problem["input"], dict | list | tuple | BaseModel)
            found = "" if is_part else f"found {problem['input']!r}; "
            end = "" if message.endswith((".", "?")) else "."
            lines.append(f"recipe, {key or 'top'}: {found}{message}{end}")
    return "\n".join(lines)
