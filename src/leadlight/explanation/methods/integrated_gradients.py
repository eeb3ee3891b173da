"""integrated-gradients: gradients along the straight way from a baseline to the recording, added up.

Definition: R = (x - b) * integral over a from 0 to 1 of df/dx at b + a (x - b), with f the target's
logit; by Gauss-Legendre quadrature. All R, and those of age and sex, add up to f(x) - f(b); how nearly
they do is among the facts. Age and sex go from "not known" to the patient's.
Source: Sundararajan, Taly, Yan 2017, arXiv 1703.01365.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlight.explanation.baselines import BASELINES, baseline_of, describe_baseline
from leadlight.explanation.method import Map, Method, Settings, never

if TYPE_CHECKING:
    from leadlight.explanation.reading import Reading, Singles

WORTH_SAYING = 0.05
"""A completeness error, as a share of the change of the logit, from which on a note is made."""


@dataclass(frozen=True)
class IntegratedSettings(Settings):
    """steps: points on the way; baseline: where it begins."""

    steps: int = 50
    baseline: str = "median"

    def __post_init__(self) -> None:
        self.within("steps", 2, 1000)
        self.one_of("baseline", BASELINES)


def run(reading: Reading, targets: Sequence[str | None], settings: IntegratedSettings) -> list[Map]:
    """``steps`` + 2 forward passes and, for each target, ``steps`` backward ones."""
    numbers = reading.numbers([code for code in targets if code is not None])
    start = baseline_of(reading.inputs, settings.baseline)
    way = reading.inputs - start
    unknown, known = reading.unknown_metadata, reading.metadata
    nodes, weights = np.polynomial.legendre.leggauss(settings.steps)

    def points() -> Iterator[tuple[Singles, Singles | None, float]]:
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            metadata = None
            if known is not None and unknown is not None:
                metadata = (unknown + node * (known - unknown)).astype(np.float32)
            yield (start + np.float32(node) * way).astype(np.float32), metadata, float(weight)

    gradients, of_metadata = reading.mean_gradient(points(), numbers)
    here = reading.answers([reading.inputs])[0][numbers]
    there = reading.answers([start], unknown)[0][numbers]
    stated = reading.classifier.contract.metadata
    maps = []
    for place in range(len(numbers)):
        relevance = reading.join(gradients[place] * way)
        beside: dict[str, float] = {}
        if of_metadata is not None and stated is not None and known is not None and unknown is not None:
            parts = of_metadata[place] * (known - unknown)
            beside = dict(zip(stated.columns, map(float, parts), strict=True))
        change = float(here[place] - there[place])
        error = float(relevance.sum() + sum(beside.values()) - change)
        notes: tuple[str, ...] = ()
        if abs(error) > WORTH_SAYING * max(abs(change), 1e-6):
            notes = (
                f"the relevance adds up to {change + error:+.3g}, the logit changes by {change:+.3g}: "
                "take more steps",
            )
        maps.append(
            Map(
                relevance, "logit", True, _meaning(settings.baseline),
                baseline=describe_baseline(settings.baseline), beside=beside, notes=notes,
                facts={"baseline logit": float(there[place]), "completeness error": error},
            )
        )  # fmt: skip
    return maps


def _meaning(baseline: str) -> tuple[str, ...]:
    return (
        f"Colour: what each sample adds to the target's logit on the way from {describe_baseline(baseline)} "
        "to the recording: above 0 it speaks for the class, below 0 against it. All of it adds up to the "
        "change of the logit.",
        "Another baseline gives another map. A sample on the baseline gets nothing, though flatness can be "
        "evidence.",
    )


METHOD = Method(
    name="integrated-gradients",
    definition="Gradients of the target's logit along the straight way from a baseline to the recording, "
    "times the way: what each sample adds; all of it is the change of the logit.",
    source="Sundararajan et al. 2017, arXiv 1703.01365",
    needs="any model here",
    cost="steps + 2 forward passes, and steps backward passes a target (50 steps by default)",
    cannot_show="What does not differ from the baseline, such as a wave that is missing; the recordings "
    "on the way are no ECGs.",
    class_dependent=True,
    settings=IntegratedSettings,
    settings_meaning={
        "steps": "points on the way from the baseline, 2 to 1000",
        "baseline": "where the way begins: " + ", ".join(BASELINES),
    },
    run=run,
    refuses=never,
)
