"""``leadlight evaluate``: a run, or any model, measured on one fold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leadlight.evaluation import Evaluation


def command(
    model: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run folder; or a model folder or shipped name, with --data."),
    ],
    fold: Annotated[int, typer.Option(min=0, help="The fold to measure on.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DATA",
            help="A data set's folder or a prepared store; may be repeated; without it, the run's own.",
        ),
    ] = None,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of patients behind the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files; without it, RUN/evaluation/fold-N.")
    ] = None,
    allow_training_fold: Annotated[
        bool, typer.Option("--allow-training-fold", help="Measure even on a fold that was used for fitting.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print metrics.json in place of the tables.")
    ] = False,
) -> None:
    """Measure a run on one fold, with 95% intervals by a bootstrap over patients.

    Writes metrics.json, per_class.csv and predictions.parquet. Thresholds are the
    model's own, fitted on its validation fold.

    Example: leadlight evaluate run --fold 10

    Example: leadlight evaluate run/model --fold 9 --data ptb-xl --out eval
    """
    from leadlight.cli.output import print_json, progress_bar
    from leadlight.cli.usage import model_folder
    from leadlight.evaluation import evaluate_run

    model_folder(model)  # a name that is none at all is the first thing to say
    if out is None:
        if not (Path(model) / "recipe.toml").is_file():
            raise typer.BadParameter(
                f"--out is needed: {model} is not a run folder, which would take the files."
            )
        out = Path(model) / "evaluation" / f"fold-{fold}"
    with progress_bar("evaluating") as on_progress:
        evaluation = evaluate_run(
            model,
            fold,
            data or None,
            resamples=resamples,
            seed=seed,
            allow_training_fold=allow_training_fold,
            on_progress=on_progress,
        )
    written = evaluation.save(out)
    if as_json:
        print_json(evaluation.to_dict())
    else:
        _print_tables(evaluation)
    for path in written:
        typer.echo(f"wrote {path}", err=as_json)  # standard output is for the JSON alone


def _print_tables(evaluation: Evaluation) -> None:
    from leadlight.cli.output import print_table

    subject = evaluation.subject
    # The version as well: it tells simulated recordings from those of people.
    dataset = " ".join(subject[key] for key in ("dataset", "dataset_version") if subject[key])
    typer.echo(
        f"{subject['model']} on {dataset}, fold {subject['fold']}: "
        f"{evaluation.n_records} records of {evaluation.n_patients} patients"
    )
    print_table(_overall_rows(evaluation))
    print_table(_class_rows(evaluation), footer="in brackets: 95% interval")
    for note in evaluation.notes:
        typer.echo(f"note: {note}")


def _overall_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The table over all classes."""
    from leadlight.evaluation import OVERALL

    return [
        {"metric": title, "value": one.format_value(), "95% interval": one.format_interval()}
        for title, one in ((OVERALL[key], one) for key, one in evaluation.overall.items())
    ]


def _class_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The table by class."""
    return [
        {
            "class": one.code,
            "n": one.n,
            "positives": one.positives,
            "ROC-AUC": str(one.roc_auc),
            "average precision": str(one.average_precision),
            "F1": str(one.f1),
            "accuracy": str(one.accuracy),
            "threshold": f"{one.threshold:.3f}",
        }
        for one in evaluation.classes
    ]
