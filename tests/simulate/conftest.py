"""One clean simulated beat, measured with nothing but its samples and the boundaries asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.simulate import Truth, simulate_dataset, simulate_recording

RATE = 500


@dataclass(frozen=True)
class Beat:
    """A beat in the middle of a recording without noise, against its level before the QRS."""

    recording: Recording
    truth: Truth
    marks: dict[str, float]
    level: NDArray[np.float32]

    def part(self, lead: str, begin: str, end: str, shift: float = 0.0) -> NDArray[np.float32]:
        first = round((self.marks[begin] + shift) * RATE)
        stop = round((self.marks[end] + shift) * RATE)
        return self.recording[lead][first:stop] - self.level[STANDARD_LEADS.index(lead)]

    def qrs(self, lead: str) -> NDArray[np.float32]:
        return self.part(lead, "qrs_onset", "qrs_end")

    def j(self, lead: str) -> float:
        """40 ms after the J point, where the QRS is over and T has not begun."""
        at = round((self.marks["qrs_end"] + 0.04) * RATE)
        return float(self.recording[lead][at] - self.level[STANDARD_LEADS.index(lead)])

    def t(self, lead: str) -> float:
        """The value of T that is furthest from the level."""
        wave = self.part(lead, "t_onset", "t_end")
        return float(wave[np.argmax(np.abs(wave))])

    def q(self, lead: str) -> tuple[float, float]:
        """Depth in mV and duration in s of the negative deflection that the QRS begins with."""
        qrs = self.qrs(lead)
        positive = np.flatnonzero(qrs > 0.03)
        first = qrs[: positive[0]] if len(positive) else qrs
        below = np.flatnonzero(first < -0.02)
        return (float(first.min(initial=0)), len(below) / RATE)


@pytest.fixture(scope="session")
def beat() -> Callable[..., Beat]:
    def of(conditions: Sequence[str], seed: int, **arguments: object) -> Beat:
        recording, truth = simulate_recording(conditions, seed, noise=False, **arguments)  # type: ignore[arg-type]
        middle = truth.boundaries[len(truth.boundaries) // 2]
        names = ("p_onset", "p_end", "qrs_onset", "qrs_end", "t_onset", "t_end")
        marks = dict(zip(names, middle.tolist(), strict=True))
        before = round((marks["qrs_onset"] - 0.004) * RATE)
        return Beat(recording, truth, marks, recording.signal[:, before])

    return of


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty records of seed 3."""
    return simulate_dataset(tmp_path_factory.mktemp("simulated"), 30, 3)
