"""grad-cam: the last maps of the network, weighed by how much the target's logit rises with each channel.

Definition: with A_k(p) the output of a layer, channel k at position p, and f the target's logit:
w_k = mean over p of df/dA_k(p), map(p) = max(0, sum over k of w_k A_k(p)), stretched over the samples
by straight lines between the middles of the steps. Form ``hires``: sum over k of df/dA_k(p) A_k(p),
which is exact where the head does not average over positions. Form ``published``: as ECG-XPLAIM
paints it: gradient of the probability, the published layer, divided by its own maximum (NaN where
nothing is positive), cubic interpolation, rescaled to 0 to 1.
Source: Selvaraju et al. 2017, arXiv 1610.02391; hires: Draelos & Carin 2020, arXiv 2011.08891;
published: Pantelidis et al. 2025, doi:10.3389/fcvm.2025.1659971.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ModelError
from leadlight.explanation.cam_layers import CamLayer, arranged, cam_layers, on_samples
from leadlight.explanation.method import Map, Method, Settings, never

if TYPE_CHECKING:
    from torch import Tensor

    from leadlight.explanation.reading import Reading

Floats = NDArray[np.float64]
FORMS = ("sound", "hires", "published")


@dataclass(frozen=True)
class CamSettings(Settings):
    """form; layer: name of a part of the network, "" for the model's own choice."""

    form: str = "sound"
    layer: str = ""

    def __post_init__(self) -> None:
        self.one_of("form", FORMS)


@dataclass(frozen=True)
class LayerMaps:
    """Maps of a layer before ReLU (targets, windows, rows, steps), and weights (targets, windows, channels).

    For ``hires``, the weights are the means of the gradients and take no part.
    """

    layer: CamLayer
    raw: Floats
    weights: Floats


def run(reading: Reading, targets: Sequence[str | None], settings: CamSettings) -> list[Map]:
    """One forward pass, and one backward from the logit to the layer for each target."""
    codes = [code for code in targets if code is not None]
    module: Any = reading.classifier.module
    chosen = settings.layer
    if settings.form == "published":
        if len(reading.inputs) > 1:
            raise ModelError(
                f"grad-cam, form published: found {len(reading.inputs)} windows; accepted: one input, as "
                'published. Choose the part: longer="first" or "centre", or another form.'
            )
        chosen = chosen or getattr(module, "published_cam_layer", "")
    layers = cam_layers(module, chosen)
    of_layers = layer_maps(reading, codes, layers, settings.form)
    if settings.form == "published":
        return [_published(reading, of_layers[0], place) for place in range(len(codes))]
    return [_sound(reading, of_layers, place, settings.form) for place in range(len(codes))]


def cam_windows(reading: Reading, of_layers: Sequence[LayerMaps], place: int) -> Floats:
    """One target's map over the samples of each window, not below zero: (windows, leads, samples)."""
    result = np.zeros(reading.inputs.shape)
    for one in of_layers:
        maps = np.maximum(
            on_samples(one.raw[place], reading.classifier.module, one.layer, reading.window_samples), 0
        )
        result[:, list(one.layer.leads)] += np.broadcast_to(
            maps, (len(maps), len(one.layer.leads), reading.window_samples)
        )
    return result


