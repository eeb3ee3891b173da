"""A run's calibrator, thresholds and sets: fitted on the validation fold, kept in its contract, measured."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from typer.testing import CliRunner

import leadlight as ll
from leadlight.classifier import read_contract
from leadlight.classifier.calibration import Logistic
from leadlight.cli.app import app
from leadlight.errors import EvaluationError
from leadlight.evaluation import evaluate_run, fit_thresholds
from leadlight.evaluation.calibration_runs import Calibrated, calibrate_run
from leadlight.evaluation.comparison_runs import read_evaluated


@pytest.fixture(scope="module")
def calibrated(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Calibrated:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLIGHT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        return calibrate_run(run, method="temperature", thresholds="youden", coverage=0.7, resamples=30)


def test_it_is_fitted_on_the_validation_fold_and_says_so(calibrated: Calibrated) -> None:
    contract = calibrated.classifier.contract
    assert contract.calibration is not None and contract.prediction_sets is not None
    assert contract.calibration.fitted_on.folds == contract.prediction_sets.fitted_on.folds == (8,)
    assert (contract.thresholds.rule, contract.thresholds.folds) == ("youden", (8,))
    assert contract.calibration.fitted_on.n_records == contract.thresholds.n_records == 10
    slopes = {one.slope for one in contract.calibration.maps if isinstance(one, Logistic)}
    assert len(slopes) == 1


def test_thresholds_are_those_of_the_calibrated_probabilities(calibrated: Calibrated, run: Path) -> None:
    from leadlight.evaluation.opening import open_for, records_for
    from leadlight.evaluation.runs import predict_rows

    contract = calibrated.classifier.contract
    store, _ = open_for(contract, run, None)
    part = records_for(contract, store, [8])
    scores = predict_rows(calibrated.classifier, store, part.rows)
    expected = fit_thresholds(part.truth, scores, part.known, "youden")
    assert_array_equal(contract.thresholds.values, np.where(np.isnan(expected), 0.5, expected))
    for value, low, high in zip(
        *(getattr(contract.thresholds, k) for k in ("values", "low", "high")), strict=True
    ):
        assert low is None or 0 <= low <= high <= 1
        assert 0 <= value <= 1


def test_a_saved_calibration_is_predicted_with_and_measured(
    calibrated: Calibrated, run: Path, data: Path, tmp_path: Path
) -> None:
    folder = calibrated.classifier.save(tmp_path / "model")
    prediction = ll.load(folder).predict(data / "records100/00000/00010_lr")
    assert prediction.sets
    plain = ll.load(run).predict(data / "records100/00000/00010_lr").probabilities.astype(float)
    contract = read_contract(folder)
    assert contract.calibration is not None
    expected = contract.calibration.probabilities(np.log(plain / (1 - plain))[None])[0]
    assert_allclose(prediction.probabilities, expected, atol=1e-5)
    found = evaluate_run(folder, 9, data, resamples=10)
    assert found.subject["calibration"] == "temperature"
    row = found.scored.record_ids.index("10")
    assert_allclose(found.scored.scores[row], prediction.probabilities, atol=1e-5)
    assert len(found.sets) == 5 and any("Probabilities are calibrated" in note for note in found.notes)


def test_a_second_calibration_replaces_the_first(calibrated: Calibrated, data: Path, tmp_path: Path) -> None:
    folder = calibrated.classifier.save(tmp_path / "model")
    again = calibrate_run(folder, data, method="temperature", thresholds="youden", coverage=0.7, resamples=5)
    assert again.before == calibrated.before
    kept, first = again.classifier.contract, calibrated.classifier.contract
    assert (kept.calibration, kept.prediction_sets) == (first.calibration, first.prediction_sets)
    plain = calibrate_run(folder, data, method="none", thresholds="0.4", coverage=None, resamples=5)
    contract = plain.classifier.contract
    assert contract.calibration is None and contract.prediction_sets is None and plain.after is None
    assert set(contract.thresholds.values) == {0.4} and contract.thresholds.folds == ()


def test_classes_with_too_few_records_are_named(run: Path) -> None:
    found = calibrate_run(run, method="platt", resamples=5)
    assert any("Not calibrated" in note for note in found.notes)
    contract = found.classifier.contract
    assert contract.calibration is not None and None in contract.calibration.maps


def test_a_training_fold_is_refused(run: Path) -> None:
    with pytest.raises(EvaluationError, match="found 1, which the weights were fitted on"):
        calibrate_run(run, folds=[1], resamples=5)


def test_other_data_need_a_fold_and_are_named(run: Path, data: Path) -> None:
    from leadlight.classifier import load, save_model

    elsewhere = run.parent / "elsewhere"
    model = load(run)
    values = model.contract.model_dump(mode="json")
    values["training_data"]["dataset"] = "code-15"
    save_model(elsewhere, model.module, values)
    with pytest.raises(EvaluationError, match="validation folds of small are of other data"):
        calibrate_run(elsewhere, data, resamples=5)
    found = calibrate_run(elsewhere, data, folds=[9], method="temperature", resamples=5).classifier.contract
    assert found.thresholds.folds == () and "26 records of ptb-xl, fold 9" in found.thresholds.rule
    assert found.calibration is not None and found.calibration.fitted_on.folds == (9,)


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["calibrate", *map(str, arguments)])


def test_the_command_changes_the_runs_own_model(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    arguments = ("--method", "temperature", "--thresholds", "sensitivity=0.8", "--resamples", 10)
    result = invoke(copy, *arguments)
    assert result.exit_code == 0, result.output
    assert "log loss" in result.output and f"wrote {copy / 'model'}" in result.output
    contract = read_contract(copy / "model")
    assert contract.thresholds.rule == "sensitivity=0.8" and contract.calibration is not None
    result = invoke(run, *arguments, "--out", tmp_path / "other", "--json")
    values = json.loads(result.stdout)
    assert [one["threshold"] for one in values["thresholds"]] == list(contract.thresholds.values)
    assert read_contract(run / "model").calibration is None


def test_an_evaluation_from_before_the_calibration_is_refused_in_comparisons(
    run: Path, data: Path, tmp_path: Path
) -> None:
    copy, here = tmp_path / "run", tmp_path / "run/evaluation/fold-9"
    shutil.copytree(run, copy)
    # With a number for all, the thresholds are the same before and after.
    calibrate_run(copy, method="none", thresholds="0.5", coverage=None, resamples=5).classifier.save(
        copy / "model"
    )
    evaluate_run(copy, 9, data, resamples=5).save(here)
    read_evaluated(here, "run")
    calibrate_run(copy, method="temperature", thresholds="0.5", coverage=None, resamples=5).classifier.save(
        copy / "model"
    )
    with pytest.raises(EvaluationError, match=r"or calibration than .* has; evaluate again"):
        read_evaluated(here, "run")
    evaluate_run(copy, 9, data, resamples=5).save(here)
    read_evaluated(here, "run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "spline"), "platt, temperature, isotonic, none"),
        (("--thresholds", "yuden"), "Did you mean 'youden'"),
    ],
)
def test_wrong_usage_is_refused(run: Path, arguments: tuple[str, ...], message: str) -> None:
    result = invoke(run, *arguments)
    assert result.exit_code == 2 and message in result.output


def test_a_shipped_model_is_not_changed(data: Path) -> None:
    result = invoke("imle-net-ptbxl-superclass", "--data", data)
    assert result.exit_code == 2 and "--out is needed" in result.output
