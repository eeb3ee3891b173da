"""The numbers that the PTB-XL benchmark and IMLE-Net's own code give for real and for awkward scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from leadlight.evaluation import (
    BENCHMARK_THRESHOLDS,
    PAPER_THRESHOLDS,
    accuracy,
    average_precision,
    best_f1,
    brier,
    f1,
    fit_thresholds,
    fmax,
    macro_mean,
    roc_auc,
    undefined_classes,
)
from leadlight.evaluation.by_record import (
    coverage_error,
    hamming_loss,
    label_ranking_average_precision,
    label_ranking_loss,
    log_loss,
    micro_average_precision,
    micro_f1,
    micro_roc_auc,
    sample_f1,
    subset_accuracy,
)
from leadlight.evaluation.counting import count, record_centred
from leadlight.evaluation.published import (
    benchmark_calls,
    f_beta_g_beta,
    g_beta_thresholds,
    xplaim_auc_interval,
)
from leadlight.evaluation.ranking import rank

TOLERANCE = 1e-9


def close(found: Any, expected: Any) -> None:
    """Equal, with null in the golden file for NaN in ours."""
    wanted = np.array(expected, dtype=np.float64)  # None becomes NaN
    assert_allclose(found, wanted, rtol=0, atol=TOLERANCE, equal_nan=True)


def check_all(truth: np.ndarray, scores: np.ndarray, expected: dict[str, Any]) -> None:
    defined = np.array(expected["positives"]) > 0
    close(roc_auc(truth, scores), expected["roc_auc_per_class"])
    close(macro_mean(roc_auc(truth, scores)), expected["roc_auc_macro"])
    close(average_precision(truth, scores), expected["average_precision_per_class"])
    close(macro_mean(average_precision(truth, scores)), expected["average_precision_macro"])
    close(accuracy(truth, scores, 0.5), expected["accuracy_per_class_at_0.5"])
    close(macro_mean(accuracy(truth, scores, 0.5)), expected["accuracy_mean_at_0.5"])
    close(1 - macro_mean(accuracy(truth, scores, 0.5)), expected["hamming_loss_at_0.5"])
    close(f1(truth, scores, 0.5), np.where(defined, expected["f1_at_0.5_per_class"], np.nan))
    close(macro_mean(f1(truth, scores, 0.5)), expected["f1_at_0.5_macro_classes_with_positives"])
    close(best_f1(truth, scores), expected["f1_best_per_class"])
    close(macro_mean(best_f1(truth, scores)), expected["f1_best_macro"])
    close(fit_thresholds(truth, scores), expected["f1_best_threshold_per_class"])
    close(brier(truth, scores), expected["brier_per_class"])
    close(macro_mean(brier(truth, scores)), expected["brier_mean"])
    check_fmax(truth, scores, expected["fmax_record_centred_sound"])
    close(micro_roc_auc(truth, scores), expected["roc_auc_micro"])
    close(micro_average_precision(truth, scores), expected["average_precision_micro"])
    close(micro_f1(truth, scores, 0.5), expected["f1_at_0.5_micro"])
    close(sample_f1(truth, scores, 0.5)[0], expected["f1_at_0.5_samples"])
    close(hamming_loss(truth, scores, 0.5)[0], expected["hamming_loss_at_0.5"])
    close(subset_accuracy(truth, scores, 0.5)[0], expected["subset_accuracy_at_0.5"])
    close(coverage_error(truth, scores), expected["coverage_error"])
    close(label_ranking_average_precision(truth, scores), expected["label_ranking_average_precision"])
    close(label_ranking_loss(truth, scores), expected["label_ranking_loss"])
    close(log_loss(truth, scores), expected["log_loss_mean_clipped_1e-7"])


def check_fmax(truth: np.ndarray, scores: np.ndarray, expected: dict[str, Any]) -> None:
    best = fmax(truth, scores, BENCHMARK_THRESHOLDS)
    close(
        [best.value, best.threshold, best.precision, best.recall],
        [expected[key] for key in ("value", "threshold", "precision", "recall")],
    )


@pytest.mark.real
def test_published_test_fold(benchmark_test: Any) -> None:
    check_all(benchmark_test.truth, benchmark_test.scores, benchmark_test.expected)
    close(macro_mean(roc_auc(benchmark_test.truth, benchmark_test.scores)), 0.9254358590055028)


@pytest.mark.real
def test_published_validation_fold(benchmark_val: Any) -> None:
    check_all(benchmark_val.truth, benchmark_val.scores, benchmark_val.expected)


@pytest.mark.real
def test_ties_scores_of_one_half_and_a_class_without_positives(tied: Any, golden: dict[str, Any]) -> None:
    check_all(tied.truth, tied.scores, golden["synthetic"])


@pytest.mark.real
def test_fmax_of_labelled_records_only_is_the_same(tied: Any, golden: dict[str, Any]) -> None:
    labelled = tied.truth.any(axis=1)
    assert labelled.sum() == golden["synthetic_labelled_only"]["n_records"]
    expected = golden["synthetic_labelled_only"]["fmax_record_centred"]
    check_fmax(tied.truth[labelled], tied.scores[labelled], expected)


@pytest.mark.real
@pytest.mark.parametrize("year", ["2021", "2020"])
def test_published_resamples(benchmark_test: Any, reference: Path, golden: dict[str, Any], year: str) -> None:
    with np.load(reference / "ptbxl/parity/ptbxl_exp0_test_bootstrap_ids.npz") as arrays:
        drawn = arrays[f"ids_{year}"]
    weights = np.stack([np.bincount(ids, minlength=len(benchmark_test.truth)) for ids in drawn])
    curve = record_centred(benchmark_test.truth, benchmark_test.scores, BENCHMARK_THRESHOLDS, weights=weights)
    found = {
        "macro_auc": macro_mean(rank(benchmark_test.truth, benchmark_test.scores, weights=weights).roc_auc),
        "fmax": np.nanmax(curve.f, axis=1),
    }
    for metric, expected in golden[f"bootstrap_{year}"].items():
        close(found[metric].mean(), expected["mean"])
        close(np.quantile(found[metric], [0.05, 0.95]), [expected["lower_q05"], expected["upper_q95"]])


@pytest.mark.parametrize("scale", ["original", "original_on_logits"])
def test_metrics_of_the_imle_net_paper(imle: Any, scale: str) -> None:
    expected, scores = imle.expected[scale], imle.scores
    if scale == "original_on_logits":  # how the published code judged two of its networks
        scores = np.log(scores / (1 - scores))
    close(roc_auc(imle.truth, scores), expected["class_auc"])
    close(macro_mean(roc_auc(imle.truth, scores)), expected["macro_auc"])
    close(accuracy(imle.truth, scores, expected["accuracy_threshold"]), expected["class_accuracy"])
    close(macro_mean(accuracy(imle.truth, scores, 0.5)), expected["mean_accuracy"])
    assert PAPER_THRESHOLDS.tolist() == expected["thresholds"]
    curve = record_centred(imle.truth, scores, PAPER_THRESHOLDS)
    close(curve.precision[0], expected["average_precision_at"])
    close(curve.recall[0], expected["average_recall_at"])
    close(curve.f[0], expected["f_at"])
    close(fmax(imle.truth, scores, PAPER_THRESHOLDS).value, expected["fmax"])


def test_fmax_over_every_score_of_the_imle_net_case(imle: Any) -> None:
    derived = imle.expected["derived"]
    assert fmax(imle.truth, imle.scores, PAPER_THRESHOLDS).threshold == derived["fmax_threshold"]
    best = fmax(imle.truth, imle.scores)
    close(best.value, derived["fmax_over_every_distinct_score"])
    assert best.threshold == derived["threshold_of_that_fmax"]


def test_a_class_without_positives_is_named_not_averaged(tied: Any) -> None:
    assert [name for name, out in zip(tied.classes, undefined_classes(tied.truth), strict=True) if out] == [
        "D"
    ]
    assert np.isnan(roc_auc(tied.truth, tied.scores)).tolist() == [False, False, False, True, False]
    # The published values of the four others.
    others = [0.8572862304295464, 0.8882949561403508, 0.8737231869254342, 0.8179126572908957]
    close(macro_mean(roc_auc(tied.truth, tied.scores)), np.mean(others))


@pytest.mark.real
def test_the_benchmarks_metrics_of_cpsc_2018(
    benchmark_test: Any, benchmark_val: Any, golden: dict[str, Any]
) -> None:
    expected = golden["challenge_metrics_test"]
    called = benchmark_calls(benchmark_test.scores, expected["thresholds_youden_from_val"])
    f, g = f_beta_g_beta(benchmark_test.truth, called)
    close([f.mean(), g.mean()], [expected["F_beta_macro"], expected["G_beta_macro"]])
    wanted = golden["g_beta_thresholds_val"]
    chosen = [benchmark_val.classes.index(code) for code in wanted]
    found = g_beta_thresholds(benchmark_val.truth[:, chosen], benchmark_val.scores[:, chosen])
    close(found, list(wanted.values()))


@pytest.mark.real
@pytest.mark.parametrize("which", ["y_score", "y_score_main_file"])
def test_the_published_code_test(reference: Path, which: str) -> None:
    with np.load(reference / "challenge/parity/code_test.npz") as arrays:
        truth, scores = arrays["y_true"], arrays[which]
    case = json.loads((reference / "challenge/parity/code_test.json").read_text())
    expected = case[which]
    # Published calls are "above", ours "at or above": the next number after the threshold.
    thresholds = np.nextafter([case["thresholds"][code] for code in case["classes"]], 1)
    counts = count(truth, scores, thresholds)
    for name, of_class in {
        "tp": counts.true_positive, "fp": counts.false_positive, "fn": counts.false_negative,
        "tn": counts.true_negative, "precision": counts.precision, "recall": counts.recall,
        "specificity": counts.specificity, "f1": counts.f1,
    }.items():  # fmt: skip
        close(of_class[0], [expected["per_class"][code][name] for code in case["classes"]])
        if name in expected["macro"]:
            close(macro_mean(of_class[0]), expected["macro"][name])
    if which == "y_score":
        table = np.array([case["published_table2_dnn"][code] for code in case["classes"]])
        ours = np.stack([counts.precision[0], counts.recall[0], counts.specificity[0], counts.f1[0]], axis=1)
        assert_allclose(np.round(ours, 3), table, rtol=0, atol=1e-12)
    binary, areas, precisions = expected["binary"], expected["roc_auc"], expected["average_precision"]
    assert_allclose(roc_auc(truth, scores), [areas[code] for code in case["classes"]], atol=1e-7)
    assert_allclose(micro_roc_auc(truth, scores), areas["micro"], atol=1e-7)
    assert_allclose(average_precision(truth, scores), [precisions[c] for c in case["classes"]], atol=1e-7)
    assert_allclose(micro_average_precision(truth, scores), precisions["micro"], atol=1e-7)
    close(micro_f1(truth, scores, thresholds), binary["f1_micro"])
    close(sample_f1(truth, scores, thresholds)[0], binary["f1_samples_zero_division_0"])
    close(subset_accuracy(truth, scores, thresholds)[0], binary["subset_accuracy"])
    close(hamming_loss(truth, scores, thresholds)[0], binary["hamming_loss"])
    close(coverage_error(truth, scores), binary["coverage_error"])
    close(label_ranking_average_precision(truth, scores), binary["label_ranking_average_precision"])
    close(log_loss(truth, scores), binary["binary_cross_entropy_mean_clipped_1e-7"])


@pytest.mark.real
def test_the_published_doctors(reference: Path) -> None:
    with np.load(reference / "challenge/parity/code_test.npz") as arrays:
        answers = {name: arrays[name] for name in arrays}
    case = json.loads((reference / "challenge/parity/code_test.json").read_text())
    for who, expected in case["annotators"].items():
        counts = count(answers["y_true"], answers[who].astype(float), 0.5)
        for name in ("precision", "recall", "specificity", "f1"):
            of_class = getattr(counts, name)[0]
            close(of_class, [expected[code][name] for code in case["classes"]])


def test_the_interval_that_ecg_xplaim_calls_delong() -> None:
    # AUC 0.95 of 1,000 records: an error of 0.0069, whatever the number of positives.
    found = xplaim_auc_interval(0.95, 1000)
    assert_allclose((found.high - found.low) / 2 / 1.96, 0.0069, atol=5e-5)
