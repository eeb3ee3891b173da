"""``leadlight merge``: one store of several."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.output import progress_bar
from leadlight.cli.store_output import print_store


def command(
    stores: Annotated[
        list[Path], typer.Argument(metavar="STORE STORE...", help="Prepared stores of one sampling rate.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Store to write: a new folder.")],
    same_patients: Annotated[
        bool,
        typer.Option(
            "--same-patients",
            help="Stores of one name, such as folders of one clinic, number their patients alike.",
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a store that is already there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the store's description as JSON.")] = False,
) -> None:
    """Write one store of several; the stores stay as they are.

    A recording that stands in several is taken once, from the first. Folds stay; records of a
    patient who stands in another fold of an earlier store are set aside, and listed.
    Stopped half-way, the same command goes on from where it was.

    Example: leadlight merge ptbxl-100hz challenge-100hz --out both
    """
    from leadlight.store import layout, merge

    if len(stores) < 2:
        raise typer.BadParameter(f"found {len(stores)} store; accepted: two or more.", param_hint="STORE")
    was_there = layout.is_store(out) and not overwrite
    with progress_bar(f"merging into {out.name}", unit="records") as on_progress:
        merged = merge(stores, out, on_progress, same_patients=same_patients, overwrite=overwrite)
    print_store(merged, as_json=as_json, wrote=not was_there)
