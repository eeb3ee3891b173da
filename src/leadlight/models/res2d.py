"""res2d: a residual network over an image whose rows are the leads and whose columns are time.

Kernels of 3 x 9 mix neighbouring leads and time; only time is shortened. Four residual blocks,
then the maximum over leads and time. An ablation of ResUNet-LC without U-blocks and lead
combiner.

Shapes: (batch, leads, samples) -> logits (batch, classes). 3,615,898 parameters (26 classes).

Paper: Hwang, Cha, et al. Multi-label abnormality classification from 12-lead ECG using a 2D
residual U-Net. IEEE ICASSP 2024, IEEE Xplore document 10448259.

What differs from the published code: there the forward pass fails, because the last layer is
called by a name that it does not have; and an odd number of leads is taken for an odd length.
Here any length works: an odd one gets a zero in front, in the shortcut. Where the published
form is meant to run, at 4,096 samples, the two are equal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import ImageConvolution, fresh_linear
from leadlight.models.registry import Input, register

SLOPE = 0.01
"""Of every leaky ReLU."""
KERNEL = (3, 9)


@register(
    "res2d",
    summary="Residual network over leads x time, maximum over both",
    paper="Hwang et al., ResUNet-LC, IEEE ICASSP 2024",
    doi="",
    input=Input(sampling_rate=500, n_samples=4096),
    n_classes=26,
    parameters=3_618_202,
    trainable=3_615_898,
)
class Res2d(nn.Module):
    """The residual network with a global maximum; see the module's docstring.

    channels: everywhere; blocks: residual blocks, each halves the time axis; dropout: on
    single elements before the maximum, as published.
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
    ) -> None:
        super().__init__()
        check_sizes(
            "res2d", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, channels=channels, blocks=blocks,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        self.stem = Stem(channels)
        self.blocks = nn.Sequential(*(ResidualBlock2d(channels) for _ in range(blocks)))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, n_classes)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The maxima over leads and time: (batch, channels)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("res2d", metadata)
        maxima: Tensor = self.dropout(self.blocks(self.stem(signal))).amax((2, 3))
        return maxima

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("res2d", self.head, n_classes)


class Unit2d(nn.Module):
    """Convolution, batch norm, leaky ReLU; ``stride`` shortens time, rounding up, or lengthens it."""

    def __init__(
        self,
        channels_in: int,
        channels: int,
        stride: int = 1,
        kernel: tuple[int, int] = KERNEL,
        *,
        transposed: bool = False,
    ) -> None:
        super().__init__()
        padding = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2)
        self.convolution: nn.Module
        if transposed:
            self.convolution = nn.ConvTranspose2d(
                channels_in, channels, kernel, (1, stride), padding, (0, stride - 1), bias=False
            )
        elif stride > 1:
            self.convolution = nn.Conv2d(channels_in, channels, kernel, (1, stride), padding, bias=False)
        else:
            self.convolution = ImageConvolution(channels_in, channels, kernel)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, in, leads, time) to (batch, out, leads, time / stride or time * stride)."""
        return functional.leaky_relu(self.norm(self.convolution(image)), SLOPE, inplace=True)


class Stem(Unit2d):
    """From (batch, leads, samples) to the first image (batch, channels, leads, samples / 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__(1, channels, 2, (3, 15))

    def forward(self, image: Tensor) -> Tensor:
        """The signal becomes an image of one channel; time is halved, rounding up."""
        return super().forward(image.unsqueeze(1).contiguous(memory_format=torch.channels_last))


class ResidualBlock2d(nn.Module):
    """Two units beside a pooled shortcut, added; nothing follows the sum. Time is halved, rounding up."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Unit2d(channels, channels, 2)
        self.second = Unit2d(channels, channels)
        self.shortcut = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels, leads, time) to (batch, channels, leads, ceil(time / 2))."""
        even = functional.pad(image, (1, 0)) if image.shape[-1] % 2 else image
        beside: Tensor = self.shortcut(functional.avg_pool2d(even, (1, 2)))
        inner: Tensor = self.second(self.first(image))
        return beside + inner
