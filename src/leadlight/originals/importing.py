"""From a published weight file to a model folder."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.errors import FileFormatError, ModelError, did_you_mean
from leadlight.originals.converting import Tensors, convert, convertible
from leadlight.originals.keras_files import is_keras, read_keras, refuse_damaged
from leadlight.originals.keras_names import keras_layers, original_tensors
from leadlight.originals.published import Published, published
from leadlight.originals.shapes import looks_like, looks_like_keras, n_classes_of, without_memory, wrong_shape
from leadlight.originals.stating import stated_classes, stated_leads, stated_preprocessing
from leadlight.originals.torch_files import read_torch, refuse_empty

if TYPE_CHECKING:
    from torch import Tensor, nn


_INPUT_KEYS = ("input.sampling_rate", "input.seconds")
_STATED_ELSEWHERE = {
    "arguments.name": "NAME",
    "arguments.n_classes": "the file",
    "arguments.n_leads": "--leads",
    "arguments.n_samples": "input.seconds and input.sampling_rate",
    "arguments.sampling_rate": "input.sampling_rate",
}


@dataclass(frozen=True)
class Imported:
    """A model folder that was made of a published file, and what was done, in words."""

    folder: Path
    notes: tuple[str, ...]


def import_weights(
    name: str,
    file: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    labels: str | None = None,
    classes: Sequence[str] | None = None,
    leads: Sequence[str] | None = None,
    mean: float | None = None,
    scale: float | None = None,
    licence: str = "",
    overrides: Sequence[str] = (),
) -> Imported:
    """Make a model folder of a published weight file.

    name: of the model; file: .h5, .weights.h5 or .keras (Keras), .pt or .pth (torch state dict);
    out: the folder to write. labels: a label space, or classes: codes, both in the order of the
    outputs; without them, the published task with as many classes. leads: of the input, in their
    order. mean, scale: of the training records, in mV, (signal - mean) / scale, in place of the
    published scaling. licence: of the weights. overrides: "arguments.KEY=VALUE",
    "input.sampling_rate=HZ", "input.seconds=S", where the weights are of another size than published.

    The published form of a network is taken where ours differs by default. Thresholds are 0.5.
    Raises ModelError for tensors that are not the model's and for what must be said and is not,
    FileFormatError for a file that cannot be read, ContractError for a folder that is in the way.
    """
    from leadlight import models
    from leadlight.classifier import contract_from, save_model

    name = importable(name)
    file = Path(file)
    known = published(name)
    given = _settings(name, overrides)
    tensors, notes = _read(name, file)
    state = _convert(name, tensors, file)
    n_classes = n_classes_of(state)
    space, described = stated_classes(name, known, n_classes, labels, classes)
    rows = stated_leads(known, leads)
    description = models.describe(name)
    rate = float(given.pop("input.sampling_rate", description.input.sampling_rate))
    seconds = given.pop("input.seconds", description.input.n_samples / description.input.sampling_rate)
    n_samples = round(float(seconds) * rate)
    arguments = {**known.arguments, **{key.partition(".")[2]: value for key, value in given.items()}}
    architecture = {
        "name": name, "n_classes": n_classes, "n_leads": len(rows), "n_samples": n_samples,
        "sampling_rate": rate, "arguments": arguments,
    }  # fmt: skip
    steps = stated_preprocessing(name, known, rows, rate, n_samples, mean, scale)
    module = _module(name, architecture, state, tensors, file)
    _check_metadata(name, known, module)
    digest = _sha256(file)
    contract = contract_from(
        {
            "name": Path(out).resolve().name,
            "architecture": architecture,
            "preprocessing": steps,
            "metadata": known.metadata,
            "label_space": space,
            "classes": described,
            "thresholds": {"values": [0.5] * n_classes, "rule": "fixed at 0.5"},
            "training_data": {
                "dataset": "published weights",
                "version": "",
                "title": f"Published weights, imported from {file.name} (sha256 {digest})",
                "counts": {},
            },
            "folds": {"training": [], "validation": []},
            "recipe": {
                "imported": {
                    "file": file.name,
                    "sha256": digest,
                    "form": _form(known, arguments),
                    "notes": notes,
                }
            },
            "seed": 0,
            "metrics": {"folds": [], "n_records": 0, "values": {}},
            "licence": licence or "unknown: ask whoever published the weights",
            "citations": [f"{description.paper}{f', doi:{description.doi}' if description.doi else ''}"],
            "limits": [
                "Imported: on which records the weights were fitted, and how, is not in their file.",
                "Thresholds are fixed at 0.5, fitted on nothing.",
                *known.limits,
            ],
        }
    )
    return Imported(save_model(out, module, contract), tuple(notes))


def importable(name: str) -> str:
    """The name of a model whose original's weights can be taken over. Raises ModelError with the nearest."""
    from leadlight import models

    name = models.describe(name).name
    if name not in convertible():
        raise ModelError(
            f"import-weights: found {name!r}, of which no original is known; accepted: "
            f"{', '.join(convertible())}."
        )
    return name


