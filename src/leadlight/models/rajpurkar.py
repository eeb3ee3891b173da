"""rajpurkar: a pre-activation residual network of 33 convolutions with kernels of sixteen.

A stem and sixteen blocks; every other block halves time, every fourth doubles the channels
by appending zeros to the shortcut. The last map is flattened and classified.

Shapes: (batch, leads, samples) -> logits (batch, classes). 10,483,621 values, 10,475,877 of
them trainable (12 leads, 1,000 samples, 5 classes).

Papers: Rajpurkar, Hannun, Haghpanahi, Bourn, Ng. Cardiologist-Level Arrhythmia Detection with
Convolutional Neural Networks. 2017, arXiv:1707.01836; in this form a comparator of IMLE-Net:
Reddy et al., IEEE SMC 2021, doi:10.1109/SMC52423.2021.9658706.

What differs from the published code: logits; the flattened size follows from the length. The
running variance keeps n - 1 instead of n.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import (
    Convolution,
    as_image,
    fresh_linear,
    keras_batch_norm,
    start_as_keras,
    start_he_normal,
)
from leadlight.models.registry import Input, register

KERNEL = 16
WIDEN_EVERY = 4
"""Blocks after which the channels double."""


@register(
    "rajpurkar",
    summary="Pre-activation residual network of 33 wide convolutions",
    paper="Rajpurkar et al., 2017; as in Reddy et al., IEEE SMC 2021",
    doi="10.48550/arXiv.1707.01836",
    input=Input(sampling_rate=100, n_samples=1000),
    n_classes=5,
    parameters=10_483_621,
    trainable=10_475_877,
)
class Rajpurkar(nn.Module):
    """The network; see the module's docstring.

    filters: of the first blocks, doubled every fourth; blocks: their number; dropout: inside
    the blocks.
    """

    cam_layer = "blocks"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 1000,
        sampling_rate: float = 100.0,
        *,
        filters: int = 32,
        blocks: int = 16,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_sizes(
            "rajpurkar", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, filters=filters, blocks=blocks,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        self.stem = nn.Sequential(
            Convolution(n_leads, filters, KERNEL, padding="same", bias=True),
            keras_batch_norm(filters), nn.ReLU(),
        )  # fmt: skip
        channels, length, made = filters, n_samples, []
        for number in range(blocks):
            wider = filters * 2 ** (number // WIDEN_EVERY)
            stride = 1 + number % 2
            made.append(_Block(channels, wider, stride, dropout, starts_plain=number == 0))
            channels, length = wider, -(-length // stride)
        self.blocks = nn.Sequential(*made)
        self.norm = keras_batch_norm(channels)
        self.head = nn.Linear(channels * length, n_classes)
        for part in self.modules():
            if isinstance(part, Convolution):
                start_he_normal(part)
        start_as_keras(self.head)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The last map, flattened step after step: (batch, steps * channels)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("rajpurkar", metadata)
        image = functional.relu(self.norm(self.blocks(self.stem(as_image(signal)))))
        return image.squeeze(2).transpose(1, 2).flatten(1)

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("rajpurkar", self.head, n_classes)
        start_as_keras(self.head)


class _Block(nn.Module):
    """BN, ReLU, conv, BN, ReLU, dropout, conv, added to the pooled and widened input.

    starts_plain: without the first BN and ReLU, behind a stem that ends with them.
    """

    def __init__(
        self, channels_in: int, channels: int, stride: int, dropout: float, *, starts_plain: bool
    ) -> None:
        super().__init__()
        self.stride, self.appended = stride, channels - channels_in
        self.first_norm = None if starts_plain else keras_batch_norm(channels_in)
        self.first = Convolution(channels_in, channels, KERNEL, stride, "same", bias=True)
        self.second_norm = keras_batch_norm(channels)
        self.dropout = nn.Dropout(dropout)
        self.second = Convolution(channels, channels, KERNEL, padding="same", bias=True)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels_in, 1, steps) to (batch, channels, 1, ceil(steps / stride))."""
        beside = image
        if self.stride > 1:
            beside = functional.max_pool2d(beside, (1, self.stride), (1, self.stride), ceil_mode=True)
        if self.appended:
            zeros = beside.new_zeros(beside.shape[0], self.appended, *beside.shape[2:])
            beside = torch.cat([beside, zeros], dim=1)
        inner = image if self.first_norm is None else functional.relu(self.first_norm(image))
        inner = self.dropout(functional.relu(self.second_norm(self.first(inner))))
        added: Tensor = beside + self.second(inner)
        return added
