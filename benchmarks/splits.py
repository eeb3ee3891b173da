"""How long do the Challenge's index and the folds of the largest data sets take, and how even are the folds?

    python benchmarks/splits.py --data DIR --out benchmarks/results/splits.md

DIR: a folder of the Challenge 2021, also a part of it. Headers: 88,253 made of those in DIR, in the
official folders, with empty files in place of signals. Folds: of those, and of 800,035 records of
161,352 patients with drawn SNOMED CT codes, as many as MIMIC-IV-ECG has. "By chance": each patient
in a fold at random, the mean of ten draws.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keep import keep
from leadlight import datasets, labels
from leadlight.datasets import RecordEntry, assign_folds
from leadlight.datasets.challenge_sources import sources
from leadlight.recording import Statement
from machine import describe_machine

SPACE, FOLDS = "challenge-2021", 10
RECORDS, PATIENTS = 800_035, 161_352


def make_headers(data: Path, out: Path) -> None:
    """The Challenge's headers by number, with the content of those at hand in turn."""
    for source in sources().values():
        headers = sorted((data / source.name).rglob("*.hea")) or sorted((data / "ptb").rglob("*.hea"))
        texts = [(file.stem, file.read_text()) for file in headers]
        width = 5 if len(source.letters) > 1 or source.letters == "E" else 4
        for number in range(source.records):
            folder = out / source.name / f"g{number // 1000 + 1}"
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{source.letters}{source.first + number:0{width}d}"
            stem, text = texts[number % len(texts)]
            lines = text.replace(stem, name).split("\n")
            fields = lines[1].split()
            # Values of its own, so that no two describe the same samples.
            fields[5], fields[6] = str(number % 30_000), f"{sum(map(ord, source.name)) + number // 30_000}"
            lines[1] = " ".join(fields)
            (folder / f"{name}.hea").write_text("\n".join(lines))
            (folder / f"{name}.mat").touch()


def make_entries(seed: int) -> list[RecordEntry]:
    rng = random.Random(seed)
    statements = [Statement(code, "snomed-ct") for one in labels.space(SPACE).classes for code in one.members]
    weights = [1 / rank**1.3 for rank in range(1, len(statements) + 1)]
    return [
        RecordEntry(
            str(40_000_000 + number),
            str(10_000_000 + rng.randrange(PATIENTS)),
            "",
            500.0,
            statements=tuple(rng.choices(statements, weights, k=rng.choice((0, 1, 1, 2, 3)))),
            source="made",
        )
        for number in range(RECORDS)
    ]


def spread(entries: Sequence[RecordEntry], folds: Sequence[int]) -> tuple[float, float]:
    """Furthest of a fold from its share, in percent of it: records; classes with 100 records or more."""
    at = np.asarray(folds)
    values = (
        labels.space(SPACE)
        .encode([e.statements for e in entries], sources=[e.source for e in entries])
        .values
    )
    counted = np.stack(
        [np.append(values[at == fold].sum(axis=0), (at == fold).sum()) for fold in range(1, 11)]
    )
    share = counted.sum(axis=0) / FOLDS
    often = share >= 10
    off = 100 * np.abs(counted - share)[:, often] / share[often]
    return float(off[:, -1].max()), float(off[:, :-1].max())


def by_chance(entries: Sequence[RecordEntry]) -> tuple[float, float]:
    found = []
    for seed in range(10):
        rng = random.Random(seed)
        fold_of = {patient: rng.randrange(1, 11) for patient in sorted({e.patient_id for e in entries})}
        found.append(spread(entries, [fold_of[e.patient_id] for e in entries]))
    return float(np.mean([one[0] for one in found])), float(np.mean([one[1] for one in found]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        make_headers(options.data, Path(place))
        times = []
        for _ in range(3):
            began = time.perf_counter()
            index = datasets.read_published("challenge-2021", place, 500)
            times.append(time.perf_counter() - began)
    n_headers = len(index) + len(index.set_aside)
    rows = []
    made = make_entries(1)
    for title, entries in (("Challenge's headers", index.entries), ("as large as MIMIC-IV-ECG", made)):
        began = time.perf_counter()
        folds = assign_folds(entries, FOLDS, 0, SPACE)
        seconds = time.perf_counter() - began
        ours, chance = spread(entries, folds), by_chance(entries)
        patients = len({entry.patient_id for entry in entries})
        rows.append(
            f"| {title} | {len(entries):,} | {patients:,} | {seconds:.1f} s "
            f"| {ours[0]:.2f} %, {ours[1]:.2f} % | {chance[0]:.2f} %, {chance[1]:.2f} % |"
        )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    text = f"""# Index of the Challenge, and folds

    python benchmarks/splits.py --data DIR --out benchmarks/results/splits.md

{describe_machine("leadlight", "numpy")}

Index of {n_headers:,} headers, in the disk cache: {min(times):.1f} to {max(times):.1f} s in three runs,
{1000 * min(times) / n_headers:.3f} ms a header at best.

| folds of | records | patients | time | off: records, classes | the same by chance |
|---|---|---|---|---|---|
{chr(10).join(rows)}

"Off": the furthest of ten folds from its share, in percent of the share: in records, and in the worst
class of {SPACE} among those with at least 100 records. "By chance": each patient in a fold at
random, the mean of ten draws. Peak memory with both sets of entries: {memory:.1f} GB.
"""
    print(text)
    keep(text, options.out)


if __name__ == "__main__":
    main()
