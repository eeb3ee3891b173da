"""resnet1d-wang: three residual blocks of 128 channels, kernels of five and three samples.

The ResNet baseline for time series, with one block a stage and a stride of two in the last
two. Maximum and mean over time, then a head with one hidden layer.

Shapes: (batch, leads, samples) -> logits (batch, classes). 481,863 parameters (12 leads, 71
classes).

Papers: Wang, Yan, Oates. Time series classification from scratch with deep neural networks.
IJCNN 2017, doi:10.1109/IJCNN.2017.7966039; on ECG: Strodthoff, Wagner, Schaeffter, Samek.
Deep Learning for ECG Analysis. IEEE JBHI 25(5), 2021, doi:10.1109/JBHI.2020.3022989.

What differs from the published code: nothing but names.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from leadlight.errors import ModelError
from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import ConcatPool, Convolution, DenseHead, as_image, start_as_benchmark
from leadlight.models.registry import Input, register


@register(
    "resnet1d-wang",
    summary="Three residual blocks of 128 channels at nearly full resolution",
    paper="Strodthoff et al., PTB-XL benchmark, IEEE JBHI 2021",
    doi="10.1109/JBHI.2020.3022989",
    input=Input(sampling_rate=100, n_samples=250),
    n_classes=71,
    parameters=484_935,
    trainable=481_863,
)
class ResNet1dWang(nn.Module):
    """The benchmark's ResNet; see the module's docstring.

    channels: everywhere; kernel: of a block's first convolution, the second has kernel // 2
    + 1; stem_kernel: of the first layer; hidden, dropout: of the head.
    """

    cam_layer = "stages"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 250,
        sampling_rate: float = 100.0,
        *,
        channels: int = 128,
        kernel: int = 5,
        stem_kernel: int = 7,
        hidden: int = 128,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_sizes(
            "resnet1d-wang", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, channels=channels, kernel=kernel, stem_kernel=stem_kernel,
            hidden=hidden,
        )  # fmt: skip
        if kernel % 4 != 1:
            # Both convolutions of a block, of kernel and kernel // 2 + 1 samples, must keep the length.
            raise ModelError(f"resnet1d-wang, kernel: found {kernel}; accepted: 1, 5, 9, 13 and so on.")
        self.n_leads, self.n_samples = n_leads, n_samples
        self.stem = nn.Sequential(
            Convolution(n_leads, channels, stem_kernel, padding=(stem_kernel - 1) // 2),
            nn.BatchNorm2d(channels), nn.ReLU(),
        )  # fmt: skip
        self.stages = nn.Sequential(*(_Block(channels, kernel, stride) for stride in (1, 2, 2)))
        self.pool = ConcatPool()
        self.head = DenseHead(2 * channels, n_classes, hidden, dropout)
        start_as_benchmark(self)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        return self.head.classify(self.features(signal, metadata))

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The hidden layer of the head: (batch, hidden)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("resnet1d-wang", metadata)
        return self.head.embed(self.pool(self.stages(self.stem(as_image(signal)))))

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head.reset("resnet1d-wang", n_classes)


class _Block(nn.Module):
    """conv, BN, ReLU, conv, BN, + shortcut, ReLU; a strided shortcut has its own 1x1 convolution and BN."""

    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        second = kernel // 2 + 1
        self.first = Convolution(channels, channels, kernel, stride, (kernel - 1) // 2)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = Convolution(channels, channels, second, padding=(second - 1) // 2)
        self.second_norm = nn.BatchNorm2d(channels)
        self.shortcut = (
            nn.Sequential(Convolution(channels, channels, 1, stride), nn.BatchNorm2d(channels))
            if stride > 1
            else nn.Identity()
        )

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels, 1, steps) to (batch, channels, 1, ceil(steps / stride))."""
        inner = functional.relu(self.first_norm(self.first(image)))
        return functional.relu(self.second_norm(self.second(inner)) + self.shortcut(image))
