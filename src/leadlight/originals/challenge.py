"""Networks of the Challenge's field: Ribeiro (Keras), MVMS-Net and Nejedly (torch)."""

from __future__ import annotations

from leadlight.originals.converting import (
    Original,
    Tensors,
    keras_convolution,
    keras_dense,
    keras_norm,
    torch_linear,
    torch_norm,
)


def state(original: Original) -> Tensors:
    """Our state dict of any of them."""
    if original.name == "ribeiro":
        return _ribeiro(original)
    if original.name == "mvms-net":
        return _mvms_net(original)
    if original.name == "mvms-student":
        return _backbone(original, "network", "") | torch_linear(original, "head", "fc")
    return _nejedly(original)


def _ribeiro(original: Original) -> Tensors:
    found = keras_convolution(original, "stem", "conv1d", bias=False)
    found |= keras_norm(original, "stem_norm", "batch_normalization")
    for unit in range(1, 5):
        ours = f"units.{unit - 1}"
        for part, number in (("shortcut", 3 * unit - 2), ("first", 3 * unit - 1), ("second", 3 * unit)):
            found |= keras_convolution(original, f"{ours}.{part}", f"conv1d_{number}", bias=False)
        found |= keras_norm(original, f"{ours}.first_norm", f"batch_normalization_{2 * unit - 1}")
        found |= keras_norm(original, f"{ours}.sum_norm", f"batch_normalization_{2 * unit}")
    return found | keras_dense(original, "head", "dense")


def _mvms_net(original: Original) -> Tensors:
    found: Tensors = {}
    for view in range(6):
        found |= _backbone(original, f"networks.{view}", f"MyNet{view + 1}.")
        found |= torch_linear(original, f"weights.{view}", f"fuse_weight_{view + 1}.fc")
    return found | torch_linear(original, "head", "fc")


def _backbone(original: Original, ours: str, theirs: str) -> Tensors:
    found: Tensors = {f"{ours}.stem.0.weight": original.take(f"{theirs}conv1.weight")}
    found |= torch_norm(original, f"{ours}.stem.1", f"{theirs}bn1")
    for number in range(2):
        block = _block_name(original, f"{theirs}layer{number + 1}")
        found |= _block(original, f"{ours}.blocks.{number}", block)
    return found


def _block_name(original: Original, layer: str) -> str:
    """A layer is the block itself, or a sequence with the block in it."""
    return f"{layer}.0" if f"{layer}.0.conv1.weight" in original.names else layer


def _block(original: Original, ours: str, theirs: str) -> Tensors:
    found: Tensors = {}
    for part, number in (("entry", 1), ("exit", 3)):
        found[f"{ours}.{part}.weight"] = original.take(f"{theirs}.conv{number}.weight")
        found |= torch_norm(original, f"{ours}.{part}_norm", f"{theirs}.bn{number}")
    for branch in range(3):
        found[f"{ours}.branches.{branch}.weight"] = original.take(f"{theirs}.convs.{branch}.weight")
        found |= torch_norm(original, f"{ours}.branch_norms.{branch}", f"{theirs}.bns.{branch}")
    gate = f"{theirs}.attention"
    for part, name in (("squeeze", "conv1"), ("channel", "conv_h"), ("time", "conv_w")):
        weight = original.take(f"{gate}.{name}.weight")
        found[f"{ours}.gate.{part}.weight"] = weight.reshape(*weight.shape[:2], 1)
        found[f"{ours}.gate.{part}.bias"] = original.take(f"{gate}.{name}.bias")
    found |= torch_norm(original, f"{ours}.gate.norm", f"{gate}.bn1")
    found |= torch_linear(original, f"{ours}.shortcut.0", f"{theirs}.shortcut.0")
    return found | torch_norm(original, f"{ours}.shortcut.1", f"{theirs}.shortcut.1")


def _nejedly(original: Original) -> Tensors:
    found: Tensors = {"stem.0.weight": original.take("conv.weight")[:, :, 0]}
    found |= torch_norm(original, "stem.1", "bn")
    for block in range(5):
        ours, theirs = f"blocks.{block}", f"rb_{block}"
        for part, number in (("first", 1), ("second", 2)):
            found[f"{ours}.{part}.weight"] = original.take(f"{theirs}.conv{number}.weight")[:, :, 0]
            found |= torch_norm(original, f"{ours}.{part}_norm", f"{theirs}.bn{number}")
        found[f"{ours}.shortcut.weight"] = original.take(f"{theirs}.idfunc_1.weight")[:, :, 0]
    if original.name == "nejedly":
        for part in ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"):
            found[f"self_attention.{part}"] = original.take(f"mha.{part}")
    found |= torch_linear(original, "head.first", "fc_1") | torch_linear(original, "head.hidden", "ch_fc1")
    found |= torch_norm(original, "head.norm", "ch_bn")
    return found | torch_linear(original, "head.challenge", "ch_fc2")
