from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from leadlight.cli import simulate

app = typer.Typer()
app.command()(simulate.command)


def test_the_command_writes_and_says_where(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / "out"), "--records", "2", "--seed", "4"])
    assert result.exit_code == 0, result.output
    assert "2 simulated recordings" in result.output and "truth" in result.output
    assert (tmp_path / "out" / "ptbxl_database.csv").is_file()


def test_wrong_numbers_are_usage_errors(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / "out"), "--records", "0"])
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()
