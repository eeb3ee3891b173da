"""``leadlight plot``: a recording on ECG paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The recording, for example records500/00001_hr.")
    ],
    layout: Annotated[
        str,
        typer.Option(
            help="3x4 (with a rhythm strip), 6x2, 12x1 (one strip a lead), or auto: 3x4 where all twelve "
            "leads are there, else 12x1; single: lead II, or the first of --leads, alone."
        ),
    ] = "auto",
    close_up: Annotated[
        str,
        typer.Option(
            "--close-up",
            metavar="LEAD",
            help="One lead at twice the speed and gain in place of the tracing, with beats and waves marked.",
        ),
    ] = "",
    seconds: Annotated[float, typer.Option(min=0.1, max=5, help="Length of a close-up.")] = 4.0,
    marks: Annotated[
        bool, typer.Option("--marks/--no-marks", help="Mark beats and waves in a close-up (extra beats).")
    ] = True,
    leads: Annotated[str, typer.Option(help="Only these leads, in this order, for example II,V1,V5.")] = "",
    start: Annotated[float, typer.Option(help="Seconds to begin at; a page shows at most 10 s.")] = 0.0,
    title: Annotated[str, typer.Option(help="Written above the tracing; nothing of the patient is.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="The suffix decides: .png, .svg, .pdf. Default: the file's name + .png, here."),
    ] = None,
) -> None:
    """Draw a recording on ECG paper: 25 mm/s, 10 mm/mV, to scale when a PDF is printed at 100%.

    Example: leadlight plot records500/00000/00001_hr --out tracing.pdf

    Example: leadlight plot records500/00000/00001_hr --close-up V1 --start 2 --out v1.png
    """
    from leadlight.cli.usage import figure_file, one_of
    from leadlight.errors import LeadlightError
    from leadlight.explanation.beats import find_beats
    from leadlight.figures import plot, plot_lead, save_figure
    from leadlight.figures.arrangement import LAYOUTS
    from leadlight.figures.saving import FORMATS
    from leadlight.files import read

    one_of(layout, LAYOUTS, "--layout")
    target = figure_file(out, file, "", FORMATS)
    recording = read(file)
    if leads:
        try:
            recording = recording.select([lead.strip() for lead in leads.split(",")])
        except KeyError as error:
            raise typer.BadParameter(str(error.args[0]), param_hint="--leads") from None
    if not 0 <= start < recording.duration:
        raise typer.BadParameter(
            f"found {start:g}; accepted: from 0 to below {recording.duration:g} s.", param_hint="--start"
        )
    if close_up:
        one_of(close_up, recording.leads, "--close-up")
        beats = None
        if marks:
            try:
                beats = find_beats(recording)
            except LeadlightError as error:  # the lead can be drawn all the same
                typer.echo(f"note: no beats are marked: {error}", err=True)
        figure = plot_lead(recording, close_up, start, seconds, beats=beats, title=title)
    else:
        figure = plot(recording, layout, start, title)
    typer.echo(f"wrote {save_figure(figure, target)}")
