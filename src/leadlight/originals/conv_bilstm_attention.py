"""Conv-BiLSTM-attention's original: Keras layers in the order in which they were made."""

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


def state(original: Original) -> Tensors:
    """Our state dict, of the published form."""
    found: Tensors = {}
    for block in range(2):
        for place, part in enumerate(("first", "second", "shortcut")):
            number = 3 * block + place
            ours = f"blocks.{block}.{part}"
            found |= keras_convolution(original, ours, keras_numbered("conv1d", number))
            found |= keras_norm(original, f"{ours}_norm", keras_numbered("batch_normalization", number))
    found |= keras_lstm(original, "lstm", "bidirectional")
    found["score"] = original.take("attention/attention_weight")[:, 0]
    for place, branch in enumerate(("signal_branch", "metadata_branch", "joint")):
        found |= keras_dense(original, f"{branch}.linear", keras_numbered("dense", place))
        found |= keras_norm(original, f"{branch}.norm", f"batch_normalization_{6 + place}")
    return found | keras_dense(original, "head", "dense_3")
