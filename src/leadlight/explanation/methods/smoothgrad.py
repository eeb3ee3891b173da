"""smoothgrad: the mean gradient over noisy copies of the recording.

Definition: R = | mean over draws n of df/dx at x + n |, n normal with a standard deviation of ``noise``
times the range of each lead; form ``times-input`` multiplies the mean gradient by x - b instead.
Source: Smilkov et al. 2017, arXiv 1706.03825.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlight.explanation.baselines import BASELINES
from leadlight.explanation.method import Map, Method, Settings, never
from leadlight.explanation.methods.gradients import FORMS, gradient_maps

if TYPE_CHECKING:
    from leadlight.explanation.reading import Reading, Singles


@dataclass(frozen=True)
class SmoothSettings(Settings):
    """draws: noisy copies; noise: share of each lead's range; form, baseline: as of gradients; seed."""

    draws: int = 25
    noise: float = 0.1
    form: str = "plain"
    baseline: str = "median"
    seed: int = 0

    def __post_init__(self) -> None:
        self.within("draws", 1, 1000)
        self.within("noise", 0.0, 1.0)
        self.one_of("form", FORMS)
        self.one_of("baseline", BASELINES)
        self.within("seed", 0, 2**32 - 1)


def run(reading: Reading, targets: Sequence[str | None], settings: SmoothSettings) -> list[Map]:
    """``draws`` forward passes and, for each target, as many backward ones."""
    numbers = reading.numbers([code for code in targets if code is not None])
    inputs = reading.inputs
    deviation = (settings.noise * np.ptp(inputs, axis=2, keepdims=True)).astype(np.float32)

    def points() -> Iterator[tuple[Singles, Singles | None, float]]:
        rng = np.random.default_rng(settings.seed)
        for _ in range(settings.draws):
            noisy = inputs + deviation * rng.standard_normal(inputs.shape, dtype=np.float32)
            yield noisy, reading.metadata, 1 / settings.draws

    gradients, of_metadata = reading.mean_gradient(points(), numbers)
    what = (
        f"the gradient, a mean over {settings.draws} copies with noise of {100 * settings.noise:g}% of "
        "each lead's range,"
    )
    return gradient_maps(reading, gradients, of_metadata, settings.form, settings.baseline, what)


METHOD = Method(
    name="smoothgrad",
    definition="The gradient of the target's logit, averaged over noisy copies of the recording; its size, "
    "or times the distance from a baseline.",
    source="Smilkov et al. 2017, arXiv 1706.03825",
    needs="any model here",
    cost="draws forward passes, and as many backward passes a target (25 by default)",
    cannot_show="A sign, in its plain form. The noise itself takes the recording away from real ones.",
    class_dependent=True,
    settings=SmoothSettings,
    settings_meaning={
        "draws": "noisy copies, 1 to 1000",
        "noise": "standard deviation, as a share of each lead's range, 0 to 1",
        "form": "plain (absolute) or times-input (signed)",
        "baseline": "for times-input: " + ", ".join(BASELINES),
        "seed": "of the noise",
    },
    run=run,
    refuses=never,
)
