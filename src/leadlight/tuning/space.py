"""Which values of a recipe a study may try."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from leadlight.errors import RecipeError, did_you_mean

if TYPE_CHECKING:
    from optuna.trial import Trial

Value = bool | int | float | str
DEFAULT = "common"


class Parameter(BaseModel):
    """A range from low to high (log: evenly over its powers; whole: whole numbers), or a choice of values."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False
    choice: tuple[Value, ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> Parameter:
        if self.choice:
            if self.low is not None or self.high is not None or self.log or self.whole:
                raise ValueError("found a choice and a range; accepted: one of them")
        elif self.low is None or self.high is None:
            raise ValueError("accepted: low and high, or choice")
        elif not self.low < self.high:
            raise ValueError(f"found low {self.low:g}, high {self.high:g}; accepted: low below high")
        elif self.log and self.low <= 0:
            raise ValueError(f"found low {self.low:g}; accepted: above 0 where log is true")
        elif self.whole and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError("accepted: low and high without fraction where whole is true")
        return self

    @property
    def any_value(self) -> Value:
        """One of the values that may be tried."""
        if self.choice:
            return self.choice[0]
        assert self.low is not None
        return int(self.low) if self.whole else self.low

    def suggest(self, trial: Trial, key: str) -> Value:
        """The value that a trial takes."""
        if self.choice:
            value = trial.suggest_categorical(key, list(self.choice))
            assert value is not None
            return value
        assert self.low is not None and self.high is not None
        if self.whole:
            return trial.suggest_int(key, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(key, self.low, self.high, log=self.log)


class SearchSpace(BaseModel):
    """Keys of a recipe, as ``--set`` takes them, and what may stand there; title, note: for the reader."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    note: str = ""
    parameters: dict[str, Parameter] = Field(min_length=1)

    def suggest(self, trial: Trial) -> tuple[str, ...]:
        """What a trial changes in the recipe, as "key=value"."""
        return tuple(f"{key}={_toml(one.suggest(trial, key))}" for key, one in self.parameters.items())

    def any_overrides(self) -> tuple[str, ...]:
        """One point of the space, to see whether the recipe has these keys."""
        return tuple(f"{key}={_toml(one.any_value)}" for key, one in self.parameters.items())


def shipped() -> dict[str, str]:
    """Names of the search spaces in the package, each with its title."""
    return {name: str(tomllib.loads(text)["title"]) for name, text in sorted(_texts().items())}


def load_space(space: str | Path | None, model: str) -> SearchSpace:
    """A search space: a shipped name, a TOML file, or None for the model's own (``common`` without one).

    Raises RecipeError naming file and key.
    """
    texts = _texts()
    if space is None:
        space = model if model in texts else DEFAULT
    path = Path(space)
    if path.suffix == ".toml":
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise RecipeError(f"search space {path}: there is no such file.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"search space {path}: cannot be read: {error}.") from None
    elif str(space) in texts:
        text = texts[str(space)]
    else:
        hint = did_you_mean(str(space), tuple(texts))
        raise RecipeError(
            f"search space: found {str(space)!r}; accepted: a TOML file, or {', '.join(sorted(texts))}.{hint}"
        )
    try:
        return SearchSpace(**tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"search space {space}: not TOML: {error}.") from None
    except TypeError as error:
        raise RecipeError(f"search space {space}: {error}.") from None
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}."
            for one in error.errors()
        ]
        raise RecipeError(f"search space {space}: {' '.join(lines)}") from None


def _toml(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _texts() -> dict[str, str]:
    folder = resources.files("leadlight.tuning") / "data"
    files = [one for one in folder.iterdir() if one.name.endswith(".toml")]
    return {one.name.removesuffix(".toml"): one.read_text(encoding="utf-8") for one in files}
