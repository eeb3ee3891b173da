"""``leadlight filter``: a store of those records that meet a condition."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.output import print_json, progress_bar


def command(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="A prepared store.")],
    where: Annotated[
        str, typer.Option(metavar="CONDITION", help="Which records to keep; docs/stores.md has all of it.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Store to write: a new folder.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a store that is already there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the store's description as JSON.")] = False,
) -> None:
    """Write a store of those records that meet a condition on the index.

    A condition compares columns: numbers, 'text' in single quotes, and, or, not, in (...), between,
    is null, like; 'V6' in flat_leads asks a list, has('AFIB') for a finding. Where a value is
    missing, a comparison is neither true nor false, and the record is left out. Ids, folds and signals
    stay as they are. Stopped half-way, the same command goes on from where it was.

    Example: leadlight filter store --where "age > 40 and source == 'georgia'" --out older

    Example: leadlight filter store --where "has('AFIB') and len(noisy_leads) = 0" --out af
    """
    from leadlight.errors import StoreError
    from leadlight.store import filter_store, layout, open_store, where_mask

    opened = open_store(store)
    try:
        where_mask(opened, where)
    except StoreError as error:
        raise typer.BadParameter(str(error).removeprefix("where: "), param_hint="--where") from None
    was_there = layout.is_store(out) and not overwrite
    with progress_bar(f"filtering {store.name}", unit="records") as on_progress:
        kept = filter_store(store, where, out, on_progress, overwrite=overwrite)
    if as_json:
        print_json({"path": str(kept.path), **kept.description})
        return
    patients = kept.description["patients"]
    typer.echo(f"{len(kept):,} of {len(opened):,} records kept, of {patients:,} patients.")
    typer.echo(f"It was already there, nothing was written: {out}." if was_there else f"wrote {out}")
