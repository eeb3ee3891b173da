"""fcn-wang: three convolutions with batch norm and ReLU, nothing else before the head.

The fully convolutional baseline for time series, at full resolution. Maximum and mean over
time, then a head with one hidden layer.

Shapes: (batch, leads, samples) -> logits (batch, classes). 318,279 parameters (12 leads, 71
classes).

Papers: Wang, Yan, Oates. Time series classification from scratch with deep neural networks.
IJCNN 2017, doi:10.1109/IJCNN.2017.7966039; on ECG: Strodthoff, Wagner, Schaeffter, Samek.
Deep Learning for ECG Analysis. IEEE JBHI 25(5), 2021, doi:10.1109/JBHI.2020.3022989.

What differs from the published code: nothing but names. The first kernel of eight, padded by
three on both sides, shortens the signal by one sample, as published.
"""

from __future__ import annotations

from torch import Tensor, nn

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import ConcatPool, Convolution, DenseHead, as_image, start_as_benchmark
from leadlight.models.registry import Input, register

KERNELS = (8, 5, 3)


@register(
    "fcn-wang",
    summary="Three convolutions at full resolution",
    paper="Strodthoff et al., PTB-XL benchmark, IEEE JBHI 2021",
    doi="10.1109/JBHI.2020.3022989",
    input=Input(sampling_rate=100, n_samples=250),
    n_classes=71,
    parameters=320_071,
    trainable=318_279,
)
class FCNWang(nn.Module):
    """The benchmark's fully convolutional network; see the module's docstring.

    channels: of the first and third layer, twice as many in the second; hidden, dropout:
    of the head.
    """

    cam_layer = "layers"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 250,
        sampling_rate: float = 100.0,
        *,
        channels: int = 128,
        hidden: int = 128,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_sizes(
            "fcn-wang", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, channels=channels, hidden=hidden,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        widths = (n_leads, channels, 2 * channels, channels)
        self.layers = nn.Sequential(
            *(
                nn.Sequential(
                    Convolution(before, after, kernel, padding=(kernel - 1) // 2),
                    nn.BatchNorm2d(after),
                    nn.ReLU(),
                )
                for before, after, kernel in zip(widths, widths[1:], KERNELS, strict=False)
            )
        )
        self.pool = ConcatPool()
        self.head = DenseHead(2 * channels, n_classes, hidden, dropout)
        start_as_benchmark(self)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        return self.head.classify(self.features(signal, metadata))

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The hidden layer of the head: (batch, hidden)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("fcn-wang", metadata)
        return self.head.embed(self.pool(self.layers(as_image(signal))))

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head.reset("fcn-wang", n_classes)
