"""How fast every model runs on this machine's CPU, beside the published time of its original.

One record's share of a forward pass in evaluation mode, and one training step (forward, loss,
backward, Adam), at the published input size and batch, on two threads. The originals' times
were taken on another machine of the same kind (two threads, the same batch, one run):
``original_speeds.csv``. Counted beside: the arithmetic of convolutions and matrix products, and
the share of this machine's fastest matrix product that the forward pass reaches.

    python benchmarks/models.py --out benchmarks/results/models_speed.md
    python benchmarks/models.py --only imle-net resunet-lc
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from keep import keep
from leadlight import models
from leadlight.models import spectral
from leadlight.training.memory import keep_freed_memory
from machine import describe_machine

ORIGINALS = Path(__file__).parent / "original_speeds.csv"
THREADS = 2
SECONDS = 3.0
"""Each figure is the median of as many runs as fit in here, three at least."""


def median_seconds(work: Callable[[], object]) -> tuple[float, float, float]:
    """Median, fastest and slowest of several runs, the first of which is thrown away."""
    work()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 3 or (time.perf_counter() - began < SECONDS and len(times) < 50):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), min(times), max(times)


def matrix_product(dtype: torch.dtype) -> float:
    """The fastest matrix product of this machine, in 10^9 operations a second."""
    size = 2048
    left, right = (torch.randn(size, size).to(dtype) for _ in range(2))
    return 2 * size**3 / median_seconds(lambda: left @ right)[1] / 1e9


def measure(name: str, batch: int, n_samples: int, dtype: torch.dtype | None) -> dict[str, float]:
    """Milliseconds a record forward, seconds a step, and operations of a forward pass."""
    description = models.describe(name)
    torch.manual_seed(0)
    model = models.create(name, description.n_classes, 12, n_samples)
    signal = torch.randn(batch, 12, n_samples)
    targets = torch.randint(0, 2, (batch, description.n_classes)).float()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)

    def forward() -> object:
        with (
            torch.inference_mode(),
            torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None),
        ):
            return model(signal)

    def step() -> None:
        with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
            outputs = (
                model.training_outputs(signal) if hasattr(model, "training_outputs") else (model(signal),)
            )
        losses = [
            nn.functional.binary_cross_entropy_with_logits(logits.float(), targets) for logits in outputs
        ]
        torch.stack(losses).sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    model.eval()
    # What the convolutions ask for, whatever way they are computed.
    with (
        FlopCounterMode(display=False) as counter,
        torch.no_grad(),
        patch.object(spectral, "GAIN", math.inf),
    ):
        model(signal[:1])
    forward_times = median_seconds(forward)
    model.train()
    step_times = median_seconds(step)
    return {
        "forward_ms": 1000 * forward_times[0] / batch,
        "forward_spread": (forward_times[2] - forward_times[1]) / forward_times[0],
        "step_s": step_times[0],
        "step_spread": (step_times[2] - step_times[1]) / step_times[0],
        "operations": float(counter.get_total_flops()),
    }


def share_of(measured: dict[str, float], peak: float, name: str) -> str:
    """What share of the fastest matrix product a forward pass reaches, where all of it is counted."""
    if any(isinstance(part, nn.RNNBase) for part in models.create(name, 5).modules()):
        return "–"
    return f"{measured['operations'] / (measured['forward_ms'] / 1000) / 1e9 / peak:.0%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], help="models; all without it")
    parser.add_argument("--out", type=Path, help="where to keep the table")
    arguments = parser.parse_args()
    keep_freed_memory()
    torch.set_num_threads(THREADS)
    peaks = {"fp32": matrix_product(torch.float32), "bf16": matrix_product(torch.bfloat16)}
    with ORIGINALS.open(encoding="utf-8") as lines:
        originals = {row["model"]: row for row in csv.DictReader(lines)}
    lines = [
        "# Every model on a CPU, beside its original",
        "",
        "Command: `python benchmarks/models.py --out benchmarks/results/models_speed.md`. "
        + describe_machine(),
        "",
        f"{THREADS} threads. Matrix product of 2048 x 2048: {peaks['fp32']:.0f} GF/s in fp32, "
        f"{peaks['bf16']:.0f} in bf16. ± is the whole spread (slowest less fastest) over the median. "
        "Ratio: the original's published time over ours; it was taken on another machine of the same kind, "
        "so a ratio near one says little. GF: operations of a record's forward pass as its convolutions are "
        "defined. Share: GF over the time, as a share of the matrix product; above 100 % where long kernels "
        "run as products of spectra. Recurrent layers are not counted (–).",
        "",
        "| model | batch x samples | forward, ms a record | ratio | GF | share | step, s | ratio | "
        "forward bf16 | ratio | step bf16 |",
        "|---|---|---|---:|---:|---:|---|---:|---:|---:|---:|",
    ]
    for name in arguments.only or models.names():
        original = originals.get(name)
        description = models.describe(name)
        batch = int(original["batch"]) if original else (8 if description.trainable > 5e6 else 32)
        n_samples = int(original["n_samples"]) if original else description.input.n_samples
        exact = measure(name, batch, n_samples, None)
        rounded = measure(name, batch, n_samples, torch.bfloat16)
        cells = [
            name,
            f"{batch} x {n_samples}",
            f"{exact['forward_ms']:.2f} ± {exact['forward_spread']:.0%}",
            f"{float(original['forward_ms']) / exact['forward_ms']:.2f}" if original else "–",
            f"{exact['operations'] / 1e9:.2f}",
            share_of(exact, peaks["fp32"], name),
            f"{exact['step_s']:.3f} ± {exact['step_spread']:.0%}",
            f"{float(original['step_s']) / exact['step_s']:.2f}" if original else "–",
            f"{rounded['forward_ms']:.2f}",
            f"{float(original['forward_ms']) / rounded['forward_ms']:.2f}" if original else "–",
            f"{rounded['step_s']:.3f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    keep(text, arguments.out)


if __name__ == "__main__":
    main()
