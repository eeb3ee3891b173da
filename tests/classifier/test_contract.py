"""The contract: what it accepts, and how it says what is wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.classifier import contract_from, read_contract
from leadlight.classifier.contract import LARGEST_CONTRACT_BYTES, parse_contract
from leadlight.errors import ContractError
from leadlight.signal import GlobalScaling

REMOVED = object()


def changed(fields: dict[str, Any], key: str, value: object) -> bytes:
    """contract.json with one key changed, added or taken out."""
    document = json.loads(contract_from(fields).to_json())
    part = document
    *path, last = key.split(".")
    for step in path:
        part = part[int(step)] if isinstance(part, list) else part[step]
    if value is REMOVED:
        del part[last]
    else:
        part[last] = value
    return json.dumps(document).encode()


def test_a_contract_survives_json(fields: dict[str, Any]) -> None:
    contract = contract_from(fields)
    assert parse_contract(contract.to_json().encode()) == contract


def test_it_keeps_the_fitted_numbers_to_the_bit(fields: dict[str, Any]) -> None:
    fields["thresholds"]["values"] = np.array([0.1, 1 / 3, 0.7], dtype=np.float32)
    contract = parse_contract(contract_from(fields).to_json().encode())
    assert [np.float32(value) for value in contract.thresholds.values] == [
        np.float32(0.1), np.float32(1 / 3), np.float32(0.7),
    ]  # fmt: skip
    assert contract.preprocessing.steps == (GlobalScaling(0.1, 0.25),)


def test_what_follows_from_the_rest_is_filled_in(fields: dict[str, Any]) -> None:
    contract = contract_from(fields)
    assert contract.input.leads == contract.preprocessing.leads
    assert (contract.input.sampling_rate, contract.input.n_samples, contract.input.units) == (
        100.0,
        1000,
        "mV",
    )
    assert contract.versions.torch and contract.created.tzinfo is not None
    assert contract.codes == ("CD", "MI", "NORM")


def test_it_cannot_be_changed(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="frozen"):
        contract_from(fields).seed = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("tresholds", "thresholds"),
        ("architecture.n_class", "n_classes"),
        ("preprocessing.step", "steps"),
        ("preprocessing.steps.0.scales", "scale"),
        ("classes.0.descripton", "description"),
        ("training_data.licens", "licence"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_one(fields: dict[str, Any], key: str, meant: str) -> None:
    place = re.sub(r"steps\.(\d)", r"steps\\[\1\\]", key)
    with pytest.raises(ContractError, match=rf"{place}: found an unknown key.*Did you mean '{meant}'"):
        parse_contract(changed(fields, key, 1))


@pytest.mark.parametrize(
    "key",
    [
        "schema_version",
        "seed",
        "input.units",
        "preprocessing.steps",
        "preprocessing.steps.0.mean",
        "weights_sha256",
    ],
)
def test_a_missing_key_is_named_and_never_guessed(fields: dict[str, Any], key: str) -> None:
    with pytest.raises(ContractError, match=key.split(".")[-1]):
        parse_contract(changed(fields, key, REMOVED))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "42"),
        ("seed", 42.0),
        ("seed", True),
        ("input.units", "uV"),
        ("input.sampling_rate", 0),
        ("architecture.n_samples", 10**12),
        ("architecture.arguments", {"stages": 10**9}),
        ("preprocessing.steps.0.mean", "0.1"),
        ("preprocessing.steps.0.scale", 0),
        ("preprocessing.steps.0.scale", None),
        ("preprocessing.steps.0.kind", "scale-globally"),
        ("preprocessing.steps", {"kind": "clip"}),
        ("preprocessing.steps", [{"kind": "clip"}]),
        ("preprocessing.steps", ["clip"]),
        ("preprocessing.steps", [{"kind": "clip", "limit": 1.0}] * 51),
        ("preprocessing.steps", [{"kind": "clip", "limit": True}]),
        ("preprocessing.starting_rate", 500),
        ("preprocessing.n_samples", 10**400),
        ("created", "last Tuesday"),
        ("thresholds.values", [0.3, 0.7, 1.5]),
        ("classes", []),
        ("weights_sha256", "abc"),
        ("recipe", []),
    ],
)
def test_an_impossible_value_is_refused(fields: dict[str, Any], key: str, value: object) -> None:
    with pytest.raises(ContractError, match=f"contract.json, (?i:{key.split('.')[0]})"):
        parse_contract(changed(fields, key, value))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("architecture.n_classes", 4, "architecture.n_classes: found 4; accepted: 3"),
        ("thresholds.values", [0.5, 0.5], "thresholds.values: found 2 values; accepted: 3"),
        ("classes.1.code", "CD", "the code 'CD' twice"),
        ("preprocessing.leads", ["I"], "preprocessing.leads: found I;"),
        ("architecture.n_leads", 2, "architecture.n_leads: found 2; accepted: 12"),
        ("preprocessing.sampling_rate", 500, "preprocessing.sampling_rate: found 500"),
        ("architecture.sampling_rate", 500, "architecture.sampling_rate: found 500"),
        ("preprocessing.n_samples", 500, "preprocessing.n_samples: found 500; accepted: 1000"),
        ("folds.training", [1, 9], "fold 9 in training and in validation"),
        ("thresholds.folds", [10], "thresholds.folds: found 10; accepted: validation folds only"),
        ("metrics.folds", [1], "metrics.folds: found 1; accepted: validation folds only"),
    ],
)
def test_parts_that_disagree_are_refused(
    fields: dict[str, Any], key: str, value: object, message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        parse_contract(changed(fields, key, value))


def test_a_contract_of_a_later_leadlight_says_so(fields: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=r"schema_version: found 3; accepted: 1 or 2.*upgrade"):
        parse_contract(changed(fields, "schema_version", 3))


class TestTheFirstSchema:
    """Preprocessing was one global scaling, stated as mean and scale."""

    def text(self, **changed: object) -> bytes:
        document = json.loads(_EXAMPLE)
        document["preprocessing"] |= changed
        return json.dumps(document).encode()

    def test_its_scaling_becomes_a_step(self) -> None:
        preprocessing = parse_contract(self.text(mean=0.3, scale=0.7)).preprocessing
        assert preprocessing.steps == (GlobalScaling(0.3, 0.7),)
        assert (preprocessing.leads, preprocessing.sampling_rate, preprocessing.n_samples) == (("I",), 3.0, 9)

    def test_it_is_written_as_the_present_schema(self) -> None:
        again = json.loads(parse_contract(self.text()).to_json())
        assert again["schema_version"] == 2
        assert again["preprocessing"]["steps"] == [{"kind": "scale-global", "mean": 0.0, "scale": 1.0}]

    def test_its_own_keys_are_asked_for_and_no_other(self) -> None:
        with pytest.raises(
            ContractError, match=r"preprocessing.steps: found an unknown key; accepted: leads"
        ):
            parse_contract(self.text(steps=[]))
        document = json.loads(_EXAMPLE)
        del document["preprocessing"]["scale"]
        with pytest.raises(ContractError, match="preprocessing: found no scale"):
            parse_contract(json.dumps(document).encode())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"NaN",
        b"\xff\xfe{}",
        b'{"seed": 1, "seed": 2}',
        b'{"seed": NaN}',
        b'{"seed": -Infinity}',
        b"[" * 100_000,
        b'{"recipe":' * 100_000,
        b"9" * 10_000,
    ],
)
def test_text_that_is_not_plain_json_is_refused(text: bytes) -> None:
    with pytest.raises(ContractError, match="JSON"):
        parse_contract(text)


def test_a_huge_contract_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_bytes(b" " * (LARGEST_CONTRACT_BYTES + 1))
    with pytest.raises(ContractError, match="more than 4,194,304 bytes"):
        read_contract(tmp_path)


def test_a_folder_without_a_contract_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"found no contract.json"):
        read_contract(tmp_path)


def test_a_value_that_json_cannot_hold_is_refused(fields: dict[str, Any]) -> None:
    for value in (float("nan"), object()):
        fields["recipe"] = {"learning_rate": value}
        with pytest.raises(ContractError, match="JSON cannot hold"):
            contract_from(fields)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_the_file_only_contract_errors_come_out(data: st.DataObject) -> None:
    document = json.loads(_EXAMPLE)
    part: Any = document
    while isinstance(part, dict | list) and part:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if data.draw(st.booleans()) or not isinstance(part[key], dict | list):
            part[key] = data.draw(st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                lambda inner: st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                max_leaves=5,
            ))  # fmt: skip
            break
        part = part[key]
    try:
        parse_contract(json.dumps(document).encode())
    except ContractError as error:
        assert "contract.json" in str(error)


def test_reading_a_contract_needs_no_torch(model_folder: Path) -> None:
    program = (
        "import sys\nfrom leadlight.classifier import read_contract, shipped\n"
        f"read_contract({str(model_folder)!r}), shipped()\n"
        "print([name for name in ('torch', 'safetensors', 'jinja2', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


_EXAMPLE = """{"schema_version": 1, "name": "n", "created": "2026-01-01T00:00:00Z",
"architecture": {"name": "imle-net", "n_classes": 1, "n_leads": 1, "n_samples": 9, "sampling_rate": 3.0,
                 "arguments": {}},
"input": {"leads": ["I"], "sampling_rate": 3.0, "n_samples": 9, "units": "mV"},
"preprocessing": {"leads": ["I"], "sampling_rate": 3.0, "n_samples": 9, "mean": 0.0, "scale": 1.0},
"label_space": {"name": "l", "version": "1"}, "classes": [{"code": "A", "description": "a"}],
"thresholds": {"values": [0.5], "rule": "none", "folds": [], "n_records": 0},
"training_data": {"dataset": "d", "version": "", "title": "", "licence": "", "counts": {}},
"folds": {"training": [1], "validation": [2]}, "recipe": {}, "seed": 1,
"metrics": {"folds": [], "n_records": 0, "values": {"AUC": 0.5}},
"versions": {"leadlight": "0", "torch": "0", "python": "3"}, "licence": "",
"citations": ["c"], "limits": ["l"],
"weights_sha256": ""}"""


def test_the_example_of_the_test_above_is_a_contract() -> None:
    assert parse_contract(_EXAMPLE.encode()).codes == ("A",)
