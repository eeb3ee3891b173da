"""What ``leadlight explain`` prints and writes: of one explanation, of many, and of the methods."""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.explanation import Explanation, Method

TABLE = "explanations.csv"
COLUMNS = (
    "file", "target", "method", "probability", "threshold", "found", "leads", "forward_passes", "seconds",
    "written", "notes", "error",
)  # fmt: skip
LONGEST_LIST = 50
"""Bad files that are listed; all stand in the table."""


def explain_one(
    classifier: Classifier,
    file: Path,
    targets: Sequence[str],
    method: Method,
    settings: Mapping[str, Any],
    path: Path,
    layout: str,
    title: str,
    *,
    as_json: bool,
    style: str,
    longer: Any,
    fill_gaps: float | None,
    patient: Any,
) -> None:
    """One explanation: its file, the probabilities and what it means."""
    from leadlight.cli.output import prediction_rows, print_json, print_table
    from leadlight.explanation import explain
    from leadlight.explanation.many_files import read_for

    recording, steps = read_for(file, fill_gaps, patient), classifier.contract.preprocessing
    is_refused = longer == "refuse" or (longer == "contract" and steps.crop is None)
    if is_refused and recording.duration > steps.duration:
        raise typer.BadParameter(
            f"the recording lasts {recording.duration:g} s, the model reads {steps.duration:g} s: first, "
            "centre or windows?",
            param_hint="--longer",
        )
    target = targets[0] if targets else None
    explanation = explain(classifier, recording, target, method.name, longer, **settings)
    written = explanation.save(path, layout, title, style)
    if as_json:
        print_json({**explanation.to_dict(maps=False), "written": str(written)})
        return
    rows = prediction_rows(explanation.prediction)
    if target is not None:
        rows = [{**row, "target": "<" if row["class"] == target else ""} for row in rows]
    print_table(rows)
    of_what = "attention" if explanation.method == "attention" else "relevance"
    typer.echo(f"Most {of_what}: {explanation.leading_leads()}.")
    for name, value in explanation.beside.items():
        typer.echo(f"Beside the signal, {name}: {value:+.3g}.")
    typer.echo(explanation.caption())
    for note in explanation.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"{explanation.method}: {explanation.cost}")
    typer.echo(f"wrote {written}")


def explain_many(
    classifier: Classifier,
    files: Sequence[Path],
    targets: Sequence[str],
    method: Method,
    settings: Mapping[str, Any],
    path: Path,
    suffixes: Sequence[str],
    layout: str,
    title: str,
    *,
    as_json: bool,
    style: str,
    longer: Any,
    fill_gaps: float | None,
    patient: Any,
) -> None:
    """Explanations of several recordings or targets, in a folder with a table, or on one page."""
    from leadlight.cli.output import print_json, progress_bar
    from leadlight.explanation.many_files import explain_files
    from leadlight.pages import explanation_page
    from leadlight.writing import write_whole

    on_one_page = path.suffix.lower() == ".html"
    names, bad, printed = _names(files), 0, []
    kept: list[Explanation] = []
    titles: list[str] = []
    reasons: list[str] = []
    n_written = 0
    if not on_one_page:
        path.mkdir(parents=True, exist_ok=True)
    with progress_bar("explaining", unit="recordings") as on_progress, _table(path, on_one_page) as add:
        results = explain_files(
            classifier, files, targets, method.name, longer, settings, on_progress,
            fill_gaps=fill_gaps, patient=patient,
        )  # fmt: skip
        for result, name in zip(results, names, strict=True):
            if result.error:
                bad += 1
                reasons.append(f"  {result.file}: {result.error}")
                add(
                    {"file": str(result.file), "method": method.name, "error": " ".join(result.error.split())}
                )
            for one in result.explanations:
                about = f"{name}-{one.target}-{one.method}" if one.target else f"{name}-{one.method}"
                written = []
                if on_one_page:
                    kept.append(one)
                    titles.append(f"{title} {name}".strip() + (f": {one.target}" if one.target else ""))
                else:
                    written = [
                        one.save(path / f"{_safe(about)}{suffix}", layout, title, style).name
                        for suffix in suffixes
                    ]
                n_written += len(written)
                add(_row(result.file, one, written))
                if as_json:
                    printed.append({"file": str(result.file), **one.to_dict(maps=False), "written": written})
    if on_one_page and kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, explanation_page(kept, titles, layout).encode())
    if as_json:
        print_json({"explanations": printed, "written": str(path)})
    else:
        typer.echo(f"{len(files) - bad:,} of {len(files):,} recordings explained by {method.name}")
        if on_one_page:
            typer.echo(f"wrote {path}" if kept else "wrote nothing: there was nothing to explain")
        else:
            typer.echo(f"wrote {n_written:,} files and {path / TABLE}")
    if reasons:
        typer.echo(f"{bad:,} of {len(files):,} recordings could not be explained:", err=True)
        for reason in reasons[:LONGEST_LIST]:
            typer.echo(reason, err=True)
        if len(reasons) > LONGEST_LIST:
            typer.echo(f"  and {len(reasons) - LONGEST_LIST:,} more", err=True)
        raise typer.Exit(1)


def print_methods() -> None:
    """Every method: definition, source, needs, cost, what it cannot show, settings."""
    from leadlight.explanation import METHODS

    for method in METHODS.values():
        typer.echo(method.name)
        rows = {
            "": method.definition,
            "needs": method.needs,
            "cost": method.cost,
            "cannot show": method.cannot_show,
            "source": method.source,
        }
        for name, text in rows.items():
            lines = textwrap.fill(
                text, 96, initial_indent=f"  {name}: " if name else "  ", subsequent_indent="    "
            )
            typer.echo(lines)
        for name, meaning in method.settings_meaning.items():
            typer.echo(f"  --set {name}={method.defaults[name]}  ({meaning})")
        typer.echo()


@contextmanager
def _table(path: Path, without: bool) -> Iterator[Any]:
    """A function that adds a row to the folder's table, which is whole when the work is."""
    if without:
        yield lambda row: None
        return
    partial = path / f"{TABLE}.part"
    with partial.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, COLUMNS, restval="")
        table.writeheader()
        yield table.writerow
    partial.replace(path / TABLE)


def _row(file: Path, one: Explanation, written: Sequence[str]) -> dict[str, Any]:
    of_target = next((row for row in one.prediction.table() if row["class"] == one.target), None)
    return {
        "file": str(file),
        "target": one.target or "",
        "method": one.method,
        "probability": "" if of_target is None else of_target["probability"],
        "threshold": "" if of_target is None else of_target["threshold"],
        "found": "" if of_target is None else ("yes" if of_target["found"] else "no"),
        "leads": one.leading_leads(),
        "forward_passes": one.cost.forward_passes,
        "seconds": f"{one.cost.seconds:.3f}",
        "written": "; ".join(written),
        "notes": "; ".join(one.notes),
    }


def _names(files: Sequence[Path]) -> list[str]:
    """A name for each recording: its file's, with its folders' in front where two would be the same."""
    bare = [
        file.with_suffix("") if file.suffix.lower() in (".hea", ".dat", ".mat") else file for file in files
    ]
    depth = 1
    names = [path.name for path in bare]
    while len(set(names)) < len(names) and depth < max(len(path.parts) for path in bare):
        depth += 1
        names = ["-".join(path.parts[-depth:]) for path in bare]
    return [_safe(name) for name in names]


def _safe(name: str) -> str:
    """A file's name without what some systems refuse in one."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
