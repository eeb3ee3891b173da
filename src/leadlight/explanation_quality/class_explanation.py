"""The value that a class's explanation is: mean beats and mean relevance of groups of records."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight.evaluation.intervals import Estimate, estimate, resample_patients
from leadlight.writing import unfinished

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
GROUPS: Mapping[str, str] = {
    "true positives": "the class is present and found",
    "false positives": "it is found and not present",
    "false negatives": "it is present and not found",
}


@dataclass(frozen=True, eq=False)
class BeatGroup:
    """Records of one of GROUPS, each with the mean of its beats.

    total: records of the fold in the group; left_out: those without usable beats, by reason; patients:
    (records,); n_beats: (records,); beats: (records, leads, times) mV; relevance: (records, leads,
    times), in multiples of the uniform share, with the sign of the evidence where the method has one;
    importance: (records, leads), shares of the absolute relevance of the whole record.
    """

    name: str
    total: int
    left_out: Mapping[str, int]
    patients: tuple[str, ...]
    n_beats: NDArray[np.int64]
    beats: Floats
    relevance: Floats
    importance: Floats

    def __len__(self) -> int:
        return len(self.patients)

    @property
    def mean_beat(self) -> Floats:
        """Mean over the records, each alike: (leads, times) mV."""
        return _mean(self.beats)

    @property
    def mean_relevance(self) -> Floats:
        """Mean over the records, each alike: (leads, times)."""
        return _mean(self.relevance)

    def lead_importance(self, resamples: int = 1000, seed: int = 0) -> list[Estimate]:
        """Mean share of each lead, with a 95% interval over resampled patients."""
        if not len(self):
            return [Estimate(math.nan)] * self.importance.shape[1]
        weights = resample_patients(np.array(self.patients), resamples, seed)
        drawn = weights @ self.importance / weights.sum(axis=1, keepdims=True)
        few = len(set(self.patients)) < 5
        return [
            Estimate(float(own)) if few else estimate(float(own), column)
            for own, column in zip(self.importance.mean(axis=0), drawn.T, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class ClassExplanation:
    """What a model looks at in all records of a class.

    target, description: of the class; method: as asked for; leads; times: seconds from the R peak; groups: in
    the order of GROUPS; signed, leads_apart: as of an ``Explanation``; expected: leads and parts of the beat
    that the diagnostic criteria look at, in words, "" where they are not known; subject, notes.
    """

    target: str
    description: str
    method: str
    leads: tuple[str, ...]
    times: Floats
    groups: tuple[BeatGroup, ...]
    signed: bool
    leads_apart: bool
    expected: str
    subject: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    resamples: int = 1000
    seed: int = 0
    beats: str = "regular"
    _importance: dict[str, list[Estimate]] = field(default_factory=dict, repr=False)

    def importance(self, group: BeatGroup) -> list[Estimate]:
        """Lead importance of a group; worked out once."""
        if group.name not in self._importance:
            self._importance[group.name] = group.lead_importance(self.resamples, self.seed)
        return self._importance[group.name]

    def table(self) -> list[dict[str, Any]]:
        """One row a group and lead: importance with its interval, and when relevance is largest."""
        rows = []
        for group in self.groups:
            peak = self._peaks(group)
            for place, (lead, one) in enumerate(zip(self.leads, self.importance(group), strict=True)):
                rows.append(
                    {
                        "group": group.name, "lead": lead, "records": len(group),
                        "importance": _number(one.value), "low": _number(one.low), "high": _number(one.high),
                        "peak_seconds": _number(peak[place][0]), "peak_relevance": _number(peak[place][1]),
                    }
                )  # fmt: skip
        return rows

    def _peaks(self, group: BeatGroup) -> list[tuple[float, float]]:
        """Seconds from R and size of the largest mean relevance (for the class) of each lead."""
        if not len(group):
            return [(math.nan, math.nan)] * len(self.leads)
        mean = group.mean_relevance
        places = np.nanargmax(mean, axis=1)
        return [(float(self.times[at]), float(mean[lead, at])) for lead, at in enumerate(places)]

    def figure(self) -> Figure:
        """Mean beats with relevance behind them, a row a lead, a column a group; lead importance beside."""
        from leadlight.figures import BeatColumn, plot_class

        columns = [
            BeatColumn(
                group.name, len(group), int(group.n_beats.sum()), group.mean_beat, group.mean_relevance,
                np.array([(one.value, one.low, one.high) for one in self.importance(group)]),
            )
            for group in self.groups
        ]  # fmt: skip
        name = f"{self.target}: {self.description}" if self.description else self.target
        foot = [f"Method: {self.method}. {self._left_out_in_words()}"]
        if self.expected:
            foot.append(f"The diagnostic criteria look at: {self.expected}.")
        return plot_class(self.leads, self.times, columns, signed=self.signed, title=name, foot=foot)

    def _left_out_in_words(self) -> str:
        n = sum(sum(group.left_out.values()) for group in self.groups)
        which = {"regular": "early beats are left out", "early": "early beats alone", "all": "all beats"}
        return (
            f"Each record counts alike; {which[self.beats]}; {n} records without usable beats are left out."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values without the curves."""
        from leadlight import __version__

        return {
            "leadlight": __version__,
            **self.subject,
            "target": self.target,
            "description": self.description,
            "method": self.method,
            "beats": self.beats,
            "signed": self.signed,
            "leads_apart": self.leads_apart,
            "criteria_look_at": self.expected,
            "groups": [
                {
                    "group": group.name,
                    "meaning": GROUPS[group.name],
                    "records_of_the_fold": group.total,
                    "records": len(group),
                    "beats": int(group.n_beats.sum()),
                    "left_out": dict(group.left_out),
                }
                for group in self.groups
            ],
            "leads": self.table(),
            "notes": list(self.notes),
        }

    def save(self, folder: str | Path, formats: Sequence[str] = (".pdf", ".png")) -> tuple[Path, ...]:
        """Write TARGET.json, TARGET-leads.csv, TARGET-beats.csv and the figure; returns their paths."""
        from leadlight.figures.saving import check_suffix, encode_figure

        folder = Path(folder)
        stem = "".join(one if one.isalnum() or one in "-_." else "_" for one in self.target)
        folder.mkdir(parents=True, exist_ok=True)
        figure = self.figure()
        contents: dict[str, bytes] = {
            f"{stem}.json": (
                json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            ).encode(),
        } | {
            f"{stem}{check_suffix(f'x{suffix}')}": encode_figure(figure, check_suffix(f"x{suffix}"))
            for suffix in formats
        }
        tables = {f"{stem}-leads.csv": self.table(), f"{stem}-beats.csv": self._curves()}
        with ExitStack() as stack:
            for name, content in contents.items():
                stack.enter_context(unfinished(folder / name)).write_bytes(content)
            for name, rows in tables.items():
                _write_csv(rows, stack.enter_context(unfinished(folder / name)))
        return tuple(folder / name for name in (*contents, *tables))

    def _curves(self) -> list[dict[str, Any]]:
        """One row a group, lead and time: mean beat (mV) and mean relevance."""
        rows = []
        for group in self.groups:
            if not len(group):
                continue
            beat, relevance = group.mean_beat, group.mean_relevance
            for lead, name in enumerate(self.leads):
                for at, seconds in enumerate(self.times):
                    rows.append(
                        {
                            "group": group.name, "lead": name, "seconds": round(float(seconds), 6),
                            "millivolts": _number(float(beat[lead, at])),
                            "relevance": _number(float(relevance[lead, at])),
                        }
                    )  # fmt: skip
        return rows


def _mean(values: Floats) -> Floats:
    """Mean over the first axis without what is missing; NaN where all is."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0)
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _write_csv(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        if rows:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
