"""ResUNet-LC: U-Nets over leads x time as residual blocks, and a combiner of the leads.

The leads stay an axis of an image: kernels of 3 x 9 mix neighbouring leads and time. Each of
four blocks is a small U-Net over time whose result is added to its input. The lead combiner
reads the last map twice, with the leads merged into the channels and into time.

Shapes: (batch, leads, samples) -> logits (batch, classes). 9,989,530 parameters (12 leads,
4,096 samples, 26 classes).

Paper: Hwang, Cha, et al. Multi-label abnormality classification from 12-lead ECG using a 2D
residual U-Net. IEEE ICASSP 2024, IEEE Xplore document 10448259. Its ablations are ``res2d-lc``,
``res2d`` and ``res1d``.

What differs from the published code: that runs at 4,095 and 4,096 samples alone. Here any
length from 31 samples works: maps are cut to the length of those that they join, and the lead
combiner's width follows from length and leads. At 4,096 samples the two are equal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.errors import ModelError
from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import fresh_linear
from leadlight.models.registry import Input, register
from leadlight.models.res2d import SLOPE, Stem, Unit2d


@register(
    "resunet-lc",
    summary="Residual U-Nets over leads x time with a lead combiner",
    paper="Hwang et al., ResUNet-LC, IEEE ICASSP 2024",
    doi="",
    input=Input(sampling_rate=500, n_samples=4096),
    n_classes=26,
    parameters=9_996_954,
    trainable=9_989_530,
    aliases=("resu2d-lc",),
)
class ResUNetLC(nn.Module):
    """ResUNet-LC; see the module's docstring.

    channels: outside the U-blocks; inner_channels: inside; levels: of the first U-block, one
    less in each further one; blocks: number of U-blocks; dropout: in the lead combiner;
    time_steps: that the lead combiner's time branch reads, 0 for as many as n_samples give
    (other lengths are brought to that number by pooling).
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
        inner_channels: int = 64,
        levels: int = 6,
        blocks: int = 4,
        dropout: float = 0.5,
        time_steps: int = 0,
    ) -> None:
        super().__init__()
        check_sizes(
            "resunet-lc", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, channels=channels, inner_channels=inner_channels, blocks=blocks,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        if levels - blocks < 0:
            raise ModelError(f"resunet-lc, levels: found {levels}; accepted: from {blocks}, the blocks, up.")
        length = -(-n_samples // 2) // 2**blocks
        if length < 1:
            least = 2 ** (blocks + 1) - 1
            raise ModelError(
                f"resunet-lc, n_samples: found {n_samples}; accepted: from {least} up with {blocks} blocks."
            )
        self.stem = Stem(channels)
        self.blocks = nn.Sequential(
            *(UBlock(channels, inner_channels, levels - number) for number in range(blocks))
        )
        self.combiner = LeadCombiner(channels, n_leads, time_steps or length, dropout)
        self.head = nn.Linear(2 * channels, n_classes)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Both branches of the lead combiner: (batch, 2 * channels)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("resunet-lc", metadata)
        features: Tensor = self.combiner(self.blocks(self.stem(signal)))
        return features

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("resunet-lc", self.head, n_classes)


class UBlock(nn.Module):
    """A U-Net over time, added to its input features, then halved in time (rounding down)."""

    def __init__(self, channels: int, inner: int, levels: int) -> None:
        super().__init__()
        self.entry = Unit2d(channels, channels)
        self.encoders = nn.ModuleList(
            Unit2d(channels if level == 0 else inner, inner, 2) for level in range(levels)
        )
        self.bottleneck = Unit2d(inner, inner)
        self.decoders = nn.ModuleList(
            Unit2d(2 * inner, channels if level == levels - 1 else inner, 2, transposed=True)
            for level in range(levels)
        )
        self.exit = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels, leads, time) to (batch, channels, leads, time // 2)."""
        entered = self.entry(image)
        running, stored = entered, []
        for encoder in self.encoders:
            running = encoder(running)
            stored.append(running)
        running = self.bottleneck(running)
        for decoder in self.decoders:
            beside = stored.pop()
            running = decoder(torch.cat([running[..., : beside.shape[-1]], beside], dim=1))
        added = running[..., : entered.shape[-1]] + entered
        halved: Tensor = self.exit(functional.avg_pool2d(added, (1, 2)))
        return halved


class LeadCombiner(nn.Module):
    """Two readings of the last map, (batch, channels, leads, time), and the maximum of each.

    The channel branch reads channels x leads at every time step, the time branch time x leads
    at every channel.
    """

    def __init__(self, channels: int, n_leads: int, time_steps: int, dropout: float) -> None:
        super().__init__()
        if time_steps < 1:
            raise ModelError(f"lead combiner, time_steps: found {time_steps}; accepted: 0 or above.")
        self.time_steps = time_steps
        self.channel_branch = nn.Conv1d(channels * n_leads, channels, 1, bias=False)
        self.channel_norm = nn.BatchNorm1d(channels)
        self.time_branch = nn.Conv1d(time_steps * n_leads, channels, 1, bias=False)
        self.time_norm = nn.BatchNorm1d(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, 2 * channels), the channel branch first."""
        by_channel, by_time = self.branches(image)
        return torch.cat([self.dropout(by_channel).amax(2), self.dropout(by_time).amax(2)], dim=1)

    def branches(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Before the maxima: (batch, channels, time) and (batch, channels, channels)."""
        batch, channels, leads, time = image.shape
        rows = image.reshape(batch, channels * leads, time)
        by_channel = functional.leaky_relu(self.channel_norm(self.channel_branch(rows)), SLOPE)
        if time != self.time_steps:
            image = functional.adaptive_avg_pool2d(image, (leads, self.time_steps))
        columns = image.permute(0, 3, 2, 1).reshape(batch, self.time_steps * leads, channels)
        by_time = functional.leaky_relu(self.time_norm(self.time_branch(columns)), SLOPE)
        return by_channel, by_time
