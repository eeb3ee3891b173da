"""ECG-XPLAIM: three inception blocks whose kernels see 4, 20 and 80 ms, then the mean over time.

Each block runs kernels of 2, 10 and 40 samples side by side, twice, and adds a projected
shortcut; pooling halves time. The mean over time and one linear layer give the classes.

Shapes: (batch, leads, samples) -> logits (batch, classes). 3,542,425 values, 3,539,257 of them
trainable (12 leads, 25 classes).

Paper: Pantelidis et al. ECG-XPLAIM: eXPlainable Locally-adaptive Artificial Intelligence Model
for arrhythmia detection from large-scale electrocardiogram data. Frontiers in Cardiovascular
Medicine 12, 2025, doi:10.3389/fcvm.2025.1659971.

What differs from the published code: logits; named layers. The published weights expect aVF
before aVL: the order of the leads is the contract's. Grad-CAM reads the last block's output;
the published notebook reads its shortcut, ``blocks.2.shortcut.0``. The running variance keeps
n - 1 instead of n.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import Convolution, as_image, fresh_linear, keras_batch_norm, start_as_keras
from leadlight.models.registry import Input, register

KERNELS = (2, 10, 40)


@register(
    "ecg-xplaim",
    summary="Inception blocks with kernels of 2, 10 and 40 samples, mean over time",
    paper="Pantelidis et al., ECG-XPLAIM, Frontiers in Cardiovascular Medicine 2025",
    doi="10.3389/fcvm.2025.1659971",
    input=Input(sampling_rate=500, n_samples=5000),
    n_classes=25,
    parameters=3_542_425,
    trainable=3_539_257,
)
class ECGXplaim(nn.Module):
    """The network; see the module's docstring.

    filters, filters_2, filters_3: of each kernel in the three blocks, whose channels are
    three times as many.
    """

    cam_layer = "blocks.2.added"
    published_cam_layer = "blocks.2.shortcut.0"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 5000,
        sampling_rate: float = 500.0,
        *,
        filters: int = 16,
        filters_2: int = 32,
        filters_3: int = 128,
    ) -> None:
        super().__init__()
        check_sizes(
            "ecg-xplaim", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, filters=filters, filters_2=filters_2, filters_3=filters_3,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        widths = (n_leads, 3 * filters, 3 * filters_2, 3 * filters_3)
        self.blocks = nn.Sequential(*(_Block(widths[place], widths[place + 1]) for place in range(3)))
        self.head = nn.Linear(widths[-1], n_classes)
        start_as_keras(self)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The last block's mean over time: (batch, 3 * filters_3)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("ecg-xplaim", metadata)
        means: Tensor = self.blocks(as_image(signal)).mean((2, 3))
        return means

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("ecg-xplaim", self.head, n_classes)
        start_as_keras(self.head)


class _Block(nn.Module):
    """Two stages of three kernels beside a projected shortcut, added, ReLU, maximum of every two steps."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.first = _Stage(channels_in, channels)
        self.second = _Stage(channels, channels)
        self.shortcut = nn.Sequential(Convolution(channels_in, channels, 1), keras_batch_norm(channels))
        # A part of its own, so that Grad-CAM can name it.
        self.added = nn.ReLU()

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels_in, 1, steps) to (batch, channels, 1, ceil(steps / 2))."""
        added = self.added(self.second(self.first(image)) + self.shortcut(image))
        return functional.max_pool2d(added, (1, 2), ceil_mode=True)


class _Stage(nn.Module):
    """Three kernels side by side, ReLU, BN, ReLU: BN sees what is not negative, as published."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            Convolution(channels_in, channels // 3, kernel, padding="same") for kernel in KERNELS
        )
        self.norm = keras_batch_norm(channels)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels_in, 1, steps) to (batch, channels, 1, steps)."""
        joined = torch.cat([branch(image) for branch in self.branches], dim=1)
        return functional.relu(self.norm(functional.relu(joined)))
