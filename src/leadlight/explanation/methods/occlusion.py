"""occlusion: a part of the recording is covered, and the logit is read again.

Definition: the relevance of a block is f(x) - f(x with the block covered), f the target's logit; it is
spread in equal parts over the samples of the block, and where blocks overlap, the mean is taken. A
block is a lead, a window of a lead, or a wave (P, QRS, ST, T) of a lead, in all beats together or in
each. Covered means: a straight line between the samples at both ends of the block, so that no step
looks like a wave; a whole lead, or by choice anything, becomes flat at the lead's median.
Source: Zeiler & Fergus 2014, arXiv 1311.2901; waves found as ``explanation/beats.py`` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.explanation.beats import WAVES, find_beats
from leadlight.explanation.method import Map, Method, Settings, never
from leadlight.leads import STANDARD_LEADS

if TYPE_CHECKING:
    from leadlight.explanation.reading import Floats, Reading, Singles

CHUNK = 256
"""Covered inputs that are held at a time."""


@dataclass(frozen=True)
class OcclusionSettings(Settings):
    """by: what a block is; leads, beats: covered each by itself or together; seconds: of a window.

    overlap: share of a window that the next one repeats; fill: what covers a block.
    """

    by: str = "window"
    leads: str = "each"
    beats: str = "together"
    seconds: float = 0.2
    overlap: float = 0.0
    fill: str = "line"

    def __post_init__(self) -> None:
        self.one_of("by", ("window", "lead", "wave"))
        self.one_of("leads", ("each", "together"))
        self.one_of("beats", ("each", "together"))
        self.one_of("fill", ("line", "median"))
        self.within("seconds", 0.01, 60, "s")
        self.within("overlap", 0.0, 0.9)


@dataclass(frozen=True)
class Block:
    """What is covered together: leads by their place, and runs of samples (first, last + 1)."""

    leads: tuple[int, ...]
    runs: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Samples in it, over all of its leads."""
        return len(self.leads) * sum(stop - start for start, stop in self.runs)


def run(reading: Reading, targets: Sequence[str | None], settings: OcclusionSettings) -> list[Map]:
    """One forward pass a block and window that it lies in, for all targets together."""
    numbers = reading.numbers([code for code in targets if code is not None])
    blocks, wave_of = _blocks(reading, settings)
    groups = _lead_groups(reading) if settings.by == "lead" else {}
    flat = settings.by == "lead" or settings.fill == "median"
    drops = covered_drops(reading, [*blocks, *groups.values()], flat)[:, numbers]
    maps = []
    for place in range(len(numbers)):
        own = drops[: len(blocks), place]
        facts = dict(zip(groups, map(float, drops[len(blocks) :, place]), strict=True))
        maps.append(
            Map(
                _spread(reading, blocks, own), "logit", True, _meaning(settings),
                baseline=_fill_in_words(flat), uniform=np.full(_shape(reading), 1 / np.prod(_shape(reading))),
                facts={**facts, **_of_metadata(reading, numbers[place])},
                parts=_parts(reading, settings, blocks, wave_of, own),
            )
        )  # fmt: skip
    return maps


def covered_drops(reading: Reading, blocks: Sequence[Block], flat: bool) -> NDArray[np.float64]:
    """How much each class's logit of the record falls when a block is covered: (blocks, classes).

    flat: at the lead's median, instead of a straight line.
    """
    whole = reading.window_logits(reading.inputs)
    of_windows = np.repeat(whole[np.newaxis], len(blocks), axis=0)
    waiting: list[tuple[int, int]] = []
    inputs: list[Singles] = []

    def flush() -> None:
        if inputs:
            logits = reading.window_logits(np.stack(inputs))
            for (block, window), own in zip(waiting, logits, strict=True):
                of_windows[block, window] = own
        waiting.clear()
        inputs.clear()

    medians = np.median(reading.inputs, axis=2).astype(np.float32)
    for number, block in enumerate(blocks):
        for window, covered in _covered(reading, block, medians if flat else None):
            waiting.append((number, window))
            inputs.append(covered)
            if len(inputs) == CHUNK:
                flush()
    flush()
    drops: NDArray[np.float64] = reading.record_logits(whole[np.newaxis]) - reading.record_logits(of_windows)
    return drops


