"""``leadlight explain``: what a model finds in recordings, and where it looked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.explanation.method import Method


def _print_methods(wanted: bool) -> None:
    if wanted:
        from leadlight.cli.explain_output import print_methods

        print_methods()
        raise typer.Exit()


def command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A shipped name, a run folder or a model folder.")
    ],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES...", help="Recordings, or folders with recordings.")
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS",
            help="A class, by code or description, for example MI; again for further ones; findings: every "
            "class that is found in the recording.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="attention (the model's own, the same for every target), grad-cam, gradients, "
            "integrated-gradients, smoothgrad, guided-grad-cam or occlusion. --methods tells of each."
        ),
    ] = "attention",
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting of the method, for example by=wave; again for further ones.",
            show_default=False,
        ),
    ] = None,
    longer: Annotated[
        str,
        typer.Option(
            help="Recordings longer than the model's input: as the model's contract says, refuse, take the "
            "first or centre part, or explain windows over the whole, as predictions read them."
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
    layout: Annotated[str, typer.Option(help="Of the tracing: auto, 3x4, 6x2, 12x1 or single.")] = "auto",
    style: Annotated[
        str,
        typer.Option(
            help="Relevance as bands behind the trace, or as the colour of the trace; of .png, .svg, .pdf."
        ),
    ] = "bands",
    title: Annotated[str, typer.Option(help="Written above the tracing; nothing of the patient is.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help="One explanation: a file; the suffix decides: .png, .svg, .pdf, .html (a page), .json or "
            ".npz (the numbers). Default: the file's name + -explained.png, here. Several: a folder, by "
            "default explanations/, or a .html for all on one page."
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="SUFFIX",
            help="Of several explanations: png, svg, pdf, html, json, npz; again for further ones.",
            show_default="png",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the explanations without their maps as JSON.")
    ] = False,
    methods: Annotated[
        bool,
        typer.Option(
            "--methods", callback=_print_methods, is_eager=True, help="Tell of every method and its settings."
        ),
    ] = False,
) -> None:
    """Show on the tracing what a model looked at, beside what it finds.

    Of several recordings or targets, each explanation is a file of its own in a folder, with a table of
    all; files that cannot be used are listed at the end, and the exit code is then 1.

    Example: leadlight explain imle-net-ptbxl-superclass records100/00000/00001_lr --target MI --out why.pdf

    Example: leadlight explain imle-net-ptbxl-superclass records100/ --method occlusion --set by=wave
    --target findings --format png --format npz --out why/
    """
    from typing import cast, get_args

    from leadlight.classifier import load
    from leadlight.classifier.classifier import Longer
    from leadlight.cli.explain_output import explain_many, explain_one
    from leadlight.cli.usage import figure_file, model_folder, one_of, patient_of, wrong_usage
    from leadlight.errors import ModelError
    from leadlight.explanation.explaining import check_method, find_method
    from leadlight.explanation.explanation import FORMATS
    from leadlight.explanation.many_files import FINDINGS
    from leadlight.figures.arrangement import LAYOUTS
    from leadlight.figures.relevance import STYLES
    from leadlight.files import find_recordings

    one_of(layout, LAYOUTS, "--layout")
    one_of(style, STYLES, "--style")
    one_of(longer, get_args(Longer), "--longer")
    with wrong_usage(ModelError, "--method"):
        chosen = find_method(method)
    settings = _settings(chosen, setting or [])
    single = (
        len(files) == 1 and not files[0].is_dir() and len(target or ()) < 2 and FINDINGS not in (target or ())
    )
    if single:
        if formats:
            raise typer.BadParameter(
                "of one explanation, the suffix of --out decides.", param_hint="--format"
            )
        path = figure_file(out, files[0], "-explained", FORMATS)
    else:
        path = out or Path("explanations")
        if path.suffix.lower() in FORMATS and path.suffix.lower() != ".html":
            raise typer.BadParameter(
                f"found {path.name}, a file, for several explanations; accepted: a folder, or a .html.",
                param_hint="--out",
            )
    suffixes = [f".{name.lower().lstrip('.')}" for name in formats or ["png"]]
    for suffix in suffixes:
        one_of(suffix.lstrip("."), [name.lstrip(".") for name in FORMATS], "--format")
    classifier = load(model_folder(model))
    with wrong_usage(ModelError, "--method"):
        check_method(classifier, chosen)
    targets = _targets(classifier, chosen, target or [])
    found = find_recordings(files)
    patient = patient_of(classifier.contract, age, sex)
    if patient is not None and len(found) > 1:
        raise typer.BadParameter(
            f"found {len(found):,} recordings; accepted: one, which is the patient's.",
            param_hint="--age, --sex",
        )
    shared: dict[str, Any] = {
        "longer": cast(Longer, longer),
        "fill_gaps": fill_gaps,
        "patient": patient,
        "style": style,
    }
    if single:
        explain_one(
            classifier, found[0], targets, chosen, settings, path, layout, title, as_json=as_json, **shared
        )
    else:
        explain_many(
            classifier, found, targets, chosen, settings, path, suffixes, layout, title, as_json=as_json,
            **shared,
        )  # fmt: skip


def _settings(method: Method, given: Sequence[str]) -> dict[str, Any]:
    """Settings from NAME=VALUE, checked; a usage error for what is not accepted."""
    from leadlight.cli.usage import wrong_usage
    from leadlight.errors import ModelError

    values = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise typer.BadParameter(f"found {one!r}; accepted: NAME=VALUE.", param_hint="--set")
        values[name.strip()] = value.strip()
    with wrong_usage(ModelError, "--set"):
        method.set(values)
    return values


def _targets(classifier: Classifier, method: Method, given: Sequence[str]) -> list[str]:
    """Codes of the targets; a usage error for an unknown one, and for none where one is needed."""
    from leadlight.cli.usage import wrong_usage
    from leadlight.errors import LabelError
    from leadlight.explanation.many_files import FINDINGS
    from leadlight.explanation.target import find_class

    if not given and method.class_dependent:
        codes = ", ".join(code for code, _ in classifier.classes)
        raise typer.BadParameter(
            f"found none; {method.name} explains one class; accepted: {FINDINGS}, {codes}.",
            param_hint="--target",
        )
    with wrong_usage(LabelError, "--target"):
        return [one if one == FINDINGS else find_class(classifier.classes, one) for one in given]
