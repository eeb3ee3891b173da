"""res2d-lc: the residual network over leads x time, with ResUNet-LC's lead combiner at its end.

Four residual blocks shorten time; the lead combiner then merges the leads once into the
channels and once into time. An ablation of ResUNet-LC without its U-blocks.

Shapes: (batch, leads, samples) -> logits (batch, classes). 4,012,954 parameters (12 leads,
4,096 samples, 26 classes).

Paper: Hwang, Cha, et al. Multi-label abnormality classification from 12-lead ECG using a 2D
residual U-Net. IEEE ICASSP 2024, IEEE Xplore document 10448259.

What differs from the published code: there the forward pass fails, because the last layer
takes 128 values and gets 256. Here it takes 256, and any length works (see ``res2d`` and
``resunet_lc``).
"""

from __future__ import annotations

from torch import Tensor, nn

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import fresh_linear
from leadlight.models.registry import Input, register
from leadlight.models.res2d import ResidualBlock2d, Stem
from leadlight.models.resunet_lc import LeadCombiner


@register(
    "res2d-lc",
    summary="Residual network over leads x time with a lead combiner",
    paper="Hwang et al., ResUNet-LC, IEEE ICASSP 2024",
    doi="",
    input=Input(sampling_rate=500, n_samples=4096),
    n_classes=26,
    parameters=4_015_770,
    trainable=4_012_954,
)
class Res2dLC(nn.Module):
    """The residual network with a lead combiner; see the module's docstring.

    channels: everywhere; blocks: residual blocks, each halves the time axis; dropout: in the
    lead combiner; time_steps: that the lead combiner's time branch reads, 0 for as many as
    n_samples give (other lengths are brought to that number by pooling).
    """

    cam_layer = "blocks"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 4096,
        sampling_rate: float = 500.0,
        *,
        channels: int = 128,
        blocks: int = 4,
        dropout: float = 0.5,
        time_steps: int = 0,
    ) -> None:
        super().__init__()
        check_sizes(
            "res2d-lc", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, channels=channels, blocks=blocks,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        length = n_samples
        for _ in range(blocks + 1):
            length = -(-length // 2)
        self.stem = Stem(channels)
        self.blocks = nn.Sequential(*(ResidualBlock2d(channels) for _ in range(blocks)))
        self.combiner = LeadCombiner(channels, n_leads, time_steps or length, dropout)
        self.head = nn.Linear(2 * channels, n_classes)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Both branches of the lead combiner: (batch, 2 * channels)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("res2d-lc", metadata)
        features: Tensor = self.combiner(self.blocks(self.stem(signal)))
        return features

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("res2d-lc", self.head, n_classes)
