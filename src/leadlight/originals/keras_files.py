"""Keras weight files as lists of layers: .h5 of Keras 2, .weights.h5 and .keras of Keras 3.

Three layouts, as Keras' own writers make them (keras/src/legacy/saving/legacy_h5_format.py and
keras/src/saving/saving_lib.py in github.com/keras-team/keras, Apache-2.0):

- .h5, weights only: the root's attribute ``layer_names`` lists the layers in the order of the
  graph; each is a group whose ``weight_names`` lists its arrays ("conv1d/kernel:0"). A whole
  model has the same under ``model_weights``.
- .weights.h5: ``layers/KIND_n/vars/0``, numbered anew for each kind in the order of the graph,
  whatever the layers were called. Later versions keep the true name as the attribute ``name``
  of ``vars``. Keras 2.12 and 2.13 say ``_layer_checkpoint_dependencies`` for ``layers``.
- .keras: a zip archive with ``model.weights.h5``, and the true names in ``config.json``.

The order of the graph is not the order in which layers were made, by which Keras numbers their
names: ``keras_names`` brings the two together. A configuration is read as plain data; nothing
in it is made or run.
"""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadlight.errors import FileFormatError
from leadlight.originals.converting import Tensors
from leadlight.originals.hdf5 import LARGEST_BYTES, SIGNATURE, Hdf5

WEIGHTS_MEMBER = "model.weights.h5"
_CONFIG_MEMBER = "config.json"
_LARGEST_CONFIG_BYTES = 16 * 1024**2
_MOST_MEMBERS = 1000
_MOST_PACKED = 16

# What Keras stores of a layer, in this order, in files that number the arrays.
_PARTS = {
    "conv1d": ("kernel", "bias"),
    "dense": ("kernel", "bias"),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "layer_normalization": ("gamma", "beta"),
    "gru": ("kernel", "recurrent_kernel", "bias"),
    "lstm": ("kernel", "recurrent_kernel", "bias"),
    "bidirectional": ("kernel", "recurrent_kernel", "bias"),
}
KINDS = tuple(_PARTS)
_NAME = re.compile(rf"^({'|'.join(KINDS)})(?:_(\d+))?$")


@dataclass(frozen=True)
class Layer:
    """One layer of a file with its arrays, by the last word of their names ("forward/kernel" where of two).

    name: as stated, or the path where the file tells no name; kind: of ``KINDS``, or "own";
    number: in the name that Keras gave by itself, None for another name or where none is told.
    """

    name: str
    kind: str
    number: int | None
    tensors: Tensors


def is_keras(file: Path) -> bool:
    """Whether a file is one of Keras' by its content."""
    with file.open("rb") as opened:
        if opened.read(len(SIGNATURE)) == SIGNATURE:
            return True
    return zipfile.is_zipfile(file) and WEIGHTS_MEMBER in _members(file)


def refuse_damaged(file: Path) -> None:
    """Raise FileFormatError for what is no Keras file by its content, though one by its name."""
    wanted = {
        ".h5": "an HDF5 file", ".hdf5": "an HDF5 file", ".keras": f"a zip archive with {WEIGHTS_MEMBER}",
    }.get(file.suffix.lower())  # fmt: skip
    if wanted is not None:
        size = f"{file.stat().st_size:,} bytes that are not {wanted}"
        raise FileFormatError(file, "file", size, f"{wanted} that is whole", "Copy it again from its source.")


def read_keras(file: Path) -> list[Layer]:
    """Layers with weights, in the order of the graph. Raises FileFormatError."""
    if file.stat().st_size > LARGEST_BYTES:
        raise FileFormatError(file, "size", f"{file.stat().st_size:,} bytes", f"up to {LARGEST_BYTES:,}")
    with file.open("rb") as opened:
        is_hdf5 = opened.read(len(SIGNATURE)) == SIGNATURE
    if is_hdf5:
        with Hdf5(str(file), file) as stored:
            return _layers(stored)
    weights, config = _unpack(file)
    with Hdf5(f"{file}, {WEIGHTS_MEMBER}", weights) as stored:
        return _named(_layers(stored), _names_in(config, file))


