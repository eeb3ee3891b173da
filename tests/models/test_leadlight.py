"""The averaged network is the mean of its members, each of which learns by itself."""

from __future__ import annotations

import torch

from leadlight import models

KINDS = ["Mousavi", "XResNet1d18", "ResNet1dWang", "Inception1d"]


def test_its_logits_are_the_mean_of_four_kinds_of_networks():
    torch.manual_seed(0)
    model = models.create("leadlight", 4, copies=2).eval()
    signal = torch.randn(3, 12, 250)
    with torch.no_grad():
        each = [member(signal) for member in model.members]
        assert [type(member).__name__ for member in model.members] == KINDS * 2
        torch.testing.assert_close(model(signal), sum(each) / 8)
        outputs = model.training_outputs(signal)
        assert len(outputs) == 9 and torch.equal(outputs[0], model(signal))
    assert all(torch.equal(one, of) for one, of in zip(outputs[1:], each, strict=True))
    # Begun from other weights: copies of one network would not err differently.
    assert not torch.allclose(each[0], each[4])


def test_a_member_learns_from_its_own_logits_alone():
    model = models.create("leadlight", 4, copies=1)
    model.training_outputs(torch.randn(2, 12, 250))[1].sum().backward()
    first, *others = model.members
    assert all(one.grad is not None for one in first.parameters())
    assert all(one.grad is None for other in others for one in other.parameters())
