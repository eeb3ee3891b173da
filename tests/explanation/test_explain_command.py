"""``leadlight explain``: what it prints and writes, and how it refuses."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from leadlight import models
from leadlight.cli.app import app
from leadlight.explanation import METHODS
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
                 "not a medical device", "attention: 2 forward passes",
                 "wrote one-explained.png"):  # fmt: skip
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
        (["--method", "lime"], "found 'lime'; accepted: attention, grad-cam, gradients"),
        (["--method", "grad-cam"], "grad-cam explains one class; accepted: findings, CD, MI, NORM"),
        (["--set", "steps"], "found 'steps'; accepted: NAME=VALUE"),
        (["--method", "occlusion", "--set", "by=beat"], "by: found 'beat'; accepted: window, lead, wave"),
        (["--target", "MI", "--format", "png"], "the suffix of --out decides"),
        (["--target", "MI", "--target", "CD", "--format", "gif"], "found 'gif'; accepted: png, svg"),
        (["--target", "MI", "--target", "CD", "--out", "a.png"], "accepted: a folder, or a .html"),
        (["--out", "why.doc"], "accepted: .png, .svg, .pdf, .html, .json, .npz"),
        (["--layout", "2x2"], "accepted: auto, 3x4"),
        (["--longer", "last"], "accepted: contract, refuse, first, centre, windows"),
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
    assert "lasts 20 s, the model reads 10 s: first, centre or windows?" in " ".join(refused.output.split())
    for choice in ("first", "windows"):
        explained = leadlight("explain", model_folder, record.with_name("long"), "--longer", choice)
        assert explained.exit_code == 0, explained.output
    assert "3 windows of 10 s" in explained.output


def test_help_shows_an_example() -> None:
    assert "leadlight explain imle-net-ptbxl-superclass" in leadlight("explain", "--help").output


@pytest.fixture
def folder(record: Path, recording: Recording) -> Path:
    """Three recordings, two of the same name, and one that is too short for the model."""
    root = record.parent / "records"
    for name in ("a/00001", "b/00001", "b/00002"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write(recording, root / name)
    write(recording.crop(0, 5), root / "b" / "short")
    return root


def test_a_folder_is_explained_with_a_table_and_bad_files_are_listed(
    model_folder: Path, folder: Path
) -> None:
    result = leadlight(
        "explain", model_folder, folder, "--method", "grad-cam", "--target", "MI", "--target", "normal ecg",
        "--format", "npz", "--format", "json", "--out", "why",
    )  # fmt: skip
    assert result.exit_code == 1
    assert "3 of 4 recordings explained by grad-cam" in result.output
    assert (
        "1 of 4 recordings could not be explained" in result.output and "short.hea: length" in result.output
    )
    names = {path.name for path in Path("why").iterdir()}
    stems = ("a-00001", "b-00001", "b-00002")
    assert names == {"explanations.csv"} | {
        f"{stem}-{code}-grad-cam.{suffix}"
        for stem in stems for code in ("MI", "NORM") for suffix in ("npz", "json")
    }  # fmt: skip
    with (Path("why") / "explanations.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 7
    assert [row["target"] for row in rows[:2]] == ["MI", "NORM"]
    assert rows[0]["written"] == "a-00001-MI-grad-cam.npz; a-00001-MI-grad-cam.json"
    assert rows[-1]["error"].startswith("length") and not rows[-1]["target"]


def test_findings_stand_for_what_is_found_in_each_recording(model_folder: Path, record: Path) -> None:
    """By its thresholds, the model always finds CD and never NORM."""
    result = leadlight(
        "explain", model_folder, record, "--method", "gradients", "--target", "findings", "--format", "json"
    )
    assert result.exit_code == 0, result.output
    names = {path.name for path in Path("explanations").iterdir()}
    assert "one-CD-gradients.json" in names and "one-NORM-gradients.json" not in names


def test_all_on_one_page(model_folder: Path, record: Path) -> None:
    result = leadlight(
        "explain", model_folder, record, "--target", "CD", "--target", "MI",
        "--method", "integrated-gradients", "--set", "steps=3", "--out", "pages/why.html",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    page = Path("pages/why.html").read_text()
    assert "one: CD" in page and "one: MI" in page and "2 ECGs explained" in page


def test_several_as_json(model_folder: Path, record: Path) -> None:
    result = leadlight(
        "explain", model_folder, record, "--target", "CD", "--target", "MI", "--method", "occlusion",
        "--set", "by=lead", "--format", "npz", "--json",
    )  # fmt: skip
    printed = json.loads(result.stdout)
    assert [one["target"] for one in printed["explanations"]] == ["CD", "MI"]
    assert printed["explanations"][0]["settings"]["by"] == "lead"
    assert "chest leads together" in printed["explanations"][0]["facts"]


def test_a_method_that_a_model_cannot_do_names_those_that_it_can(
    model_folder: Path, record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = dataclasses.replace(models.describe("imle-net"), attention=())
    monkeypatch.setattr("leadlight.models.describe", lambda name: described)
    result = leadlight("explain", model_folder, record)
    assert result.exit_code == 2
    assert "accepted for this model: grad-cam, gradients, integrated-gradients" in " ".join(
        result.output.split()
    )


def test_methods_are_told_of_and_named_in_the_help() -> None:
    told, helped = leadlight("explain", "--methods"), leadlight("explain", "--help").output
    assert told.exit_code == 0
    for name, method in METHODS.items():
        assert name in helped
        assert name in told.output
        for setting, value in method.defaults.items():
            assert f"--set {setting}={value}" in told.output
