"""Optimisers and clipping: torch's, with the numbers of the recipe, and steps computed by hand."""

from __future__ import annotations

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from leadlight.recipes import TrainingSettings
from leadlight.training.optimisers import build_optimizer, clip, clip_each, set_rate


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def give_gradients(module: nn.Module) -> None:
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize(
    ("stated", "theirs"),
    [
        ("adam", lambda p: torch.optim.Adam(p, 1e-3, (0.9, 0.999), 1e-8)),
        ({"kind": "adam", "epsilon": 1e-7, "weight_decay": 0.1},
         lambda p: torch.optim.Adam(p, 1e-3, (0.9, 0.999), 1e-7, 0.1)),
        ("adamw", lambda p: torch.optim.AdamW(p, 1e-3, (0.9, 0.999), 1e-8, 0.01)),
        ({"kind": "adamw", "betas": [0.9, 0.99]},
         lambda p: torch.optim.AdamW(p, 1e-3, (0.9, 0.99), 1e-8, 0.01)),
        ("sgd", lambda p: torch.optim.SGD(p, 1e-3, 0.9)),
        ({"kind": "sgd", "nesterov": True}, lambda p: torch.optim.SGD(p, 1e-3, 0.9, nesterov=True)),
    ],
)  # fmt: skip
def test_steps_are_torchs(stated, theirs):
    one, other = network(), network()
    ours, expected = build_optimizer(one, TrainingSettings(optimizer=stated)), theirs(other.parameters())
    for _ in range(3):
        for module, optimizer in ((one, ours), (other, expected)):
            give_gradients(module)
            optimizer.step()
    for left, right in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(left, right)


def test_decay_beside_the_step_reaches_biases_and_norms_alike():
    """The PTB-XL benchmark's: times 1 - rate x decay before each step of Adam, every tensor."""
    module = network()
    optimizer = build_optimizer(module, TrainingSettings(optimizer="adamw", learning_rate=1e-2))
    before = [parameter.detach().clone() for parameter in module.parameters()]
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for old, new in zip(before, module.parameters(), strict=True):
        torch.testing.assert_close(new.detach(), old * (1 - 1e-2 * 0.01))


def test_parameters_that_do_not_learn_are_left_out():
    module = network()
    module[0].requires_grad_(False)
    optimizer = build_optimizer(module, TrainingSettings())
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 4


def test_rate_and_momentum_are_set_where_the_optimiser_keeps_them():
    adam = build_optimizer(network(), TrainingSettings(optimizer={"kind": "adamw", "betas": [0.9, 0.99]}))
    set_rate(adam, 0.5, 0.85)
    assert (adam.param_groups[0]["lr"], adam.param_groups[0]["betas"]) == (0.5, (0.85, 0.99))
    sgd = build_optimizer(network(), TrainingSettings(optimizer="sgd"))
    set_rate(sgd, 0.5, None)
    assert (sgd.param_groups[0]["lr"], sgd.param_groups[0]["momentum"]) == (0.5, 0.9)
    set_rate(sgd, 0.5, 0.95)
    assert sgd.param_groups[0]["momentum"] == 0.95


def test_each_gradient_is_shortened_by_itself():
    module = nn.Linear(2, 1)
    module.weight.grad, module.bias.grad = torch.tensor([[3.0, 4.0]]), torch.tensor([0.5])
    clip_each(module, 1.0)
    torch.testing.assert_close(module.weight.grad, torch.tensor([[0.6, 0.8]]))
    torch.testing.assert_close(module.bias.grad, torch.tensor([0.5]))


@pytest.mark.parametrize("stated", ["none", "global-norm", "tensor-norm"])
def test_clipping_in_the_loop(stated):
    fabric = Fabric(accelerator="cpu", devices=1)
    settings = TrainingSettings(clipping=stated)
    module = network()
    module, optimizer = fabric.setup(module, build_optimizer(module, settings))
    give_gradients(module)
    before = [parameter.grad.clone() for parameter in module.parameters()]
    clip(fabric, module, optimizer, settings.clipping)
    lengths = [float(parameter.grad.norm()) for parameter in module.parameters()]
    together = float(torch.linalg.vector_norm(torch.tensor(lengths)))
    if stated == "none":
        assert all(torch.equal(old, p.grad) for old, p in zip(before, module.parameters(), strict=True))
    elif stated == "global-norm":
        assert together == pytest.approx(1.0, rel=1e-5)
    else:
        expected = [min(1.0, float(old.norm())) for old in before]
        assert lengths == pytest.approx(expected, rel=1e-5)
        assert together > 1.0
