"""What the reader of an evaluation's numbers must know, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from leadlight.evaluation.arrays import Bools, Floats
from leadlight.evaluation.intervals import RARE_PATIENTS, Estimate

if TYPE_CHECKING:
    from leadlight.classifier.calibration import PredictionSets
    from leadlight.evaluation.conformal import SetCoverage
    from leadlight.evaluation.evaluation import ClassEvaluation


def remarks(
    classes: Sequence[ClassEvaluation], undefined: Bools, resampled: Floats, positive: Bools
) -> list[str]:
    """What the reader of the numbers must know: which classes are missing where, and which are rare."""
    found = []
    if undefined.any():
        names = ", ".join(
            f"{one.code} ({one.positives} of {one.n} positive)"
            for one, missing in zip(classes, undefined, strict=True)
            if missing
        )
        found.append(f"No ROC-AUC for {names}: left out of every mean that needs positives and negatives.")
    without = [one.code for one in classes if not np.isfinite(one.threshold)]
    if without:
        found.append(f"No threshold for {', '.join(without)}: no F1, no accuracy, never called.")
    rare = [one for one in classes if one.is_stratified and one.positives]
    if rare:
        names = ", ".join(f"{one.code} {one.patients}" for one in rare)
        found.append(
            f"Fewer than {RARE_PATIENTS} patients show, or do not show, these classes ({names}); each of "
            "their resamples has as many. So few stand for all that there could be."
        )
    lost = (resampled @ positive == 0) & ~undefined
    if lost.any():
        names = ", ".join(
            f"{one.code} {int(share)}" for one, share in zip(classes, lost.sum(axis=0), strict=True) if share
        )
        found.append(
            f"In {int(lost.any(axis=1).sum())} of {len(lost)} resamples of all classes one had no positives "
            f"and was left out of the means there ({names})."
        )
    return found


def uncovered(sets: PredictionSets, measured: Sequence[SetCoverage]) -> list[str]:
    """Classes whose sets held the truth surely less often than they state."""
    short = [
        f"{one.code} {kind} {held}"
        for one in measured
        for kind, held in (("present", one.present), ("absent", one.absent))
        if held.high < sets.coverage
    ]
    if not short:
        return []
    return [
        f"Prediction sets held the truth less often than in {sets.coverage:g} of the records: "
        f"{', '.join(short)}. Either by chance among the {sets.fitted_on.n_records} records behind the "
        "limits, or these records differ from those."
    ]


def shifts(overall: Mapping[str, Estimate], titles: Mapping[str, str]) -> list[str]:
    """Metrics whose resamples do not lie around the value: the interval is then not one around it either."""
    return [
        f"{titles[key]}: {one.format_value()}, but its resamples lie around {one.mean:.3f}. Records drawn "
        "twice move this metric where classes are rare; read the interval as a width, not as a place."
        for key, one in overall.items()
        if one.is_shifted
    ]
