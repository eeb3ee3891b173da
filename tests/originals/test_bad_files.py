"""Damaged and hostile files: refused in words, without running, reading or writing anything else."""

from __future__ import annotations

import os
import pickle
import re
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from leadlight.errors import FileFormatError, LeadlightError, ModelError
from leadlight.originals import import_weights
from leadlight.originals.keras_files import read_keras
from leadlight.originals.torch_files import read_torch

from .conftest import KERAS, SCALED
from .files import archive, legacy, numbered, torch_file


@pytest.fixture(scope="module")
def wang(drawn_weights):
    return drawn_weights("ptbxl/fcn_wang")


@pytest.fixture(scope="module")
def mousavi(drawn_weights):
    return drawn_weights(KERAS["mousavi"].manifest)


def refused(name, file, said):
    with pytest.raises(FileFormatError, match=said) as caught:
        import_weights(name, file, file.parent / "model", **SCALED)
    assert str(file) in str(caught.value)
    assert not (file.parent / "model").exists()


@pytest.mark.parametrize("form", ["plain", "old"])
@pytest.mark.parametrize("part", [0.0, 0.0001, 0.3, 0.999])
def test_a_torch_file_that_is_cut_short(form, part, tmp_path, wang):
    whole = torch_file(tmp_path / "w.pth", wang, form).read_bytes()
    (tmp_path / "w.pth").write_bytes(whole[: int(len(whole) * part)])
    refused("fcn-wang", tmp_path / "w.pth", r"accepted: a \.pt or \.pth file that is whole\. Copy the file")


@pytest.mark.parametrize(
    ("write", "ending", "whole"),
    [
        (legacy, ".h5", "an HDF5 file that is whole"),
        (numbered, ".weights.h5", "an HDF5 file that is whole"),
        (archive, ".keras", "a zip archive with model.weights.h5 that is whole"),
    ],
)
@pytest.mark.parametrize("part", [0.0, 0.0001, 0.3, 0.999])
def test_a_keras_file_that_is_cut_short(write, ending, whole, part, tmp_path, mousavi):
    file = write(tmp_path / f"w{ending}", mousavi)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * part)])
    refused("mousavi", file, rf"accepted: {re.escape(whole)}\. Copy")


@pytest.mark.parametrize("write", [legacy, numbered, archive, torch_file])
def test_bytes_that_changed_are_refused_or_change_nothing_but_values(write, tmp_path, mousavi, wang):
    name, weights = ("fcn-wang", wang) if write is torch_file else ("mousavi", mousavi)
    file = write(tmp_path / "w", weights)
    whole = bytearray(file.read_bytes())
    generator = np.random.default_rng(5)
    for _ in range(15):
        data = bytearray(whole)
        # Most of a file is values: the places that matter are at its ends.
        for place in generator.integers(0, 4000, 3):
            data[int(place) if generator.random() < 0.5 else -int(place) - 1] = generator.integers(256)
        file.write_bytes(data)
        try:
            import_weights(name, file, tmp_path / "model", **SCALED)
        except LeadlightError as error:
            assert str(file) in str(error)


class Program:
    """Runs when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return (os.mkdir, (str(self.trace),))


def test_a_pickle_is_not_run(tmp_path, wang):
    trace = tmp_path / "it-ran"
    file = tmp_path / "w.pt"
    for content in (Program(trace), {"state_dict": {"a": torch.ones(2)}, "hook": Program(trace)}):
        torch.save(content, file)
        refused("fcn-wang", file, r"found posix\.mkdir, which is more than tensors and plain values")
        file.write_bytes(pickle.dumps(content))
        refused("fcn-wang", file, r"which is more than tensors and plain values")
    assert not trace.exists()
    # It would run:
    pickle.loads(pickle.dumps(Program(trace)))
    assert trace.exists()


def test_a_whole_module_is_not_unpickled(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "w.pt")
    refused("fcn-wang", tmp_path / "w.pt", r"found torch\.nn\.modules\.linear\.Linear.*model\.state_dict\(\)")


def test_a_program_of_torchscript_is_not_run(tmp_path):
    file = tmp_path / "w.pt"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("w/data.pkl", b"\x80\x02}.")
        made.writestr("w/code/__torch__.py", "class Linear(Module): ...")
    refused("fcn-wang", file, "found a TorchScript program; accepted: a state dict")


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (torch.ones(1).expand(10**11), r"shape \(100000000000,\) over fewer stored values"),
        (torch.ones(4).to_sparse(), r"torch\.sparse_coo"),
        (torch.ones(4, device="meta"), r"on meta"),
        (torch.ones(4, dtype=torch.int64), r"int64"),
        (torch.ones(4, dtype=torch.complex64), r"complex64"),
    ],
)
def test_tensors_that_are_no_plain_numbers(tensor, said, tmp_path):
    torch.save({"weight": tensor}, tmp_path / "w.pt")
    with pytest.raises(FileFormatError, match=rf"weight: found .*{said}"):
        read_torch(tmp_path / "w.pt")


def test_a_torch_archive_that_unpacks_to_more_than_it_is(tmp_path, wang):
    stored, packed = torch_file(tmp_path / "w.pth", wang), tmp_path / "packed.pth"
    with zipfile.ZipFile(stored) as given, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            made.writestr(name, given.read(name))
    with pytest.raises(FileFormatError, match="accepted: members that are not packed"):
        read_torch(packed)


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "C:\\evil", "a/../../evil", "..\\evil"])
def test_an_archive_with_odd_paths(name, tmp_path, mousavi):
    file = archive(tmp_path / "m.keras", mousavi)
    with zipfile.ZipFile(file, "a") as made:
        made.writestr(name, "text")
    refused("mousavi", file, r"archive: found the member .*; accepted: members inside the archive")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.keras"]


def test_an_archive_that_unpacks_to_far_more(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("model.weights.h5", bytes(50_000_000))
    refused("mousavi", tmp_path / "m.keras", r"found 50,000,000 bytes packed into .*at most 16 times")


def test_an_archive_without_weights(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as made:
        made.writestr("config.json", "{}")
    refused("mousavi", tmp_path / "m.keras", r"not a zip archive with model\.weights\.h5")


def test_a_configuration_that_is_no_json(tmp_path, mousavi):
    refused("mousavi", archive(tmp_path / "m.keras", mousavi, config="[" * 100_000), r"config\.json")


def test_hdf5_of_something_else(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["tracings"] = np.ones((2, 3))
    refused("mousavi", tmp_path / "w.h5", r"found tracings; accepted: weights of a functional or sequential")


def one_layer(path, place):
    """.h5 with one array, which ``place(group, name)`` puts there."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv1d"]
        group = file.create_group("conv1d")
        group.attrs["weight_names"] = [b"conv1d/kernel:0"]
        place(group.create_group("conv1d"), "kernel:0")
    return path


