"""Contracts of earlier schemas, brought to the present one when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadlight.errors import ContractError, did_you_mean
from leadlight.signal import GlobalScaling

_KEYS_1 = ("leads", "sampling_rate", "n_samples", "mean", "scale")


def from_schema_1(contract: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A contract of schema 1, whose preprocessing was one global scaling, as schema 2 states it.

    Raises ContractError for keys that schema 1 did not have, or must have.
    """
    result = {**contract, "schema_version": 2}
    old = contract.get("preprocessing")
    if not isinstance(old, dict):
        return result  # refused as any contract without one is
    for key in old:
        if key not in _KEYS_1:
            raise ContractError(
                f"{where}, preprocessing.{key}: found an unknown key; accepted: {', '.join(_KEYS_1)}."
                f"{did_you_mean(key, _KEYS_1)}"
            )
    absent = [key for key in _KEYS_1 if key not in old]
    if absent:
        raise ContractError(
            f"{where}, preprocessing: found no {', '.join(absent)}; every step must be stated."
        )
    shared = {key: value for key, value in old.items() if key not in ("mean", "scale")}
    step = {"kind": GlobalScaling.kind, "mean": old["mean"], "scale": old["scale"]}
    result["preprocessing"] = {**shared, "starting_rate": None, "steps": [step]}
    return result
