"""Metrics, thresholds and intervals, as plain functions on arrays, and the evaluation of a run on one fold.

arrays: what the functions accept. ranking, counting: the sums behind the metrics, for many record
weightings at once. metrics, by_record, challenge, published: one number a class or one in all.
intervals, delong: how sure they are. thresholds, calibrating, conformal: what is fitted on the validation
fold; reliability: whether probabilities mean what they say. subgroups, comparing: groups of records, and
models, beside each other. evaluation: all of it together; resampled, remarks, saving: its parts. runs,
calibration_runs, comparison_runs: the same for runs on one fold; opening, groups: their records.

Nothing here trains, and nothing chooses by the fold that is reported.
"""

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
from leadlight.evaluation.calibrating import cross_calibrated, fit_calibration
from leadlight.evaluation.calibration_runs import Calibrated, calibrate_run
from leadlight.evaluation.challenge import challenge_f_measure, challenge_score
from leadlight.evaluation.comparing import Comparison, Difference, Scores, compare
from leadlight.evaluation.comparison_runs import compare_runs
from leadlight.evaluation.conformal import SetCoverage, fit_prediction_sets, measure_sets
from leadlight.evaluation.delong import DeLong, delong
from leadlight.evaluation.evaluation import OVERALL, ClassEvaluation, Evaluation, evaluate
from leadlight.evaluation.intervals import (
    Estimate,
    Resamples,
    bootstrap_p,
    estimate,
    holm,
    proportion,
    resample_patients,
)
from leadlight.evaluation.metrics import (
    BENCHMARK_THRESHOLDS,
    PAPER_THRESHOLDS,
    FMax,
    accuracy,
    average_precision,
    brier,
    f1,
    fmax,
    macro_mean,
    roc_auc,
    undefined_classes,
)
from leadlight.evaluation.reliability import (
    Reliability,
    calibration_error,
    calibration_line,
    pooled_calibration_error,
    reliability,
)
from leadlight.evaluation.runs import evaluate_run, predict_rows
from leadlight.evaluation.subgroups import Subgroup, measure_subgroups
from leadlight.evaluation.thresholds import RULES, ThresholdRule, best_f1, fit_thresholds, threshold_estimates

__all__ = [
    "BENCHMARK_THRESHOLDS",
    "OVERALL",
    "PAPER_THRESHOLDS",
    "RULES",
    "Calibrated",
    "ClassEvaluation",
    "Comparison",
    "DeLong",
    "Difference",
    "Estimate",
    "Evaluation",
    "FMax",
    "Reliability",
    "Resamples",
    "Scores",
    "SetCoverage",
    "Subgroup",
    "ThresholdRule",
    "accuracy",
    "average_precision",
    "best_f1",
    "bootstrap_p",
    "brier",
    "calibrate_run",
    "calibration_error",
    "calibration_line",
    "challenge_f_measure",
    "challenge_score",
    "compare",
    "compare_runs",
    "coverage_error",
    "cross_calibrated",
    "delong",
    "estimate",
    "evaluate",
    "evaluate_run",
    "f1",
    "fit_calibration",
    "fit_prediction_sets",
    "fit_thresholds",
    "fmax",
    "hamming_loss",
    "holm",
    "label_ranking_average_precision",
    "label_ranking_loss",
    "log_loss",
    "macro_mean",
    "measure_sets",
    "measure_subgroups",
    "micro_average_precision",
    "micro_f1",
    "micro_roc_auc",
    "pooled_calibration_error",
    "predict_rows",
    "proportion",
    "reliability",
    "resample_patients",
    "roc_auc",
    "sample_f1",
    "subset_accuracy",
    "threshold_estimates",
    "undefined_classes",
]
