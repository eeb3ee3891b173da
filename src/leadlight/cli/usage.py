"""What commands accept, and how they refuse the rest: usage errors, which end with exit code 2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from leadlight.errors import LeadlightError, ModelError

if TYPE_CHECKING:
    from leadlight.classifier import Contract
    from leadlight.recording import Patient


def figure_suffix(name: str) -> str:
    """The suffix of figures that are asked for with --format: "pdf" is ".pdf"; else a usage error."""
    from leadlight.figures.saving import FORMATS

    return f".{one_of(name.lower(), [suffix.lstrip('.') for suffix in FORMATS], '--format')}"


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


def model_folder(model: str) -> Path:
    """The folder of a shipped model, a run or a model folder, or a usage error with the nearest name."""
    from leadlight.classifier import find_model_folder

    with wrong_usage(ModelError, "MODEL"):
        return find_model_folder(model)


def one_of(value: str, accepted: Sequence[str], option: str) -> str:
    """The value, or a usage error that lists what is accepted."""
    if value not in accepted:
        raise typer.BadParameter(f"found {value!r}; accepted: {', '.join(accepted)}.", param_hint=option)
    return value


def patient_of(contract: Contract, age: float | None, sex: str | None) -> Patient | None:
    """The patient that --age and --sex state, or None; a usage error where the model reads neither."""
    from leadlight.recording import Patient

    if age is None and sex is None:
        return None
    if contract.metadata is None:
        raise typer.BadParameter(
            f"{contract.name} reads the signal alone: leave them out.", param_hint="--age, --sex"
        )
    if sex not in ("male", "female", None):
        raise typer.BadParameter(f"found {sex!r}; accepted: male, female.", param_hint="--sex")
    return Patient(age=age, sex=sex)  # type: ignore[arg-type]


@contextmanager
def wrong_usage(kind: type[LeadlightError], argument: str) -> Iterator[None]:
    """Turn the library's refusal of an argument, an error of this kind, into a usage error."""
    try:
        yield
    except kind as error:
        raise typer.BadParameter(str(error), param_hint=argument) from None
