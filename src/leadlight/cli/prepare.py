"""``leadlight prepare``: read and check a data set once and store it for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.output import progress_bar
from leadlight.cli.store_output import print_store


def command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Data set, such as ptb-xl; `leadlight datasets` lists them.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the data set.")],
    out: Annotated[Path, typer.Option("--out", help="Store to write: a new folder.")],
    sampling_rate: Annotated[float, typer.Option(help="Sampling rate of the store in Hz.")] = 100.0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; without it, as many as pay off.", show_default=False)
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            help="Table of labels (CSV), for a folder of your own; docs/datasets.md has its columns.",
            show_default=False,
        ),
    ] = None,
    splits: Annotated[
        Path | None,
        typer.Option(
            "--splits",
            help="File of folds, such as `leadlight split` writes; without it, the data set's own.",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="What does the work: processes (on this machine) or ray (a cluster).")
    ] = "processes",
    address: Annotated[
        str | None,
        typer.Option(
            help="Of the Ray cluster, such as 10.0.0.1:6379; without it, one is started on this machine.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a store that is already there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the store's description as JSON.")] = False,
) -> None:
    """Read and check a data set once and store it for training.

    Records that cannot be used are set aside, with the reason, in STORE/store.json.
    Stopped half-way, the same command goes on from where it was.

    Example: leadlight prepare ptb-xl DIR --sampling-rate 100 --out ptbxl-100hz

    Example: leadlight prepare folder DIR --labels labels.csv --out STORE
    """
    from leadlight import datasets
    from leadlight.cli.usage import one_of, wrong_usage
    from leadlight.errors import DatasetError
    from leadlight.store import ENGINES, layout, prepare

    with wrong_usage(DatasetError, "NAME"):
        datasets.describe(name)
    if not sampling_rate > 0:
        raise typer.BadParameter(
            f"found {sampling_rate:g}; accepted: above 0 Hz.", param_hint="--sampling-rate"
        )
    one_of(engine, ENGINES, "--engine")
    if address is not None and engine != "ray":
        raise typer.BadParameter(f"found --engine {engine}; accepted: ray.", param_hint="--address")
    was_there = layout.is_store(out) and not overwrite
    with progress_bar(f"preparing {name}", unit="records") as on_progress:
        store = prepare(
            name,
            folder,
            out,
            sampling_rate,
            workers,
            on_progress,
            overwrite=overwrite,
            labels=labels,
            splits=splits,
            engine=engine,
            address=address,
        )
    print_store(
        store,
        as_json=as_json,
        wrote=not was_there,
        first_told=True,
        remedy="Add --overwrite to try those set aside again.",
    )
