"""How fast are records prepared, and taken out of a store, and how much memory does it need?

    LEADLIGHT_DATA=DIR python benchmarks/prepare.py --out benchmarks/results/prepare.md

Records: the real PTB-XL in LEADLIGHT_DATA, else simulated ones, copied side by side until there
are enough. Everything is read once before, so that it comes from the page cache. Each
measurement is a process of its own: the time is that of ``store_index`` (read, check, resample,
write, sync, index), without imports; the memory is the process's peak. Kinds of work
alternate, so that all see the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from keep import keep
from leadlight.datasets import DatasetIndex, read_index
from machine import describe_machine

SIZES = {100: 6000, 500: 1500}  # records, by the rate of the files
ROUNDS = 5
MEMORY_SIZES = (1000, 12_000)
READ_RECORDS, BATCHES = 20_000, (32, 256)
TARGETS = {100: 3000, 500: 600}


def copied_index(folder: Path, source: Path, file_rate: int, n: int) -> DatasetIndex:
    """An index of n records with files of one rate, copied into folders of one round each."""
    index = read_index("ptb-xl", source, file_rate)
    entries = []
    for number in range(n):
        entry = index.entries[number % len(index)]
        path = f"{number // len(index)}/{entry.path}"
        target = folder / f"{file_rate}" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        for extension in (".hea", ".dat"):
            content = (index.root / f"{entry.path}{extension}").read_bytes()
            target.with_suffix(extension).write_bytes(content)
        entries.append(replace(entry, record_id=f"{number}", path=path))
    return replace(index, root=folder / f"{file_rate}", sampling_rate=100.0, entries=tuple(entries))


def measure(index: DatasetIndex, out: Path, workers: int) -> dict[str, float]:
    """Seconds by the clock, seconds of CPU with all workers, and peak memory (MiB) of one preparation."""
    from leadlight.store import store_index

    # What a process loads once is not counted: the readers, SciPy's filter design, Arrow.
    store_index(replace(index, entries=index.entries[:2]), out.with_name("first"))
    began, cpu_began = time.perf_counter(), cpu_seconds()
    store = store_index(index, out, workers)
    seconds, cpu = time.perf_counter() - began, cpu_seconds() - cpu_began
    assert len(store) == len(index), store.description["set_aside"][:1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "cpu": cpu, "peak": peak}


def cpu_seconds() -> float:
    """CPU time of this process and of its workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure_reading(store_path: Path, batch: int) -> dict[str, float]:
    """Records a second in random batches, as counts and in millivolts."""
    from leadlight.store import open_store

    store = open_store(store_path)
    store.signals(slice(None, None, 7))
    generator = np.random.default_rng(0)
    batches = [generator.integers(0, len(store), batch) for _ in range(READ_RECORDS // batch)]
    result = {}
    for name, take in (("counts", store.counts), ("signals", store.signals)):
        began = time.perf_counter()
        for rows in batches:
            take(rows)
        result[name] = batch * len(batches) / (time.perf_counter() - began)
    return result


def in_process(*arguments: object) -> dict[str, float]:
    """Run this file again for one measurement."""
    command = [sys.executable, __file__, "--one", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def one(arguments: Sequence[str]) -> None:
    """One measurement: its result as JSON on standard output."""
    import pickle

    what, *rest = arguments
    if what == "read":
        print(json.dumps(measure_reading(Path(rest[0]), int(rest[1]))))
        return
    index = pickle.loads(Path(rest[0]).read_bytes())
    index = replace(index, entries=index.entries[: int(rest[1])])
    print(json.dumps(measure(index, Path(rest[2]), int(rest[3]))))


def main() -> None:
    """All measurements, as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="Markdown file for the result.")
    parser.add_argument("--one", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one)
        return
    with tempfile.TemporaryDirectory() as folder:
        text = report(Path(folder))
    print(text)
    keep(text, options.out)


def report(folder: Path) -> str:
    """Measure everything in a folder; the page."""
    import pickle

    data = os.environ.get("LEADLIGHT_DATA")
    if data:
        source, words = Path(data) / "ptb-xl", "Real PTB-XL records"
    else:
        from leadlight.simulate import simulate_dataset

        source, words = simulate_dataset(folder / "simulated", 200, 0), "200 simulated records"
    most = {100: max(SIZES[100], *MEMORY_SIZES), 500: SIZES[500]}
    pickles = {}
    different = {}
    for rate, n in most.items():
        pickles[rate] = folder / f"{rate}.pickle"
        index = copied_index(folder / "data", source, rate, n)
        different[rate] = min(n, len(read_index("ptb-xl", source, rate)))
        pickles[rate].write_bytes(pickle.dumps(index))

    out = folder / "store"

    def prepared(rate: int, n: int, workers: int, keep: bool = False) -> dict[str, float]:
        result = in_process("prepare", pickles[rate], n, out, workers)
        shutil.rmtree(folder / "first")
        if not keep:
            shutil.rmtree(out)
        return result

    rates: dict[tuple[int, int], list[float]] = {}
    cpu_rates: dict[tuple[int, int], list[float]] = {}
    for _ in range(ROUNDS):
        for rate, n in SIZES.items():
            for workers in (1, 2):
                result = prepared(rate, n, workers)
                rates.setdefault((rate, workers), []).append(n / result["seconds"])
                cpu_rates.setdefault((rate, workers), []).append(n / result["cpu"])
    peaks = {n: prepared(100, n, 1, keep=n == MEMORY_SIZES[-1])["peak"] for n in MEMORY_SIZES}
    reading: dict[tuple[int, str], list[float]] = {}
    for _ in range(ROUNDS):
        for batch in BATCHES:
            for name, value in in_process("read", out, batch).items():
                reading.setdefault((batch, name), []).append(value)

    lines = [
        "# Preparing a store, and reading from it",
        "",
        "    LEADLIGHT_DATA=DIR python benchmarks/prepare.py --out benchmarks/results/prepare.md",
        "",
        f"{words} of 12 leads and 10 s, copied side by side ({different[100]:,} different",
        f"ones at 100 Hz, {different[500]:,} at 500 Hz), from a warm page cache.",
        f"{ROUNDS} rounds, each in a process of its own.",
        "",
        describe_machine("leadlight", "numpy", "scipy", "pyarrow"),
        "",
        "Header and size checks, checksums of the file, SHA-256 of each record and each shard, fsync,",
        "index and description are part of the time; with two workers so is their start. Records a second",
        "of CPU time do not suffer from what else the machine does; by the clock they do.",
        "",
        "| files | workers | records | records/s by the clock | records/s of CPU time | target |",
        "|---|---|---|---|---|---|",
    ]
    for (rate, workers), values in sorted(rates.items()):
        cpu = spread(cpu_rates[rate, workers])
        target = f"{TARGETS[rate]:,} a core"
        lines.append(
            f"| {rate} Hz to 100 Hz | {workers} | {SIZES[rate]:,} | {spread(values)} | {cpu} | {target} |"
        )
    lines += [
        "",
        "Smallest - median - largest.",
        "",
        "| random batches, 12 x 1,000 | of | records/s by the clock |",
        "|---|---|---|",
    ]
    names = {"counts": "int16 counts", "signals": "float32 millivolts"}
    for (batch, name), values in sorted(reading.items()):
        lines.append(f"| {names[name]} | {batch} | {spread(values)} |")
    small, large = MEMORY_SIZES
    further = (peaks[large] - peaks[small]) * 1024 / (large - small)
    lines += [
        "",
        f"Peak memory of a preparation with one worker: {peaks[small]:.0f} MiB for {small:,} records,",
        f"{peaks[large]:.0f} MiB for {large:,}: {further:.1f} KiB for each further record,",
        f"its row of the index among it (a record's signal alone is {12 * 1000 * 2 / 1024:.1f} KiB stored).",
        "",
    ]
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    return f"{min(values):,.0f} - {statistics.median(values):,.0f} - {max(values):,.0f}"


if __name__ == "__main__":
    main()
