"""What a suite is: models under recipes, seeds, a test fold, and the number that was published for each."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from leadlight import models
from leadlight.errors import ModelError, RecipeError, did_you_mean
from leadlight.evaluation import OVERALL
from leadlight.recipes import Recipe, load_recipe

_STRICT = ConfigDict(extra="forbid", frozen=True)
DEFAULT_METRIC = "macro_roc_auc"


class Published(BaseModel):
    """A number that a paper or its repository gives; note: where, and on what."""

    model_config = _STRICT
    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""


class Entry(BaseModel):
    """One line of the table: a model under a recipe.

    name: of its folder and in the table, by default the model's; recipe: laid over the model's own, as
    ``leadlight train --recipe``; set: "key=value", after those of the suite.
    """

    model_config = _STRICT
    model: str
    name: str = ""
    recipe: str | None = None
    set: tuple[str, ...] = ()
    published: Published | None = None

    @property
    def title(self) -> str:
        """The name, or the model's where none is given."""
        return self.name or self.model


class Suite(BaseModel):
    """What is trained, and on which fold it is measured.

    metric: a key of metrics.json, the one of the table; recipe, set: for every entry, before its own;
    last: "key=value" after all others; seeds: one run each; source: of the published numbers; note: for
    the reader of the table.
    """

    model_config = _STRICT
    title: str
    source: str = ""
    note: str = ""
    metric: str = DEFAULT_METRIC
    test_fold: int = Field(ge=0)
    seeds: tuple[int, ...] = (42,)
    recipe: str | None = None
    set: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = Field(min_length=1)

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        if metric not in OVERALL:
            raise ValueError(f"found {metric!r}; accepted: {', '.join(OVERALL)}")
        return metric

    @model_validator(mode="after")
    def _complete(self) -> Suite:
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: accepted: one or more, each once")
        titles = [entry.title for entry in self.entries]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"entries: found {title!r} twice; accepted: a name of its own for each")
            if title in (".", "..") or any(sign in title for sign in "/\\:") or title.startswith("."):
                raise ValueError(f"entries: found the name {title!r}; accepted: one that can be a folder's")
        return self

    def recipe_of(self, entry: Entry, seed: int) -> Recipe:
        """The resolved recipe of one run. Raises RecipeError, naming the entry."""
        try:
            return load_recipe(entry.model, entry.recipe or self.recipe, self.overrides(entry, seed))
        except (RecipeError, ModelError) as error:
            raise RecipeError(f"suite, entry {entry.title}: {error}") from None

    def overrides(self, entry: Entry, seed: int) -> tuple[str, ...]:
        """Every "key=value" of one run, in order."""
        return (*self.set, *entry.set, *self.last, f"seed={seed}")

    def only(self, names: Sequence[str]) -> Suite:
        """The suite with these entries alone. Raises RecipeError for a name that it does not have."""
        titles = [entry.title for entry in self.entries]
        for name in names:
            if name not in titles:
                raise RecipeError(
                    f"--only: found {name!r}; accepted: {', '.join(titles)}.{did_you_mean(name, titles)}"
                )
        return self.model_copy(update={"entries": tuple(one for one in self.entries if one.title in names)})


def shipped() -> dict[str, str]:
    """Names of the suites in the package, each with its title."""
    return {name: str(tomllib.loads(text)["title"]) for name, text in sorted(_texts().items())}


def load_suite(
    suite: str | Path,
    *,
    overrides: Sequence[str] = (),
    seeds: Sequence[int] = (),
    test_fold: int | None = None,
) -> Suite:
    """A shipped suite by its name, or one from a TOML file.

    overrides: "key=value" for every entry, after the suite's own; seeds, test_fold: in place of the
    suite's where given. Every entry's recipe is resolved, so that nothing fails after hours for a word
    that was misspelt.
    Raises RecipeError naming file and key.
    """
    path = Path(suite)
    if path.suffix == ".toml":
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise RecipeError(f"suite {path}: there is no such file.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"suite {path}: cannot be read: {error}.") from None
    else:
        names = tuple(_texts())
        if str(suite) not in names:
            hint = did_you_mean(str(suite), names)
            raise RecipeError(
                f"suite: found {str(suite)!r}; accepted: a TOML file, or {', '.join(sorted(names))}.{hint}"
            )
        text = _texts()[str(suite)]
    return _parse(text, str(suite), tuple(overrides), tuple(seeds), test_fold)


def _parse(
    text: str, name: str, overrides: tuple[str, ...], seeds: tuple[int, ...], test_fold: int | None
) -> Suite:
    try:
        found = Suite(**tomllib.loads(text))
        changed = {
            "last": overrides,
            **({"seeds": seeds} if seeds else {}),
            **({} if test_fold is None else {"test_fold": test_fold}),
        }
        found = Suite(**{**found.model_dump(), **changed})
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"suite {name}: not TOML: {error}.") from None
    except (ValidationError, TypeError) as error:
        raise RecipeError(f"suite {name}: {_explain(error)}") from None
    for entry in found.entries:
        if entry.model not in models.names():
            hint = did_you_mean(entry.model, models.names())
            raise RecipeError(f"suite {name}, entry {entry.title}: there is no model {entry.model!r}.{hint}")
        recipe = found.recipe_of(entry, found.seeds[0])
        if found.test_fold in (*recipe.folds.training, *recipe.folds.validation):
            raise RecipeError(
                f"suite {name}, entry {entry.title}: fold {found.test_fold} is the test fold and among those "
                "that train or choose; accepted: a fold that no run has seen."
            )
    return found


def _explain(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return f"{error}."
    lines = []
    for problem in error.errors():
        key = ".".join(map(str, problem["loc"])) or "suite"
        kind = problem["type"]
        if kind == "extra_forbidden":
            lines.append(f"{key}: there is no such key.")
        elif kind == "missing":
            lines.append(f"{key}: missing.")
        else:
            lines.append(f"{key}: {problem['msg'].removeprefix('Value error, ')}.")
    return " ".join(lines)


def _texts() -> dict[str, str]:
    folder = resources.files("leadlight.suites") / "data"
    files = [one for one in folder.iterdir() if one.name.endswith(".toml")]
    return {one.name.removesuffix(".toml"): one.read_text(encoding="utf-8") for one in files}
