"""Models by name: what there is, what it needs, and how to make one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeVar

from leadlight.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from torch import nn

# Files of this room that are not models.
_NOT_MODELS = {"registry", "contract", "layers"}
# By the kind of an argument's published value: what is accepted, and its name.
_KINDS: dict[type, tuple[type, str]] = {
    bool: (bool, "true or false"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "a text"),
}


@dataclass(frozen=True)
class Input:
    """The published input of a model: sampling_rate in Hz, n_samples, n_leads, and what stands beside it."""

    sampling_rate: float
    n_samples: int
    n_leads: int = 12
    metadata: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelDescription:
    """What the registry knows of a model.

    parameters: values of the published network, running statistics included;
    trainable: those that training changes; attention: names of the maps that
    ``attention`` returns, () where the paper has none; aliases: other names of the same model.
    """

    name: str
    summary: str
    paper: str
    doi: str
    input: Input
    n_classes: int
    parameters: int
    trainable: int
    attention: tuple[str, ...]
    architecture: type[nn.Module]
    aliases: tuple[str, ...] = ()

    @property
    def has_attention(self) -> bool:
        """Whether the paper's network weighs parts of its input and can show the weights."""
        return bool(self.attention)

    @property
    def reads_metadata(self) -> bool:
        """Whether the network reads age or sex beside the signal."""
        return bool(self.input.metadata)

    @property
    def arguments(self) -> dict[str, Any]:
        """The network's own arguments with their published values, in their order."""
        return {
            parameter.name: parameter.default
            for parameter in inspect.signature(self.architecture).parameters.values()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }

    @property
    def about(self) -> str:
        """The network's own words: idea, shapes, source, what differs from the published code, arguments."""
        module = inspect.getdoc(importlib.import_module(self.architecture.__module__)) or ""
        classes = [
            re.sub(
                r"^.*?see the module's docstring[^.]*\.\s*",
                "",
                inspect.cleandoc(one.__doc__ or ""),
                flags=re.I | re.S,
            )
            for one in self.architecture.__mro__
            if one.__module__ == self.architecture.__module__
        ]
        return "\n\n".join(text for text in (module, *classes) if text)


_MODELS: dict[str, ModelDescription] = {}
_ALIASES: dict[str, str] = {}
Architecture = TypeVar("Architecture", bound="type[nn.Module]")


def register(
    name: str,
    *,
    summary: str,
    paper: str,
    doi: str,
    input: Input,
    n_classes: int,
    parameters: int,
    trainable: int,
    attention: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Callable[[Architecture], Architecture]:
    """Enter a class into the registry under the name that users type.

    The class takes (n_classes, n_leads, n_samples, sampling_rate, *, own arguments
    with the published values as defaults) and follows ``leadlight.models.contract``.
    """

    def enter(architecture: Architecture) -> Architecture:
        if name in _MODELS and _MODELS[name].architecture.__qualname__ != architecture.__qualname__:
            raise ModelError(f"models: the name {name!r} is taken by {_MODELS[name].architecture.__name__}.")
        _MODELS[name] = ModelDescription(
            name,
            summary,
            paper,
            doi,
            input,
            n_classes,
            parameters,
            trainable,
            attention,
            architecture,
            aliases,
        )
        _ALIASES.update(dict.fromkeys(aliases, name))
        return architecture

    return enter


def _load_all() -> dict[str, ModelDescription]:
    package = importlib.import_module("leadlight.models")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name not in _NOT_MODELS:
            importlib.import_module(f"leadlight.models.{module.name}")
    return _MODELS


def is_known(name: str) -> bool:
    """Whether a model is registered under this name or alias."""
    return name in _load_all() or name in _ALIASES


def names() -> tuple[str, ...]:
    """Names of all registered models, in alphabetical order."""
    return tuple(sorted(_load_all()))


def describe(name: str) -> ModelDescription:
    """What the registry knows of a model. Raises ModelError, with the nearest name, for an unknown one."""
    models = _load_all()
    name = _ALIASES.get(name, name)
    if name not in models:
        hint = did_you_mean(name, models)
        raise ModelError(f"models: found the name {name!r}; accepted: {', '.join(sorted(models))}.{hint}")
    return models[name]


def create(
    name: str,
    n_classes: int,
    n_leads: int = 12,
    n_samples: int | None = None,
    sampling_rate: float | None = None,
    **arguments: Any,
) -> nn.Module:
    """Make an untrained model.

    n_samples and sampling_rate (Hz) are the published ones unless given;
    arguments are the model's own, and an unknown one is refused with the list.
    Draws its starting weights from torch's global generator.
    """
    description = describe(name)
    own = description.arguments
    unknown = sorted(set(arguments) - set(own))
    if unknown:
        hint = did_you_mean(unknown[0], own)
        raise ModelError(
            f"{name}: found the argument {', '.join(unknown)}; accepted: {', '.join(own) or 'none'}.{hint}"
        )
    for argument, value in arguments.items():
        _check_kind(name, argument, value, own[argument])
    return description.architecture(
        n_classes,
        n_leads,
        description.input.n_samples if n_samples is None else n_samples,
        description.input.sampling_rate if sampling_rate is None else sampling_rate,
        **arguments,
    )


def _check_kind(name: str, argument: str, value: object, published: object) -> None:
    """Refuse a value of another kind than the published one; a whole number will do for any number."""
    kind, words = _KINDS.get(type(published), (object, ""))
    if not isinstance(value, kind) or (isinstance(value, bool) and kind in (Integral, Real)):
        raise ModelError(
            f"{name}, {argument}: found {value!r}; accepted: {words}, such as the published {published!r}."
        )
    if argument == "dropout" and not 0 <= float(str(value)) <= 1:
        raise ModelError(f"{name}, dropout: found {value!r}; accepted: from 0 to 1.")
