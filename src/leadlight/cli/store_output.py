"""How the commands that write a store say what is in it, and what is not."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import typer

from leadlight.cli.output import print_json

if TYPE_CHECKING:
    from leadlight.store import Store

_MOST_REASONS = 10


def print_store(
    store: Store, *, as_json: bool, wrote: bool, first_told: bool = False, remedy: str = ""
) -> None:
    """Print what a store holds, what was set aside, and where it is.

    wrote: whether anything was written; first_told: whether its notes are news: those of stores that
    it was made of are not; remedy: what can be done about records that were set aside,
    where nothing was written.
    """
    description = store.description
    if as_json:
        print_json({"path": str(store.path), **description})
        return
    aside = description["set_aside"]
    typer.echo(
        f"{len(store):,} records of {description['patients']:,} patients at {store.sampling_rate:g} Hz"
        f" ({description['records_resampled']:,} resampled), {len(aside):,} set aside."
    )
    for note in description["notes"] if first_told else ():
        typer.echo(f"  {note}")
    for line in _reasons(aside):
        typer.echo(f"  {line}")
    if aside:
        typer.echo(f"  All that were set aside: {store.path / 'store.json'}")
    if wrote:
        typer.echo(f"wrote {store.path}")
    else:
        end = f" {remedy}" if remedy and aside else ""
        typer.echo(f"It was already there, nothing was written: {store.path}.{end}")


def _reasons(set_aside: list[dict[str, str]]) -> list[str]:
    """One line for each kind of reason; reasons that differ in names and numbers alone are of one kind."""
    kinds: dict[str, list[dict[str, str]]] = defaultdict(list)
    for one in set_aside:
        kinds[re.sub(r"[^\s:;()]*\d[^\s:;()]*", "#", one["reason"])].append(one)
    lines = []
    for alike in sorted(kinds.values(), key=len, reverse=True)[:_MOST_REASONS]:
        others = f", and {len(alike) - 1:,} alike" if len(alike) > 1 else ""
        lines.append(f"set aside: {alike[0]['reason']} (record {alike[0]['record_id']}{others})")
    if len(kinds) > _MOST_REASONS:
        lines.append(f"set aside for {len(kinds) - _MOST_REASONS} other reasons")
    return lines
