"""How long does it take to explain one record with its figure, after the model is loaded?

    python benchmarks/explain_speed.py                       a fresh, untrained IMLE-Net of the published size
    python benchmarks/explain_speed.py --model NAME-OR-FOLDER --record FILE --out results/explain_speed.json

Times explain (prediction and attention), drawing the figure and writing the PNG, one record at a
time, each repeated; prints median, smallest and largest of the seconds. The aim is 2 s in all.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from keep import keep
from machine import describe_machine

AIM_SECONDS = 2.0
LAYOUTS = ("3x4", "12x1")


def fresh_model(folder: Path) -> Any:
    """IMLE-Net with its starting weights, saved and loaded as a trained one would be."""
    import torch

    import leadlight as ll
    from leadlight.classifier import save_model
    from leadlight.signal import GlobalScaling, Preprocessing

    torch.manual_seed(0)
    codes = ("CD", "HYP", "MI", "NORM", "STTC")
    contract = {
        "name": "untrained",
        "architecture": {"name": "imle-net", "n_classes": 5, "n_leads": 12, "n_samples": 1000,
                         "sampling_rate": 100.0, "arguments": {}},
        "preprocessing": Preprocessing(steps=(GlobalScaling(0.0, 0.23),)),
        "label_space": {"name": "ptb-xl/superclass", "version": "1"},
        "classes": [(code, "") for code in codes],
        "thresholds": {"values": [0.5] * 5, "rule": "none"},
        "training_data": {"dataset": "none", "version": "", "counts": {"training records": 0}},
        "folds": {"training": [1], "validation": [2]},
        "recipe": {},
        "seed": 0,
        "metrics": {"folds": [2], "n_records": 1, "values": {}},
        "licence": "Apache-2.0",
        "citations": ["none"],
        "limits": ["untrained"],
    }  # fmt: skip
    return ll.load(save_model(folder / "untrained", ll.models.create("imle-net", 5), contract))


def made_up_recording() -> Any:
    from leadlight.leads import STANDARD_LEADS
    from leadlight.recording import Recording

    rng = np.random.default_rng(0)
    times = np.arange(5000) / 500
    beat = np.exp(-((((times % 0.8) - 0.3) / 0.012) ** 2))
    signal = rng.uniform(-1.2, 1.2, (12, 1)) * beat + 0.02 * rng.standard_normal((12, 5000))
    return Recording(signal.astype(np.float32), STANDARD_LEADS, 500.0)


def measure(model: Any, recording: Any, layout: str, repeats: int, folder: Path) -> dict[str, list[float]]:
    import leadlight as ll
    from leadlight.figures import save_figure

    seconds: dict[str, list[float]] = {"explain": [], "figure": [], "png": [], "in all": []}
    for number in range(repeats):
        marks = [time.perf_counter()]
        explanation = ll.explain(model, recording, longer="first")
        marks.append(time.perf_counter())
        figure = explanation.figure(layout)
        marks.append(time.perf_counter())
        save_figure(figure, folder / f"{layout}-{number}.png")
        marks.append(time.perf_counter())
        for name, span in zip(seconds, [*np.diff(marks), marks[-1] - marks[0]], strict=True):
            seconds[name].append(float(span))
    return seconds


def summary(values: list[float]) -> dict[str, float]:
    # The first includes imports and the caches of fonts: it is told apart.
    rest = values[1:] or values
    return {
        "first": round(values[0], 4), "median": round(float(np.median(rest)), 4),
        "smallest": round(min(rest), 4), "largest": round(max(rest), 4),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", help="shipped name, run folder or model folder; default: untrained IMLE-Net"
    )
    parser.add_argument("--record", type=Path, help="a recording; default: one made up, 10 s at 500 Hz")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--out", type=Path, help="JSON file to write as well")
    arguments = parser.parse_args()

    import torch

    import leadlight as ll

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = ll.load(arguments.model) if arguments.model else fresh_model(folder)
        recording = ll.read(arguments.record) if arguments.record else made_up_recording()
        layouts = {}
        for layout in LAYOUTS:
            measured = measure(model, recording, layout, arguments.repeats, folder)
            layouts[layout] = {part: summary(values) for part, values in measured.items()}
            for part, values in layouts[layout].items():
                print(
                    f"{layout:5} {part:8} median {values['median']:.3f} s "
                    f"({values['smallest']:.3f} to {values['largest']:.3f}), first {values['first']:.3f} s"
                )
    result = {
        "command": " ".join(["python", *sys.argv]),
        "model": model.contract.name,
        "recording": repr(recording),
        "repeats": arguments.repeats,
        "seconds": layouts,
        "aim_seconds": AIM_SECONDS,
        "met": all(parts["in all"]["median"] <= AIM_SECONDS for parts in layouts.values()),
        "machine": describe_machine("leadlight", "torch", "numpy", "matplotlib"),
        "torch_threads": torch.get_num_threads(),
        "device": str(next(model.module.parameters()).device),
    }
    print(f"aim of {AIM_SECONDS:g} s {'met' if result['met'] else 'MISSED'}")
    keep(json.dumps(result, indent=2) + "\n", arguments.out)


if __name__ == "__main__":
    main()
