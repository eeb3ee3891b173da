"""The model folder: written whole, read without running anything, refused when anything is off."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from leadlight import models
from leadlight.classifier import contract_from, folder, load, read_contract, save_model, shipped
from leadlight.classifier.weights import module_with_weights
from leadlight.errors import ContractError, ModelError, RunError
from leadlight.models import registry


def seal(model_folder: Path) -> None:
    """Put the checksum of the weights as they are now into the contract, as a forger would."""
    path = model_folder / "contract.json"
    document = json.loads(path.read_text())
    document["weights_sha256"] = hashlib.sha256((model_folder / "model.safetensors").read_bytes()).hexdigest()
    path.write_text(json.dumps(document))


def rewrite(model_folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(model_folder / "model.safetensors")
    change(tensors)
    save_file(tensors, model_folder / "model.safetensors")
    seal(model_folder)


def edit_contract(model_folder: Path, **arguments: object) -> None:
    path = model_folder / "contract.json"
    document = json.loads(path.read_text())
    document["architecture"]["arguments"] |= arguments
    path.write_text(json.dumps(document))


class TestSaving:
    def test_three_files_and_nothing_else(self, model_folder: Path) -> None:
        assert sorted(path.name for path in model_folder.iterdir()) == [
            "MODEL_CARD.md", "contract.json", "model.safetensors",
        ]  # fmt: skip
        assert [path.name for path in model_folder.parent.iterdir()] == ["small"]

    def test_all_state_comes_back_to_the_bit(self, model_folder: Path, small_module: nn.Module) -> None:
        saved, loaded = small_module.state_dict(), load(model_folder, "cpu").module.state_dict()
        assert list(saved) == list(loaded)
        assert all(torch.equal(saved[name], loaded[name]) for name in saved)
        # Running statistics and batch counters are part of it.
        assert int(loaded["encoder.blocks.0.first_norm.num_batches_tracked"]) == 1
        assert float(loaded["encoder.blocks.0.first_norm.running_var"].std()) > 0

    def test_the_checksum_is_that_of_the_file(self, model_folder: Path) -> None:
        found = hashlib.sha256((model_folder / "model.safetensors").read_bytes()).hexdigest()
        assert read_contract(model_folder).weights_sha256 == found

    def test_a_loaded_model_saves_to_the_same_files(self, model_folder: Path, tmp_path: Path) -> None:
        again = load(model_folder).save(tmp_path / "again")
        for name in ("model.safetensors", "contract.json", "MODEL_CARD.md"):
            assert (again / name).read_bytes() == (model_folder / name).read_bytes()

    def test_the_module_that_is_saved_stays_in_training(
        self, tmp_path: Path, fields: dict[str, Any], small_module: nn.Module
    ) -> None:
        save_model(tmp_path / "model", small_module, fields)
        assert small_module.training
        assert all(parameter.requires_grad for parameter in small_module.parameters())

    def test_memory_layout_and_tied_tensors_do_not_matter(
        self, tmp_path: Path, fields: dict[str, Any], small_module: nn.Module
    ) -> None:
        pooling = small_module.get_submodule("rhythm_attention")
        pooling.weight = nn.Parameter(pooling.weight.detach().T.contiguous().T)  # type: ignore[arg-type]
        small_module.get_submodule("channel_attention").weight = pooling.weight
        loaded = load(save_model(tmp_path / "model", small_module, fields)).module.state_dict()
        assert torch.equal(loaded["channel_attention.weight"], pooling.weight)  # type: ignore[arg-type]

    def test_an_older_model_folder_is_replaced(
        self, model_folder: Path, fields: dict[str, Any], small_module: nn.Module
    ) -> None:
        save_model(model_folder, small_module, {**fields, "name": "newer"})
        assert read_contract(model_folder).name == "newer"
        assert [path.name for path in model_folder.parent.iterdir()] == ["small"]

    def test_a_failed_save_leaves_the_older_folder_whole(
        self,
        model_folder: Path,
        fields: dict[str, Any],
        small_module: nn.Module,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def disk_full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", disk_full)
        with pytest.raises(OSError, match="No space left"):
            save_model(model_folder, small_module, {**fields, "name": "newer"})
        monkeypatch.undo()
        assert load(model_folder).contract.name == "small"
        assert [path.name for path in model_folder.parent.iterdir()] == ["small"]

    def test_a_folder_with_other_things_is_not_replaced(
        self, tmp_path: Path, fields: dict[str, Any], small_module: nn.Module
    ) -> None:
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(ContractError, match="something else than a model folder"):
            save_model(tmp_path, small_module, fields)
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]

    def test_a_link_to_a_model_folder_is_followed(
        self, model_folder: Path, fields: dict[str, Any], small_module: nn.Module, tmp_path: Path
    ) -> None:
        (tmp_path / "link").symlink_to(model_folder)
        assert save_model(tmp_path / "link", small_module, {**fields, "name": "newer"}) == tmp_path / "link"
        assert (tmp_path / "link").is_symlink()
        assert read_contract(model_folder).name == "newer"

    def test_the_current_directory_can_be_named_by_a_dot(
        self,
        tmp_path: Path,
        fields: dict[str, Any],
        small_module: nn.Module,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        save_model(".", small_module, fields)
        assert read_contract(tmp_path / "here").name == "small"

    def test_weights_that_diverged_are_not_saved(
        self, tmp_path: Path, fields: dict[str, Any], small_module: nn.Module
    ) -> None:
        with torch.no_grad():
            next(small_module.parameters()).fill_(float("inf"))
        with pytest.raises(ContractError, match="NaN or infinite"):
            save_model(tmp_path / "model", small_module, fields)

    def test_a_module_that_is_not_the_contract_s_is_refused(
        self, tmp_path: Path, fields: dict[str, Any], small_module: nn.Module
    ) -> None:
        small_module.reset_head(4)  # type: ignore[operator]
        with pytest.raises(
            ContractError, match=r"head.weight: found float32 \[4, 8\]; accepted: float32 \[3, 8\]"
        ):
            save_model(tmp_path / "model", small_module, fields)
        assert not list(tmp_path.iterdir())


class TestLoading:
    def test_it_gives_a_module_in_evaluation_mode(self, model_folder: Path) -> None:
        module = load(model_folder).module
        assert not any(part.training for part in module.modules())
        assert not any(parameter.requires_grad for parameter in module.parameters())

    def test_it_leaves_the_random_generator_alone(self, model_folder: Path) -> None:
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        load(model_folder)
        assert torch.equal(torch.rand(3), expected)

    def test_a_run_folder_stands_for_its_model(self, model_folder: Path, tmp_path: Path) -> None:
        (tmp_path / "run").mkdir()
        shutil.copytree(model_folder, tmp_path / "run" / "model")
        assert load(tmp_path / "run").contract == load(str(model_folder)).contract

    def test_a_run_without_a_model_yet_says_how_to_go_on(self, tmp_path: Path) -> None:
        (tmp_path / "recipe.toml").touch()
        with pytest.raises(RunError, match="leadlight train --resume"):
            load(tmp_path)

    def test_an_unknown_name_lists_the_shipped_ones_with_the_nearest(
        self, model_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folder, "_SHIPPED", model_folder.parent)
        with pytest.raises(ModelError, match=r"found 'smal'.*\(small\).* Did you mean 'small'"):
            load("smal")

    def test_a_shipped_name_loads_from_anywhere(
        self, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folder, "_SHIPPED", model_folder.parent)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)
        assert shipped() == ("small",)
        assert load("small").contract.name == "small"

    def test_without_shipped_models_the_list_is_empty(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folder, "_SHIPPED", tmp_path / "absent")
        assert shipped() == ()
        with pytest.raises(ModelError, match="none is installed"):
            load("imle-net-ptbxl-superclass")

    def test_a_file_instead_of_a_folder_is_refused(self, model_folder: Path) -> None:
        with pytest.raises(ModelError, match="found the file"):
            load(model_folder / "model.safetensors")

    def test_an_unusable_device_is_named(self, model_folder: Path) -> None:
        with pytest.raises(ModelError, match="device: found 'abacus'"):
            load(model_folder, device="abacus")

    @pytest.mark.parametrize("name", shipped())
    def test_every_shipped_model_loads_and_agrees_with_its_name(self, name: str) -> None:
        assert load(name, "cpu").contract.name == name


class TestRefusing:
    def test_weights_of_which_one_bit_changed(self, model_folder: Path) -> None:
        path = model_folder / "model.safetensors"
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        with pytest.raises(ContractError, match="sha256"):
            load(model_folder)

    @pytest.mark.parametrize("n_bytes", [0, 4, 100, -1])
    def test_weights_that_are_cut_short(self, model_folder: Path, n_bytes: int) -> None:
        path = model_folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:n_bytes])
        with pytest.raises(ContractError, match=r"model.safetensors"):
            load(model_folder)

    def test_something_behind_the_end_of_the_weights(self, model_folder: Path) -> None:
        with (model_folder / "model.safetensors").open("ab") as file:
            file.write(b"more")
        seal(model_folder)
        with pytest.raises(ContractError, match="behind its end"):
            load(model_folder)

    @pytest.mark.parametrize("name", ["model.safetensors", "contract.json"])
    def test_a_missing_file(self, model_folder: Path, name: str) -> None:
        (model_folder / name).unlink()
        with pytest.raises(ContractError, match=f"found no {name}"):
            load(model_folder)

    def test_a_contract_without_a_checksum(self, model_folder: Path, fields: dict[str, Any]) -> None:
        (model_folder / "contract.json").write_text(contract_from(fields).to_json())
        with pytest.raises(ContractError, match="weights_sha256: found nothing"):
            load(model_folder)

    def test_a_missing_tensor_by_name(self, model_folder: Path) -> None:
        rewrite(model_folder, lambda tensors: tensors.pop("head.bias"))
        with pytest.raises(ContractError, match=r"found no tensor head.bias"):
            load(model_folder)

    def test_an_extra_tensor_by_name(self, model_folder: Path) -> None:
        rewrite(model_folder, lambda tensors: tensors.update(tail=torch.zeros(3)))
        with pytest.raises(ContractError, match="found the tensor tail"):
            load(model_folder)

    def test_a_tensor_of_another_shape_by_name(self, model_folder: Path) -> None:
        rewrite(model_folder, lambda tensors: tensors.update({"head.bias": torch.zeros(4)}))
        with pytest.raises(ContractError, match=r"head.bias: found float32 \[4\]; accepted: float32 \[3\]"):
            load(model_folder)

    def test_a_tensor_of_another_type_by_name(self, model_folder: Path) -> None:
        rewrite(model_folder, lambda tensors: tensors.update({"head.bias": torch.zeros(3).double()}))
        with pytest.raises(ContractError, match=r"head.bias: found float64"):
            load(model_folder)

    def test_weights_that_are_not_finite(self, model_folder: Path) -> None:
        rewrite(model_folder, lambda tensors: tensors["head.bias"].__setitem__(1, float("nan")))
        with pytest.raises(ContractError, match=r"head.bias: found values that are NaN"):
            load(model_folder)

    def test_an_architecture_that_is_not_registered(self, model_folder: Path) -> None:
        path = model_folder / "contract.json"
        path.write_text(path.read_text().replace('"name": "imle-net"', '"name": "os.system"'))
        with pytest.raises(ContractError, match=r"architecture: .*found the name 'os.system'"):
            load(model_folder)

    @pytest.mark.parametrize(
        "arguments",
        [{"filter": 4}, {"filters": "4"}, {"filters": -4}, {"filters": [4]}, {"self": 1}, {"n_leads": 1}],
    )
    def test_arguments_that_the_architecture_does_not_take(
        self, model_folder: Path, arguments: dict[str, object]
    ) -> None:
        edit_contract(model_folder, **arguments)
        with pytest.raises(ContractError, match=r"contract.json, architecture"):
            load(model_folder)

    @pytest.mark.parametrize(
        "arguments",
        [
            {"filters": 1_000_000},
            {"stages": 1_000_000},
            {"lstm_units": 1_000_000},
            {"attention_units": 1_000_000},
            {"segment_seconds": 1e-9},
            {"segment_seconds": 1e300},
        ],
    )
    def test_a_contract_cannot_ask_for_absurd_memory(
        self, model_folder: Path, arguments: dict[str, object]
    ) -> None:
        edit_contract(model_folder, **arguments)
        tracemalloc.start()
        began = time.process_time()
        try:
            with pytest.raises(ContractError):
                load(model_folder)
            assert tracemalloc.get_traced_memory()[1] < 50e6
        finally:
            tracemalloc.stop()
        assert time.process_time() - began < 5

    def test_a_contract_cannot_make_the_architecture_grow_without_end(
        self, model_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        built = 0

        class Deep(nn.Module):
            def __init__(
                self, n_classes: int, n_leads: int, n_samples: int, sampling_rate: float, *, depth: int
            ) -> None:
                nonlocal built
                super().__init__()
                for _ in range(depth):
                    built += 1
                    self.add_module(f"layer{built}", nn.Linear(1, 1))

        monkeypatch.setitem(
            registry._MODELS, "imle-net", replace(models.describe("imle-net"), architecture=Deep)
        )
        path = model_folder / "contract.json"
        document = json.loads(path.read_text())
        document["architecture"]["arguments"] = {"depth": 1_000_000}
        path.write_text(json.dumps(document))
        with pytest.raises(ContractError, match="far more tensors than the weights file has"):
            load(model_folder)
        assert built < 5000
        nn.Linear(1, 1)  # the watch is over: building goes on as before


class Bomb:
    """Runs code when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


