"""A suite from its first entry to its last; killed at any time, it goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from leadlight.errors import LeadlightError, RunError
from leadlight.evaluation import evaluate_run
from leadlight.progress import ProgressCallback, silent
from leadlight.recipes import Recipe
from leadlight.store import Data
from leadlight.suites.suite import Entry, Suite
from leadlight.training import Machine, Run, resume, train


@dataclass(frozen=True)
class Outcome:
    """What became of one run. error: "" where it was trained and measured; fresh: not by an earlier call."""

    entry: Entry
    seed: int
    folder: Path
    error: str = ""
    fresh: bool = True


def run_suite(
    suite: Suite,
    data: Data,
    out: str | os.PathLike[str],
    *,
    machine: Machine | None = None,
    on_progress: ProgressCallback = silent,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Train and measure every entry with every seed; what is done already is not done again.

    out: a folder; each run is OUT/NAME/seed-SEED, a run folder with its evaluation on the test fold.
    on_outcome: called after each run. A run that fails is an outcome with its error, and the next
    begins. Raises RunError before the first where a run there was made by another recipe.
    """
    runs = [(entry, seed, folder_of(out, entry, seed)) for entry in suite.entries for seed in suite.seeds]
    for entry, seed, folder in runs:
        _refuse_another(folder, suite.recipe_of(entry, seed))
    outcomes = []
    for number, (entry, seed, folder) in enumerate(runs):
        fresh, error = not is_measured(folder, suite.test_fold), ""

        def told(done: int, total: int, message: str = "", number: int = number, of: Entry = entry) -> None:
            thousandths = 1000 * number + (1000 * done // total if total else 0)
            on_progress(thousandths, 1000 * len(runs), f"{of.title}: {message}")

        if fresh:
            try:
                _run(suite, entry, seed, folder, data, machine, told)
            except LeadlightError as failure:
                error = str(failure)
        outcomes.append(Outcome(entry, seed, folder, error, fresh))
        on_outcome(outcomes[-1])
    return outcomes


def folder_of(out: str | os.PathLike[str], entry: Entry, seed: int) -> Path:
    """Where a run of a suite is."""
    return Path(out) / entry.title / f"seed-{seed}"


def metrics_file(folder: Path, fold: int) -> Path:
    """Where a run keeps what was measured on a fold, as ``leadlight evaluate`` writes it."""
    return folder / "evaluation" / f"fold-{fold}" / "metrics.json"


def is_measured(folder: Path, fold: int) -> bool:
    """Whether a run was trained and measured, and its metrics can be read."""
    try:
        json.loads(metrics_file(folder, fold).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return Run(folder).is_finished


def _run(
    suite: Suite, entry: Entry, seed: int, folder: Path, data: Data, machine: Machine | None,
    on_progress: ProgressCallback,
) -> None:  # fmt: skip
    if (folder / "recipe.toml").is_file() and (folder / "environment.json").is_file():
        run = resume(folder, data=data, machine=machine, on_progress=on_progress)
    else:
        run = train(
            entry.model, data, folder, recipe=entry.recipe or suite.recipe,
            overrides=suite.overrides(entry, seed), machine=machine, on_progress=on_progress,
        )  # fmt: skip
    evaluation = evaluate_run(run.path, suite.test_fold, data, on_progress=on_progress)
    evaluation.save(metrics_file(folder, suite.test_fold).parent)


def _refuse_another(folder: Path, wanted: Recipe) -> None:
    if not (folder / "recipe.toml").is_file():
        return
    found = Run(folder).recipe
    # Age and sex are filled in for the models that read them: such a table says nothing new.
    left, right = (one.model_dump(mode="json", exclude={"metadata"}) for one in (found, wanted))
    if left != right:
        keys = sorted(key for key in {*left, *right} if left.get(key) != right.get(key))
        raise RunError(
            f"{folder}: was made by another recipe (it differs in {', '.join(keys)}); choose another --out, "
            "or remove it."
        )
