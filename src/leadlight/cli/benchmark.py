"""``leadlight benchmark``: many models, recipes and seeds, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="SUITE", help="A shipped suite or a TOML file; none lists the shipped ones."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(metavar="DATA", help="A data set's folder or a prepared store; may be repeated."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the runs and the table.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="This entry alone; may be repeated.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a value of every recipe; may be repeated."),
    ] = None,
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", help="In place of the suite's seeds; may be repeated.")
    ] = None,
    test_fold: Annotated[int | None, typer.Option(min=0, help="In place of the suite's.")] = None,
    table_only: Annotated[
        bool, typer.Option("--table-only", help="Train nothing; write the table of what is there.")
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each process on a CPU.")] = None,
    accelerator: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
) -> None:
    """Train and measure every entry of a suite, and write one table with the published numbers.

    Each run is OUT/NAME/seed-SEED, a run folder. Killed, the same command goes on
    where it stopped; a run that fails is named, and the next begins. Writes
    OUT/table.md and OUT/results.csv after each run.

    Example: leadlight benchmark imle-net --data ptb-xl --out tables/imle-net

    Example: leadlight benchmark mine.toml --data store --out mine --only xresnet1d18
    """
    from leadlight import suites
    from leadlight.cli.output import print_table, progress_bar
    from leadlight.cli.usage import wrong_usage
    from leadlight.errors import RecipeError
    from leadlight.training import Machine
    from leadlight.writing import write_whole

    if name is None:
        print_table([{"suite": suite, "what": title} for suite, title in suites.shipped().items()])
        return
    with wrong_usage(RecipeError, "SUITE, --only, --set or --test-fold"):
        suite = suites.load_suite(name, overrides=overrides or (), seeds=seeds or (), test_fold=test_fold)
        if only:
            suite = suite.only(only)
    if out is None or not (data or table_only):
        raise typer.BadParameter("--data and --out are needed (--out alone with --table-only).")
    folder = out
    folder.mkdir(parents=True, exist_ok=True)

    def write_table(outcome: suites.Outcome | None = None) -> None:
        if outcome is not None and outcome.error:
            typer.echo(f"{outcome.folder}: failed: {outcome.error}", err=True)
        found = suites.results(suite, folder)
        write_whole(folder / "table.md", suites.to_markdown(suite, found).encode())
        write_whole(folder / "results.csv", suites.to_csv(suite, found).encode())

    failed = 0
    if not table_only:
        chosen = {"threads": threads, "accelerator": accelerator}
        machine = Machine(**{key: value for key, value in chosen.items() if value is not None})  # type: ignore[arg-type]
        with progress_bar(suite.title, unit="thousandths of a run") as on_progress:
            outcomes = suites.run_suite(
                suite, data or [], folder, machine=machine, on_progress=on_progress, on_outcome=write_table
            )
        failed = sum(bool(outcome.error) for outcome in outcomes)
    write_table()
    typer.echo((folder / "table.md").read_text(encoding="utf-8"), nl=False)
    for file in ("table.md", "results.csv"):
        typer.echo(f"wrote {folder / file}")
    if failed:
        typer.echo(f"{failed} of {len(outcomes)} runs failed.", err=True)
        raise typer.Exit(1)
