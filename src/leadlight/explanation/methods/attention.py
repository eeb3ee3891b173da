"""attention: the weights by which the network itself sums up what it has read.

Definition: IMLE-Net: the product of its beat, rhythm and channel level, spread over the samples
that a step stands for. Conv-BiLSTM-attention: the weight of each step over time. nejedly: how much
each step is read by all steps on average, the mean over the heads.
Source: Reddy et al., IMLE-Net, IEEE SMC 2021, doi:10.1109/SMC52423.2021.9658706; Nejedly et al.,
CinC 2021, doi:10.23919/CinC53138.2021.9662723; on what it means, Jain & Wallace 2019, arXiv
1902.10186, and Wiegreffe & Pinter 2019, arXiv 1908.04626.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ModelError
from leadlight.explanation.attention import compose, uniform
from leadlight.explanation.method import Map, Method, Settings

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.explanation.reading import Reading

Floats = NDArray[np.float64]
LEVELS = {"beat", "rhythm", "channel"}


@dataclass(frozen=True)
class NoSettings(Settings):
    """Attention is what it is."""


def run(reading: Reading, targets: Sequence[str | None], settings: NoSettings) -> list[Map]:
    """The same map for every target, with a sentence on the target."""
    by_window = [
        reading.classifier.attention(replace(view, values=own))
        for view, own in zip(reading.views, reading.inputs, strict=True)
    ]
    reading.forward_passes += len(by_window)
    maps, evens, beyonds = zip(*(_map(reading, parts) for parts in by_window), strict=True)
    whole, even = reading.join(np.stack(maps)), reading.join(np.stack(evens))
    beyond = float(np.mean(beyonds))
    notes: tuple[str, ...] = ()
    if beyond > 0:
        where = "beyond the recording's end" if set(by_window[0]) == LEVELS else "on filling in front of it"
        notes = (f"{100 * beyond:.2g}% of the attention lay {where}: not drawn",)
    meaning = _meaning(reading, by_window[0])
    if len(by_window) > 1:
        meaning = (*meaning, f"The mean over {len(by_window)} windows of the recording.")
    parts = by_window[0] if len(by_window) == 1 else _stack(by_window)
    result = Map(
        relevance=whole / whole.sum(),
        uniform=even / even.sum(),
        unit="share of the whole attention",
        signed=False,
        meaning=meaning,
        leads_apart=set(parts) == LEVELS,
        parts=parts,
        notes=notes,
    )
    return [replace(result, meaning=_with_target(reading, meaning, target)) for target in targets]


def _map(reading: Reading, parts: Mapping[str, NDArray[np.float32]]) -> tuple[Floats, Floats, float]:
    """One window's relevance, that of even attention, and the share beyond the recording."""
    module: Any = reading.classifier.module
    if set(parts) == LEVELS:
        beat = parts["beat"]
        segment = int(module.segment_samples)
        relevance, beyond = compose(beat, parts["rhythm"], parts["channel"], reading.window_samples, segment)
        shape = (beat.shape[0], beat.shape[1], beat.shape[2])
        return relevance, uniform(shape, reading.window_samples, segment), beyond
    if set(parts) != {"time"}:
        raise ModelError(
            f"attention: found the levels {', '.join(parts)}; accepted: beat, rhythm and channel, "
            "whose product is drawn, or time."
        )
    weights = parts["time"].astype(np.float64)
    if weights.ndim == 2:  # how much each step (a row) reads of each other one
        weights = weights.mean(axis=0)
    leads = reading.inputs.shape[1]
    own, beyond = _over_time(weights, reading.window_samples, int(module.samples_per_step))
    even, _ = _over_time(np.full(len(weights), 1 / len(weights)), reading.window_samples,
                         int(module.samples_per_step))  # fmt: skip
    return np.tile(own / leads, (leads, 1)), np.tile(even / leads, (leads, 1)), beyond


def _over_time(weights: Floats, n_samples: int, per_step: int) -> tuple[Floats, float]:
    """Weights of steps spread over their samples, and the share that lay on filling in front.

    Where the steps reach further than the samples, the network has filled up the front; where they
    end before, the last samples belong to no step.
    """
    spread = np.repeat(weights / per_step, per_step)
    in_front = max(0, len(spread) - n_samples)
    inside = spread[in_front:]
    total, result = float(inside.sum()), np.zeros(n_samples)
    if total > 0:
        result[: len(inside)] = inside / total
    return result, 1.0 - total / float(spread.sum())


def _meaning(reading: Reading, parts: Mapping[str, NDArray[np.float32]]) -> tuple[str, ...]:
    module, rate = reading.classifier.module, reading.recording.sampling_rate
    no_class = "It does not depend on the class: the map is the same whatever is predicted."
    if set(parts) == LEVELS:
        segment = int(module.segment_samples)  # type: ignore[arg-type]
        seconds, step = segment / rate, -(-segment // parts["beat"].shape[-1]) / rate
        return (
            f"Colour: the model's attention, its three levels multiplied: lead × segment of {seconds:g} s × "
            f"step of {step:g} s.",
            no_class,
            "It shows what the network drew its summary from, not why: no cause, no sign, no proof. "
            "A step has seen up to its whole segment, and a segment the whole lead: do not read detail finer "
            f"than {seconds:g} s.",
        )
    step = int(module.samples_per_step) / rate  # type: ignore[arg-type]
    how = (
        "how much each step is read by all steps on average"
        if parts["time"].ndim == 2
        else "the weight of each step"
    )
    return (
        f"Colour: the model's attention over time, {how}, in steps of {step:.3g} s.",
        no_class,
        "All leads share one map: they were mixed before.",
        "It shows what the network drew its summary from, not why: no cause, no sign, no proof. "
        "What a step holds comes from further around it than the step is long.",
    )


def _with_target(reading: Reading, meaning: tuple[str, ...], target: str | None) -> tuple[str, ...]:
    if target is None:
        return meaning
    description = dict(reading.classifier.classes)[target]
    name = f"{target} ({description})" if description else target
    said = f"{name} was asked for: its probability is marked, the map is that of every target."
    return (*meaning[:2], said, *meaning[2:])


def _stack(by_window: Sequence[Mapping[str, NDArray[np.float32]]]) -> dict[str, NDArray[np.float32]]:
    return {name: np.stack([parts[name] for parts in by_window]) for name in by_window[0]}


def _refuses(classifier: Classifier) -> str:
    from leadlight import models

    name = classifier.contract.architecture.name
    return "" if models.describe(name).has_attention else f"{name}, which has none"


METHOD = Method(
    name="attention",
    definition="The weights by which the network itself sums up what it has read, spread over the samples "
    "that they stand for.",
    source="Reddy et al., IEEE SMC 2021, doi:10.1109/SMC52423.2021.9658706 (IMLE-Net); the other models' "
    "papers; on its meaning, Jain & Wallace 2019, arXiv 1902.10186",
    needs="a model with attention",
    cost="1 forward pass",
    cannot_show="Which class: it is the same for all. No sign, no cause; often not faithful.",
    class_dependent=False,
    settings=NoSettings,
    settings_meaning={},
    run=run,
    refuses=_refuses,
)