class TestNothingIsEverUnpickled:
    @pytest.fixture
    def trace(self, tmp_path: Path) -> Path:
        """A file that exists once a pickle was run; the bomb is checked to work."""
        trace = tmp_path / "executed"
        pickle.loads(pickle.dumps(Bomb(trace)))
        assert trace.exists()
        trace.unlink()
        return trace

    @pytest.mark.parametrize("protocol", [0, 2, 5])
    def test_a_pickle_under_the_name_of_the_weights(
        self, model_folder: Path, trace: Path, protocol: int
    ) -> None:
        (model_folder / "model.safetensors").write_bytes(pickle.dumps(Bomb(trace), protocol))
        seal(model_folder)
        with pytest.raises(ContractError, match=r"safetensors only. Pickles .* are never read"):
            load(model_folder)
        assert not trace.exists()

    def test_a_torch_file_under_the_name_of_the_weights(self, model_folder: Path, trace: Path) -> None:
        torch.save(Bomb(trace), model_folder / "model.safetensors")
        seal(model_folder)
        with pytest.raises(ContractError, match="safetensors only"):
            load(model_folder)
        assert not trace.exists()

    @pytest.mark.parametrize(
        "name", ["model.pt", "weights.PTH", "model.pkl", "pytorch_model.bin", "last.ckpt"]
    )
    def test_a_pickle_beside_the_weights(self, model_folder: Path, trace: Path, name: str) -> None:
        torch.save(Bomb(trace), model_folder / name)
        with pytest.raises(ContractError, match=f"{name}: found a file that can carry a pickle"):
            load(model_folder)
        assert not trace.exists()

    def test_a_pickle_in_place_of_the_weights(self, model_folder: Path, trace: Path) -> None:
        (model_folder / "model.safetensors").unlink()
        torch.save(Bomb(trace), model_folder / "model.pt")
        with pytest.raises(ContractError, match=r"model.pt"):
            load(model_folder)
        assert not trace.exists()


