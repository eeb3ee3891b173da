"""``leadlight calibrate``: calibration, thresholds and prediction sets, fitted on the validation fold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leadlight.evaluation.calibration_runs import Calibrated

METHODS = ("platt", "temperature", "isotonic", "none")


def command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A run folder, a model folder or a shipped name.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DATA",
            help="A data set's folder or a prepared store; may be repeated; without it, the run's own.",
        ),
    ] = None,
    fold: Annotated[
        list[int] | None,
        typer.Option(
            min=0,
            help="Fold to fit on; may be repeated; without it, the model's validation folds.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="platt, temperature, isotonic; none leaves probabilities as they are.")
    ] = "platt",
    thresholds: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="best-f1, youden, sensitivity=NUMBER, specificity=NUMBER, fmax, or a number for all.",
        ),
    ] = "best-f1",
    coverage: Annotated[
        float, typer.Option(min=0, max=0.999, help="Of the prediction sets; 0 for no sets.")
    ] = 0.9,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Model folder to write; without it, the model's own is replaced.", show_default=False
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option(min=1, help="Resamples of patients behind the thresholds' intervals.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Fit calibration, thresholds and prediction sets on the validation fold, into the model's contract.

    Predictions are calibrated from then on. Evaluate afterwards, on another fold.

    Example: leadlight calibrate run --method platt --thresholds youden

    Example: leadlight calibrate run --data georgia --fold 1 --out run-georgia
    """
    from typing import cast, get_args

    from leadlight.classifier import shipped
    from leadlight.classifier.calibration import Method
    from leadlight.cli.output import print_json, progress_bar
    from leadlight.cli.usage import model_folder, one_of, wrong_usage
    from leadlight.errors import EvaluationError
    from leadlight.evaluation import ThresholdRule
    from leadlight.evaluation.calibration_runs import calibrate_run

    assert set(METHODS) == {*get_args(Method), "none"}
    one_of(method, METHODS, "--method")
    with wrong_usage(EvaluationError, "--thresholds"):
        ThresholdRule.read(thresholds)
    folder = model_folder(model)
    if out is None and model in shipped():
        raise typer.BadParameter(f"--out is needed: {model} comes with Leadlight and is not changed.")
    with progress_bar("calibrating") as on_progress:
        found = calibrate_run(
            model,
            data or None,
            folds=fold or (),
            method=cast(Method, method),
            thresholds=thresholds,
            coverage=coverage or None,
            resamples=resamples,
            seed=seed,
            on_progress=on_progress,
        )
    written = found.classifier.save(folder if out is None else out)
    if as_json:
        print_json(_values(found))
    else:
        _print_tables(found)
    typer.echo(f"wrote {written}", err=as_json)


def _values(found: Calibrated) -> dict[str, Any]:
    contract = found.classifier.contract
    return {
        "before": dict(found.before),
        "after": None if found.after is None else dict(found.after),
        "thresholds": [
            {"class": code, "threshold": one, "low": _finite(estimate.low), "high": _finite(estimate.high)}
            for code, one, estimate in zip(
                contract.codes, contract.thresholds.values, found.thresholds, strict=True
            )
        ],
        "notes": list(found.notes),
    }


def _finite(value: float) -> float | None:
    return value if value == value else None


def _print_tables(found: Calibrated) -> None:
    from leadlight.cli.output import print_table

    contract = found.classifier.contract
    print_table(
        [
            {"metric": name, "before": f"{value:.4f}",
             "after": "–" if found.after is None else f"{found.after[name]:.4f}"}
            for name, value in found.before.items()
        ],
        footer="after: each patient by a calibrator fitted on the others" if found.after else "",
    )  # fmt: skip
    sets = contract.prediction_sets
    rows = []
    for k, code in enumerate(contract.codes):
        row = {
            "class": code,
            "threshold": f"{contract.thresholds.values[k]:.3f}",
            "95% interval": found.thresholds[k].format_interval(),
        }
        if sets is not None:
            row |= {"present from": f"{sets.present_from[k]:.3f}", "absent up to": f"{sets.absent_to[k]:.3f}"}
        rows.append(row)
    print_table(rows, footer=f"thresholds: {contract.thresholds.rule}")
    for note in found.notes:
        typer.echo(f"note: {note}")
