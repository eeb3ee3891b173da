"""ecgnet: four first convolutions of different width, fifteen residual blocks, and an LSTM beside.

The four filtered copies of the record are joined end to end in time; a residual network reads
them; an LSTM reads the record itself; one linear layer classifies both summaries.

Shapes: (batch, leads, samples) -> logits (batch, classes). 1,034,509 values, 1,031,949 of them
trainable (12 leads, 1,000 samples, 5 classes).

Papers: the code names Murugesan et al. ECGNet: Deep Network for Arrhythmia Classification. IEEE
MeMeA 2018, doi:10.1109/MeMeA.2018.8438739, but is a network of its own; in this form a
comparator of IMLE-Net: Reddy et al., IEEE SMC 2021, doi:10.1109/SMC52423.2021.9658706.

What differs from the published code: the last layer's width follows from the length, where the
published one takes 12 to 19 steps alone; a single step is pooled no further, and a record too
short for the last pooling is pooled over what there is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.errors import ModelError
from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import Convolution, as_image, fresh_linear
from leadlight.models.registry import Input, register

STEM_KERNELS = (15, 17, 19, 21)
KERNEL = 17
POOL = 8


@register(
    "ecgnet",
    summary="Four kernels joined in time, residual blocks, and an LSTM beside",
    paper="as in Reddy et al., IMLE-Net, IEEE SMC 2021",
    doi="10.1109/SMC52423.2021.9658706",
    input=Input(sampling_rate=100, n_samples=1000),
    n_classes=5,
    parameters=1_034_509,
    trainable=1_031_949,
)
class ECGNet(nn.Module):
    """The network; see the module's docstring.

    filters: of the stem, as many more after blocks 3, 7 and 11; blocks: their number;
    lstm_units; dropout: inside the blocks.
    """

    cam_layer = "blocks"
    cam_axes = "batch channels one steps"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 1000,
        sampling_rate: float = 100.0,
        *,
        filters: int = 16,
        blocks: int = 15,
        lstm_units: int = 40,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        check_sizes(
            "ecgnet", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, filters=filters, blocks=blocks, lstm_units=lstm_units,
        )  # fmt: skip
        if n_samples < max(STEM_KERNELS):
            raise ModelError(
                f"ecgnet, n_samples: found {n_samples}; accepted: {max(STEM_KERNELS)}, a kernel, or more."
            )
        self.n_leads, self.n_samples = n_leads, n_samples
        self.parallel = nn.ModuleList(Convolution(n_leads, filters, kernel) for kernel in STEM_KERNELS)
        self.norm = nn.BatchNorm2d(filters)
        self.joined = Convolution(filters, filters, KERNEL, 2, 2)
        made, channels = [], filters
        for number in range(blocks):
            wider = channels + (filters if number % 4 == 3 else 0)
            made.append(_Block(channels, wider, pools=number % 2 == 1, dropout=dropout))
            channels = wider
        self.blocks = nn.Sequential(*made)
        self.last_norm = nn.BatchNorm2d(channels)
        self.lstm = nn.LSTM(n_leads, lstm_units, batch_first=True)
        self.head = nn.Linear(channels * self._n_pooled(blocks) + lstm_units, n_classes)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Pooled map, channel after channel, and the LSTM's last state, side by side."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("ecgnet", metadata)
        image = as_image(signal)
        in_a_row = torch.cat([convolution(image) for convolution in self.parallel], dim=3)
        image = self.blocks(self.joined(functional.relu(self.norm(in_a_row))))
        image = functional.relu(self.last_norm(image))
        pooled = functional.avg_pool2d(image, (1, POOL), padding=(0, 2), ceil_mode=image.shape[3] < POOL - 4)
        states = self.lstm(signal.transpose(1, 2))[0]
        return torch.cat([pooled.flatten(1), states[:, -1]], dim=1)

    def cam_places(self, steps: int) -> list[Tensor]:
        """Place of each sample on the last map, which stands four times there: once for each kernel."""
        lengths = [self.n_samples - kernel + 1 for kernel in STEM_KERNELS]
        samples, places, before = torch.arange(self.n_samples), [], 0
        for kernel, length in zip(STEM_KERNELS, lengths, strict=True):
            joined = before + (samples - (kernel - 1) / 2).clamp(0, length - 1)
            places.append((joined + 0.5) * steps / sum(lengths) - 0.5)
            before += length
        return places

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("ecgnet", self.head, n_classes)

    def _n_pooled(self, blocks: int) -> int:
        """Steps after the last pooling."""
        length = sum(self.n_samples - kernel + 1 for kernel in STEM_KERNELS)
        length = (length + 4 - KERNEL) // 2 + 1
        for _ in range(blocks // 2):
            length = max(1, length // 2)
        return max(1, (length + 4 - POOL) // POOL + 1)


class _Block(nn.Module):
    """BN, ReLU, dropout, conv, twice, added to the input; ``pools`` halves both, rounding down."""

    def __init__(self, channels_in: int, channels: int, *, pools: bool, dropout: float) -> None:
        super().__init__()
        self.pools = pools
        self.first_norm = nn.BatchNorm2d(channels_in)
        self.first = Convolution(channels_in, channels, KERNEL, padding=KERNEL // 2)
        self.second_norm = nn.BatchNorm2d(channels)
        self.second = Convolution(channels, channels, KERNEL, padding=KERNEL // 2)
        self.dropout = nn.Dropout(dropout)
        self.projection = None if channels == channels_in else Convolution(channels_in, channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels_in, 1, steps) to (batch, channels, 1, steps or steps // 2)."""
        inner = self.first(self.dropout(functional.relu(self.first_norm(image))))
        inner = self.second(self.dropout(functional.relu(self.second_norm(inner))))
        beside = image if self.projection is None else self.projection(image)
        if self.pools and image.shape[3] > 1:
            inner, beside = functional.max_pool2d(inner, (1, 2)), functional.max_pool2d(beside, (1, 2))
        added: Tensor = inner + beside
        return added
