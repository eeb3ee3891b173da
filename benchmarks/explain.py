"""How long does each method of explanation take for one record, beside Captum's own on the same network?

    python benchmarks/explain.py                            main models, untrained, of their published size
    python benchmarks/explain.py --models imle-net --threads 2 --repeats 3 --out results/explain.md
    python benchmarks/explain.py --figure                   IMLE-Net: explain, draw, write the PNG; aim 2 s

One target, one record at a time. Seconds by the clock and of CPU time, the least of the repeats: on a machine
that others use, CPU time is what compares. Captum runs the same network on the same input with the same
number of passes where it has the method: integrated gradients (Gauss-Legendre), smoothgrad (NoiseTunnel
over Saliency), occlusion of windows in each lead (zeros), of leads (FeatureAblation), Grad-CAM.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from keep import keep
from machine import describe_machine

MODELS = ("imle-net", "xresnet1d18", "conv-bilstm-attention", "ecg-xplaim")
AIM_SECONDS = 2.0
SECONDS = 0.2
"""Of a window that is covered."""


def fresh_model(name: str) -> Any:
    """A network with its starting weights, as a classifier of its published input."""
    import torch

    import leadlight as ll
    from leadlight.classifier import Classifier
    from leadlight.classifier.contract import contract_from
    from leadlight.signal import GlobalScaling, Metadata, Preprocessing

    torch.manual_seed(0)
    module = ll.models.create(name, 5)
    given = ll.models.describe(name).input
    columns = int(getattr(module, "n_metadata", 0))
    names = ("age", "male", "female", "age missing", "sex missing")[:columns]
    steps = (GlobalScaling(0.0, 0.23),)
    contract = {
        "name": f"untrained {name}",
        "architecture": {"name": name, "n_classes": 5, "n_leads": 12, "n_samples": given.n_samples,
                         "sampling_rate": given.sampling_rate, "arguments": {}},
        "preprocessing": Preprocessing(
            sampling_rate=given.sampling_rate, n_samples=given.n_samples, steps=steps
        ),
        "metadata": Metadata(names, "z-score", 60.0, 15.0) if columns else None,
        "label_space": {"name": "ptb-xl/superclass", "version": "1"},
        "classes": [(code, "") for code in ("CD", "HYP", "MI", "NORM", "STTC")],
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
    return Classifier(module, contract_from(contract))


def heart(n_seconds: float) -> Any:
    """A simulated normal ECG, so that its waves can be found."""
    from leadlight.simulate import simulate_recording

    return simulate_recording(["NORM"], 0)[0].crop(0, n_seconds)


def captum_calls(model: Any, signal: Any, metadata: Any) -> dict[str, Callable[[], Any]]:
    """Captum's own, by the name that the rows below have."""
    import torch
    from captum import attr

    module, beside = model.module, () if metadata is None else (metadata,)
    rate = model.contract.input.sampling_rate
    leads = torch.arange(12)[None, :, None].expand_as(signal)
    width = round(SECONDS * rate)

    def call(given: Any, *rest: Any) -> Any:
        return module(given, *(one.expand(len(given), -1) for one in rest))

    shared = {"target": 2, "additional_forward_args": beside or None}
    calls: dict[str, Callable[[], Any]] = {
        "gradients": lambda: attr.InputXGradient(call).attribute(signal, **shared),
        "integrated-gradients": lambda: attr.IntegratedGradients(call).attribute(
            signal, n_steps=50, internal_batch_size=16, method="gausslegendre", **shared
        ),
        "smoothgrad": lambda: attr.NoiseTunnel(attr.Saliency(call)).attribute(
            signal, nt_samples=25, nt_samples_batch_size=16, stdevs=0.1, **shared
        ),
        "occlusion by=lead": lambda: attr.FeatureAblation(call).attribute(
            signal, feature_mask=leads, perturbations_per_eval=32, **shared
        ),
        f"occlusion by=window ({SECONDS:g} s)": lambda: attr.Occlusion(call).attribute(
            signal, (1, width), strides=(1, width), perturbations_per_eval=32, **shared
        ),
    }
    layer = module.get_submodule(module.cam_layer)
    if model.contract.architecture.name != "imle-net":  # whose layer has segments in place of records
        calls["grad-cam"] = lambda: attr.LayerGradCam(call, layer).attribute(signal, **shared)
    return calls


