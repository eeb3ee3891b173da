"""The page of ``scale.py``: what its stages measured, and what follows for 800,035 records."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from machine import describe_machine

WHOLE = 800_035
TARGET = 20_000
"""Records/s of int16 counts at 100 Hz from a warm store, two processes."""
GB = 1e9
Results = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """What was asked for. sizes: records, rising; memory: bytes of this machine."""

    command: str
    sizes: Sequence[int]
    workers: Sequence[int]
    space: str
    recipe: str
    batches: Sequence[int]
    rounds: int
    seconds: float
    memory: int

    @property
    def few(self) -> int:
        """The smallest size: what is measured at one size alone."""
        return self.sizes[0]

    @property
    def most(self) -> int:
        """The largest size: what 800,035 records are reckoned from."""
        return self.sizes[-1]


def report(results: Results, setting: Setting) -> str:
    """The page, as Markdown."""
    lines = [
        "# At the size of MIMIC-IV-ECG",
        "",
        f"    {setting.command}",
        "",
        *paragraph(
            "Simulated records in MIMIC-IV-ECG's layout: 12 leads, 10 s, 500 Hz, format 16, a header, a "
            "report and measurements of its own for each record; the signals are 500 different ones, "
            "hard-linked, so reading them comes from the page cache. Real signals come from disk: 96 GB "
            "for all records."
        ),
        describe_machine("leadlight", "numpy", "scipy", "pyarrow", "ray"),
        "Load of the last minute at the stages' ends, smallest - median - largest: "
        f"{span([one['load'] for one in results.values()], 1)}.",
        "",
        *stages(results, setting),
        *memory(results, setting),
        *disk(results, setting),
        *batches(results, setting),
        *uncached(results, setting),
    ]
    return "\n".join(lines)


def found_by_row(results: Results, setting: Setting) -> dict[str, list[Any]]:
    """Results of each stage at each size, by the stage's name on the page."""
    keys = {"simulate {n}": "write the files", "index {n}": "read the index", "folds {n}": "assign folds"}
    for number in setting.workers:
        words = f"{number} worker{'s' if number > 1 else ''}"
        keys[f"prepare {{n}} 100 {number}"] = f"prepare, 500 to 100 Hz, {words}"
    keys["choose {n}"] = f"open, choose eight folds, labels of {setting.space}"
    return {words: [results[key.format(n=n)] for n in setting.sizes] for key, words in keys.items()}


def stages(results: Results, setting: Setting) -> list[str]:
    """Records a second of each stage."""
    few = setting.few
    heads = " | ".join(f"{n:,}: records/s" for n in setting.sizes)
    lines = [
        "## Stages",
        "",
        *paragraph(
            "Records a second by the clock. The index with its folds is read before preparing begins."
        ),
        f"| stage | {heads} | {WHOLE:,} would take |",
        "|---|" + "---|" * (len(setting.sizes) + 1),
    ]
    for words, found in found_by_row(results, setting).items():
        rates = [n / one["seconds"] for n, one in zip(setting.sizes, found, strict=True)]
        cells = " | ".join(f"{rate:,.0f}" for rate in rates)
        lines.append(f"| {words} | {cells} | {duration(WHOLE / rates[-1])} |")
    at_500, by_ray = results[f"prepare {few} 500 2"], results[f"prepare {few} 100 2 ray"]
    made = {n: [results[f"prepare {n} 100 {k}"]["files"] for k in setting.workers] for n in setting.sizes}
    made[few].append(by_ray["files"])
    same = all(files == all_files[0] for all_files in made.values() for files in all_files)
    return [
        *lines,
        "",
        *paragraph(
            f"Of {few:,} records with two workers: without resampling, 500 to 500 Hz, "
            f"{few / at_500['seconds']:,.0f} records/s; through Ray, 500 to 100 Hz, its start included, "
            f"{few / by_ray['seconds']:,.0f} records/s. SHA-256 of all files of the stores at 100 Hz, "
            f"whoever wrote them: {'equal' if same else 'DIFFERENT'}."
        ),
    ]


def memory(results: Results, setting: Setting) -> list[str]:
    """Peak memory at each size, and what a further record costs."""
    heads = " | ".join(f"{n:,}" for n in setting.sizes)
    lines = [
        "## Memory",
        "",
        *paragraph("Peak of the process, and of its largest worker."),
        f"| MiB | {heads} | KiB for each further record | {WHOLE:,} |",
        "|---|" + "---|" * (len(setting.sizes) + 2),
    ]
    for words, found in found_by_row(results, setting).items():
        for part, of in (("peak", ""), ("peak_child", ": a worker")):
            peaks = [one[part] for one in found]
            if part == "peak_child" and not (words.startswith("write") or words.endswith("workers")):
                continue
            slope = (peaks[-1] - peaks[0]) / max(1, setting.most - setting.few)
            whole = f"{peaks[-1] + slope * (WHOLE - setting.most):,.0f}"
            cells = " | ".join(f"{one:,.0f}" for one in peaks)
            lines.append(f"| {words}{of} | {cells} | {slope * 1024:.2f} | {whole} |")
    return [
        *lines,
        "",
        *paragraph(
            "What grows is the index: entries with ids, paths, statements and 20 columns of measurements, "
            "and what the note of a shard says of its records. Signals pass through a few at a time."
        ),
    ]


