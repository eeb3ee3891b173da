"""What every step of a preprocessing is: a frozen value with a name, that changes a batch of signals.

A step's fields are its parameters: they stand in the recipe, where those with a
default may be left out, and in a model's contract, where all of them stand.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ContractError, did_you_mean

Floats = NDArray[np.floating[Any]]
LARGEST_NUMBER = 1e18
"""No parameter comes near it; what is larger does not fit into a float or an array's length."""


class ParameterError(ContractError):
    """A step's parameter that is out of range. problem: what was found and what is accepted."""

    def __init__(self, kind: str, parameter: str, problem: str) -> None:
        self.kind, self.parameter, self.problem = kind, parameter, problem
        super().__init__(f"{kind}.{parameter}: {problem}")

    def __reduce__(self) -> tuple[type[ParameterError], tuple[str, str, str]]:
        return type(self), (self.kind, self.parameter, self.problem)


@dataclass(frozen=True)
class Conditions:
    """Where in the preprocessing a step stands.

    leads: rows of the signals; rate: Hz, of the signals that reach the step;
    new_rate: Hz, of the model's input; n_samples: length of the model's input at
    ``rate``; starts: first sample that a crop keeps, (records,), None for the
    place that predictions read.
    """

    leads: tuple[str, ...]
    rate: float
    new_rate: float
    n_samples: int
    starts: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Step:
    """Base of the steps. Signals are (records, leads, samples), float32 or float64, NaN where missing.

    kind: the name in recipes and contracts. rescales: leaves millivolts behind.
    pointwise: each new sample depends on the old sample at its place alone.
    fitted: parameters that are None until they are fitted on training records.
    """

    kind: ClassVar[str]
    rescales: ClassVar[bool] = False
    pointwise: ClassVar[bool] = False
    fitted: ClassVar[tuple[str, ...]] = ()

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        """The signals after this step. Raises ContractError for signals that it cannot take."""
        raise NotImplementedError

    def describe(self) -> str:
        """The step in words: one sentence."""
        raise NotImplementedError

    def note(self, before: Floats, at: Conditions) -> str:
        """What the step does to this one recording, (1, leads, samples); "" where nothing worth a word."""
        return ""

    def check(self, rate: float) -> None:
        """Raise ParameterError for parameters that are impossible at this rate (Hz)."""

    def fit(self, signals: Iterable[Floats], leads: tuple[str, ...]) -> Step:
        """The step with its fitted numbers, from arrays (records, leads, samples) that reach it."""
        return self

    def shortest(self, rate: float) -> float:
        """Seconds that a signal must last for this step."""
        return 0.0

    @property
    def is_fitted(self) -> bool:
        """Whether every fitted number is there."""
        return all(getattr(self, name) is not None for name in self.fitted)

    def _refuse(self, parameter: str, accepted: str) -> typing.NoReturn:
        found = getattr(self, parameter)
        shown = list(found) if isinstance(found, tuple) else found
        raise ParameterError(self.kind, parameter, f"found {shown}; accepted: {accepted}.")

    def _need(self, parameter: str, low: float, high: float, unit: str = "") -> None:
        """Refuse a number that is not between low and high, both included; NaN is not."""
        if not low <= getattr(self, parameter) <= high:
            self._refuse(parameter, f"{low:g} to {high:g}{unit and ' '}{unit}")


def first_missing(signals: Floats, leads: tuple[str, ...]) -> str:
    """In words, which record and leads have missing samples first; "" where none has."""
    missing = np.isnan(signals)
    if not missing.any():
        return ""
    record = int(np.argmax(missing.any(axis=(1, 2))))
    counts = missing[record].sum(axis=1)
    gaps = ", ".join(f"{lead} {n}" for lead, n in zip(leads, counts, strict=True) if n)
    return f"{where(signals, record)}: found missing samples ({gaps})"


