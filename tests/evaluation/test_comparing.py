"""Models on the same records: differences, tests, their correction, and what cannot be compared."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from leadlight.cli.app import app
from leadlight.errors import EvaluationError
from leadlight.evaluation import delong, evaluate, resample_patients
from leadlight.evaluation.comparing import Comparison, Difference, Scores, compare, mcnemar
from leadlight.evaluation.comparison_runs import compare_runs, save_comparison
from leadlight.evaluation.subgroups import ALL

CLASSES = ("A", "B", "C")


def draw(seed: int = 0, n: int = 500, noise: tuple[float, ...] = (1.0, 1.0, 2.5)) -> dict[str, Any]:
    """Truth of three classes, and models that see it through so much noise of their own."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < [0.5, 0.3, 0.15]
    seen = 2 * truth + rng.normal(size=(n, 3))
    models = []
    for number, spread in enumerate(noise):
        logits = seen + spread * rng.normal(size=(n, 3)) - 1
        models.append(Scores(f"model-{number}", 1 / (1 + np.exp(-logits)), 0.5))
    return {"truth": truth, "models": models, "classes": CLASSES, "patients": np.arange(n) % (n - 100)}


def of(found: Comparison, metric: str, code: str = ALL, one: str = "model-2") -> Difference:
    (difference,) = (d for d in found.differences if (d.metric, d.code, d.one) == (metric, code, one))
    return difference


def test_differences_are_those_of_paired_resamples() -> None:
    case = draw()
    found = compare(**case, resamples=40, seed=5)
    scores = [np.asarray(model.scores) for model in case["models"]]
    weights = resample_patients(case["patients"].astype(str), 40, seed=5).astype(int)
    gaps = []
    for row in [np.ones(500, dtype=int), *weights]:
        drawn = np.repeat(np.arange(500), row)
        macro = [roc_auc_score(case["truth"][drawn], one[drawn], average="macro") for one in scores]
        gaps.append(macro[2] - macro[0])
    one = of(found, "macro_roc_auc")
    assert_allclose(one.difference.value, gaps[0])
    assert_allclose((one.difference.low, one.difference.high), np.quantile(gaps[1:], [0.025, 0.975]))
    assert_allclose(
        one.p, 2 * (1 + min(np.sum(np.array(gaps[1:]) <= 0), np.sum(np.array(gaps[1:]) >= 0))) / 41
    )
    assert_allclose(one.value_other - one.value_one, -gaps[0])


def test_the_test_of_an_auc_is_delongs_by_patient() -> None:
    case = draw()
    found = of(compare(**case, resamples=10), "roc_auc", "B")
    scores = [np.asarray(case["models"][k].scores)[:, 1] for k in (2, 0)]
    gap, p = delong(case["truth"][:, 1], scores, patients=case["patients"]).difference()
    assert_allclose((found.difference.value, found.difference.low, found.p), (gap.value, gap.low, p))
    assert found.test == "DeLong"


def test_the_test_of_calls_is_mcnemars() -> None:
    case = draw()
    found = compare(**case, resamples=10)
    truth = case["truth"][:, 0]
    right = [(np.asarray(case["models"][k].scores)[:, 0] >= 0.5) == truth for k in (2, 0)]
    parts = {"accuracy": np.ones(500, dtype=bool), "recall": truth, "specificity": ~truth}
    for metric, rows in parts.items():
        only = [int((right[0] & ~right[1] & rows).sum()), int((right[1] & ~right[0] & rows).sum())]
        one = of(found, metric, "A")
        assert [one.only_one, one.only_other] == only and one.records == rows.sum()
        assert one.p == pytest.approx(binomtest(only[0], sum(only)).pvalue)
        assert one.difference.value == pytest.approx((only[0] - only[1]) / rows.sum())
    assert mcnemar(0, 0) == 1.0


def test_p_values_are_corrected_for_all_comparisons_of_their_metric() -> None:
    found = compare(**draw(), all_pairs=True, resamples=50)
    of_auc = [one for one in found.differences if one.metric == "roc_auc"]
    assert len(of_auc) == 9 and {one.comparisons for one in of_auc} == {9}
    smallest = min(of_auc, key=lambda one: one.p)
    assert smallest.p_corrected == pytest.approx(9 * smallest.p)
    assert {one.comparisons for one in found.differences if one.metric == "macro_roc_auc"} == {3}


def test_a_better_model_is_named_and_equal_ones_are_not() -> None:
    found = compare(**draw(), resamples=300)
    assert of(found, "macro_roc_auc").better == "model-0"
    assert of(found, "mean_brier").better == "model-0"  # where smaller is better
    assert of(found, "macro_roc_auc", one="model-1").better == ""


