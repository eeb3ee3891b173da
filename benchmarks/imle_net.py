"""How fast IMLE-Net runs on this machine's CPU, beside the straightforward form of the same network.

The straightforward form is what one writes first: 240 segments a record through
``Conv1d`` with explicit padding, in torch's ordinary layout and with the C
library's ordinary memory. It holds the same weights, and the script stops if the
two do not give the same logits. Both forms alternate in one run, round by
round; a round's ratio is one sample of the speed-up.

    python benchmarks/imle_net.py --out benchmarks/results/imle_net.md
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from keep import keep
from leadlight import models
from leadlight.models.imle_net import IMLENet, ResidualBlock, SameConv
from leadlight.training.memory import keep_freed_memory
from machine import describe_machine

BATCH = 32
BOUNDS = """
## What bounds it

In fp32 the convolutions themselves: they run at 60 to 70 % of what a large matrix product reaches.
In bf16 memory does: ReLU, normalisation and their gradients move as many bytes a value as they compute
operations, and the gradient of the convolutions' weights is the one product that oneDNN does not run near
its bf16 peak.

What made it faster, measured singly while it was built: channels-last images with a kernel of nine taps
(the rest of the ratio); keeping freed memory in the process, a quarter of a training step; encoding 1,920
segments at a time in evaluation mode, so that activations stay in cache, a third of a forward pass.

