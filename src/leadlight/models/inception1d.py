"""inception1d: parallel long kernels of three lengths at full resolution, six blocks deep.

Each block narrows its input to 32 channels, reads it with kernels of 39, 19 and 9 samples,
and adds a pooled copy of the input; a shortcut spans every three blocks. Maximum and mean
over time, then a head with one hidden layer.

Shapes: (batch, leads, samples) -> logits (batch, classes). 516,167 parameters (12 leads, 71
classes).

Papers: Ismail Fawaz et al. InceptionTime. Data Mining and Knowledge Discovery 34, 2020,
doi:10.1007/s10618-020-00710-y; on ECG: Strodthoff, Wagner, Schaeffter, Samek. Deep Learning
for ECG Analysis. IEEE JBHI 25(5), 2021, doi:10.1109/JBHI.2020.3022989.

What differs from the published code: nothing but names; any kernel above 2 is taken.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import ConcatPool, Convolution, DenseHead, as_image, start_as_benchmark
from leadlight.models.registry import Input, register

GROUP = 3
"""Blocks that one shortcut spans."""


@register(
    "inception1d",
    summary="Inception blocks with kernels of 39, 19 and 9 samples at full resolution",
    paper="Strodthoff et al., PTB-XL benchmark, IEEE JBHI 2021",
    doi="10.1109/JBHI.2020.3022989",
    input=Input(sampling_rate=100, n_samples=250),
    n_classes=71,
    parameters=518_983,
    trainable=516_167,
)
class Inception1d(nn.Module):
    """InceptionTime with the benchmark's head; see the module's docstring.

    kernel: the longest, halved twice for the others, even ones made odd; filters: of each
    branch; groups: of three blocks with a shortcut; hidden, dropout: of the head.
    """

    cam_layer = "blocks"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 250,
        sampling_rate: float = 100.0,
        *,
        kernel: int = 40,
        filters: int = 32,
        groups: int = 2,
        hidden: int = 128,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_sizes(
            "inception1d", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, kernel=kernel // 4, filters=filters, groups=groups, hidden=hidden,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        kernels = [length - (length % 2 == 0) for length in (kernel, kernel // 2, kernel // 4)]
        channels = 4 * filters
        self.blocks = nn.Sequential(
            *(_Group(n_leads if number == 0 else channels, filters, kernels) for number in range(groups))
        )
        self.pool = ConcatPool()
        self.head = DenseHead(2 * channels, n_classes, hidden, dropout)
        start_as_benchmark(self)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        return self.head.classify(self.features(signal, metadata))

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The hidden layer of the head: (batch, hidden)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("inception1d", metadata)
        return self.head.embed(self.pool(self.blocks(as_image(signal))))

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head.reset("inception1d", n_classes)


class _Group(nn.Module):
    """Three inception blocks and the shortcut around them, added, then ReLU."""

    def __init__(self, channels_in: int, filters: int, kernels: list[int]) -> None:
        super().__init__()
        channels = 4 * filters
        self.inner = nn.Sequential(
            *(_Inception(channels_in if place == 0 else channels, filters, kernels) for place in range(GROUP))
        )
        self.shortcut = nn.Sequential(Convolution(channels_in, channels, 1), nn.BatchNorm2d(channels))

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels_in, 1, steps) to (batch, 4 * filters, 1, steps)."""
        return functional.relu(self.inner(image) + self.shortcut(image))


class _Inception(nn.Module):
    """Three kernels on a narrowed input and a pooled copy of it, side by side, BN, ReLU."""

    def __init__(self, channels_in: int, filters: int, kernels: list[int]) -> None:
        super().__init__()
        self.bottleneck = Convolution(channels_in, filters, 1)
        self.branches = nn.ModuleList(
            Convolution(filters, filters, kernel, padding=(kernel - 1) // 2) for kernel in kernels
        )
        self.pooled = Convolution(channels_in, filters, 1)
        self.norm = nn.BatchNorm2d(4 * filters)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels_in, 1, steps) to (batch, 4 * filters, 1, steps)."""
        narrow = self.bottleneck(image)
        beside = self.pooled(functional.max_pool2d(image, (1, 3), 1, (0, 1)))
        joined = torch.cat([*(branch(narrow) for branch in self.branches), beside], dim=1)
        return functional.relu(self.norm(joined))
