"""A study: trials of a recipe, bad ones ended early, all of it on disk and gone on with after a kill.

Sampler: tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011); pruner: median of the earlier
trials at the same epoch. Both by Optuna (Akiba et al., KDD 2019, doi:10.1145/3292500.3330701).
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optuna.trial import TrialState

from leadlight.errors import LeadlightError, RunError
from leadlight.progress import ProgressCallback, silent
from leadlight.recipes import load_recipe
from leadlight.store import Data, places_of
from leadlight.training import Machine, Run, resume, train
from leadlight.tuning.space import SearchSpace

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

STUDY_FILE, TRIALS_FOLDER = "study.db", "trials"
MEASURE = "validation_macro_auc"
STARTUP_TRIALS = 8
"""Drawn at random, and never ended early, before the sampler and the pruner have something to learn from."""


@dataclass(frozen=True, eq=False)
class Tuning:
    """A study and its folder. study: Optuna's, with every trial."""

    study: Study
    folder: Path

    @property
    def best(self) -> Run:
        """The run of the best finished trial. Raises RunError where none is finished."""
        if not self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            raise RunError(f"{self.folder}: no trial is finished yet.")
        return Run(run_folder(self.folder, self.study.best_trial))


class _Pruned(Exception):
    """Raised by the callback of an epoch; ends a run that has nothing to offer."""


def tune(
    model: str,
    data: Data,
    out: str | os.PathLike[str],
    space: SearchSpace,
    *,
    trials: int,
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    seed: int = 0,
    pruning: bool = True,
    machine: Machine | None = None,
    on_progress: ProgressCallback = silent,
) -> Tuning:
    """Try values of a model's recipe until the study has so many trials, earlier calls included.

    space: what is tried, laid over recipe and overrides; out: the study's folder; seed: of the sampler
    (the runs have that of the recipe); pruning: end trials early whose validation macro AUC lies below
    the median of the others at the same epoch. A trial is worth its best validation macro AUC. One
    that was cut short by a kill is gone on with first. A trial that fails is kept as such.
    Raises RecipeError for a space that does not fit the recipe, and RunError where the folder holds
    another study.
    """
    load_recipe(model, recipe, (*overrides, *space.any_overrides()))
    folder = Path(out)
    base = load_recipe(model, recipe, overrides)
    study = _open_study(folder, {
        "recipe": base.model_dump(mode="json"), "space": space.model_dump(mode="json"),
        "data": [str(place) for place in places_of(data)],
    })  # fmt: skip
    _enqueue_unfinished(study)
    while (number := _begun(study)) < trials:
        trial = _next_trial(study, seed + number, pruning, base.training.epochs)

        def told(done: int, total: int, message: str = "", number: int = number) -> None:
            on_progress(1000 * number + (1000 * done // total if total else 0), 1000 * trials, message)

        def judged(row: Mapping[str, float], trial: Trial = trial) -> None:
            trial.report(row[MEASURE], int(row["epoch"]))
            if pruning and trial.should_prune():
                raise _Pruned

        at = run_folder(folder, trial)
        values = (*overrides, *space.suggest(trial))
        try:
            if (at / "environment.json").is_file():
                for row in read_log(at):
                    judged(row)
                run = resume(at, data=data, machine=machine, on_progress=told, on_epoch=judged)
            else:
                run = train(
                    model, data, at, recipe=recipe, overrides=values, machine=machine, on_progress=told,
                    on_epoch=judged,
                )  # fmt: skip
        except _Pruned:
            study.tell(trial, state=TrialState.PRUNED)
        except LeadlightError as error:
            trial.set_user_attr("error", str(error))
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, max(row[MEASURE] for row in read_log(run.path)))
        # The log and the recipe stay, and the model of a trial that was finished.
        shutil.rmtree(at / "checkpoints", ignore_errors=True)
    return Tuning(study, folder)


def run_folder(folder: Path, trial: Trial | FrozenTrial) -> Path:
    """The run of a trial; one that was cut short is gone on with in its old folder."""
    return folder / TRIALS_FOLDER / str(trial.user_attrs.get("folder", f"{trial.number:04d}"))


def read_log(run: Path) -> list[dict[str, float]]:
    """The rows of a run's log, one an epoch; none where it has no whole epoch yet."""
    try:
        with (run / "log.csv").open(encoding="utf-8", newline="") as file:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []


def _open_study(folder: Path, wanted: dict[str, Any]) -> Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / STUDY_FILE
    if not file.exists() and any(folder.iterdir()):
        raise RunError(f"{folder}: there is already something here that is no study; choose another --out.")
    storage = optuna.storages.RDBStorage(f"sqlite:///{file.resolve()}")
    study = optuna.create_study(
        study_name="leadlight", storage=storage, direction="maximize", load_if_exists=True
    )
    found = study.user_attrs
    differing = [key for key, value in wanted.items() if key in found and found[key] != value]
    if differing:
        raise RunError(
            f"{folder}: holds a study with another {', '.join(differing)}; choose another --out, or give "
            "what it began with."
        )
    for key, value in wanted.items():
        study.set_user_attr(key, value)
    return study


def _begun(study: Study) -> int:
    """How many trials the study has that are not waiting."""
    return len([one for one in study.get_trials(deepcopy=False) if one.state != TrialState.WAITING])


def _enqueue_unfinished(study: Study) -> None:
    """Trials that a kill left running: each is closed, and another takes over its values and its run."""
    for one in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(one.number, state=TrialState.FAIL)
        if one.params:
            name = str(one.user_attrs.get("folder", f"{one.number:04d}"))
            study.enqueue_trial(one.params, user_attrs={"folder": name})


def _next_trial(study: Study, seed: int, pruning: bool, epochs: int) -> Trial:
    """The sampler has a seed for each trial, so that a study that was cut short goes the same way."""
    import optuna

    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)
    warm_up = 1 + max(1, epochs // 5)  # epochs count from 1, and the first ones say little
    study.pruner = (
        optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=warm_up)
        if pruning
        else optuna.pruners.NopPruner()
    )
    return study.ask()
