"""How commands speak: tables, JSON, and progress that appears only when work takes long."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from leadlight.progress import ProgressCallback

if TYPE_CHECKING:
    from leadlight.classifier import Prediction

PATIENCE_SECONDS = 2.0
"""Work that is done sooner shows no progress bar."""


def print_table(
    rows: Sequence[Mapping[str, Any]], *, as_json: bool = False, title: str = "", footer: str = ""
) -> None:
    """Print rows (all with the same keys) as a table on standard output, or as a JSON list.

    None prints as a dash. On a terminal the table is fitted to its width; elsewhere it is not cut.
    """
    if as_json:
        print_json(list(rows))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True) if sys.stdout.isatty() else Console(width=400)
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(rows[0] if rows else ()):
        numeric = number > 0 and all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("–" if value is None else str(value) for value in row.values()))
    console.print(table, markup=False, highlight=False) if rows else console.print("nothing to list")
    if footer:
        typer.echo(footer)


def prediction_rows(prediction: Prediction) -> list[dict[str, Any]]:
    """One row a class for ``print_table``: probabilities with three decimals, findings as yes or no."""
    return [
        {
            **row,
            "probability": f"{row['probability']:.3f}",
            "threshold": f"{row['threshold']:.3f}",
            "found": "yes" if row["found"] else "no",
        }
        for row in prediction.table()
    ]


def print_json(value: Any) -> None:
    """Print a plain value as JSON on standard output; NaN becomes null."""
    typer.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and value != value:
        return None
    return value


@contextmanager
def progress_bar(title: str, *, unit: str = "") -> Iterator[ProgressCallback]:
    """A callback that draws a bar on standard error once the work has taken two seconds.

    On anything but a terminal it stays silent.
    """
    if not sys.stderr.isatty():
        from leadlight.progress import silent

        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[message]}"),
        console=Console(stderr=True),
        transient=False,
    )
    task = bar.add_task(title, total=None, message="")
    began = time.monotonic()
    shown = False

    def on_progress(done: int, total: int, message: str = "") -> None:
        nonlocal shown
        if not shown and time.monotonic() - began >= PATIENCE_SECONDS:
            bar.start()
            shown = True
        bar.update(task, completed=done, total=total or None, message=message)

    try:
        yield on_progress
    finally:
        if shown:
            bar.stop()
