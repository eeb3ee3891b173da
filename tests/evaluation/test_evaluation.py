"""A whole evaluation from arrays, and its files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import f1_score, roc_auc_score

from leadlight.errors import EvaluationError
from leadlight.evaluation import fit_thresholds
from leadlight.evaluation.evaluation import OVERALL, Evaluation, evaluate

PATIENTS = [f"p{number}" for number in np.arange(200) % 150]
THRESHOLDS = np.array([0.4, 0.7, 0.7, np.nan, 0.7])


@pytest.fixture(scope="module")
def evaluation(tied: Any) -> Evaluation:
    return evaluate(
        tied.truth,
        tied.scores,
        tied.classes,
        THRESHOLDS,
        patients=PATIENTS,
        record_ids=[f"r{number}" for number in range(200)],
        descriptions=["first", "second", "third", "fourth", "fifth"],
        subject={"fold": 9},
        resamples=100,
        seed=1,
    )


def test_values_are_those_of_the_records_as_they_are(evaluation: Evaluation, tied: Any) -> None:
    with_positives = [0, 1, 2, 4]
    auc = [roc_auc_score(tied.truth[:, k], tied.scores[:, k]) for k in with_positives]
    assert_allclose(evaluation.overall["macro_roc_auc"].value, np.mean(auc))
    by_class = [
        f1_score(tied.truth[:, k], tied.scores[:, k].astype(float) >= THRESHOLDS[k]) for k in with_positives
    ]
    assert_allclose(evaluation.overall["macro_f1"].value, np.mean(by_class))
    assert [one.positives for one in evaluation.classes] == [94, 48, 22, 0, 7]
    assert (evaluation.n_records, evaluation.n_patients) == (200, 150)


def test_every_defined_metric_has_an_interval_around_it(evaluation: Evaluation) -> None:
    assert set(evaluation.overall) == set(OVERALL) - {"challenge_score"}
    for key, one in evaluation.overall.items():
        if key == "mean_calibration_error":
            assert np.isnan(one.low)
            continue
        assert one.low < one.value < one.high, key
        assert one.resamples == 100


def test_a_class_without_positives_is_named(evaluation: Evaluation) -> None:
    assert evaluation.undefined == ("D",)
    assert any("D (0 of 200 positive)" in note for note in evaluation.notes)
    assert any("No threshold for D" in note for note in evaluation.notes)
    row = evaluation.table()[3]
    assert (row["roc_auc"], row["roc_auc_low"], row["f1"], row["threshold"]) == (None,) * 4


def test_a_rare_class_keeps_its_positives_in_each_resample_and_is_named(random_case: Any) -> None:
    found = evaluate(random_case.truth, random_case.scores, random_case.classes, 0.5, patients=range(60))
    rare = found.classes[3]
    assert (rare.patients, rare.is_stratified, rare.roc_auc.resamples) == (2, True, 1000)
    assert not found.classes[0].is_stratified
    assert any("Fewer than 20 patients" in note and "RARE 2" in note for note in found.notes)
    # Two records of sixty: both missed with probability (58/60)^60 = 0.131 where all classes are drawn.
    (lost,) = (note for note in found.notes if "resamples of all classes" in note)
    assert 100 < int(lost.split("RARE ")[1].split(")")[0]) < 165


def test_delong_stands_beside_the_bootstrap(benchmark_test: Any) -> None:
    chosen = [benchmark_test.classes.index(code) for code in ("NORM", "AFIB", "LVH")]
    found = evaluate(
        benchmark_test.truth[:, chosen], benchmark_test.scores[:, chosen], ("NORM", "AFIB", "LVH"), 0.5,
        patients=range(2203), resamples=1000,
    )  # fmt: skip
    for one in found.classes:
        assert one.delong.value == pytest.approx(one.roc_auc.value, abs=1e-12)
        width = one.delong.high - one.delong.low
        assert one.delong.low == pytest.approx(one.roc_auc.low, abs=0.15 * width)
        assert one.delong.high == pytest.approx(one.roc_auc.high, abs=0.15 * width)


def test_the_challenges_classes_have_its_score() -> None:
    from leadlight import labels
    from leadlight.evaluation.challenge import challenge_score

    codes = labels.space("challenge-2021").codes
    rng = np.random.default_rng(0)
    truth = rng.random((80, 26)) < 0.2
    scores = np.clip(0.3 * truth + 0.6 * rng.random((80, 26)), 0, 1)
    found = evaluate(truth, scores, codes, 0.5, patients=range(80), resamples=50).overall["challenge_score"]
    assert found.value == challenge_score(truth, scores)[0]
    assert found.low < found.value < found.high


def test_prediction_sets_are_measured(tied: Any, tmp_path: Path) -> None:
    from leadlight.classifier.calibration import FittedOn
    from leadlight.evaluation import fit_prediction_sets

    fitted_on = FittedOn(dataset="any", version="", folds=(), n_records=200)
    sets = fit_prediction_sets(tied.truth, tied.scores, coverage=0.9, fitted_on=fitted_on)
    found = evaluate(tied.truth, tied.scores, tied.classes, 0.5, patients=range(200), sets=sets, resamples=20)
    assert [one.code for one in found.sets] == list(tied.classes)
    assert all(one.absent.value >= 0.9 for one in found.sets)
    found.save(tmp_path)
    saved = json.loads((tmp_path / "metrics.json").read_text())["prediction_sets"]
    assert saved[0]["present"]["value"] == found.sets[0].present.value
    assert saved[3]["present"]["value"] is None  # no positives


@pytest.mark.real
def test_resamples_that_lie_beside_the_value_are_pointed_out(benchmark_test: Any, benchmark_val: Any) -> None:
    # 14 of the 71 statements have at most three positives: drawing one of them twice doubles its precision.
    found = evaluate(
        benchmark_test.truth,
        benchmark_test.scores,
        benchmark_test.classes,
        fit_thresholds(benchmark_val.truth, benchmark_val.scores),
        patients=range(2203),
        resamples=200,
    )
    assert found.overall["macro_average_precision"].is_shifted
    assert not found.overall["macro_roc_auc"].is_shifted
    assert any(note.startswith("macro average precision: 0.371") for note in found.notes)
    assert found.undefined == ()


def test_the_same_seed_gives_the_same_evaluation(evaluation: Evaluation, tied: Any) -> None:
    again = evaluate(
        tied.truth, tied.scores, tied.classes, THRESHOLDS, patients=PATIENTS, resamples=100, seed=1
    )
    assert again.overall == evaluation.overall


def test_logits_are_refused(tied: Any) -> None:
    with pytest.raises(EvaluationError, match="sigmoid"):
        evaluate(tied.truth, tied.scores * 8 - 4, tied.classes, 0.5, patients=PATIENTS)


def test_lists_of_other_lengths_are_refused(tied: Any) -> None:
    with pytest.raises(EvaluationError, match="codes"):
        evaluate(tied.truth, tied.scores, tied.classes[:3], 0.5, patients=PATIENTS)
    with pytest.raises(EvaluationError, match="200 rows"):
        evaluate(tied.truth, tied.scores, tied.classes, 0.5, patients=PATIENTS[:7])
    with pytest.raises(EvaluationError, match="thresholds"):
        evaluate(tied.truth, tied.scores, tied.classes, [0.5, 0.5], patients=PATIENTS)


def test_metrics_json_holds_plain_numbers_and_null(evaluation: Evaluation, tmp_path: Path) -> None:
    evaluation.save(tmp_path)

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    found = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=refuse)
    assert found["fold"] == 9
    assert found["undefined_classes"] == ["D"]
    assert found["interval"] == {
        "level": 0.95,
        "method": "percentiles of a bootstrap over patients",
        "resamples": 100,
        "seed": 1,
    }
    assert found["classes"][3]["roc_auc"]["value"] is None
    assert found["overall"]["macro_roc_auc"]["value"] == evaluation.overall["macro_roc_auc"].value
    assert found == evaluation.to_dict()


def test_per_class_csv_leaves_empty_what_is_not_defined(evaluation: Evaluation, tmp_path: Path) -> None:
    evaluation.save(tmp_path)
    with (tmp_path / "per_class.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == ["A", "B", "C", "D", "E"]
    assert rows[3]["roc_auc"] == rows[3]["roc_auc_low"] == rows[3]["threshold"] == ""
    assert float(rows[0]["roc_auc"]) == evaluation.classes[0].roc_auc.value


def test_predictions_give_back_truth_and_scores(tied: Any, tmp_path: Path) -> None:
    known = np.ones(tied.truth.shape, dtype=bool)
    known[5, 2] = False
    evaluate(tied.truth, tied.scores, tied.classes, 0.5, patients=PATIENTS, known=known, resamples=10).save(
        tmp_path
    )
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    assert table["patient_id"].tolist() == PATIENTS
    assert_array_equal(table[[f"score_{code}" for code in tied.classes]].to_numpy(), tied.scores)
    assert table["truth_C"].isna().to_numpy().nonzero()[0].tolist() == [5]
    assert_array_equal(table["truth_A"], tied.truth[:, 0])


def test_saving_replaces_and_leaves_nothing_unfinished(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("old")
    written = evaluation.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in written)
    assert json.loads((tmp_path / "metrics.json").read_text())["records"] == 200
