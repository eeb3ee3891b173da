"""The sanity check: an explanation of a network that has forgotten what it learnt must look different.

The entries of every weight tensor are shuffled, layer after layer from the head downwards, so that the
sizes of the weights stay and what was learnt goes. Loose parameters, such as an attention vector, are
shuffled with the module that holds them; the statistics of batch normalisation stay as they are.
Adebayo et al. 2018, arXiv 1810.03292 (there: drawn anew).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from leadlight.classifier import Classifier

DEPTHS = {"head": "the head", "third": "the last third", "two_thirds": "the last two thirds", "all": "all"}
"""How much of the network is shuffled, by the number of its layers from the head downwards."""


def layers_in_order(module: nn.Module, signal: Tensor, metadata: Tensor | None = None) -> list[str]:
    """Names of the modules that hold weights of their own, in the order in which they are first called.

    What a module holds beside its parts counts from where the module begins. One that is not called
    as a module stands behind the one before it in the code.
    """
    import torch

    holders = [
        name
        for name, one in module.named_modules()
        if any(True for _ in one.parameters(recurse=False))
    ]  # fmt: skip
    called: dict[str, int] = {}
    hooks = []
    for name in holders:

        def note(one: nn.Module, given: Any, name: str = name) -> None:
            called.setdefault(name, len(called))

        hooks.append(module.get_submodule(name).register_forward_pre_hook(note))
    try:
        with torch.inference_mode():
            module(signal) if metadata is None else module(signal, metadata)
    finally:
        for hook in hooks:
            hook.remove()
    place, places = -1, {}
    for name in holders:
        place = called.get(name, place)
        places[name] = place
    return sorted(holders, key=places.__getitem__)


def randomised(classifier: Classifier, layers: list[str], depth: str, seed: int) -> Classifier:
    """The classifier with its last layers shuffled. layers: in order; depth: a key of DEPTHS."""
    import torch

    from leadlight.classifier import Classifier as New

    n = len(layers)
    count = {"head": 1, "third": -(-n // 3), "two_thirds": -(-2 * n // 3), "all": n}[depth]
    module = copy.deepcopy(classifier.module)
    generator = torch.Generator().manual_seed(seed)
    # From the head downwards: a deeper cascade repeats the shuffles of the one before.
    with torch.no_grad():
        for name in layers[::-1][:count]:
            for values in module.get_submodule(name).parameters(recurse=False):
                _shuffle(values, generator)
    return New(module, classifier.contract)


def _shuffle(values: Tensor, generator: torch.Generator) -> None:
    import torch

    flat = values.reshape(-1).cpu()
    if len(flat) == 1:  # nothing to exchange it with
        drawn = torch.randn(1, generator=generator) * flat.abs()
    else:
        drawn = flat[torch.randperm(len(flat), generator=generator)]
    values.copy_(drawn.reshape(values.shape))
