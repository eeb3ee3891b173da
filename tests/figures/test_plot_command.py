"""``leadlight plot``: what it writes, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from leadlight.cli.app import app
from leadlight.errors import LeadlightError
from leadlight.figures import plot, save_figure
from leadlight.files import write
from leadlight.recording import Recording


def leadlight(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def record(beats: Callable[..., Recording], tmp_path: Path) -> Path:
    write(beats(), tmp_path / "one")
    return tmp_path / "one"


def test_the_figure_has_the_records_name_and_lies_here(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = record.parent / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    result = leadlight("plot", record.with_suffix(".hea"))
    assert result.exit_code == 0, result.output
    assert "wrote one.png" in result.output
    assert (here / "one.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_the_suffix_decides_the_format(record: Path, suffix: str, magic: bytes) -> None:
    out = record.parent / "new" / f"figure.{suffix}"
    result = leadlight("plot", record, "--layout", "12x1", "--leads", "V1,avr", "--out", out)
    assert result.exit_code == 0, result.output
    assert out.read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "figure.jpeg"], "found the suffix .jpeg; accepted: .png, .svg, .pdf"),
        (["--out", "figure"], "found the suffix (none)"),
        (["--layout", "4x3"], "accepted: auto, 3x4, 6x2, 12x1"),
        (["--leads", "V9"], "it has I, II, III"),
        (["--start", "10"], "accepted: from 0 to below 10 s"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_accepted(
    record: Path, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(record.parent)
    monkeypatch.setenv("COLUMNS", "200")
    result = leadlight("plot", record, *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert not list(record.parent.glob("figure*"))


def test_help_shows_an_example() -> None:
    assert "leadlight plot records500/00000/00001_hr" in leadlight("plot", "--help").output


def test_a_figure_with_an_unknown_suffix_is_refused_by_the_library(
    recording: Recording, tmp_path: Path
) -> None:
    with pytest.raises(LeadlightError, match=r"found the suffix .gif; accepted: .png, .svg, .pdf"):
        save_figure(plot(recording), tmp_path / "a.gif")
