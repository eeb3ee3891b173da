"""guided-grad-cam: Grad-CAM's map times the guided gradient at each sample.

Definition: R = map(t) |g(l, t)|, with the map of ``grad-cam`` and g the gradient of the target's logit by
guided backpropagation: at every ReLU it passes only where the input was positive and the gradient is.
Source: Selvaraju et al. 2017, arXiv 1610.02391; Springenberg et al. 2015, arXiv 1412.6806; with absolute
values on ECGs: Suh et al. 2024, Computers in Biology and Medicine 182:109088.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlight.explanation.cam_layers import cam_layers
from leadlight.explanation.method import Map, Method, Settings
from leadlight.explanation.methods.grad_cam import cam_windows, layer_maps, leads_said, step_seconds

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.explanation.reading import Reading

FORMS = ("sound", "hires")


@dataclass(frozen=True)
class GuidedSettings(Settings):
    """form, layer: as of grad-cam."""

    form: str = "sound"
    layer: str = ""

    def __post_init__(self) -> None:
        self.one_of("form", FORMS)


def run(reading: Reading, targets: Sequence[str | None], settings: GuidedSettings) -> list[Map]:
    """Two forward passes, and two backward ones for each target."""
    from leadlight.explanation.passing import GuidedRectifiers

    codes = [code for code in targets if code is not None]
    of_layers = layer_maps(
        reading, codes, cam_layers(reading.classifier.module, settings.layer), settings.form
    )
    gradients, _ = reading.mean_gradient(
        [(reading.inputs, reading.metadata, 1.0)], reading.numbers(codes), GuidedRectifiers
    )
    _, said = leads_said(reading, of_layers)
    meaning = (
        "Colour: Grad-CAM of the target's logit times the guided gradient at each sample, in size.",
        f"Where in time: from Grad-CAM, in steps of {step_seconds(reading, of_layers[0]):.2g} s. {said} "
        "Which lead and which sample within a step: from the guided gradient, which follows the signal's "
        "edges whatever the network has learned (it fails sanity checks: Adebayo et al. 2018).",
    )
    maps = []
    for place in range(len(codes)):
        relevance = reading.join(cam_windows(reading, of_layers, place) * np.abs(gradients[place]))
        notes = () if relevance.any() else ("nothing speaks for the class: the map is empty",)
        maps.append(Map(relevance, "weighted activation x change of the logit", False, meaning, notes=notes))
    return maps


def _refuses(classifier: Classifier) -> str:
    """Whether any ReLU is met is known only from a pass."""
    import torch

    from leadlight.explanation.passing import GuidedRectifiers

    given, metadata = classifier.contract.input, classifier.contract.metadata
    device = next(classifier.module.parameters()).device
    inputs = [torch.zeros(1, len(given.leads), given.n_samples, device=device)]
    if metadata is not None:
        inputs.append(torch.zeros(1, len(metadata.columns), device=device))
    with torch.no_grad(), GuidedRectifiers() as rule:
        classifier.module(*inputs)
    name = classifier.contract.architecture.name
    return "" if rule.calls else f"{name}, which has no ReLU to guide gradients at"


METHOD = Method(
    name="guided-grad-cam",
    definition="Grad-CAM's map times the size of the guided gradient at each sample.",
    source="Selvaraju et al. 2017, arXiv 1610.02391; Springenberg et al. 2015, arXiv 1412.6806; on ECGs Suh "
    "et al. 2024, Comput. Biol. Med. 182:109088",
    needs="a model with ReLUs; leaky ones are treated alike, other activations pass the plain gradient",
    cost="3 forward passes, and 2 backward passes a target",
    cannot_show="A sign. The guided part shows edges of the signal whatever was learned.",
    class_dependent=True,
    settings=GuidedSettings,
    settings_meaning={
        "form": "of the Grad-CAM part: sound or hires",
        "layer": "a part of the network by name; empty for the model's own choice",
    },
    run=run,
    refuses=_refuses,
)