What did not: eight taps with wider padding and a crop (a copy in each layer; a step took a fifth longer);
the weights' gradient as eight shifted matrix products (slower than oneDNN's own for 32 and 64 channels, a
little faster for 128 in bf16 alone).
"""


class StraightforwardEncoder(nn.Module):
    """The same residual network, segment by segment through Conv1d."""

    def __init__(self, network: IMLENet) -> None:
        super().__init__()
        self.encoder = network.encoder

    def forward(self, segments: Tensor) -> Tensor:
        """(segments, samples) to (segments, steps, channels)."""
        image = torch.relu(self._conv(self.encoder.stem, segments[:, None, :]))
        for block in self.encoder.blocks:
            assert isinstance(block, ResidualBlock)
            inner = self._norm(block.first_norm, torch.relu(self._conv(block.first, image)))
            beside = image
            if block.shortcut is not None:
                weight = block.shortcut.weight[..., 0]
                beside = functional.conv1d(image, weight, block.shortcut.bias, stride=2)
            image = self._norm(block.second_norm, torch.relu(self._conv(block.second, inner) + beside))
        return image.transpose(1, 2)

    def _conv(self, layer: SameConv, image: Tensor) -> Tensor:
        length = image.shape[-1]
        n_out = -(-length // layer.stride)
        total = max((n_out - 1) * layer.stride + 8 - length, 0)
        padded = functional.pad(image, (total // 2, total - total // 2))
        return functional.conv1d(padded, layer.weight, layer.bias, stride=layer.stride)

    def _norm(self, layer: nn.BatchNorm2d, image: Tensor) -> Tensor:
        return functional.batch_norm(
            image, layer.running_mean, layer.running_var, layer.weight, layer.bias,
            self.encoder.training, layer.momentum or 0.0, layer.eps,
        )  # fmt: skip


def make(form: str) -> IMLENet:
    """IMLE-Net in one of the two forms, with the same weights."""
    torch.manual_seed(0)
    network = models.create("imle-net", n_classes=5)
    assert isinstance(network, IMLENet)
    if form == "straightforward":
        plain = StraightforwardEncoder(network)
        network.encoder.forward = plain.forward  # type: ignore[method-assign]
    return network


def count_multiply_adds(network: IMLENet) -> float:
    """Multiply-adds of the convolutions of one record, from the layers' own sizes."""
    length, total = network.segment_samples, network.segment_samples * network.encoder.stem.weight.numel()
    for block in network.encoder.blocks:
        assert isinstance(block, ResidualBlock)
        length = -(-length // block.first.stride)
        total += length * (block.first.weight.numel() + block.second.weight.numel())
        total += length * block.shortcut.weight.numel() if block.shortcut is not None else 0
    return float(total * network.n_leads * network.n_segments)


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peak(dtype: torch.dtype, rounds: int) -> float:
    """GFLOP/s of a large matrix product: the best of the rounds."""
    size = 3000
    left, right = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    left @ right
    return max(2 * size**3 / timed(lambda: left @ right) / 1e9 for _ in range(rounds))


def measure(form: str, mode: str, precision: str, rounds: int) -> None:
    """Print the seconds of each round, one a line as asked for on standard input (a worker process)."""
    if form == "leadlight" and mode == "training step":  # as `leadlight train` does, and `predict` does not
        keep_freed_memory()
    network = make(form)
    torch.manual_seed(1)
    signal, targets = torch.randn(BATCH, 12, 1000), torch.rand(BATCH, 5).round()
    bf16 = precision == "bf16"
    if mode == "forward":
        network.eval()

        def work() -> Tensor:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                return network(signal).float()
    else:
        network.train()
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

        def work() -> Tensor:
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                logits = network(signal).float()
                loss = functional.binary_cross_entropy_with_logits(logits, targets)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            return logits

    first = work()
    print("logits", " ".join(f"{value:.6f}" for value in first.detach().flatten()[:10].tolist()), flush=True)
    work()
    for _ in range(rounds):
        sys.stdin.readline()
        print(timed(work), flush=True)


def compare(mode: str, precision: str, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds a round of both forms, in alternation: each form in a process of its own."""
    rivals = ("straightforward", "fp32"), ("leadlight", precision)
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, "--worker", form, mode, of_precision, "--rounds", str(rounds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for form, of_precision in rivals
    ]
    seconds: list[list[float]] = [[], []]
    logits = []
    for worker in workers:
        assert worker.stdout is not None
        logits.append([float(word) for word in worker.stdout.readline().split()[1:]])
    tolerance = 1e-4 if precision == "fp32" else 5e-2
    worst = max(abs(one - other) for one, other in zip(*logits, strict=True))
    assert worst < tolerance, f"the two forms disagree by {worst}"
    for _ in range(rounds):
        for place, worker in enumerate(workers):
            assert worker.stdin is not None and worker.stdout is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
            seconds[place].append(float(worker.stdout.readline()))
    for worker in workers:
        worker.communicate()
    return seconds[0], seconds[1]


def table(rounds: int) -> str:
    """The measurements as Markdown."""
    network = make("leadlight")
    flop = 2 * count_multiply_adds(network) * BATCH
    peaks = {"fp32": peak(torch.float32, 10), "bf16": peak(torch.bfloat16, 10)}
    lines = [
        "| what | precision | straightforward fp32, s | Leadlight, s | ratio: median (range) "
        "| ms a record | GFLOP/s | share of peak |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for mode, passes in (("forward", 1), ("training step", 3)):
        for precision in ("fp32", "bf16"):
            plain, ours = compare(mode, precision, rounds)
            ratios = sorted(one / other for one, other in zip(plain, ours, strict=True))
            middle = statistics.median(ours)
            rate = passes * flop / middle / 1e9
            lines.append(
                f"| {mode} | {precision} | {statistics.median(plain):.2f} | {middle:.2f} "
                f"| {statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f}) "
                f"| {1000 * middle / BATCH:.1f} | {rate:.0f} | {100 * rate / peaks[precision]:.0f} % |"
            )
    lines += [
        "",
        f"Batch {BATCH}, {rounds} rounds in alternation, each form in its own process. Arithmetic: "
        f"{flop / BATCH / 1e9:.2f} GFLOP a record forward in the convolutions "
        f"(2 x {flop / 2 / BATCH / 1e9:.2f} billion multiply-adds), three times that in a training step; "
        "the ninth, zero tap is not counted. "
        f"Peak, measured as a 3000 x 3000 matrix product in the same run: {peaks['fp32']:.0f} GFLOP/s in "
        f"fp32, {peaks['bf16']:.0f} in bf16.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--worker", nargs=3, metavar=("FORM", "MODE", "PRECISION"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.worker:
        measure(*arguments.worker, arguments.rounds)
        return
    text = table(arguments.rounds)
    print(text)
    command = f"python benchmarks/imle_net.py --rounds {arguments.rounds} --out {arguments.out}"
    keep(f"# IMLE-Net on a CPU\n\n    {command}\n\n{describe_machine()}\n\n{text}\n{BOUNDS}", arguments.out)


if __name__ == "__main__":
    main()
