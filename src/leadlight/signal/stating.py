"""A preprocessing as plain values, read back strictly, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leadlight.errors import ContractError, did_you_mean
from leadlight.signal.length import Crop, Pad
from leadlight.signal.step import Step, number, step_from, step_values, whole_number
from leadlight.signal.steps import KINDS

if TYPE_CHECKING:
    from leadlight.signal.preprocessing import Preprocessing

KEYS = ("leads", "sampling_rate", "n_samples", "starting_rate", "steps")
LARGEST_NUMBER_OF_STEPS = 50


def steps_from(values: object, place: str, *, complete: bool = False) -> tuple[Step, ...]:
    """Steps from a list of tables with a ``kind``, or of kinds alone. complete: with every parameter.

    Raises ContractError, which names place and key.
    """
    if not isinstance(values, list | tuple) or len(values) > LARGEST_NUMBER_OF_STEPS:
        raise ContractError(
            f"{place}: found {values!r:.60}; accepted: a list of up to {LARGEST_NUMBER_OF_STEPS} steps."
        )
    return tuple(
        step_from(one, KINDS, f"{place}[{place_of_one}]", complete=complete)
        for place_of_one, one in enumerate(values)
    )


def to_values(preprocessing: Preprocessing) -> dict[str, Any]:
    """Plain values, for JSON."""
    values: dict[str, Any] = {key: getattr(preprocessing, key) for key in KEYS}
    values["leads"] = list(preprocessing.leads)
    values["steps"] = [step_values(step) for step in preprocessing.steps]
    return values


def arguments_from(values: object, place: str) -> dict[str, Any]:
    """The arguments of a Preprocessing from plain values that state every key and parameter.

    Raises ContractError, which names the key.
    """
    if not isinstance(values, Mapping):
        raise ContractError(f"{place}: found a {type(values).__name__}; accepted: a table.")
    for key in values:
        if key not in KEYS:
            hint = did_you_mean(str(key), KEYS)
            raise ContractError(f"{place}.{key}: found an unknown key; accepted: {', '.join(KEYS)}.{hint}")
    for key in KEYS:
        if key not in values:
            raise ContractError(f"{place}.{key}: found nothing; this key is needed.")
    leads, starting = values["leads"], values["starting_rate"]
    if not isinstance(leads, list) or not leads or not all(isinstance(one, str) and one for one in leads):
        raise ContractError(f"{place}.leads: found {leads!r:.60}; accepted: a list of names.")
    return {
        "leads": tuple(leads),
        "sampling_rate": number(values["sampling_rate"], f"{place}.sampling_rate"),
        "n_samples": whole_number(values["n_samples"], f"{place}.n_samples"),
        "starting_rate": None if starting is None else number(starting, f"{place}.starting_rate"),
        "steps": steps_from(values["steps"], f"{place}.steps", complete=True),
    }


def sentences(preprocessing: Preprocessing) -> list[str]:
    """The preprocessing in words, one sentence a step."""
    kinds = {type(step) for step in preprocessing.steps}
    rate, duration = preprocessing.first_rate, preprocessing.duration
    begin = f"{len(preprocessing.leads)} leads ({', '.join(preprocessing.leads)})"
    if rate is None:
        said = [f"{begin} at the recording's own rate."]
    else:
        said = [f"{begin} at {rate:g} Hz; recordings at other rates are resampled."]
    said += [step.describe() for step in preprocessing.steps]
    if Crop not in kinds:
        said.append(f"Recordings longer than {duration:g} s are refused unless a part is asked for.")
    if Pad not in kinds:
        said.append(f"Recordings shorter than {duration:g} s are refused.")
    if not preprocessing.takes_missing:
        said.append("Missing samples are refused.")
    return said
