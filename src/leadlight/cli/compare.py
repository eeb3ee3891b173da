"""``leadlight compare``: evaluated runs beside each other, on the same records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leadlight.evaluation.comparing import Comparison

FORMATS = (".png", ".svg", ".pdf")
WIDEST = 12
"""Classes whose tests are printed; of more, those alone where one run is better."""


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN RUN...", help="Run folders, or folders that evaluate --out wrote."),
    ],
    fold: Annotated[
        int | None,
        typer.Option(min=0, help="The fold that they were evaluated on; without it, the only one."),
    ] = None,
    all_pairs: Annotated[
        bool, typer.Option("--all-pairs", help="Each with each other, not only with the first.")
    ] = False,
    common_records: Annotated[
        bool, typer.Option("--common-records", help="Take the records that all were measured on.")
    ] = False,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of patients behind the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for comparison.csv and comparison.json.", show_default=False)
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="Forest plot to write: .png, .svg or .pdf.", show_default=False),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print comparison.json in place of the tables.")
    ] = False,
) -> None:
    """Compare runs on the same records: paired bootstrap by patient, DeLong, McNemar.

    Evaluate each first (leadlight evaluate). p-values are corrected for the number
    of comparisons (Holm). Runs that were measured on other records, with other
    labels or other classes are refused.

    Example: leadlight compare run another-run --fold 10 --out comparison
    """
    from leadlight.cli.output import print_json, progress_bar
    from leadlight.evaluation.comparison_runs import (
        compare_runs,
        comparison_figure,
        comparison_values,
        save_comparison,
    )

    if figure is not None and figure.suffix.lower() not in FORMATS:
        raise typer.BadParameter(
            f"found {figure.name!r}; accepted: a name that ends in {', '.join(FORMATS)}.",
            param_hint="--figure",
        )
    if len(runs) < 2:
        raise typer.BadParameter("found one; accepted: two or more.", param_hint="RUN")
    with progress_bar("comparing", unit="runs") as on_progress:
        comparison = compare_runs(
            runs,
            fold,
            all_pairs=all_pairs,
            common_records=common_records,
            resamples=resamples,
            seed=seed,
            on_progress=on_progress,
        )
    if as_json:
        print_json(comparison_values(comparison))
    else:
        _print_tables(comparison)
    if out is not None:
        for path in save_comparison(comparison, out):
            typer.echo(f"wrote {path}", err=as_json)
    if figure is not None:
        from leadlight.figures import save_figure

        typer.echo(f"wrote {save_figure(comparison_figure(comparison), figure)}", err=as_json)


def _print_tables(comparison: Comparison) -> None:
    from leadlight.cli.output import print_table
    from leadlight.evaluation import OVERALL
    from leadlight.evaluation.subgroups import ALL

    typer.echo(f"{comparison.n_records} records of {comparison.n_patients} patients")
    metrics = list(next(iter(comparison.values.values())))
    print_table(
        [
            {"metric": OVERALL[key], **{name: str(one[key]) for name, one in comparison.values.items()}}
            for key in metrics
        ],
        footer="in brackets: 95% interval",
    )
    found = comparison.differences
    rows = [_row(one, OVERALL[one.metric]) for one in found if one.code == ALL]
    print_table(rows, title="Differences over all classes")
    of_classes = [
        one for one in found if one.code != ALL and one.metric in ("roc_auc", "recall", "specificity")
    ]
    shown = of_classes if len(comparison.classes) <= WIDEST else [one for one in of_classes if one.better]
    titles = {"roc_auc": "ROC-AUC", "recall": "sensitivity", "specificity": "specificity"}
    if shown:
        print_table(
            [{"class": one.code, **_row(one, titles[one.metric])} for one in shown],
            title="Differences by class",
        )
    if len(shown) < len(of_classes):
        typer.echo(f"{len(of_classes) - len(shown)} differences by class without a better run are not shown.")
    for note in comparison.notes:
        typer.echo(f"note: {note}")


def _row(one: Any, title: str) -> dict[str, Any]:
    return {
        "metric": title,
        "difference": f"{one.one} - {one.other}",
        "value": one.difference.format_value(),
        "95% interval": one.difference.format_interval(),
        "p": _p(one.p),
        "corrected": f"{_p(one.p_corrected)} of {one.comparisons}",
        "test": one.test,
        "better": one.better or None,
    }


def _p(value: float) -> str:
    if value != value:
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
