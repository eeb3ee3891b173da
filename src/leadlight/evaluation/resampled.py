"""Every metric under every resample at once: of each class, and over all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from leadlight.evaluation.arrays import Bools, Floats
from leadlight.evaluation.by_record import hamming_loss, subset_accuracy
from leadlight.evaluation.challenge import challenge_score
from leadlight.evaluation.counting import count, mean_square, record_centred
from leadlight.evaluation.intervals import Resamples
from leadlight.evaluation.metrics import BENCHMARK_THRESHOLDS, PAPER_THRESHOLDS, macro_mean
from leadlight.evaluation.ranking import rank


def with_all(resampled: Floats) -> Floats:
    """Weightings with the records as they are in front."""
    return np.concatenate([np.ones((1, resampled.shape[1])), resampled])


def by_class(
    positive: Bools, values: Floats, limits: Floats, mask: Bools, weights: Floats
) -> dict[str, Floats]:
    """Each metric of each class, (weightings, classes)."""
    ranked = rank(positive, values, mask, weights)
    counts = count(positive, values, limits, mask, weights)
    return {
        "roc_auc": ranked.roc_auc,
        "average_precision": ranked.average_precision,
        "f1": counts.f1,
        "precision": counts.precision,
        "recall": counts.recall,
        "specificity": counts.specificity,
        "npv": counts.npv,
        "accuracy": counts.accuracy,
        "brier": mean_square(positive, values, mask, weights),
    }


def with_rare_stratified(
    measured: Mapping[str, Floats],
    positive: Bools,
    values: Floats,
    limits: Floats,
    mask: Bools,
    drawn: Resamples,
) -> tuple[dict[str, Floats], Bools]:
    """The same where rare classes have resamples of their own, and which do, (classes,).

    measured: what ``by_class`` gave for ``with_all(drawn.weights)``.
    """
    result = {name: column.copy() for name, column in measured.items()}
    is_stratified = np.zeros(positive.shape[1], dtype=bool)
    for k in range(positive.shape[1]):
        own, is_stratified[k] = drawn.of_class((positive & mask)[:, k])
        if is_stratified[k]:
            one = slice(k, k + 1)
            apart = by_class(positive[:, one], values[:, one], limits[one], mask[:, one], with_all(own))
            for name, column in apart.items():
                result[name][:, k] = column[:, 0]
    return result, is_stratified


def over_all(
    positive: Bools,
    values: Floats,
    limits: Floats,
    mask: Bools,
    weights: Floats,
    measured: Mapping[str, Floats],
    is_challenge: bool,
) -> dict[str, Floats]:
    """Each metric over all classes, (weightings,); the Challenge's score where it has these classes."""
    result = {f"macro_{name}": macro_mean(column) for name, column in measured.items()}
    result["mean_accuracy"], result["mean_brier"] = result.pop("macro_accuracy"), result.pop("macro_brier")
    at_half = count(positive, values, 0.5, mask, weights).accuracy
    result |= {
        "fmax": _largest(record_centred(positive, values, PAPER_THRESHOLDS, mask, weights).f),
        "fmax_benchmark": _largest(record_centred(positive, values, BENCHMARK_THRESHOLDS, mask, weights).f),
        "mean_accuracy_at_half": macro_mean(at_half),
        "subset_accuracy": subset_accuracy(positive, values, limits, mask, weights),
        "hamming_loss": hamming_loss(positive, values, limits, mask, weights),
    }
    if is_challenge:
        result["challenge_score"] = challenge_score(positive, values, limits, mask, weights)
    return result


def _largest(f: Floats) -> Floats:
    """The largest defined F of each weighting, (weightings,)."""
    filled = np.where(np.isfinite(f), f, -1.0).max(axis=1)
    return np.where(filled < 0, np.nan, filled)
