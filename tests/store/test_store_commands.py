"""leadlight filter, merge, append, and verify of a folder of files."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from leadlight.cli.app import app
from leadlight.store import open_store, prepare


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def ptbxl_store(tiny_ptbxl: Path, tmp_path: Path) -> Path:
    """Six records of five patients, ages 51 to 56; patient 2 has records 1 and 2."""
    return prepare("ptb-xl", tiny_ptbxl, tmp_path / "store", workers=1).path


@pytest.fixture
def challenge_store(tmp_path: Path, write_wfdb: Callable[..., None]) -> Path:
    root = tmp_path / "challenge"
    generator = np.random.default_rng(9)
    for number in range(1, 5):
        record = root / "georgia" / "g1" / f"E0000{number}"
        write_wfdb(record, generator.integers(-900, 900, (12, 100)))
        with record.with_suffix(".hea").open("a") as header:
            header.write(f"# Age: {60 + number}\n# Sex: Male\n# Dx: 426783006\n")
    return prepare("challenge-2021", root, tmp_path / "challenge-store", workers=1).path


def test_filter_says_how_many_are_kept_and_where(ptbxl_store: Path, tmp_path: Path) -> None:
    result = run(
        "filter", ptbxl_store, "--where", "age > 53 and source == 'ptb-xl'", "--out", tmp_path / "old"
    )
    assert result.exit_code == 0, result.output
    assert "3 of 6 records kept, of 3 patients." in result.output
    assert f"wrote {tmp_path / 'old'}" in result.output
    assert open_store(tmp_path / "old").index["age"].tolist() == [54, 55, 56]
    again = run(
        "filter", ptbxl_store, "--where", "age > 53 and source == 'ptb-xl'", "--out", tmp_path / "old"
    )
    assert "It was already there" in again.output
    told = json.loads(
        run("filter", ptbxl_store, "--where", "age > 55", "--out", tmp_path / "x", "--json").stdout
    )
    assert (told["records"], told["filtered"][0]["where"]) == (1, "age > 55")


@pytest.mark.parametrize(
    ("condition", "words"),
    [("agee > 50", "Did you mean 'age'"), ("age >", "cannot be read"), ("import os", "cannot be read")],
)
def test_a_bad_condition_is_wrong_usage_and_named(
    ptbxl_store: Path, tmp_path: Path, condition: str, words: str
) -> None:
    result = run("filter", ptbxl_store, "--where", condition, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "--where" in result.output and words in result.output
    assert not (tmp_path / "out").exists()


def test_merge_writes_one_store_and_says_what_was_set_aside(
    ptbxl_store: Path, challenge_store: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(ptbxl_store, tmp_path / "copy")
    result = run("merge", ptbxl_store, challenge_store, copy, "--out", tmp_path / "both")
    assert result.exit_code == 0, result.output
    assert "10 records of 9 patients at 100 Hz (0 resampled), 6 set aside." in result.output
    assert "the same recording as 1 (record 1, and 5 alike)" in result.output
    assert run("verify", tmp_path / "both").exit_code == 0
    assert run("merge", ptbxl_store, "--out", tmp_path / "one").exit_code == 2


def test_append_takes_stores_and_folders_of_data_sets(
    ptbxl_store: Path, challenge_store: Path, tiny_ptbxl: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("LEADLIGHT_CACHE", str(tmp_path / "cache"))
    result = run("append", challenge_store, tiny_ptbxl)
    assert result.exit_code == 0, result.output
    assert "6 records added." in result.output and f"wrote {challenge_store}" in result.output
    again = run("append", challenge_store, ptbxl_store)
    assert "0 records added." in again.output and "nothing was written" in again.output
    assert run("verify", challenge_store).exit_code == 0
    assert len(open_store(challenge_store)) == 10


def test_append_to_what_is_no_store_is_refused(challenge_store: Path, tiny_ptbxl: Path) -> None:
    result = run("append", tiny_ptbxl, challenge_store)
    assert result.exit_code == 1
    assert "store.json" in str(result.exception)


def test_verify_compares_a_folder_with_its_published_checksums(tiny_ptbxl: Path) -> None:
    files = sorted(file for file in tiny_ptbxl.rglob("*") if file.is_file())
    lines = [f"{hashlib.sha256(f.read_bytes()).hexdigest()} {f.relative_to(tiny_ptbxl)}" for f in files]
    (tiny_ptbxl / "SHA256SUMS.txt").write_text("\n".join([*lines, f"{'0' * 64} not-downloaded.dat"]))
    result = run("verify", tiny_ptbxl)
    assert result.exit_code == 0, result.output
    assert f"{len(files)} of {len(files)} files are as SHA256SUMS.txt says" in result.output
    wrong = files[3]
    wrong.write_bytes(wrong.read_bytes() + b"\0")
    result = run("verify", tiny_ptbxl, "--json")
    assert result.exit_code == 1
    assert [one["file"] for one in json.loads(result.stdout)["failed"]] == [
        str(wrong.relative_to(tiny_ptbxl))
    ]
