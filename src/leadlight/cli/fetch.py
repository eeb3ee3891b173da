"""``leadlight fetch``: download a data set from its own official address."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlight.cli.output import print_json, progress_bar

if TYPE_CHECKING:
    from leadlight.datasets import DatasetDescription
    from leadlight.datasets.fetching import Fetched


def command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Data set, such as ptb-xl; `leadlight datasets` lists them.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to download into.")],
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Begin without asking: licence and size are known.")
    ] = False,
    mirror: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Your own copy, with SHA256SUMS.txt.", show_default=False),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Files wanted: 'records100/*'; may be repeated.",
            show_default=False,
        ),
    ] = None,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Connections at a time.")] = 8,
    check: Annotated[
        bool, typer.Option("--check", help="Download nothing: compare DIR with its SHA256SUMS.txt.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Download a data set from its own official address, in parallel, and check every file.

    Says licence and size, and asks, before it begins. Run again, it goes on where it
    stopped and brings only what is missing or wrong. Files at the top of the data set
    (tables, licence) always come.

    Example: leadlight fetch ptb-xl DIR --only 'records100/*'

    Example: leadlight fetch ptb-xl DIR --check
    """
    from leadlight import datasets
    from leadlight.cli.usage import wrong_usage
    from leadlight.datasets import fetching
    from leadlight.errors import DatasetError

    with wrong_usage(DatasetError, "NAME"):
        described = datasets.describe(name)
    if check:
        with progress_bar(f"checking {name}", unit="files") as on_progress:
            _say(fetching.check(folder, on_progress), described, as_json, checked=True)
        return
    _announce(described, folder, mirror, only or [])
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("not on a terminal, so nobody can be asked: add --yes to begin.")
        typer.confirm("Begin?", abort=True, err=True)
    with progress_bar(f"fetching {name}", unit="files") as on_progress:
        fetched = fetching.fetch(
            described, folder, mirror=mirror, only=only or (), connections=connections,
            on_progress=on_progress,
        )  # fmt: skip
    _say(fetched, described, as_json, checked=False)


def _announce(described: DatasetDescription, folder: Path, mirror: str | None, only: list[str]) -> None:
    """Licence, size, address and room on the disk, before anything is downloaded."""
    import shutil

    say = [
        f"{described.title}",
        f"  licence   {described.licence}: read it and keep to it ({described.url})",
        f"  size      about {described.gigabytes:g} GB, {described.records:,} records"
        if described.gigabytes
        else f"  size      {described.records:,} records",
        f"  from      {mirror or described.download}",
        f"  to        {folder}",
    ]
    if only:
        say.append(f"  only      {', '.join(only)}, and the files at the top")
    place = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(place).free / 1e9
    say.append(f"  free      {free:,.0f} GB on that disk")
    if described.gigabytes and not only and free < described.gigabytes:
        say.append("  That is less than the data set: make room, or choose a part with --only.")
    say.append(f"  please cite {described.citation}")
    typer.echo("\n".join(say), err=True)


def _say(fetched: Fetched, described: DatasetDescription, as_json: bool, *, checked: bool) -> None:
    from leadlight.datasets.fetching.fetch import failures_in_words

    if as_json:
        print_json(
            {
                "folder": str(fetched.folder),
                "files": fetched.files,
                "received_bytes": fetched.received,
                "were_there": fetched.kept,
                "without_checksum": fetched.unchecked,
                "failed": [{"file": name, "reason": reason} for name, reason in fetched.failed],
            }
        )
    else:
        right = fetched.files - len({name for name, _ in fetched.failed})
        verb = "compared with SHA256SUMS.txt" if checked else "there and checked"
        typer.echo(
            f"{right:,} of {fetched.files:,} files {verb}"
            + ("" if checked else f", {fetched.received / 1e6:,.1f} MB received")
            + (f", {fetched.unchecked:,} without a published checksum" if fetched.unchecked else "")
            + f": {fetched.folder}"
        )
        if not fetched.failed and not checked:
            typer.echo(f"next: leadlight prepare {described.name} {fetched.folder} --out STORE")
    if fetched.failed:
        for line in failures_in_words(fetched.failed):
            typer.echo(f"  {line}", err=True)
        remedy = "Remove these files, then run" if checked else "Run"
        typer.echo(f"{remedy} the same command{' without --check' if checked else ''} again.", err=True)
        raise typer.Exit(1)
