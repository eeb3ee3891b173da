"""Optimisers and gradient clipping, as a recipe names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from leadlight.recipes import TrainingSettings
from leadlight.recipes.training_settings import SGD, Adam, AdamW, GlobalNorm, NoClipping, TensorNorm

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def build_optimizer(module: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The optimiser over every parameter that learns, biases and normalisation included."""
    stated, rate = settings.optimizer, settings.learning_rate
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    match stated:
        case Adam():
            return torch.optim.Adam(parameters, rate, stated.betas, stated.epsilon, stated.weight_decay)
        case AdamW():
            return torch.optim.AdamW(parameters, rate, stated.betas, stated.epsilon, stated.weight_decay)
        case SGD():
            return torch.optim.SGD(
                parameters, rate, stated.momentum, weight_decay=stated.weight_decay, nesterov=stated.nesterov
            )


def set_rate(optimizer: torch.optim.Optimizer, rate: float, momentum: float | None) -> None:
    """Give all parameters this learning rate and, unless None, this momentum (of Adam: its first beta)."""
    for group in optimizer.param_groups:
        group["lr"] = rate
        if momentum is None:
            continue
        if "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        else:
            group["momentum"] = momentum


def clip(
    fabric: Fabric,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    settings: NoClipping | GlobalNorm | TensorNorm,
) -> None:
    """Shorten the gradients: all together, or each by itself (Keras' ``clipnorm``)."""
    match settings:
        case NoClipping():
            return
        case GlobalNorm():
            fabric.clip_gradients(module, optimizer, max_norm=settings.norm, error_if_nonfinite=False)
        case TensorNorm():
            # With 16-mixed the gradients carry the loss scale until here.
            fabric.strategy.precision.unscale_gradients(optimizer)
            clip_each(module, settings.norm)


def clip_each(module: nn.Module, norm: float) -> None:
    """Shorten each parameter's gradient to this Euclidean norm; shorter ones stay as they are."""
    for parameter in module.parameters():
        if parameter.grad is not None:
            length = torch.linalg.vector_norm(parameter.grad)
            parameter.grad.mul_(norm / torch.clamp(length, min=norm))
