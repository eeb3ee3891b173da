"""``leadlight train``: train a model, or go on with a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A model's name: `leadlight models` lists them.", show_default=False
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DATA",
            help="A data set's folder (prepared the first time) or a prepared store; may be repeated.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder to write; must not exist.")] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="A recipe's name or TOML file, laid over the model's own: `leadlight recipes`."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe; may be repeated."),
    ] = None,
    init_from: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Begin with the weights of a shipped model, a run or a model folder of the same "
            "architecture; with a fresh last layer for other labels.",
        ),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with a run that was cut short.")
    ] = None,
    stop_now: Annotated[
        bool, typer.Option("--stop-now", help="With --resume: train no further, keep the best epoch so far.")
    ] = False,
    accelerator: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    devices: Annotated[str | None, typer.Option(help="Processes on each machine: a number, or auto.")] = None,
    nodes: Annotated[int | None, typer.Option(min=1, help="Machines.")] = None,
    strategy: Annotated[
        str | None, typer.Option(help="As Lightning Fabric names it: auto, ddp, fsdp...")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each process on a CPU.")] = None,
) -> None:
    """Train a model by its recipe, or go on with a run.

    The run folder gets the resolved recipe, the log, checkpoints, and at the end
    model/, which `leadlight predict` and `leadlight.load` take.

    Example: leadlight train imle-net --data ptb-xl --out run --set epochs=30

    Example: leadlight train imle-net --data ptb-xl --data challenge-2021 --out run

    Example: leadlight train --resume run
    """
    from leadlight import training
    from leadlight.cli.output import progress_bar
    from leadlight.cli.usage import model_folder, wrong_usage
    from leadlight.errors import RecipeError

    given = {
        "accelerator": accelerator, "devices": devices, "nodes": nodes, "strategy": strategy,
        "threads": threads,
    }  # fmt: skip
    chosen = {key: value for key, value in given.items() if value is not None}
    machine = training.Machine(**chosen)  # type: ignore[arg-type]
    if stop_now and resume is None:
        raise typer.BadParameter("--stop-now needs --resume RUN.")
    with progress_bar("training", unit="batches") as on_progress:
        if resume is not None:
            if name or out or recipe or overrides or init_from:
                raise typer.BadParameter(
                    "--resume takes no NAME, --out, --recipe, --set or --init-from: the run has them."
                )
            run = training.resume(
                resume, data=data or None, machine=machine if chosen else None, stop_now=stop_now,
                on_progress=on_progress,
            )  # fmt: skip
        else:
            if name is None or not data or out is None:
                raise typer.BadParameter("NAME, --data and --out are needed (or --resume RUN).")
            with wrong_usage(RecipeError, "NAME, --recipe or --set"):
                training.resolve(name, recipe, overrides or ())
            if init_from is not None:
                model_folder(init_from)
            run = training.train(
                name, data, out, recipe=recipe, overrides=overrides or (), init_from=init_from,
                machine=machine, on_progress=on_progress,
            )  # fmt: skip
    if run.is_finished:
        environment = run.environment
        for label, count in environment.get("sampling", {}).get("short", {}).items():
            typer.echo(
                f"sampling: {label}: {count['there']:,} records were there, {count['asked']:,} asked for"
            )
        typer.echo(
            f"best epoch {environment['best_epoch']} of {environment['epochs']} "
            f"in {environment['training_seconds']:.0f} s"
        )
    typer.echo(f"wrote {run.path}")
    typer.echo(f"next: leadlight evaluate {run.path} --fold N")
