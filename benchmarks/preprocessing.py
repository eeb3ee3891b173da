"""What do filters do to the ST level and the QRS amplitude of real ECGs, and how fast are the steps?

    python benchmarks/preprocessing.py PTB-XL --out benchmarks/results/preprocessing.md

PTB-XL: the data set's folder, with its 500 Hz files. Of up to 300 records with at least five
clear beats, each lead is measured before and after a filter. ST level: 120 ms after the beat's
steepest point, less the level 100 to 85 ms before it, median over beats; QRS amplitude: peak to
peak within 80 ms to either side, leads above 0.3 mV. The steepest point is found in the unfiltered
recording, once. The rival is the unfiltered recording itself; for speed, SciPy called record by record.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
from scipy.signal import butter, find_peaks, sosfiltfilt

from keep import keep
from leadlight.datasets import read_index
from leadlight.files import read
from leadlight.signal import Preprocessing
from machine import describe_machine

RECORDS, RATE, BATCH, REPEATS = 300, 500, 32, 5
FILTERS = {
    "high-pass 0.05 Hz": {"kind": "high-pass", "cutoff": 0.05},
    "high-pass 0.5 Hz": {"kind": "high-pass", "cutoff": 0.5},
    "high-pass 0.67 Hz": {"kind": "high-pass", "cutoff": 0.67},
    "high-pass 1 Hz": {"kind": "high-pass", "cutoff": 1.0},
    "moving medians 0.2, 0.6 s": {"kind": "median-baseline"},
    "low-pass 100 Hz": {"kind": "low-pass", "cutoff": 100.0},
    "low-pass 40 Hz": {"kind": "low-pass", "cutoff": 40.0},
    "low-pass 20 Hz": {"kind": "low-pass", "cutoff": 20.0},
    "notch 50 Hz, Q 30": {"kind": "notch", "frequency": 50.0},
    "band-pass 0.5-40 Hz": {"kind": "band-pass"},
    "band-pass 1-47 Hz": {"kind": "band-pass", "low": 1.0, "high": 47.0},
}
TIMED = {
    "scaling alone": ({"kind": "scale-global", "mean": 0.0, "scale": 0.2},),
    "z-score of each lead": ("z-score",),
    "band-pass 0.5-40 Hz, then z-score": ("band-pass", "z-score"),
    "moving medians": ("median-baseline",),
    "notch, resampling to 100 Hz, scaling": (
        "notch", "resample", {"kind": "scale-global", "mean": 0.0, "scale": 0.2},
    ),
}  # fmt: skip


def beats(signal: np.ndarray) -> np.ndarray:
    """Samples of the steepest point of each clear beat, away from the ends."""
    steepness = np.convolve(np.abs(np.diff(signal, axis=1)).sum(axis=0), np.ones(40) / 40, "same")
    found, _ = find_peaks(steepness, distance=200, height=0.4 * np.percentile(steepness, 98))
    return found[(found > RATE // 2) & (found < signal.shape[1] - RATE // 2)]


def st_level(signal: np.ndarray, at: np.ndarray) -> np.ndarray:
    """mV of each lead, (leads,)."""
    before = [np.median(signal[:, i - 52 : i - 42], axis=1) for i in at]
    after = [np.median(signal[:, i + 60 : i + 66], axis=1) for i in at]
    return np.median(np.array(after) - np.array(before), axis=0)


def qrs_amplitude(signal: np.ndarray, at: np.ndarray) -> np.ndarray:
    """mV of each lead, (leads,)."""
    return np.median([np.ptp(signal[:, i - 40 : i + 40], axis=1) for i in at], axis=0)


def effects(root: Path) -> tuple[list[str], list[np.ndarray]]:
    """Rows of the table, and the signals that were measured."""
    shifts: dict[str, list[float]] = {name: [] for name in FILTERS}
    ratios: dict[str, list[float]] = {name: [] for name in FILTERS}
    signals = []
    for entry in read_index("ptb-xl", root, RATE).entries:
        recording = read(root / entry.path)
        signal = recording.signal.astype(np.float64)
        if recording.sampling_rate != RATE or np.isnan(signal).any() or len(at := beats(signal)) < 5:
            continue
        signals.append(recording.signal)
        level, height = st_level(signal, at), qrs_amplitude(signal, at)
        for name, step in FILTERS.items():
            filtered = Preprocessing(sampling_rate=RATE, n_samples=signal.shape[1], steps=(step,)).apply(
                recording
            )
            shifts[name] += np.abs(st_level(filtered, at) - level).tolist()
            ratios[name] += (qrs_amplitude(filtered, at) / height)[height > 0.3].tolist()
        if len(signals) == RECORDS:
            break
    rows = [
        f"| {name} | {np.median(shifts[name]):.3f} | {np.percentile(shifts[name], 95):.3f} "
        f"| {np.median(ratios[name]):.3f} | {np.percentile(ratios[name], 5):.3f} |"
        for name in FILTERS
    ]
    return rows, signals


def speeds(signals: list[np.ndarray]) -> list[str]:
    """Records per second of each chain, in batches and record by record through SciPy."""
    batches = [np.stack(signals[i : i + BATCH]) for i in range(0, len(signals) - BATCH + 1, BATCH)]
    n_records = BATCH * len(batches)
    rows = []
    for name, steps in TIMED.items():
        resamples = "resample" in steps
        chain = Preprocessing(
            sampling_rate=100 if resamples else RATE,
            n_samples=1000 if resamples else batches[0].shape[2],
            steps=steps,
            starting_rate=RATE,
        )
        seconds = fastest(partial(apply_all, chain, batches))
        rows.append(f"| {name} | {n_records / seconds:,.0f} |")
    sections = butter(3, [0.5, 40], "band", fs=RATE, output="sos")
    alone = fastest(lambda: [sosfiltfilt(sections, one, axis=-1) for batch in batches for one in batch])
    rows.append(
        f"| SciPy's sosfiltfilt alone, record by record, its own short padding | {n_records / alone:,.0f} |"
    )
    return rows


def apply_all(chain: Preprocessing, batches: list[np.ndarray]) -> None:
    for one in batches:
        chain.apply_batch(one)


def fastest(work: object) -> float:
    """Seconds of the fastest of several goes."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()  # type: ignore[operator]
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows, signals = effects(arguments.data)
    command = "python benchmarks/preprocessing.py PTB-XL --out benchmarks/results/preprocessing.md"
    lines = [
        "# What preprocessing does, and how fast it is",
        "",
        f"`{command}`",
        "",
        f"{describe_machine('leadlight', 'numpy', 'scipy')} PTB-XL at {RATE} Hz, {len(signals)} records of "
        "10 s, all leads. Every filter runs forwards and backwards.",
        "",
        "| filter | ST level moves by (mV), median | 95% below | QRS amplitude left, median | 95% above |",
        "|---|---:|---:|---:|---:|",
        *rows,
        "",
        f"Records a second, 12 x 5,000 samples, in batches of {BATCH}, best of {REPEATS}:",
        "",
        "| steps | records/s |",
        "|---|---:|",
        *speeds(signals),
        "",
    ]
    print("\n".join(lines))
    keep("\n".join(lines), arguments.out)


if __name__ == "__main__":
    main()
