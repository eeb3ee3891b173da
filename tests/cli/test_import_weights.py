"""``leadlight import-weights``: a folder that predicts, exit codes, and what is said."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from leadlight import Recording, write
from leadlight.classifier import read_contract
from leadlight.cli.app import app
from leadlight.errors import LeadlightError
from leadlight.leads import STANDARD_LEADS

SCALING = ("--mean", "-0.0008", "--scale", "0.236")


def leadlight(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def weights(tmp_path, drawn_weights):
    state = {name: torch.from_numpy(value) for name, value in drawn_weights("ptbxl/fcn_wang").items()}
    torch.save({"model": state, "opt": {}}, tmp_path / "fcn.pth")
    return tmp_path / "fcn.pth"


def test_the_folder_predicts(weights, tmp_path):
    answer = leadlight("import-weights", "fcn-wang", weights, "--out", tmp_path / "m", *SCALING)
    assert answer.exit_code == 0, answer.output
    assert "taken from 'model' in the file" in answer.output
    assert "licence unknown" in answer.output
    assert f"wrote {tmp_path / 'm'}" in answer.output
    signal = np.random.default_rng(1).normal(0, 0.2, (12, 1000)).astype(np.float32)
    write(Recording(signal, STANDARD_LEADS, 100), tmp_path / "one")
    answer = leadlight("predict", tmp_path / "m", tmp_path / "one", "--out", tmp_path / "findings.csv")
    assert answer.exit_code == 0, answer.output
    assert len((tmp_path / "findings.csv").read_text().splitlines()) == 2


def test_options_reach_the_contract(weights, tmp_path):
    codes = ",".join(f"C{number}" for number in range(71))
    answer = leadlight(
        "import-weights", "fcn-wang", weights, "--out", tmp_path / "m", *SCALING, "--classes", codes,
        "--licence", "CC-BY-4.0", "--set", "input.seconds=10",
        "--leads", "II,I,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6",
    )  # fmt: skip
    assert answer.exit_code == 0, answer.output
    assert "licence unknown" not in answer.output
    contract = read_contract(tmp_path / "m")
    assert contract.codes == tuple(codes.split(","))
    assert contract.licence == "CC-BY-4.0"
    assert contract.input.n_samples == 1000 and contract.input.leads[:2] == ("II", "I")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fcn-wank", "FILE", "--out", "m"), "Did you mean 'fcn-wang'"),
        (("s4", "FILE", "--out", "m"), "no original is known"),
        (("fcn-wang", "nowhere.pth", "--out", "m"), "there is no file nowhere.pth"),
        (("fcn-wang", "FILE", "--out", "m", "--labels", "ptb-xl/al"), "ptb-xl/all"),
        (("fcn-wang", "FILE"), "--out"),
    ],
)
def test_wrong_usage_ends_with_2(arguments, said, weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = leadlight("import-weights", *(weights if one == "FILE" else one for one in arguments))
    assert answer.exit_code == 2, answer.output
    assert said in " ".join(answer.output.replace("│", " ").split())
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*SCALING, "--set", "arguments.chanels=3"), "Did you mean 'channels'"),
        ((*SCALING, "--leads", "II"), "found the shape [128, 12, 8]; accepted: [128, 1, 8]"),
        ((*SCALING, "--labels", "code-15"), "found 71 outputs and 6 classes in code-15"),
    ],
)
def test_what_does_not_fit_the_file_is_said(arguments, said, weights, tmp_path):
    answer = leadlight("import-weights", "fcn-wang", weights, "--out", tmp_path / "m", *arguments)
    assert isinstance(answer.exception, LeadlightError) and said in str(answer.exception)
    assert not (tmp_path / "m").exists()


def test_failures_end_with_1_and_a_sentence(weights, tmp_path):
    weights.write_bytes(weights.read_bytes()[:5000])
    command = [sys.executable, "-m", "leadlight.cli.app", "import-weights", "ribeiro", weights]
    answer = subprocess.run([*command, "--out", tmp_path / "m"], capture_output=True, text=True, check=False)
    assert answer.returncode == 1, answer.stderr
    assert "that is whole. Copy the file again" in " ".join(answer.stderr.split())
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "m").exists()
