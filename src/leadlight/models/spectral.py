"""Long convolutions as products of spectra, block by block.

A convolution of K samples costs K products for every pair of channels and every sample. Here the
signal is cut into overlapping blocks, each block and the kernel are brought to their discrete
Fourier transform, multiplied there, and brought back; what wraps around a block is left out
(overlap and save). The result is the same convolution, with about an eighth of the products for
40 samples and less rounding, for sums of 40 x channels terms become sums of channels terms.

The transforms are matrix products as well, for blocks are short and channels many: on a CPU
nothing runs nearer to its peak.

Source: Oppenheim, Schafer. Discrete-Time Signal Processing, 3rd edition, 2010, 8.7.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

OVERHEAD = 1.6
"""Of a product of spectra over the same number of operations in one convolution: copies, small matrices."""
KERNEL_OVERHEAD = 250
"""Operations that a value of the kernel's spectrum costs to bring into place, with that of memory."""
GAIN = 1.4
"""Expected gain from which on spectra are used. The two above were fitted to times of 54 sizes on one
thread, without and with gradients; with two threads copies weigh more, and three quarters of the
gain remain (``benchmarks/convolutions.py``), hence the reserve."""


def block_samples(kernel: int, length: int) -> int:
    """Samples of a block for a kernel and a padded signal: about three kernels, a multiple of 16."""
    return min(-(-3 * kernel // 16) * 16, length)


def expected_gain(
    batch: int, channels_in: int, channels: int, kernel: int, padded: int, rows: int = 1, kernel_rows: int = 1
) -> float:
    """Time of the plain convolution over that by spectra, from the operations of both.

    padded: steps with their zeros; rows, kernel_rows: of images and their kernels.
    """
    samples = block_samples(kernel, padded)
    step, frequencies, found = samples - kernel + 1, samples // 2 + 1, padded - kernel + 1
    pairs = channels_in * channels * kernel_rows
    there = (rows + kernel_rows - 1) / rows * samples * channels_in
    block = 4 * frequencies * (2 * pairs + there + step * channels)
    blocks = batch * rows * -(-found // step)
    spectra = blocks * block + frequencies * pairs * (4 * kernel + KERNEL_OVERHEAD)
    return 2 * kernel * pairs * found * batch * rows / (OVERHEAD * spectra)


def pays(image: Tensor, weight: Tensor, padded: int) -> bool:
    """Whether spectra are quicker. image: (batch, in, rows, steps); weight: (out, in, [rows,] kernel).

    Never for what is being compiled or exported, for other devices or lower precision, which
    have ways of their own.
    """
    if torch.compiler.is_compiling() or image.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return False
    if image.dtype not in (torch.float32, torch.float64) or weight.dtype != image.dtype:
        return False
    channels, channels_in, *kernel_rows, kernel = weight.shape
    if padded <= kernel:
        return False
    return expected_gain(
        image.shape[0], channels_in, channels, kernel, padded, image.shape[2], *kernel_rows
    ) > GAIN  # fmt: skip


def convolve(
    image: Tensor, weight: Tensor, bias: Tensor | None, left: int, right: int, above: int = 0, below: int = 0
) -> Tensor:
    """(batch, in, rows, steps), weight (out, in, [rows,] kernel), zeros on the sides, to channels-last
    (batch, out, rows', steps').

    Rows of the kernel are few: they are added up, not transformed.
    """  # fmt: skip
    if weight.ndim == 3:
        weight = weight.unsqueeze(2)
    batch, channels_in, rows, steps = image.shape
    channels, _, kernel_rows, kernel = weight.shape
    found, rows_found = steps + left + right - kernel + 1, rows + above + below - kernel_rows + 1
    samples = block_samples(kernel, steps + left + right)
    step = samples - kernel + 1
    blocks = -(-found // step)
    there, back = _transforms(samples, image.dtype)
    frequencies = there.shape[0] // 2

    right_zeros = blocks * step + kernel - 1 - steps - left
    signal = functional.pad(image.permute(2, 0, 3, 1), (0, 0, left, right_zeros, 0, 0, above, below))
    tiles = signal.unfold(2, samples, step).transpose(3, 4).reshape(-1, samples, channels_in)
    # For every row, block and frequency the real parts of all channels, then the imaginary ones.
    spectra = torch.matmul(there, tiles).view(-1, batch * blocks, frequencies, 2 * channels_in)
    kernels = _kernel_spectra(weight, there[:, :kernel])
    products = _by_frequency(spectra, 0, rows_found) @ kernels[0]
    for row in range(1, kernel_rows):
        products = torch.baddbmm(products, _by_frequency(spectra, row, rows_found), kernels[row])
    joined = products.view(frequencies, -1, 2, channels).permute(1, 0, 2, 3)
    result = torch.matmul(back[:step], joined.reshape(-1, 2 * frequencies, channels))
    result = result.view(rows_found, batch, blocks * step, channels)[:, :, :found]
    if bias is not None:
        result = result + bias
    return result.permute(1, 3, 0, 2).contiguous(memory_format=torch.channels_last)


def _by_frequency(spectra: Tensor, first: int, rows: int) -> Tensor:
    """(rows, blocks, frequencies, channels), some rows of it, to (frequencies, rows * blocks, channels)."""
    return spectra[first : first + rows].flatten(0, 1).transpose(0, 1)


def _kernel_spectra(weight: Tensor, there: Tensor) -> Tensor:
    """(rows, frequencies, 2 * in, 2 * out): complex products, by the kernel's conjugate, as real matrices."""
    channels, channels_in, rows, kernel = weight.shape
    columns = weight.permute(2, 3, 1, 0).reshape(rows, kernel, channels_in * channels)
    parts = torch.matmul(there, columns).view(rows, -1, 2, channels_in, channels)
    real, imaginary = parts[:, :, 0], parts[:, :, 1]
    return torch.cat([torch.cat([real, -imaginary], 3), torch.cat([imaginary, real], 3)], 2)


@lru_cache(maxsize=64)
def _transforms(samples: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The transform of a real block, (2 * frequencies, samples), and the way back, as matrices.

    Rows of the first: real and imaginary part of each frequency in turn.
    """
    # Matrices made in inference mode could not be used in training later.
    with torch.inference_mode(False), torch.no_grad():
        frequency = torch.arange(samples // 2 + 1, dtype=torch.float64)[:, None]
        angle = 2 * math.pi / samples * frequency * torch.arange(samples, dtype=torch.float64)
        waves = torch.stack([angle.cos(), -angle.sin()], 1)
        # Every frequency but the first, and the last of an even block, stands for two.
        share = torch.full((samples // 2 + 1, 1, 1), 2.0, dtype=torch.float64)
        share[0] = 1
        if samples % 2 == 0:
            share[-1] = 1
        there, back = (part.reshape(-1, samples) for part in (waves, waves * share / samples))
        return there.to(dtype), back.T.to(dtype).contiguous()
