"""Is a long convolution by spectra quicker than torch's own, and where?

Times of ``leadlight.models.spectral`` beside torch's convolution of the same sizes (channels last, as
the models run it), forward alone and with gradients, the gain that the rule expects, and the rounding
of both against float64.

    python benchmarks/convolutions.py --threads 1 --out benchmarks/results/convolutions.md
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from keep import keep
from leadlight.models import spectral
from leadlight.models.layers import same_padding
from machine import describe_machine

SIZES = (
    (384, 128, 40, 1250), (384, 128, 10, 1250), (96, 32, 40, 2500), (48, 16, 40, 5000), (48, 16, 10, 5000),
    (64, 64, 16, 1024), (128, 128, 16, 256), (320, 320, 16, 64), (32, 32, 39, 250), (32, 32, 9, 250),
    (128, 128, 11, 250), (256, 256, 9, 256), (64, 64, 8, 500), (512, 512, 9, 32),
)  # fmt: skip
"""Channels in, channels, kernel, steps: of ECG-XPLAIM, Ribeiro, Inception1d, Nejedly and their like."""


def plain(image: Tensor, weight: Tensor, left: int, right: int) -> Tensor:
    kernel = functional.pad(weight, (right - left, 0)) if left < right else weight
    kernel = kernel.unsqueeze(2).contiguous(memory_format=torch.channels_last)
    return functional.conv2d(image, kernel, None, 1, (0, right))


def least_seconds(work: Callable[[], object], repeats: int) -> float:
    """The least of the repeats, after one that is thrown away."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def row(batch: int, size: tuple[int, int, int, int], repeats: int) -> str:
    channels_in, channels, kernel, steps = size
    torch.manual_seed(0)
    image = torch.randn(batch, channels_in, 1, steps).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels_in, kernel) / (channels_in * kernel) ** 0.5
    left, right = same_padding(kernel)
    ways: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
        lambda given, kernel: plain(given, kernel, left, right),
        lambda given, kernel: spectral.convolve(given, kernel, None, left, right),
    )
    cells = [f"{batch}", f"{channels_in} to {channels}", f"{kernel}", f"{steps}"]
    with torch.inference_mode():
        forward = [least_seconds(lambda way=way: way(image, weight), repeats) for way in ways]
        exact = plain(image.double(), weight.double(), left, right)
        errors = [(way(image, weight) - exact).square().mean().sqrt().item() for way in ways]
    image.requires_grad_()
    weight.requires_grad_()

    def with_gradients(way: Callable[[Tensor, Tensor], Tensor]) -> None:
        image.grad = weight.grad = None
        way(image, weight).square().sum().backward()

    training = [least_seconds(lambda way=way: with_gradients(way), repeats) for way in ways]
    expected = spectral.expected_gain(batch, channels_in, channels, kernel, steps + left + right)
    cells += [f"{1000 * forward[0]:.1f}", f"{forward[0] / forward[1]:.2f}"]
    cells += [f"{1000 * training[0]:.1f}", f"{training[0] / training[1]:.2f}", f"{expected:.2f}"]
    cells += ["spectra" if expected > spectral.GAIN else "plain", f"{errors[0]:.1e}", f"{errors[1]:.1e}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, help="where to keep the table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lines = [
        "# Long convolutions by spectra, beside torch's own",
        "",
        f"`python benchmarks/convolutions.py --threads {options.threads} --repeats {options.repeats} "
        f"--out benchmarks/results/convolutions.md`. {describe_machine()} Threads: {options.threads}; "
        "the least of the repeats. Gain: time of torch's convolution over ours. Errors: root mean square "
        "against float64, of outputs of variance one.",
        "",
        "| batch | channels | kernel | steps | plain, ms | gain | with gradients, ms | gain | expected | "
        "taken | error, plain | error, spectra |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---|---:|---:|",
    ]
    for batch in (1, 4, 16):
        for size in SIZES:
            lines.append(row(batch, size, options.repeats))
            print(lines[-1], flush=True)
    keep("\n".join(lines) + "\n", options.out)


if __name__ == "__main__":
    main()
