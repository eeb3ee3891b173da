"""``leadlight quality``: tables, JSON, exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from leadlight import write
from leadlight.cli.app import app
from leadlight.simulate import simulate_recording


def leadlight(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean recording, and one whose V2 is flat."""
    folder = tmp_path_factory.mktemp("records")
    recording = simulate_recording(["NORM"], 7, noise=False)[0]
    write(recording, folder / "clean")
    signal = recording.signal.copy()
    signal[7] = 0.5
    write(replace(recording, signal=signal), folder / "flat")
    return folder


def test_one_recording_is_a_row_a_lead(records):
    answer = leadlight("quality", records / "flat")
    assert answer.exit_code == 0
    (line,) = [line for line in answer.output.splitlines() if line.split()[:1] == ["V2"]]
    assert line.split()[-1] == "flat" and "100.0" in line
    assert "Einthoven's law" in answer.output and "limb leads: not assessed" in answer.output


def test_a_folder_is_a_row_a_recording(records):
    answer = leadlight("quality", records)
    assert answer.exit_code == 0
    assert "2 recordings examined, 1 without any flag" in answer.output
    flagged = leadlight("quality", records, "--flagged")
    assert "flat.hea" in flagged.output and "clean.hea" not in flagged.output


def test_json_has_every_measure(records):
    values = json.loads(leadlight("quality", records, "--json").stdout)
    by_name = {Path(one["file"]).stem: one for one in values}
    assert by_name["flat"]["leads"][7]["flags"] == ["flat"]
    assert by_name["clean"]["limb_leads"]["verdict"] is None
    assert len(by_name["clean"]["leads"]) == 12


def test_a_file_that_cannot_be_examined_is_listed_and_the_others_go_on(records, tmp_path):
    short = simulate_recording(["NORM"], 7)[0].crop(0, 1)
    write(short, tmp_path / "short")
    answer = leadlight("quality", records / "clean", tmp_path / "short", tmp_path / "absent", "--json")
    assert answer.exit_code == 1
    assert [bool(one["error"]) for one in json.loads(answer.stdout)] == [False, True, True]
    assert "2 of 3 recordings could not be examined" in answer.stderr
    assert "2 s and more" in answer.stderr


def test_help_has_an_example():
    assert "Example: leadlight quality" in leadlight("quality", "--help").output
