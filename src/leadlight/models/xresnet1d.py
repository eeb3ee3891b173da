"""xresnet1d: a ResNet with a three-convolution stem and pooled shortcuts, narrow throughout.

Four stages of residual blocks with kernel five; every stage is equally wide. Maximum and
mean over time, then a head with one hidden layer. The strongest of the PTB-XL benchmark
is the one of 101 layers, on windows of 2.5 s.

Shapes: (batch, leads, samples) -> logits (batch, classes). 1,880,775 parameters (101 layers,
71 classes), 962,503 (50), 703,175 (34), 373,447 (18).

Papers: Strodthoff, Wagner, Schaeffter, Samek. Deep Learning for ECG Analysis: Benchmarks
and Insights from PTB-XL. IEEE JBHI 25(5), 2021, doi:10.1109/JBHI.2020.3022989; the
stem and shortcuts: He, Zhang, Zhang, Zhang, Xie, Li. Bag of Tricks for Image
Classification. CVPR 2019, doi:10.1109/CVPR.2019.00065.

What differs from the published code: each branch is stored once; options that could not
run there are left out. Starting weights are those of the published training, which undoes
its constructor's zeros in the last batch norm of a branch.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import ConcatPool, Convolution, DenseHead, as_image, start_as_benchmark
from leadlight.models.registry import Input, register

_PAPER = "Strodthoff et al., PTB-XL benchmark, IEEE JBHI 2021"
_DOI = "10.1109/JBHI.2020.3022989"
_INPUT = Input(sampling_rate=100, n_samples=250)


class XResNet1d(nn.Module):
    """The network of any depth, which a subclass states; see the module's docstring.

    width: channels inside the blocks; kernel: of the convolutions; hidden: width of the
    head's hidden layer; dropout: before the last layer, half of it before the hidden one.
    """

    cam_layer = "stages"
    name: str
    blocks: tuple[int, ...]
    """In each stage."""
    expansion: int
    """Output channels of a block to its width: 4 with a bottleneck, 1 without."""

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 250,
        sampling_rate: float = 100.0,
        *,
        width: int = 64,
        kernel: int = 5,
        hidden: int = 128,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_sizes(
            self.name, n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, width=width, kernel=kernel, hidden=hidden,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        widths = (n_leads, 32, 32, 64)
        self.stem = nn.Sequential(
            *(_unit(before, after, kernel, 2 if place == 0 else 1)
              for place, (before, after) in enumerate(pairwise(widths)))
        )  # fmt: skip
        stages, channels = [], widths[-1]
        for number, n_blocks in enumerate(self.blocks):
            stage = []
            for place in range(n_blocks):
                stride = 2 if number > 0 and place == 0 else 1
                stage.append(_Block(channels, width, self.expansion, kernel, stride))
                channels = width * self.expansion
            stages.append(nn.Sequential(*stage))
        self.stages = nn.Sequential(*stages)
        self.pool = ConcatPool()
        self.head = DenseHead(2 * channels, n_classes, hidden, dropout)
        start_as_benchmark(self)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        return self.head.classify(self.features(signal, metadata))

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The hidden layer of the head: (batch, hidden)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata(self.name, metadata)
        image = functional.max_pool2d(self.stem(as_image(signal)), (1, 3), (1, 2), (0, 1))
        return self.head.embed(self.pool(self.stages(image)))

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head.reset(self.name, n_classes)


class _Block(nn.Module):
    """Branch and shortcut, added, then ReLU; average pooling shortens the shortcut."""

    def __init__(self, channels_in: int, width: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        channels = width * expansion
        if expansion == 1:
            layers = [(channels_in, width, kernel, stride), (width, channels, kernel, 1)]
        else:
            layers = [(channels_in, width, 1, 1), (width, width, kernel, stride), (width, channels, 1, 1)]
        self.branch = nn.Sequential(
            *(_unit(*layer, activation=place < len(layers) - 1) for place, layer in enumerate(layers))
        )
        self.stride = stride
        self.projection = (
            nn.Identity() if channels_in == channels else _unit(channels_in, channels, 1, 1, activation=False)
        )

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels_in, 1, steps) to (batch, channels, 1, ceil(steps / stride))."""
        beside = image
        if self.stride > 1:
            beside = functional.avg_pool2d(image, (1, 2), (1, 2), ceil_mode=True)
        return functional.relu(self.branch(image) + self.projection(beside))


def _unit(
    channels_in: int, channels: int, kernel: int, stride: int, *, activation: bool = True
) -> nn.Sequential:
    layers: list[nn.Module] = [
        Convolution(channels_in, channels, kernel, stride, (kernel - 1) // 2),
        nn.BatchNorm2d(channels),
    ]
    if activation:
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


@register(
    "xresnet1d18", summary="Residual network of 18 layers, basic blocks of 64 channels", paper=_PAPER,
    doi=_DOI, input=_INPUT, n_classes=71, parameters=376_263, trainable=373_447,
)  # fmt: skip
class XResNet1d18(XResNet1d):
    """18 layers."""

    name, blocks, expansion = "xresnet1d18", (2, 2, 2, 2), 1


@register(
    "xresnet1d34", summary="Residual network of 34 layers, basic blocks of 64 channels", paper=_PAPER,
    doi=_DOI, input=_INPUT, n_classes=71, parameters=708_039, trainable=703_175,
)  # fmt: skip
class XResNet1d34(XResNet1d):
    """34 layers."""

    name, blocks, expansion = "xresnet1d34", (3, 4, 6, 3), 1


@register(
    "xresnet1d50", summary="Residual network of 50 layers, bottlenecks of 64 to 256 channels", paper=_PAPER,
    doi=_DOI, input=_INPUT, n_classes=71, parameters=976_839, trainable=962_503,
)  # fmt: skip
class XResNet1d50(XResNet1d):
    """50 layers."""

    name, blocks, expansion = "xresnet1d50", (3, 4, 6, 3), 4


@register(
    "xresnet1d101", summary="Residual network of 101 layers, bottlenecks of 64 to 256 channels", paper=_PAPER,
    doi=_DOI, input=_INPUT, n_classes=71, parameters=1_908_167, trainable=1_880_775,
)  # fmt: skip
class XResNet1d101(XResNet1d):
    """101 layers."""

    name, blocks, expansion = "xresnet1d101", (3, 4, 23, 3), 4
