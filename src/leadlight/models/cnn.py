"""cnn: three convolutions with pooling, then a large dense layer on the flattened map.

The simple comparator of ECG-XPLAIM. Nearly all of its parameters are in the dense layer, which
ties it to one length.

Shapes: (batch, leads, samples) -> logits (batch, classes). 10,232,057 values, 10,231,609 of
them trainable (12 leads, 5,000 samples, 25 classes).

Paper: Pantelidis et al. ECG-XPLAIM. Frontiers in Cardiovascular Medicine 12, 2025,
doi:10.3389/fcvm.2025.1659971.

What differs from the published code: logits; named layers. The running variance keeps n - 1
instead of n.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from leadlight.errors import ModelError
from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import Convolution, as_image, fresh_linear, keras_batch_norm, start_as_keras
from leadlight.models.registry import Input, register

KERNELS = (5, 5, 3)
SHORTEST = 22
"""Samples: fewer leave no step after the last pooling."""


@register(
    "cnn",
    summary="Three convolutions and a large dense layer",
    paper="Pantelidis et al., ECG-XPLAIM, Frontiers in Cardiovascular Medicine 2025",
    doi="10.3389/fcvm.2025.1659971",
    input=Input(sampling_rate=500, n_samples=5000),
    n_classes=25,
    parameters=10_232_057,
    trainable=10_231_609,
)
class CNN(nn.Module):
    """The network; see the module's docstring.

    filters: of the first convolution, doubled twice; hidden: width of the dense layer;
    dropout: behind it.
    """

    cam_layer = "norms.2"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 5000,
        sampling_rate: float = 500.0,
        *,
        filters: int = 32,
        hidden: int = 128,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_sizes(
            "cnn", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples, sampling_rate=sampling_rate,
            filters=filters, hidden=hidden,
        )  # fmt: skip
        if n_samples < SHORTEST:
            raise ModelError(f"cnn, n_samples: found {n_samples}; accepted: {SHORTEST} or more.")
        self.n_leads, self.n_samples = n_leads, n_samples
        widths = (n_leads, filters, 2 * filters, 4 * filters)
        self.convolutions = nn.ModuleList(
            Convolution(widths[place], widths[place + 1], kernel, bias=True)
            for place, kernel in enumerate(KERNELS)
        )
        self.norms = nn.ModuleList(keras_batch_norm(width) for width in widths[1:])
        length = n_samples
        for kernel in KERNELS:
            length = (length - kernel + 1) // 2
        self.hidden = nn.Linear(length * widths[-1], hidden)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, n_classes)
        start_as_keras(self)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.dropout(self.features(signal, metadata)))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The dense layer after its ReLU: (batch, hidden)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("cnn", metadata)
        image = as_image(signal)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            image = functional.max_pool2d(norm(functional.relu(convolution(image))), (1, 2))
        return functional.relu(self.hidden(image.squeeze(2).transpose(1, 2).flatten(1)))

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("cnn", self.head, n_classes)
        start_as_keras(self.head)
