"""A run: its folder, and the two ways to fill it, ``train`` and ``resume``."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight import models
from leadlight.classifier.contract import CONTRACT_FILE
from leadlight.classifier.from_store import accepts_missing
from leadlight.errors import LeadlightError, ModelError, RecipeError, RunError
from leadlight.progress import ProgressCallback, silent
from leadlight.recipes import MetadataSettings, Recipe, load_recipe
from leadlight.store import Data, Selection, Store, label_space, open_data, parts_of, places_of, select
from leadlight.training.data import TrainingInput, fit_beside, fit_preprocessing
from leadlight.training.data_sets import data_parts, set_aside
from leadlight.training.loop import EpochCallback, Progress, fit, unheard
from leadlight.training.losses import build_loss
from leadlight.training.losses.teacher import check_teacher, with_teacher
from leadlight.training.memory import keep_freed_memory
from leadlight.training.model_folder import save_best
from leadlight.training.sampling import draw, patients_of, refuse_shared_patients, sampler, sources_of
from leadlight.training.transfer import begin, start_from, with_origin
from leadlight.writing import remove_unfinished, write_whole

if TYPE_CHECKING:
    from lightning_fabric import Fabric

RECIPE_FILE, ENVIRONMENT_FILE = "recipe.toml", "environment.json"


@dataclass(frozen=True)
class Machine:
    """On what a run is trained; changes its speed, not its recipe.

    accelerator: "auto", "cpu", "cuda", "mps"; devices: processes on each machine
    ("auto" takes all GPUs, or one CPU process); nodes: machines; strategy: as
    Lightning Fabric names them; threads: of each process, None for torch's choice.
    """

    accelerator: str = "auto"
    devices: int | str = "auto"
    nodes: int = 1
    strategy: str = "auto"
    threads: int | None = None


@dataclass(frozen=True)
class Run:
    """A run folder.

    recipe.toml (resolved), environment.json, log.csv, tensorboard/, checkpoints/,
    model/ (once trained), evaluation/.
    """

    path: Path

    @property
    def recipe(self) -> Recipe:
        """The recipe with every value that is used."""
        return load_recipe(text=_read(self.path / RECIPE_FILE))

    @property
    def environment(self) -> dict[str, Any]:
        """Data, versions, machine, commit, command line and seed."""
        try:
            return dict(json.loads(_read(self.path / ENVIRONMENT_FILE)))
        except ValueError as error:
            raise RunError(f"{self.path / ENVIRONMENT_FILE}: not JSON: {error}.") from None

    @property
    def model(self) -> Path:
        """The model folder."""
        return self.path / "model"

    @property
    def is_finished(self) -> bool:
        """Whether training ended and the model folder is there."""
        return (self.model / CONTRACT_FILE).is_file()


def train(
    model: str,
    data: Data,
    out: str | os.PathLike[str],
    *,
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    init_from: str | os.PathLike[str] | None = None,
    machine: Machine | None = None,
    on_progress: ProgressCallback = silent,
    on_epoch: EpochCallback = unheard,
) -> Run:
    """Train a registered model by its recipe and write a run folder.

    data: a data set's folder (prepared into the cache the first time) or a store, or several,
    which are learnt from together (``store.join``);
    out: a folder that does not exist yet; recipe: laid over the model's own, or in
    its place; overrides: "key=value"; init_from: a shipped model, a run or a model folder of the same
    architecture, whose weights are begun with, with a fresh head for other classes; on_epoch: called
    with each row of the log, ends the run by raising.
    Raises RecipeError, RunError, or what the data raises; a run that is cut short
    goes on with ``resume``.
    """
    resolved = resolve(model, recipe, overrides)
    resolved = with_teacher(resolved)
    if init_from or resolved.init_from:
        resolved = with_origin(resolved, str(init_from or resolved.init_from))
    machine = machine or Machine()
    folder = Path(out)
    fabric = _launch(machine, resolved)
    if fabric.is_global_zero:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            started = (folder / RECIPE_FILE).is_file()
            mend = f"leadlight train --resume {folder} goes on with it" if started else "choose another --out"
            raise RunError(f"{folder}: there is already something here; {mend}.")
        _begin(folder, resolved, places_of(data), machine)
    fabric.barrier()
    try:
        return _train(fabric, Run(folder), resolved, on_progress, on_epoch=on_epoch)
    except LeadlightError:
        # Nothing was learnt, and going on would fail again: leave the place free for a better recipe.
        if fabric.is_global_zero and not any((folder / "checkpoints").iterdir()):
            shutil.rmtree(folder)
        raise


def resume(
    run: str | os.PathLike[str],
    *,
    data: Data | None = None,
    machine: Machine | None = None,
    stop_now: bool = False,
    on_progress: ProgressCallback = silent,
    on_epoch: EpochCallback = unheard,
) -> Run:
    """Go on with a run from its last checkpoint; a finished run is returned as it is.

    data: where the data is now, if it moved, all of it in the same order; machine: if it is another one than
    the run began on; stop_now: train no further, and make the model folder of the
    best epoch so far. Without it, the end is the same as without the interruption: to the bit
    on a CPU with the same number of threads and processes.
    """
    existing = Run(Path(run))
    recipe, environment = existing.recipe, existing.environment
    if existing.is_finished:
        return existing
    if data is not None:
        environment["data"] = list(map(str, places_of(data)))
    if machine is None:
        machine = Machine(**environment["machine"]["settings"])
    fabric = _launch(machine, recipe)
    if fabric.is_global_zero:
        for folder in (existing.path, existing.path / "checkpoints"):
            remove_unfinished(folder)
        environment["resumed"] = [*environment.get("resumed", []), _now()]
        _write_json(existing.path / ENVIRONMENT_FILE, environment)
    fabric.barrier()
    return _train(fabric, existing, recipe, on_progress, stop_now, on_epoch)


def _launch(machine: Machine, recipe: Recipe) -> Fabric:
    import torch
    from lightning_fabric import Fabric

    keep_freed_memory()
    if machine.threads is not None:
        torch.set_num_threads(machine.threads)
    devices = machine.devices
    if devices == "auto" and (machine.accelerator == "cpu" or not torch.cuda.is_available()):
        devices = 1
    fabric = Fabric(
        accelerator=machine.accelerator,
        devices=int(devices) if str(devices).isdigit() else devices,
        num_nodes=machine.nodes,
        strategy=machine.strategy,
        precision=recipe.training.precision,
    )
    fabric.launch()
    return fabric


def _begin(folder: Path, recipe: Recipe, data: list[Path], machine: Machine) -> None:
    for one in data:
        if not one.exists():
            raise RunError(f"--data {one}: there is no such folder.")
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    write_whole(folder / RECIPE_FILE, recipe.to_toml().encode())
    _write_json(folder / ENVIRONMENT_FILE, _describe_environment(recipe, data, machine))


def _train(
    fabric: Fabric,
    run: Run,
    recipe: Recipe,
    on_progress: ProgressCallback,
    stop_now: bool = False,
    on_epoch: EpochCallback = unheard,
) -> Run:
    import torch

    store = _open_data(fabric, run, recipe, on_progress)
    usable = select_records(store, recipe, recipe.folds.training)
    validation = select_records(store, recipe, recipe.folds.validation)
    refuse_shared_patients(store, usable, validation)
    codes = label_space(store, recipe.labels).codes
    drawn = draw(usable, codes, patients_of(store, usable), recipe.sampling, recipe.seed)
    training = drawn.part
    order = sampler(training, sources_of(store, training), recipe.sampling)
    start = None
    if recipe.init_from:
        began = run.environment.get("origin", {}).get("weights_sha256", "")
        start = start_from(recipe, codes, parts_of(store), began)
    steps = None if start is None else start.preprocessing
    data = TrainingInput(
        store, training, validation, steps or fit_preprocessing(store, training, recipe), order,
        augmentation=recipe.augmentation,
    )  # fmt: skip
    teacher = check_teacher(
        recipe, parts_of(store), run.environment.get("teacher", {}).get("weights_sha256", "")
    )
    loss, weights = build_loss(recipe.training.loss, training, recipe.labels, codes, data.preprocessing)
    if fabric.is_global_zero:
        _write_json(
            run.path / ENVIRONMENT_FILE,
            {**run.environment, "data_sets": data_parts(store, training, validation),
             "set_aside": set_aside(store),
             "records": {"training": len(training), "validation": len(validation)},
             "left_out": {"training": training.left_out, "validation": validation.left_out},
             "sampling": {**drawn.to_dict(), "of_records": len(usable), "epoch_length": order.length},
             **({"class_weights": weights} if weights else {}),
             **({"teacher": teacher.model_dump(include={"name", "weights_sha256"})} if teacher else {}),
             **({"origin": start.origin.model_dump(mode="json")} if start else {})},
        )  # fmt: skip
    # Recipe seed for the weights, then another for each process, for dropout and the like.
    torch.manual_seed(recipe.seed)
    if start is not None:
        module = begin(start, recipe, len(codes))
    else:
        module = models.create(
            recipe.model, len(codes), len(recipe.input.leads), recipe.input.n_samples,
            recipe.input.sampling_rate, **recipe.arguments,
        )  # fmt: skip
    torch.manual_seed(recipe.seed + fabric.global_rank)
    if recipe.metadata is not None:
        beside = None if start is None else start.metadata
        if beside is None:
            columns = int(module.n_metadata)  # type: ignore[arg-type]
            beside = fit_beside(store, training, columns, recipe.metadata)
        data = replace(data, metadata=beside, hidden=recipe.metadata.hidden)
    progress, best = fit(
        fabric, module, data, recipe.training, loss, recipe.seed, run.path, on_progress, stop_now, on_epoch
    )
    if fabric.is_global_zero:
        module.load_state_dict(best)
        save_best(run.model, module.cpu(), data, recipe, progress, None if start is None else start.origin)
        _finish(run, progress, stop_now)
    fabric.barrier()
    return run


def resolve(model: str, recipe: str | Path | None = None, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe that a run would have: ``load_recipe``, by any name of the model, with what it reads.

    Raises RecipeError.
    """
    # Otherwise it names a recipe, or is refused with the nearest.
    with suppress(ModelError):
        model = models.describe(model).name
    return _with_metadata(load_recipe(model, recipe, overrides))


