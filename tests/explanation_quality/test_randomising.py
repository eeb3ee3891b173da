"""Shuffled weights: which layers, in which order, and that the sizes stay."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from leadlight.explanation_quality.randomising import DEPTHS, layers_in_order, randomised
from leadlight.explanation_quality.subjects import by_record, choose


class Backwards(nn.Module):
    """Its parts stand in another order than that in which they are called."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)
        self.scale = nn.Parameter(torch.ones(3))
        self.body = nn.Linear(3, 4)

    def forward(self, values):
        return self.head(self.body(values * self.scale))


def test_layers_stand_in_the_order_in_which_they_are_called():
    assert layers_in_order(Backwards(), torch.ones(1, 3)) == ["", "body", "head"]


def test_the_head_is_shuffled_first_and_the_original_stays(sum_model):
    before = {name: values.clone() for name, values in sum_model.module.state_dict().items()}
    layers = layers_in_order(sum_model.module, torch.zeros(1, 12, 100))
    assert set(layers) == {"", "mix"}
    everything = randomised(sum_model, layers, "all", 3).module.state_dict()
    assert not torch.equal(everything["mix.weight"], before["mix.weight"])
    assert sorted(everything["mix.weight"].flatten().tolist()) == [0.0] * 11 + [1.0]
    for name, values in sum_model.module.state_dict().items():
        assert torch.equal(values, before[name])


def test_a_deeper_cascade_repeats_the_shallower_one(sum_model):
    layers = ["", "mix"]  # the convolution as the head
    head, deep = (randomised(sum_model, layers, depth, 5).module.state_dict() for depth in ("head", "all"))
    assert torch.equal(head["mix.weight"], deep["mix.weight"])
    assert torch.equal(head["constant"], sum_model.module.state_dict()["constant"])
    assert not torch.equal(deep["constant"], head["constant"])
    assert list(DEPTHS) == ["head", "third", "two_thirds", "all"]


def test_records_are_drawn_by_turns_of_the_classes_and_a_small_draw_begins_a_large_one():
    rows = np.array([10, 11, 12, 13, 14])
    eligible = np.array([[1, 0], [1, 0], [1, 1], [1, 0], [1, 0]], dtype=bool)
    pairs = choose(rows, eligible, [0, 1], 4, seed=1)
    assert [column for _, column in pairs] == [0, 1, 0, 0]
    assert pairs[1] == (12, 1)
    assert choose(rows, eligible, [0, 1], 2, seed=1) == pairs[:2]
    assert len(choose(rows, eligible, [0, 1], 100, seed=1)) == 6
    together = {one.row: one.columns for one in by_record(choose(rows, eligible, [0, 1], 100, seed=1))}
    assert set(together[12]) == {0, 1}
