"""How long do 1,000 bootstrap resamples of a macro ROC-AUC take, at once and one after the other?

    python benchmarks/bootstrap.py --out benchmarks/results/bootstrap.md

2,000 records of 1,700 patients, 71 classes with the prevalences of a long-tailed label space.
"At once" is leadlight.evaluation: drawing the resamples, ROC-AUC of every class in each, the macro
mean. "One after the other" is scikit-learn's roc_auc_score on each class of each resample; it is
timed on a part of the same resamples, and the time for 1,000 is that part scaled up. Both are
compared on that part to 1e-12.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from keep import keep
from leadlight.evaluation import evaluate, macro_mean, resample_patients
from leadlight.evaluation.ranking import rank
from machine import describe_machine

RECORDS, PATIENTS, CLASSES, RESAMPLES = 2000, 1700, 71, 1000
LOOP_RESAMPLES, LOOP_PARTS = 20, 4
REPEATS = 5


def make_case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, scores and patients: from 2 positives to a third of the records, one label at least."""
    rng = np.random.default_rng(seed)
    prevalence = np.geomspace(1 / 1000, 1 / 3, CLASSES)
    truth = rng.random((RECORDS, CLASSES)) < prevalence
    for k in range(CLASSES):
        truth[rng.choice(RECORDS, 2, replace=False), k] = True
    truth[:, -1] |= ~truth.any(axis=1)
    scores = 1 / (1 + np.exp(-(rng.normal(size=truth.shape) + 2 * truth - 2)))
    patients = np.concatenate([np.arange(PATIENTS), rng.integers(PATIENTS, size=RECORDS - PATIENTS)])
    return truth, scores.astype(np.float32), patients


def loop(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Macro ROC-AUC of each resample, one class and one resample after the other."""
    macro = []
    for row in weights.astype(int):
        drawn = np.repeat(np.arange(len(truth)), row)
        t, s = truth[drawn], scores[drawn]
        both = [k for k in range(CLASSES) if 0 < t[:, k].sum() < len(t)]
        macro.append(np.mean([roc_auc_score(t[:, k], s[:, k]) for k in both]))
    return np.array(macro)


def timed(function: object, *arguments: object) -> tuple[float, object]:
    began = time.perf_counter()
    result = function(*arguments)  # type: ignore[operator]
    return time.perf_counter() - began, result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="Markdown file for the result.")
    out = parser.parse_args().out
    truth, scores, patients = make_case(seed=0)

    def at_once() -> np.ndarray:
        weights = resample_patients(patients, RESAMPLES, seed=1)
        return macro_mean(rank(truth, scores, weights=weights).roc_auc)

    weights = resample_patients(patients, RESAMPLES, seed=1)
    ours, looped = [], []
    equal = 0.0
    for repeat in range(max(REPEATS, LOOP_PARTS)):  # alternating, so that both see the same machine
        if repeat < REPEATS:
            seconds, macro = timed(at_once)
            ours.append(seconds)
        if repeat < LOOP_PARTS:
            part = slice(repeat * LOOP_RESAMPLES, (repeat + 1) * LOOP_RESAMPLES)
            seconds, expected = timed(loop, truth, scores, weights[part])
            looped.append(seconds)
            equal = max(equal, float(np.abs(macro[part] - expected).max()))
    assert equal < 1e-12, equal

    codes = [f"class {k}" for k in range(CLASSES)]
    whole = [
        timed(lambda: evaluate(truth, scores, codes, 0.5, patients=patients.tolist()))[0] for _ in range(3)
    ]
    scaled = [seconds / LOOP_RESAMPLES * RESAMPLES for seconds in looped]
    text = f"""# Bootstrap of a macro ROC-AUC

    python benchmarks/bootstrap.py --out benchmarks/results/bootstrap.md

{RECORDS:,} records of {PATIENTS:,} patients, {CLASSES} classes (from 2 positives to a third of the
records), resamples of patients, generated data (seed 0).

{describe_machine("leadlight", "numpy", "scikit-learn")}

| what | resamples timed | runs | seconds (smallest - median - largest) | for {RESAMPLES:,} resamples |
|---|---|---|---|---|
| macro ROC-AUC, all resamples at once | {RESAMPLES:,} | {REPEATS} | {spread(ours)} | \
{statistics.median(ours):.2f} s |
| the same, scikit-learn in a loop | {LOOP_RESAMPLES} | {LOOP_PARTS} | {spread(looped)} | \
{statistics.median(scaled):.0f} s, scaled up from {LOOP_RESAMPLES} |
| whole evaluation: all metrics, overall and by class | {RESAMPLES:,} | 3 | {spread(whole)} | \
{statistics.median(whole):.2f} s |

Ratio of the medians: {statistics.median(scaled) / statistics.median(ours):.0f}. On the \
{LOOP_PARTS * LOOP_RESAMPLES} resamples that both measured, the largest difference is {equal:.1e}.
"""
    print(text)
    keep(text, out)


def spread(seconds: list[float]) -> str:
    return f"{min(seconds):.2f} - {statistics.median(seconds):.2f} - {max(seconds):.2f}"


if __name__ == "__main__":
    main()
