"""``leadlight explain``: what it prints and writes, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from leadlight.cli.app import app
from leadlight.files import write
from leadlight.recording import Recording


def leadlight(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def record(recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("COLUMNS", "250")
    write(recording, tmp_path / "one")
    return tmp_path / "one"


def test_prints_the_prediction_and_where_it_wrote(model_folder: Path, record: Path) -> None:
    result = leadlight("explain", model_folder, record, "--target", "mi")
    assert result.exit_code == 0, result.output
    for text in ("myocardial infarction", "0.500", "Most attention:", "does not depend on the class",
                 "not a medical device", "wrote one-explained.png"):  # fmt: skip
        assert text in result.output
    assert Path("one-explained.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_printed_alone(model_folder: Path, record: Path) -> None:
    result = leadlight("explain", model_folder, record, "--json", "--out", "why.html")
    printed = json.loads(result.stdout)
    assert printed["written"] == "why.html"
    assert printed["class_dependent"] is False
    assert sum(printed["lead_importance"]) == pytest.approx(1, abs=1e-5)
    assert len(printed["prediction"]["classes"]) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--target", "NROM"], "Did you mean NORM"),
        (["--method", "lime"], "found 'lime'; accepted: attention"),
        (["--out", "why.doc"], "accepted: .png, .svg, .pdf, .html, .json, .npz"),
        (["--layout", "2x2"], "accepted: auto, 3x4"),
        (["--longer", "windows"], "accepted: contract, refuse, first, centre"),
    ],
)
def test_wrong_usage_ends_with_2(model_folder: Path, record: Path, arguments: list[str], said: str) -> None:
    result = leadlight("explain", model_folder, record, *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert not list(Path().iterdir())


def test_a_longer_recording_is_refused_with_the_choice(
    model_folder: Path, record: Path, recording: Recording
) -> None:
    long = Recording(np.tile(recording.signal, 2), recording.leads, 100.0)
    write(long, record.with_name("long"))
    refused = leadlight("explain", model_folder, record.with_name("long"))
    assert refused.exit_code == 2
    assert "lasts 20 s, the model reads 10 s: first or centre?" in " ".join(refused.output.split())
    assert leadlight("explain", model_folder, record.with_name("long"), "--longer", "first").exit_code == 0


def test_help_shows_an_example() -> None:
    assert "leadlight explain imle-net-ptbxl-superclass" in leadlight("explain", "--help").output
