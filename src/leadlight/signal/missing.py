"""Steps for missing samples: short gaps filled by straight lines, or zeros as some systems publish it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ContractError
from leadlight.signal.gaps import gap_lengths
from leadlight.signal.resample import bridge_gaps
from leadlight.signal.step import Conditions, Floats, Step, where


@dataclass(frozen=True)
class FillGaps(Step):
    """Straight lines across gaps of at most ``longest`` seconds; longer gaps are refused.

    A gap at the start or end takes the nearest value. 0.1 s is less than a QRS complex.
    """

    kind: ClassVar[str] = "fill-gaps"
    longest: float = 0.1

    def __post_init__(self) -> None:
        self._need("longest", 0, 3600, "s")

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        missing = np.isnan(signals)
        if not missing.any():
            return signals
        for record, lead in zip(*np.nonzero(missing.any(axis=2)), strict=True):
            longest = int(gap_lengths(missing[record, lead]).max())
            name = at.leads[lead]
            if longest == signals.shape[2]:
                raise ContractError(
                    f"{where(signals, int(record))}: lead {name} has no sample at all; accepted: gaps of at "
                    f"most {self.longest:g} s."
                )
            # 0.3 s x 10 Hz is not 3 in binary.
            if longest > self.longest * at.rate + 1e-6:
                raise ContractError(
                    f"{where(signals, int(record))}: found a gap of {longest / at.rate:g} s in lead {name}; "
                    f"accepted: at most {self.longest:g} s. Crop the recording to a part without it."
                )
        return bridge_gaps(signals)

    def describe(self) -> str:
        return f"Gaps of up to {self.longest:g} s are filled by straight lines; longer ones are refused."

    def note(self, before: Floats, at: Conditions) -> str:
        gaps = {lead: gap_lengths(row).size for lead, row in zip(at.leads, np.isnan(before[0]), strict=True)}
        filled = ", ".join(f"{lead} {n}" for lead, n in gaps.items() if n)
        return filled and f"gaps of up to {self.longest:g} s filled by straight lines: {filled}"


@dataclass(frozen=True)
class ZeroMissing(Step):
    """Missing samples become zero: a step in the signal, a flat line where a lead is missing.

    As published for ECG-XPLAIM (each missing sample) and ResUNet-LC (a lead with
    any missing sample becomes zero as a whole). Prefer ``FillGaps``.
    """

    kind: ClassVar[str] = "zero-missing"
    of: Literal["sample", "lead"] = "sample"

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        missing = self._zeroed(signals)
        if not missing.any():
            return signals
        return np.where(missing, signals.dtype.type(0), signals)

    def _zeroed(self, signals: Floats) -> NDArray[np.bool_]:
        missing = np.isnan(signals)
        if self.of == "lead":
            return np.broadcast_to(missing.any(axis=2, keepdims=True), missing.shape)
        return missing

    def describe(self) -> str:
        if self.of == "lead":
            return "A lead with any missing sample is set to zero as a whole."
        return "Missing samples are set to zero."

    def note(self, before: Floats, at: Conditions) -> str:
        counts = self._zeroed(before)[0].sum(axis=1)
        zeroed = ", ".join(f"{lead} {n}" for lead, n in zip(at.leads, counts, strict=True) if n)
        return zeroed and f"missing samples set to zero: {zeroed}"
