"""``leadlight tune``: search for a better recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.errors import LeadlightError, RecipeError


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A model's name; none lists the search spaces.", show_default=False
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(metavar="DATA", help="A data set's folder or a prepared store; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The study's folder; one that is there is gone on with.")
    ] = None,
    trials: Annotated[
        int, typer.Option(min=1, help="Until the study has so many, earlier calls included.")
    ] = 30,
    space: Annotated[
        str | None,
        typer.Option(
            help="What is tried: a shipped name or a TOML file; without it, the model's own or common."
        ),
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="As for `leadlight train`.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="As for `leadlight train`.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search; the runs have the recipe's.")] = 0,
    no_pruning: Annotated[bool, typer.Option("--no-pruning", help="End no trial early.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each process on a CPU.")] = None,
    accelerator: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
) -> None:
    """Search for a better recipe, trial by trial, judged by the validation fold alone.

    Trials that fall behind the median of the others are ended early. Killed, the
    same command goes on. Writes best.toml, trials.csv, history.png and parallel.png
    into the study's folder; the test fold is never read.

    Example: leadlight tune conv-bilstm-attention --data ptb-xl --out study --trials 40

    Example: leadlight train conv-bilstm-attention --recipe study/best.toml --data ptb-xl --out run
    """
    try:
        from leadlight import tuning
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise LeadlightError("tune: needs Optuna: pip install 'leadlight[tune]'.") from None
    from leadlight.cli.output import print_table, progress_bar
    from leadlight.cli.usage import wrong_usage
    from leadlight.training import Machine
    from leadlight.tuning.saving import FEWEST_FOR_PLOTS, trial_rows

    if name is None:
        print_table([{"search space": one, "what": title} for one, title in tuning.shipped().items()])
        return
    if out is None or not data:
        raise typer.BadParameter("--data and --out are needed.")
    chosen = {"threads": threads, "accelerator": accelerator}
    machine = Machine(**{key: value for key, value in chosen.items() if value is not None})  # type: ignore[arg-type]
    with wrong_usage(RecipeError, "NAME, --space, --recipe or --set"):
        searched = tuning.load_space(space, name)
        with progress_bar(f"tuning {name}", unit="thousandths of a trial") as on_progress:
            done = tuning.tune(
                name, data, out, searched, trials=trials, recipe=recipe, overrides=overrides or (), seed=seed,
                pruning=not no_pruning, machine=machine, on_progress=on_progress,
            )  # fmt: skip
    written = tuning.save(done)
    rows = [row for row in trial_rows(done) if row["validation_macro_auc"] is not None]
    rows.sort(key=lambda row: -row["validation_macro_auc"])
    shown = [{key: _short(value) for key, value in row.items() if key != "error"} for row in rows[:10]]
    print_table(shown, footer=f"the best {len(shown)} of {len(trial_rows(done))} trials")
    for path in written:
        typer.echo(f"wrote {path}")
    if not any(path.suffix == ".png" for path in written):
        typer.echo(
            f"note: history.png and parallel.png are drawn from {FEWEST_FOR_PLOTS} finished trials on."
        )


def _short(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value