def test_equally_good_models_differ_as_seldom_as_they_should() -> None:
    named, raw = 0, 0
    for seed in range(150):
        found = compare(**draw(seed, n=250, noise=(1.0, 1.0)), resamples=150)
        of_auc = [one for one in found.differences if one.metric == "roc_auc"]
        named += any(one.better for one in of_auc)
        raw += of(found, "macro_roc_auc", one="model-1").p < 0.05
    assert named / 150 < 0.095  # 5%, and two errors of 150 draws
    assert 0.005 < raw / 150 < 0.11


def test_a_model_is_no_better_than_itself() -> None:
    case = draw()
    case["models"] = [case["models"][0], Scores("again", case["models"][0].scores, 0.5)]
    found = compare(**case, resamples=20)
    assert all(one.p == 1.0 and not one.better for one in found.differences)


def test_unknown_truth_takes_no_part() -> None:
    case = draw()
    known = np.random.default_rng(1).random((500, 3)) < 0.7
    other = {**case, "truth": np.where(known, case["truth"], ~case["truth"])}
    assert repr(compare(**case, known=known, resamples=20)) == repr(
        compare(**other, known=known, resamples=20)
    )


def test_a_class_without_positives_is_compared_in_nothing_that_needs_them() -> None:
    case = draw()
    case["truth"][:, 2] = False
    found = compare(**case, resamples=20)
    assert np.isnan(of(found, "roc_auc", "C").p) and np.isnan(of(found, "recall", "C").p)
    assert not np.isnan(of(found, "specificity", "C").p)
    assert of(found, "roc_auc", "A").comparisons == 4  # two models, two classes
    assert not np.isnan(of(found, "macro_roc_auc").p)


def test_a_class_without_a_threshold_has_no_calls_to_compare() -> None:
    case = draw()
    case["models"][2] = Scores("model-2", case["models"][2].scores, [0.5, np.nan, 0.5])
    found = compare(**case, resamples=20)
    assert np.isnan(of(found, "accuracy", "B").p) and not np.isnan(of(found, "accuracy", "A").p)


