"""Are CODE-15%'s millivolts those of other collections, and what does a model of PTB-XL make of them?

    LEADLIGHT_DATA=DIR python benchmarks/code15_amplitude.py --out benchmarks/results/code15_amplitude.md

For each real record: high-pass at 0.5 Hz (Butterworth, order 2, zero phase), then the median
over stretches of 1.2 s of each lead's peak-to-peak amplitude. CODE-15%'s WFDB records against
PTB-XL's normal ones (NORM), against its hypertrophies (LVH, RVH) and against Georgia. The shipped
superclass model reads each 10 s record as it is, at half the amplitude, high-passed, and both.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

import leadlight as ll
from keep import keep
from leadlight import datasets
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from machine import describe_machine

STRETCH = 1.2
SEED, RESAMPLES = 0, 2000


def without_baseline(recording: Recording) -> Recording:
    """The recording above 0.5 Hz."""
    sections = butter(2, 0.5, "highpass", fs=recording.sampling_rate, output="sos")
    signal = np.nan_to_num(recording.signal.astype(np.float64))
    return replace(recording, signal=sosfiltfilt(sections, signal, axis=1).astype(np.float32))


def peak_to_peak(recording: Recording) -> NDArray[np.float64]:
    """Millivolts, one value a lead: the median over stretches that hold a beat."""
    signal = without_baseline(recording).select(STANDARD_LEADS).signal
    width = round(STRETCH * recording.sampling_rate)
    stretches = [signal[:, at : at + width] for at in range(0, signal.shape[1] - width + 1, width)]
    result: NDArray[np.float64] = np.median([np.ptp(one, axis=1) for one in stretches], axis=0)
    return result


def amplitudes(recordings: Iterable[Recording]) -> NDArray[np.float64]:
    """Millivolts (records, leads)."""
    return np.array([peak_to_peak(one) for one in recordings])


def ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[float, float, float]:
    """Median over leads of the ratio of the medians over records, and its 95% bootstrap interval."""
    generator = np.random.default_rng(SEED)

    def of(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        return float(np.median(np.median(one, axis=0) / np.median(other, axis=0)))

    drawn = [
        of(generator.choice(ours, len(ours)), generator.choice(theirs, len(theirs))) for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return of(ours, theirs), float(low), float(high)


def ptbxl(root: Path, codes: set[str]) -> list[Recording]:
    """500 Hz records with one of these statements."""
    index = datasets.read_index("ptb-xl", root, 500)
    wanted = [entry for entry in index.entries if codes & {one.code for one in entry.statements}]
    return [ll.read(root / entry.path) for entry in wanted]


def verdicts(recordings: list[Recording]) -> list[tuple[str, int, int]]:
    """What was done to the records -> how many are called HYP, and NORM."""
    model = ll.load("imle-net-ptbxl-superclass")
    ways = {
        "as they are": lambda one: one,
        "half the amplitude": lambda one: replace(one, signal=one.signal / 2),
        "above 0.5 Hz": without_baseline,
        "above 0.5 Hz, half the amplitude": lambda one: replace(one, signal=without_baseline(one).signal / 2),
    }
    rows = []
    for name, way in ways.items():
        found = [model.predict(way(one).crop(0, 10)).findings for one in recordings]
        rows.append((name, sum("HYP" in one for one in found), sum("NORM" in one for one in found)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    data = Path(os.environ["LEADLIGHT_DATA"])
    code = [ll.read(path) for path in sorted((data / "code-15").glob("*.hea"))]
    long = [one for one in code if one.duration >= 10]
    groups = {
        "CODE-15%, 7.3 s": [one for one in code if one.duration < 10],
        "CODE-15%, 10.2 s": long,
        "PTB-XL, NORM": ptbxl(data / "ptb-xl", {"NORM"}),
        "PTB-XL, LVH or RVH": ptbxl(data / "ptb-xl", {"LVH", "RVH"}),
        "Georgia": [ll.read(path) for path in sorted((data / "challenge-2021/georgia").rglob("*.hea"))],
    }
    measured = {name: amplitudes(recordings) for name, recordings in groups.items()}
    whole = np.concatenate([measured["CODE-15%, 7.3 s"], measured["CODE-15%, 10.2 s"]])
    lines = [
        "# The unit of CODE-15%",
        "",
        "`python benchmarks/code15_amplitude.py --out benchmarks/results/code15_amplitude.md` with "
        "LEADLIGHT_DATA set. Median over records of the peak-to-peak amplitude above 0.5 Hz, mV.",
        "",
        f"| records | n | {' | '.join(STANDARD_LEADS)} |",
        f"|---|---:|{'---:|' * 12}",
    ]
    for name, values in measured.items():
        cells = " | ".join(f"{value:.2f}" for value in np.median(values, axis=0))
        lines.append(f"| {name} | {len(values)} | {cells} |")
    lines += ["", "| ratio, median over leads | value | 95% |", "|---|---:|---|"]
    for name in ("PTB-XL, NORM", "PTB-XL, LVH or RVH", "Georgia"):
        value, low, high = ratio(whole, measured[name])
        lines.append(f"| all 24 of CODE-15% / {name} | {value:.2f} | {low:.2f} to {high:.2f} |")
    offsets = np.array([np.abs(np.median(one.signal, axis=1)).max() for one in long])
    short = np.array([np.abs(np.median(one.signal, axis=1)).max() for one in groups["CODE-15%, 7.3 s"]])
    lines += [
        "",
        f"Largest offset of a lead (its median), median over records: {np.median(offsets):.2f} mV "
        f"in the 10.2 s records, {np.median(short):.2f} mV in the 7.3 s ones.",
        "",
        f"The shipped model `imle-net-ptbxl-superclass` on the {len(long)} records of 10.2 s:",
        "",
        "| read | called HYP | called NORM |",
        "|---|---:|---:|",
        *(f"| {name} | {hyp} | {norm} |" for name, hyp, norm in verdicts(long)),
        "",
        f"Bootstrap over records, {RESAMPLES:,} resamples, seed {SEED}.",
        "",
        describe_machine("numpy"),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    keep(text, arguments.out)


if __name__ == "__main__":
    main()
