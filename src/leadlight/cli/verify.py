"""``leadlight verify``: check a prepared store, or a data set's files, against their own checksums."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.output import print_json, print_table, progress_bar


def command(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="STORE", help="A prepared store; or the folder of a data set with SHA256SUMS.txt."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check a prepared store against its own checksums, counts and rules.

    Labels, patients across folds, and copies and equal signals across folds are checked as well.
    Of a data set's folder, the files that are there are compared with its SHA256SUMS.txt.
    Ends with exit code 1 if a check fails; a note is no failure.

    Example: leadlight verify ptbxl-100hz
    """
    from leadlight.datasets.fetching.listing import SHA256SUMS
    from leadlight.store import layout, verify

    if not layout.is_store(folder) and (folder / SHA256SUMS).is_file():
        _compare_files(folder, as_json)
        return
    with progress_bar(f"verifying {folder.name}", unit="records") as on_progress:
        checks = verify(folder, on_progress)
    rows = [
        {
            "check": one.name,
            "passed": one.passed if as_json else _word(one.passed, one.is_note),
            "found": one.found,
        }
        for one in checks
    ]
    print_table(rows, as_json=as_json)
    if not all(one.passed for one in checks):
        raise typer.Exit(1)


def _word(passed: bool, is_note: bool) -> str:
    return ("note" if is_note else "yes") if passed else "NO"


def _compare_files(folder: Path, as_json: bool) -> None:
    from leadlight.datasets.fetching import check

    with progress_bar(f"verifying {folder.name}", unit="files") as on_progress:
        compared = check(folder, on_progress)
    wrong = [{"file": name, "reason": reason} for name, reason in compared.failed]
    if as_json:
        print_json({"files": compared.files, "failed": wrong})
    else:
        if wrong:
            print_table(wrong)
        right = compared.files - len(wrong)
        typer.echo(f"{right:,} of {compared.files:,} files are as SHA256SUMS.txt says: {folder}")
        if wrong:
            typer.echo("Remove these files and download them again: leadlight fetch NAME DIR.", err=True)
    if wrong or not compared.files:
        raise typer.Exit(1)
