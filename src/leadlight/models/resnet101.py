"""resnet101: the bottleneck ResNet of 101 layers in one dimension, with kernels of 7, 11 and 7.

Stages of 3, 4, 23 and 3 blocks, mean over time, one linear layer: 210 times IMLE-Net's size.

Shapes: (batch, leads, samples) -> logits (batch, classes). 156,994,565 values, 156,889,221 of
them trainable (12 leads, 5 classes).

Papers: He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition. CVPR 2016,
doi:10.1109/CVPR.2016.90; in this form a comparator of IMLE-Net: Reddy et al., IEEE SMC 2021,
doi:10.1109/SMC52423.2021.9658706.

What differs from the published code: nothing but names. Its starting weights are smaller than
He's rule by the root of the kernel's length, as published.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import Convolution, as_image, fresh_linear
from leadlight.models.registry import Input, register

BLOCKS = (3, 4, 23, 3)
EXPANSION = 4


@register(
    "resnet101",
    summary="Bottleneck ResNet of 101 layers with wide kernels",
    paper="He et al., CVPR 2016; as in Reddy et al., IEEE SMC 2021",
    doi="10.1109/CVPR.2016.90",
    input=Input(sampling_rate=100, n_samples=1000),
    n_classes=5,
    parameters=156_994_565,
    trainable=156_889_221,
)
class ResNet101(nn.Module):
    """The network; see the module's docstring.

    width: of the first stage's blocks, doubled in each further stage; dropout: inside the
    blocks.
    """

    cam_layer = "stages"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 1000,
        sampling_rate: float = 100.0,
        *,
        width: int = 64,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_sizes(
            "resnet101", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, width=width,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        self.stem = nn.Sequential(
            Convolution(n_leads, width, 15, 2, 7), nn.BatchNorm2d(width), nn.ReLU(),
            nn.MaxPool2d((1, 3), (1, 2), (0, 1)),
        )  # fmt: skip
        stages, channels = [], width
        for number, n_blocks in enumerate(BLOCKS):
            stage, planes = [], width * 2**number
            for place in range(n_blocks):
                stride = 2 if number and place == 0 else 1
                stage.append(_Block(channels, planes, stride, dropout))
                channels = planes * EXPANSION
            stages.append(nn.Sequential(*stage))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(channels, n_classes)
        for part in self.modules():
            if isinstance(part, Convolution):
                nn.init.normal_(part.weight, std=(2 / (part.kernel**2 * part.channels)) ** 0.5)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The last stage's mean over time: (batch, 32 * width)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("resnet101", metadata)
        means: Tensor = self.stages(self.stem(as_image(signal))).mean((2, 3))
        return means

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("resnet101", self.head, n_classes)


class _Block(nn.Module):
    """Kernels of 7, 11 (strided) and 7, each with BN, added to the shortcut, then ReLU."""

    def __init__(self, channels_in: int, planes: int, stride: int, dropout: float) -> None:
        super().__init__()
        channels = planes * EXPANSION
        self.first = Convolution(channels_in, planes, 7, padding=3)
        self.first_norm = nn.BatchNorm2d(planes)
        self.second = Convolution(planes, planes, 11, stride, 5)
        self.second_norm = nn.BatchNorm2d(planes)
        self.dropout = nn.Dropout(dropout)
        self.third = Convolution(planes, channels, 7, padding=3)
        self.third_norm = nn.BatchNorm2d(channels)
        self.shortcut = (
            nn.Identity()
            if channels == channels_in
            else nn.Sequential(Convolution(channels_in, channels, 1, stride), nn.BatchNorm2d(channels))
        )

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels_in, 1, steps) to (batch, 4 * planes, 1, ceil(steps / stride))."""
        inner = functional.relu(self.first_norm(self.first(image)))
        inner = self.dropout(functional.relu(self.second_norm(self.second(inner))))
        return functional.relu(self.third_norm(self.third(inner)) + self.shortcut(image))