def own_calls(model: Any, recording: Any) -> dict[str, Callable[[], Any]]:
    import leadlight as ll

    settings: dict[str, tuple[str, dict[str, Any]]] = {
        "attention": ("attention", {}),
        "grad-cam": ("grad-cam", {}),
        "gradients": ("gradients", {}),
        "guided-grad-cam": ("guided-grad-cam", {}),
        "smoothgrad": ("smoothgrad", {}),
        "integrated-gradients": ("integrated-gradients", {}),
        "occlusion by=lead": ("occlusion", {"by": "lead"}),
        "occlusion by=wave": ("occlusion", {"by": "wave"}),
        f"occlusion by=window ({SECONDS:g} s)": ("occlusion", {"seconds": SECONDS}),
    }
    can = {name for name in ll.explanation.METHODS if not ll.explanation.METHODS[name].refuses(model)}
    return {
        row: (lambda method=method, own=own: ll.explain(model, recording, "MI", method, **own))
        for row, (method, own) in settings.items()
        if method in can
    }


def least(call: Callable[[], Any], repeats: int) -> tuple[float, float, Any]:
    """Wall and CPU seconds, each the least of the repeats, and what the call gave."""
    walls, cpus, result = [], [], None
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        result = call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus), result


def measure(name: str, repeats: int, without: list[str]) -> Iterator[str]:
    """Rows of the table for one model. without: beginnings of rows that are left out."""
    import torch

    import leadlight.explanation  # noqa: F401

    model = fresh_model(name)
    steps = model.contract.preprocessing
    recording = heart(steps.duration)
    signal = torch.from_numpy(model.view(recording).values.copy())[None]
    stated = model.contract.metadata
    metadata = None if stated is None else torch.from_numpy(stated.of([recording.patient]))
    captum = captum_calls(model, signal, metadata)
    model.predict(recording)
    for row, call in own_calls(model, recording).items():
        if any(row.startswith(one) for one in without):
            continue
        wall, cpu, explanation = least(call, repeats)
        beside = "– | –"
        if row in captum:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = least(captum[row], repeats)
            beside = f"{theirs[0]:.2f} | {theirs[1]:.2f}"
        cost = explanation.cost
        made = (
            f"| {name} | {row} | {cost.forward_passes} | {cost.backward_passes} | {wall:.2f} | {cpu:.2f} "
            f"| {beside} |"
        )
        print(made, flush=True)
        yield made


def measure_figure(repeats: int) -> None:
    """Explain by attention, draw, write: what a user waits for."""
    import leadlight as ll
    from leadlight.figures import save_figure

    model, recording = fresh_model("imle-net"), heart(10.0)
    with tempfile.TemporaryDirectory() as folder:
        for layout in ("3x4", "12x1"):

            def call(layout: str = layout) -> None:
                figure = ll.explain(model, recording, longer="first").figure(layout)
                save_figure(figure, Path(folder) / "why.png")

            call()
            wall, cpu, _ = least(call, repeats)
            verdict = "met" if wall <= AIM_SECONDS else "MISSED"
            print(
                f"{layout}: {wall:.2f} s by the clock, {cpu:.2f} s of CPU; aim of {AIM_SECONDS:g} s {verdict}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without", nargs="*", default=[], help="rows that begin so are left out")
    parser.add_argument("--figure", action="store_true")
    parser.add_argument("--out", type=Path, help="Markdown file to write as well")
    arguments = parser.parse_args()

    import torch

    torch.set_num_threads(arguments.threads)
    if arguments.figure:
        measure_figure(arguments.repeats)
        return
    header = (
        "| model | method | forward | backward | s, clock | s, CPU | Captum s, clock | Captum s, CPU |\n"
        "|---|---|---:|---:|---:|---:|---:|---:|"
    )
    command = " ".join(["python", *sys.argv])
    rows = []
    for name in arguments.models:
        for row in measure(name, arguments.repeats, arguments.without):
            rows.append(row)
            machine = describe_machine("leadlight", "torch", "captum", "numpy", "neurokit2")
            about = "\n".join(
                [
                    "# Seconds to explain one record",
                    f"\n`{command}`\n",
                    f"{machine} Threads: {arguments.threads}; the least of {arguments.repeats} repeats.",
                    "Untrained networks of their published size, a simulated normal ECG, one target.",
                    "The passes include the prediction's own.\n\n",
                ]
            )
            # Kept after every row: the slow ones take minutes.
            keep(about + "\n".join([header, *rows]) + "\n", arguments.out)


if __name__ == "__main__":
    main()
