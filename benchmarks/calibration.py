"""Do calibrated probabilities and prediction sets hold on records that took no part?

Each calibrator and the prediction sets are fitted on the validation fold (which also chose the epoch)
and measured on another fold: calibration error, Brier score, log loss, macro ROC-AUC, and how often
the sets hold the truth, of all present and of all absent findings.

    python benchmarks/calibration.py RUN RUN ... --data STORE --fit 8 --fold 9 \\
        --out benchmarks/results/calibration.md
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keep import keep
from leadlight import evaluation as ev
from leadlight.classifier import find_model_folder, load, read_contract
from leadlight.classifier.calibration import FittedOn
from leadlight.evaluation.calibrating import logits_of
from leadlight.evaluation.opening import open_for, records_for
from machine import describe_machine

METHODS = ("temperature", "platt", "isotonic")
COVERAGES = (0.8, 0.9, 0.95)
Values = NDArray[np.float64]


def measured(model: str, data: str, folds: tuple[int, int]) -> tuple[list[str], list[tuple[Values, Values]]]:
    """The classes, and truth and raw probabilities of both folds."""
    contract = read_contract(find_model_folder(model))
    if contract.calibration is not None:
        raise SystemExit(f"{model}: is calibrated already; give the run as it was trained.")
    store, _ = open_for(contract, model, data, lambda *_: None)
    found = []
    for fold in folds:
        chosen = records_for(contract, store, [fold])
        scores = ev.predict_rows(load(model), store, chosen.rows)
        found.append((np.asarray(chosen.truth, dtype=float), scores.astype(float)))
    return list(contract.codes), found


def quality(truth: Values, scores: Values) -> list[str]:
    error = float(ev.macro_mean(ev.calibration_error(truth, scores)[0]))
    return [
        f"{error:.3f}",
        f"{float(ev.macro_mean(ev.brier(truth, scores))):.4f}",
        f"{ev.log_loss(truth, scores):.4f}",
        f"{float(ev.macro_mean(ev.roc_auc(truth, scores))):.4f}",
    ]


def coverages(fit: tuple[Values, Values], on: tuple[Values, Values], by: FittedOn) -> list[str]:
    """Of each wanted coverage: the share of present findings that the sets hold, and of absent ones."""
    cells = []
    for wanted in COVERAGES:
        sets = ev.fit_prediction_sets(*fit, coverage=wanted, fitted_on=by)
        truth, scores = on
        inside, shown = sets.sets(scores), truth > 0
        present = ev.proportion(int(inside[..., 0][shown].sum()), int(shown.sum()))
        absent = ev.proportion(int(inside[..., 1][~shown].sum()), int((~shown).sum()))
        cells.append(f"{present} / {absent}")
    return cells


def by_class(codes: list[str], fit: tuple[Values, Values], on: tuple[Values, Values], by: FittedOn) -> str:
    sets = ev.fit_prediction_sets(*fit, coverage=0.9, fitted_on=by)
    return "; ".join(
        f"{one.code} {one.present.value:.2f} of {one.positives} / {one.absent.value:.2f} of {one.negatives}"
        for one in ev.measure_sets(sets, on[0], on[1], codes)
    )


def section(model: str, options: argparse.Namespace) -> list[str]:
    codes, (fit, on) = measured(model, options.data, (options.fit, options.fold))
    by = FittedOn(dataset="store", version="", folds=(options.fit,), n_records=len(fit[0]))
    lines = [
        f"## {model}",
        "",
        f"Fitted on fold {options.fit} (n {len(fit[0])}), measured on fold {options.fold} (n {len(on[0])}).",
        "",
        "| calibrator | calibration error | Brier | log loss | macro ROC-AUC | "
        + " | ".join(f"sets of {wanted:.0%}: present / absent held" for wanted in COVERAGES)
        + " |",
        f"|---|{'---:|' * 4}{'---|' * len(COVERAGES)}",
        f"| none | {' | '.join(quality(*on) + coverages(fit, on, by))} |",
    ]
    for method in METHODS:
        calibration = ev.fit_calibration(*fit, method=method, fitted_on=by)
        sides = [
            (truth, np.asarray(calibration.probabilities(logits_of(scores)), dtype=float))
            for truth, scores in (fit, on)
        ]
        lines.append(f"| {method} | {' | '.join(quality(*sides[1]) + coverages(sides[0], sides[1], by))} |")
    return [*lines, "", f"Sets of 90% by class, not calibrated: {by_class(codes, fit, on, by)}.", ""]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", help="runs, model folders or shipped names")
    parser.add_argument("--data", required=True, help="a store")
    parser.add_argument("--fit", type=int, default=8)
    parser.add_argument("--fold", type=int, default=9)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    command = " ".join(["python benchmarks/calibration.py", *options.runs, "--data", options.data])
    lines = [
        "# Calibrated probabilities and prediction sets on real ECGs",
        "",
        f"`{command} --fit {options.fit} --fold {options.fold} --out {options.out}`. {describe_machine()}",
        "",
        "Means over the classes; exact 95% intervals of the shares.",
        "",
    ]
    for run in options.runs:
        lines += section(run, options)
        print("\n".join(lines[-12:]), flush=True)
    keep("\n".join(lines).rstrip() + "\n", options.out)


if __name__ == "__main__":
    main()
