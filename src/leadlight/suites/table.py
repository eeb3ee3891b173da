"""The table of a suite: mean and spread over the seeds beside what was published."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import statistics
from dataclasses import dataclass
from pathlib import Path

from leadlight.evaluation import OVERALL
from leadlight.suites.running import folder_of, is_measured, metrics_file
from leadlight.suites.suite import Entry, Published, Suite
from leadlight.training import Run


@dataclass(frozen=True)
class Result:
    """One entry. values: the metric of each measured seed; low, high: 95% interval of the only run, NaN else.

    parameters: those that training changes; seconds_an_epoch: mean over runs and epochs; epochs: of each
    run; folder: of the first run. An entry without a measured run has no values.
    """

    entry: Entry
    values: tuple[float, ...]
    low: float
    high: float
    records: int
    parameters: int
    seconds_an_epoch: float
    epochs: tuple[int, ...]
    folder: Path

    @property
    def mean(self) -> float:
        """Over the seeds; NaN without any."""
        return statistics.fmean(self.values) if self.values else math.nan

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds; NaN with fewer than two."""
        return statistics.stdev(self.values) if len(self.values) > 1 else math.nan


def results(suite: Suite, out: str | os.PathLike[str]) -> list[Result]:
    """What the finished runs of a suite give, best first; entries without any come last."""
    found = [_result(suite, entry, Path(out)) for entry in suite.entries]
    return sorted(found, key=lambda one: (not one.values, -one.mean if one.values else 0.0))


def to_markdown(suite: Suite, found: list[Result]) -> str:
    """Title, notes and table, in Markdown."""
    seeds = f"seed{'s' if len(suite.seeds) > 1 else ''} " + ", ".join(map(str, suite.seeds))
    lines = [
        f"# {suite.title}", "",
        f"{OVERALL[suite.metric]} on fold {suite.test_fold}; {seeds}. "
        "In brackets: 95% interval by a bootstrap over patients, or the standard deviation over seeds.", "",
        *([suite.note, ""] if suite.note else []),
        "| model | measured | published | records | parameters | epochs | s an epoch |",
        "|---|---|---|---:|---:|---:|---:|",
    ]  # fmt: skip
    lines += [
        f"| {one.entry.title} | {_measured(one)} | {_published(one.entry.published)} | "
        + (
            f"{one.records:,} | {one.parameters:,} | {_epochs(one)} | {one.seconds_an_epoch:.1f} |"
            if one.values
            else "| | | |"
        )
        for one in found
    ]
    if suite.source:
        lines += ["", f"Published: {suite.source}"]
    lines += [
        f"{'' if number else chr(10)}{one.entry.title}: {one.entry.published.note}"
        for number, one in enumerate(one for one in found if one.entry.published and one.entry.published.note)
        if one.entry.published
    ]
    return "\n".join(lines) + "\n"


def to_csv(suite: Suite, found: list[Result]) -> str:
    """One row an entry and seed, with every digit."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        ["name", "model", "metric", "fold", "mean", "spread", "low", "high", "runs", "published",
         "parameters", "seconds_an_epoch"]
    )  # fmt: skip
    for one in found:
        published = one.entry.published.value if one.entry.published else ""
        values = [one.mean, one.spread, one.low, one.high]
        writer.writerow(
            [one.entry.title, one.entry.model, suite.metric, suite.test_fold,
             *("" if math.isnan(value) else repr(value) for value in values), len(one.values), published,
             one.parameters or "", one.seconds_an_epoch if one.values else ""]
        )  # fmt: skip
    return file.getvalue()


def _result(suite: Suite, entry: Entry, out: Path) -> Result:
    folders = [folder_of(out, entry, seed) for seed in suite.seeds]
    done = [folder for folder in folders if is_measured(folder, suite.test_fold)]
    measured = [json.loads(metrics_file(one, suite.test_fold).read_text(encoding="utf-8")) for one in done]
    estimates = [one["overall"][suite.metric] for one in measured]
    values = tuple(one["value"] for one in estimates if one["value"] is not None)
    alone = len(estimates) == 1 and bool(values)
    environments = [Run(folder).environment for folder in done]
    epochs = tuple(int(one["epochs"]) for one in environments)
    seconds = sum(float(one["training_seconds"]) for one in environments)
    return Result(
        entry,
        values,
        low=_number(estimates[0]["low"]) if alone else math.nan,
        high=_number(estimates[0]["high"]) if alone else math.nan,
        records=int(measured[0]["records"]) if measured else 0,
        parameters=_parameters(done[0]) if done else 0,
        seconds_an_epoch=seconds / sum(epochs) if done else math.nan,
        epochs=epochs,
        folder=folders[0],
    )


def _parameters(folder: Path) -> int:
    from leadlight.classifier import load

    return sum(one.numel() for one in load(folder).module.parameters())


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _measured(one: Result) -> str:
    if not one.values:
        return "not run"
    if math.isfinite(one.spread):
        return f"{one.mean:.3f} (±{one.spread:.3f}, {len(one.values)} runs)"
    return f"{one.mean:.3f} ({one.low:.3f}–{one.high:.3f})" if math.isfinite(one.low) else f"{one.mean:.3f}"


def _published(published: Published | None) -> str:
    if published is None:
        return "–"
    if published.low is None or published.high is None:
        return f"{published.value:g}"
    return f"{published.value:g} ({published.low:g}–{published.high:g})"


def _epochs(one: Result) -> str:
    low, high = min(one.epochs), max(one.epochs)
    return str(low) if low == high else f"{low}–{high}"
