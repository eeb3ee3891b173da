"""``leadlight explain-quality``: whether the explanations of a run are true, measured on one fold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run folder; or a model folder or shipped name, with --data."),
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
    methods: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A method, with settings behind a colon (occlusion:by=wave,fill=median); may be repeated. "
            "Without it, attention, grad-cam, gradients and integrated-gradients, as far as the model can.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS",
            help="A class, by code or description; may be repeated; without it, every class.",
            show_default=False,
        ),
    ] = None,
    records: Annotated[
        int,
        typer.Option(min=1, help="Records that are explained, over all classes together, by turns of them."),
    ] = 200,
    measures: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="What is measured, with commas: truth (simulated data alone), criteria, deletion, "
            "stability, sanity.",
        ),
    ] = "truth,criteria,deletion,stability,sanity",
    steps: Annotated[int, typer.Option(min=1, help="Of the deletion and insertion curves.")] = 10,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The simulated data set that a store was made of, where the store does not say it.",
            show_default=False,
        ),
    ] = None,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of patients behind the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw of records, noise and resamples.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the files; without it, RUN/explanation-quality/fold-N."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print quality.json in place of the tables.")
    ] = False,
) -> None:
    """Measure whether the explanations of a run are true, beside maps that know nothing of the model.

    Explained are records that show a class and are found to. On simulated data the true place is known;
    on any data maps are held against the leads and waves that the diagnostic criteria look at, and against
    the model itself: deletion and insertion, small noise, shuffled weights.

    Writes table.csv, table.md, examples.csv (the best and worst records), records.parquet and quality.json.

    Example: leadlight explain-quality run --fold 9 --records 200 --methods grad-cam --methods gradients
    """
    from leadlight.classifier import read_contract
    from leadlight.cli.output import print_json, print_table, progress_bar
    from leadlight.cli.usage import model_folder, wrong_usage
    from leadlight.errors import EvaluationError, LabelError, ModelError
    from leadlight.explanation.target import find_class
    from leadlight.explanation_quality import Plan, measure_explanations
    from leadlight.explanation_quality.asking import parse_method
    from leadlight.explanation_quality.saving import overview, to_dict

    folder = model_folder(model)
    if out is None:
        if not (Path(model) / "recipe.toml").is_file():
            raise typer.BadParameter(
                f"--out is needed: {model} is not a run folder, which would take the files."
            )
        out = Path(model) / "explanation-quality" / f"fold-{fold}"
    with wrong_usage(EvaluationError, "--measures"):
        plan = Plan(tuple(one.strip() for one in measures.split(",")), records, steps, seed=seed)
    with wrong_usage(ModelError, "--methods"), wrong_usage(EvaluationError, "--methods"):
        for one in methods or ():
            parse_method(one)
    classes = [(one.code, one.description) for one in read_contract(folder).classes]
    with wrong_usage(LabelError, "--target"):
        for one in target or ():
            find_class(classes, one)
    with progress_bar("explaining", unit="records") as on_progress:
        quality = measure_explanations(
            model, fold, data or None, methods=methods or None, targets=target or None, plan=plan,
            truth=truth, resamples=resamples, on_progress=on_progress,
        )  # fmt: skip
    written = quality.save(out)
    if as_json:
        print_json(to_dict(quality))
    else:
        for title, rows in overview(quality):
            print_table(rows, title=title)
        for note in quality.notes:
            typer.echo(f"note: {note}")
    for path in written:
        typer.echo(f"wrote {path}", err=as_json)
