"""``leadlight explain-class``: what a run looks at in all records of a class, beat by beat."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run folder; or a model folder or shipped name, with --data."),
    ],
    target: Annotated[
        str, typer.Option(metavar="CLASS", help="The class, by code or description, for example LBBB.")
    ],
    fold: Annotated[int, typer.Option(min=0, help="The fold whose records are explained.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DATA",
            help="A data set's folder or a prepared store; may be repeated; without it, the run's own.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="A method, with settings behind a colon (occlusion:by=wave).")
    ] = "integrated-gradients",
    beats: Annotated[
        str | None,
        typer.Option(
            help="regular (early ones left out), early, or all. Default: early for classes that are early "
            "beats, else regular.",
            show_default=False,
        ),
    ] = None,
    records: Annotated[
        int,
        typer.Option(min=1, help="At most so many records of each group: found, mistaken, missed."),
    ] = 200,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of patients behind the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw of records and the resamples.")] = 0,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="SUFFIX",
            help="Of the figure: pdf, png, svg; may be repeated.",
            show_default="pdf and png",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files; without it, RUN/explain-class/fold-N.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Average beats and relevance of the records in which a class is found, mistaken, and missed.

    Beats are aligned at the R peak; records whose beats are not found are counted and left out. Writes the
    figure, CLASS-leads.csv (importance with intervals), CLASS-beats.csv (the curves) and CLASS.json.

    Example: leadlight explain-class run --target CD --fold 9
    """  # fmt: skip
    from leadlight.classifier import read_contract
    from leadlight.cli.output import print_json, print_table, progress_bar
    from leadlight.cli.usage import model_folder, one_of, wrong_usage
    from leadlight.errors import EvaluationError, LabelError, ModelError
    from leadlight.explanation.target import find_class
    from leadlight.explanation_quality import explain_class
    from leadlight.explanation_quality.aligned_beats import BEATS
    from leadlight.explanation_quality.asking import parse_method
    from leadlight.figures.saving import FORMATS

    folder = model_folder(model)
    if out is None:
        if not (Path(model) / "recipe.toml").is_file():
            raise typer.BadParameter(
                f"--out is needed: {model} is not a run folder, which would take the files."
            )
        out = Path(model) / "explain-class" / f"fold-{fold}"
    suffixes = [f".{one.lower().lstrip('.')}" for one in formats or ("pdf", "png")]
    for suffix in suffixes:
        one_of(suffix.lstrip("."), [name.lstrip(".") for name in FORMATS], "--format")
    if beats is not None:
        one_of(beats, BEATS, "--beats")
    with wrong_usage(ModelError, "--method"), wrong_usage(EvaluationError, "--method"):
        parse_method(method)
    with wrong_usage(LabelError, "--target"):
        find_class([(one.code, one.description) for one in read_contract(folder).classes], target)
    with progress_bar("explaining", unit="records") as on_progress:
        explained = explain_class(
            model, target, fold, data or None, method=method, beats=beats, n_records=records,
            resamples=resamples, seed=seed, on_progress=on_progress,
        )  # fmt: skip
    written = explained.save(out, suffixes)
    if as_json:
        print_json(explained.to_dict())
    else:
        for group in explained.groups:
            left = "; ".join(f"{n} {why}" for why, n in group.left_out.items())
            typer.echo(
                f"{group.name}: {group.total} in the fold, {len(group)} averaged, {group.n_beats.sum()} beats"
                + (f", left out: {left}" if left else "")
            )
        print_table(
            [
                {"lead": lead}
                | {
                    group.name: "–" if not len(group) else str(explained.importance(group)[place])
                    for group in explained.groups
                }
                for place, lead in enumerate(explained.leads)
            ],
            title=f"Share of the relevance by lead, {explained.target}, {explained.method}",
        )
        for note in explained.notes:
            typer.echo(f"note: {note}")
    for path in written:
        typer.echo(f"wrote {path}", err=as_json)
