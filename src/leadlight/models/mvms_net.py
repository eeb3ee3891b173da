"""MVMS-Net: six small networks look at six groups of leads, and a learned weight joins them.

Each view has two blocks of parallel branches with a gate over channels and time. It is also the
teacher of ``mvms_student.py``.

Shapes: (batch, leads, samples) -> logits (batch, classes); attention-like maps of the gates and
views by ``views``. 2,253,261 parameters (12 leads, 71 classes), 129 for each class.

Paper: Yang, Lian, Zeng, Xu, Zang, Zhang. A Multi-View Multi-Scale Neural Network for Multi-Label
ECG Classification. IEEE Transactions on Emerging Topics in Computational Intelligence, 2023
(IEEE document 10021962).

What differs from the published code: nothing but names. All its branches have one kernel length
and are not chained, so that "multi-scale" is the title's word alone. With other than twelve
leads, the views keep those of their leads that are there; leads beyond twelve make a seventh.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.errors import ModelError
from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import Convolution, as_image, fresh_linear
from leadlight.models.registry import Input, register

VIEWS = ((3,), (0, 4), (6, 7), (8, 9), (10, 11), (1, 2, 5))
"""Places of aVR; I, aVL; V1, V2; V3, V4; V5, V6; II, III, aVF in the standard order."""
STEM_KERNEL, BRANCH_KERNEL = 25, 15
PAPER = "Yang et al., MVMS-Net, IEEE TETCI 2023"


@register(
    "mvms-net",
    summary="Six groups of leads, each with its own network, joined by learned weights",
    paper=PAPER,
    doi="",
    input=Input(sampling_rate=100, n_samples=1000),
    n_classes=71,
    parameters=2_269_101,
    trainable=2_253_261,
)
class MVMSNet(nn.Module):
    """The teacher; see the module's docstring. width: channels of the blocks, 128 as published."""

    cam_layer = "networks.0.blocks"

    def __init__(
        self, n_classes: int, n_leads: int = 12, n_samples: int = 1000, sampling_rate: float = 100.0,
        *, width: int = 128,
    ) -> None:  # fmt: skip
        super().__init__()
        check_mvms("mvms-net", n_classes, n_leads, n_samples, sampling_rate, width)
        self.n_leads, self.n_samples = n_leads, n_samples
        kept = [tuple(lead for lead in view if lead < n_leads) for view in VIEWS]
        kept.append(tuple(range(12, n_leads)))
        self.view_leads = tuple(view for view in kept if view)
        self.networks = nn.ModuleList(Backbone(len(view), width) for view in self.view_leads)
        self.weights = nn.ModuleList(nn.Linear(width, 1) for _ in self.view_leads)
        self.head = nn.Linear(width, n_classes)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The weighted sum of the views: (batch, width)."""
        vectors, weights = self.views(signal, metadata)
        return (vectors * weights.unsqueeze(2)).sum(1)

    def views(self, signal: Tensor, metadata: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Each view's vector (batch, views, width) and its weight from 0 to 1 (batch, views)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("mvms-net", metadata)
        vectors = [
            network(signal[:, list(leads)])
            for network, leads in zip(self.networks, self.view_leads, strict=True)
        ]
        weights = [torch.sigmoid(weigh(one)) for weigh, one in zip(self.weights, vectors, strict=True)]
        return torch.stack(vectors, dim=1), torch.cat(weights, dim=1)

    @property
    def cam_layers(self) -> tuple[str, ...]:
        """Every view's last map."""
        return tuple(f"networks.{number}.blocks" for number in range(len(self.view_leads)))

    @property
    def cam_leads(self) -> tuple[tuple[int, ...], ...]:
        """The leads of each of ``cam_layers``."""
        return self.view_leads

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("mvms-net", self.head, n_classes)


def check_mvms(
    name: str, n_classes: int, n_leads: int, n_samples: int, sampling_rate: float, width: int
) -> None:
    """Raise ModelError for sizes that no view can take."""
    check_sizes(
        name, n_classes=n_classes, n_leads=n_leads, n_samples=n_samples, sampling_rate=sampling_rate,
        width=width,
    )  # fmt: skip
    if n_samples < STEM_KERNEL:
        raise ModelError(
            f"{name}, n_samples: found {n_samples}; accepted: {STEM_KERNEL}, its kernel, or more."
        )


class Backbone(nn.Module):
    """One view: (batch, its leads, samples) to (batch, width)."""

    def __init__(self, n_leads: int, width: int) -> None:
        super().__init__()
        stem = max(1, width // 2)
        self.stem = nn.Sequential(
            Convolution(n_leads, stem, STEM_KERNEL), nn.BatchNorm2d(stem), nn.Mish(inplace=True)
        )
        self.blocks = nn.Sequential(_Block(stem, width), _Block(width, width))

    def forward(self, signal: Tensor) -> Tensor:
        """Mean over time of the last block."""
        means: Tensor = self.blocks(self.stem(as_image(signal))).mean((2, 3))
        return means


class _Block(nn.Module):
    """Four parallel groups of channels, three filtered and one averaged, gated, added to the shortcut."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        group = max(1, channels * 26 // 64)
        self.group = group
        self.entry = Convolution(channels_in, 4 * group, 1)
        self.entry_norm = nn.BatchNorm2d(4 * group)
        self.branches = nn.ModuleList(Convolution(group, group, BRANCH_KERNEL, 2, 7) for _ in range(3))
        self.branch_norms = nn.ModuleList(nn.BatchNorm2d(group) for _ in range(3))
        self.exit = Convolution(4 * group, channels, 1)
        self.exit_norm = nn.BatchNorm2d(channels)
        self.gate = Gate(channels)
        self.shortcut = nn.Sequential(
            Convolution(channels_in, channels, 1, 2, bias=True), nn.BatchNorm2d(channels)
        )

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels_in, 1, steps) to (batch, channels, 1, ceil(steps / 2))."""
        # Activation before normalisation here, after it everywhere else: as published.
        *filtered, averaged = self.entry_norm(functional.mish(self.entry(image))).split(self.group, dim=1)
        parts = [
            functional.mish(norm(branch(part)))
            for part, branch, norm in zip(filtered, self.branches, self.branch_norms, strict=True)
        ]
        parts.append(functional.avg_pool2d(averaged, (1, 3), (1, 2), (0, 1)))
        gated = self.gate(self.exit_norm(self.exit(torch.cat(parts, dim=1))))
        return functional.mish(gated + self.shortcut(image))


class Gate(nn.Module):
    """Coordinate attention over a map of height one: a gate for each channel and one for each step."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(8, channels // 16)
        self.squeeze = Convolution(channels, narrow, 1, bias=True)
        self.norm = nn.BatchNorm2d(narrow)
        self.channel = Convolution(narrow, channels, 1, bias=True)
        self.time = Convolution(narrow, channels, 1, bias=True)
        # Kaiming normal, fan-out, for these three alone.
        for part in (self.squeeze, self.channel, self.time):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> Tensor:
        """The gated map, of the same shape."""
        by_channel, by_time = self.gates(image)
        return image * by_time * by_channel

    def gates(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, channels, 1, 1) and (batch, channels, 1, steps), from 0 to 1."""
        with_mean = torch.cat([image.mean(3, keepdim=True), image], dim=3)
        squeezed = functional.hardswish(self.norm(self.squeeze(with_mean)))
        return torch.sigmoid(self.channel(squeezed[..., :1])), torch.sigmoid(self.time(squeezed[..., 1:]))
