"""``leadlight split``: write which record is in which fold, as a file."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlight.cli.output import print_json, print_table

if TYPE_CHECKING:
    from leadlight.datasets import DatasetIndex, Split

_MOST_CODES = 30


def command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Data set, such as challenge-2021; `leadlight datasets` lists them."
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the data set.")],
    out: Annotated[Path, typer.Option("--out", help="Split file to write, such as splits.csv.")],
    folds: Annotated[int, typer.Option("--folds", min=2, max=1000, help="Number of folds.")] = 10,
    seed: Annotated[int, typer.Option("--seed", help="Decides what the records leave open.")] = 0,
    leave_out: Annotated[
        str,
        typer.Option(
            "--leave-out", metavar="SOURCE", help="A collection, such as georgia, as the last fold."
        ),
    ] = "",
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", help="Table beside the data: labels, or PTB-XL's patients.", show_default=False
        ),
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Leave official folds aside.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is already there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Write which record is in which fold: stratified by labels and collections, patients whole.

    The same records give the same file, byte for byte. `leadlight prepare --splits FILE` uses it.
    Official folds are kept, and records without one are put beside them.

    Example: leadlight split challenge-2021 DIR --out splits.csv
    """
    from leadlight import datasets
    from leadlight.cli.usage import wrong_usage
    from leadlight.errors import DatasetError

    with wrong_usage(DatasetError, "NAME"):
        spaces = datasets.describe(name).label_spaces
    if out.exists() and not overwrite:
        raise typer.BadParameter(
            f"{out} is already there; add --overwrite to replace it.", param_hint="--out"
        )
    index = datasets.read_published(name, folder, labels=labels)
    if not (anew or leave_out) and all(entry.fold is not None for entry in index.entries):
        raise DatasetError(
            f"{name}: found an official fold for each of the {len(index):,} records; accepted: "
            "--anew to split them otherwise, or no split file at all."
        )
    with wrong_usage(DatasetError, "--leave-out" if leave_out else "--folds"):
        split = datasets.split_index(
            index, spaces, n_folds=folds, seed=seed, leave_out=leave_out, keep_official=not anew
        )
    checksum = datasets.write_split(out, index, split)
    rows = _rows(index, split)
    aside = [*index.set_aside, *split.set_aside]
    if as_json:
        about = {"path": str(out), "sha256": checksum, "note": split.note, "set_aside": len(aside)}
        print_json(about | {"counts": rows})
        return
    typer.echo(split.note)
    print_table(rows)
    if aside:
        typer.echo(f"{len(aside):,} records set aside, such as {aside[0].record_id}: {aside[0].reason}")
    typer.echo(f"SHA-256 of records and folds: {checksum}")
    typer.echo(f"wrote {out}")


def _rows(index: DatasetIndex, split: Split) -> list[dict[str, Any]]:
    """Counts of each fold and how far the worst is from its share."""
    counted: dict[str, Counter[int]] = defaultdict(Counter)
    patients: set[tuple[str, int]] = set()
    placed = [entry for entry in index.entries if entry.record_id in split.folds]
    for entry, classes in zip(placed, _classes(index, split), strict=True):
        fold = split.folds[entry.record_id]
        patients.add((entry.patient_id, fold))
        for what in ("records", f"from {entry.source}", *classes):
            counted[what][fold] += 1
    counted["patients"] = Counter(fold for _, fold in patients)
    sources = sorted(what for what in counted if what.startswith("from "))
    first = ["records", "patients", *(sources if len(sources) > 1 else [])]
    rest = [what for what in _order(split, counted) if what not in (*first, *sources)]
    stratified = range(1, split.n_folds + (not split.left_out))
    rows = []
    for what in [*first, *rest]:
        counts = counted[what]
        share = sum(counts[fold] for fold in stratified) / len(stratified)
        worst = max((counts[fold] - share for fold in stratified), key=abs)
        row: dict[str, Any] = {"": what, "all": counts.total()}
        row |= {str(fold): counts[fold] for fold in range(1, split.n_folds + 1)}
        rows.append(row | {"furthest from share": f"{worst:+.1f}"})
    return rows


def _classes(index: DatasetIndex, split: Split) -> list[tuple[str, ...]]:
    """Names of the classes of each record that has a fold."""
    from leadlight import labels

    placed = [entry for entry in index.entries if entry.record_id in split.folds]
    if not split.space:
        return [tuple(sorted({s.code for s in e.statements if s.likelihood != 0.0})) for e in placed]
    space = labels.space(split.space)
    values = space.encode([e.statements for e in placed], sources=[e.source for e in placed]).values
    return [tuple(space.codes[column] for column in row.nonzero()[0]) for row in values]


def _order(split: Split, counted: dict[str, Counter[int]]) -> list[str]:
    """Classes in the order of their space; statement codes by number, the most frequent ones."""
    from leadlight import labels

    if split.space:
        return [code for code in labels.space(split.space).codes if code in counted]
    by_number = sorted(counted, key=lambda what: (-counted[what].total(), what))
    return [what for what in by_number if what not in ("records", "patients")][:_MOST_CODES]
