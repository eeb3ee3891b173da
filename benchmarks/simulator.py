"""How near are simulated recordings to recordings of people, and does a model trained on people know them?

    LEADLIGHT_DATA=... python benchmarks/simulator.py --out benchmarks/results/simulator.md
    python benchmarks/simulator.py --model MODEL --out benchmarks/results/simulator_model.md

The first compares normal simulated recordings with the records of PTB-XL that state NORM 100 and SR
and nothing else: amplitudes of the median beat lead by lead, noise by frequency band, and what
NeuroKit2's delineator measures on both; and it times simulation. The second simulates each condition,
asks a trained model, and gives the ROC-AUC of each superclass against simulated NORM.
"""

from __future__ import annotations

import argparse
import ast
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leadlight import files
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.simulate import simulate_dataset, simulate_recording
from machine import describe_machine

WAVES = ("R", "S", "ST", "T", "P")
BANDS = ((0.05, 0.5), (0.5, 2), (2, 8), (8, 20), (20, 40), (52, 80), (80, 150))
QUANTILES = (5, 50, 95)
SIMULATED = 300
CONDITIONS = {
    "CD": ("CLBBB", "CRBBB", "IRBBB", "LAFB", "1AVB"),
    "MI": ("IMI", "ILMI", "ASMI", "AMI", "ALMI", "LMI"),
    "STTC": ("NDT", "NST_", "ISC_", "ISCAL", "ISCIN"),
    "HYP": ("LVH", "LVH+ISC_"),
}


@dataclass(frozen=True)
class Measured:
    """amplitudes: (records, waves, leads) mV; rates: a minute; bands: (records, bands, leads) uV."""

    amplitudes: np.ndarray
    rates: np.ndarray
    bands: np.ndarray


def median_beat(recording: Recording) -> tuple[np.ndarray, float] | None:
    """Median beat (12, samples) from 350 ms before the middle of QRS on, in mV, and the rate a minute."""
    from scipy.signal import butter, find_peaks, sosfiltfilt

    rate, signal = recording.sampling_rate, recording.signal.astype(float)
    band = butter(2, [0.5, min(40, 0.45 * rate)], "band", fs=rate, output="sos")
    smooth = sosfiltfilt(band, signal, axis=1)
    width = round(0.08 * rate)
    steep = np.convolve(np.linalg.norm(np.diff(smooth, axis=1), axis=0), np.ones(width) / width, "same")
    peaks, _ = find_peaks(steep, distance=round(0.35 * rate), height=0.35 * np.percentile(steep, 99))
    before, after = round(0.35 * rate), round(0.55 * rate)
    peaks = peaks[(peaks > before) & (peaks < signal.shape[1] - after)]
    if len(peaks) < 4:
        return None
    beat = np.median(np.stack([smooth[:, p - before : p + after] for p in peaks]), axis=0)
    level = beat[:, before - round(0.11 * rate) : before - round(0.06 * rate)]
    return beat - np.median(level, axis=1, keepdims=True), 60 * rate / float(np.median(np.diff(peaks)))


def measure(recordings: Iterable[Recording]) -> Measured:
    """Waves of the median beat in windows around the middle of QRS, and amplitudes of frequency bands."""
    from scipy.signal import welch

    amplitudes, rates, bands = [], [], []
    for recording in recordings:
        found = median_beat(recording)
        if found is None:
            continue
        beat, heart_rate = found
        rate = recording.sampling_rate

        def window(begin: float, end: float, beat: np.ndarray = beat, rate: float = rate) -> np.ndarray:
            return beat[:, round((0.35 + begin) * rate) : round((0.35 + end) * rate)]

        def furthest(values: np.ndarray) -> np.ndarray:
            return np.take_along_axis(values, np.abs(values).argmax(axis=1)[:, None], axis=1)[:, 0]

        qrs = window(-0.06, 0.07)
        st = window(0.095, 0.11).mean(axis=1)
        t, p = furthest(window(0.14, 0.42)), furthest(window(-0.24, -0.07))
        amplitudes.append([qrs.max(axis=1), qrs.min(axis=1), st, t, p])
        rates.append(heart_rate)
        if rate == 500:
            frequency, density = welch(recording.signal.astype(float), rate, nperseg=2000)
            inside = [(frequency >= low) & (frequency < high) for low, high in BANDS]
            bands.append([1000 * np.sqrt(density[:, b].sum(axis=1) * frequency[1]) for b in inside])
    return Measured(np.array(amplitudes), np.array(rates), np.array(bands))


