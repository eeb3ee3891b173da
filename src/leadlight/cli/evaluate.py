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
    subgroups: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Attributes whose groups are measured apart, with commas; none for none. "
            "measured-heart-rate takes a minute for 2,000 records (extra beats).",
        ),
    ] = "sex,age,source,device,quality,heart-rate",
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of patients behind the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files; without it, RUN/evaluation/fold-N.")
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write the figures there as well, in DIR/fold-N: curves, calls, thresholds, calibration ...",
            show_default=False,
        ),
    ] = None,
    suffix: Annotated[str, typer.Option("--format", help="Of these figures: png, svg or pdf.")] = "pdf",
    allow_training_fold: Annotated[
        bool, typer.Option("--allow-training-fold", help="Measure even on a fold that was used for fitting.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print metrics.json in place of the tables.")
    ] = False,
) -> None:
    """Measure a run on one fold, with 95% intervals by a bootstrap over patients.

    Writes metrics.json, per_class.csv, predictions.parquet and subgroups.csv. Thresholds
    are the model's own, fitted on its validation fold.

    Example: leadlight evaluate run --fold 10 --figures run/figures

    Example: leadlight evaluate run/model --fold 9 --data ptb-xl --out eval
    """
    from leadlight.cli.output import print_json, progress_bar
    from leadlight.cli.usage import figure_suffix, model_folder
    from leadlight.evaluation import evaluate_run
    from leadlight.report import draw_evaluation, save_drawings

    ending = figure_suffix(suffix)
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
            subgroups=[] if subgroups == "none" else [one.strip() for one in subgroups.split(",")],
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
    if figures is not None:
        drawn = save_drawings(draw_evaluation(out), figures / out.name, ending)
        typer.echo(f"wrote {len(drawn)} figures to {figures / out.name}", err=as_json)


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
    _print_sets(evaluation)
    _print_subgroups(evaluation)
    for note in evaluation.notes:
        typer.echo(f"note: {note}")


def _print_sets(evaluation: Evaluation) -> None:
    from leadlight.cli.output import print_table

    if not evaluation.sets:
        return
    rows = [
        {
            "class": one.code,
            "holds present": str(one.present),
            "holds absent": str(one.absent),
            "uncertain": f"{one.uncertain:.3f}",
            "neither": f"{one.neither:.3f}",
        }
        for one in evaluation.sets
    ]
    stated = evaluation.subject.get("coverage_of_sets")
    footer = f"meant to hold the truth in {stated:.3f} of the records of either kind" if stated else ""
    print_table(rows, title="Prediction sets", footer=footer)


def _print_subgroups(evaluation: Evaluation) -> None:
    """Over all classes; subgroups.csv has each class."""
    from leadlight.cli.output import print_table
    from leadlight.evaluation.subgroups import ALL, METRICS

    found = [one for one in evaluation.subgroups if one.code == ALL]
    if not found:
        return
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one in found:
        row = rows.setdefault(
            (one.attribute, one.group),
            {"": f"{one.attribute}: {one.group}", "n": one.records, "patients": one.patients},
        )
        if one.metric != "excess":
            row[METRICS[one.metric]] = one.value.format_value()
            row[f"{METRICS[one.metric]} less the others'"] = "too few" if one.reason else str(one.gap)
    print_table(list(rows.values()), title="Subgroups, mean over the classes that both sides can measure")
    apart = sum(one.is_apart for one in found if one.metric != "excess")
    measured = sum(not one.reason for one in found if one.metric != "excess")
    typer.echo(
        f"{apart} of {measured} intervals leave out 0; by chance alone about {0.05 * measured:.1f} would."
    )


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
            "sensitivity": str(one.recall),
            "specificity": str(one.specificity),
            "threshold": f"{one.threshold:.3f}",
        }
        for one in evaluation.classes
    ]
