"""``leadlight predict`` and ``leadlight models``: tables, files, exit codes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from leadlight import load, models, write
from leadlight.classifier import save_model, shipped
from leadlight.cli.app import app
from leadlight.errors import ContractError, FileFormatError
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording

ContractValues = Callable[..., dict[str, Any]]
ARGUMENTS = {"filters": 2, "stages": 1, "lstm_units": 2, "attention_units": 2}


def leadlight(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def make_model(contract_values: ContractValues) -> Callable[[Path, list[str]], Path]:
    """A function that saves a model of these classes; it always finds the first and hardly ever another."""

    def make(folder: Path, codes: list[str]) -> Path:
        torch.manual_seed(1)
        thresholds = {"values": [0.0] + [1.0] * (len(codes) - 1), "rule": "by hand"}
        contract = contract_values(codes, ARGUMENTS, name="tiny", thresholds=thresholds)
        return save_model(folder, models.create("imle-net", len(codes), **ARGUMENTS), contract)

    return make


@pytest.fixture(scope="module")
def model(make_model: Callable[[Path, list[str]], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model") / "tiny", ["MI", "NORM"])


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six good recordings in two folders."""
    folder = tmp_path_factory.mktemp("records")
    noise = np.random.default_rng(1)
    for number in range(6):
        place = folder / "ab"[number % 2]
        place.mkdir(exist_ok=True)
        signal = 0.3 * noise.standard_normal((12, 1000), dtype=np.float32)
        write(Recording(signal, STANDARD_LEADS, 100.0), place / f"r{number}")
    return folder