def layer_maps(
    reading: Reading, codes: Sequence[str], layers: Sequence[CamLayer], form: str = "sound"
) -> list[LayerMaps]:
    """Maps of targets from layers, with gradients of the logit or, published, of the probability."""
    import torch

    from leadlight.explanation.passing import gradients_allowed
    from leadlight.explanation.reading import BATCH

    numbers = reading.numbers(codes)
    shares = reading.window_shares(reading.inputs, reading.metadata, numbers)
    signal_device = next(reading.classifier.module.parameters()).device
    parts: list[list[tuple[Floats, Floats]]] = [[] for _ in layers]
    for first in range(0, len(reading.inputs), BATCH // 2):
        inputs = reading.inputs[first : first + BATCH // 2]
        signal = reading.tensor(inputs).requires_grad_()
        with torch.enable_grad(), gradients_allowed(signal_device):
            logits, outputs = _outputs(reading, signal, layers)
            answer = torch.sigmoid(logits) if form == "published" else logits
            found: list[list[Any]] = [[] for _ in layers]
            for row, number in enumerate(numbers):
                seed = torch.from_numpy(shares[row, first : first + len(inputs)]).to(logits)
                slopes = torch.autograd.grad(
                    (answer[:, number] * seed).sum(), outputs, retain_graph=row < len(numbers) - 1,
                    materialize_grads=True,
                )  # fmt: skip
                reading.backward_passes += len(inputs)
                for place, slope in enumerate(slopes):
                    found[place].append(slope)
        for place, layer in enumerate(layers):
            module, batch = reading.classifier.module, len(inputs)
            values = arranged(outputs[place].detach(), layer, module, batch).double()
            slope = torch.stack([arranged(one, layer, module, batch) for one in found[place]]).double()
            weights = slope.mean((3, 4))
            by_channel = slope * values if form == "hires" else weights[..., None, None] * values
            parts[place].append((by_channel.sum(2).cpu().numpy(), weights.cpu().numpy()))
    return [
        LayerMaps(
            layer,
            np.concatenate([raw for raw, _ in own], axis=1),
            np.concatenate([weights for _, weights in own], axis=1),
        )
        for layer, own in zip(layers, parts, strict=True)
    ]


def _outputs(reading: Reading, signal: Tensor, layers: Sequence[CamLayer]) -> tuple[Tensor, list[Tensor]]:
    """Logits, and what each layer gave on the way."""
    import torch

    kept: dict[str, list[Tensor]] = {layer.name: [] for layer in layers}
    hooks = []
    for layer in layers:

        def keep(part: Any, given: Any, output: Any, name: str = layer.name) -> Any:
            values, *others = output if isinstance(output, tuple) else (output,)
            if not isinstance(values, torch.Tensor):
                raise ModelError(f"layer {name}: found an output that is no tensor; accepted: one that is.")
            kept[name].append(values)
            # What follows may change its input in place: it gets a copy.
            copy = values.clone()
            return (copy, *others) if isinstance(output, tuple) else copy

        hooks.append(reading.classifier.module.get_submodule(layer.name).register_forward_hook(keep))
    try:
        logits = reading.forward(signal)
    finally:
        for hook in hooks:
            hook.remove()
    for name, outputs in kept.items():
        if len(outputs) != 1:
            raise ModelError(
                f"layer {name}: found {len(outputs)} outputs in one pass; accepted: a part that is "
                "called once."
            )
    return logits, [kept[layer.name][0] for layer in layers]


def _sound(reading: Reading, of_layers: Sequence[LayerMaps], place: int, form: str) -> Map:
    relevance = reading.join(cam_windows(reading, of_layers, place))
    raw = np.concatenate([one.raw[place].ravel() for one in of_layers])
    positive, size = float(np.maximum(raw, 0).sum()), float(np.abs(raw).sum())
    notes: tuple[str, ...] = ()
    if positive == 0:
        notes = ("no step of the map speaks for the class: it is empty",)
    apart, said = leads_said(reading, of_layers)
    weighing = (
        "gradient × output at each step, over all channels"
        if form == "hires"
        else "channels weighed by their mean gradient"
    )
    names = ", ".join(one.layer.name for one in of_layers)
    meaning = (
        f"Colour: Grad-CAM of the target's logit at {names}: {weighing}; what speaks for the class alone.",
        said,
        f"A step stands for {step_seconds(reading, of_layers[0]):.2g} s and has seen more than that; "
        "evidence against the class is not shown.",
    )
    return Map(
        relevance, "weighted activation", False, meaning, leads_apart=apart,
        parts=_parts(of_layers, place), notes=notes,
        facts={"maximum": float(relevance.max()), "positive share": positive / size if size else 0.0},
    )  # fmt: skip


def leads_said(reading: Reading, of_layers: Sequence[LayerMaps]) -> tuple[bool, str]:
    """Whether leads have maps of their own, and a sentence on it."""
    names = reading.recording.leads
    if len(of_layers) > 1:
        groups = "; ".join(", ".join(names[lead] for lead in one.layer.leads) for one in of_layers)
        return True, f"Leads that one part of the network reads share a map: {groups}."
    rows = of_layers[0].raw.shape[2]
    if rows == len(names) > 1:
        mixes = getattr(reading.classifier.module, "cam_axes", "").startswith("batch*leads")
        seen = "" if mixes else ", which has seen its neighbours in the order of the leads too"
        return True, f"Each lead has a map of its own{seen}."
    if len(names) == 1:
        return True, "There is one lead."
    return False, (
        "All leads share one map: the layer has mixed them. Occlusion and integrated gradients tell them "
        "apart."
    )


def step_seconds(reading: Reading, one: LayerMaps) -> float:
    """Seconds of recording that a step of the map stands for."""
    return float(reading.window_samples / one.raw.shape[-1] / reading.recording.sampling_rate)


def _parts(of_layers: Sequence[LayerMaps], place: int) -> dict[str, NDArray[np.float32]]:
    """The maps before ReLU: (rows, steps), or (windows, rows, steps) of several windows."""
    return {
        f"raw {one.layer.name}": np.asarray(
            one.raw[place, 0] if one.raw.shape[1] == 1 else one.raw[place], dtype=np.float32
        )
        for one in of_layers
    }


def _published(reading: Reading, one: LayerMaps, place: int) -> Map:
    from scipy.ndimage import zoom

    raw, n_samples = one.raw[place, 0].mean(axis=0), reading.n_samples
    with np.errstate(invalid="ignore", divide="ignore"):
        cam = np.maximum(raw, 0) / np.maximum(raw, 0).max()
    large = np.full(n_samples, np.nan)
    if np.isfinite(cam).all():
        large = zoom(cam, n_samples / len(cam))[:n_samples]
    painted = (large - large.min()) / np.ptp(large)
    notes = () if np.isfinite(painted).all() else ("nothing is positive: the published map is NaN",)
    leads = reading.inputs.shape[1]
    meaning = (
        f"Colour: Grad-CAM as ECG-XPLAIM paints it, at {one.layer.name}: divided by its own maximum and "
        "rescaled to 0 to 1 in each record, so that an empty map looks like a strong one.",
        "All leads share one map. For comparison only: the sound form is the default.",
    )
    return Map(
        np.tile(painted, (leads, 1)), "0 to 1 of the record's own range", False, meaning, leads_apart=False,
        parts={
            "weights": np.asarray(one.weights[place, 0], dtype=np.float32),
            "raw": np.asarray(raw, dtype=np.float32),
            "cam": np.asarray(cam, dtype=np.float32),
            "upsampled": np.asarray(large, dtype=np.float32),
        },
        notes=notes,
    )  # fmt: skip


METHOD = Method(
    name="grad-cam",
    definition="The outputs of the network's last layer with a time axis, weighed by how much the target's "
    "logit rises with each channel; what is positive of it.",
    source="Selvaraju et al. 2017, arXiv 1610.02391; form hires: Draelos & Carin 2020, arXiv 2011.08891; "
    "form published: Pantelidis et al. 2025, doi:10.3389/fcvm.2025.1659971",
    needs="a layer with a time axis, which every model here has",
    cost="1 forward pass, and 1 backward pass from the logit to the layer a target",
    cannot_show="Leads, where the layer has mixed them (most models); evidence against; detail finer than a "
    "step. Where the head does not average over time, form hires is the sound one.",
    class_dependent=True,
    settings=CamSettings,
    settings_meaning={
        "form": "sound, hires (gradient x output at each step) or published (as ECG-XPLAIM paints it)",
        "layer": "a part of the network by name; empty for the model's own choice",
    },
    run=run,
    refuses=never,
)
