"""``leadlight models``: architectures, and the weights that come with Leadlight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leadlight.classifier import Contract
    from leadlight.models import ModelDescription


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="An architecture, a shipped model, a run or a model folder.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the architectures to train and the trained models that are shipped, or show one in detail.

    Example: leadlight models imle-net
    """
    from leadlight import models
    from leadlight.classifier import find_model_folder, read_contract, shipped
    from leadlight.cli.output import print_json, print_table
    from leadlight.errors import ModelError

    if name is not None:
        if models.is_known(name):
            described = models.describe(name)
            if as_json:
                print_json(_architecture(described) | {"about": described.about})
            else:
                _show(_architecture(described), as_json=False)
                typer.echo(described.about)
        else:
            try:
                contract = read_contract(find_model_folder(name))
            except ModelError as error:
                text = f"{error} Or an architecture: {', '.join(models.names())}."
                raise typer.BadParameter(text, param_hint="NAME") from None
            _show(contract.model_dump(mode="json") if as_json else _trained(contract), as_json=as_json)
        return
    architectures = [_architecture(models.describe(each)) for each in models.names()]
    trained = [
        {"name": each, **_trained_summary(read_contract(find_model_folder(each)))} for each in shipped()
    ]
    if as_json:
        print_json({"architectures": architectures, "shipped": trained})
        return
    short = ("name", "parameters", "trainable", "input", "attention", "paper")
    print_table(
        [{key: row[key] for key in short} for row in architectures],
        title="Architectures (leadlight train NAME)",
    )
    if trained:
        print_table(trained, title="Shipped models (leadlight predict NAME FILES...)")
    typer.echo("`leadlight models NAME` shows one in detail.")


def _show(values: dict[str, Any], *, as_json: bool) -> None:
    from leadlight.cli.output import print_json, print_table

    if as_json:
        print_json(values)
    else:
        print_table([{"": key, "value": value} for key, value in values.items()])


def _architecture(model: ModelDescription) -> dict[str, Any]:
    given = model.input
    return {
        "name": model.name,
        "aliases": ", ".join(model.aliases) or None,
        "summary": model.summary,
        "parameters": model.parameters,
        "trainable": model.trainable,
        "input": f"{given.n_leads} leads x {given.n_samples} samples at {given.sampling_rate:g} Hz",
        "classes": model.n_classes,
        "metadata": ", ".join(given.metadata) or None,
        "attention": ", ".join(model.attention) or None,
        "arguments": ", ".join(f"{key}={_as_toml(value)}" for key, value in model.arguments.items()) or None,
        "paper": model.paper,
        "doi": model.doi or None,
    }


def _as_toml(value: object) -> str:
    """As ``--set arguments.KEY=VALUE`` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _trained_summary(contract: Contract) -> dict[str, Any]:
    measured = next(
        ((name, value) for name, value in contract.metrics.values.items() if value is not None), None
    )
    validation = (
        None if measured is None else f"{measured[0]} {measured[1]:.4f} (n = {contract.metrics.n_records})"
    )
    return {
        "architecture": contract.architecture.name,
        "classes": " ".join(contract.codes) if len(contract.codes) <= 8 else f"{len(contract.codes)} classes",
        "trained on": " ".join(
            filter(None, (contract.training_data.dataset, contract.training_data.version))
        ),
        "validation": validation,
        "licence": contract.licence,
    }


def _trained(contract: Contract) -> dict[str, Any]:
    given = contract.input
    rows = {"name": contract.name, **_trained_summary(contract)}
    rows["input"] = (
        f"{len(given.leads)} leads x {given.n_samples} samples at {given.sampling_rate:g} Hz, {given.units}"
    )
    rows["leads"] = " ".join(given.leads)
    # The first sentence is about leads and rate.
    sentences = enumerate(contract.preprocessing.describe()[1:], 1)
    rows |= {f"preprocessing {number}": sentence for number, sentence in sentences}
    if contract.metadata is not None:
        rows["metadata"] = contract.metadata.describe()
    if contract.origin is not None:
        rows["began with"] = f"{contract.origin.name}, of {contract.origin.label_space}"
    rows["label space"] = f"{contract.label_space.name}, version {contract.label_space.version}"
    for item, threshold in zip(contract.classes, contract.thresholds.values, strict=True):
        rows[f"class {item.code}"] = f"{item.description} (threshold {threshold:.3f})"
    rows["thresholds"] = contract.thresholds.rule
    rows |= dict(contract.training_data.counts)
    rows |= {
        metric: None if value is None else f"{value:.4f}" for metric, value in contract.metrics.values.items()
    }
    rows |= {f"limit {number}": limit for number, limit in enumerate(contract.limits, 1)}
    rows |= {f"citation {number}": citation for number, citation in enumerate(contract.citations, 1)}
    return rows | {"created": contract.created.date().isoformat(), "weights sha256": contract.weights_sha256}
