"""Who has which recordings of the pool, in a simulated data set in the layout of MIMIC-IV-ECG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from leadlight.simulate.cases import Draft
from leadlight.simulate.tables import table

MOST_RECORDS = 800_035
"""As many as MIMIC-IV-ECG has: its numbers of patients and studies have room for them."""
_FIRST_SUBJECT, _FIRST_STUDY = 10_000_000, 40_000_000
# 161,352 patients among ten million numbers; the most records need fewer than all of them.
_LARGEST_GAP = 119
# Without a factor of ten million: studies get numbers all over, each once.
_STRIDE = 7_368_787
_SAME_FINDINGS = 0.7


@dataclass(frozen=True)
class MimicPatient:
    """number: from 0; first: place of the first record; waveforms: of the pool, one a record."""

    number: int
    subject: int
    first: int
    waveforms: tuple[int, ...]

    def study(self, visit: int) -> str:
        """The study_id of a visit, counted from 0."""
        return str(_FIRST_STUDY + (self.first + visit) * _STRIDE % 10_000_000)


def patients(seed: int, n_records: int, cases: list[Draft]) -> Iterator[MimicPatient]:
    """The patients of the first n records: later ECGs mostly show what the first one showed."""
    rng = np.random.default_rng([seed, 6])
    alike: dict[tuple[Any, ...], list[int]] = {}
    for draft in cases:
        alike.setdefault((draft.case.sex,), []).append(draft.record_id)
        alike.setdefault((draft.case.sex, draft.case.findings), []).append(draft.record_id)
    subject, number, first = _FIRST_SUBJECT, 0, 0
    while first < n_records:
        subject += int(rng.integers(1, _LARGEST_GAP + 1))
        home = cases[int(rng.integers(len(cases)))]
        chosen = [home.record_id]
        for die, where in rng.random((draw_number_of_ecgs(rng) - 1, 2)).tolist():
            key = (home.case.sex, home.case.findings) if die < _SAME_FINDINGS else (home.case.sex,)
            chosen.append(alike[key][int(where * len(alike[key]))])
        yield MimicPatient(number, subject, first, tuple(chosen[: n_records - first]))
        first += len(chosen)
        number += 1


def used(seed: int, n_records: int, cases: list[Draft]) -> list[int]:
    """Numbers of the recordings of the pool that the first n records need."""
    found: set[int] = set()
    for patient in patients(seed, n_records, cases):
        found.update(patient.waveforms)
        if len(found) == len(cases):
            break
    return sorted(found)


def batches(people: Iterator[MimicPatient], size: int) -> Iterator[list[MimicPatient]]:
    """The patients, some at a time."""
    while batch := list(islice(people, size)):
        yield batch


def draw_number_of_ecgs(rng: np.random.Generator) -> int:
    """How many ECGs a patient has: 1 to 260, half of the patients one or two."""
    rows = table("mimic_ecgs_per_patient")
    shares = [float(row["share_of_patients"]) for row in rows]
    logs = np.log([float(row["ecgs"]) for row in rows])
    return round(float(np.exp(np.interp(rng.random(), shares, logs))))
