"""gru: two GRUs over every sample, the last state through two small dense layers.

A comparator of ECG-XPLAIM, slow because it reads 5,000 steps one after the other.

Shapes: (batch, leads, samples) -> logits (batch, classes). 99,609 values, 99,417 of them
trainable (12 leads, 25 classes).

Paper: Pantelidis et al. ECG-XPLAIM. Frontiers in Cardiovascular Medicine 12, 2025,
doi:10.3389/fcvm.2025.1659971.

What differs from the published code: logits; named layers. The running variance keeps n - 1
instead of n.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import fresh_linear, start_as_keras
from leadlight.models.registry import Input, register


@register(
    "gru",
    summary="Two GRUs over the samples, last state",
    paper="Pantelidis et al., ECG-XPLAIM, Frontiers in Cardiovascular Medicine 2025",
    doi="10.3389/fcvm.2025.1659971",
    input=Input(sampling_rate=500, n_samples=5000),
    n_classes=25,
    parameters=99_609,
    trainable=99_417,
)
class GRU(nn.Module):
    """The network; see the module's docstring.

    units: of the first GRU, half as many in the second; hidden: width of the first dense
    layer, half of it in the second; dropout: behind each part.
    """

    cam_layer = "first"
    cam_axes = "steps batch channels"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 5000,
        sampling_rate: float = 500.0,
        *,
        units: int = 128,
        hidden: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        check_sizes(
            "gru", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples, sampling_rate=sampling_rate,
            units=units // 2, hidden=hidden // 2,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        self.first = nn.GRU(n_leads, units)
        self.first_norm = nn.LayerNorm(units, eps=1e-3)
        self.second = nn.GRU(units, units // 2)
        self.second_norm = nn.LayerNorm(units // 2, eps=1e-3)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Sequential(
            nn.Linear(units // 2, hidden), nn.ReLU(), nn.BatchNorm1d(hidden, eps=1e-3, momentum=0.01),
            nn.Dropout(dropout), nn.Linear(hidden, hidden // 2), nn.ReLU(),
            nn.BatchNorm1d(hidden // 2, eps=1e-3, momentum=0.01),
        )  # fmt: skip
        self.head = nn.Linear(hidden // 2, n_classes)
        start_as_keras(self)
        for recurrent in (self.first, self.second):
            for name, values in recurrent.named_parameters():
                start = {"weight_ih": nn.init.xavier_uniform_, "weight_hh": nn.init.orthogonal_}
                start.get(name[:9], nn.init.zeros_)(values)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.dropout(self.features(signal, metadata)))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The second dense layer after its batch norm: (batch, hidden / 2)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("gru", metadata)
        states = self.dropout(self.first_norm(_states(self.first, signal.permute(2, 0, 1).contiguous())))
        last = self.dropout(self.second_norm(_states(self.second, states)[-1]))
        features: Tensor = self.dense(last)
        return features

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("gru", self.head, n_classes)
        start_as_keras(self.head)


def _states(layer: nn.GRU, sequence: Tensor) -> Tensor:
    """States at every step, (steps, batch, units); on a CPU in the weights' own precision.

    There torch has no quick GRU of lower precision: under autocast it would take twice as long.
    """
    on_cpu = sequence.device.type == "cpu"
    with torch.autocast("cpu", enabled=torch.is_autocast_enabled("cpu") and not on_cpu):
        states: Tensor = layer(sequence.to(next(layer.parameters()).dtype) if on_cpu else sequence)[0]
        return states
