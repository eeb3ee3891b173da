"""ResUNet-LC and its ablations: torch modules named by their part."""

from __future__ import annotations

from leadlight.originals.converting import Original, Tensors, torch_linear, torch_norm

_LEVELS = (6, 5, 4, 3)


def state(original: Original) -> Tensors:
    """Our state dict of any of them."""
    if original.name == "res1d":
        found = _unit(original, "stem", "inconv.conv", "inconv.bn")
    else:
        found = _unit(original, "stem", "inconv.conv1_1", "inconv.bn1_1")
    for block in range(4):
        if original.name == "resunet-lc":
            found |= _u_block(original, f"blocks.{block}", f"rub_{block}", _LEVELS[block])
        else:
            found |= _residual_block(original, f"blocks.{block}", f"rb_{block}")
    if original.name in ("resunet-lc", "res2d-lc"):
        for branch, number in (("channel", 1), ("time", 2)):
            found[f"combiner.{branch}_branch.weight"] = original.take(f"lc.conv2_{number}.weight")
            found |= torch_norm(original, f"combiner.{branch}_norm", f"lc.bn2_{number}")
    return found | torch_linear(original, "head", "fc_1" if original.name == "res2d" else "fc")


def _unit(original: Original, ours: str, convolution: str, norm: str) -> Tensors:
    return {f"{ours}.convolution.weight": original.take(f"{convolution}.weight")} | torch_norm(
        original, f"{ours}.norm", norm
    )


def _residual_block(original: Original, ours: str, theirs: str) -> Tensors:
    found = _unit(original, f"{ours}.first", f"{theirs}.conv1", f"{theirs}.bn1")
    found |= _unit(original, f"{ours}.second", f"{theirs}.conv2", f"{theirs}.bn2")
    found[f"{ours}.shortcut.weight"] = original.take(f"{theirs}.idfunc_1.weight")
    return found


def _u_block(original: Original, ours: str, theirs: str, levels: int) -> Tensors:
    found = _unit(original, f"{ours}.entry", f"{theirs}.conv1", f"{theirs}.bn1")
    for level in range(levels):
        for part in ("encoders", "decoders"):
            place = f"{part}.{level}"
            found |= _unit(original, f"{ours}.{place}", f"{theirs}.{place}.0", f"{theirs}.{place}.1")
    found |= _unit(original, f"{ours}.bottleneck", f"{theirs}.bottleneck.0", f"{theirs}.bottleneck.1")
    found[f"{ours}.exit.weight"] = original.take(f"{theirs}.idfunc_1.weight")
    return found
