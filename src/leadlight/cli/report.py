"""``leadlight report``: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run folder; or a model folder or shipped name, with --evaluation."
        ),
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILES...", help="Recordings of your own to explain as well."),
    ] = None,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="A folder that leadlight evaluate --out wrote; may be repeated.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DATA",
            help="Where the recordings of the examples are; may be repeated; without it, the run's own.",
            show_default=False,
        ),
    ] = None,
    examples: Annotated[
        int, typer.Option(min=0, max=10, help="Recordings told best, worst and hardest: so many of each.")
    ] = 2,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="Another run, evaluated on the same folds, to draw next to it; again for further ones.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="How they are explained; leadlight explain --methods lists the ways.",
            show_default="occlusion, by lead and wave",
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="The page to write.", show_default="RUN/report.html")
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write the figures of each evaluation there as files as well, in DIR/fold-N.",
            show_default=False,
        ),
    ] = None,
    suffix: Annotated[str, typer.Option("--format", help="Of these files: png, svg or pdf.")] = "pdf",
) -> None:
    """Write one self-contained HTML page about a run: data, training, measurements, examples, model card.

    The page needs no network. What a run does not have yet is said to be missing; evaluate it first.

    Example: leadlight report run --out report.html

    Example: leadlight report run ecg/records100/00000/00001_lr --examples 0 --out report.html
    """
    from leadlight.classifier import load
    from leadlight.cli.output import progress_bar
    from leadlight.cli.usage import figure_suffix, wrong_usage
    from leadlight.errors import ModelError
    from leadlight.explanation.explaining import find_method
    from leadlight.files import read
    from leadlight.report import draw_evaluation, run_report, save_drawings
    from leadlight.report.examples import explain_by
    from leadlight.report.files import RunFiles
    from leadlight.report.run import evaluations_beside

    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(
            f"found the suffix {out.suffix or '(none)'}; accepted: .html.", param_hint="--out"
        )
    ending = figure_suffix(suffix)
    if method:
        with wrong_usage(ModelError, "--method"):
            find_method(method)
    folders = tuple(evaluation or ())
    found = RunFiles.of(run, folders)
    if out is None and found.run is None:
        raise typer.BadParameter(f"--out is needed: {run} is not a run folder, which would take the page.")
    own = []
    with progress_bar("explaining") as on_progress:
        if files:
            classifier = load(run)
            for number, file in enumerate(files, start=1):
                recording = read(file)
                said = classifier.predict(recording)
                target = said.findings[0] if said.findings else said.classes[int(said.probabilities.argmax())]
                own.append(explain_by(classifier, recording, target, method))
                on_progress(number, len(files), file.name)
        page = run_report(
            run,
            out or Path(run) / "report.html",
            own,
            [file.name for file in files or []],
            evaluations=folders,
            data=data or None,
            examples=examples,
            method=method,
            beside=beside or (),
            on_progress=on_progress,
        )
    typer.echo(f"wrote {page}")
    if figures is not None:
        for folder in found.evaluations:
            written = save_drawings(
                draw_evaluation(folder, evaluations_beside(beside or (), folder.name)),
                figures / folder.name,
                ending,
            )
            typer.echo(f"wrote {len(written)} figures to {figures / folder.name}")
