"""--age and --sex of ``leadlight predict`` and ``explain``: in place of what the file says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import leadlight as ll
from leadlight import models
from leadlight.classifier import save_model
from leadlight.cli.app import app
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Patient, Recording
from leadlight.signal import Metadata

ARGUMENTS = {
    "filters": 4, "lstm_units": 2, "hidden": 4, "metadata_hidden": 8, "joint_hidden": 8, "dropout": 0.0,
}  # fmt: skip
COLUMNS = ("age", "male", "female", "age missing", "sex missing")


def leadlight(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def model(contract_values, tmp_path_factory) -> Path:
    torch.manual_seed(3)
    contract = contract_values(["MI", "NORM"], ARGUMENTS, metadata=Metadata(COLUMNS, "z-score", 60.0, 10.0))
    contract["architecture"]["name"] = "conv-bilstm-attention"
    module = models.create("conv-bilstm-attention", 2, **ARGUMENTS)
    return save_model(tmp_path_factory.mktemp("model") / "with-age", module, contract)


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    signal = 0.3 * np.random.default_rng(1).standard_normal((12, 1000)).astype(np.float32)
    for name, patient in (("known", Patient(age=71, sex="male")), ("unknown", Patient())):
        ll.write(Recording(signal, STANDARD_LEADS, 100.0, patient=patient), folder / name)
    return folder


def probabilities(*arguments):
    answer = leadlight("predict", *arguments, "--json")
    assert answer.exit_code == 0, answer.output
    (one,) = json.loads(answer.stdout)["predictions"]
    return np.array(list(one["probabilities"].values()))


def test_the_files_age_and_sex_are_read(model, records):
    assert not np.allclose(probabilities(model, records / "known"), probabilities(model, records / "unknown"))


def test_given_ones_stand_for_the_files(model, records):
    known = probabilities(model, records / "known")
    given = probabilities(model, records / "unknown", "--age", 71, "--sex", "male")
    np.testing.assert_allclose(given, known, atol=1e-6)
    other = probabilities(model, records / "known", "--age", 30)
    assert not np.allclose(other, known)
    expected = ll.load(model).predict(ll.read(records / "known").with_patient(age=30)).probabilities
    np.testing.assert_allclose(other, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sex", "m"], "accepted: male, female"),
        (["--age", "131"], "--age"),
        (["--age", "-1"], "--age"),
    ],
)
def test_wrong_values_are_wrong_usage(model, records, options, message):
    answer = leadlight("predict", model, records / "known", *options)
    assert answer.exit_code == 2 and message in answer.output


def test_they_are_for_one_recording(model, records):
    answer = leadlight("predict", model, records, "--age", 40)
    assert answer.exit_code == 2 and "found 2 recordings" in answer.output


@pytest.mark.parametrize("command", ["predict", "explain"])
def test_a_model_that_reads_the_signal_alone_refuses_them(records, command):
    answer = leadlight(command, "imle-net-ptbxl-superclass", records / "known", "--age", 40)
    assert answer.exit_code == 2 and "reads the signal alone" in " ".join(answer.output.split())


def test_an_unknown_origin_is_wrong_usage(records, tmp_path):
    answer = leadlight(
        "train",
        "imle-net",
        "--data",
        records,
        "--out",
        tmp_path / "run",
        "--init-from",
        "imle-net-ptbxl-supercla",
    )
    assert answer.exit_code == 2 and "imle-net-ptbxl-superclass" in answer.output


def test_models_says_what_is_read(model):
    assert "age missing" in leadlight("models", model).stdout
    stated = json.loads(leadlight("models", model, "--json").stdout)["metadata"]
    assert (stated["scaling"], stated["offset"], stated["scale"]) == ("z-score", 60.0, 10.0)
