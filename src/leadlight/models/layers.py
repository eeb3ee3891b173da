"""Parts that several models share.

One-dimensional convolutions run as (1 x k) kernels over channels-last images of height
one: on a CPU that is up to three times as fast as torch's one-dimensional convolution,
and equal to it. Long kernels run as products of spectra where that is quicker.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.models import spectral
from leadlight.models.contract import check_sizes


def as_image(signal: Tensor) -> Tensor:
    """(batch, leads, samples) to (batch, leads, 1, samples) in channels-last layout, leads as channels."""
    return signal.unsqueeze(2).contiguous(memory_format=torch.channels_last)


def as_signal(image: Tensor) -> Tensor:
    """(batch, channels, 1, steps) to (batch, channels, steps)."""
    return image.squeeze(2)


def segment_places(n_samples: int, segment_samples: int, segment_steps: int) -> Tensor:
    """Place of each sample on an axis of steps that stand segment after segment: (n_samples,).

    A step stands for round(segment_samples / segment_steps) samples and lies in their middle.
    """
    samples = torch.arange(n_samples)
    within = (samples % segment_samples + 0.5) / round(segment_samples / segment_steps) - 0.5
    return samples // segment_samples * segment_steps + within.clamp(0, segment_steps - 1)


def keras_batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm of an image with Keras' defaults: its momentum 0.99 is torch's 0.01."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def same_padding(kernel: int, stride: int = 1, length: int | None = None) -> tuple[int, int]:
    """Zeros (left, right) that Keras' "same" padding puts: the odd one on the right.

    length: of the input; needed for a stride above 1, where it decides.
    """
    if stride == 1:
        total = kernel - 1
    else:
        if length is None:
            raise ValueError("with a stride, same padding depends on the length")
        total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


class Convolution(nn.Module):
    """Convolution along time of an image of height one.

    weight: (out, in, kernel), as a one-dimensional convolution has it; padding: zeros
    on both sides, or (left, right), or "same" as Keras pads.
    """

    def __init__(
        self,
        channels_in: int,
        channels: int,
        kernel: int,
        stride: int = 1,
        padding: int | tuple[int, int] | str = 0,
        *,
        bias: bool = False,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.channels_in, self.channels, self.kernel = channels_in, channels, kernel
        self.stride, self.dilation = stride, dilation
        self.padding = padding
        self.weight = nn.Parameter(torch.empty(channels, channels_in, kernel))
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None
        # torch's own start of a convolution.
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(channels_in * kernel)
            nn.init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """Shown in the printed network."""
        return f"{self.channels_in}, {self.channels}, {self.kernel}, stride={self.stride}"

    def forward(self, image: Tensor) -> Tensor:
        """(batch, in, 1, steps) to (batch, out, 1, steps')."""
        left, right = self._sides(image.shape[-1])
        weight: Tensor = self.weight
        if self.stride == self.dilation == 1 and spectral.pays(image, weight, image.shape[-1] + left + right):
            return spectral.convolve(image, weight, self.bias, left, right)
        if left < right:
            # A kernel with zeros in front needs the same padding on both sides, and no copy of the input.
            weight = functional.pad(weight, ((right - left) // self.dilation, 0))
        kernel = weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        return functional.conv2d(image, kernel, self.bias, (1, self.stride), (0, right), (1, self.dilation))

    def _sides(self, length: int) -> tuple[int, int]:
        if isinstance(self.padding, str):
            return same_padding((self.kernel - 1) * self.dilation + 1, self.stride, length)
        if isinstance(self.padding, int):
            return self.padding, self.padding
        return self.padding


class ImageConvolution(nn.Conv2d):
    """torch's convolution of images, by spectra along time where that is quicker. No stride, no bias."""

    def __init__(self, channels_in: int, channels: int, kernel: tuple[int, int]) -> None:
        padding = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2)
        super().__init__(channels_in, channels, kernel, padding=padding, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, in, leads, time) to (batch, out, leads, time)."""
        above, left = (kernel // 2 for kernel in self.kernel_size)
        if spectral.pays(image, self.weight, image.shape[-1] + 2 * left):
            return spectral.convolve(image, self.weight, None, left, left, above, above)
        return super().forward(image)


class ConcatPool(nn.Module):
    """Maximum and mean over time, side by side: (batch, channels, 1, steps) to (batch, 2 * channels)."""

    def forward(self, image: Tensor) -> Tensor:
        """The maxima first, then the means."""
        return torch.cat([image.amax((2, 3)), image.mean((2, 3))], dim=1)


class DenseHead(nn.Module):
    """The PTB-XL benchmark's head: BN, dropout, linear, ReLU (the embedding), BN, dropout, linear.

    dropout: before the last layer; half of it before the hidden one.
    """

    def __init__(self, features: int, n_classes: int, hidden: int = 128, dropout: float = 0.5) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.BatchNorm1d(features), nn.Dropout(dropout / 2), nn.Linear(features, hidden), nn.ReLU()
        )
        self.norm = nn.BatchNorm1d(hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, n_classes)

    def embed(self, pooled: Tensor) -> Tensor:
        """(batch, features) to the embedding (batch, hidden)."""
        embedding: Tensor = self.hidden(pooled)
        return embedding

    def classify(self, embedding: Tensor) -> Tensor:
        """The embedding to logits (batch, classes)."""
        logits: Tensor = self.output(self.dropout(self.norm(embedding)))
        return logits

    def reset(self, name: str, n_classes: int) -> None:
        """A fresh last layer. name: of the model, for errors."""
        self.output = fresh_linear(name, self.output, n_classes)
        start_as_benchmark(self.output)


def fresh_linear(name: str, old: nn.Linear, n_classes: int) -> nn.Linear:
    """A linear layer for n_classes in place of an old one, on its device. name: of the model, for errors."""
    check_sizes(name, n_classes=n_classes)
    return nn.Linear(old.in_features, n_classes).to(old.weight.device)


def start_as_benchmark(module: nn.Module) -> None:
    """Starting weights of the PTB-XL benchmark's training, for a module and all in it.

    Convolutions and linear layers: Kaiming normal (fan-in, gain sqrt 2), biases zero;
    batch norms: one and zero. Recurrent layers keep torch's start.
    """
    for part in module.modules():
        if isinstance(part, Convolution | nn.Linear):
            nn.init.kaiming_normal_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)


def start_as_keras(module: nn.Module) -> None:
    """Keras' default starting weights: Glorot uniform kernels, zero biases."""
    for part in module.modules():
        if isinstance(part, Convolution | nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def start_he_normal(layer: Convolution | nn.Linear) -> None:
    """Keras' "he_normal": cut at two standard deviations, sqrt(2 / fan-in) after the cut; bias zero."""
    deviation = (2 / layer.weight[0].numel()) ** 0.5 / 0.87962566103423978
    nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class KerasLSTM(nn.Module):
    """One-layer LSTM with one bias a direction, as Keras has it: torch's second bias stays zero, untrained.

    (batch, steps, channels) to (batch, steps, units), or twice as many, forward beside
    backward. Keras' start: Glorot uniform, orthogonal over all gates, forget gates open.
    """

    def __init__(self, channels: int, units: int, *, bidirectional: bool = False) -> None:
        super().__init__()
        self.units = units
        self.directions = ("forward", "backward") if bidirectional else ("forward",)
        for direction in self.directions:
            kernel = nn.init.xavier_uniform_(torch.empty(4 * units, channels))
            recurrent = nn.init.orthogonal_(torch.empty(units, 4 * units)).T.contiguous()
            bias = torch.zeros(4 * units)
            bias[units : 2 * units] = 1.0
            self.register_parameter(f"{direction}_weight", nn.Parameter(kernel))
            self.register_parameter(f"{direction}_recurrent", nn.Parameter(recurrent))
            self.register_parameter(f"{direction}_bias", nn.Parameter(bias))
        self.register_buffer("no_bias", torch.zeros(4 * units), persistent=False)

    def forward(self, sequence: Tensor) -> Tensor:
        """States at every step, the first layer's and only."""
        named = {**dict(self.named_parameters()), "no_bias": self.get_buffer("no_bias")}
        weights = [
            named[name]
            for direction in self.directions
            for name in (f"{direction}_weight", f"{direction}_recurrent", f"{direction}_bias", "no_bias")
        ]
        count = len(self.directions)
        start = sequence.new_zeros(count, sequence.shape[0], self.units)
        output: Tensor = torch.lstm(
            sequence, (start, start), weights, True, 1, 0.0, self.training, count == 2, True
        )[0]
        return output
