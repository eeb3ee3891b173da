"""The networks that IMLE-Net was compared with: two of Keras, two of torch."""

from __future__ import annotations

from leadlight.originals.converting import (
    Original,
    Tensors,
    keras_convolution,
    keras_dense,
    keras_lstm,
    keras_norm,
    keras_numbered,
    torch_linear,
    torch_norm,
)


def state(original: Original) -> Tensors:
    """Our state dict of any of them."""
    families = {
        "mousavi": _mousavi, "rajpurkar": _rajpurkar, "ecgnet": _ecgnet, "resnet101": _resnet101,
    }  # fmt: skip
    return families[original.name](original)


def _mousavi(original: Original) -> Tensors:
    found: Tensors = {}
    for place in range(3):
        found |= keras_convolution(original, f"convolutions.{place}", keras_numbered("conv1d", place))
    found |= keras_lstm(original, "lstm", "bidirectional")
    return found | keras_dense(original, "hidden", "dense") | keras_dense(original, "head", "dense_1")


def _rajpurkar(original: Original) -> Tensors:
    found = keras_convolution(original, "stem.0", "conv1d")
    found |= keras_norm(original, "stem.1", "batch_normalization")
    for block in range(16):
        ours = f"blocks.{block}"
        found |= keras_convolution(original, f"{ours}.first", f"conv1d_{2 * block + 1}")
        found |= keras_convolution(original, f"{ours}.second", f"conv1d_{2 * block + 2}")
        if block:
            found |= keras_norm(original, f"{ours}.first_norm", f"batch_normalization_{2 * block}")
        found |= keras_norm(original, f"{ours}.second_norm", f"batch_normalization_{2 * block + 1}")
    found |= keras_norm(original, "norm", "batch_normalization_32")
    return found | keras_dense(original, "head", "dense")


def _ecgnet(original: Original) -> Tensors:
    found: Tensors = {
        f"parallel.{place}.weight": original.take(f"parallel_conv.{place}.weight") for place in range(4)
    }
    found |= torch_norm(original, "norm", "bn1")
    found["joined.weight"] = original.take("conv1.weight")
    for block in range(15):
        ours, theirs = f"blocks.{block}", f"block.{block}"
        for part, number in (("first", 1), ("second", 2)):
            found[f"{ours}.{part}.weight"] = original.take(f"{theirs}.conv{number}.weight")
            found |= torch_norm(original, f"{ours}.{part}_norm", f"{theirs}.bn{number}")
        if block in (3, 7, 11):
            found[f"{ours}.projection.weight"] = original.take(f"{theirs}.downsample.0.weight")
    found |= torch_norm(original, "last_norm", "bn2")
    for part in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        found[f"lstm.{part}"] = original.take(f"rnn.{part}")
    return found | torch_linear(original, "head", "fc")


def _resnet101(original: Original) -> Tensors:
    found: Tensors = {"stem.0.weight": original.take("conv1.weight")}
    found |= torch_norm(original, "stem.1", "bn1")
    for stage, n_blocks in enumerate((3, 4, 23, 3)):
        for block in range(n_blocks):
            ours, theirs = f"stages.{stage}.{block}", f"layer{stage + 1}.{block}"
            for number, part in enumerate(("first", "second", "third"), start=1):
                found[f"{ours}.{part}.weight"] = original.take(f"{theirs}.conv{number}.weight")
                found |= torch_norm(original, f"{ours}.{part}_norm", f"{theirs}.bn{number}")
            if block == 0:
                found[f"{ours}.shortcut.0.weight"] = original.take(f"{theirs}.downsample.0.weight")
                found |= torch_norm(original, f"{ours}.shortcut.1", f"{theirs}.downsample.1")
    return found | torch_linear(original, "head", "fc")