def _layers(stored: Hdf5) -> list[Layer]:
    whole = stored.member(stored.root, "model_weights")
    top = stored.root if whole is None else whole
    names = stored.names(top, "layer_names")
    if names is not None:
        found = [_legacy_layer(stored, top, name) for name in names]
        return [layer for layer in found if layer.tensors]
    # Keras 2 on Windows writes the groups "layers\\conv1d" side by side in place of one in another.
    groups = [(path.replace("\\", "/"), values) for path, values in stored.groups(stored.root, "vars")]
    for place in ("layers/", "_layer_checkpoint_dependencies/"):
        inside = [(path.removeprefix(place), values) for path, values in groups if path.startswith(place)]
        if inside:
            return _numbered_layers(stored, inside)
    raise stored.error(
        "layers",
        f"{', '.join(stored.members(stored.root)[:5]) or 'nothing'}",
        "weights of a functional or sequential Keras model (layer_names, or layers/)",
    )


def _legacy_layer(stored: Hdf5, top: Any, name: str) -> Layer:
    group = stored.member(top, name)
    if group is None:
        raise stored.error(
            f"{top.name}, layer_names", f"{name}, which has no group", "a group for each layer"
        )
    tensors: Tensors = {}
    for stated in stored.names(group, "weight_names") or []:
        part = _part(stated)
        if part in tensors:
            raise stored.error(f"{group.name}, weight_names", f"{part} twice", "each array once")
        tensors[part] = stored.array(group, stated)
    match = _NAME.match(name)
    kind = _kind_of(tensors) if match is None else match[1]
    return Layer(name, kind, None if match is None else int(match[2] or 0), tensors)


def _part(stated: str) -> str:
    """ "bidirectional/forward_lstm/lstm_cell_1/kernel:0" -> "forward/kernel"."""
    *before, last = stated.partition(":")[0].split("/")
    for direction in ("forward", "backward"):
        if any(step.startswith(f"{direction}_") for step in before):
            return f"{direction}/{last}"
    return last


def _kind_of(tensors: Tensors) -> str:
    """The kind of a layer that somebody named: by what it holds."""
    parts = set(tensors)
    if parts in ({"kernel"}, {"kernel", "bias"}):
        return {3: "conv1d", 2: "dense"}.get(tensors["kernel"].ndim, "own")
    by_parts = {frozenset(names): kind for kind, names in _PARTS.items() if kind.endswith("normalization")}
    if any(part.startswith("forward/") for part in parts):
        return "bidirectional"
    return by_parts.get(frozenset(parts), "own")


def _numbered_layers(stored: Hdf5, groups: list[tuple[str, Any]]) -> list[Layer]:
    found: dict[str, Tensors] = {}
    names: dict[str, str | None] = {}
    for path, values in groups:
        layer, _, inside = path.partition("/")
        if not layer or "seed_generator" in path:  # the state of a dropout's random numbers
            continue
        kind = path_kind(layer)
        parts = _PARTS.get(kind, ())
        direction = next((f"{one}/" for one in ("forward", "backward") if inside.startswith(f"{one}_")), "")
        if not inside:
            names[layer] = stored.text(values, "name")
        for number in sorted(stored.members(values), key=_as_number):
            at = _as_number(number)
            part = parts[at] if at < len(parts) else str(at)
            place = f"{direction}{part}"
            if place in found.setdefault(layer, {}):
                raise stored.error(values.name, f"{place} of {layer} twice", "each array once")
            found[layer][place] = stored.array(values, number)
    ordered = sorted(found, key=lambda layer: (path_kind(layer), path_number(layer)))
    return [_named_as(Layer(path, path_kind(path), None, found[path]), names.get(path)) for path in ordered]


def path_kind(path: str) -> str:
    """The kind of layer that a name or path of Keras' own begins with; "own" for any other."""
    match = _NAME.match(path)
    return "own" if match is None else match[1]


def path_number(path: str) -> int:
    """The number at the end of a name or path, 0 without one."""
    end = path.rpartition("_")[2]
    return int(end) if end.isdigit() else 0


