"""Files as people have them: other spellings, prefixes, number types, orders; and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import leadlight as ll
from leadlight.errors import FileFormatError, ModelError
from leadlight.originals import import_weights
from leadlight.originals.keras_files import read_keras
from leadlight.originals.keras_names import keras_layers, original_tensors
from leadlight.originals.torch_files import read_torch

from .conftest import KERAS, SCALED
from .files import archive, as_torch, legacy, numbered, torch_file


@pytest.fixture(scope="module")
def imle(drawn_weights):
    return drawn_weights(KERAS["imle-net"].manifest)


@pytest.fixture(scope="module")
def ribeiro(drawn_weights):
    return drawn_weights(KERAS["ribeiro"].manifest)


@pytest.fixture(scope="module")
def wang(drawn_weights):
    return drawn_weights("ptbxl/fcn_wang")


def same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("name", KERAS)
def test_the_table_of_layers_is_that_of_the_originals(name, drawn_weights):
    found = [f"{layer}/{part}" for layer, parts in keras_layers()[name].items() for part in parts]
    assert found == list(drawn_weights(KERAS[name].manifest))


@pytest.mark.parametrize(
    ("write", "options"),
    [
        (legacy, {}),
        (legacy, {"colon": ""}),
        (legacy, {"later_by": 1}),
        (legacy, {"later_by": 97}),
        (legacy, {"parts": 3}),
        (legacy, {"numbered_cells": True}),
        (numbered, {}),
        (numbered, {"top": "_layer_checkpoint_dependencies"}),
        (numbered, {"top": "_layer_checkpoint_dependencies", "windows": True}),
        (numbered, {"names": True}),
        (numbered, {"names": True, "later_by": 8}),
        (archive, {}),
        (archive, {"later_by": 97}),
        (archive, {"config": "{}"}),
    ],
)
@pytest.mark.parametrize("name", ["imle-net", "ribeiro", "conv-bilstm-attention"])
def test_every_layout_gives_the_originals_names(name, write, options, tmp_path, drawn_weights):
    drawn = drawn_weights(KERAS[name].manifest)
    same(original_tensors(name, read_keras(write(tmp_path / "weights", drawn, **options))), drawn)


def test_the_order_of_the_graph_is_not_the_order_of_the_names(tmp_path, ribeiro):
    # The second convolution of the graph is the third that was made: its shortcut came before it.
    layers = read_keras(numbered(tmp_path / "w.weights.h5", ribeiro))
    second = next(layer for layer in layers if layer.name == "conv1d_1")
    np.testing.assert_array_equal(second.tensors["kernel"], ribeiro["conv1d_2/kernel"])


def test_layers_that_somebody_named_are_known_by_what_they_hold(tmp_path, ribeiro):
    renamed = {name.replace("dense/", "diagnosis/"): value for name, value in ribeiro.items()}
    same(original_tensors("ribeiro", read_keras(legacy(tmp_path / "w.h5", renamed))), ribeiro)


@pytest.mark.parametrize("form", ["plain", "fastai", "checkpoint", "parallel", "lightning", "old"])
def test_every_form_of_a_state_dict(form, tmp_path, wang):
    tensors, notes = read_torch(torch_file(tmp_path / "w.pth", wang, form))
    same(tensors, wang)
    said = {
        "plain": [], "old": [], "fastai": ["taken from 'model' in the file"],
        "checkpoint": ["taken from 'state_dict' in the file"],
        "parallel": ["prefix 'module.' taken off all names"],
        "lightning": ["taken from 'state_dict' in the file", "prefix 'model.' taken off all names"],
    }  # fmt: skip
    assert notes == said[form]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.bfloat16])
def test_other_numbers_become_single_precision_and_that_is_said(dtype, tmp_path, wang):
    tensors, notes = read_torch(torch_file(tmp_path / "w.pth", wang, dtype=dtype))
    assert notes == [f"{str(dtype).removeprefix('torch.')} brought to float32"]
    expected = torch.from_numpy(wang["3.8.weight"]).to(dtype).float()
    np.testing.assert_array_equal(tensors["3.8.weight"], expected)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_numbers_of_keras(dtype, tmp_path, imle):
    imported = import_weights(
        "imle-net", legacy(tmp_path / "w.h5", imle, dtype=dtype), tmp_path / "model", **SCALED
    )
    assert imported.notes == (f"{dtype} brought to float32",)
    weights = ll.load(imported.folder).module.state_dict()["head.weight"]
    np.testing.assert_array_equal(weights, imle["dense/kernel"].astype(dtype).astype(np.float32).T)


def test_the_branches_that_a_checkpoint_has_twice(tmp_path, drawn_weights, answers):
    drawn = drawn_weights("ptbxl/xresnet1d18")
    twice = drawn | {
        name.replace(".convs.", ".convpath.0."): value for name, value in drawn.items() if ".convs." in name
    }
    assert len(twice) > len(drawn)
    file = torch_file(tmp_path / "w.pth", twice, "fastai")
    answers("xresnet1d18", import_weights("xresnet1d18", file, tmp_path / "model", **SCALED).folder)


def test_a_tensor_too_few_is_named(tmp_path, wang):
    less = {name: value for name, value in wang.items() if name != "1.0.1.bias"}
    with pytest.raises(ModelError, match=r"w\.pth: fcn-wang: found no tensor '1\.0\.1\.bias'"):
        import_weights("fcn-wang", torch_file(tmp_path / "w.pth", less), tmp_path / "model", **SCALED)
    assert not (tmp_path / "model").exists()


def test_a_tensor_too_many_is_named(tmp_path, wang):
    more = wang | {"4.weight": np.ones((2, 2), np.float32)}
    with pytest.raises(ModelError, match=r"found 1 tensors that .* not have \(4\.weight\)"):
        import_weights("fcn-wang", torch_file(tmp_path / "w.pth", more), tmp_path / "model", **SCALED)


def test_a_layer_too_few_is_counted(tmp_path, imle):
    less = {name: value for name, value in imle.items() if not name.startswith("conv1d_9/")}
    with pytest.raises(ModelError, match=r"imle-net: found 14 convolutions .*; accepted: 15"):
        import_weights("imle-net", legacy(tmp_path / "w.h5", less), tmp_path / "model", **SCALED)


def test_a_layer_without_its_bias_is_named(tmp_path, imle):
    less = {name: value for name, value in imle.items() if name != "conv1d_9/bias"}
    with pytest.raises(ModelError, match=r"conv1d_9: found kernel; accepted: kernel, bias"):
        import_weights("imle-net", legacy(tmp_path / "w.h5", less), tmp_path / "model", **SCALED)


def test_a_wrong_shape_is_named_as_the_file_has_it(tmp_path, imle):
    wrong = imle | {"conv1d_3/kernel": np.zeros((9, 32, 32), np.float32)}
    said = r"conv1d_3/kernel: found the shape \[9, 32, 32\]; accepted: \[8, 32, 32\]"
    with pytest.raises(ModelError, match=said):
        import_weights("imle-net", legacy(tmp_path / "w.h5", wrong), tmp_path / "model", **SCALED)
    wrong = imle | {"conv1d_3/kernel": np.zeros((9, 32), np.float32)}
    with pytest.raises(ModelError, match=r"conv1d_3/kernel: found the shape \(9, 32\)"):
        import_weights("imle-net", legacy(tmp_path / "w.h5", wrong), tmp_path / "model", **SCALED)


def test_a_wrong_shape_of_torch(tmp_path, wang):
    wrong = wang | {"1.0.0.weight": np.zeros((256, 128, 6), np.float32)}
    with pytest.raises(
        ModelError, match=r"1\.0\.0\.weight: found the shape \[256, 128, 6\]; accepted: \[256, 128, 5\]"
    ):
        import_weights("fcn-wang", torch_file(tmp_path / "w.pth", wrong), tmp_path / "model", **SCALED)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_named(value, tmp_path, wang, imle):
    bad = wang["3.8.bias"].copy()
    bad[3] = value
    with pytest.raises(FileFormatError, match=r"3\.8\.bias: found values that are NaN or infinite"):
        read_torch(torch_file(tmp_path / "w.pth", wang | {"3.8.bias": bad}))
    bad = imle["dense/bias"].copy()
    bad[3] = value
    with pytest.raises(ModelError, match=r"dense/bias: found values that are NaN or infinite"):
        file = legacy(tmp_path / "w.h5", imle | {"dense/bias": bad})
        import_weights("imle-net", file, tmp_path / "model", **SCALED)


@pytest.mark.parametrize(
    ("asked", "given", "suggested"),
    [
        ("resnet1d-wang", "ptbxl/fcn_wang", "fcn-wang"),
        ("lstm", "ptbxl/lstm_bidir", "lstm-bidir"),
        ("lstm-bidir", "ptbxl/lstm", "lstm"),
        ("xresnet1d34", "ptbxl/xresnet1d18", "xresnet1d18"),
        ("nejedly", "challenge/nejedly_no_attention", "nejedly-no-attention"),
        ("imle-net", "ptbxl/fcn_wang", "fcn-wang"),
    ],
)
def test_another_models_torch_file_is_recognised(asked, given, suggested, tmp_path, drawn_weights):
    file = torch_file(tmp_path / "w.pth", drawn_weights(given))
    with pytest.raises(ModelError, match=f"These are the tensors of {suggested}\\."):
        import_weights(asked, file, tmp_path / "model", **SCALED)


@pytest.mark.parametrize(
    ("asked", "given"), [("imle-net", "mousavi"), ("cnn", "gru"), ("fcn-wang", "ribeiro")]
)
@pytest.mark.parametrize("write", [legacy, numbered])
def test_another_models_keras_file_is_recognised(asked, given, write, tmp_path, drawn_weights):
    file = write(tmp_path / "w.h5", drawn_weights(KERAS[given].manifest))
    with pytest.raises(ModelError, match=f"These are the layers of {given}\\."):
        import_weights(asked, file, tmp_path / "model", **SCALED)


def test_what_a_state_dict_is_wrapped_in_else(tmp_path, wang):
    torch.save({"generator": as_torch(wang), "epoch": 3}, tmp_path / "w.pt")
    with pytest.raises(FileFormatError, match=r"found generator, epoch; accepted: a state dict"):
        read_torch(tmp_path / "w.pt")
    torch.save([1, 2], tmp_path / "w.pt")
    with pytest.raises(FileFormatError, match=r"found list; accepted: a state dict"):
        read_torch(tmp_path / "w.pt")
    torch.save({}, tmp_path / "w.pt")
    with pytest.raises(FileFormatError, match=r"found nothing"):
        read_torch(tmp_path / "w.pt")
