"""res1d: a one-dimensional residual network with a global maximum, leads as channels.

A stem and four residual blocks of 128 channels, each halving time, then the maximum over time.
The ordinary alternative in ResUNet-LC's ablation.

Shapes: (batch, leads, samples) -> logits (batch, classes). 1,273,882 parameters (12 leads, 26
classes).

Paper: Hwang, Cha, et al. Multi-label abnormality classification from 12-lead ECG using a 2D
residual U-Net. IEEE ICASSP 2024, IEEE Xplore document 10448259.

What differs from the published code: nothing but names.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import Convolution, as_image, fresh_linear
from leadlight.models.registry import Input, register
from leadlight.models.res2d import SLOPE


@register(
    "res1d",
    summary="One-dimensional residual network with a global maximum",
    paper="Hwang et al., ResUNet-LC, IEEE ICASSP 2024",
    doi="",
    input=Input(sampling_rate=500, n_samples=4096),
    n_classes=26,
    parameters=1_276_186,
    trainable=1_273_882,
)
class Res1d(nn.Module):
    """The one-dimensional ablation; see the module's docstring.

    channels: everywhere; kernel: of the blocks; blocks: residual blocks; dropout: on single
    elements before the maximum, as published.
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
        kernel: int = 9,
        blocks: int = 4,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_sizes(
            "res1d", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, channels=channels, kernel=kernel, blocks=blocks,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        self.stem = _Unit(n_leads, channels, 15, 2)
        self.blocks = nn.Sequential(*(_Block(channels, kernel) for _ in range(blocks)))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, n_classes)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The maxima over time: (batch, channels)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("res1d", metadata)
        maxima: Tensor = self.dropout(self.blocks(self.stem(as_image(signal)))).amax((2, 3))
        return maxima

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("res1d", self.head, n_classes)


class _Unit(nn.Module):
    """Convolution, batch norm, leaky ReLU."""

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.convolution = Convolution(channels_in, channels, kernel, stride, (kernel - 1) // 2)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, in, 1, time) to (batch, out, 1, ceil(time / stride))."""
        return functional.leaky_relu(self.norm(self.convolution(image)), SLOPE)


class _Block(nn.Module):
    """Two units beside a pooled shortcut, added; an odd length gets a zero in front, in the shortcut."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.first = _Unit(channels, channels, kernel, 2)
        self.second = _Unit(channels, channels, kernel, 1)
        self.shortcut = Convolution(channels, channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels, 1, time) to (batch, channels, 1, ceil(time / 2))."""
        even = functional.pad(image, (1, 0)) if image.shape[-1] % 2 else image
        beside: Tensor = self.shortcut(functional.avg_pool2d(even, (1, 2)))
        inner: Tensor = self.second(self.first(image))
        return beside + inner
