"""``leadlight verify``: check a prepared store against its own checksums."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.output import print_table, progress_bar


def command(
    folder: Annotated[Path, typer.Argument(metavar="STORE", help="A prepared store.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check a prepared store against its own checksums, counts and rules.

    Ends with exit code 1 if a check fails.

    Example: leadlight verify ptbxl-100hz
    """
    from leadlight.store import verify

    with progress_bar(f"verifying {folder.name}", unit="records") as on_progress:
        checks = verify(folder, on_progress)
    rows = [
        {"check": one.name, "passed": one.passed if as_json else _word(one.passed), "found": one.found}
        for one in checks
    ]
    print_table(rows, as_json=as_json)
    if not all(one.passed for one in checks):
        raise typer.Exit(1)


def _word(passed: bool) -> str:
    return "yes" if passed else "NO"
