"""gradients: how the target's logit answers to each sample, times the sample's distance from a baseline.

Definition: R = (x - b) df/dx, with x the model's input, b the baseline and f the target's logit. Form
``plain``: the absolute gradient alone, |df/dx| (saliency).
Source: Simonyan, Vedaldi, Zisserman 2014, arXiv 1312.6034 (saliency); Shrikumar et al. 2016, arXiv
1605.01713 (gradient x input).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlight.explanation.baselines import BASELINES, baseline_of, describe_baseline
from leadlight.explanation.method import Map, Method, Settings, never

if TYPE_CHECKING:
    from leadlight.explanation.reading import Floats, Reading

FORMS = ("times-input", "plain")


@dataclass(frozen=True)
class GradientSettings(Settings):
    """form: "times-input" or "plain"; baseline: what the input is compared with, for the first."""

    form: str = "times-input"
    baseline: str = "median"

    def __post_init__(self) -> None:
        self.one_of("form", FORMS)
        self.one_of("baseline", BASELINES)


def run(reading: Reading, targets: Sequence[str | None], settings: GradientSettings) -> list[Map]:
    """One forward and, for each target, one backward pass."""
    numbers = reading.numbers([code for code in targets if code is not None])
    gradients, of_metadata = reading.mean_gradient([(reading.inputs, reading.metadata, 1.0)], numbers)
    return gradient_maps(reading, gradients, of_metadata, settings.form, settings.baseline, "the gradient")


def gradient_maps(
    reading: Reading, gradients: Floats, of_metadata: Floats | None, form: str, baseline: str, what: str
) -> list[Map]:
    """Maps from gradients (targets, windows, leads, samples). what: was differentiated, in words."""
    if form == "plain":
        meaning = (
            f"Colour: the size of {what} of the target's logit at each sample: how fast the answer would "
            "change with it.",
            "No sign: a sample that counts may speak for the class or against it.",
        )
        unit = "absolute change of the logit for a change of one of the model's input"
        return [Map(reading.join(np.abs(one)), unit, False, meaning) for one in gradients]
    difference = reading.inputs - baseline_of(reading.inputs, baseline)
    beside: list[dict[str, float]] = [{} for _ in gradients]
    unknown, stated = reading.unknown_metadata, reading.classifier.contract.metadata
    if (
        of_metadata is not None
        and unknown is not None
        and stated is not None
        and reading.metadata is not None
    ):
        change = (reading.metadata - unknown).astype(np.float64)
        beside = [
            dict(zip(stated.columns, map(float, change * one), strict=True)) for one in of_metadata
        ]  # fmt: skip
    meaning = (
        f"Colour: {what} of the target's logit at each sample, times the sample's distance from "
        f"{describe_baseline(baseline)}: above 0 it speaks for the class, below 0 against it.",
        "It is a first-order estimate of what the sample adds to the logit; where the network bends in "
        "between, it is wrong. A sample on the baseline gets nothing, though flatness can be evidence.",
    )
    return [
        Map(
            reading.join(one * difference), "logit", True, meaning,
            baseline=describe_baseline(baseline), beside=own,
        )
        for one, own in zip(gradients, beside, strict=True)
    ]  # fmt: skip


METHOD = Method(
    name="gradients",
    definition="The gradient of the target's logit at each sample, times the sample's distance from a "
    "baseline; or the absolute gradient alone.",
    source="Simonyan et al. 2014, arXiv 1312.6034; Shrikumar et al. 2016, arXiv 1605.01713",
    needs="any model here",
    cost="1 forward pass, and 1 backward pass a target",
    cannot_show="What is missing: a flat wave has nothing to multiply by. Saturated answers have small "
    "gradients; noisy.",
    class_dependent=True,
    settings=GradientSettings,
    settings_meaning={
        "form": "times-input (signed) or plain (absolute gradient)",
        "baseline": "what a sample is compared with: " + ", ".join(BASELINES),
    },
    run=run,
    refuses=never,
)
