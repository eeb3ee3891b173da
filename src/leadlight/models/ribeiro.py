"""ribeiro: a residual network with kernels of sixteen, four units that shorten the signal by four each.

Each unit hands on two tensors: the normalised main branch and the raw sum, which the next
shortcut reads. The last map is flattened and classified.

Shapes: (batch, leads, samples) -> logits (batch, classes). 6,425,638 values, 6,421,910 of them
trainable (12 leads, 4,096 samples, 6 classes).

Paper: Ribeiro et al. Automatic diagnosis of the 12-lead ECG using a deep neural network. Nature
Communications 11, 1760 (2020), doi:10.1038/s41467-020-15432-4.

What differs from the published code: logits; any length, from which the flattened size follows.
The published weights expect the unit 1e-4 V (1 mV is 10) and a 10 s record centred in zeros:
that is preprocessing, which the contract states. The running variance keeps n - 1 instead of n.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import (
    Convolution,
    as_image,
    fresh_linear,
    keras_batch_norm,
    start_he_normal,
)
from leadlight.models.registry import Input, register

KERNEL = 16
STRIDE = 4
FILTERS = (64, 128, 196, 256, 320)


@register(
    "ribeiro",
    summary="Residual network with wide kernels, flattened at its end",
    paper="Ribeiro et al., Nature Communications 2020",
    doi="10.1038/s41467-020-15432-4",
    input=Input(sampling_rate=400, n_samples=4096),
    n_classes=6,
    parameters=6_425_638,
    trainable=6_421_910,
)
class Ribeiro(nn.Module):
    """The network; see the module's docstring.

    width: a factor on the published numbers of filters; dropout: inside the units.
    """

    cam_layer = f"units.{len(FILTERS) - 2}"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 4096,
        sampling_rate: float = 400.0,
        *,
        width: float = 1.0,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_sizes(
            "ribeiro", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, width=width,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        filters = [max(1, round(count * width)) for count in FILTERS]
        self.stem = Convolution(n_leads, filters[0], KERNEL, padding="same")
        self.stem_norm = keras_batch_norm(filters[0])
        self.units = nn.ModuleList(
            _Unit(filters[place], filters[place + 1], dropout) for place in range(len(FILTERS) - 1)
        )
        length = n_samples
        for _ in self.units:
            length = -(-length // STRIDE)
        self.head = nn.Linear(length * filters[-1], n_classes)
        for part in self.modules():
            if isinstance(part, Convolution | nn.Linear):
                start_he_normal(part)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The last map, flattened step after step: (batch, steps * channels)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("ribeiro", metadata)
        main = functional.relu(self.stem_norm(self.stem(as_image(signal))))
        summed = main
        for unit in self.units:
            main, summed = unit(main, summed)
        return main.squeeze(2).transpose(1, 2).flatten(1)

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("ribeiro", self.head, n_classes)
        start_he_normal(self.head)


class _Unit(nn.Module):
    """Two convolutions added to the pooled shortcut; the sum and its activation both go on."""

    def __init__(self, channels_in: int, channels: int, dropout: float) -> None:
        super().__init__()
        self.shortcut = Convolution(channels_in, channels, 1)
        self.first = Convolution(channels_in, channels, KERNEL, padding="same")
        self.first_norm = keras_batch_norm(channels)
        self.second = Convolution(channels, channels, KERNEL, STRIDE, "same")
        self.sum_norm = keras_batch_norm(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, main: Tensor, summed: Tensor) -> tuple[Tensor, Tensor]:
        """Two images of channels_in to two of channels, a quarter as long, rounding up."""
        beside = self.shortcut(functional.max_pool2d(summed, (1, STRIDE), ceil_mode=True))
        inner = self.dropout(functional.relu(self.first_norm(self.first(main))))
        added = self.second(inner) + beside
        return self.dropout(functional.relu(self.sum_norm(added))), added
