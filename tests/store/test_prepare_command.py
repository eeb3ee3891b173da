"""leadlight prepare and leadlight verify."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from leadlight.cli.app import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_prepare_says_what_was_stored_and_where(tiny_ptbxl: Path, tmp_path: Path) -> None:
    result = run("prepare", "ptb-xl", tiny_ptbxl, "--out", tmp_path / "store")
    assert result.exit_code == 0
    assert "6 records of 5 patients at 100 Hz (0 resampled), 0 set aside." in result.output
    assert f"wrote {tmp_path / 'store'}" in result.output
    again = run("prepare", "ptb-xl", tiny_ptbxl, "--out", tmp_path / "store")
    assert again.exit_code == 0
    assert "already there" in again.output
    assert "wrote" not in again.output


def test_set_aside_records_are_told_and_are_no_failure(tiny_ptbxl: Path, tmp_path: Path) -> None:
    for number in (2, 3, 5):
        data = tiny_ptbxl / "records100" / "00000" / f"0000{number}_lr.dat"
        data.write_bytes(data.read_bytes()[:-24])
    result = run("prepare", "ptb-xl", tiny_ptbxl, "--out", tmp_path / "store")
    assert result.exit_code == 0
    assert "3 records of 3 patients at 100 Hz (0 resampled), 3 set aside." in result.output
    assert "size: found 2,376 bytes; accepted: 2,400 bytes" in result.output
    assert "(record 2, and 2 alike)" in result.output
    assert f"All that were set aside: {tmp_path / 'store' / 'store.json'}" in result.output


def test_prepare_prints_the_description_as_json(tiny_ptbxl: Path, tmp_path: Path) -> None:
    result = run(
        "prepare", "ptb-xl", tiny_ptbxl, "--out", tmp_path / "store", "--sampling-rate", 250, "--json"
    )
    told = json.loads(result.output)
    assert told["path"] == str(tmp_path / "store")
    assert (told["records"], told["records_resampled"], told["sampling_rate"]) == (6, 6, 250)


@pytest.mark.parametrize(
    "arguments",
    [
        ["prepare", "ptb-xl", "."],
        ["prepare", "ptbxl", ".", "--out", "store"],
        ["prepare", "ptb-xl", ".", "--out", "store", "--sampling-rate", "0"],
        ["prepare", "ptb-xl", ".", "--out", "store", "--workers", "0"],
        ["verify"],
    ],
)
def test_wrong_usage_ends_with_exit_code_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_folder_without_the_data_set_is_a_failure(tmp_path: Path) -> None:
    assert run("prepare", "ptb-xl", tmp_path, "--out", tmp_path / "store").exit_code == 1


def test_verify_prints_its_checks_and_ends_with_1_if_one_fails(tiny_ptbxl: Path, tmp_path: Path) -> None:
    run("prepare", "ptb-xl", tiny_ptbxl, "--out", tmp_path / "store")
    result = run("verify", tmp_path / "store")
    assert result.exit_code == 0
    assert "record checksums" in result.output
    with (tmp_path / "store" / "signals-00000.npy").open("r+b") as shard:
        shard.seek(1000)
        shard.write(b"\x55\x55")
    result = run("verify", tmp_path / "store", "--json")
    assert result.exit_code == 1
    checks = {check["check"]: check["passed"] for check in json.loads(result.output)}
    assert checks == {"file sizes": True, "file checksums": False, "index columns": True} | {
        name: True for name in checks if name not in ("file checksums",)
    }
