"""``leadlight quality``: the signal quality of recordings, lead by lead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leadlight.quality import Quality


def command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES...", help="Recordings, or folders with recordings.")
    ],
    flagged: Annotated[
        bool, typer.Option("--flagged", help="List only recordings with a flag or a suspicion.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, with all measures.")] = False,
) -> None:
    """Say what is wrong with each lead: missing, flat, saturated, noisy, mains, drifting; and limb leads.

    One recording prints a table with a row a lead; several print a row a recording.
    Files that cannot be examined are listed at the end, and the exit code is then 1.

    Example: leadlight quality records500/ --flagged
    """
    from leadlight.cli.output import print_json, print_table, progress_bar
    from leadlight.files import find_recordings

    found = find_recordings(files)
    examined: list[tuple[Path, Quality]] = []
    bad: list[tuple[Path, str]] = []
    with progress_bar("examining", unit="files") as on_progress:
        for done, file in enumerate(found, start=1):
            quality, error = _examine(file)
            if quality is None:
                bad.append((file, error))
            elif not (flagged and quality.is_good):
                examined.append((file, quality))
            on_progress(done, len(found), "")
    if as_json:
        values = [{"file": str(file), "error": None, **quality.to_dict()} for file, quality in examined]
        print_json(values + [{"file": str(file), "error": error} for file, error in bad])
    elif len(found) == 1 and examined:
        file, quality = examined[0]
        print_table(quality.table(), title=str(file), footer="\n".join(quality.remarks()))
    elif examined or not bad:
        n_good = sum(quality.is_good for _, quality in examined)
        footer = f"{len(found) - len(bad):,} recordings examined"
        footer += f", {len(examined):,} with flags" if flagged else f", {n_good:,} without any flag"
        footer += "; ?: not assessed"
        print_table([_row(file, quality) for file, quality in examined], footer=footer)
    if bad:
        typer.echo(f"{len(bad):,} of {len(found):,} recordings could not be examined:", err=True)
        for file, error in bad:
            typer.echo(f"  {file}: {error}", err=True)
        raise typer.Exit(1)


def _examine(file: Path) -> tuple[Quality | None, str]:
    """The quality of a file, or why there is none."""
    from leadlight.errors import LeadlightError
    from leadlight.files import read

    try:
        return read(file).quality(), ""
    except LeadlightError as error:
        return None, str(error)
    except OSError as error:
        return None, error.strerror or type(error).__name__


def _row(file: Path, quality: Quality) -> dict[str, Any]:
    """One line of the table of many recordings."""
    from leadlight.quality.judging import FLAGS

    row: dict[str, Any] = {"file": str(file)}
    for flag in FLAGS:
        leads = quality.flagged(flag)
        every = len(leads) == len(quality.leads)
        row[flag] = ("all" if every else " ".join(leads)) or None
    if quality.columns()["mains_leads"] is None:
        row["mains"] = "?"
    limb = quality.limb_leads
    return row | {"limb leads": limb.verdict or (None if limb.assessed else "?")}
