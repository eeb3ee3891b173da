"""A network whose answer can be written down, a recording with one bump in lead I, a simulated run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from leadlight.classifier import Classifier
from leadlight.classifier.contract import contract_from
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.signal import Preprocessing


class LeadSum(nn.Module):
    """Class A: the sum of lead I; class B: a constant."""

    cam_layer = "mix"

    def __init__(self) -> None:
        super().__init__()
        self.n_leads, self.n_samples = 12, 100
        self.mix = nn.Conv1d(12, 1, 1, bias=False)
        self.constant = nn.Parameter(torch.tensor([-1.0]))
        with torch.no_grad():
            self.mix.weight.zero_()
            self.mix.weight[0, 0, 0] = 1.0

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        own = self.mix(signal).sum((1, 2))
        return torch.stack([own, self.constant.expand(len(signal))], 1)


@pytest.fixture
def sum_model(contract_values: Callable[..., dict[str, Any]]) -> Classifier:
    values = contract_values(
        ["A", "B"], {}, 100,
        architecture={"name": "imle-net", "n_classes": 2, "n_leads": 12, "n_samples": 100,
                      "sampling_rate": 100.0, "arguments": {}},
        preprocessing=Preprocessing(STANDARD_LEADS, 100.0, 100, ()),
    )  # fmt: skip
    return Classifier(LeadSum(), contract_from(values))


@pytest.fixture
def bump() -> Recording:
    """Lead I is 1.25 mV for eight samples, whose sum is 10, and 0 elsewhere, as the other leads are."""
    signal = np.zeros((12, 100), dtype=np.float32)
    signal[0, 41:49] = 1.25
    return Recording(signal, STANDARD_LEADS, 100.0)