def _with_metadata(recipe: Recipe) -> Recipe:
    """The recipe with its table [metadata] where the model reads age and sex; refused where it does not."""
    reads = models.describe(recipe.model).reads_metadata
    if recipe.metadata is not None and not reads:
        raise RecipeError(
            f"recipe, metadata: found the table; {recipe.model} reads the signal alone. Leave it out."
        )
    return recipe.model_copy(update={"metadata": recipe.metadata or MetadataSettings()}) if reads else recipe


def select_records(store: Store, recipe: Recipe, folds: Sequence[int]) -> Selection:
    """The records of these folds that a recipe trains on."""
    preprocessing = recipe.input.preprocessing()
    return select(
        store,
        folds,
        label_space(store, recipe.labels),
        n_samples=preprocessing.n_samples,
        accepts_length=preprocessing.accepts if preprocessing.takes_other_lengths else None,
        accepts_missing=accepts_missing(store, preprocessing) if preprocessing.takes_missing else None,
        min_likelihood=recipe.min_likelihood,
        below=recipe.below_likelihood,
        where=recipe.where,
        keep_unlabelled=recipe.keep_unlabelled,
    )


def _open_data(fabric: Fabric, run: Run, recipe: Recipe, on_progress: ProgressCallback) -> Store:
    data = run.environment["data"]
    if fabric.is_global_zero:
        open_data(data, recipe.input.first_rate, on_progress)
    fabric.barrier()
    return open_data(data, recipe.input.first_rate)


