"""mousavi: half-second segments of all leads, three small convolutions each, then an LSTM.

Twenty segments are encoded alike; a bidirectional LSTM reads their vectors; all its states
are flattened and classified by two dense layers.

Shapes: (batch, leads, samples) -> logits (batch, classes). 2,382,565 parameters (12 leads,
1,000 samples, 5 classes).

Papers: Mousavi, Afghah. Inter- and Intra-Patient ECG Heartbeat Classification For Arrhythmia
Detection. IEEE ICASSP 2019, doi:10.1109/ICASSP.2019.8683140; in this form a comparator of
IMLE-Net: Reddy et al., IEEE SMC 2021, doi:10.1109/SMC52423.2021.9658706.

What differs from the published code: logits; sizes are derived instead of fixed; a length that
is not a whole number of segments is filled up with zeros. The published code reads the numbers
lead after lead into segments, so that a "time step" is twelve samples of one lead:
``published_segments`` does the same. The default cuts time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.errors import ModelError
from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import Convolution, KerasLSTM, fresh_linear, segment_places, start_as_keras
from leadlight.models.registry import Input, register

KERNEL = 2


@register(
    "mousavi",
    summary="Convolutions over half-second segments, then a bidirectional LSTM",
    paper="Mousavi and Afghah, IEEE ICASSP 2019; as in Reddy et al., IEEE SMC 2021",
    doi="10.1109/ICASSP.2019.8683140",
    input=Input(sampling_rate=100, n_samples=1000),
    n_classes=5,
    parameters=2_382_565,
    trainable=2_382_565,
)
class Mousavi(nn.Module):
    """The network; see the module's docstring.

    segment_seconds: length of a segment; filters: of the first convolution, doubled twice;
    lstm_units: in each direction; hidden: width of the first dense layer; published_segments:
    the published, scrambled order.
    """

    cam_layer = "convolutions.2"
    cam_axes = "batch*segments channels one steps"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 1000,
        sampling_rate: float = 100.0,
        *,
        segment_seconds: float = 0.5,
        filters: int = 32,
        lstm_units: int = 128,
        hidden: int = 128,
        published_segments: bool = False,
    ) -> None:
        super().__init__()
        check_sizes(
            "mousavi", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, segment_seconds=segment_seconds, filters=filters,
            lstm_units=lstm_units, hidden=hidden,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        self.published_segments = published_segments
        # Two poolings by two: a shorter segment would leave nothing.
        self.segment_samples = max(4, min(round(segment_seconds * sampling_rate), n_samples))
        self.n_segments = -(-n_samples // self.segment_samples)
        widths = (n_leads, filters, 2 * filters, 4 * filters)
        self.convolutions = nn.ModuleList(
            Convolution(widths[place], widths[place + 1], KERNEL, padding="same", bias=True)
            for place in range(3)
        )
        features = self.segment_samples // 4 * widths[-1]
        self.lstm = KerasLSTM(features, lstm_units, bidirectional=True)
        self.hidden = nn.Linear(2 * lstm_units * self.n_segments, hidden)
        self.head = nn.Linear(hidden, n_classes)
        for part in (self.convolutions, self.hidden, self.head):
            start_as_keras(part)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The first dense layer after its ReLU: (batch, hidden)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("mousavi", metadata)
        batch = len(signal)
        encoded = self.encode(self.segments(signal))
        states = self.lstm(encoded.reshape(batch, self.n_segments, -1))
        return functional.relu(self.hidden(states.reshape(batch, -1)))

    def segments(self, signal: Tensor) -> Tensor:
        """(batch, leads, samples) to (batch * segments, leads, segment samples)."""
        batch, leads, length = len(signal), self.n_leads, self.segment_samples
        filled = functional.pad(signal, (0, self.n_segments * length - self.n_samples))
        if self.published_segments:
            rows = filled.reshape(batch * self.n_segments, length, leads)
            return rows.transpose(1, 2)
        cut = filled.reshape(batch, leads, self.n_segments, length).transpose(1, 2)
        return cut.reshape(batch * self.n_segments, leads, length)

    def encode(self, segments: Tensor) -> Tensor:
        """(segments, leads, samples) to (segments, steps * channels), step after step."""
        image = segments.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        for place, convolution in enumerate(self.convolutions):
            image = functional.relu(convolution(image))
            if place < 2:
                image = functional.max_pool2d(image, (1, 2))
        return image.squeeze(2).transpose(1, 2).flatten(1)

    def cam_places(self, steps: int) -> list[Tensor]:
        """Place of each sample among all steps; none lies between two segments."""
        if self.published_segments:
            raise ModelError(
                "mousavi: found published_segments, in whose steps times and leads are scrambled; "
                "accepted: the default, which cuts time."
            )
        return [segment_places(self.n_samples, self.segment_samples, steps // self.n_segments)]

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("mousavi", self.head, n_classes)
        start_as_keras(self.head)
