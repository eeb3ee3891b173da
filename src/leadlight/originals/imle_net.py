"""IMLE-Net's original: Keras layers numbered in the order in which they were made."""

from __future__ import annotations

from leadlight.originals.converting import (
    Original,
    Tensors,
    keras_convolution,
    keras_dense,
    keras_lstm,
    keras_norm,
    keras_numbered,
)

# Convolutions of the original in the order of our blocks: first, second, shortcut.
_BLOCKS = [(1, 2, None), (3, 4, None), (5, 6, 7), (8, 9, None), (10, 11, 12), (13, 14, None)]


def state(original: Original) -> Tensors:
    """Our state dict."""
    found = keras_convolution(original, "encoder.stem", "conv1d")
    for block, (first, second, shortcut) in enumerate(_BLOCKS):
        ours = f"encoder.blocks.{block}"
        found |= keras_convolution(original, f"{ours}.first", f"conv1d_{first}")
        found |= keras_convolution(original, f"{ours}.second", f"conv1d_{second}")
        found |= keras_norm(original, f"{ours}.first_norm", keras_numbered("batch_normalization", 2 * block))
        found |= keras_norm(
            original, f"{ours}.second_norm", keras_numbered("batch_normalization", 2 * block + 1)
        )
        if shortcut is not None:
            found |= keras_convolution(original, f"{ours}.shortcut", f"conv1d_{shortcut}")
            found[f"{ours}.shortcut.weight"] = found[f"{ours}.shortcut.weight"][:, :, :, None]
    for level in ("beat", "rhythm", "channel"):
        found[f"{level}_attention.weight"] = original.take(f"{level}_att/att_weight")
        found[f"{level}_attention.bias"] = original.take(f"{level}_att/att_bias")
        found[f"{level}_attention.score"] = original.take(f"{level}_att/Vatt")[:, 0]
    found |= keras_lstm(original, "lstm", "bidirectional")
    return found | keras_dense(original, "head", "dense")
