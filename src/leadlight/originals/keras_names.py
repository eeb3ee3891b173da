"""From the layers of a Keras file to the names that the original's layers have in a fresh process.

Keras numbers layers by kind as they are made, from where the process has come to: the second
model's first convolution may be ``conv1d_41``. In ``data/keras_layers.csv`` stand the names of
a first model, in the order of the graph, which is another. Layers whose own numbers are known
are taken by those, within their kind; the others in the order of the graph.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib import resources

from leadlight.errors import ModelError
from leadlight.originals.converting import Tensors
from leadlight.originals.keras_files import Layer, path_kind, path_number

_WORDS = {
    "conv1d": "convolutions", "dense": "dense layers", "batch_normalization": "batch norms",
    "layer_normalization": "layer norms", "bidirectional": "bidirectional layers", "gru": "GRUs",
    "lstm": "LSTMs", "own": "other layers",
}  # fmt: skip


@cache
def keras_layers() -> dict[str, dict[str, tuple[str, ...]]]:
    """Model -> layer -> its tensors, in the order of the graph, of the originals that are Keras models."""
    text = (resources.files("leadlight.originals") / "data" / "keras_layers.csv").read_text(encoding="utf-8")
    layers: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in csv.DictReader(text.splitlines()):
        layers.setdefault(row["model"], {})[row["layer"]] = tuple(row["tensors"].split())
    return layers


def original_tensors(model: str, layers: Sequence[Layer]) -> Tensors:
    """The tensors of a file by the original's names. Raises ModelError for another model's."""
    wanted = keras_layers()[model]
    tensors: Tensors = {}
    kinds = [*dict.fromkeys([*map(path_kind, wanted), *(layer.kind for layer in layers)])]
    for kind in kinds:
        theirs = [name for name in wanted if path_kind(name) == kind]
        found = [layer for layer in layers if layer.kind == kind]
        if len(found) != len(theirs):
            shown = ", ".join(layer.name for layer in found[:3]) + (", ..." if len(found) > 3 else "")
            raise ModelError(
                f"{model}: found {len(found)} {_WORDS[kind]}{f' ({shown})' if found else ''}; "
                f"accepted: {len(theirs)}, as the published network has."
            )
        for name, layer in _pairs(kind, theirs, found):
            tensors |= _tensors(model, name, wanted[name], layer)
    return tensors


def _pairs(kind: str, theirs: list[str], found: list[Layer]) -> list[tuple[str, Layer]]:
    by_name = {layer.name: layer for layer in found}
    if kind == "own" and set(by_name) == set(theirs):
        return [(name, by_name[name]) for name in theirs]
    if kind != "own" and all(layer.number is not None for layer in found):
        theirs = sorted(theirs, key=path_number)
        found = sorted(found, key=lambda layer: layer.number or 0)
    return list(zip(theirs, found, strict=True))


def _tensors(model: str, name: str, parts: tuple[str, ...], layer: Layer) -> Tensors:
    """By name; arrays that the file only numbers, in their order."""
    wanted = {_short(part): part for part in parts}
    numbered = all(part.isdigit() for part in layer.tensors)
    if numbered and len(layer.tensors) == len(parts):
        return {f"{name}/{part}": value for part, value in zip(parts, layer.tensors.values(), strict=True)}
    if set(wanted) != set(layer.tensors):
        found = ", ".join(layer.tensors) or "nothing"
        raise ModelError(f"{model}, {layer.name}: found {found}; accepted: {', '.join(wanted)}.")
    return {f"{name}/{part}": layer.tensors[short] for short, part in wanted.items()}


def _short(part: str) -> str:
    """ "forward_lstm/lstm_cell/kernel" -> "forward/kernel"."""
    *before, last = part.split("/")
    for direction in ("forward", "backward"):
        if before and before[0].startswith(f"{direction}_"):
            return f"{direction}/{last}"
    return last
