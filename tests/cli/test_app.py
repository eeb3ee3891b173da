"""The command as a whole: help, versions, exit codes, and how it fails."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from leadlight import __version__
from leadlight.cli.app import COMMANDS


def leadlight(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "leadlight.cli.app", *arguments], capture_output=True, text=True, check=False
    )


def test_version():
    answer = leadlight("--version")
    assert (answer.returncode, answer.stdout.strip()) == (0, f"leadlight {__version__}")


def test_help_names_every_command():
    answer = leadlight("--help")
    assert answer.returncode == 0
    assert all(f"  {name} " in answer.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name):
    answer = leadlight(name, "--help")
    assert answer.returncode == 0, answer.stderr
    assert "Example" in answer.stdout
    assert f"leadlight {name}" in answer.stdout


def test_unknown_command_is_wrong_usage():
    answer = leadlight("pridict")
    assert answer.returncode == 2
    assert "Did you mean 'predict'?" in answer.stderr


@pytest.mark.parametrize("name", ["datasets", "labels", "models", "recipes"])
def test_what_can_be_listed_can_be_printed_as_json(name):
    answer = leadlight(name, "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)


@pytest.mark.parametrize("name", ["labels", "models", "recipes"])
def test_an_unknown_name_is_wrong_usage(name):
    answer = leadlight(name, "no-such-thing")
    assert answer.returncode == 2
    assert "no-such-thing" in answer.stderr


def test_failed_work_is_one_line_without_a_trace(tmp_path):
    answer = leadlight("plot", str(tmp_path / "nothing"))
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "nothing" in answer.stderr


def test_debug_shows_the_trace(tmp_path):
    answer = leadlight("--debug", "plot", str(tmp_path / "nothing"))
    assert answer.returncode == 1
    assert "Traceback" in answer.stderr
