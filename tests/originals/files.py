"""Weight files as Keras and torch write them, from tensors by the original's names."""

from __future__ import annotations

import io
import json
import re
import zipfile

import h5py
import numpy as np
import torch

CLASSES = {
    "conv1d": "Conv1D", "dense": "Dense", "batch_normalization": "BatchNormalization", "gru": "GRU",
    "layer_normalization": "LayerNormalization", "bidirectional": "Bidirectional",
}  # fmt: skip


def layers_of(tensors):
    """Layer -> part -> values, in the order of the tensors, which is that of the graph."""
    layers = {}
    for name, values in tensors.items():
        layer, _, part = name.partition("/")
        layers.setdefault(layer, {})[part] = values
    return layers


def kind_of(layer):
    match = re.fullmatch(r"(\w+?)(?:_(\d+))?", layer)
    return match[1] if match[1] in CLASSES else "own"


def later(layer, by):
    """The name of a layer in a process that has made ``by`` layers of its kind before."""
    kind = kind_of(layer)
    if kind == "own" or not by:
        return layer
    number = int(layer.removeprefix(kind).lstrip("_") or 0) + by
    return f"{kind}_{number}"


def legacy(path, tensors, *, whole=False, later_by=0, numbered_cells=False, colon=":0", parts=1, dtype=None):
    """.h5 as Keras 2 writes it: weights alone, or a whole model with its configuration."""
    layers = layers_of(tensors)
    with h5py.File(path, "w") as file:
        group = file
        if whole:
            file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": {}}).encode()
            file.attrs["keras_version"] = b"2.15.0"
            file.create_group("optimizer_weights").attrs["weight_names"] = [b"iteration:0"]
            group = file.create_group("model_weights")
        names = ["input_1", *(later(layer, later_by) for layer in layers), "activation"]
        if parts == 1:
            group.attrs["layer_names"] = [name.encode() for name in names]
        else:
            for number, some in enumerate(np.array_split(np.array([name.encode() for name in names]), parts)):
                group.attrs[f"layer_names{number}"] = some
        group.attrs["backend"] = b"tensorflow"
        for name in ("input_1", "activation", "top_level_model_weights"):
            group.create_group(name).attrs["weight_names"] = []
        for layer, values in layers.items():
            name = later(layer, later_by)
            of_layer = group.create_group(name)
            stated = []
            for part, value in values.items():
                if numbered_cells:
                    part = part.replace("lstm_cell/", "lstm_cell_7/").replace("gru_cell/", "gru_cell_3/")
                stated.append(f"{name}/{part}{colon}".encode())
                of_layer.create_dataset(stated[-1], data=value if dtype is None else value.astype(dtype))
            of_layer.attrs["weight_names"] = stated
    return path


def numbered(path, tensors, *, top="layers", names=False, later_by=0, windows=False):
    """.weights.h5 as Keras 3 writes it; names: with the layers' true names, as later versions do.

    windows: with the separator that Keras 2 took there, which HDF5 takes for a part of a name.
    """

    def under(*steps):
        return ("\\" if windows else "/").join(steps)

    counts = {}
    with h5py.File(path, "w") as file:
        file.create_group("vars")
        file.create_group("optimizer/vars").create_dataset("0", data=np.int64(7))
        # A dropout keeps the state of its random numbers.
        seeds = file.create_group(f"{top}/dropout/seed_generator/vars")
        seeds.create_dataset("0", data=np.array([1, 2], dtype=np.uint32))
        file.create_group(f"{top}/activation/vars")
        for layer, values in layers_of(tensors).items():
            kind = kind_of(layer)
            kind = "attention" if kind == "own" else kind
            count = counts[kind] = counts.get(kind, -1) + 1
            place = file.create_group(under(top, f"{kind}_{count}" if count else kind))
            own = place.create_group("vars")
            if names:
                own.attrs["name"] = later(layer, later_by)
            if kind == "gru":
                own = file.create_group(f"{under(place.name[1:], 'cell')}/vars")
            if kind == "bidirectional":
                for direction in ("forward", "backward"):
                    own = file.create_group(f"{under(place.name[1:], f'{direction}_layer', 'cell')}/vars")
                    arrays = [value for part, value in values.items() if part.startswith(direction)]
                    for number, value in enumerate(arrays):
                        own.create_dataset(str(number), data=value)
                continue
            for number, value in enumerate(values.values()):
                own.create_dataset(str(number), data=value)
    return path


def archive(path, tensors, *, later_by=0, config=None):
    """.keras as Keras 3 writes it, with the layers' names in the configuration."""
    stream = io.BytesIO()
    numbered(stream, tensors)
    layers = [
        {
            "class_name": CLASSES.get(kind_of(layer), "Own>Attention"),
            "config": {"name": later(layer, later_by)},
        }
        for layer in layers_of(tensors)
    ]
    dangerous = {"class_name": "Lambda", "config": {"name": "lambda", "function": ["never run", None, None]}}
    stated = {"class_name": "Functional", "config": {"name": "model", "layers": [*layers, dangerous]}}
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", json.dumps({"keras_version": "3.9.0"}))
        file.writestr("config.json", json.dumps(stated) if config is None else config)
        file.writestr("model.weights.h5", stream.getvalue())
    return path


def as_torch(tensors, dtype=torch.float32):
    """A state dict, with the counters that torch keeps beside running means."""
    state = {name: torch.from_numpy(value).to(dtype) for name, value in tensors.items()}
    counters = {
        name.replace("running_mean", "num_batches_tracked"): torch.tensor(7)
        for name in state if name.endswith("running_mean")
    }  # fmt: skip
    return state | counters


def torch_file(path, tensors, form="plain", dtype=torch.float32):
    """.pt or .pth in one of the forms in which people write them."""
    state = as_torch(tensors, dtype)
    content = {
        "plain": lambda: state,
        "fastai": lambda: {"model": state, "opt": {"state": [], "hypers": [{"lr": 0.01}]}},
        "checkpoint": lambda: {"epoch": 3, "state_dict": state, "best": 0.93},
        "parallel": lambda: {f"module.{name}": value for name, value in state.items()},
        "lightning": lambda: {
            "state_dict": {f"model.{name}": value for name, value in state.items()},
            "pytorch-lightning_version": "2.1.0",
            "hyper_parameters": {"lr": 0.1},
        },
        "old": lambda: state,
    }[form]()
    torch.save(content, path, _use_new_zipfile_serialization=form != "old")
    return path
