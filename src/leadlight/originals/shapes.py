"""Converted weights against our networks: shapes, and which model some tensors look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leadlight.errors import ModelError
from leadlight.originals.converting import Tensors, convert, convertible, origin
from leadlight.originals.keras_files import Layer
from leadlight.originals.keras_names import keras_layers, original_tensors
from leadlight.originals.published import published

if TYPE_CHECKING:
    from torch import Tensor, nn

_HEADS = ("head.weight", "head.output.weight", "head.first.weight")


def n_classes_of(state: dict[str, Tensor]) -> int:
    """Outputs of the network that has this state."""
    return int(next(state[key] for key in _HEADS if key in state).shape[0])


def looks_like(name: str, tensors: Tensors) -> str:
    """The end of a message: which other models have tensors of these names."""
    fitting = []
    for other in convertible():
        if other != name and other not in keras_layers():
            try:
                state = convert(other, tensors)
                _check_shapes(other, state, tensors)
            except ModelError:
                continue
            fitting.append(other)
    return f" These are the tensors of {' or '.join(fitting)}." if fitting else ""


def looks_like_keras(name: str, layers: Sequence[Layer]) -> str:
    """The end of a message: which other models have such layers."""
    fitting = []
    for other in keras_layers():
        if other != name:
            try:
                tensors = original_tensors(other, layers)
                _check_shapes(other, convert(other, tensors), tensors)
            except ModelError:
                continue
            fitting.append(other)
    return f" These are the layers of {' or '.join(fitting)}." if fitting else ""


def _check_shapes(name: str, state: dict[str, Tensor], tensors: Tensors) -> None:
    """Raise ModelError where the tensors are not of the published size."""
    known = published(name)
    module = without_memory(
        {
            "name": name,
            "n_classes": n_classes_of(state),
            "n_leads": len(known.leads),
            "arguments": known.arguments,
        }
    )
    problem = wrong_shape(name, module, state, tensors)
    if problem:
        raise ModelError(problem)


def without_memory(architecture: dict[str, Any]) -> nn.Module:
    """The network without memory behind its tensors. Raises ModelError for its arguments."""
    import torch

    from leadlight import models

    values = {key: value for key, value in architecture.items() if key != "arguments"}
    with torch.device("meta"):
        return models.create(**values, **architecture["arguments"])


def wrong_shape(name: str, module: nn.Module, state: dict[str, Tensor], tensors: Tensors) -> str:
    """What is wrong with the first tensor of another shape, in the original's name; "" where none is."""
    wanted = module.state_dict()
    for ours in sorted(set(wanted) ^ set(state)):
        found = "no such tensor" if ours in wanted else "a tensor that it does not have"
        return f"{ours}: found {found}; accepted: the tensors of the network"
    for ours, tensor in state.items():
        if tensor.shape != wanted[ours].shape:
            theirs, shape = origin(name, tensors, ours)
            accepted = _as_theirs(shape, tuple(tensor.shape), tuple(wanted[ours].shape))
            return f"{theirs}: found the shape {list(shape)}; accepted: {accepted}"
    return ""


def _as_theirs(theirs: tuple[int, ...], ours: tuple[int, ...], wanted: tuple[int, ...]) -> list[int]:
    """A wanted shape with its axes in the original's order, where that is ours or ours reversed."""
    return list(wanted if theirs == ours or theirs != ours[::-1] else wanted[::-1])
