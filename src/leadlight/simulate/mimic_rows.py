"""What MIMIC-IV-ECG's tables say of a simulated recording: the cart's report, measurements, headers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Sex, Statement
from leadlight.simulate.tables import table
from leadlight.simulate.truth import Truth

LIST_COLUMNS = ("subject_id", "study_id", "file_name", "ecg_time", "path")
MEASURED = (
    "rr_interval", "p_onset", "p_end", "qrs_onset", "qrs_end", "t_end", "p_axis", "qrs_axis", "t_axis",
)  # fmt: skip
N_REPORTS = 18
MEASUREMENT_COLUMNS = (
    "subject_id", "study_id", "cart_id", "ecg_time", *(f"report_{k}" for k in range(N_REPORTS)),
    "bandwidth", "filtering", *MEASURED,
)  # fmt: skip
LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
"""The files' own order: aVF before aVL."""
GAIN = 200
"""Counts a millivolt."""
SURE = 80.0
"""Percent from which a cart states a finding without a hedge."""
_NAME = "\0"


@dataclass(frozen=True)
class Waveform:
    """A recording of the pool, as far as the tables need it.

    header: lines after the first, with a placeholder for the record's name; codes: code ->
    whether the cart is sure; times in ms: rr, p (its duration), pr, qrs, qt; axes in degrees.
    """

    number: int
    sex: Sex
    age: float
    findings: tuple[str, ...]
    header: str
    codes: dict[str, bool]
    rr: float
    p: float
    pr: float
    qrs: float
    qt: float
    p_axis: float
    qrs_axis: float
    t_axis: float


def counts_of(signal: NDArray[np.floating]) -> NDArray[np.int16]:
    """int16 (samples, 12) in the files' order of leads. signal: (12, samples) in mV, in standard order."""
    rows = [STANDARD_LEADS.index(lead) for lead in LEADS]
    counts: NDArray[np.int16] = np.rint(signal[rows].T * GAIN).astype("<i2")
    return counts


def header_lines(counts: NDArray[np.int16]) -> str:
    """The lines of a header that describe the leads."""
    sums = counts.sum(axis=0, dtype=np.int64).astype(np.int16)  # as wfdb: the low 16 bits, with a sign
    return "".join(
        f"{_NAME}.dat 16 {GAIN}.0(0)/mV 16 0 {first} {checksum} 0 {lead}\n"
        for first, checksum, lead in zip(counts[0], sums, LEADS, strict=True)
    )


def header(waveform: Waveform, study: str, subject: str, time: str) -> str:
    """A record's header. time: "2180-07-23 08:44:00"."""
    date, clock = time.split(" ")
    year, month, day = date.split("-")
    first = f"{study} {len(LEADS)} 500 5000 {clock} {day}/{month}/{year}\n"
    return f"{first}{waveform.header.replace(_NAME, study)}# subject_id: {subject}\n"


def cart_codes(statements: Sequence[Statement], truth: Truth, rr: float) -> dict[str, bool]:
    """What a cart finds in a recording, and whether it is sure: findings, rhythm, axis, QT, quality."""
    codes = {
        one.code: one.likelihood is None or one.likelihood >= SURE or not one.likelihood for one in statements
    }
    values = truth.parameters
    if values["qrs_axis"] < -30 or values["qrs_axis"] > 90:
        codes.setdefault("LAXIS" if -120 <= values["qrs_axis"] < -30 else "RAXIS", True)
    if "LAFB" in codes:
        codes.pop("LAXIS", None)
    # The limits of the AHA/ACCF/HRS 2009 statement, by Bazett as carts do.
    if values["qt"] * 1000 / np.sqrt(rr / 1000) >= (450 if values["sex"] == "male" else 460):
        codes["LNGQT"] = True
    if values["noise"]["bursts"] or values["noise"]["muscle"] > 0.03:
        codes["QUALITY"] = True
    return codes


