"""Conv-BiLSTM-attention: residual convolutions, a bidirectional LSTM, attention over time, age and sex.

Two residual blocks shorten the ECG by four; the LSTM reads the steps that remain; one learned
vector weighs them. Age and sex pass through a small dense branch and are joined before the head.

Shapes: signal (batch, leads, samples), metadata (batch, 5) -> logits (batch, classes); attention
``time`` (batch, steps), one step for every four samples. 957,957 values, 954,853 of them
trainable (published form, 12 leads, 5 classes).

Source: Dolatkhah. ECG Multi-Label Classification with Deep Learning, 2024, a software project;
no paper, no DOI.

What differs from the published code: logits; attention is returned. Metadata has indicators for
a missing age and a missing sex, where a missing age made every published output NaN; without
metadata both are missing. A step's score is not squashed by tanh, which keeps the published
weights nearly equal. ``published`` gives the published form in both, with metadata (batch, 3).
The running variance keeps n - 1 instead of n.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.errors import ModelError
from leadlight.models.contract import check_signal, check_sizes
from leadlight.models.layers import (
    Convolution,
    KerasLSTM,
    as_image,
    fresh_linear,
    keras_batch_norm,
    start_as_keras,
)
from leadlight.models.registry import Input, register

SHORTEST = 4
METADATA = ("age", "male", "female", "age missing", "sex missing")
"""Scaled age, and 0 or 1 for the others; the published form reads the first three."""


@register(
    "conv-bilstm-attention",
    summary="Convolutions, bidirectional LSTM and attention, with age and sex beside the signal",
    paper="Dolatkhah, ECG Multi-Label Classification with Deep Learning, 2024 (software)",
    doi="",
    input=Input(sampling_rate=100, n_samples=1000, metadata=("age", "sex")),
    n_classes=5,
    parameters=957_957,
    trainable=954_853,
    attention=("time",),
)
class ConvBiLSTMAttention(nn.Module):
    """The network; see the module's docstring.

    filters: of the first block, half as many in the second; lstm_units: in each direction;
    hidden: of the ECG's dense layer; metadata_hidden, joint_hidden: of the other two; dropout:
    everywhere; published: the published attention score and metadata.
    """

    cam_layer = "blocks"
    samples_per_step = SHORTEST

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 1000,
        sampling_rate: float = 100.0,
        *,
        filters: int = 256,
        lstm_units: int = 128,
        hidden: int = 256,
        metadata_hidden: int = 16,
        joint_hidden: int = 128,
        dropout: float = 0.2532911469635144,
        published: bool = False,
    ) -> None:
        super().__init__()
        check_sizes(
            "conv-bilstm-attention", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples // SHORTEST,
            sampling_rate=sampling_rate, filters=filters // 2, lstm_units=lstm_units, hidden=hidden,
            metadata_hidden=metadata_hidden, joint_hidden=joint_hidden,
        )  # fmt: skip
        self.n_leads, self.n_samples, self.published = n_leads, n_samples, published
        self.n_metadata = 3 if published else len(METADATA)
        self.blocks = nn.Sequential(
            _Block(n_leads, filters, 3, dropout), _Block(filters, filters // 2, 7, dropout)
        )
        self.lstm = KerasLSTM(filters // 2, lstm_units, bidirectional=True)
        self.score = nn.Parameter(nn.init.xavier_uniform_(torch.empty(2 * lstm_units, 1))[:, 0].clone())
        self.signal_branch = _Dense(2 * lstm_units, hidden, dropout)
        self.metadata_branch = _Dense(self.n_metadata, metadata_hidden, dropout)
        self.joint = _Dense(hidden + metadata_hidden, joint_hidden, dropout)
        self.head = nn.Linear(joint_hidden, n_classes)
        start_as_keras(self)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) and metadata to logits (batch, classes)."""
        logits: Tensor = self.head(self.joint.dropout(self.features(signal, metadata)))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The joint layer after its batch norm: (batch, joint_hidden)."""
        context, _ = self._weigh(signal)
        beside = self.metadata_branch.dropout(self.metadata_branch(self._metadata(signal, metadata)))
        of_signal = self.signal_branch.dropout(self.signal_branch(context))
        joined: Tensor = self.joint(torch.cat([of_signal, beside], dim=1))
        return joined

    def attention(self, signal: Tensor, metadata: Tensor | None = None) -> dict[str, Tensor]:
        """The weight of each step; they sum to one. The same for every class."""
        self._metadata(signal, metadata)
        return {"time": self._weigh(signal)[1]}

    def cam_places(self, steps: int) -> list[Tensor]:
        """Place of each sample among the steps."""
        return [(torch.arange(self.n_samples) + 0.5) / self.samples_per_step - 0.5]

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("conv-bilstm-attention", self.head, n_classes)
        start_as_keras(self.head)

    def _weigh(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted sum of the LSTM's states and the weights."""
        check_signal(signal, self.n_leads, self.n_samples)
        steps = self.blocks(as_image(signal)).squeeze(2).transpose(1, 2)
        states = self.lstm(steps.contiguous())
        scores = states @ self.score
        if self.published:
            scores = torch.tanh(scores)
        weights = torch.softmax(scores.float(), dim=1)
        return torch.bmm(weights.to(states.dtype).unsqueeze(1), states).squeeze(1), weights

    def _metadata(self, signal: Tensor, metadata: Tensor | None) -> Tensor:
        """Checked metadata; none is taken as age and sex both missing."""
        wanted = METADATA[: self.n_metadata]
        if metadata is None:
            if self.published:
                raise ModelError(
                    "conv-bilstm-attention: found no metadata; the published form needs "
                    f"(batch, {self.n_metadata}): {', '.join(wanted)}."
                )
            missing = signal.new_zeros(len(signal), self.n_metadata)
            missing[:, 3:] = 1
            return missing
        if metadata.shape != (len(signal), self.n_metadata) or not metadata.is_floating_point():
            raise ModelError(
                f"conv-bilstm-attention, metadata: found {str(metadata.dtype).removeprefix('torch.')} "
                f"{tuple(metadata.shape)}; accepted: floating-point ({len(signal)}, {self.n_metadata}): "
                f"{', '.join(wanted)}."
            )
        if not torch.compiler.is_compiling() and not bool(torch.isfinite(metadata).all()):
            raise ModelError(
                "conv-bilstm-attention, metadata: found NaN or infinite values; a missing age is 0 with "
                "its indicator set."
            )
        return metadata.to(signal.dtype)


