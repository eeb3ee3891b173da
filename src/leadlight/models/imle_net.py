"""IMLE-Net: every lead is cut into half-second segments, and three attentions sum them up.

One small residual network encodes each segment of each lead and pools it over
its steps (beat level); a bidirectional LSTM pools the segments of a lead (rhythm
level); the leads are pooled into one vector (channel level), and a linear layer
gives the classes.

Shapes: (batch, leads, samples) -> logits (batch, classes); attentions
``beat`` (batch, leads, segments, steps), ``rhythm`` (batch, leads, segments),
``channel`` (batch, leads). 748,517 values as published (12 leads, 1,000 samples,
5 classes), 746,725 of them trainable.

Paper: Reddy, Talwar, Alle, Bapi, Priyakumar. IMLE-Net: An Interpretable
Multi-level Multi-channel Model for ECG Classification. IEEE SMC 2021,
doi:10.1109/SMC52423.2021.9658706.

What differs from the published code: logits instead of probabilities; sizes are
derived instead of fixed; a length that is not a whole number of segments is
filled up with zeros at its end; batch normalisation keeps its running variance
with n - 1 instead of n (n is above 3,000). "Beat" is the paper's word: segments
are cut on a fixed grid, not at heart beats.

The convolutions run as (1 x 9) kernels over channels-last images of height one:
the published kernel of 8 pads three samples on the left and four on the right,
which a kernel of nine whose first tap is zero does with symmetric padding and
without copying the signal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import KerasLSTM, keras_batch_norm, segment_places
from leadlight.models.registry import Input, register

KERNEL = 8
CHUNK = 1920
"""Segments encoded at a time in evaluation mode: eight records of the published size."""


@register(
    "imle-net",
    summary="Beat, rhythm and channel attention over half-second segments of each lead",
    paper="Reddy et al., IMLE-Net, IEEE SMC 2021",
    doi="10.1109/SMC52423.2021.9658706",
    input=Input(sampling_rate=100, n_samples=1000),
    n_classes=5,
    parameters=748_517,
    trainable=746_725,
    attention=("beat", "rhythm", "channel"),
)
class IMLENet(nn.Module):
    """IMLE-Net. See the module's docstring for shapes, source and differences.

    segment_seconds: length of a segment; filters: channels of the first stage,
    doubled in each further stage; stages: number of stages of two residual
    blocks each; lstm_units: in each direction; attention_units: width of the
    attentions' hidden layer.
    """

    cam_layer = "encoder"
    cam_axes = "batch*leads*segments steps channels"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 1000,
        sampling_rate: float = 100.0,
        *,
        segment_seconds: float = 0.5,
        filters: int = 32,
        stages: int = 3,
        lstm_units: int = 64,
        attention_units: int = 64,
    ) -> None:
        super().__init__()
        check_sizes(
            "imle-net", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, segment_seconds=segment_seconds, filters=filters,
            stages=stages, lstm_units=lstm_units, attention_units=attention_units,
        )  # fmt: skip
        self.n_leads = n_leads
        self.n_samples = n_samples
        self.segment_samples = min(max(1, round(segment_seconds * sampling_rate)), n_samples)
        self.n_segments = -(-n_samples // self.segment_samples)

        self.encoder = SegmentEncoder(filters, stages)
        n_steps = self.encoder.n_steps(self.segment_samples)
        self.beat_attention = AttentionPooling(self.encoder.channels, n_steps, attention_units)
        self.lstm = KerasLSTM(self.encoder.channels, lstm_units, bidirectional=True)
        self.rhythm_attention = AttentionPooling(2 * lstm_units, self.n_segments, attention_units)
        self.channel_attention = AttentionPooling(2 * lstm_units, n_leads, attention_units)
        self.head = nn.Linear(2 * lstm_units, n_classes)
        _start_dense(self.head)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The vector before the head: (batch, 2 * lstm_units)."""
        return self._summarise(signal, metadata)[0]

    def attention(self, signal: Tensor, metadata: Tensor | None = None) -> dict[str, Tensor]:
        """The weights of the three levels; each sums to one over its last axis. None depends on a class."""
        return self._summarise(signal, metadata)[1]

    def cam_places(self, steps: int) -> list[Tensor]:
        """Place of each sample among all steps of a lead; none lies between two segments."""
        return [segment_places(self.n_samples, self.segment_samples, steps // self.n_segments)]

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        check_sizes("imle-net", n_classes=n_classes)
        fresh = nn.Linear(self.head.in_features, n_classes)
        _start_dense(fresh)
        self.head = fresh.to(self.head.weight.device)

    def _summarise(self, signal: Tensor, metadata: Tensor | None) -> tuple[Tensor, dict[str, Tensor]]:
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("imle-net", metadata)
        batch, leads, segments = signal.shape[0], self.n_leads, self.n_segments
        filled = functional.pad(signal, (0, segments * self.segment_samples - self.n_samples))
        steps = self.encoder(filled.reshape(-1, self.segment_samples))
        beats, beat_weights = self.beat_attention(steps)
        rhythm = self.lstm(beats.reshape(batch * leads, segments, -1))
        lead_vectors, rhythm_weights = self.rhythm_attention(rhythm)
        features, channel_weights = self.channel_attention(lead_vectors.reshape(batch, leads, -1))
        return features, {
            "beat": beat_weights.reshape(batch, leads, segments, -1),
            "rhythm": rhythm_weights.reshape(batch, leads, segments),
            "channel": channel_weights,
        }


class SegmentEncoder(nn.Module):
    """Residual network over single segments: (segments, samples) to (segments, steps, channels)."""

    def __init__(self, filters: int, stages: int) -> None:
        super().__init__()
        self.stages = stages
        self.channels = filters * 2 ** (stages - 1)
        self.stem = SameConv(1, filters)
        blocks: list[nn.Module] = []
        width = filters
        for stage in range(stages):
            wider = filters * 2**stage
            blocks.append(ResidualBlock(width, wider, stride=1 if stage == 0 else 2))
            blocks.append(ResidualBlock(wider, wider, stride=1))
            width = wider
        self.blocks = nn.Sequential(*blocks)

    def n_steps(self, n_samples: int) -> int:
        """Steps that remain of a segment: each stage but the first halves it, rounding up."""
        for _ in range(self.stages - 1):
            n_samples = -(-n_samples // 2)
        return n_samples

    def forward(self, segments: Tensor) -> Tensor:
        """(segments, samples) to (segments, steps, channels)."""
        if self.training or len(segments) <= CHUNK:
            return self._encode(segments)
        # Without batch statistics, segments do not depend on each other: a chunk's activations stay in cache.
        return torch.cat([self._encode(chunk) for chunk in torch.split(segments, CHUNK)])

    def _encode(self, segments: Tensor) -> Tensor:
        image = segments[:, None, None, :].contiguous(memory_format=torch.channels_last)
        steps: Tensor = self.blocks(functional.relu_(self.stem(image)))
        # Channels-last already lies in memory as (segments, steps, channels).
        return steps.squeeze(2).transpose(1, 2)


class ResidualBlock(nn.Module):
    """conv, ReLU, BN, conv, + shortcut, ReLU, BN: normalisation stands after the ReLU, as published."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = SameConv(channels_in, channels, stride)
        self.first_norm = keras_batch_norm(channels)
        self.second = SameConv(channels, channels)
        self.second_norm = keras_batch_norm(channels)
        self.shortcut = nn.Conv2d(channels_in, channels, 1, stride=(1, stride)) if stride > 1 else None
        if self.shortcut is not None:
            nn.init.xavier_uniform_(self.shortcut.weight)
            nn.init.zeros_(self.shortcut.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """(segments, channels_in, 1, steps) to (segments, channels, 1, ceil(steps / stride))."""
        inner = self.first_norm(functional.relu_(self.first(image)))
        beside = image if self.shortcut is None else self.shortcut(image)
        normed: Tensor = self.second_norm(functional.relu_(self.second(inner).add_(beside)))
        return normed


class SameConv(nn.Module):
    """Convolution of eight taps with "same" padding: three zeros on the left, the rest on the right.

    weight: (out, in, 8), as a one-dimensional convolution has it.
    """

    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(channels, channels_in, KERNEL))
        self.bias = nn.Parameter(torch.zeros(channels))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, image: Tensor) -> Tensor:
        """(segments, in, 1, steps) to (segments, out, 1, ceil(steps / stride))."""
        nine_taps = functional.pad(self.weight, (1, 0)).unsqueeze(2)
        kernel = nine_taps.contiguous(memory_format=torch.channels_last)
        return functional.conv2d(image, kernel, self.bias, stride=(1, self.stride), padding=(0, KERNEL // 2))


class AttentionPooling(nn.Module):
    """Weighted sum over positions: weights = softmax(v . tanh(W x_t + b_t)), one bias row a position."""

    def __init__(self, channels: int, positions: int, units: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.05 * torch.randn(channels, units))
        self.bias = nn.Parameter(torch.zeros(positions, units))
        self.score = nn.Parameter(0.05 * torch.randn(units))

    def forward(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, positions, channels) to the sum (batch, channels) and the weights (batch, positions)."""
        hidden = torch.tanh(sequence @ self.weight + self.bias)
        weights = torch.softmax((hidden @ self.score).float(), dim=1)
        pooled = torch.bmm(weights.to(sequence.dtype).unsqueeze(1), sequence).squeeze(1)
        return pooled, weights


def _start_dense(layer: nn.Linear) -> None:
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