def report(codes: dict[str, bool], dialect: str) -> list[str]:
    """The cells report_0 ... report_17 in one of the carts' dialects; an empty one before the summary."""
    left = dict(codes)
    cells = []
    for needed, words in _phrases(dialect):
        if left.keys() >= needed:
            sure = [left.pop(code) for code in needed]
            cells.append(words[0] if all(sure) else words[1])
    cells = list(dict.fromkeys(cells))[: N_REPORTS - 2]
    summary = _summary(codes)
    cells += ["", next(words[0] for needed, words in _phrases(dialect) if needed == {f"SUMMARY {summary}"})]
    return cells + [""] * (N_REPORTS - len(cells))


@lru_cache(maxsize=8)
def _phrases(dialect: str) -> tuple[tuple[frozenset[str], tuple[str, str]], ...]:
    """Codes, and the words for them: sure and hedged; what belongs together stands first."""
    found = []
    for row in table("mimic_statements"):
        if row[dialect]:
            summary = row["codes"].startswith("SUMMARY")
            needed = frozenset([row["codes"]] if summary else row["codes"].split("+"))
            found.append((needed, (row[dialect], row[f"{dialect}_hedged"] or row[dialect])))
    return tuple(found)


def _summary(codes: dict[str, bool]) -> str:
    if codes.get("NORM") and not codes.keys() & {"LAXIS", "RAXIS", "LNGQT"}:
        return "NORMAL EXCEPT FOR RATE" if codes.keys() & {"SBRAD", "STACH"} else "NORMAL"
    findings = codes.keys() - {"NORM", "SR", "SBRAD", "STACH", "SARRH", "QUALITY", "LAXIS", "RAXIS"}
    return "ABNORMAL" if any(codes[code] for code in findings) else "BORDERLINE"


def measurements(rng: np.random.Generator, waveform: Waveform, cart: dict[str, str]) -> list[int]:
    """The cells of ``MEASURED``: the truth in whole ms and degrees, as this cart marks it, with faults."""
    start = int(cart["p_onset_ms"])
    dice = rng.random(len(table("mimic_faults")) + 1)
    # 84 % of the values in the public extract are exactly 40 ms; the rest is spread.
    onset = start + (0 if dice[-1] < 0.84 else int(rng.integers(1, 40)) * 2)
    shift = np.rint(rng.normal(0, 2.0, 5)).astype(int).tolist()
    qrs_onset = onset + round(waveform.pr) + shift[0]
    values = {
        "rr_interval": round(waveform.rr),
        "p_onset": onset,
        "p_end": min(onset + round(waveform.p) + shift[1], qrs_onset),
        "qrs_onset": qrs_onset,
        "qrs_end": qrs_onset + round(waveform.qrs) + shift[2],
        "t_end": qrs_onset + round(waveform.qt) + shift[3],
        "p_axis": round(waveform.p_axis),
        "qrs_axis": round(waveform.qrs_axis),
        "t_axis": round(waveform.t_axis),
    }
    if cart["p_end_measured"] == "0":
        values["p_end"] = 29999
    for row, die in zip(table("mimic_faults"), dice[:-1].tolist(), strict=True):
        if die < float(row["share"]):
            values.update(dict.fromkeys(row["columns"].split(), int(row["value"])))
    return list(values.values())


def draw_cart(rng: np.random.Generator) -> tuple[str, dict[str, str]]:
    """The number of a cart, and the kind that it is of."""
    kinds = table("mimic_carts")
    at = int(np.searchsorted(_cumulated("mimic_carts"), rng.random(), side="right"))
    kind = min(at, len(kinds) - 1)
    # Each kind has carts of its own, 156 in all as in the real tables.
    return str(6_848_000 + int(rng.integers(156 // len(kinds))) * len(kinds) + kind), kinds[kind]


@lru_cache(maxsize=2)
def _cumulated(name: str) -> NDArray[np.float64]:
    return np.cumsum([float(row["share"]) for row in table(name)])


def csv_line(cells: Collection[object]) -> str:
    """One line of a comma-separated table."""
    texts = [str(cell) for cell in cells]
    return ",".join(f'"{text}"' if "," in text or '"' in text else text for text in texts) + "\n"
