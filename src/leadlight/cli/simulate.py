"""``leadlight simulate``: write a simulated data set in the layout of PTB-XL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.output import progress_bar


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write: new, empty or simulated.")],
    records: Annotated[int, typer.Option(min=1, help="Number of recordings.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same data set.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Write a simulated data set in the layout of PTB-XL.

    Twelve-lead recordings of ten seconds at 500 and 100 Hz with statements, patients and folds, and
    in DIR/truth where each finding lies. For tests and demonstrations: no recordings of people.

    Example: leadlight simulate simulated --records 500 --seed 1
    """
    from leadlight.simulate import simulate_dataset

    with progress_bar("simulating", unit="records") as on_progress:
        out = simulate_dataset(folder, records, seed, workers, on_progress)
    typer.echo(f"{records:,} simulated recordings (seed {seed}); where each finding lies: {out / 'truth'}")
    typer.echo(f"wrote {out}")
