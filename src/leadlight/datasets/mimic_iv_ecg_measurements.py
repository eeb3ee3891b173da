"""The cart's measurements in ``machine_measurements.csv``: cleaned, and what follows from them.

A cell is a value, a sentinel (``data/mimic-iv-ecg_sentinels.csv``: 29999 stands for "not
measured"), or nonsense: outside the limits in ``data/mimic-iv-ecg_limits.csv``. Only values
stay. A wave that ends before it begins loses both marks: nothing tells which is wrong.

The zero of the time marks differs between carts and is not documented, so marks compare
within a record only; intervals compare everywhere.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from leadlight.datasets.index import ColumnKind

MEASURED = (
    "rr_interval", "p_onset", "p_end", "qrs_onset", "qrs_end", "t_end", "p_axis", "qrs_axis", "t_axis",
)  # fmt: skip
"""Columns of the table: time marks and the RR interval in ms, axes in degrees."""
DERIVED = ("heart_rate", "pr_interval", "qrs_duration", "qt_interval", "qtc_bazett", "qtc_fridericia")
"""What follows: beats a minute, and intervals in ms."""
TEXTS = ("bandwidth", "filtering", "cart_id", "recorded", "note")
COLUMNS: dict[str, ColumnKind] = {
    **dict.fromkeys((*MEASURED, *DERIVED), "number"),
    **dict.fromkeys(TEXTS, "text"),
}
"""The data set's own columns of the index."""

# Both marks go where the first is later than the second.
_IN_ORDER = (("p_onset", "p_end"), ("qrs_onset", "qrs_end"), ("qrs_end", "t_end"))
_NOT_MEASURED = 29999.0
_LONGEST_KNOWN, _MOST_KNOWN = 12, 20_000
_DATA = files("leadlight.datasets") / "data"
Value = float | str | None
_PLACE = {name: place for place, name in enumerate(COLUMNS)}


class Values(Mapping[str, Value]):
    """The columns of one record, in the order of ``COLUMNS``: a dictionary in a third of its memory."""

    __slots__ = ("_values",)

    def __init__(self, values: tuple[Value, ...]) -> None:
        if len(values) != len(COLUMNS):
            raise ValueError(f"{len(values)} values for {len(COLUMNS)} columns")
        self._values = values

    def __getitem__(self, name: str) -> Value:
        return self._values[_PLACE[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> tuple[type[Values], tuple[tuple[Value, ...]]]:
        return type(self), (self._values,)


class Limits(NamedTuple):
    """Between which values, both included, a quantity is taken as measured."""

    lowest: float
    highest: float
    unit: str


@cache
def limits() -> dict[str, Limits]:
    """Limits of the measured columns and of the intervals between them."""
    rows = csv.DictReader((_DATA / "mimic-iv-ecg_limits.csv").read_text(encoding="utf-8").splitlines())
    return {row["name"]: Limits(float(row["lowest"]), float(row["highest"]), row["unit"]) for row in rows}


@cache
def sentinels() -> frozenset[float]:
    """Numbers that stand for "no value" in every measured column."""
    rows = csv.DictReader((_DATA / "mimic-iv-ecg_sentinels.csv").read_text(encoding="utf-8").splitlines())
    return frozenset(float(row["value"]) for row in rows)


class Cleaner:
    """Cleans the measured cells of one row after another, and counts what it takes away."""

    def __init__(self) -> None:
        self.n_rows = 0
        self._taken: Counter[tuple[str, str]] = Counter()
        # A cell is one of a few thousand texts: each is looked at once.
        self._known: tuple[dict[str, float | str], ...] = tuple({} for _ in MEASURED)

    def clean(self, cells: Sequence[str]) -> tuple[float | None, ...]:
        """Values of ``MEASURED`` and ``DERIVED``, None where there is none. cells: of ``MEASURED``."""
        self.n_rows += 1
        values: list[float | None] = []
        for place, text in enumerate(cells):
            try:
                value = self._known[place][text]
            except KeyError:
                value = read_cell(MEASURED[place], text)
                if len(text) <= _LONGEST_KNOWN and len(self._known[place]) < _MOST_KNOWN:
                    self._known[place][text] = value
            if isinstance(value, str):
                self._taken[MEASURED[place], value] += 1
                values.append(None)
            else:
                values.append(value)
        for first, second in _ORDERED_PLACES:
            before, after = values[first], values[second]
            if before is not None and after is not None and before > after:
                values[first] = values[second] = None
                self._taken[f"{MEASURED[first]} and {MEASURED[second]}", "in the wrong order"] += 1
        return (*values, *self._derive(values))

    def _derive(self, values: Sequence[float | None]) -> tuple[float | None, ...]:
        rr, p_onset, _, qrs_onset, qrs_end, t_end, *_ = values
        pr = self._between("pr_interval", p_onset, qrs_onset)
        qrs = self._between("qrs_duration", qrs_onset, qrs_end)
        qt = self._between("qt_interval", qrs_onset, t_end)
        rate = None if rr is None else 60_000 / rr
        if qt is None or rr is None:
            return rate, pr, qrs, qt, None, None
        seconds = rr / 1000
        return rate, pr, qrs, qt, qt / math.sqrt(seconds), qt / math.cbrt(seconds)

    def _between(self, name: str, start: float | None, stop: float | None) -> float | None:
        if start is None or stop is None:
            return None
        lowest, highest, _ = limits()[name]
        if lowest <= stop - start <= highest:
            return stop - start
        self._taken[name, "impossible"] += 1
        return None

    def notes(self) -> list[str]:
        """What was taken as missing, column by column."""
        order = {name: place for place, name in enumerate((*MEASURED, *DERIVED))}
        told: dict[str, list[str]] = {}
        for (name, why), count in sorted(self._taken.items(), key=lambda one: one[0][1]):
            told.setdefault(name, []).append(f"{why} {count:,}")
        return [
            f"measurement {name}, taken as missing in {self.n_rows:,} rows: {', '.join(told[name])}"
            for name in sorted(told, key=lambda name: (order.get(name, len(order)), name))
        ]


_ORDERED_PLACES = tuple((MEASURED.index(first), MEASURED.index(second)) for first, second in _IN_ORDER)


def read_cell(name: str, text: str) -> float | str:
    """The value of a cell of a measured column, or why it has none."""
    text = text.strip()
    if not text:
        return "empty"
    # Python also takes "1_0" and digits of other scripts: not what a cart writes.
    if "_" in text or not text.isascii():
        return "not a number"
    try:
        number = float(text)
    except ValueError:
        return "not a number"
    if number in sentinels():
        return "not measured" if number == _NOT_MEASURED else "other sentinels"
    lowest, highest, _ = limits()[name]
    return number if lowest <= number <= highest else "impossible"
