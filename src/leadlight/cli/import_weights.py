"""``leadlight import-weights``: a model folder from a published weight file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model whose original the weights are of.")],
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Keras: .h5, .weights.h5, .keras; torch: .pt, .pth."),
    ],
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
    labels: Annotated[
        str | None,
        typer.Option(metavar="SPACE", help="The label space of the outputs: `leadlight labels` lists them."),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="Codes of the classes, in the order of the outputs.")
    ] = None,
    leads: Annotated[
        str | None, typer.Option(metavar="I,II,...", help="Leads of the input in their order; as published.")
    ] = None,
    mean: Annotated[float | None, typer.Option(help="Of the training records, mV.")] = None,
    scale: Annotated[
        float | None, typer.Option(help="Deviation of the training records, mV: (signal - mean) / scale.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the weights; unknown where not said.")] = "",
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE",
            help="arguments.KEY, input.sampling_rate or input.seconds of the weights; may be repeated.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Make a model folder of a published network's weights.

    Nothing in the file is run or unpickled. The folder states the published leads,
    preprocessing and classes, and is what `leadlight predict` takes.

    Example: leadlight import-weights ecg-xplaim afib.keras --classes AFIB --out ecg-xplaim-afib

    Example: leadlight import-weights fcn-wang fcn_wang.pth --mean -0.0008 --scale 0.2362 --out fcn-wang
    """
    from leadlight import originals
    from leadlight.cli.usage import wrong_usage
    from leadlight.errors import LabelError, ModelError

    if not file.is_file():
        raise typer.BadParameter(f"there is no file {file}.", param_hint="FILE")
    with wrong_usage(ModelError, "NAME"):
        name = originals.importable(name)
    with wrong_usage(LabelError, "--labels"):
        imported = originals.import_weights(
            name, file, out, labels=labels, classes=None if classes is None else classes.split(","),
            leads=None if leads is None else leads.split(","), mean=mean, scale=scale, licence=licence,
            overrides=overrides or (),
        )  # fmt: skip
    for note in imported.notes:
        typer.echo(note)
    if not licence:
        typer.echo("licence unknown: ask whoever published the weights, and say it with --licence")
    typer.echo(f"wrote {imported.folder}")
    typer.echo(f"next: leadlight predict {imported.folder} FILES")
