"""leadlight: four small networks of different kinds look at the same window; their logits are averaged.

Segments with an LSTM (mousavi), residual convolutions (xresnet1d18), residual convolutions at full
resolution (resnet1d-wang) and kernels of several lengths (inception1d) err differently. Each learns
by itself, in one training.

Shapes: (batch, leads, samples) -> logits (batch, classes). 3,236,980 parameters (12 leads, 250 samples,
5 classes).

Source: our own choice among the models of this room, on a validation fold (benchmarks/results/models.md).
Averaging networks that were begun from other weights: Lakshminarayanan, Pritzel, Blundell. Simple and
Scalable Predictive Uncertainty Estimation using Deep Ensembles. NeurIPS 2017, doi:10.48550/arXiv.1612.01474.

What differs from there: the members train together, with one optimiser, on the same batches.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.inception1d import Inception1d
from leadlight.models.mousavi import Mousavi
from leadlight.models.registry import Input, register
from leadlight.models.resnet1d_wang import ResNet1dWang
from leadlight.models.xresnet1d import XResNet1d18

KINDS = (Mousavi, XResNet1d18, ResNet1dWang, Inception1d)


@register(
    "leadlight",
    summary="Four small networks of different kinds, averaged",
    paper="our own; averaging: Lakshminarayanan et al., NeurIPS 2017",
    doi="10.48550/arXiv.1612.01474",
    input=Input(sampling_rate=100, n_samples=250),
    n_classes=5,
    parameters=3_245_684,
    trainable=3_236_980,
)
class Leadlight(nn.Module):
    """The network; see the module's docstring. copies: of each of the four, from other weights."""

    cam_layer = f"members.1.{XResNet1d18.cam_layer}"

    def __init__(
        self, n_classes: int, n_leads: int = 12, n_samples: int = 250, sampling_rate: float = 100.0,
        *, copies: int = 1,
    ) -> None:  # fmt: skip
        super().__init__()
        check_sizes("leadlight", n_leads=n_leads, n_samples=n_samples, copies=copies)
        self.n_leads, self.n_samples = n_leads, n_samples
        self.members = nn.ModuleList(
            kind(n_classes, n_leads, n_samples, sampling_rate) for kind in KINDS * copies
        )

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to the mean of the members' logits (batch, classes)."""
        return torch.stack(self._each(signal, metadata)).mean(0)

    def training_outputs(self, signal: Tensor, metadata: Tensor | None = None) -> tuple[Tensor, ...]:
        """The mean logits, and those of each member, which learns by itself."""
        each = self._each(signal, metadata)
        return (torch.stack(each).mean(0), *each)

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """What the members' heads read, side by side: (batch, features)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("leadlight", metadata)
        return torch.cat([member.features(signal) for member in self._networks()], dim=1)

    def reset_head(self, n_classes: int) -> None:
        """Put fresh last layers for n_classes in place of the old ones."""
        for member in self._networks():
            member.reset_head(n_classes)

    def _networks(self) -> list[Mousavi | XResNet1d18 | ResNet1dWang | Inception1d]:
        return [member for member in self.members if isinstance(member, KINDS)]

    def _each(self, signal: Tensor, metadata: Tensor | None) -> list[Tensor]:
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("leadlight", metadata)
        return [member(signal) for member in self.members]