@pytest.fixture(scope="module")
def odd_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One good recording, one of 25 s, one whose data are cut short."""
    folder = tmp_path_factory.mktemp("odd")
    noise = np.random.default_rng(2)
    for name, seconds in (("good", 10), ("long", 25), ("short", 10)):
        signal = 0.3 * noise.standard_normal((12, 100 * seconds), dtype=np.float32)
        write(Recording(signal, STANDARD_LEADS, 100.0), folder / name)
    (folder / "short.dat").write_bytes((folder / "short.dat").read_bytes()[:100])
    return folder


class TestOneFile:
    def test_every_class_is_printed_with_its_threshold(self, model: Path, records: Path) -> None:
        answer = leadlight("predict", model, records / "a" / "r0")
        assert answer.exit_code == 0
        expected = load(model).predict(records / "a" / "r0")
        assert f"{expected['MI']:.3f}" in answer.output
        assert "class NORM" in answer.output
        assert "not a medical device" in answer.output

    def test_json_gives_the_same_numbers(self, model: Path, records: Path) -> None:
        answer = leadlight("predict", model, records / "a" / "r0", "--json")
        (one,) = json.loads(answer.stdout)["predictions"]
        expected = load(model).predict(records / "a" / "r0")
        assert np.float32(one["probabilities"]["MI"]) == expected.probabilities[0]
        assert one["findings"] == ["MI"]


class TestManyFiles:
    def test_csv_rows_are_in_the_order_of_the_files(self, model: Path, records: Path, tmp_path: Path) -> None:
        out = tmp_path / "findings.csv"
        answer = leadlight("predict", model, records, "--out", out, "--batch-size", 4)
        assert (answer.exit_code, answer.stderr) == (0, "")
        assert f"6 of 6 recordings predicted\nwrote {out}" in answer.stdout
        rows = list(csv.DictReader(out.open()))
        assert [Path(row["file"]).stem for row in rows] == ["r0", "r2", "r4", "r1", "r3", "r5"]
        classifier = load(model)
        for row in rows:
            assert float(row["NORM"]) == pytest.approx(classifier.predict(row["file"])["NORM"], abs=1e-6)

    def test_json_file_holds_model_and_predictions(self, model: Path, records: Path, tmp_path: Path) -> None:
        out = tmp_path / "findings.json"
        assert leadlight("predict", model, records, "--out", out).exit_code == 0
        document = json.loads(out.read_text())
        assert document["model"] == "tiny" and len(document["predictions"]) == 6
        assert document["weights_sha256"] == load(model).contract.weights_sha256

    def test_without_out_a_table_is_printed(self, model: Path, records: Path) -> None:
        answer = leadlight("predict", model, records / "a")
        assert answer.exit_code == 0
        assert answer.output.count("r0.hea") == 1 and "NORM" in answer.output

    def test_a_table_says_what_is_calibrated_and_what_stays_open(
        self, model: Path, records: Path, tmp_path: Path
    ) -> None:
        plain = load(model)
        fitted_on = {"dataset": "simulated", "version": "", "folds": [9], "n_records": 100}
        values = plain.contract.model_dump(mode="json")
        line = {"kind": "logistic", "slope": 1.0, "intercept": 0.0}
        n = len(plain.contract.codes)
        values["calibration"] = {"method": "platt", "fitted_on": fitted_on, "maps": [line] * n}
        values["prediction_sets"] = {  # the first class is never excluded and never sure, the others absent
            "coverage": 0.9, "fitted_on": fitted_on,
            "present_from": [0.0] + [1.0] * (n - 1), "absent_to": [1.0] * n,
        }  # fmt: skip
        answer = leadlight(
            "predict", save_model(tmp_path / "calibrated", plain.module, values), records / "a"
        )
        assert answer.exit_code == 0, answer.output
        assert "calibrated (platt)" in answer.output and "uncertain" in answer.output
        rows = [line.split() for line in answer.output.splitlines() if ".hea" in line]
        assert {row[-1] for row in rows} == {plain.contract.codes[0]}
        assert "uncertain" not in leadlight("predict", model, records / "a").output

    def test_with_many_classes_the_table_names_only_findings(
        self, make_model: Callable[[Path, list[str]], Path], tmp_path: Path, records: Path
    ) -> None:
        wide = make_model(tmp_path / "wide", [f"C{number}" for number in range(20)])
        answer = leadlight("predict", wide, records / "a")
        assert "C0 0." in answer.output and "C1" not in answer.output


class TestBadFiles:
    def test_they_are_listed_at_the_end_and_the_exit_code_is_1(
        self, model: Path, odd_records: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "findings.csv"
        answer = leadlight("predict", model, odd_records, "--out", out)
        assert answer.exit_code == 1
        assert "1 of 3 recordings predicted" in answer.stdout
        assert "2 of 3 recordings could not be predicted:" in answer.stderr
        assert "long.hea: length: found 25 s" in answer.stderr and "short" in answer.stderr
        assert "--longer first, centre or windows" in answer.stderr
        rows = list(csv.DictReader(out.open()))
        assert [bool(row["error"]) for row in rows] == [False, True, True]

    def test_longer_recordings_are_read_by_choice(self, model: Path, odd_records: Path) -> None:
        answer = leadlight("predict", model, odd_records / "long", "--longer", "windows")
        assert answer.exit_code == 0
        assert "4 windows of 10 s, overlap 50%: the mean of the probabilities" in answer.output

    def test_gaps_are_filled_by_choice_and_noted(self, model: Path, tmp_path: Path) -> None:
        signal = 0.3 * np.random.default_rng(3).standard_normal((12, 1000), dtype=np.float32)
        signal[1, 100:105] = np.nan
        write(Recording(signal, STANDARD_LEADS, 100.0), tmp_path / "gap")
        refused = leadlight("predict", model, tmp_path / "gap")
        assert refused.exit_code == 1 and "--fill-gaps 0.1" in refused.stderr
        answer = leadlight("predict", model, tmp_path / "gap", "--fill-gaps", 0.05)
        assert answer.exit_code == 0
        assert "gaps of up to 0.05 s filled by straight lines: II 1" in answer.output
        too_long = leadlight("predict", model, tmp_path / "gap", "--fill-gaps", 0.04)
        assert too_long.exit_code == 1 and "gap of 0.05 s in lead II" in too_long.stderr

    def test_a_file_that_is_not_there_does_not_stop_the_others(self, model: Path, records: Path) -> None:
        answer = leadlight("predict", model, records / "nothing", records / "a" / "r0", "--json")
        assert answer.exit_code == 1
        results: list[dict[str, Any]] = json.loads(answer.stdout)["predictions"]
        assert [result["error"] is None for result in results] == [True, False]
        assert "nothing" in answer.stderr

    def test_a_long_list_is_cut_when_the_file_has_it(self, model: Path, tmp_path: Path) -> None:
        out = tmp_path / "findings.csv"
        answer = leadlight("predict", model, *[tmp_path / f"absent{n}" for n in range(60)], "--out", out)
        assert "and 10 more: see the column error" in answer.stderr
        assert len(list(csv.DictReader(out.open()))) == 60

    def test_a_folder_without_recordings_fails(self, model: Path, tmp_path: Path) -> None:
        answer = leadlight("predict", model, tmp_path)
        assert answer.exit_code == 1 and isinstance(answer.exception, FileFormatError)


class TestWrongUsage:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--out", "findings.xlsx"], "ends in .csv or .json"),
            (["--out", "findings.csv", "--json"], "choose one"),
            (["--longer", "middle"], "contract, refuse, first, centre, windows"),
            (["--fill-gaps", "-1"], "fill-gaps"),
            (["--batch-size", "0"], "batch-size"),
        ],
    )
    def test_is_told_before_any_work(self, tmp_path: Path, options: list[str], message: str) -> None:
        answer = leadlight("predict", "any-model", tmp_path, *options)
        assert answer.exit_code == 2
        assert message in answer.output

    @pytest.mark.parametrize("command", ["predict", "explain", "evaluate"])
    def test_an_unknown_model_is_named_with_the_nearest(self, command: str, records: Path) -> None:
        options = ["--fold", "9", "--out", "x"] if command == "evaluate" else [records / "a" / "r0"]
        answer = leadlight(command, "imle-net-ptbxl-superclas", *options)
        assert answer.exit_code == 2
        assert "imle-net-ptbxl-superclass" in answer.output

    def test_a_damaged_model_is_one_line_without_a_trace(self, records: Path, tmp_path: Path) -> None:
        (tmp_path / "contract.json").write_text("{}")
        program = [sys.executable, "-m", "leadlight.cli.app", "predict", str(tmp_path), str(records)]
        answer = subprocess.run(program, capture_output=True, text=True, check=False)
        assert answer.returncode == 1
        assert answer.stderr.startswith(ContractError.__name__) and "Traceback" not in answer.stderr


class TestModels:
    def test_the_list_has_every_architecture_and_every_shipped_model(self) -> None:
        answer = leadlight("models")
        assert answer.exit_code == 0
        assert all(name in answer.output for name in (*models.names(), *shipped()))
        document = json.loads(leadlight("models", "--json").stdout)
        assert [one["name"] for one in document["architectures"]] == list(models.names())
        assert [one["name"] for one in document["shipped"]] == list(shipped())

    def test_an_architecture_in_detail(self) -> None:
        answer = leadlight("models", "imle-net")
        assert answer.exit_code == 0
        for fact in ("748517", "746725", "beat, rhythm, channel", "10.1109/SMC52423.2021.9658706"):
            assert fact in answer.output

    def test_an_alias_and_what_differs_from_the_published_code(self) -> None:
        answer = leadlight("models", "resu2d-lc")
        assert answer.exit_code == 0
        for fact in ("resunet-lc", "inner_channels=64", "What differs from the published code: ", "levels: "):
            assert fact in answer.output
        document = json.loads(leadlight("models", "resu2d-lc", "--json").stdout)
        assert (document["name"], document["aliases"]) == ("resunet-lc", "resu2d-lc")
        assert document["about"].startswith("ResUNet-LC: ")

    def test_a_model_folder_in_detail(self, model: Path) -> None:
        answer = leadlight("models", model)
        assert answer.exit_code == 0
        for fact in ("macro ROC-AUC", "class NORM", "random weights", "nobody", "Apache-2.0"):
            assert fact in answer.output
        assert json.loads(leadlight("models", model, "--json").stdout)["seed"] == 1

    def test_an_unknown_name_is_wrong_usage(self) -> None:
        answer = leadlight("models", "imle-nett")
        assert answer.exit_code == 2
        assert "imle-net" in answer.output


def test_the_folder_of_the_table_is_made(model: Path, records: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder" / "findings.csv"
    leadlight("predict", model, records / "a" / "r0", "--out", out)
    assert out.is_file()