def _settings(name: str, overrides: Sequence[str]) -> dict[str, Any]:
    """Values of "key=value", as TOML has them; a bare word is taken as text."""
    given: dict[str, Any] = {}
    for override in overrides:
        key, equals, text = (part.strip() for part in override.partition("="))
        if not equals or not (key in _INPUT_KEYS or key.startswith("arguments.")):
            raise ModelError(
                f"--set: found {override!r}; accepted: arguments.KEY=VALUE, {', '.join(_INPUT_KEYS)}."
                f"{did_you_mean(key, _INPUT_KEYS)}"
            )
        if key in _STATED_ELSEWHERE:
            raise ModelError(f"--set {key}: it follows from {_STATED_ELSEWHERE[key]}; leave it out.")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in _INPUT_KEYS and not (is_number and 0 < value <= 100_000):
            raise ModelError(f"--set {key}: found {text!r}; accepted: a number above 0.")
        given[key] = value
    return given


def _read(name: str, file: Path) -> tuple[Tensors, list[str]]:
    """Tensors by the original's names, float32, and what was done to them."""
    if not file.is_file():
        raise ModelError(
            f"import-weights: found no file {file}; accepted: .h5, .weights.h5, .keras, .pt or .pth."
        )
    if not is_keras(file):
        refuse_damaged(file)
        try:
            tensors, notes = read_torch(file)
        except FileFormatError as error:
            # What is a torch file by its name has torch's own words for what is wrong with it.
            if name not in keras_layers() or file.suffix.lower() in (".pt", ".pth"):
                raise
            raise ModelError(
                f"{file}: found no Keras file; accepted: .h5, .hdf5, .weights.h5 or .keras, since the "
                f"original of {name} is a Keras model."
            ) from error
        refuse_empty(tensors, file)
        if name in keras_layers():
            raise ModelError(
                f"{file}: found a torch file; accepted: a Keras file, since the original of {name} is a "
                f"Keras model.{looks_like(name, tensors)}"
            )
        return tensors, notes
    layers = read_keras(file)
    if name not in keras_layers():
        raise ModelError(
            f"{file}: found a Keras file; accepted: a torch state dict, as the original of {name} has."
            f"{looks_like_keras(name, layers)}"
        )
    try:
        tensors = original_tensors(name, layers)
    except ModelError as error:
        raise ModelError(f"{file}: {error}{looks_like_keras(name, layers)}") from None
    return _single_precision(tensors, file)


def _single_precision(tensors: Tensors, file: Path) -> tuple[Tensors, list[str]]:
    import numpy as np

    cast = sorted({str(value.dtype) for value in tensors.values()} - {"float32"})
    result: Tensors = {}
    for name, value in tensors.items():
        with np.errstate(over="ignore"):  # becomes infinite, which is refused
            result[name] = np.ascontiguousarray(value, dtype=np.float32)
        if not np.isfinite(result[name]).all():
            raise ModelError(
                f"{file}, {name}: found values that are NaN or infinite; accepted: finite values."
            )
    return result, [f"{' and '.join(cast)} brought to float32"] if cast else []


def _convert(name: str, tensors: Tensors, file: Path) -> dict[str, Tensor]:
    try:
        return convert(name, tensors)
    except ModelError as error:
        raise ModelError(f"{file}: {error}{looks_like(name, tensors)}") from None


def _module(
    name: str, architecture: dict[str, Any], state: dict[str, Tensor], tensors: Tensors, file: Path
) -> nn.Module:
    """The network with these weights, whose every tensor has the shape that the network asks for."""
    module = without_memory(architecture)
    problem = wrong_shape(name, module, state, tensors)
    if problem:
        raise ModelError(
            f"{file}, {problem}, as {name} has it with these arguments. --set arguments.KEY=VALUE, "
            f"--set input.seconds=S and --leads change them.{looks_like(name, tensors)}"
        )
    module.load_state_dict(state, strict=True, assign=True)
    return module


def _check_metadata(name: str, known: Published, module: nn.Module) -> None:
    """Raise ModelError where the network reads other numbers beside the signal than are known."""
    wanted = 0 if known.metadata is None else len(known.metadata.columns)
    reads = int(getattr(module, "n_metadata", 0))
    if reads != wanted:
        raise ModelError(
            f"{name}: found a form that reads {reads} numbers beside the signal, and how they were scaled is "
            f"not in the file; accepted: the published form, which reads {wanted}."
        )


def _form(known: Published, arguments: dict[str, Any]) -> str:
    stated = ", ".join(f"{key} = {str(value).lower()}" for key, value in arguments.items())
    if arguments != known.arguments:
        return stated
    return f"published ({stated})" if stated else "published"


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