def _covered(
    reading: Reading, block: Block, medians: NDArray[np.float32] | None
) -> Iterator[tuple[int, Singles]]:
    """The windows that a block lies in, with it covered."""
    length = reading.window_samples
    for window, begin in enumerate(reading.starts):
        runs = [(max(0, start - begin), min(length, stop - begin)) for start, stop in block.runs]
        runs = [(start, stop) for start, stop in runs if start < stop]
        if not runs:
            continue
        covered = reading.inputs[window].copy()
        leads = list(block.leads)
        for start, stop in runs:
            if medians is not None:
                covered[leads, start:stop] = medians[window, leads, np.newaxis]
            else:
                covered[leads, start:stop] = straight(reading.inputs[window][leads], start, stop)
        yield window, covered


def straight(signals: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
    """Straight lines from the sample before ``start`` to that at ``stop``: (leads, stop - start).

    Level from the other side where the block reaches an end, and the median where it reaches both.
    """
    length = signals.shape[1]
    if start == 0 and stop >= length:
        return np.repeat(np.median(signals, axis=1, keepdims=True), stop - start, axis=1)
    before = signals[:, start - 1] if start > 0 else signals[:, stop]
    after = signals[:, stop] if stop < length else signals[:, start - 1]
    part = np.arange(1, stop - start + 1, dtype=np.float32) / (stop - start + 1)
    line = before[:, np.newaxis] + (after - before)[:, np.newaxis] * part
    return line.astype(np.float32)


def _blocks(reading: Reading, settings: OcclusionSettings) -> tuple[list[Block], list[tuple[int, int]]]:
    """The blocks; by wave, also the wave and the beat (-1 for all) of each."""
    n_leads, n_samples = _shape(reading)
    each = [(lead,) for lead in range(n_leads)]
    leads = each if settings.leads == "each" else [tuple(range(n_leads))]
    if settings.by == "lead":
        return [Block(one, ((0, n_samples),)) for one in each], []
    if settings.by == "window":
        rate = reading.recording.sampling_rate
        length = max(1, round(settings.seconds * rate))
        stride = max(1, round(length * (1 - settings.overlap)))
        starts = range(0, max(1, n_samples - length + stride), stride)
        runs = [(start, min(start + length, n_samples)) for start in starts if start < n_samples]
        return [Block(one, (run,)) for one in leads for run in runs], []
    beats = find_beats(reading.recording)
    found = [(wave, beats.runs(name, reading.recording.sampling_rate)) for wave, name in enumerate(WAVES)]
    blocks, wave_of = [], []
    for wave, of_beats in found:
        there = [(number, run) for number, run in enumerate(of_beats) if run is not None]
        parts = (
            [(number, (run,)) for number, run in there]
            if settings.beats == "each"
            else [(-1, tuple(run for _, run in there))] * bool(there)
        )
        for number, own_runs in parts:
            blocks += [Block(one, own_runs) for one in leads]
            wave_of += [(wave, number)] * len(leads)
    return blocks, wave_of


def _spread(reading: Reading, blocks: Sequence[Block], drops: NDArray[np.float64]) -> Floats:
    """Drops in equal parts over their samples; the mean where blocks overlap."""
    total, count = np.zeros(_shape(reading)), np.zeros(_shape(reading))
    for block, drop in zip(blocks, drops, strict=True):
        for start, stop in block.runs:
            total[list(block.leads), start:stop] += drop / block.size
            count[list(block.leads), start:stop] += 1
    result: Floats = total / np.maximum(count, 1)
    return result


def _parts(
    reading: Reading,
    settings: OcclusionSettings,
    blocks: Sequence[Block],
    wave_of: Sequence[tuple[int, int]],
    drops: NDArray[np.float64],
) -> dict[str, NDArray[np.float32]]:
    """The drops themselves, as a table; NaN where there is no such block."""
    if settings.by == "lead":
        return {"lead": drops.astype(np.float32)}
    if settings.by == "window":
        rows = len(blocks[0].leads) if settings.leads == "each" else 1
        n_windows = len(blocks) // (_shape(reading)[0] if settings.leads == "each" else rows)
        return {"lead x window": drops.reshape(-1, n_windows).astype(np.float32)}
    n_leads = _shape(reading)[0]
    n_beats = 1 + max((beat for _, beat in wave_of), default=-1)
    rows = n_leads if settings.leads == "each" else 1
    table = np.full((max(1, n_beats), rows, len(WAVES)), np.nan, dtype=np.float32)
    for block, (wave, beat), drop in zip(blocks, wave_of, drops, strict=True):
        table[max(0, beat), block.leads[0] if rows > 1 else 0, wave] = drop
    if settings.beats == "each":
        return {"beat x lead x wave": table}
    return {"lead x wave": table[0]}


def _lead_groups(reading: Reading) -> dict[str, Block]:
    """Leads that follow from each other, covered together, where a part of the leads is in the group."""
    names, everything = reading.recording.leads, ((0, reading.n_samples),)
    limb = tuple(place for place, lead in enumerate(names) if lead in STANDARD_LEADS[:6])
    chest = tuple(place for place in range(len(names)) if place not in limb)
    groups = {"limb leads together": limb, "chest leads together": chest}
    return {name: Block(leads, everything) for name, leads in groups.items() if len(leads) > 1}


def _of_metadata(reading: Reading, target: int) -> dict[str, float]:
    """How much the logit falls when age and sex are not known."""
    unknown = reading.unknown_metadata
    if unknown is None:
        return {}
    known = reading.answers([reading.inputs])[0, target]
    return {"age and sex": float(known - reading.answers([reading.inputs], unknown)[0, target])}


def _shape(reading: Reading) -> tuple[int, int]:
    return reading.inputs.shape[1], reading.n_samples


def _fill_in_words(flat: bool) -> str:
    return (
        "a flat line at the lead's median"
        if flat
        else "a straight line between the samples at both ends of what is covered"
    )


def _meaning(settings: OcclusionSettings) -> tuple[str, ...]:
    together = " of all leads" if settings.leads == "together" else ""
    what = {
        "lead": "lead",
        "window": f"window of {settings.seconds:g} s{together}",
        "wave": f"P wave, QRS complex, ST segment and T wave{together}"
        + (" of every beat at once" if settings.beats == "together" else " of every beat"),
    }[settings.by]
    flat = settings.by == "lead" or settings.fill == "median"
    meaning = (
        f"Colour: how much the target's logit falls when each {what} is covered by {_fill_in_words(flat)}, "
        "shared out over what was covered: above 0 it spoke for the class, below 0 against it.",
        "One block is covered at a time: what two leads or beats both say is not missed, so both may "
        "look unimportant. A recording with a part covered is no ECG.",
    )
    if settings.by == "wave":
        return (*meaning, "What lies between the waves was not covered and has no colour.")
    return meaning


METHOD = Method(
    name="occlusion",
    definition="How much the target's logit falls when a lead, a window or a wave of a lead is covered.",
    source="Zeiler & Fergus 2014, arXiv 1311.2901; boundaries of waves: Martinez et al. 2004, "
    "doi:10.1109/TBME.2003.821031, by NeuroKit2",
    needs='any model here; by="wave" needs NeuroKit2 (leadlight[beats]) and beats that it can find',
    cost="1 forward pass a block: 12 leads; 600 windows of 0.2 s in 12 leads of 10 s; 48 for four waves in "
    "12 leads; for all targets together",
    cannot_show="What is missing, such as a flat wave; what is said twice: leads follow from each other and "
    "beats repeat. Blocks are coarse.",
    class_dependent=True,
    settings=OcclusionSettings,
    settings_meaning={
        "by": "window, lead or wave (P, QRS, ST, T)",
        "leads": "each or together, by window and wave",
        "beats": "together or each, by wave",
        "seconds": "of a window, 0.01 to 60",
        "overlap": "share of a window that the next one repeats, 0 to 0.9",
        "fill": "line (straight between the ends) or median (flat)",
    },
    run=run,
    refuses=never,
)
