"""From an original's tensors to a state dict of ours, checked to the last tensor."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

Tensors = dict[str, NDArray[Any]]
"""Tensors by name."""

# Model -> the file of this room that knows its original.
_HOME = {
    "cnn": "xplaim",
    "conv-bilstm-attention": "conv_bilstm_attention",
    "ecg-xplaim": "xplaim",
    "ecgnet": "imle_comparators",
    "fcn-wang": "ptbxl_benchmark",
    "gru": "xplaim",
    "imle-net": "imle_net",
    "inception1d": "ptbxl_benchmark",
    "lstm": "ptbxl_benchmark",
    "lstm-bidir": "ptbxl_benchmark",
    "mousavi": "imle_comparators",
    "mvms-net": "challenge",
    "mvms-student": "challenge",
    "nejedly": "challenge",
    "nejedly-no-attention": "challenge",
    "rajpurkar": "imle_comparators",
    "res1d": "resunet",
    "res2d": "resunet",
    "res2d-lc": "resunet",
    "resnet101": "imle_comparators",
    "resnet1d-wang": "ptbxl_benchmark",
    "resunet-lc": "resunet",
    "ribeiro": "challenge",
    "xresnet1d101": "ptbxl_benchmark",
    "xresnet1d18": "ptbxl_benchmark",
    "xresnet1d34": "ptbxl_benchmark",
    "xresnet1d50": "ptbxl_benchmark",
}


def convertible() -> tuple[str, ...]:
    """Names of the models whose original's weights can be taken over."""
    return tuple(sorted(_HOME))


def convert(name: str, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """The state dict of our model from its original's tensors.

    name: of the model; tensors: by the original's names, in its layouts; counters of
    batches are left out, everything else must be used.
    Raises ModelError for an unknown model, a tensor that is missing and one left over.
    """
    import torch

    if name not in _HOME:
        raise ModelError(
            f"original weights: found the model {name!r}; accepted: {', '.join(convertible())}."
            f"{did_you_mean(name, _HOME)}"
        )
    state = _converted(name, tensors)
    return {key: torch.from_numpy(np.array(value, order="C")) for key, value in state.items()}


def origin(name: str, tensors: Mapping[str, NDArray[Any]], ours: str) -> tuple[str, tuple[int, ...]]:
    """The original's tensor behind one of ours, with its shape there; ours where several are behind it."""
    value = _converted(name, tensors)[ours]
    behind = [key for key, given in tensors.items() if np.may_share_memory(given, value)]
    return (behind[0], tensors[behind[0]].shape) if len(behind) == 1 else (ours, value.shape)


def _converted(name: str, tensors: Mapping[str, NDArray[Any]]) -> Tensors:
    family = importlib.import_module(f"leadlight.originals.{_HOME[name]}")
    given = Original(name, {key: value for key, value in tensors.items() if "num_batches_tracked" not in key})
    try:
        state: Tensors = family.state(given)
    except (ValueError, IndexError):
        # Axes that are turned before anything is compared.
        raise ModelError(
            f"{name}, {given.last}: found the shape {tensors[given.last].shape}; accepted: as many axes as "
            "the published network has. Is it another model's file?"
        ) from None
    given.refuse_rest()
    return state


class Original:
    """An original's tensors, each to be taken once. name: of the model; last: taken, for errors."""

    def __init__(self, name: str, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.name = name
        self._tensors = dict(tensors)
        self._left = set(tensors)
        self.last = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All tensors, in the order in which they were given."""
        return tuple(self._tensors)

    def take(self, name: str) -> NDArray[Any]:
        """A tensor by the original's name. Raises ModelError where there is none."""
        if name not in self._tensors:
            near = did_you_mean(name, self._tensors, 0.8)
            raise ModelError(
                f"{self.name}: found no tensor {name!r} among {len(self._tensors)}; accepted: all tensors of "
                f"the published network.{near}"
            )
        self._left.discard(name)
        self.last = name
        return self._tensors[name]

    def refuse_rest(self) -> None:
        """Raise ModelError where a tensor has no place in our network."""
        if self._left:
            shown = ", ".join(sorted(self._left)[:5])
            raise ModelError(
                f"{self.name}: found {len(self._left)} tensors that the published network does not have "
                f"({shown}); accepted: its own only. Is it another model's file?"
            )


def torch_norm(original: Original, ours: str, theirs: str) -> Tensors:
    """Batch norm of a torch original."""
    return {
        f"{ours}.{part}": original.take(f"{theirs}.{part}")
        for part in ("weight", "bias", "running_mean", "running_var")
    } | {f"{ours}.num_batches_tracked": np.array(0)}


def torch_linear(original: Original, ours: str, theirs: str) -> Tensors:
    """Linear layer, or convolution with bias, of a torch original."""
    return {f"{ours}.{part}": original.take(f"{theirs}.{part}") for part in ("weight", "bias")}


def keras_norm(original: Original, ours: str, theirs: str) -> Tensors:
    """Batch norm of a Keras original."""
    parts = {
        "weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance",
    }  # fmt: skip
    return {f"{ours}.{part}": original.take(f"{theirs}/{name}") for part, name in parts.items()} | {
        f"{ours}.num_batches_tracked": np.array(0)
    }


def keras_convolution(original: Original, ours: str, theirs: str, *, bias: bool = True) -> Tensors:
    """Convolution along time of a Keras original: (kernel, in, out) becomes (out, in, kernel)."""
    state = {f"{ours}.weight": original.take(f"{theirs}/kernel").transpose(2, 1, 0)}
    if bias:
        state[f"{ours}.bias"] = original.take(f"{theirs}/bias")
    return state


def keras_dense(original: Original, ours: str, theirs: str) -> Tensors:
    """Dense layer of a Keras original: (in, out) becomes (out, in)."""
    return {
        f"{ours}.weight": original.take(f"{theirs}/kernel").T,
        f"{ours}.bias": original.take(f"{theirs}/bias"),
    }


def keras_lstm(original: Original, ours: str, theirs: str) -> Tensors:
    """Bidirectional LSTM of a Keras original."""
    found: Tensors = {}
    for direction in ("forward", "backward"):
        place = f"{theirs}/{direction}_lstm"
        if f"{place}/lstm_cell/kernel" in original.names:
            place = f"{place}/lstm_cell"
        found[f"{ours}.{direction}_weight"] = original.take(f"{place}/kernel").T
        found[f"{ours}.{direction}_recurrent"] = original.take(f"{place}/recurrent_kernel").T
        found[f"{ours}.{direction}_bias"] = original.take(f"{place}/bias")
    return found


def keras_numbered(kind: str, number: int) -> str:
    """The name that Keras gives to the n-th unnamed layer of a kind, from 0."""
    return f"{kind}_{number}" if number else kind
