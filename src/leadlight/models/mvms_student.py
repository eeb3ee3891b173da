"""The student of MVMS-Net: one of its networks over all leads, a sixth of the teacher's size.

It learns from the labels and from the teacher's softened outputs at once (the loss ``distillation``);
trained without a teacher it is a small network like any other.

Shapes: (batch, leads, samples) -> logits (batch, classes). 399,047 parameters (12 leads,
71 classes), 129 for each class.

Paper: Yang, Lian, Zeng, Xu, Zang, Zhang. A Multi-View Multi-Scale Neural Network for Multi-Label
ECG Classification. IEEE Transactions on Emerging Topics in Computational Intelligence, 2023
(IEEE document 10021962).

What differs from the published code: nothing but names.
"""

from __future__ import annotations

from torch import Tensor, nn

from leadlight.models.contract import check_signal, refuse_metadata
from leadlight.models.layers import fresh_linear
from leadlight.models.mvms_net import PAPER, Backbone, check_mvms
from leadlight.models.registry import Input, register


@register(
    "mvms-student",
    summary="One network of MVMS-Net over all leads, meant to learn from the teacher",
    paper=PAPER,
    doi="",
    input=Input(sampling_rate=100, n_samples=1000),
    n_classes=71,
    parameters=401_687,
    trainable=399_047,
)
class MVMSStudent(nn.Module):
    """The student; see the module's docstring. width: channels of the blocks, 128 as published."""

    cam_layer = "network.blocks"

    def __init__(
        self, n_classes: int, n_leads: int = 12, n_samples: int = 1000, sampling_rate: float = 100.0,
        *, width: int = 128,
    ) -> None:  # fmt: skip
        super().__init__()
        check_mvms("mvms-student", n_classes, n_leads, n_samples, sampling_rate, width)
        self.n_leads, self.n_samples = n_leads, n_samples
        self.network = Backbone(n_leads, width)
        self.head = nn.Linear(width, n_classes)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Mean over time of the last block: (batch, width)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("mvms-student", metadata)
        features: Tensor = self.network(signal)
        return features

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("mvms-student", self.head, n_classes)
