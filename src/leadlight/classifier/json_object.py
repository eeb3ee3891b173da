"""JSON from strangers: bounded, each key once, nothing but plain JSON."""

from __future__ import annotations

import json
from typing import Any

from leadlight.errors import ContractError


def parse_json_object(text: bytes, where: str, largest: int) -> dict[str, Any]:
    """The JSON object in a text from a stranger: bounded, each key once, no NaN. Raises ContractError."""
    if len(text) > largest:
        raise ContractError(f"{where}: found more than {largest:,} bytes; accepted: up to that.")
    try:
        value = json.loads(text.decode(), object_pairs_hook=_each_key_once, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{where}: found text that is not plain JSON ({error}).") from error
    if not isinstance(value, dict):
        raise ContractError(f"{where}: found a JSON {type(value).__name__}; accepted: an object.")
    return value


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        repeated = next(key for key in values if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"the key {repeated!r} stands twice")
    return values


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