@pytest.mark.parametrize("names", [["a"], ["a", "a"]])
def test_one_model_and_one_name_for_two_are_refused(names: list[str]) -> None:
    case = draw()
    case["models"] = [Scores(name, case["models"][0].scores, 0.5) for name in names]
    with pytest.raises(EvaluationError, match="two or more, each name once"):
        compare(**case)


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an evaluation of model k into RUN/evaluation/fold-9, but for what is changed."""

    def evaluation(name: str, k: int, keep: Any = slice(None), **changed: Any) -> Path:
        case = draw(n=120)
        values: dict[str, Any] = {
            "truth": case["truth"], "known": None, "classes": CLASSES,
            "ids": [f"r{number}" for number in range(120)], "dataset": "ptb-xl", "version": "1.0.3",
            "used_for": [], **changed,
        }  # fmt: skip
        order = np.arange(120)[keep]
        columns = [CLASSES.index(code) for code in values["classes"] if code in CLASSES]
        evaluate(
            values["truth"][order][:, columns], np.asarray(case["models"][k].scores)[order][:, columns],
            values["classes"], 0.5, patients=case["patients"][order],
            known=None if values["known"] is None else values["known"][order],
            record_ids=[values["ids"][row] for row in order],
            subject={
                "dataset": values["dataset"], "dataset_version": values["version"],
                "fold_used_for": values["used_for"],
            },
            resamples=5,
        ).save(tmp_path / name / "evaluation" / "fold-9")  # fmt: skip
        return tmp_path / name

    return evaluation


def test_runs_are_compared_from_their_files_whatever_the_order(write: Write, tmp_path: Path) -> None:
    shuffled = np.random.default_rng(0).permutation(120)
    runs = [write("one", 0), write("two", 2, keep=shuffled, classes=("C", "A", "B"))]
    found = compare_runs(runs, 9, resamples=20)
    case = draw(n=120)
    case["models"] = [
        Scores("one", case["models"][0].scores, 0.5),
        Scores("two", case["models"][2].scores, 0.5),
    ]
    assert repr(found.differences) == repr(compare(**case, resamples=20).differences)
    paths = save_comparison(found, tmp_path / "out")
    rows = list(csv.DictReader(paths[0].open()))
    assert len(rows) == len(found.differences)
    values = json.loads(paths[1].read_text())
    assert values["values"]["one"]["macro_roc_auc"]["value"] == found.values["one"]["macro_roc_auc"].value


def test_other_records_are_counted_and_refused(write: Write) -> None:
    runs = [write("one", 0), write("two", 2, keep=slice(20, None))]
    with pytest.raises(
        EvaluationError, match=r"20 of 120 only in one, 0 of 100 only in two.*--common-records"
    ):
        compare_runs(runs, 9)
    found = compare_runs(runs, 9, common_records=True, resamples=5)
    assert found.n_records == 100
    assert any("Only the 100 records" in note and "one 120, two 100" in note for note in found.notes)


def test_runs_have_the_shortest_names_that_tell_them_apart(write: Write) -> None:
    runs = [write(name, k) / "evaluation/fold-9" for k, name in ((0, "a/seed-1"), (2, "b/seed-1"))]
    assert compare_runs(runs, resamples=5).models == ("a/seed-1", "b/seed-1")
    assert compare_runs([runs[0], write("c/run", 2)], 9, resamples=5).models == ("a/seed-1", "c/run")
    assert compare_runs([write("d", 0), write("c/run", 2)], 9, resamples=5).models == ("d", "run")


def test_a_run_that_chose_its_epoch_on_the_fold_is_remarked_on(write: Write) -> None:
    found = compare_runs([write("one", 0), write("two", 2, used_for=["choosing"])], 9, resamples=5)
    assert [note for note in found.notes if "too good" in note] == [
        "The fold was used for choosing two, whose numbers are too good on it."
    ]
    fair = compare_runs([write("one", 0), write("three", 2)], 9, resamples=5)
    assert not any("too good" in note for note in fair.notes)


def test_other_classes_are_named_and_refused(write: Write) -> None:
    with pytest.raises(EvaluationError, match="only one has C"):
        compare_runs([write("one", 0), write("two", 2, classes=("A", "B"))], 9)


def test_other_labels_are_counted_and_refused(write: Write) -> None:
    truth = draw(n=120)["truth"].copy()
    truth[[3, 8], 1] ^= True
    with pytest.raises(EvaluationError, match=r"other labels for 2 of 120 records \(B\)"):
        compare_runs([write("one", 0), write("two", 2, truth=truth)], 9, common_records=True)


def test_labels_that_one_run_does_not_know_are_refused_or_left_out_for_both(write: Write) -> None:
    known = np.ones((120, 3), dtype=bool)
    known[:5, 0] = False
    runs = [write("one", 0), write("two", 2, known=known)]
    with pytest.raises(EvaluationError, match=r"other labels for 5 of 120 records \(A\)"):
        compare_runs(runs, 9)
    found = compare_runs(runs, 9, common_records=True, resamples=5)
    assert of(found, "accuracy", "A", one="two").records == 115


def test_other_data_are_refused(write: Write) -> None:
    one = write("one", 0)
    with pytest.raises(EvaluationError, match="one was measured on ptb-xl, two on code-15"):
        compare_runs([one, write("two", 2, dataset="code-15")], 9)
    with pytest.raises(EvaluationError, match="three was measured on simulated records, one on others"):
        compare_runs([one, write("three", 2, version="simulated")], 9)


def test_a_run_without_an_evaluation_says_how_to_make_one(write: Write, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    with pytest.raises(EvaluationError, match=r"leadlight evaluate .*two --fold 9"):
        compare_runs([write("one", 0), tmp_path / "two"], 9)


def test_damaged_files_are_refused(write: Write) -> None:
    runs = [write("one", 0), write("two", 2)]
    (runs[1] / "evaluation/fold-9/predictions.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(EvaluationError, match="cannot be read"):
        compare_runs(runs)


def test_the_command_prints_writes_and_refuses(write: Write, tmp_path: Path) -> None:
    runs = [str(write("one", 0)), str(write("two", 2))]
    result = CliRunner().invoke(app, ["compare", *runs, "--resamples", "20", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "120 records of 20 patients" in result.output and "two - one" in result.output
    assert f"wrote {tmp_path / 'out/comparison.csv'}" in result.output
    result = CliRunner().invoke(app, ["compare", *runs, "--resamples", "20", "--json"])
    assert json.loads(result.stdout)["models"] == ["one", "two"]
    assert CliRunner().invoke(app, ["compare", runs[0]]).exit_code == 2
    result = CliRunner().invoke(app, ["compare", *runs, "--figure", str(tmp_path / "forest.doc")])
    assert result.exit_code == 2 and ".png, .svg, .pdf" in result.output


def test_the_forest_shows_what_is_better_when_larger(write: Write, tmp_path: Path) -> None:
    pytest.importorskip("leadlight.figures.forest")
    runs = [str(write("one", 0)), str(write("two", 2))]
    file = tmp_path / "forest.svg"
    result = CliRunner().invoke(app, ["compare", *runs, "--resamples", "20", "--figure", str(file)])
    assert result.exit_code == 0, result.output
    drawn = file.read_text()
    assert "ROC-AUC A" in drawn and "two less one" in drawn and "Brier" not in drawn
