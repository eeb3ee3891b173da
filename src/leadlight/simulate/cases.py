"""Which person and which picture stands behind each record of a simulated data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leadlight.recording import Sex
from leadlight.simulate.recording import Case, draw_age, sort_conditions
from leadlight.simulate.tables import table

FOLDS = 10
# Shares of patients with one, two and three records; PTB-XL has 1.16 records a patient.
RECORDS_A_PATIENT = (0.88, 0.09, 0.03)


@dataclass(frozen=True)
class Patient:
    """A person of the data set: number, age at the first record in years, sex, findings, fold."""

    number: int
    age: float
    sex: Sex
    findings: tuple[str, ...]
    fold: int


@dataclass(frozen=True)
class Draft:
    """A record before it is drawn: its id, its patient, which of the patient's records, and its case."""

    record_id: int
    patient: Patient
    visit: int
    case: Case


def drafts(seed: int, n_records: int) -> Iterator[Draft]:
    """The records 1 ... n of a data set; the first n are the same for every larger n.

    Folds are dealt by turns within each superclass, patient by patient, so that they are stratified
    whatever n is.
    """
    record_id, number = 1, 1
    # How many patients of each superclass were dealt so far.
    dealt: dict[str, int] = {}
    counts = np.random.default_rng([seed, 4])
    while record_id <= n_records:
        patient = _patient(seed, number, dealt)
        visits = 1 + int(counts.choice(3, p=RECORDS_A_PATIENT))
        for visit in range(visits):
            if record_id <= n_records:
                yield Draft(record_id, patient, visit, _case(seed, record_id, patient, visit))
            record_id += 1
        number += 1


def _patient(seed: int, number: int, dealt: dict[str, int]) -> Patient:
    rng = np.random.default_rng([seed, 1, number])
    rows = table("pictures")
    weights = np.array([float(row["weight"]) for row in rows])
    picture = rows[int(rng.choice(len(rows), p=weights / weights.sum()))]["findings"]
    findings, _ = sort_conditions([code for code in picture.split(";") if code])
    stratum = _stratum(findings)
    turn = dealt.get(stratum, 0)
    dealt[stratum] = turn + 1
    order = np.random.default_rng([seed, 3, turn // FOLDS, *stratum.encode()]).permutation(FOLDS)
    sex: Sex = "male" if rng.random() < 0.52 else "female"
    return Patient(number, draw_age(rng, bool(findings)), sex, findings, int(order[turn % FOLDS]) + 1)


def _stratum(findings: tuple[str, ...]) -> str:
    """The rarest superclass of the findings."""
    of = {row["finding"]: row["superclass"] for row in table("evidence")}
    mine = {of[code] for code in findings}
    return next((name for name in ("HYP", "CD", "STTC", "MI") if name in mine), "NORM")


def _case(seed: int, record_id: int, patient: Patient, visit: int) -> Case:
    rng = np.random.default_rng([seed, 2, record_id])
    rows = table("rhythms")
    weights = np.array([float(row["weight"]) for row in rows])
    rhythm = rows[int(rng.choice(len(rows), p=weights / weights.sum()))]["rhythm"]
    return Case(
        findings=patient.findings,
        rhythm="" if rhythm == "SR" else rhythm,
        age=min(patient.age + visit, 95.0),
        sex=patient.sex,
        person=(seed, 1, patient.number, 1),
        recording=(seed, 0, record_id),
    )
