"""s4: bidirectional diagonal state-space layers, read as long convolutions.

Each layer is a linear state-space model with a diagonal state for every channel, computed as a
convolution as long as the signal, forward and backward in time. Four layers, the mean over
time and a linear layer; no pooling in between.

Shapes: (batch, leads, samples) -> logits (batch, classes). 2,201,671 parameters (12 leads, 71
classes).

Papers: Gu, Gupta, Goel, Re. On the Parameterization and Initialization of Diagonal State Space
Models (S4D). NeurIPS 2022, arXiv:2206.11893; on ECG, in this setting: Mehari, Strodthoff.
Towards Quantitative Precision for ECG Analysis: Leveraging State Space Models,
Self-Supervision and Patient Metadata. IEEE JBHI 2023, doi:10.1109/JBHI.2023.3310989.

Ours from the papers' equations: the diagonal form in place of the low-rank one, states started
at -1/2 + i pi n (S4D-Lin), steps between 0.001 and 0.1, zero-order hold.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.models.contract import check_signal, check_sizes, refuse_metadata
from leadlight.models.layers import fresh_linear
from leadlight.models.registry import Input, register


@register(
    "s4",
    summary="Bidirectional diagonal state-space model",
    paper="Gu et al., S4D, NeurIPS 2022; on ECG: Mehari and Strodthoff, IEEE JBHI 2023",
    doi="10.48550/arXiv.2206.11893",
    input=Input(sampling_rate=100, n_samples=250),
    n_classes=71,
    parameters=2_201_671,
    trainable=2_201_671,
)
class S4(nn.Module):
    """The network; see the module's docstring.

    width: channels; states: complex pairs for each channel and direction; layers: their
    number; dropout: in each layer.
    """

    cam_layer = "layers"

    def __init__(
        self,
        n_classes: int,
        n_leads: int = 12,
        n_samples: int = 250,
        sampling_rate: float = 100.0,
        *,
        width: int = 512,
        states: int = 4,
        layers: int = 4,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_sizes(
            "s4", n_classes=n_classes, n_leads=n_leads, n_samples=n_samples, sampling_rate=sampling_rate,
            width=width, states=states, layers=layers,
        )  # fmt: skip
        self.n_leads, self.n_samples = n_leads, n_samples
        self.entry = nn.Linear(n_leads, width)
        self.layers = nn.Sequential(*(_Layer(width, states, dropout) for _ in range(layers)))
        self.head = nn.Linear(width, n_classes)

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) to logits (batch, classes)."""
        logits: Tensor = self.head(self.features(signal, metadata))
        return logits

    def features(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Mean over time of the last layer: (batch, width)."""
        check_signal(signal, self.n_leads, self.n_samples)
        refuse_metadata("s4", metadata)
        sequence = self.entry(signal.transpose(1, 2)).transpose(1, 2)
        means: Tensor = self.layers(sequence).mean(2)
        return means

    def reset_head(self, n_classes: int) -> None:
        """Put a fresh last layer for n_classes in place of the old one."""
        self.head = fresh_linear("s4", self.head, n_classes)


class _Layer(nn.Module):
    """State space, GELU, gated linear mixing of channels, added to the input, layer norm."""

    def __init__(self, width: int, states: int, dropout: float) -> None:
        super().__init__()
        self.state_space = DiagonalStateSpace(width, states)
        self.mix = nn.Linear(width, 2 * width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout1d(dropout)  # whole channels, as the ECG literature does

    def forward(self, sequence: Tensor) -> Tensor:
        """(batch, width, samples) to the same shape."""
        inner = self.dropout(functional.gelu(self.state_space(sequence)))
        mixed = functional.glu(self.mix(inner.transpose(1, 2)), dim=2)
        normed: Tensor = self.norm(
            self.dropout(mixed.transpose(1, 2)).transpose(1, 2) + sequence.transpose(1, 2)
        )
        return normed.transpose(1, 2)


class DiagonalStateSpace(nn.Module):
    """x' = A x + B u, y = 2 Re(C x) + D u for each channel, forward and backward in time.

    A: complex diagonal, its real part kept negative; B is one, absorbed in C. In discrete
    time (zero-order hold, step ``dt``): x[k] = exp(dt A) x[k-1] + (exp(dt A) - 1) / A u[k].
    """

    def __init__(self, channels: int, states: int) -> None:
        super().__init__()
        self.log_step = nn.Parameter(
            torch.rand(channels) * (math.log(0.1) - math.log(0.001)) + math.log(0.001)
        )
        self.log_decay = nn.Parameter(torch.log(0.5 * torch.ones(channels, states)))
        self.frequency = nn.Parameter(math.pi * torch.arange(states).repeat(channels, 1).float())
        # Real and imaginary part, for each direction.
        self.read = nn.Parameter(torch.randn(2, channels, states, 2) * 0.5**0.5)
        self.direct = nn.Parameter(torch.randn(channels))

    def forward(self, sequence: Tensor) -> Tensor:
        """(batch, channels, samples) to the same shape, as a convolution by FFT in float32."""
        length = sequence.shape[2]
        # FFTs and powers want full precision, whatever the rest of the network runs in.
        with torch.autocast(sequence.device.type, enabled=False):
            signal = sequence.float()
            forward, backward = self.kernels(length)
            # y[k] = sum over j of forward[j] u[k - j] + backward[j] u[k + 1 + j], as one circular kernel.
            both = functional.pad(forward, (0, length)) + functional.pad(backward.flip(1), (length, 0))
            output = _circular(signal, both) + signal * self.direct.float()[:, None]
        result: Tensor = output.to(sequence.dtype)
        return result

    def discrete(self) -> tuple[Tensor, Tensor]:
        """exp(dt A), (channels, states), and what a sample adds times C, (2, channels, states): complex64."""
        poles = torch.complex(-self.log_decay.float().exp(), self.frequency.float())
        turn = torch.exp(poles * self.log_step.float().exp()[:, None])
        return turn, torch.view_as_complex(self.read.float().contiguous()) * (turn - 1) / poles

    def _powers(self, length: int) -> Tensor:
        """exp(dt A) to the powers 0 .. length - 1, (channels, states, length): quicker than powers of it."""
        step = self.log_step.float().exp()[:, None, None]
        times = torch.arange(length, device=step.device) * step
        decay = torch.exp(-self.log_decay.float().exp()[:, :, None] * times)
        return torch.polar(decay, self.frequency.float()[:, :, None] * times)

    def kernels(self, length: int) -> tuple[Tensor, Tensor]:
        """The convolution kernels of both directions, (channels, length) each."""
        gain = self.discrete()[1]
        kernel = 2 * torch.einsum("dcs,csl->dcl", gain, self._powers(length)).real
        return kernel[0], kernel[1]


def _circular(signal: Tensor, kernel: Tensor) -> Tensor:
    """(batch, channels, samples) by kernels (channels, 2 * samples), the first half of what comes."""
    if torch.compiler.is_compiling():
        return _by_spectrum(signal, kernel)[0]
    result: Tensor = _Circular.apply(signal, kernel)  # type: ignore[no-untyped-call]
    return result


def _by_spectrum(signal: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    length, around = signal.shape[-1], kernel.shape[-1]
    spectrum, response = torch.fft.rfft(signal, around), torch.fft.rfft(kernel)
    return torch.fft.irfft(spectrum * response, around)[..., :length], spectrum, response


class _Circular(torch.autograd.Function):
    """With gradients from the real transforms; torch's own go through whole complex ones."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor, kernel: Tensor) -> Tensor:
        output, spectrum, response = _by_spectrum(signal, kernel)
        ctx.save_for_backward(spectrum, response)
        ctx.around = kernel.shape[-1]
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        spectrum, response = ctx.saved_tensors
        back = torch.fft.rfft(gradient, ctx.around)
        of_signal = torch.fft.irfft(back * response.conj(), ctx.around)[..., : gradient.shape[-1]]
        of_kernel = torch.fft.irfft((back * spectrum.conj()).sum(0), ctx.around)
        return of_signal, of_kernel