def _finish(run: Run, progress: Progress, stopped: bool) -> None:
    environment = run.environment
    environment["finished"] = _now()
    environment["epochs"] = len(progress.rows)
    environment["best_epoch"] = progress.best_epoch
    environment["stopped_by_hand"] = stopped
    environment["training_seconds"] = round(sum(row["seconds"] for row in progress.rows), 1)
    _write_json(run.path / ENVIRONMENT_FILE, environment)


def _describe_environment(recipe: Recipe, data: list[Path], machine: Machine) -> dict[str, Any]:
    import torch

    return {
        "data": list(map(str, data)),
        "seed": recipe.seed,
        "started": _now(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("leadlight", "torch", "numpy", "lightning-fabric")},
        },
        "machine": {
            "settings": asdict(machine),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        },
        "git_commit": _git_commit(),
    }


def _git_commit() -> str | None:
    """Commit of the checkout that Leadlight runs from; None for an installed package."""
    git = shutil.which("git")
    here = Path(__file__).resolve()
    checkout = here.parents[3]
    if git is None or not (checkout / ".git").exists():
        return None
    # An absolute path and a fixed command line: nothing of the user's goes in.
    answer = subprocess.run(
        [git, "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return answer.stdout.strip() or None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunError(f"{path}: there is no such file; is {path.parent} a run folder?") from None


def _write_json(path: Path, values: dict[str, Any]) -> None:
    write_whole(path, (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())
