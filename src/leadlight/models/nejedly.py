"""nejedly: the winner of the Challenge 2021: a wide residual network, self-attention, two heads.

Five residual blocks of 256 channels; one self-attention over the steps that remain; maximum over
time; missing leads are zero and flagged. A second head reads the first one's logits without
passing gradients back, and is trained on a differentiable Challenge score.

Shapes: (batch, leads, samples) -> logits (batch, classes), the second head's; attention ``time``
(batch, steps, steps), the mean over eight heads. 6,561,900 parameters, 6,298,732 without
attention (12 leads, 26 classes).

Papers: Nejedly et al. Classification of ECG using ensemble of residual CNNs with attention
mechanism. Computing in Cardiology 2021, doi:10.23919/CinC53138.2021.9662723; without attention:
Physiological Measurement 43(4), 2022, doi:10.1088/1361-6579/ac647c.

What differs from the published code: logits; the flag of a lead follows from the signal (a lead
that is zero throughout is missing); a length that is not a multiple of 64 is filled up with
zeros in front, where the published form stops with an error.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.errors import ModelError
from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import Convolution, as_image
from leadlight.models.registry import Input, register

BLOCKS = 5
_PAPER = "Nejedly et al., Computing in Cardiology 2021; Physiological Measurement 2022"
_DOI = "10.1088/1361-6579/ac647c"


class _Nejedly(nn.Module):
    """The network with or without attention, as a subclass states; see the module's docstring.

    channels: everywhere; heads: of the attention; challenge_hidden: width of the second head's hidden
    layer; dropout: behind the blocks.
    """

    cam_layer = "blocks"
    samples_per_step = 2 ** (BLOCKS + 1)
    name: str
    attends: bool

    def __init__(
        self, n_classes: int, n_leads: int = 12, n_samples: int = 8192, sampling_rate: float = 500.0,
        *, channels: int = 256, heads: int = 8, challenge_hidden: int = 256, dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        check_sizes(
            self.name, n_classes=n_classes, n_leads=n_leads, n_samples=n_samples,
            sampling_rate=sampling_rate, channels=channels, heads=heads, challenge_hidden=challenge_hidden,
        )  # fmt: skip
        if self.attends and channels % heads:
            raise ModelError(
                f"{self.name}, channels: found {channels}; accepted: a multiple of heads, {heads}."
            )
        self.n_leads, self.n_samples = n_leads, n_samples
        self.stem = nn.Sequential(
            Convolution(n_leads, channels, 15, 2, 7), nn.BatchNorm2d(channels), nn.LeakyReLU()
        )
        self.blocks = nn.Sequential(*(_Block(channels) for _ in range(BLOCKS)))
        self.dropout = nn.Dropout(dropout)
        self.self_attention = (
            nn.MultiheadAttention(channels, heads, batch_first=True) if self.attends else None
        )
        self.head = _Heads(channels + n_leads, n_classes, challenge_hidden)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to the logits of the Challenge's head (batch, classes)."""
        return self.training_outputs(signal, metadata)[0]

    def training_outputs(self, signal: Tensor, metadata: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits of the Challenge's head and of the first one; a loss must reach both."""
        outputs: tuple[Tensor, Tensor] = self.head(self.features(signal, metadata))
        return outputs

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Maxima over time, and a flag for each lead that is there: (batch, channels + leads)."""
        steps = self._attend(self._encode(signal, metadata))[0]
        present = (signal != 0).any(2).to(steps.dtype)
        return torch.cat([steps.amax(1), present], dim=1)

    def cam_places(self, steps: int) -> list[Tensor]:
        """Place of each sample among the steps, of which the first may stand for filling in front."""
        filled = torch.arange(self.n_samples) + -self.n_samples % self.samples_per_step
        return [(filled + 0.5) / self.samples_per_step - 0.5]

    def reset_head(self, n_classes: int) -> None:
        """Put fresh heads for n_classes in place of the old ones."""
        check_sizes(self.name, n_classes=n_classes)
        old = self.head
        fresh = _Heads(old.first.in_features, n_classes, old.hidden.out_features)
        self.head = fresh.to(old.first.weight.device)

    def _encode(self, signal: Tensor, metadata: Tensor | None) -> Tensor:
        """(batch, steps, channels) before the attention."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata(self.name, metadata)
        whole = functional.pad(signal, (-self.n_samples % 2 ** (BLOCKS + 1), 0))
        image: Tensor = self.dropout(self.blocks(self.stem(as_image(whole))))
        return image.squeeze(2).transpose(1, 2)

    def _attend(self, steps: Tensor) -> tuple[Tensor, Tensor | None]:
        return steps, None


class _Block(nn.Module):
    """Two convolutions beside a pooled shortcut, added; nothing follows the sum. Time is halved."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Convolution(channels, channels, 9, 2, 4)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = Convolution(channels, channels, 9, padding=4)
        self.second_norm = nn.BatchNorm2d(channels)
        self.shortcut = Convolution(channels, channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels, 1, steps) to (batch, channels, 1, steps / 2)."""
        inner = functional.leaky_relu(self.first_norm(self.first(image)))
        inner = functional.leaky_relu(self.second_norm(self.second(inner)))
        beside: Tensor = self.shortcut(functional.avg_pool2d(image, (1, 2)))
        return inner + beside


class _Heads(nn.Module):
    """The first head, and the Challenge's behind it, through which no gradient goes back."""

    def __init__(self, features: int, n_classes: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(features, n_classes)
        self.hidden = nn.Linear(n_classes, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.challenge = nn.Linear(hidden, n_classes)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The Challenge's logits, and the first head's."""
        logits = self.first(features)
        hidden = functional.leaky_relu(self.norm(self.hidden(logits.detach())))
        return self.challenge(hidden), logits


@register(
    "nejedly", summary="Residual network with self-attention; winner of the Challenge 2021", paper=_PAPER,
    doi=_DOI, input=Input(sampling_rate=500, n_samples=8192), n_classes=26, parameters=6_568_044,
    trainable=6_561_900, attention=("time",),
)  # fmt: skip
class Nejedly(_Nejedly):
    """With self-attention."""

    name, attends = "nejedly", True

    def attention(self, signal: Tensor, metadata: Tensor | None = None) -> dict[str, Tensor]:
        """How much each step reads of each other step, mean over the heads; rows sum to one."""
        weights = self._attend(self._encode(signal, metadata))[1]
        assert weights is not None
        return {"time": weights}

    def _attend(self, steps: Tensor) -> tuple[Tensor, Tensor | None]:
        assert self.self_attention is not None
        # There is no residual connection around it: what it gives replaces the features.
        attended, weights = self.self_attention(steps, steps, steps)
        return attended, weights


@register(
    "nejedly-no-attention", summary="The Challenge 2021's winner without its attention", paper=_PAPER,
    doi=_DOI, input=Input(sampling_rate=500, n_samples=8192), n_classes=26, parameters=6_304_876,
    trainable=6_298_732,
)  # fmt: skip
class NejedlyNoAttention(_Nejedly):
    """Without attention, as the follow-up paper describes it; heads counts for nothing."""

    name, attends = "nejedly-no-attention", False
