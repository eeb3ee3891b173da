"""How far do the flags of signal quality agree with people, and what does examining cost?

    LEADLIGHT_DATA=... python benchmarks/quality.py --out benchmarks/results/quality.md

Four questions. (1) Noise and drift beside the remarks in PTB-XL's table (static_noise, burst_noise,
baseline_drift; a record with a remark against one without): limits follow from folds 1 to 7,
agreement on folds 8 and 9 stands beside. (2) Exchanged limb electrodes: the potentials of the
electrodes follow from I and II, so any exchange can be made of a real record exactly; sensitivity on
the exchanged, specificity on the records as they are. (3) Noise and hum of known size, clipping and
flat stretches put into real records that show none. (4) Time a record. Intervals: percentile
bootstrap by patient for the AUC, Wilson for shares. ``--fit`` prints the regression of
quality/data/limb_leads.toml anew, ``--choose`` the sweeps and rules that the limits follow from
(quality_limits.py); both read folds 1 to 7 alone.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

import leadlight as ll
from keep import keep
from leadlight.files import find_recordings
from leadlight.leads import STANDARD_LEADS
from leadlight.quality import quality_columns, thresholds
from leadlight.quality.limb_leads import WAYS
from leadlight.quality.measures import measure
from machine import describe_machine
from quality_limits import TOLD, choose, connected, of_choosing

RESAMPLES = 1000
REMARKS = """The remarks are free text by several people; a slight fault ("leicht") counts as one, and many
records with visible drift have none. Bursts are rare and short: eleven in folds 8 and 9, none of them
flagged. The flag is for noise that lasts; for bursts it says nothing."""
EXCHANGES = """Only the right verdict counts as told; for LA-LL that is none: LA-LL cannot be told from
one recording. RA>LL>LA (cable RA on the left leg, LA on the right arm, LL on the left arm) looks like RA-LA,
RA>LA>LL like RA-LL. Records as they are may hold real exchanges: the specificity is at least what is shown.
RA-RL and LA-RL need the potential of the right leg, which no record holds: their sensitivity is not measured.
Dextrocardia, which inverts I too, is not among these records: a known confounder, not measured."""


def interval(hits: int, n: int) -> str:
    """A share with its 95 % Wilson interval, in percent."""
    if n == 0:
        return "–"
    z, p = 1.96, hits / n
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((centre + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return f"{100 * p:.1f} ({100 * max(low, 0.0):.1f}–{100 * high:.1f})"


def auc(truth: NDArray[np.bool_], score: NDArray[np.float32], patients: NDArray[np.str_]) -> str:
    """ROC-AUC with a 95 % interval, patients resampled."""
    rng = np.random.default_rng(1)
    names, number = np.unique(patients, return_inverse=True)
    values = []
    for _ in range(RESAMPLES):
        weight = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[number]
        if 0 < weight[truth].sum() < weight.sum():
            values.append(roc_auc_score(truth, score, sample_weight=weight))
    low, high = np.percentile(values, [2.5, 97.5])
    return f"{roc_auc_score(truth, score):.3f} ({low:.3f}–{high:.3f})"


def agreement(rows: list[dict[str, str]], signals: NDArray[np.int16]) -> list[str]:
    folds = np.array([int(row["strat_fold"]) for row in rows])
    patients = np.array([row["patient_id"] for row in rows])
    found = measure(signals, STANDARD_LEADS, 100)
    limits = thresholds()
    said = {name: np.array([bool(row[name].strip()) for row in rows]) for name in rows[0]}
    questions = [
        ("noisy", "static_noise or burst_noise", said["static_noise"] | said["burst_noise"], found.noise),
        ("noisy", "static_noise", said["static_noise"], found.noise),
        ("noisy", "burst_noise", said["burst_noise"], found.noise),
        ("drifting", "baseline_drift", said["baseline_drift"], found.drift),
    ]
    lines = [
        "| flag in any lead | remark | folds | records, with remark | sensitivity % | specificity % | AUC |",
        "|---|---|---|---:|---|---|---|",
    ]
    for flag, remark, truth, measured in questions:
        score = measured.max(axis=1)
        raised = score >= limits[flag]["millivolts"]
        for name, part in (("1–7 (limits)", folds <= 7), ("8–9", folds >= 8)):
            yes, no = part & truth, part & ~truth
            lines.append(
                f"| {flag} | {remark} | {name} | {part.sum():,}, {yes.sum()} "
                f"| {interval(int(raised[yes].sum()), int(yes.sum()))} "
                f"| {interval(int((~raised[no]).sum()), int(no.sum()))} "
                f"| {auc(truth[part], score[part], patients[part])} |"
            )
    return lines


def exchanged(rows: list[dict[str, str]], signals: NDArray[np.int16]) -> list[str]:
    folds = np.array([int(row["strat_fold"]) for row in rows])
    groups = {
        "all": np.ones(len(rows), dtype=bool),
        "NORM": np.array(["'NORM'" in row["scp_codes"] for row in rows]),
        "AFIB": np.array(["'AFIB'" in row["scp_codes"] for row in rows]),
        "MI, any": np.array(["MI'" in row["scp_codes"] for row in rows]),
        "bundle branch block": np.array(
            [any(code in row["scp_codes"] for code in ("'CRBBB'", "'CLBBB'")) for row in rows]
        ),
    }
    verdicts = {way: verdicts_of(connected(signals, way)) for way in WAYS}
    lines = [
        "| records of folds 8–9 | n | suspected as recorded % | "
        + " | ".join(f"{way}: told as {TOLD[way] or 'nothing'} %" for way in WAYS if way != "correct")
        + " |",
        "|---|---:|---|" + "---|" * (len(WAYS) - 1),
    ]
    for name, group in groups.items():
        part = group & (folds >= 8)
        n = int(part.sum())
        cells = [interval(int((verdicts["correct"][part] != "").sum()), n)]
        cells += [
            interval(int((verdicts[way][part] == TOLD[way]).sum()), n) for way in WAYS if way != "correct"
        ]
        lines.append(f"| {name} | {n} | " + " | ".join(cells) + " |")
    train = folds <= 7
    suspected = interval(int((verdicts["correct"][train] != "").sum()), int(train.sum()))
    told = interval(int((verdicts["RA-LA"][train] == "RA-LA").sum()), int(train.sum()))
    lines += [
        "",
        f"Folds 1–7, which margin and regression follow from: {suspected} % suspected as recorded, "
        f"{told} % of RA-LA told.",
    ]
    return lines


def laws(signals: NDArray[np.int16], others: Sequence[Path]) -> list[str]:
    """How well the limb leads obey their laws, and how small the QRS of II and III gets beside I."""
    found = measure(signals, STANDARD_LEADS, 100)
    worst = {"ptb-xl, 100 Hz": [np.fmax(found.einthoven, found.goldberger)]}
    for folder in others:
        for file in find_recordings(folder):
            recording = ll.read(file)
            if recording.duration >= 2:
                one = measure(recording.signal[None], recording.leads, recording.sampling_rate)
                worst.setdefault(folder.name, []).append(np.fmax(one.einthoven, one.goldberger))
    lines = [
        "| collection | records | largest residual of Einthoven's and Goldberger's laws, µV |",
        "|---|---:|---:|",
    ]
    for name, values in worst.items():
        every = np.concatenate(values)
        lines.append(f"| {name} | {len(every):,} | {1000 * np.nanmax(every):.1f} |")
    least = np.nanmin(found.limb_sizes, axis=0)
    lines += ["", f"QRS over that of I, least of {len(signals):,}: II {least[0]:.3f}, III {least[1]:.3f}."]
    return lines


def verdicts_of(signals: NDArray[np.int16]) -> NDArray[np.str_]:
    return np.array([row["limb_leads"] or "" for row in quality_columns(signals, STANDARD_LEADS, 100)])


def made_faults(signals: NDArray[np.int16], rate: int) -> list[str]:
    """Faults of known size in one lead of real records without a flag in any."""
    rng = np.random.default_rng(3)
    before = quality_columns(signals, STANDARD_LEADS, rate)
    names = ("missing_leads", "flat_leads", "saturated_leads", "noisy_leads", "mains_leads")
    good = signals[[not any(row[name] for name in names) for row in before]].astype(np.float32)
    n, n_samples = len(good), signals.shape[2]
    lead = rng.integers(12, size=n)
    times = np.arange(n_samples) / rate

    def hum(size: float, frequency: float) -> NDArray[np.float64]:
        phase = rng.uniform(0, 2 * np.pi, (n, 1))
        return size * np.sqrt(2) * np.sin(2 * np.pi * frequency * times + phase)

    def noise(size: float) -> NDArray[np.float64]:
        return rng.normal(0, size * np.sqrt(rate / 100), (n, n_samples))

    def clipped(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        # Rails at half of the lead's reach, once it is enlarged to 4 mV.
        large = rows * (4000 / np.abs(rows).max(axis=1, keepdims=True))
        return np.clip(large, -2000, 2000)

    def held(rows: NDArray[np.float32], seconds: float) -> NDArray[np.float32]:
        begin, samples = n_samples // 3, round(seconds * rate)
        rows = rows.copy()
        rows[:, begin : begin + samples] = rows[:, begin : begin + 1]
        return rows

    faults: dict[str, tuple[str, Callable[[NDArray[np.float32]], NDArray[np.floating]]]] = {
        f"white noise of {size} µV in 50 Hz": ("noisy_leads", lambda rows, size=size: rows + noise(size))
        for size in (5, 10, 15, 20, 30, 50)
    }
    if rate > 140:
        faults |= {
            f"{frequency} Hz of {size} µV root mean square": (
                "mains_leads",
                lambda rows, size=size, frequency=frequency: rows + hum(size, frequency),
            )
            for frequency in (50, 60)
            for size in (5, 10, 15, 30)
        }
    faults["clipped at half its reach (2 mV)"] = ("saturated_leads", clipped)
    faults |= {
        f"held for {seconds:g} s": ("flat_leads", lambda rows, seconds=seconds: held(rows, seconds))
        for seconds in (0.5, 1.3, 3)
    }
    lines = []
    for name, (column, make) in faults.items():
        faulty = good.copy()
        faulty[np.arange(n), lead] = make(good[np.arange(n), lead])
        found = quality_columns(np.rint(faulty).astype(np.int16), STANDARD_LEADS, rate)
        told = sum(STANDARD_LEADS[place] in row[column] for row, place in zip(found, lead, strict=True))
        others = sum(len(set(row[column]) - {STANDARD_LEADS[p]}) for row, p in zip(found, lead, strict=True))
        lines.append(
            f"| {rate} | {name} | {n} | {column.removesuffix('_leads')} | {interval(told, n)} "
            f"| {100 * others / (11 * n):.2f} |"
        )
    return lines


def speed(signals: NDArray[np.int16], rate: int) -> str:
    """Best of rounds of processor time, one record a call and 8 together."""
    times: dict[int, list[float]] = {1: [], 8: []}
    for _ in range(9):
        for at_once, rounds in times.items():
            began = time.process_time()
            for start in range(0, 192, at_once):
                quality_columns(signals[start : start + at_once], STANDARD_LEADS, rate)
            rounds.append((time.process_time() - began) / 192)
    single, many = (f"{min(rounds) * 1e3:.3f} / {np.median(rounds) * 1e3:.3f}" for rounds in times.values())
    return f"| {rate} | {single} | {many} |"


def fit(rows: list[dict[str, str]], signals: NDArray[np.int16]) -> None:
    """Least squares of I and II on V1 to V6, each record with the same weight, folds 1 to 7."""
    values = signals[of_choosing(rows)][:, [0, 1, 6, 7, 8, 9, 10, 11]].astype(np.float64)
    for band, lag in (("fast", 1), ("slow", 10)):
        steps = values[..., lag:] - values[..., :-lag]
        each = np.einsum("nit,njt->nij", steps, steps)
        total = (each / np.einsum("nii->n", each)[:, None, None]).sum(axis=0)
        ridge = 1e-6 * np.trace(total) * np.eye(6)
        regression = np.linalg.solve(total[2:, 2:] + ridge, total[2:, :2]).T
        print(f"[{band}]")
        for lead, numbers in zip(("I", "II"), regression, strict=True):
            print(f"{lead} = [{', '.join(f'{number:.3f}' for number in numbers)}]")


def read_counts(files: Sequence[Path]) -> NDArray[np.int16]:
    return np.stack([np.rint(ll.read(file).signal * 1000).astype(np.int16) for file in files])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="write the tables to this Markdown file")
    parser.add_argument("--fit", action="store_true", help="print the regression and end")
    parser.add_argument("--choose", action="store_true", help="print what the limits follow from and end")
    arguments = parser.parse_args()
    folder = Path(os.environ["LEADLIGHT_DATA"]) / "ptb-xl"
    with (folder / "ptbxl_database.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    signals = read_counts([folder / row["filename_lr"] for row in rows])
    if arguments.fit:
        fit(rows, signals)
        return
    if arguments.choose:
        text = ["# Limits of signal quality", "", f"`python {' '.join(sys.argv)}` with LEADLIGHT_DATA set."]
        text += ["", *choose(rows, signals), "", describe_machine("leadlight", "numpy")]
        print("\n".join(text))
        keep("\n".join(text) + "\n", arguments.out)
        return
    fast = [folder / row["filename_hr"] for row in rows if (folder / f"{row['filename_hr']}.hea").exists()]
    signals_500 = read_counts(fast)
    text = [
        "# Signal quality",
        "",
        f"`python {' '.join(sys.argv)}` with LEADLIGHT_DATA set: {len(rows):,} records of PTB-XL 1.0.3 "
        f"at 100 Hz, {len(fast)} of them at 500 Hz.",
        "",
        "## Beside the remarks of PTB-XL",
        "",
        *agreement(rows, signals),
        "",
        REMARKS,
        "",
        "## Exchanged limb electrodes",
        "",
        *exchanged(rows, signals),
        "",
        EXCHANGES,
        "",
        "## Laws of the limb leads",
        "",
        *laws(signals, [*sorted((folder.parent / "challenge-2021").iterdir()), folder.parent / "code-15"]),
        "",
        "## Faults of known size in one lead of real records without flags",
        "",
        "| Hz | fault | records | flag | told % | other leads flagged % |",
        "|---:|---|---:|---|---|---:|",
        *made_faults(signals[:1000], 100),
        *made_faults(signals_500, 500),
        "",
        "## Time",
        "",
        "| Hz, 12 x 10 s, int16 | ms a record, one a call: best / median | ms a record, 8 together |",
        "|---:|---|---|",
        speed(signals, 100),
        speed(signals_500, 500),
        "",
        "Processor time of one thread, rounds of 192 records.",
        "",
        describe_machine("leadlight", "numpy", "scikit-learn"),
    ]  # fmt: skip
    print("\n".join(text))
    keep("\n".join(text) + "\n", arguments.out)


if __name__ == "__main__":
    main()