class _Block(nn.Module):
    """conv, BN, ReLU, conv, BN, + projected shortcut, ReLU, maximum of two steps, channel dropout."""

    def __init__(self, channels_in: int, channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.first = Convolution(channels_in, channels, kernel, padding="same", bias=True)
        self.first_norm = keras_batch_norm(channels)
        self.second = Convolution(channels, channels, kernel, padding="same", bias=True)
        self.second_norm = keras_batch_norm(channels)
        self.projects = channels != channels_in
        if self.projects:
            self.shortcut = Convolution(channels_in, channels, 1, bias=True)
            self.shortcut_norm = keras_batch_norm(channels)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels_in, 1, steps) to (batch, channels, 1, steps // 2)."""
        inner = functional.relu(self.first_norm(self.first(image)))
        inner = self.second_norm(self.second(inner))
        beside = self.shortcut_norm(self.shortcut(image)) if self.projects else image
        pooled: Tensor = self.dropout(functional.max_pool2d(functional.relu(inner + beside), (1, 2)))
        return pooled


class _Dense(nn.Module):
    """Linear, ReLU, batch norm; its dropout is applied by who reads it."""

    def __init__(self, width_in: int, width: int, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(width_in, width)
        self.norm = nn.BatchNorm1d(width, eps=1e-3, momentum=0.01)
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Tensor) -> Tensor:
        """(batch, width_in) to (batch, width)."""
        normed: Tensor = self.norm(functional.relu(self.linear(values)))
        return normed
