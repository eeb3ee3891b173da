"""Where the layers that Grad-CAM reads lie: which leads their rows have read, which samples their steps.

``models/contract.py`` says how a model states it; without a statement, (batch, channels, rows, steps)
or (batch, channels, steps) are taken, steps evenly spread over the samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor, nn

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CamLayer:
    """A layer by its name, the axes of its output ("" where they are as usual), the leads that it has read.

    stated: whether the model names it as its own, so that what it says of places holds.
    """

    name: str
    axes: str
    leads: tuple[int, ...]
    stated: bool


def cam_layers(module: nn.Module, chosen: str = "") -> list[CamLayer]:
    """The layers that Grad-CAM reads: those that the model states, or the one that is chosen.

    Raises ModelError for a layer that the network does not have.
    """
    anything: Any = module
    everything = tuple(range(int(anything.n_leads)))
    if not chosen or chosen == anything.cam_layer:
        axes = getattr(module, "cam_axes", "")
        names = getattr(module, "cam_layers", (anything.cam_layer,))
        leads = getattr(module, "cam_leads", (everything,) * len(names))
        return [CamLayer(name, axes, own, True) for name, own in zip(names, leads, strict=True)]
    known = [name for name, _ in module.named_modules() if name]
    if chosen not in known:
        hint = did_you_mean(chosen, known)
        raise ModelError(
            f"layer: found {chosen!r}; accepted: a part of the network, such as {anything.cam_layer}.{hint}"
        )
    return [CamLayer(chosen, "", everything, False)]


def arranged(output: Tensor, layer: CamLayer, module: nn.Module, batch: int) -> Tensor:
    """A layer's output as (batch, channels, rows, steps); one row, or one a lead.

    Raises ModelError for a shape that cannot be read so.
    """
    n_leads = len(layer.leads)
    if not layer.axes:
        if output.ndim == 3 and output.shape[0] == batch:
            return output.unsqueeze(2)
        if output.ndim == 4 and output.shape[0] == batch and output.shape[2] in (1, n_leads):
            return output
        raise ModelError(
            f"layer {layer.name}: found an output of shape {tuple(output.shape)}; accepted: (batch, "
            f"channels, 1 or {n_leads} leads, steps) or (batch, channels, steps), of the {batch} inputs."
        )
    sizes = {"batch": batch, "leads": n_leads, "one": 1, "segments": int(getattr(module, "n_segments", 1))}
    names, shape = [], []
    for axis, length in zip(layer.axes.split(), output.shape, strict=True):
        parts = axis.split("*")
        names += parts
        shape += [sizes.get(part, length) for part in parts]
    values = output.reshape(shape)
    order = [name for name in ("batch", "channels", "leads", "segments", "steps") if name in names]
    if "one" in names:
        values = values.squeeze(names.index("one"))
        names.remove("one")
    values = values.permute([names.index(name) for name in order])
    rows = n_leads if "leads" in names else 1
    return values.reshape(batch, values.shape[1], rows, -1)


def places(module: nn.Module, layer: CamLayer, steps: int, n_samples: int) -> list[Floats]:
    """Where each sample lies on the axis of the steps: one array (samples,), or several that are added."""
    if layer.stated and hasattr(module, "cam_places"):
        said: Any = module.cam_places
        return [np.asarray(one, dtype=np.float64) for one in said(steps)]
    return [(np.arange(n_samples) + 0.5) * steps / n_samples - 0.5]


def on_samples(
    maps: NDArray[np.floating], module: nn.Module, layer: CamLayer, n_samples: int
) -> NDArray[np.float64]:
    """Maps (..., steps) to (..., samples), by straight lines between the middles of the steps."""
    steps = maps.shape[-1]
    rows = maps.reshape(-1, steps).astype(np.float64)
    known = np.arange(steps)
    whole = [
        sum(np.interp(place, known, row) for place in places(module, layer, steps, n_samples)) for row in rows
    ]
    return np.asarray(whole).reshape(*maps.shape[:-1], n_samples)