def _as_number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 6 else 10**6


def _named_as(layer: Layer, name: str | None) -> Layer:
    """With its true name, where the file tells it."""
    match = None if name is None else _NAME.match(name)
    if name is None or (match is not None and match[1] != layer.kind):
        return layer
    return replace(layer, name=name, number=None if match is None else int(match[2] or 0))


def _named(layers: list[Layer], names: dict[str, list[str]]) -> list[Layer]:
    """With the true names of a configuration, kind by kind in the order of the graph."""
    result = []
    counts: dict[str, int] = {}
    for layer in layers:
        of_kind = names.get(layer.kind, [])
        at = counts[layer.kind] = counts.get(layer.kind, -1) + 1
        n_layers = sum(other.kind == layer.kind for other in layers)
        result.append(
            _named_as(layer, of_kind[at])
            if layer.number is None and layer.kind != "own" and len(of_kind) == n_layers
            else layer
        )
    return result


def _names_in(config: bytes, file: Path) -> dict[str, list[str]]:
    """Names of the layers of each kind, in the order of the graph; empty where it tells none."""
    if not config:
        return {}
    try:
        layers = json.loads(config)["config"]["layers"]
        stated = [(str(one["class_name"]), str(one["config"]["name"])) for one in layers]
    except (ValueError, RecursionError):
        raise FileFormatError(file, _CONFIG_MEMBER, "text that is not JSON", "JSON") from None
    except (KeyError, TypeError):
        return {}
    kinds = {kind.replace("_", ""): kind for kind in KINDS}
    names: dict[str, list[str]] = {}
    for class_name, name in stated:
        names.setdefault(kinds.get(class_name.lower(), "own"), []).append(name)
    return names


def _members(file: Path) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return [one.filename for one in archive.infolist()[:_MOST_MEMBERS]]
    except (zipfile.BadZipFile, OSError, ValueError):
        return []


def _unpack(file: Path) -> tuple[bytes, bytes]:
    """The weights and the configuration in a .keras archive; nothing is written to a disk."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                raise FileFormatError(
                    file, "archive", f"{len(members):,} members", f"at most {_MOST_MEMBERS:,}"
                )
            for one in members:
                name = one.filename.replace("\\", "/")
                if name.startswith("/") or ".." in name.split("/") or ":" in name:
                    raise FileFormatError(
                        file, "archive", f"the member {one.filename!r}", "members inside the archive",
                        "Keras writes no such file: take it again from its source.",
                    )  # fmt: skip
            weights = _member(archive, file, WEIGHTS_MEMBER, LARGEST_BYTES)
            config = (
                _member(archive, file, _CONFIG_MEMBER, _LARGEST_CONFIG_BYTES)
                if any(one.filename == _CONFIG_MEMBER for one in members)
                else b""
            )
    except FileFormatError:
        raise
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise FileFormatError(
            file,
            "archive",
            f"damage ({said})",
            "a .keras file that is whole",
            "Copy it again from its source.",
        ) from error
    except Exception as error:  # zlib.error, and what lzma and bz2 say
        raise FileFormatError(
            file, "archive", f"damage ({type(error).__name__})", "a .keras file that is whole",
            "Copy it again from its source.",
        ) from error  # fmt: skip
    return weights, config


def _member(archive: zipfile.ZipFile, file: Path, name: str, largest: int) -> bytes:
    found = [one for one in archive.infolist() if one.filename == name]
    if len(found) != 1:
        raise FileFormatError(file, "archive", f"{len(found)} members {name}", "one")
    size, packed = found[0].file_size, found[0].compress_size
    if size > largest or size > packed * _MOST_PACKED + 1024**2:
        raise FileFormatError(
            file, f"archive, {name}", f"{size:,} bytes packed into {packed:,}",
            f"up to {largest:,} bytes, packed at most {_MOST_PACKED} times",
        )  # fmt: skip
    with archive.open(found[0]) as opened:
        data = opened.read(size + 1)
    if len(data) != size:
        raise FileFormatError(
            file, f"archive, {name}", f"{len(data):,} bytes or more", f"{size:,}, as stated"
        )
    return data
