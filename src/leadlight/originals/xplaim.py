"""ECG-XPLAIM and its comparators: Keras layers, numbered in the order in which they were made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadlight.originals.converting import (
    Original,
    Tensors,
    keras_convolution,
    keras_dense,
    keras_norm,
    keras_numbered,
)


def state(original: Original) -> Tensors:
    """Our state dict of any of them."""
    families = {"ecg-xplaim": _ecg_xplaim, "cnn": _cnn, "gru": _gru}
    return families[original.name](original)


def _ecg_xplaim(original: Original) -> Tensors:
    found: Tensors = {}
    for block in range(3):
        for stage, part in enumerate(("first", "second")):
            for branch in range(3):
                theirs = keras_numbered("conv1d", 7 * block + 3 * stage + branch)
                ours = f"blocks.{block}.{part}.branches.{branch}"
                found |= keras_convolution(original, ours, theirs, bias=False)
            norm = keras_numbered("batch_normalization", 3 * block + stage)
            found |= keras_norm(original, f"blocks.{block}.{part}.norm", norm)
        found |= keras_convolution(
            original, f"blocks.{block}.shortcut.0", f"conv1d_{7 * block + 6}", bias=False
        )
        found |= keras_norm(original, f"blocks.{block}.shortcut.1", f"batch_normalization_{3 * block + 2}")
    return found | keras_dense(original, "head", "dense")


def _cnn(original: Original) -> Tensors:
    found: Tensors = {}
    for place in range(3):
        found |= keras_convolution(original, f"convolutions.{place}", keras_numbered("conv1d", place))
        found |= keras_norm(original, f"norms.{place}", keras_numbered("batch_normalization", place))
    return found | keras_dense(original, "hidden", "dense") | keras_dense(original, "head", "dense_1")


def _gru(original: Original) -> Tensors:
    found: Tensors = {}
    for place, part in enumerate(("first", "second")):
        layer, norm = keras_numbered("gru", place), keras_numbered("layer_normalization", place)
        cell = f"{layer}/gru_cell" if f"{layer}/gru_cell/kernel" in original.names else layer
        found[f"{part}.weight_ih_l0"] = _gates(original.take(f"{cell}/kernel").T)
        found[f"{part}.weight_hh_l0"] = _gates(original.take(f"{cell}/recurrent_kernel").T)
        biases = original.take(f"{cell}/bias")
        found[f"{part}.bias_ih_l0"], found[f"{part}.bias_hh_l0"] = (_gates(row) for row in biases)
        found[f"{part}_norm.weight"] = original.take(f"{norm}/gamma")
        found[f"{part}_norm.bias"] = original.take(f"{norm}/beta")
    for place, (dense, norm_place) in enumerate(((0, 2), (4, 6))):
        found |= keras_dense(original, f"dense.{dense}", keras_numbered("dense", place))
        found |= keras_norm(original, f"dense.{norm_place}", keras_numbered("batch_normalization", place))
    return found | keras_dense(original, "head", "dense_2")


def _gates(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keras' order update, reset, candidate in torch's order reset, update, candidate."""
    update, reset, candidate = np.split(rows, 3)
    return np.concatenate([reset, update, candidate])
