"""``leadlight predict``: which findings recordings show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.classifier.many_files import FileResult

WIDEST_TABLE = 12
"""Classes that get a column of their own on the terminal."""
LONGEST_LIST = 50
"""Bad files that are listed when all of them stand in a file anyway."""


def command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A shipped name, a run folder or a model folder.")
    ],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES...", help="Recordings, or folders with recordings.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Write a table; the suffix decides: .csv or .json.")
    ] = None,
    longer: Annotated[
        str,
        typer.Option(
            help="A recording that is longer than the model's input: as the model's contract says, or refuse "
            "it, read its first or its centre part, or windows over the whole of it."
        ),
    ] = "contract",
    fill_gaps: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Fill gaps of up to so many seconds by straight lines first; what was filled is noted.",
            show_default=False,
        ),
    ] = None,
    age: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=130,
            metavar="YEARS",
            show_default=False,
            help="Of the patient, in place of what the file says; for models that read it.",
        ),
    ] = None,
    sex: Annotated[
        str | None, typer.Option(metavar="male|female", show_default=False, help="Likewise.")
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Recordings at a time: speed and memory, not results.")
    ] = 32,
    precision: Annotated[
        str, typer.Option(help="float32, or bfloat16: faster where the processor multiplies in it.")
    ] = "float32",
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Say which findings recordings show: probabilities, and the classes at or above their thresholds.

    Age and sex come from the files; a model that reads neither is not told.
    Files that cannot be used are listed at the end, and the exit code is then 1.

    Example: leadlight predict imle-net-ptbxl-superclass records500/ --out findings.csv
    """
    from typing import cast, get_args

    from leadlight.classifier import load
    from leadlight.classifier.classifier import PRECISIONS, Longer
    from leadlight.classifier.many_files import (
        FORMATS,
        model_values,
        predict_files,
        result_file,
        result_values,
    )
    from leadlight.cli.output import print_json, progress_bar
    from leadlight.cli.usage import model_folder, one_of, patient_of
    from leadlight.files import find_recordings

    one_of(longer, get_args(Longer), "--longer")
    one_of(precision, PRECISIONS, "--precision")
    if out is not None:
        if as_json:
            raise typer.BadParameter("--json prints and --out writes: choose one.", param_hint="--json")
        if out.suffix.lower() not in FORMATS:
            raise typer.BadParameter(
                f"found {out.name!r}; accepted: a name that ends in {' or '.join(FORMATS)}.",
                param_hint="--out",
            )
        out.parent.mkdir(parents=True, exist_ok=True)
    classifier = load(model_folder(model), precision=precision)  # type: ignore[arg-type]
    found = find_recordings(files)
    patient = patient_of(classifier.contract, age, sex)
    if patient is not None and len(found) > 1:
        raise typer.BadParameter(
            f"found {len(found):,} recordings; accepted: one, which is the patient's.",
            param_hint="--age, --sex",
        )
    bad: list[FileResult] = []
    results: list[FileResult] = []
    with progress_bar("predicting", unit="files") as on_progress:
        stream = predict_files(
            classifier, found, cast(Longer, longer), batch_size, on_progress,
            fill_gaps=fill_gaps, patient=patient,
        )  # fmt: skip
        if out is None:
            results = list(stream)
            bad = [result for result in results if result.prediction is None]
        else:
            with result_file(out, classifier.contract) as write:
                for result in stream:
                    write(result)
                    if result.prediction is None:
                        bad.append(result)
    if out is not None:
        typer.echo(f"{len(found) - len(bad):,} of {len(found):,} recordings predicted\nwrote {out}")
    elif as_json:
        values = [result_values(result) for result in results]
        print_json({**model_values(classifier.contract), "predictions": values})
    else:
        _print_results(classifier, results)
    if bad:
        _list_bad(bad, len(found), out)
        refused = longer in ("contract", "refuse")
        if refused and any("the model reads" in result.error for result in bad):
            typer.echo("For longer recordings choose: --longer first, centre or windows.", err=True)
        raise typer.Exit(1)


def _print_results(classifier: Classifier, results: list[FileResult]) -> None:
    from leadlight.cli.output import prediction_rows, print_table

    calibration = classifier.contract.calibration
    calibrated = "" if calibration is None else f", calibrated ({calibration.method})"
    footer = f"Model: {classifier.contract.name}{calibrated}. Research software, not a medical device."
    good = [result for result in results if result.prediction is not None]
    if len(results) == 1 and good:
        prediction = good[0].prediction
        assert prediction is not None
        notes = [f"note: {note}" for note in prediction.notes]
        print_table(prediction_rows(prediction), title=str(good[0].file), footer="\n".join([*notes, footer]))
    elif good:
        print_table([_row(result, classifier.contract.codes) for result in results], footer=footer)


def _row(result: FileResult, codes: tuple[str, ...]) -> dict[str, Any]:
    """One line of the table: a column a class or, with many classes, the findings with probabilities."""
    prediction = result.prediction
    row: dict[str, Any] = {"file": str(result.file)}
    if len(codes) <= WIDEST_TABLE:
        row |= {code: None if prediction is None else f"{prediction[code]:.3f}" for code in codes}
    if prediction is None:
        return row | {"findings": "(see below)"}
    is_wide = len(codes) > WIDEST_TABLE
    findings = [f"{code} {prediction[code]:.2f}" if is_wide else code for code in prediction.findings]
    row["findings"] = ", ".join(findings) or "none"
    if prediction.sets:
        row["uncertain"] = ", ".join(prediction.undecided) or "none"
    return row


def _list_bad(bad: list[FileResult], n_files: int, out: Path | None) -> None:
    typer.echo(f"{len(bad):,} of {n_files:,} recordings could not be predicted:", err=True)
    shown = bad if out is None else bad[:LONGEST_LIST]
    for result in shown:
        typer.echo(f"  {result.file}: {result.error}", err=True)
    if len(bad) > len(shown):
        typer.echo(f"  and {len(bad) - len(shown):,} more: see the column error of {out}", err=True)