def normal_people(root: Path) -> list[dict[str, Any]]:
    """Rows of PTB-XL with NORM 100 and SR and nothing else, adults up to 89."""
    import pandas as pd

    rows = pd.read_csv(root / "ptbxl_database.csv")
    codes = rows.scp_codes.map(ast.literal_eval)
    normal = codes.map(lambda one: set(one) == {"NORM", "SR"} and one["NORM"] == 100)
    return rows[normal & rows.age.between(18, 89)].to_dict("records")


def read_rate(root: Path, rows: list[dict[str, Any]], column: str) -> list[Recording]:
    there = [root / f"{row[column]}" for row in rows if (root / f"{row[column]}.dat").is_file()]
    return [files.read(path) for path in there]


def like(rows: list[dict[str, Any]], n: int) -> list[Recording]:
    """Simulated normal recordings of people of the same ages and sexes."""
    who = [rows[number % len(rows)] for number in range(n)]
    return [
        simulate_recording(["NORM"], seed, age=row["age"], sex="female" if row["sex"] else "male")[0]
        for seed, row in enumerate(who)
    ]


def triple(values: np.ndarray) -> str:
    return " / ".join(f"{v:.2f}" for v in np.percentile(values, QUANTILES))


def compare(root: Path, figure: Path | None) -> list[str]:
    rows = normal_people(root)
    people_500 = read_rate(root, rows, "filename_hr")
    only_100 = [row for row in rows if not (root / f"{row['filename_hr']}.dat").is_file()]
    people_100 = read_rate(root, only_100, "filename_lr")
    simulated = like(rows, SIMULATED)
    people, ours = measure([*people_500, *people_100]), measure(simulated)
    lines = [
        f"## Amplitudes: {len(people.rates)} recordings of people, {len(ours.rates)} simulated",
        "",
        "mV, 5 % / median / 95 %, of the median beat. P and T were centred on these medians and QRS on "
        "another data set, made 8 % larger (docs/simulation.md): the rest is comparison.",
        "",
        "| wave | lead | people | simulated |",
        "|---|---|---:|---:|",
    ]
    for number, wave in enumerate(WAVES):
        for place, lead in enumerate(STANDARD_LEADS):
            both = (triple(one.amplitudes[:, number, place]) for one in (people, ours))
            lines.append(f"| {wave} | {lead} | {' | '.join(both)} |")
    lines += [
        "",
        f"Heart rate a minute: people {triple(people.rates)}, simulated {triple(ours.rates)}.",
        "",
        f"## Spectra: {len(people.bands)} recordings of people at 500 Hz",
        "",
        "Root mean square in microvolts, median over recordings, people -> simulated.",
        "",
        "| lead | " + " | ".join(f"{low:g}-{high:g} Hz" for low, high in BANDS) + " |",
        "|---|" + "---:|" * len(BANDS),
    ]
    for place, lead in enumerate(STANDARD_LEADS):
        middle = (np.median(one.bands[:, :, place], axis=0) for one in (people, ours))
        cells = [f"{a:.0f} -> {b:.0f}" for a, b in zip(*middle, strict=True)]
        lines.append(f"| {lead} | {' | '.join(cells)} |")
    lines += delineation(people_500[:60])
    if figure:
        draw(people, ours, figure)
        lines += ["", f"![Amplitudes of people and simulated]({figure.name})"]
    return lines


