"""Averages of the weights over the course of training: what is validated and kept in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from leadlight.recipes.training_settings import EMA, SWA, NoAveraging

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class WeightAverage:
    """The running average of a network's weights.

    ema: after each batch, d x average + (1 - d) x weights with d = min(decay, (1 + n) / (10 + n))
    after n batches; running statistics are averaged alike. swa: after each epoch from
    ``first_epoch`` on, the plain mean; its statistics of batch normalisation are taken anew from
    the training records. ``values`` and ``count`` go into the checkpoint.
    """

    def __init__(self, settings: NoAveraging | EMA | SWA) -> None:
        self.settings = settings
        self.values: dict[str, Tensor] = {}
        self.count = 0

    def after_batch(self, module: nn.Module) -> None:
        """Take the weights after a batch into the average."""
        if isinstance(self.settings, EMA):
            decay = min(self.settings.decay, (1 + self.count) / (10 + self.count)) if self.count else 0.0
            self._take(module, 1 - decay)

    def after_epoch(self, module: nn.Module, epoch: int) -> None:
        """Take the weights after an epoch, counted from 1, into the average."""
        if isinstance(self.settings, SWA) and epoch >= self.settings.first_epoch:
            self._take(module, 1 / (self.count + 1))

    @contextmanager
    def in_place(
        self, fabric: Fabric, module: nn.Module, training_signals: Callable[[], Iterable[tuple[Tensor, ...]]]
    ) -> Iterator[dict[str, Tensor]]:
        """The network with the averaged weights, and afterwards again with its own.

        training_signals: batches to take the statistics of batch normalisation from; only read for swa.
        Gives the weights that are in place, on the CPU.
        """
        if not self.values:
            yield on_cpu(module)
            return
        own = {name: value.detach().clone() for name, value in module.state_dict().items()}
        module.load_state_dict(self.values)
        if isinstance(self.settings, SWA):
            renew_statistics(fabric, module, training_signals)
        try:
            yield on_cpu(module)
        finally:
            module.load_state_dict(own)

    def state(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"values": {name: value.cpu() for name, value in self.values.items()}, "count": self.count}

    def restore(self, state: dict[str, Any], module: nn.Module) -> None:
        """From the checkpoint, onto the network's device."""
        here = module.state_dict()
        self.values = {name: value.to(here[name].device) for name, value in state["values"].items()}
        self.count = state["count"]

    def _take(self, module: nn.Module, share: float) -> None:
        for name, value in module.state_dict().items():
            new = value.detach()
            if name not in self.values or not new.is_floating_point():
                self.values[name] = new.clone()
            else:
                self.values[name].lerp_(new, share)
        self.count += 1


def renew_statistics(
    fabric: Fabric, module: nn.Module, training_signals: Callable[[], Iterable[tuple[Tensor, ...]]]
) -> None:
    """Running means and variances of batch normalisation from one pass over the training records.

    Each is the mean over the batches; nothing else is in training mode, so that no random
    number is drawn. Several processes read their shares and take the mean.
    """
    norms = [part for part in module.modules() if isinstance(part, _NORMS) and part.track_running_stats]
    if not norms:
        return
    module.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
        norm.momentum = None
    with torch.no_grad():
        for inputs in training_signals():
            if len(inputs[0]) > 1:
                module(*inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        for statistic in (norm.running_mean, norm.running_var):
            if statistic is not None and fabric.world_size > 1:
                statistic.copy_(fabric.all_reduce(statistic, reduce_op="mean"))


def on_cpu(module: nn.Module) -> dict[str, Tensor]:
    """A network's state dict, on the CPU."""
    return {name: value.detach().cpu() for name, value in module.state_dict().items()}
