"""The PTB-XL benchmark's networks: torch modules in flat sequences, named by their numbers."""

from __future__ import annotations

from leadlight.originals.converting import Original, Tensors, torch_linear, torch_norm

_BLOCKS = {
    "xresnet1d18": (2, 2, 2, 2),
    "xresnet1d34": (3, 4, 6, 3),
    "xresnet1d50": (3, 4, 6, 3),
    "xresnet1d101": (3, 4, 23, 3),
}
_INCEPTION_GROUP = 3


def state(original: Original) -> Tensors:
    """Our state dict of any of them."""
    if original.name in _BLOCKS:
        return _xresnet(original)
    families = {"inception1d": _inception, "resnet1d-wang": _resnet_wang, "fcn-wang": _fcn_wang}
    return families.get(original.name, _lstm)(original)


def _xresnet(original: Original) -> Tensors:
    found: Tensors = {}
    for place in range(3):
        found |= _unit(original, f"stem.{place}", str(place))
    for stage, n_blocks in enumerate(_BLOCKS[original.name]):
        for block in range(n_blocks):
            theirs = f"{stage + 4}.{block}"
            n_layers = 2 if original.name in ("xresnet1d18", "xresnet1d34") else 3
            for layer in range(n_layers):
                ours = f"stages.{stage}.{block}.branch.{layer}"
                found |= _unit(original, ours, f"{theirs}.convs.{layer}")
                # The checkpoint has every branch a second time.
                again = f"{theirs}.convpath.0.{layer}"
                if f"{again}.0.weight" in original.names:
                    _unit(original, ours, again)
    if "4.0.idpath.0.0.weight" in original.names:
        found |= _unit(original, "stages.0.0.projection", "4.0.idpath.0")
    return found | _head(original, "8")


def _inception(original: Original) -> Tensors:
    found: Tensors = {}
    for number in range(6):
        ours = f"blocks.{number // _INCEPTION_GROUP}.inner.{number % _INCEPTION_GROUP}"
        theirs = f"layers.0.im.{number}"
        found[f"{ours}.bottleneck.weight"] = original.take(f"{theirs}.bottleneck.weight")
        for branch in range(3):
            found[f"{ours}.branches.{branch}.weight"] = original.take(f"{theirs}.convs.{branch}.weight")
        found[f"{ours}.pooled.weight"] = original.take(f"{theirs}.conv_bottle.1.weight")
        found |= torch_norm(original, f"{ours}.norm", f"{theirs}.bn_relu.0")
    for group in range(2):
        theirs = f"layers.0.sk.{group}"
        found[f"blocks.{group}.shortcut.0.weight"] = original.take(f"{theirs}.conv.weight")
        found |= torch_norm(original, f"blocks.{group}.shortcut.1", f"{theirs}.bn")
    return found | _head(original, "layers.1")


def _resnet_wang(original: Original) -> Tensors:
    found: Tensors = {"stem.0.weight": original.take("0.weight")}
    found |= torch_norm(original, "stem.1", "1")
    for stage in range(3):
        ours, theirs = f"stages.{stage}", f"{stage + 3}.0"
        for part, number in (("first", 1), ("second", 2)):
            found[f"{ours}.{part}.weight"] = original.take(f"{theirs}.conv{number}.weight")
            found |= torch_norm(original, f"{ours}.{part}_norm", f"{theirs}.bn{number}")
        if stage:
            found |= _unit(original, f"{ours}.shortcut", f"{theirs}.downsample")
    return found | _head(original, "6")


def _fcn_wang(original: Original) -> Tensors:
    found: Tensors = {}
    for layer in range(3):
        found |= _unit(original, f"layers.{layer}", f"{layer}.0")
    return found | _head(original, "3")


def _lstm(original: Original) -> Tensors:
    found: Tensors = {}
    for layer in range(2):
        for direction in ("", "_reverse") if original.name == "lstm-bidir" else ("",):
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                name = f"{part}_l{layer}{direction}"
                found[f"lstm.{name}"] = original.take(f"2.{name}")
    return found | _head(original, "5", first=1)


def _unit(original: Original, ours: str, theirs: str) -> Tensors:
    """A convolution without bias and its batch norm."""
    return {f"{ours}.0.weight": original.take(f"{theirs}.0.weight")} | torch_norm(
        original, f"{ours}.1", f"{theirs}.1"
    )


def _head(original: Original, theirs: str, first: int = 2) -> Tensors:
    """The head; its batch norm has the number ``first``."""
    return (
        torch_norm(original, "head.hidden.0", f"{theirs}.{first}")
        | torch_linear(original, "head.hidden.2", f"{theirs}.{first + 2}")
        | torch_norm(original, "head.norm", f"{theirs}.{first + 4}")
        | torch_linear(original, "head.output", f"{theirs}.{first + 6}")
    )
