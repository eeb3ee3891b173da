"""Where commands that draw write their figure, and how they refuse what cannot be written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer


def figure_file(out: Path | None, recording: Path, ending: str, formats: Sequence[str]) -> Path:
    """The file to write: ``out``, or the recording's name + ending + .png in the current folder.

    Usage error for a suffix that is not among ``formats``.
    """
    if out is None:
        # "00001_hr.v2" has no suffix to take off: only those of recordings go.
        name = recording.stem if recording.suffix.lower() in (".hea", ".dat", ".mat") else recording.name
        return Path(f"{name}{ending}.png")
    if out.suffix.lower() not in formats:
        raise typer.BadParameter(
            f"found the suffix {out.suffix or '(none)'}; accepted: {', '.join(formats)}.", param_hint="--out"
        )
    return out


def one_of(value: str, accepted: Sequence[str], option: str) -> str:
    """The value, or a usage error that lists what is accepted."""
    if value not in accepted:
        raise typer.BadParameter(f"found {value!r}; accepted: {', '.join(accepted)}.", param_hint=option)
    return value
