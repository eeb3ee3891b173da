"""Averaged weights: by hand, against torch's own, and put in place for as long as they are judged."""

from __future__ import annotations

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from leadlight.recipes import TrainingSettings
from leadlight.training.averaging import WeightAverage, renew_statistics

FABRIC = Fabric(accelerator="cpu", devices=1)


def average(stated: object) -> WeightAverage:
    return WeightAverage(TrainingSettings(averaging=stated).averaging)


def no_records() -> list[tuple[torch.Tensor, ...]]:
    return []


class Number(nn.Module):
    """One weight, and a running statistic beside it."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(value))
        self.register_buffer("seen", torch.tensor(0))


def set_to(module: Number, value: float) -> None:
    with torch.no_grad():
        module.weight.fill_(value)
        module.seen += 1


def test_moving_average_by_hand():
    module, ours = Number(0.0), average({"kind": "ema", "decay": 0.25})
    for value in (1.0, 2.0, 4.0, 8.0):
        set_to(module, value)
        ours.after_batch(module)
    # The decay is (1 + n) / (10 + n), at most 0.25: 0, 2/11, 3/12, then 0.25.
    second = 2 / 11 * 1 + 9 / 11 * 2
    third = 0.25 * second + 0.75 * 4
    assert float(ours.values["weight"]) == pytest.approx(0.25 * third + 0.75 * 8, rel=1e-6)
    assert int(ours.values["seen"]) == 4


def test_moving_average_with_constant_decay_is_torchs():
    module, ours = nn.Linear(3, 2), average({"kind": "ema", "decay": 0.1})
    theirs = torch.optim.swa_utils.AveragedModel(
        module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.1)
    )
    for _ in range(5):
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(torch.randn(parameter.shape))
        ours.after_batch(module)
        theirs.update_parameters(module)
    torch.testing.assert_close(ours.values["weight"], theirs.module.weight.detach())


def test_mean_of_epochs_begins_where_it_is_told():
    module, ours = Number(0.0), average({"kind": "swa", "first_epoch": 2})
    for epoch, value in enumerate((100.0, 1.0, 2.0, 6.0), start=1):
        set_to(module, value)
        ours.after_batch(module)
        ours.after_epoch(module, epoch)
    assert float(ours.values["weight"]) == pytest.approx(3.0)


def test_in_place_for_as_long_as_it_is_judged():
    module, ours = Number(5.0), average("ema")
    ours.after_batch(module)
    set_to(module, 7.0)
    with ours.in_place(FABRIC, module, no_records) as weights:
        assert module.weight.item() == float(weights["weight"]) == 5.0
    assert module.weight.item() == 7.0
    with pytest.raises(ZeroDivisionError), ours.in_place(FABRIC, module, no_records):
        raise ZeroDivisionError
    assert module.weight.item() == 7.0


@pytest.mark.parametrize("stated", ["none", {"kind": "swa", "first_epoch": 3}])
def test_before_there_is_an_average_the_weights_are_their_own(stated):
    module, ours = Number(5.0), average(stated)
    ours.after_batch(module)
    ours.after_epoch(module, 1)
    with ours.in_place(FABRIC, module, no_records) as weights:
        assert float(weights["weight"]) == module.weight.item() == 5.0


def test_statistics_of_batch_norm_are_torchs_anew():
    torch.manual_seed(3)
    module = nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Conv1d(3, 2, 3),
                           nn.BatchNorm1d(2))  # fmt: skip
    signals = [torch.randn(4, 2, 20) for _ in range(5)]
    # Without dropout, which torch's own leaves on.
    twin = nn.Sequential(*(part if not isinstance(part, nn.Dropout) else nn.Identity() for part in module))
    torch.optim.swa_utils.update_bn(signals, twin)
    expected = {name: value.clone() for name, value in module.state_dict().items()}
    with torch.no_grad():
        for norm in (module[1], module[4]):
            norm.running_mean.add_(7)
    before = torch.get_rng_state()
    renew_statistics(FABRIC, module, lambda: [(signal,) for signal in signals])
    assert torch.equal(before, torch.get_rng_state())
    for name, value in module.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    assert {module[1].momentum, module[4].momentum} == {0.1}


def test_state_reads_back():
    module, ours = Number(1.0), average("ema")
    for value in (1.0, 2.0):
        set_to(module, value)
        ours.after_batch(module)
    again = average("ema")
    again.restore(ours.state(), module)
    set_to(module, 3.0)
    for one in (ours, again):
        one.after_batch(module)
    assert torch.equal(ours.values["weight"], again.values["weight"])
