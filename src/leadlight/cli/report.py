"""``leadlight report``: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILES...", help="Recordings to explain as examples.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The page to write.", show_default="RUN/report.html")
    ] = None,
) -> None:
    """Write one self-contained HTML page about a run: data, training, measurements, examples, model card.

    The page needs no network. What a run does not have yet is said to be missing.

    Example: leadlight report runs/imle ptb-xl/records100/00000/00001_lr --out report.html
    """
    from leadlight.classifier import load
    from leadlight.cli.output import progress_bar
    from leadlight.explanation import explain
    from leadlight.files import read
    from leadlight.report import run_report

    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(
            f"found the suffix {out.suffix or '(none)'}; accepted: .html.", param_hint="--out"
        )
    examples = files or []
    explanations = []
    if examples:
        classifier = load(run)
        with progress_bar("explaining", unit="recordings") as on_progress:
            for number, file in enumerate(examples, start=1):
                explanations.append(explain(classifier, read(file)))
                on_progress(number, len(examples), file.name)
    page = run_report(run, explanations, out or run / "report.html", [file.name for file in examples])
    typer.echo(f"wrote {page}")