def linked(kind):
    def place(group, name):
        group[name] = kind

    return place


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (linked(h5py.ExternalLink("/etc/passwd", "/x")), "an external link"),
        (linked(h5py.SoftLink("/conv1d")), "a soft link"),
        (
            lambda group, name: group.create_dataset(
                name, (4, 4), "f4", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)]
            ),
            "values lie in other files",
        ),
        (
            lambda group, name: group.create_dataset(name, (10**6, 10**6), "f4", chunks=(1, 1000)),
            r"shape \(1000000, 1000000\) with 0 bytes stored",
        ),
        (
            lambda group, name: group.create_dataset(
                name, data=np.zeros((4000, 4000), "f4"), compression="gzip", chunks=(1000, 1000)
            ),
            r"shape \(4000, 4000\) with [\d,]+ bytes stored",
        ),
        (
            lambda group, name: group.create_dataset(
                name, data=np.ones((2, 2), "f4"), maxshape=(None, None), chunks=(2000, 2000),
                compression="gzip",
            ),
            r"chunks of the shape \(2000, 2000\)",
        ),
        (lambda group, name: group.create_dataset(name, data=[b"text"]), "the type"),
        (lambda group, name: group.create_dataset(name, data=np.ones(3, np.int32)), "the type int32"),
        (lambda group, name: group.create_group(name), "a group or a type"),
        (lambda group, name: None, "no array"),
    ],
)  # fmt: skip
def test_arrays_that_are_not_plain_arrays_in_the_file(place, said, tmp_path):
    refused("mousavi", one_layer(tmp_path / "w.h5", place), rf"conv1d/conv1d/kernel:0: found .*{said}")


def test_virtual_arrays_are_not_followed(tmp_path):
    layout = h5py.VirtualLayout((4, 4), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (4, 4), "f4")
    file = one_layer(tmp_path / "w.h5", lambda group, name: group.create_virtual_dataset(name, layout))
    refused("mousavi", file, "values lie in other files")


def test_groups_that_hold_each_other(tmp_path):
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        inner = file.create_group("layers/conv1d")
        inner["conv1d"] = file["layers"]
    refused("mousavi", tmp_path / "w.weights.h5", "found groups in groups without end")


def test_names_that_claim_more_memory_than_the_file_holds(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["configuration"] = "x" * 1_000_000
        file.attrs["layer_names"] = ["conv1d"] * 3000
    said = r"found [\d,]+ texts that may each have [\d,]+ bytes; accepted: up to 2,147,483,648 bytes together"
    with pytest.raises(FileFormatError, match=said):
        read_keras(tmp_path / "w.h5")


def test_a_name_is_shown_in_part_and_without_what_a_terminal_obeys(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = ["\x1b[2J" + "a" * 5000]
    with pytest.raises(FileFormatError, match="found") as caught:
        read_keras(tmp_path / "w.h5")
    assert "\x1b" not in str(caught.value) and len(str(caught.value)) < 800


def test_what_is_neither_keras_nor_torch_is_told_what_its_original_is(tmp_path):
    """Whoever wants the weights of a Keras model is not sent for a torch file, nor the other way."""
    (tmp_path / "notes.txt").write_text("weights to come")
    with pytest.raises(ModelError, match=r"found no Keras file; accepted: \.h5, .*original of gru"):
        import_weights("gru", tmp_path / "notes.txt", tmp_path / "model")
    with pytest.raises(FileFormatError, match=r"accepted: a \.pt or \.pth file"):
        import_weights("fcn-wang", tmp_path / "notes.txt", tmp_path / "model")
