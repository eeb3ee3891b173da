"""What the limits of signal quality follow from: folds 1 to 7 of PTB-XL at 100 Hz, and a rule for each.

``python benchmarks/quality.py --choose`` prints these tables beside what stands in
quality/data/thresholds.toml. Limits that no record decides (missing, mains, the residual of the laws)
have their reason there. What is measured, over which stretches, is design, and not chosen here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadlight.leads import STANDARD_LEADS
from leadlight.quality import thresholds
from leadlight.quality.limb_leads import FAMILIES, WAYS, margins
from leadlight.quality.measures import FLAT_BLOCKS, RAIL_DISTANCE, Measures, measure

CHOOSING = tuple(range(1, 8))
"""The folds that limits and regressions follow from."""
TOLD = {way: name for name, places in FAMILIES.items() for way in (list(WAYS)[place] for place in places)}
"""Way of connecting -> the verdict that is right for it ("" for none)."""
SPECIFICITY = 0.90
SUSPECTED_OF = 500
"""As recorded, at most one record in so many may be suspected."""


def connected(signals: NDArray[np.int16], way: str) -> NDArray[np.int16]:
    """The same hearts recorded with the limb electrodes connected in this way."""
    one, two = np.einsum("ij,njs->ins", np.array(WAYS[way]), signals[:, :2].astype(np.float32))
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.concatenate([np.rint(np.stack(limb, axis=1)).astype(np.int16), signals[:, 6:]], axis=1)


def of_choosing(rows: Sequence[dict[str, str]]) -> NDArray[np.bool_]:
    return np.array([int(row["strat_fold"]) in CHOOSING for row in rows])


def choose(every_row: Sequence[dict[str, str]], every_signal: NDArray[np.int16]) -> list[str]:
    """The sweeps, the rules and what they give. No record of another fold is looked at."""
    part = of_choosing(every_row)
    rows = [row for row, here in zip(every_row, part, strict=True) if here]
    signals = every_signal[part]
    found = measure(signals, STANDARD_LEADS, 100)
    said = {name: np.array([bool(row[name].strip()) for row in rows]) for name in rows[0]}
    noise, drift = found.noise.max(axis=1), found.drift.max(axis=1)
    chosen: dict[tuple[str, str], float] = {}
    lines = [f"{len(rows):,} records of folds {CHOOSING[0]} to {CHOOSING[-1]}.", ""]
    lines += ["## Noise", ""]
    remarked = said["static_noise"] | said["burst_noise"]
    chosen["noisy", "millivolts"] = _against_remarks(lines, noise, remarked, np.arange(12, 24) / 1000)
    lines += ["", "## Drift", ""]
    chosen["drifting", "millivolts"] = _against_remarks(
        lines, drift, said["baseline_drift"], np.arange(12, 22) / 20
    )
    lines += ["", "## Limb leads", ""]
    chosen["limb_leads", "margin"] = _margin(lines, found, signals)
    least = np.nanmin(found.limb_sizes, axis=0)
    chosen["limb_leads", "small"] = round(float(least.min()) / 2, 2)
    lines += [
        "",
        f"QRS over that of I, least: II {least[0]:.3f}, III {least[1]:.3f}. "
        "Rule for `small`: half of the lesser, to 0.01.",
        "",
        "## Flat",
        "",
    ]
    chosen["flat", "seconds"] = _flat(lines, signals)
    lines += ["", "## Saturated", ""]
    chosen["saturated", "seconds"] = _saturated(lines, signals)
    lines += ["", "## What the rules give", "", "| limit | by rule | in thresholds.toml |", "|---|---:|---:|"]
    for (table, name), value in chosen.items():
        lines.append(f"| {table}.{name} | {value:g} | {thresholds()[table][name]:g} |")
    return lines


def _against_remarks(
    lines: list[str], score: NDArray[np.float32], remarked: NDArray[np.bool_], limits: NDArray[np.float64]
) -> float:
    lines += [
        f"With remark {remarked.sum()}, without {(~remarked).sum():,}. "
        f"Rule: the least limit with a specificity of at least {SPECIFICITY:.2f}.",
        "",
        "| limit, mV | sensitivity % | specificity % |",
        "|---:|---:|---:|",
    ]
    specificity = np.array([(score[~remarked] < limit).mean() for limit in limits])
    for limit, right in zip(limits, specificity, strict=True):
        lines.append(f"| {limit:.3f} | {100 * (score[remarked] >= limit).mean():.1f} | {100 * right:.1f} |")
    return float(limits[specificity >= SPECIFICITY][0])


def _margin(lines: list[str], found: Measures, signals: NDArray[np.int16]) -> float:
    ways = [way for way, verdict in TOLD.items() if verdict]
    lines += [
        f"Rule for the margin: the least with at most one record in {SUSPECTED_OF} suspected as recorded.",
        "",
        "| margin | suspected as recorded | " + " | ".join(f"{way} told %" for way in ways) + " |",
        "|---:|---:|" + "---:|" * len(ways),
    ]
    as_recorded = margins(found.limb).max(axis=1)
    after = {way: margins(measure(connected(signals, way), STANDARD_LEADS, 100).limb) for way in ways}
    names = list(FAMILIES)[1:]
    possible = []
    for limit in np.arange(0, 10) / 20:
        suspected = int((as_recorded > limit).sum())
        told = [
            100 * ((values.max(axis=1) > limit) & (values.argmax(axis=1) == names.index(TOLD[way]))).mean()
            for way, values in after.items()
        ]
        lines.append(f"| {limit:.2f} | {suspected} | " + " | ".join(f"{share:.1f}" for share in told) + " |")
        if suspected * SUSPECTED_OF <= len(signals):
            possible.append(float(limit))
    return possible[0]


def _flat(lines: list[str], signals: NDArray[np.int16]) -> float:
    lines += [
        "Straight to within 1 µV (second differences of at most 1 count); whole stretches, not blocks. "
        f"Rule: twice the longest, and at least {FLAT_BLOCKS / 10:g} s, which is what the measure looks for.",
        "",
        "| stretch of at least, s | records |",
        "|---:|---:|",
    ]
    longest = np.array([max(_longest_straight(lead) for lead in record) for record in signals]) / 100
    for seconds in np.arange(2, 13) / 10:
        lines.append(f"| {seconds:.1f} | {int((longest >= seconds).sum())} |")
    lines += ["", f"The longest: {longest.max():.2f} s."]
    return max(round(2 * float(longest.max()), 1), FLAT_BLOCKS / 10)


def _longest_straight(lead: NDArray[np.int16]) -> int:
    """Samples of the longest stretch whose second differences are at most one count."""
    bent = np.flatnonzero(np.abs(np.diff(lead.astype(np.int32), 2)) > 1)
    return int(np.diff(bent, prepend=-1, append=len(lead) - 2).max()) + 1


def _saturated(lines: list[str], signals: NDArray[np.int16]) -> float:
    lines += [
        f"Rule: the least time that no record reaches at {RAIL_DISTANCE:g} mV from the mean.",
        "",
        "| time at one extreme of at least, s | 0.25 mV from the mean | 0.5 mV | 1 mV | 2 mV |",
        "|---:|---:|---:|---:|---:|",
    ]
    distances = (0.25, 0.5, 1.0, 2.0)
    times = {
        distance: np.array([max(_at_extreme(lead, distance) for lead in record) for record in signals])
        for distance in distances
    }
    limits = range(1, 9)
    for samples in limits:
        cells = [str(int((times[distance] >= samples).sum())) for distance in distances]
        lines.append(f"| {samples / 100:.2f} | " + " | ".join(cells) + " |")
    return next(samples for samples in limits if not (times[RAIL_DISTANCE] >= samples).any()) / 100


def _at_extreme(lead: NDArray[np.int16], distance: float) -> int:
    """Samples at an extreme that follow another such one, where it is so far (mV) from the mean."""
    most = 0
    for extreme in (int(lead.max()), int(lead.min())):
        if abs(extreme - lead.mean()) >= 1000 * distance:
            at = lead == extreme
            most = max(most, int((at[1:] & at[:-1]).sum()))
    return most
