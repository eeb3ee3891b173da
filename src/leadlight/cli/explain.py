"""``leadlight explain``: what a model finds in a recording, and where it looked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A shipped name, a run folder or a model folder.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The recording.")],
    target: Annotated[
        str | None, typer.Option(help="A class, by code or description, for example MI.", show_default=False)
    ] = None,
    method: Annotated[
        str, typer.Option(help="attention: the model's own; it is the same for every target.")
    ] = "attention",
    longer: Annotated[
        str,
        typer.Option(
            help="Recordings longer than the model's input: as the model's contract says, refuse, or take "
            "the first or centre part."
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
    layout: Annotated[str, typer.Option(help="Of the tracing: auto, 3x4, 6x2 or 12x1.")] = "auto",
    title: Annotated[str, typer.Option(help="Written above the tracing; nothing of the patient is.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The suffix decides: .png, .svg, .pdf, .html (one page) or .json (the numbers). "
            "Default: the file's name + -explained.png, here."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the explanation without its maps as JSON.")
    ] = False,
) -> None:
    """Show on the tracing what a model looked at, beside what it finds.

    Example: leadlight explain imle-net-ptbxl-superclass records100/00000/00001_lr --target MI --out why.pdf
    """
    from leadlight.classifier import load
    from leadlight.cli.output import prediction_rows, print_json, print_table
    from leadlight.cli.usage import figure_file, model_folder, one_of, patient_of, wrong_usage
    from leadlight.errors import LabelError
    from leadlight.explanation import METHODS, explain
    from leadlight.explanation.explanation import FORMATS
    from leadlight.explanation.target import find_class
    from leadlight.figures.arrangement import LAYOUTS
    from leadlight.files import read
    from leadlight.signal import interpolate_gaps

    one_of(layout, LAYOUTS, "--layout")
    one_of(method, tuple(METHODS), "--method")
    one_of(longer, ("contract", "refuse", "first", "centre"), "--longer")
    path = figure_file(out, file, "-explained", FORMATS)
    classifier = load(model_folder(model))
    if target is not None:
        with wrong_usage(LabelError, "--target"):
            target = find_class(classifier.classes, target)
    recording, steps = read(file), classifier.contract.preprocessing
    patient = patient_of(classifier.contract, age, sex)
    if patient is not None:
        recording = recording.with_patient(age=patient.age, sex=patient.sex)
    if fill_gaps is not None:
        recording = interpolate_gaps(recording, fill_gaps)
    reads = steps.duration
    is_refused = longer == "refuse" or (longer == "contract" and steps.crop is None)
    if is_refused and recording.duration > reads:
        raise typer.BadParameter(
            f"the recording lasts {recording.duration:g} s, the model reads {reads:g} s: first or centre?",
            param_hint="--longer",
        )
    part: Any = longer
    explanation = explain(classifier, recording, target, method, part)
    written = explanation.save(path, layout, title)
    if as_json:
        print_json({**explanation.to_dict(maps=False), "written": str(written)})
        return
    rows = prediction_rows(explanation.prediction)
    if target is not None:
        rows = [{**row, "target": "<" if row["class"] == target else ""} for row in rows]
    print_table(rows)
    typer.echo(f"Most attention: {explanation.leading_leads()}.")
    typer.echo(explanation.caption())
    for note in explanation.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"wrote {written}")
