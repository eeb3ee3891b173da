"""``leadlight append``: add records to a store that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.output import print_json, progress_bar
from leadlight.cli.store_output import print_store


def command(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="The prepared store to add to.")],
    new: Annotated[
        list[Path],
        typer.Argument(
            metavar="NEW...",
            help="What to add: prepared stores, or folders of data sets, which are prepared.",
        ),
    ],
    same_patients: Annotated[
        bool,
        typer.Option(
            "--same-patients",
            help="Stores of one name, such as folders of one clinic, number their patients alike.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the store's description as JSON.")] = False,
) -> None:
    """Add a further data set, or further records of one, to a store.

    Records that the store has already are not added again; records of a patient who stands in
    another fold are set aside, and listed. What reads the store meanwhile goes on undisturbed. Stopped
    at any moment the store is the old one or the new one; run the same command again.

    Example: leadlight append store georgia-100hz
    """
    from leadlight.store import append, open_or_prepare, open_store

    rate = open_store(store).sampling_rate
    with progress_bar(f"adding to {store.name}", unit="records") as on_progress:
        others = [open_or_prepare(one, rate, on_progress) for one in new]
        grown, added = append(store, [one.path for one in others], on_progress, same_patients=same_patients)
    if as_json:
        print_json({"path": str(grown.path), "added": added, **grown.description})
        return
    typer.echo(f"{added:,} records added.")
    print_store(grown, as_json=False, wrote=added > 0)
