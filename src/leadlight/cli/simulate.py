"""``leadlight simulate``: write a simulated data set in the layout of a published one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.output import progress_bar


class Layout(StrEnum):
    """Whose folders, tables and headers a simulated data set has."""

    PTB_XL = "ptb-xl"
    MIMIC_IV_ECG = "mimic-iv-ecg"


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write: new, empty or simulated.")],
    records: Annotated[int, typer.Option(min=1, help="Number of recordings.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same data set.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    layout: Annotated[Layout, typer.Option(help="The data set whose layout to write.")] = Layout.PTB_XL,
    pool: Annotated[
        int, typer.Option(min=1, help="Distinct recordings that mimic-iv-ecg's records share.")
    ] = 500,
) -> None:
    """Write a simulated data set in the layout of PTB-XL or MIMIC-IV-ECG.

    Twelve-lead recordings of ten seconds with statements and patients, and in DIR/truth where each
    finding lies. In PTB-XL's layout every recording is its own; in MIMIC-IV-ECG's, made for tests at
    full size, the records share a pool of them. No recordings of people.

    Example: leadlight simulate simulated --records 500 --seed 1
    """
    from leadlight.simulate import simulate_dataset, simulate_mimic_iv_ecg

    with progress_bar("simulating", unit="records") as on_progress:
        if layout is Layout.MIMIC_IV_ECG:
            out = simulate_mimic_iv_ecg(folder, records, seed, workers, pool, on_progress)
        else:
            out = simulate_dataset(folder, records, seed, workers, on_progress)
    typer.echo(f"{records:,} simulated recordings (seed {seed}); where each finding lies: {out / 'truth'}")
    typer.echo(f"wrote {out}")
