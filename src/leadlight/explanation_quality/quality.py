"""Explanations, measured: a row for each record, class and method, and their summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.evaluation.intervals import Estimate, estimate, resample_patients
from leadlight.explanation_quality.asking import MEASURES, REFERENCES

ALL = "all"
"""In place of a class: the mean over the classes, each alike."""
EXAMPLES = 3
FEWEST = 5
"""Records of a class from which on a mean gets an interval."""


@dataclass(frozen=True)
class Summary:
    """One measure of one method for one class.

    value: mean over the records, with a 95% interval over resampled patients; records: with a value;
    references: the same measure of maps that know nothing of the model, on the same records.
    """

    method: str
    code: str
    measure: str
    value: Estimate
    records: int
    references: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ExplanationQuality:
    """Explanations of one model on one set of records, measured.

    rows: one for each record, class and method, plain values; methods, classes: in order; subject: what
    was measured on what; notes: what is to be known; resamples, seed: of the bootstrap.
    """

    rows: Sequence[Mapping[str, Any]] = field(repr=False)
    methods: tuple[str, ...]
    classes: tuple[str, ...]
    subject: Mapping[str, Any]
    notes: Sequence[str]
    resamples: int = 1000
    seed: int = 0

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """Every measure by method and class, references among the methods."""
        return tuple(summarise(self.rows, self.resamples, self.seed))

    def of(self, method: str, measure: str, code: str = ALL) -> Summary | None:
        """One summary; None where nothing of it was measured."""
        return next(
            (
                one
                for one in self.summaries
                if (one.method, one.measure, one.code) == (method, measure, code)
            ),
            None,
        )  # fmt: skip

    def examples(self, measure: str = "criteria_ratio", n: int = EXAMPLES) -> list[dict[str, Any]]:
        """The best and the worst records of each method and class by one measure."""
        listed = []
        for method in self.methods:
            for code in self.classes:
                own = [
                    row
                    for row in self.rows
                    if row["method"] == method and row["class"] == code and _is_known(row.get(measure))
                ]
                own.sort(key=lambda row: -row[measure])
                few = min(n, len(own) // 2) if len(own) > 1 else len(own)
                for which, chosen in (("best", own[:few]), ("worst", own[len(own) - few :][::-1])):
                    if which == "worst" and len(own) == 1:
                        continue
                    listed += [
                        {
                            "method": method, "class": code, "which": which, "record_id": row["record_id"],
                            "measure": measure, "value": row[measure], "probability": row["probability"],
                        }
                        for row in chosen
                    ]  # fmt: skip
        return listed

    def table(self) -> list[dict[str, Any]]:
        """One plain row a summary, as in table.csv; None where there is no number."""
        from leadlight.explanation_quality.saving import summary_row

        return [summary_row(one) for one in self.summaries]

    def markdown(self) -> str:
        """The tables as Markdown, one for each family of measures."""
        from leadlight.explanation_quality.saving import markdown

        return markdown(self)

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write table.csv, table.md, examples.csv, records.parquet and quality.json; returns their paths."""
        from leadlight.explanation_quality.saving import save

        return save(self, Path(folder))


def summarise(rows: Sequence[Mapping[str, Any]], resamples: int, seed: int) -> list[Summary]:
    """Means with intervals over resampled patients, for every method, class and measure there is.

    One resample draws the same patients for all, so that methods are compared on the same ones.
    """
    patients = sorted({row["patient_id"] for row in rows})
    place = {name: number for number, name in enumerate(patients)}
    weights = resample_patients(np.array(patients), resamples, seed)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    codes = sorted({row["class"] for row in rows})
    found: list[Summary] = []
    for measure in MEASURES:
        cells: dict[tuple[str, str], tuple[float, NDArray[np.float64], int]] = {}
        for method in methods:
            for code in codes:
                own = [
                    (place[row["patient_id"]], float(row[measure]))
                    for row in rows
                    if row["method"] == method and row["class"] == code and _is_known(row.get(measure))
                ]
                if own:
                    cells[method, code] = _mean(own, weights)
        for method in methods:
            those = [code for code in codes if (method, code) in cells]
            for code in those:
                value, drawn, n = cells[method, code]
                of_chance = {
                    name: cells[name, code][0] for name in REFERENCES if (name, code) in cells
                }  # fmt: skip
                found.append(Summary(method, code, measure, _estimate(value, drawn, n), n, of_chance))
            if those:
                value = float(np.mean([cells[method, code][0] for code in those]))
                drawn = np.mean([cells[method, code][1] for code in those], axis=0)
                counts = [cells[method, code][2] for code in those]
                of_chance = {
                    name: float(np.mean([cells[name, code][0] for code in those]))
                    for name in REFERENCES
                    if all((name, code) in cells for code in those)
                }
                found.append(
                    Summary(
                        method, ALL, measure, _estimate(value, drawn, min(counts)), sum(counts), of_chance
                    )
                )
    return found


def _mean(
    own: Sequence[tuple[int, float]], weights: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], int]:
    """The mean, the means of the resamples (NaN where one drew none of the records), the number."""
    columns = np.array([column for column, _ in own])
    values = np.array([value for _, value in own])
    times = weights[:, columns]
    total = times.sum(axis=1)
    drawn = np.divide(times @ values, total, out=np.full(len(total), np.nan), where=total > 0)
    return float(values.mean()), drawn, len(values)


def _estimate(value: float, drawn: NDArray[np.float64], n: int) -> Estimate:
    """n: records, of the class that has fewest. Resamples of very few say nothing."""
    return estimate(value, drawn) if n >= FEWEST else Estimate(value)


def _is_known(value: Any) -> bool:
    return value is not None and bool(np.isfinite(value))