def where(signals: Floats, record: int) -> str:
    """How a message names one record of a batch."""
    return "signal" if len(signals) == 1 else f"signals[{record}]"


def refuse_missing(signals: Floats, at: Conditions, why: str = "the model accepts none") -> None:
    """Raise ContractError, naming leads, where samples are missing."""
    found = first_missing(signals, at.leads)
    if found:
        raise ContractError(
            f"{found}; {why}. leadlight.signal.interpolate_gaps(recording, longest=0.1), or --fill-gaps 0.1 "
            "on the command line, fills short gaps and says so."
        )


def step_values(step: Step) -> dict[str, Any]:
    """Plain values of a step: kind and parameters, without numbers that are not fitted yet."""
    values: dict[str, Any] = {"kind": step.kind}
    for field in dataclasses.fields(step):
        value = getattr(step, field.name)
        if value is not None:
            values[field.name] = list(value) if isinstance(value, tuple) else value
    return values


def step_from(
    values: object, kinds: Mapping[str, type[Step]], place: str = "step", *, complete: bool = False
) -> Step:
    """The step that plain values state: a table with ``kind`` and parameters, or a kind alone.

    complete: every parameter must stand there, as in a contract. Raises
    ContractError, which names the place and the key.
    """
    if isinstance(values, Step):
        return values
    if isinstance(values, str) and not complete:
        values = {"kind": values}
    if not isinstance(values, Mapping):
        raise ContractError(f"{place}: found {_short(values)}; accepted: a table with kind and parameters.")
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        hint = did_you_mean(str(kind), kinds)
        raise ContractError(f"{place}.kind: found {_short(kind)}; accepted: {', '.join(kinds)}.{hint}")
    cls = kinds[kind]
    parameters = _parameters(cls)
    given = {key: value for key, value in values.items() if key != "kind"}
    for key, value in given.items():
        if key not in parameters:
            accepted = ", ".join(parameters) or "none"
            raise ContractError(
                f"{place}.{key}: found an unknown key of the step {kind}; accepted: {accepted}."
                f"{did_you_mean(str(key), parameters)}"
            )
        given[key] = _typed(value, parameters[key], f"{place}.{key}")
    absent = [
        field.name
        for field in dataclasses.fields(cls)
        if field.name not in given and (complete or field.default is dataclasses.MISSING)
    ]
    if absent:
        raise ContractError(f"{place}.{absent[0]}: found nothing; this key of the step {kind} is needed.")
    try:
        return cls(**given)
    except ParameterError as error:
        raise ContractError(f"{place}.{error.parameter}: {error.problem}") from None


def _parameters(cls: type[Step]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _typed(value: object, hint: Any, place: str) -> Any:
    """The value as the parameter's type has it; no number is read out of text, no truth out of a number."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):  # a fitted number, or None
        (hint,) = (one for one in inner if one is not type(None))
        return _typed(value, hint, place)
    if origin is Literal:
        if value not in inner or isinstance(value, bool):
            accepted = ", ".join(map(str, inner))
            hint_text = did_you_mean(str(value), [str(one) for one in inner])
            raise ContractError(f"{place}: found {_short(value)}; accepted: {accepted}.{hint_text}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple) or len(value) > 64:
            raise ContractError(f"{place}: found {_short(value)}; accepted: a list of numbers.")
        return tuple(_typed(one, inner[0], place) for one in value)
    return whole_number(value, place) if hint is int else number(value, place)


def number(value: object, place: str) -> float:
    """A finite number that stands for itself; ContractError, naming the place, for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < LARGEST_NUMBER:
        raise ContractError(f"{place}: found {_short(value)}; accepted: a number.")
    return float(value)


def whole_number(value: object, place: str) -> int:
    """A whole number that stands for itself; ContractError, naming the place, for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or not abs(value) < LARGEST_NUMBER:
        raise ContractError(f"{place}: found {_short(value)}; accepted: a whole number.")
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