def disk(results: Results, setting: Setting) -> list[str]:
    """Bytes a record, and of all records."""
    few, most = setting.few, setting.most
    at_100, at_500 = results[f"prepare {most} 100 2"], results[f"prepare {few} 500 2"]
    linked = "data set (signals linked; real ones add 117 KiB a record)"
    sized = {
        linked: results[f"simulate {most}"]["bytes"] / most,
        "store at 100 Hz": at_100["bytes"] / most,
        "its index.parquet among it": at_100["index_bytes"] / most,
        f"store at 500 Hz, of {few:,} records": at_500["bytes"] / few,
    }
    lines = [
        f"## On disk, {most:,} records",
        "",
        f"| | KiB a record | {WHOLE:,} records, GB |",
        "|---|---|---|",
    ]
    lines += [f"| {words} | {size / 1024:,.2f} | {size * WHOLE / GB:,.2f} |" for words, size in sized.items()]
    return [
        *lines,
        "",
        *paragraph(
            "The index compresses better than a real one: checksums and notes repeat with the signals."
        ),
    ]


def batches(results: Results, setting: Setting) -> list[str]:
    """Random batches from a warm store, by one process and by two."""
    names = {
        "counts": "int16 counts",
        "signals": "float32 millivolts",
        "inputs": f"training's inputs and targets ({setting.recipe})",
    }
    lines = [
        "## Random batches from a warm store",
        "",
        *paragraph(
            f"Records a second; smallest - median - largest of {setting.rounds} times {setting.seconds:g} s. "
            "Two processes begin at once."
        ),
        "| a record | records in the store | batches of | one process | two processes |",
        "|---|---|---|---|---|",
    ]
    for n, rate in ((setting.most, 100), (setting.few, 500)):
        for what, words in names.items():
            for batch in setting.batches:
                drawn = results[f"draw {n} {rate}"].get(f"{what} {batch}")
                if drawn:
                    one, two = map(span, drawn)
                    lines.append(f"| 12 x {10 * rate:,}, {words} | {n:,} | {batch} | {one} | {two} |")
    drawn, batch = results[f"draw {setting.most} 100"], setting.batches[-1]
    one, two = (statistics.median(found) for found in drawn[f"counts {batch}"])
    return [
        *lines,
        "",
        *paragraph(
            f"The target is {TARGET:,} records/s of int16 counts on two cores: "
            f"{'met' if two >= TARGET else 'NOT MET'}, with {two:,.0f} in batches of {batch}. One process "
            f"copies {24e3 * one / GB:.1f} GB/s so; one that copies the same bytes in order, and does "
            f"nothing else, {drawn['copied'] / GB:.1f} GB/s."
        ),
    ]


def uncached(results: Results, setting: Setting) -> list[str]:
    """Random batches from stores that are not in memory."""
    found = results[f"cold {setting.most}"]
    lines = [
        "## A store that is not in memory",
        "",
        *paragraph(
            f"The store of {setting.most:,} records at 100 Hz, all of it dropped from the page cache before, "
            f"one process, random batches of 256 in millivolts: {found['rate']:,.0f} records/s for half a "
            f"minute, {found['read'] / 1024:,.1f} KiB read from disk a record of {24_000 / 1024:.1f} KiB "
            "(what was drawn before is in memory). "
            f"The process's own memory was {found['RssAnon']:,.0f} MiB."
        ),
    ]
    larger = results.get(f"larger {setting.few}")
    if larger is None:
        return lines
    return [
        *lines,
        *paragraph(
            f"**Larger than memory:** {larger['records']:,} records at 500 Hz, "
            f"{larger['bytes'] / GB:,.1f} GB (the store of {setting.few:,}, several times), on a machine "
            f"with {setting.memory / GB:.1f} GB "
            f"of memory. Random batches of 256 in millivolts: {larger['rate']:,.0f} records/s for half a "
            f"minute, {larger['read'] / 1024:,.0f} KiB read from disk a record of {120_000 / 1024:.0f} KiB. "
            f"The process's own memory was {larger['RssAnon']:,.0f} MiB; {larger['RssFile']:,.0f} MiB of the "
            "page cache were mapped, which the system takes back when it needs them."
        ),
    ]


def paragraph(text: str) -> list[str]:
    return [*textwrap.wrap(text, 100, break_long_words=False), ""]


def span(values: Sequence[float], digits: int = 0) -> str:
    return " - ".join(f"{one:,.{digits}f}" for one in (min(values), statistics.median(values), max(values)))


def duration(seconds: float) -> str:
    return f"{seconds / 60:,.1f} min" if seconds >= 100 else f"{seconds:,.0f} s"
