"""lstm and lstm-bidir: a two-layer LSTM over the samples themselves, pooled over time.

No convolution stands in front. Mean, maximum and last state over time, side by side, then a
head with one hidden layer; ``lstm-bidir`` reads in both directions.

Shapes: (batch, leads, samples) -> logits (batch, classes). 912,199 and 2,339,143 parameters
(12 leads, 71 classes).

Paper: Strodthoff, Wagner, Schaeffter, Samek. Deep Learning for ECG Analysis: Benchmarks and
Insights from PTB-XL. IEEE JBHI 25(5), 2021, doi:10.1109/JBHI.2020.3022989.

What differs from the published code: the last state of the backward direction is taken where
that direction ends, at the first sample. The published code meant to and took it at the last
sample, where it has seen one sample only; ``published_last_state`` does the same.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import DenseHead, start_as_benchmark
from leadlight.models.registry import Input, register

_PAPER = "Strodthoff et al., PTB-XL benchmark, IEEE JBHI 2021"
_DOI = "10.1109/JBHI.2020.3022989"


class _PooledLSTM(nn.Module):
    """The network in one or two directions, as a subclass states; see the module's docstring.

    units: of each layer, in each direction; layers: their number; hidden, dropout: of the head.
    """

    cam_layer = "lstm"
    cam_axes = "steps batch channels"
    name: str
    directions: int

    def __init__(
        self,
        n_classes: int,
        n_leads: int,
        n_samples: int,
        sampling_rate: float,
        units: int,
        layers: int,
        hidden: int,
        dropout: float,
        published_last_state: bool,
    ) -> None:
        super().__init__()
        check_sizes(
            self.name, n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, units=units, layers=layers, hidden=hidden,
        )  # fmt: skip
        self.n_leads, self.n_samples, self.units = n_leads, n_samples, units
        self.published_last_state = published_last_state
        self.lstm = nn.LSTM(n_leads, units, layers, bidirectional=self.directions == 2)
        self.head = DenseHead(3 * units * self.directions, n_classes, hidden, dropout)
        start_as_benchmark(self.head)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        return self.head.classify(self.features(signal, metadata))

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The hidden layer of the head: (batch, hidden)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata(self.name, metadata)
        # Time first: the layout in which torch's recurrent layers need no copy.
        states = self.lstm(signal.permute(2, 0, 1).contiguous())[0]
        return self.head.embed(self._pool(states))

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head.reset(self.name, n_classes)

    def _pool(self, states: Tensor) -> Tensor:
        """(samples, batch, directions * units) to mean, maximum and last state, side by side."""
        last = states[-1]
        if self.directions == 2 and not self.published_last_state:
            last = torch.cat([states[-1, :, : self.units], states[0, :, self.units :]], dim=1)
        return torch.cat([states.mean(0), states.amax(0), last], dim=1)


@register(
    "lstm", summary="Two-layer LSTM over the samples", paper=_PAPER, doi=_DOI,
    input=Input(sampling_rate=100, n_samples=250), n_classes=71, parameters=913_991, trainable=912_199,
)  # fmt: skip
class PooledLSTM(_PooledLSTM):
    """One direction."""

    name, directions = "lstm", 1

    def __init__(
        self, n_classes: int, n_leads: int = 12, n_samples: int = 250, sampling_rate: float = 100.0,
        *, units: int = 256, layers: int = 2, hidden: int = 128, dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__(n_classes, n_leads, n_samples, sampling_rate, units, layers, hidden, dropout, False)


@register(
    "lstm-bidir", summary="Two-layer bidirectional LSTM over the samples", paper=_PAPER, doi=_DOI,
    input=Input(sampling_rate=100, n_samples=250), n_classes=71, parameters=2_342_471, trainable=2_339_143,
)  # fmt: skip
class BidirectionalPooledLSTM(_PooledLSTM):
    """Both directions. published_last_state: the backward direction's state at the last sample."""

    name, directions = "lstm-bidir", 2

    def __init__(
        self, n_classes: int, n_leads: int = 12, n_samples: int = 250, sampling_rate: float = 100.0,
        *, units: int = 256, layers: int = 2, hidden: int = 128, dropout: float = 0.5,
        published_last_state: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            n_classes, n_leads, n_samples, sampling_rate, units, layers, hidden, dropout,
            published_last_state,
        )  # fmt: skip
