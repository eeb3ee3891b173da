"""What is asked of an explanation: methods with their settings, measures, numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadlight.errors import EvaluationError, did_you_mean
from leadlight.explanation.explaining import check_method, find_method
from leadlight.explanation.method import Method, Settings
from leadlight.explanation.methods import usable

if TYPE_CHECKING:
    from leadlight.classifier import Classifier

FAMILIES = ("truth", "criteria", "deletion", "stability", "sanity")
USUAL = ("attention", "grad-cam", "gradients", "integrated-gradients")
"""Methods that are measured where none is named, as far as the model can."""


@dataclass(frozen=True)
class Measure:
    """title: in tables; family: of FAMILIES; better: "high", "low" or "" where neither is."""

    title: str
    family: str
    better: str


MEASURES: Mapping[str, Measure] = {
    "truth_mass": Measure("relevance in the true place", "truth", "high"),
    "truth_rank": Measure("rank accuracy", "truth", "high"),
    "truth_pointing": Measure("pointing game", "truth", "high"),
    "criteria_share": Measure("relevance where the criteria look", "criteria", "high"),
    "criteria_ratio": Measure("that share over the place's share of the signal", "criteria", "high"),
    "deletion": Measure("area under deletion", "deletion", "low"),
    "deletion_gain": Measure("random order less deletion", "deletion", "high"),
    "insertion": Measure("area under insertion", "deletion", "high"),
    "insertion_gain": Measure("insertion less random order", "deletion", "high"),
    "noise_correlation": Measure("rank correlation with the map under small noise", "stability", "high"),
    "noise_change": Measure("largest relative change under small noise", "stability", "low"),
    "noise_probability": Measure("largest change of the probability under that noise", "stability", ""),
    "sanity_head": Measure("rank correlation after shuffling the head", "sanity", "low"),
    "sanity_third": Measure("after shuffling the last third of the layers", "sanity", "low"),
    "sanity_two_thirds": Measure("after shuffling the last two thirds", "sanity", "low"),
    "sanity_all": Measure("after shuffling all layers", "sanity", "low"),
    "other_class": Measure("rank correlation with the map of another class", "sanity", "low"),
}
"""Every measure of a map, by its name in tables and files."""

REFERENCES: Mapping[str, str] = {
    "even": "the same everywhere",
    "noise": "random numbers",
    "amplitude": "how far each sample lies from its lead's median",
}
"""Maps that know nothing of the model, measured beside the methods."""


@dataclass(frozen=True)
class Asked:
    """A method under the name that it has in tables, with its settings."""

    name: str
    method: Method
    settings: Settings


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    families: of FAMILIES; records: pairs of a record and a class; steps: of deletion and insertion;
    block_seconds: length of what is covered at once, in one lead; orders: random ones to compare with;
    noise: standard deviation of the small noise, as a share of each lead's own; draws: of it;
    stability_records, sanity_records: pairs, the first of all, that are explained again and again for
    these; seed.
    """

    families: tuple[str, ...] = FAMILIES
    records: int = 200
    steps: int = 10
    block_seconds: float = 0.1
    orders: int = 2
    noise: float = 0.05
    draws: int = 2
    stability_records: int = 50
    sanity_records: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name in self.families:
            if name not in FAMILIES:
                hint = did_you_mean(name, FAMILIES)
                raise EvaluationError(f"measures: found {name!r}; accepted: {', '.join(FAMILIES)}.{hint}")
        for name in ("records", "steps", "orders", "draws", "stability_records", "sanity_records"):
            if getattr(self, name) < 1:
                raise EvaluationError(f"{name}: found {getattr(self, name)}; accepted: 1 or more.")
        if not (self.block_seconds > 0 and self.noise > 0):
            raise EvaluationError(
                f"block_seconds, noise: found {self.block_seconds:g} and {self.noise:g}; accepted: above 0."
            )


def parse_method(text: str) -> Asked:
    """A method by name, with settings behind a colon: "occlusion:by=wave,fill=median".

    Raises ModelError for a method or a setting that there is not, EvaluationError for another form.
    """
    name, _, settings = text.partition(":")
    method = find_method(name.strip())
    values: dict[str, Any] = {}
    for one in filter(None, (part.strip() for part in settings.split(","))):
        key, equals, value = one.partition("=")
        if not equals:
            raise EvaluationError(
                f"methods: found {text!r}; accepted: NAME, or NAME:SETTING=VALUE,SETTING=VALUE."
            )
        values[key.strip()] = value.strip()
    return Asked(text, method, method.set(values))


def asked_for(classifier: Classifier, names: Sequence[str] | None) -> list[Asked]:
    """Methods as ``parse_method`` reads them; None for the usual ones that the model can.

    Raises as ``parse_method`` does, and ModelError for one that the model cannot.
    """
    if names is None:
        names = [name for name in USUAL if name in usable(classifier)]
    found = [parse_method(text) for text in dict.fromkeys(names)]
    for one in found:
        check_method(classifier, one.method)
    return found
