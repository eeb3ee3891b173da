"""From measures to flags, by the limits in ``data/thresholds.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlight.leads import LIMB_COMBINATIONS
from leadlight.quality.limb_leads import NEEDED, SUSPECTED, margins
from leadlight.quality.measures import MAINS, Measures
from leadlight.quality.tables import thresholds

Flags = NDArray[np.bool_]

FLAGS = ("missing", "flat", "saturated", "noisy", "mains", "drifting")
INCONSISTENT = "inconsistent"
"""The verdict where the limb leads break Einthoven's or Goldberger's law."""


_ROUNDING = 1 - 1e-5
"""Times are float32: so much less than a limit in seconds reaches it."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """flags: name -> (records, leads), None where not assessed; limb_leads: a verdict a record, or None.

    limb_assessed: (records,) whether the verdict rests on a comparison; margin: (records, 2), how much
    better each of ``SUSPECTED`` fits, NaN without the leads.
    """

    flags: dict[str, Flags | None]
    limb_leads: list[str | None]
    limb_assessed: Flags
    margin: NDArray[np.float32]


def judge(measures: Measures, leads: Sequence[str], duration: float) -> Judgement:
    """Flags of every lead and the verdict on the limb leads. duration: seconds of a record."""
    limits = thresholds()
    flags: dict[str, Flags | None] = {
        "missing": measures.missing > limits["missing"]["share"],
        "flat": measures.flat * duration >= limits["flat"]["seconds"] * _ROUNDING,
        "saturated": measures.rail >= limits["saturated"]["seconds"] * _ROUNDING,
        "noisy": measures.noise >= limits["noisy"]["millivolts"],
        "mains": None,
        "drifting": measures.drift >= limits["drifting"]["millivolts"],
    }
    if measures.mains is not None and measures.mains_ratio is not None:
        loud = measures.mains >= limits["mains"]["millivolts"]
        flags["mains"] = (loud & (measures.mains_ratio >= limits["mains"]["ratio"])).any(axis=-1)
    verdicts, assessed, margin = _limb_leads(measures, tuple(leads), limits["limb_leads"])
    return Judgement(flags, verdicts, assessed, margin)


def _limb_leads(
    measures: Measures, leads: tuple[str, ...], limits: Mapping[str, float]
) -> tuple[list[str | None], Flags, NDArray[np.float32]]:
    n = len(measures.missing)
    verdicts: list[str | None] = [None] * n
    limb = [place for place, lead in enumerate(leads) if lead in {"I", "II", *LIMB_COMBINATIONS}]
    needed = [place for place, lead in enumerate(leads) if lead in NEEDED]
    residual = np.fmax(measures.einthoven, measures.goldberger)  # NaN where both are
    lawful: Flags = ~np.asarray(residual > limits["residual_millivolts"], dtype=np.bool_)
    # Gaps of one lead break the laws by themselves: nothing is said then.
    whole: Flags = (measures.missing[:, limb] == 0).all(axis=1)
    present: Flags = ((measures.missing == 0) & (measures.flat <= limits["flat_share"]))[:, needed].all(
        axis=1
    )
    margin = margins(measures.limb)
    assessed = whole & lawful & present & np.isfinite(margin).all(axis=1)
    small = measures.limb_sizes < limits["small"]
    suspects: Flags = ~lawful | (margin > limits["margin"]).any(axis=1) | small.any(axis=1)
    for record in np.flatnonzero(suspects).tolist():
        if whole[record] and not lawful[record]:
            verdicts[record] = INCONSISTENT
        elif assessed[record]:
            if small[record].any():
                verdicts[record] = "RA-RL" if small[record, 0] else "LA-RL"
            elif margin[record].max() > limits["margin"]:
                verdicts[record] = SUSPECTED[int(margin[record].argmax())]
    return verdicts, assessed, margin


def stronger_line(mains: NDArray[np.float32]) -> tuple[float, float]:
    """Hz and mV of the stronger of the two lines of one lead."""
    which = int(mains.argmax())
    return MAINS[which], float(mains[which])