def delineate(recording: Recording, lead: str) -> dict[str, float]:
    """Intervals in ms that NeuroKit2's wavelet delineator measures, medians over the beats of one lead."""
    import neurokit2

    rate = int(recording.sampling_rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            signal = neurokit2.ecg_clean(recording[lead].astype(float), sampling_rate=rate)
            _, peaks = neurokit2.ecg_peaks(signal, sampling_rate=rate)
            _, waves = neurokit2.ecg_delineate(signal, peaks["ECG_R_Peaks"], sampling_rate=rate, method="dwt")
        except (ValueError, IndexError, ZeroDivisionError, KeyError):
            return dict.fromkeys(("pr", "qrs", "qt"), float("nan"))
        at = {name: np.array(places, dtype=float) * 1000 / rate for name, places in waves.items()}
        return {
            "pr": float(np.nanmedian(at["ECG_R_Onsets"] - at["ECG_P_Onsets"])),
            "qrs": float(np.nanmedian(at["ECG_R_Offsets"] - at["ECG_R_Onsets"])),
            "qt": float(np.nanmedian(at["ECG_T_Offsets"] - at["ECG_R_Onsets"])),
        }


def delineation(people: list[Recording]) -> list[str]:
    """What the delineator measures on people, on simulated recordings, and what had been asked for."""
    drawn = [simulate_recording(["NORM"], seed) for seed in range(len(people))]
    lines = [
        "",
        f"## Intervals that NeuroKit2 (dwt) measures, {len(people)} recordings each",
        "",
        "ms, 5 % / median / 95 %. The error is found less asked for; nobody knows it for people.",
        "",
        "| lead | interval | people | simulated | asked for | median error | median absolute error |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for lead in ("II", "V5"):
        on_people = [delineate(recording, lead) for recording in people]
        on_ours = [delineate(recording, lead) for recording, _ in drawn]
        for name in ("pr", "qrs", "qt"):
            asked = np.array([1000 * truth.parameters[name] for _, truth in drawn])
            theirs, found = (np.array([one[name] for one in some]) for some in (on_people, on_ours))
            error = found - asked
            cells = [
                " / ".join(f"{v:.0f}" for v in np.nanpercentile(values, QUANTILES))
                for values in (theirs, found, asked)
            ]
            lines.append(
                f"| {lead} | {name.upper()} | {' | '.join(cells)} | {np.nanmedian(error):+.0f} | "
                f"{np.nanmedian(np.abs(error)):.0f} |"
            )
    return lines


def draw(people: Measured, ours: Measured, path: Path) -> None:
    """Medians and 5 to 95 % of each wave in each lead, people beside simulated."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots(len(WAVES), 1, sharex=True)
    for number, (axis, wave) in enumerate(zip(axes, WAVES, strict=True)):
        for offset, one, colour, name in ((-0.15, people, "0.35", "people"), (0.15, ours, "C0", "simulated")):
            low, middle, high = np.percentile(one.amplitudes[:, number], QUANTILES, axis=0)
            x = np.arange(len(STANDARD_LEADS)) + offset
            axis.vlines(x, low, high, color=colour, lw=3, alpha=0.5)
            axis.plot(x, middle, "o", color=colour, ms=4, label=name)
        axis.axhline(0, color="0.8", lw=0.8, zorder=0)
        axis.set_ylabel(f"{wave} (mV)")
    axes[0].legend(ncols=2, frameon=False)
    axes[-1].set_xticks(range(len(STANDARD_LEADS)), STANDARD_LEADS)
    figure.savefig(path, dpi=80)


def speed() -> list[str]:
    """Processor time of a data set with both rates, one process."""
    seconds = []
    for seed in range(3):
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            simulate_dataset(folder, 100, seed)
            seconds.append(time.process_time() - began)
    rate = 100 / statistics.median(seconds)
    return [
        "",
        "## Speed",
        "",
        f"{rate:.0f} records a second of processor time, both rates and truth written.",
    ]


def ask_model(model: str, n: int) -> list[str]:
    """ROC-AUC of each superclass against simulated NORM, with a bootstrap interval over recordings."""
    import leadlight as ll

    classifier = ll.load(model)
    codes = [code for code, _ in classifier.classes]
    missing = {"NORM", *CONDITIONS} - set(codes)
    if missing:
        raise SystemExit(
            f"{model}: no classes {', '.join(sorted(missing))}; a model of the superclasses is needed"
        )

    def probabilities(conditions: str, first_seed: int) -> np.ndarray:
        recordings = [simulate_recording(conditions.split("+"), first_seed + seed)[0] for seed in range(n)]
        predictions = classifier.predict(recordings, longer="centre")
        return np.array([prediction.probabilities for prediction in predictions])

    normal = probabilities("NORM", 0)
    lines = [
        f"## Does {classifier.contract.name} know simulated findings? {n} recordings of each, {n} NORM",
        "",
        "ROC-AUC of the superclass's probability, this condition against simulated NORM, with 95 % "
        "bootstrap interval; and the median probability on both.",
        "",
        "| superclass | condition | AUC | 95 % | median p, condition | median p, NORM |",
        "|---|---|---:|---:|---:|---:|",
    ]
    rng = np.random.default_rng(0)
    for superclass, conditions in CONDITIONS.items():
        column = codes.index(superclass)
        pooled = []
        for number, condition in enumerate(conditions):
            scores = probabilities(condition, 100_000 * (number + 1))[:, column]
            pooled.append(scores)
            lines.append(_auc_row(superclass, condition, scores, normal[:, column], rng))
        together = np.concatenate(pooled)
        lines.append(_auc_row(superclass, "**all of these**", together, normal[:, column], rng))
        if superclass == "CD":
            blocks = np.concatenate(pooled[:2])
            lines.append(_auc_row(superclass, "**CLBBB and CRBBB**", blocks, normal[:, column], rng))
    return lines


def _auc_row(
    superclass: str, name: str, scores: np.ndarray, normal: np.ndarray, rng: np.random.Generator
) -> str:
    from sklearn.metrics import roc_auc_score

    def auc(some: np.ndarray, others: np.ndarray) -> float:
        truth = np.r_[np.ones(len(some)), np.zeros(len(others))]
        return float(roc_auc_score(truth, np.r_[some, others]))

    drawn = [auc(rng.choice(scores, len(scores)), rng.choice(normal, len(normal))) for _ in range(1000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return (
        f"| {superclass} | {name} | {auc(scores, normal):.3f} | {low:.3f} to {high:.3f} | "
        f"{np.median(scores):.2f} | {np.median(normal):.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", help="a model of the superclasses, trained on recordings of people")
    parser.add_argument("--records", type=int, default=200, help="of each condition, with --model")
    parser.add_argument("--out", type=Path, help="Markdown file; a figure is written beside it")
    given = parser.parse_args()
    if given.model:
        command = f"python benchmarks/simulator.py --model {given.model} --records {given.records}"
        lines = ask_model(given.model, given.records)
    else:
        root = Path(os.environ.get("LEADLIGHT_DATA", "")) / "ptb-xl"
        if "LEADLIGHT_DATA" not in os.environ or not root.is_dir():
            raise SystemExit("LEADLIGHT_DATA does not name a folder that holds ptb-xl/")
        command = "python benchmarks/simulator.py"
        figure = given.out.with_suffix(".png") if given.out else None
        lines = compare(root, figure) + speed()
    text = "\n".join(
        ["# Simulated recordings beside recordings of people", "", f"`{command}`", "", *lines, "",
         describe_machine("leadlight", "numpy", "scipy", "neurokit2"), ""]
    )  # fmt: skip
    if given.out:
        given.out.write_text(text, encoding="utf-8")
        print(f"wrote {given.out}")
    else:
        print(text)


if __name__ == "__main__":
    main()
