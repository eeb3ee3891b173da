"""Metrics, thresholds and intervals, as plain functions on arrays, and the evaluation of a run on one fold.

arrays: what the functions accept. ranking, counting: the sums behind the metrics, for many record
weightings at once. metrics: one number a class or one in all. thresholds: fitted on the validation
fold. intervals: the bootstrap over patients. evaluation: all of it together; saving: its files.
runs: a run, or any model, on one fold.

Nothing here trains, and nothing chooses by the fold that is reported.
"""

from leadlight.evaluation.evaluation import OVERALL, ClassEvaluation, Evaluation, evaluate
from leadlight.evaluation.intervals import Estimate, estimate, resample_patients
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
from leadlight.evaluation.runs import evaluate_run, predict_rows
from leadlight.evaluation.thresholds import RULES, ThresholdRule, best_f1, fit_thresholds, threshold_estimates

__all__ = [
    "BENCHMARK_THRESHOLDS",
    "OVERALL",
    "PAPER_THRESHOLDS",
    "RULES",
    "ClassEvaluation",
    "Estimate",
    "Evaluation",
    "FMax",
    "ThresholdRule",
    "accuracy",
    "average_precision",
    "best_f1",
    "brier",
    "estimate",
    "evaluate",
    "evaluate_run",
    "f1",
    "fit_thresholds",
    "fmax",
    "macro_mean",
    "predict_rows",
    "resample_patients",
    "roc_auc",
    "threshold_estimates",
    "undefined_classes",
]
