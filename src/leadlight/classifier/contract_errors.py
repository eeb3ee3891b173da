"""Validation errors of a contract in the words of its reader: key, found, accepted."""

from __future__ import annotations

import typing
from typing import Any

from pydantic import BaseModel, ValidationError

from leadlight.errors import ContractError, did_you_mean

_LONGEST_VALUE = 60


def explain_validation_error(error: ValidationError, model: type[BaseModel], where: str) -> ContractError:
    """One ContractError for all that pydantic found, a line each, five at most."""
    problems = error.errors(include_url=False)
    lines = [_describe(problem, model, where) for problem in problems[:5]]
    if len(problems) > 5:
        lines.append(f"... and {len(problems) - 5} more.")
    return ContractError("\n".join(lines))


def _describe(problem: Any, model: type[BaseModel], where: str) -> str:
    location = problem["loc"]
    key = ".".join(str(part) for part in location)
    place = f"{where}, {key}" if key else where
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        accepted = _keys(model, location[:-1])
        hint = did_you_mean(str(location[-1]), accepted)
        return f"{place}: found an unknown key; accepted: {', '.join(accepted)}.{hint}"
    if problem["type"] in ("missing", "missing_argument"):
        return f"{place}: found nothing; this key is needed."
    message = problem["msg"].removeprefix("Input should be ")
    message = message[:1].lower() + message[1:]
    return f"{place}: found {_shorten(problem['input'])}; accepted: {message}."


def _keys(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Keys of the part of the contract at this location."""
    parts = [model]
    for step in location:
        inside = [
            one
            for part in parts
            if step in part.model_fields
            for one in _models_in(part.model_fields[step].annotation)
        ]
        # A step that is no field is a place in a list, or the ``kind`` that tells parts apart.
        tagged = [
            one for one in parts if "kind" in one.model_fields and one.model_fields["kind"].default == step
        ]
        parts = inside or tagged or parts
    return list(dict.fromkeys(key for part in parts for key in part.model_fields))


def _models_in(kind: Any) -> list[type[BaseModel]]:
    """The parts that a type such as ``tuple[Part | None, ...]`` speaks of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [one for inner in typing.get_args(kind) for one in _models_in(inner)]


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
