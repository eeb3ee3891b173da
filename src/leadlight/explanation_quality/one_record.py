"""Everything that is measured of the explanations of one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.explanation.explaining import explain_reading
from leadlight.explanation.reading import Reading
from leadlight.explanation_quality import measures
from leadlight.explanation_quality.asking import Asked, Plan
from leadlight.explanation_quality.perturbing import Blocks, covered_answers, curves, order_of
from leadlight.explanation_quality.places import TruePlace
from leadlight.explanation_quality.regions import Region

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.explanation import Explanation

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Case:
    """A class for which a record is explained: its code, its place among the outputs, where it shows."""

    code: str
    column: int
    truth: TruePlace | None = None
    region: Region | None = None


def reference_maps(reading: Reading, seed: int) -> dict[str, Floats]:
    """Maps that know nothing of the model."""
    signal = reading.recording.signal.astype(np.float64)
    known = np.nan_to_num(signal - np.nanmedian(signal, axis=1, keepdims=True))
    return {
        "even": np.ones(signal.shape),
        "noise": np.random.default_rng(seed).random(signal.shape),
        "amplitude": np.abs(known),
    }


def place_values(relevance: NDArray[np.floating], case: Case) -> dict[str, float]:
    """Measures of a map against where the class shows."""
    values = {}
    if case.truth is not None:
        mask = case.truth.mask
        values["truth_mass"] = measures.relevance_mass(relevance, mask)
        values["truth_rank"] = measures.rank_accuracy(relevance, mask)
        values["truth_pointing"] = measures.pointing(relevance, mask)
    if case.region is not None:
        share, ratio = measures.concentration(relevance, case.region.expected, case.region.neutral)
        values["criteria_share"], values["criteria_ratio"] = share, ratio
    return values


def curve_values(
    reading: Reading, maps: Mapping[str, Floats], case: Case, plan: Plan, seed: int
) -> dict[str, dict[str, float]]:
    """Deletion and insertion of several maps of one class, each against the same random orders."""
    rate = reading.recording.sampling_rate
    n_leads, n_samples = reading.recording.signal.shape
    blocks = Blocks(n_leads, n_samples, max(1, round(plan.block_seconds * rate)))
    rng = np.random.default_rng(seed)
    by_chance = [
        curves(reading, case.column, rng.permutation(len(blocks)), blocks, plan.steps)
        for _ in range(plan.orders)
    ]
    deleted = float(np.mean([one.deletion_area for one in by_chance]))
    inserted = float(np.mean([one.insertion_area for one in by_chance]))
    values = {
        "noise": {"deletion": deleted, "insertion": inserted, "deletion_gain": 0.0, "insertion_gain": 0.0}
    }
    for name, relevance in maps.items():
        if name in REFERENCE_ORDERS:
            continue
        if not measures.positive(relevance).any():
            continue  # an empty map has no order
        own = curves(reading, case.column, order_of(relevance, blocks, rng), blocks, plan.steps)
        values[name] = {
            "deletion": own.deletion_area,
            "insertion": own.insertion_area,
            "deletion_gain": deleted - own.deletion_area,
            "insertion_gain": own.insertion_area - inserted,
        }
    return values


REFERENCE_ORDERS = ("even", "noise")
"""References whose order is a random one."""


def noisy_readings(reading: Reading, plan: Plan, seed: int) -> list[Reading]:
    """The record with small noise on the model's input; overlapping windows share it."""
    rng = np.random.default_rng(seed)
    deviation = plan.noise * reading.inputs.std(axis=(0, 2))[:, np.newaxis]
    result = []
    for _ in range(plan.draws):
        noise = deviation * rng.standard_normal((len(deviation), reading.n_samples))
        views = [
            replace(view, values=(own + noise[:, start : start + own.shape[1]]).astype(np.float32))
            for view, own, start in zip(reading.views, reading.inputs, reading.starts, strict=True)
        ]
        result.append(Reading(reading.classifier, views))
    return result


def stability_values(
    reading: Reading, explanations: Sequence[Explanation], cases: Sequence[Case], asked: Asked, plan: Plan,
    seed: int,
) -> list[dict[str, float]]:  # fmt: skip
    """How much each map, and the answer itself, change under small noise."""
    codes, nothing = [case.code for case in cases], [np.zeros(reading.recording.signal.shape, dtype=bool)]
    before = covered_answers(reading, nothing)[0]
    correlations, changes, answers = [], [], []
    for noisy in noisy_readings(reading, plan, seed):
        others = explain_reading(noisy, codes, asked.method, asked.settings)
        pairs = [(one.relevance, other.relevance) for one, other in zip(explanations, others, strict=True)]
        correlations.append([similarity(*pair) for pair in zip(explanations, others, strict=True)])
        changes.append([measures.relative_change(*pair) for pair in pairs])
        after = covered_answers(noisy, nothing)[0]
        answers.append([abs(float(after[case.column] - before[case.column])) for case in cases])
    return [
        {
            "noise_correlation": float(np.mean([row[place] for row in correlations])),
            "noise_change": float(np.max([row[place] for row in changes])),
            "noise_probability": float(np.max([row[place] for row in answers])),
        }
        for place in range(len(cases))
    ]


def similarity(first: Explanation, second: Explanation) -> float:
    """Rank correlation of two maps; 0 where the second has become even or empty, NaN where the first was."""
    if not np.ptp(second.relevance) and np.ptp(first.relevance):
        return 0.0
    return measures.rank_correlation(first.relevance, second.relevance)


def sanity_values(
    reading: Reading,
    explanations: Sequence[Explanation],
    cases: Sequence[Case],
    asked: Asked,
    shuffled: Mapping[str, Classifier],
    seed: int,
) -> list[dict[str, float]]:
    """How like each map is to that of a network that has forgotten, and to that of another class."""
    codes = [case.code for case in cases]
    values: list[dict[str, float]] = [{} for _ in cases]
    for depth, classifier in shuffled.items():
        others = explain_reading(Reading(classifier, reading.views), codes, asked.method, asked.settings)
        for own, one, other in zip(values, explanations, others, strict=True):
            own[f"sanity_{depth}"] = similarity(one, other)
    everything = [code for code, _ in reading.classifier.classes]
    if len(everything) < 2:
        return values
    rng = np.random.default_rng(seed)
    drawn = [str(rng.choice([code for code in everything if code != one])) for one in codes]
    others = explain_reading(reading, drawn, asked.method, asked.settings)
    for own, one, other in zip(values, explanations, others, strict=True):
        own["other_class"] = similarity(one, other)
    return values
