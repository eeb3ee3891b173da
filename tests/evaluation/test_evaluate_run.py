"""A run on one fold: which records, which truth, which probabilities, and what the reader is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

import leadlight as ll
from leadlight.cli.app import app
from leadlight.errors import EvaluationError, StoreError
from leadlight.evaluation import Evaluation, evaluate_run

# What the data set and the run of conftest.py hold.
CODES = ("CD", "HYP", "MI", "NORM", "STTC")
STATEMENTS = ("IRBBB", "LVH", "IMI", "NORM", "NDT")  # one of each superclass
THRESHOLDS = (0.4, 0.5, 0.45, 0.5, 0.55)
CANNOT_BE_MEASURED = (5, 6, 7)  # unlabelled, short, with a gap


def statements_of(number: int) -> set[str]:
    return {STATEMENTS[number % 5], STATEMENTS[number % 4]}


@pytest.fixture(scope="session")
def measured(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLIGHT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        return evaluate_run(run, 9, resamples=50)


def test_records_that_cannot_be_measured_are_left_out_and_counted(measured: Evaluation) -> None:
    usable = [number for number in range(1, 30) if number not in CANNOT_BE_MEASURED]
    assert measured.scored.record_ids == tuple(map(str, usable))
    assert measured.subject["left_out"] == {
        "without a label of ptb-xl/superclass": 1,
        "not 10 s long": 1,
        "with missing samples": 1,
    }
    assert measured.subject["fold_used_for"] == []
    assert measured.n_patients == 14  # of 15: both records of patient 3 were left out
    assert any("1 records with missing samples left out" in note for note in measured.notes)


def test_truth_is_every_statement_of_the_space_whatever_its_likelihood(measured: Evaluation) -> None:
    of_statement = dict(zip(STATEMENTS, range(5), strict=True))
    for row, number in zip(measured.scored.truth, map(int, measured.scored.record_ids), strict=True):
        expected = {of_statement[code] for code in statements_of(number)}
        assert set(np.flatnonzero(row)) == expected


def test_probabilities_are_those_of_predict(measured: Evaluation, run: Path, data: Path) -> None:
    model = ll.load(run)
    for row in (0, 11, 25):
        number = int(measured.scored.record_ids[row])
        prediction = model.predict(data / f"records100/00000/{number:05d}_lr")
        assert_allclose(measured.scored.scores[row], prediction.probabilities, atol=1e-5)


def test_auc_is_that_of_scikit_learn_on_what_was_written(measured: Evaluation, tmp_path: Path) -> None:
    measured.save(tmp_path)
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    by_class = [roc_auc_score(table[f"truth_{code}"], table[f"score_{code}"]) for code in CODES]
    assert_allclose(measured.overall["macro_roc_auc"].value, np.mean(by_class))
    assert [one.threshold for one in measured.classes] == np.float32(THRESHOLDS).astype(float).tolist()


def test_a_training_fold_is_refused_unless_allowed(run: Path) -> None:
    with pytest.raises(EvaluationError, match="allow-training-fold"):
        evaluate_run(run, 1, resamples=5)
    found = evaluate_run(run, 1, resamples=5, allow_training_fold=True)
    assert any("FITTING" in note for note in found.notes)
    assert found.subject["fold_used_for"] == ["fitting"]


def test_the_validation_fold_is_measured_with_a_remark(run: Path) -> None:
    found = evaluate_run(run, 8, resamples=5)
    assert any("chose the epoch" in note for note in found.notes)
    assert found.subject["fold_used_for"] == ["choosing"]


def test_a_fold_that_is_not_there_is_refused_with_those_that_are(run: Path) -> None:
    with pytest.raises(StoreError, match="found 10; accepted: 1, 8, 9"):
        evaluate_run(run, 10, resamples=5)


def test_a_model_folder_needs_data(run: Path, data: Path) -> None:
    with pytest.raises(EvaluationError, match="--data"):
        evaluate_run(run / "model", 9, resamples=5)
    assert evaluate_run(run / "model", 9, data, resamples=5).n_records == 26


def test_data_that_moved_are_asked_for(run: Path, tmp_path: Path) -> None:
    moved = tmp_path / "run"
    shutil.copytree(run, moved)
    (moved / "environment.json").write_text(json.dumps({"data": str(tmp_path / "gone")}))
    with pytest.raises(EvaluationError, match="no longer there"):
        evaluate_run(moved, 9, resamples=5)


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_the_command_prints_tables_and_names_its_files(run: Path) -> None:
    result = invoke(run, "--fold", 9, "--resamples", 20)
    assert result.exit_code == 0, result.output
    assert "macro ROC-AUC" in result.output and "STTC" in result.output
    folder = run / "evaluation" / "fold-9"
    for name in ("metrics.json", "per_class.csv", "predictions.parquet"):
        assert f"wrote {folder / name}" in result.output and (folder / name).is_file()


def test_the_command_draws_the_figures_of_the_fold(run: Path, tmp_path: Path) -> None:
    result = invoke(run, "--fold", 9, "--resamples", 20, "--figures", tmp_path / "f", "--format", "svg")
    assert result.exit_code == 0, result.output
    drawn = {path.name for path in (tmp_path / "f" / "fold-9").iterdir()}
    assert {"roc.svg", "precision-recall.svg", "confusion.svg", "thresholds.svg", "reliability.svg"} <= drawn
    assert f"wrote {len(drawn)} figures" in result.output
    assert invoke(run, "--fold", 9, "--figures", tmp_path, "--format", "gif").exit_code == 2


def test_the_command_prints_json(run: Path, tmp_path: Path) -> None:
    result = invoke(run, "--fold", 9, "--resamples", 20, "--out", tmp_path / "here", "--json")
    assert json.loads(result.stdout) == json.loads((tmp_path / "here/metrics.json").read_text())
    assert f"wrote {tmp_path / 'here/metrics.json'}" in result.stderr


def test_a_model_folder_needs_out(run: Path, data: Path) -> None:
    result = invoke(run / "model", "--fold", 9, "--data", data)
    assert result.exit_code == 2
    assert "--out" in result.output


def test_an_unknown_model_is_named_first() -> None:
    result = invoke("no-such-model", "--fold", 9)
    assert result.exit_code == 2
    assert "no-such-model" in result.output