_HEADER_KEYS = ["dtype", "shape", "data_offsets", "head.bias", "__metadata__"]


@settings(max_examples=150, deadline=None)
@given(header=st.binary(max_size=200) | st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(_HEADER_KEYS), inner, max_size=3),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode()), tail=st.binary(max_size=16))  # fmt: skip
def test_whatever_stands_in_the_weights_file_only_contract_errors_come_out(
    header: bytes, tail: bytes
) -> None:
    architecture = contract_from(_SMALLEST).architecture
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "model.safetensors"
        path.write_bytes(len(header).to_bytes(8, "little") + header + tail)
        with pytest.raises(ContractError):
            module_with_weights(architecture, path, hashlib.sha256(path.read_bytes()).hexdigest())


_SMALLEST: dict[str, Any] = {
    "name": "smallest",
    "architecture": {"name": "imle-net", "n_classes": 1, "n_leads": 1, "n_samples": 50,
                     "sampling_rate": 100.0,
                     "arguments": {"filters": 1, "stages": 1, "lstm_units": 1, "attention_units": 1}},
    "preprocessing": {"leads": ["I"], "sampling_rate": 100.0, "n_samples": 50, "starting_rate": None,
                      "steps": [{"kind": "scale-global", "mean": 0.0, "scale": 1.0}]},
    "label_space": {"name": "any", "version": "1"},
    "classes": [("A", "a")],
    "thresholds": {"values": [0.5], "rule": "none"},
    "training_data": {"dataset": "any", "version": "1", "counts": {}},
    "folds": {"training": [1], "validation": [2]},
    "recipe": {},
    "seed": 1,
    "metrics": {"folds": [2], "n_records": 0, "values": {}},
    "licence": "Apache-2.0",
    "citations": [],
    "limits": [],
}  # fmt: skip
