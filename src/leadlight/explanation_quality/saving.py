"""The files of a measurement of explanations: tables, examples, records, quality.json."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.explanation_quality.asking import FAMILIES, MEASURES, REFERENCES
from leadlight.writing import unfinished

if TYPE_CHECKING:
    from leadlight.explanation_quality.quality import ExplanationQuality, Summary

_TITLES = {
    "truth": "Against the truth of simulated records",
    "criteria": "Against the places that the diagnostic criteria look at",
    "deletion": "Deletion and insertion",
    "stability": "Stability under small noise",
    "sanity": "Sanity: what is left when the network forgets",
}
_REMARKS = {
    "truth": "1 is best; an even map gets the place's share of the signal. What speaks against the class "
    "does not count. Maps that know nothing of the model stand below: even, noise (random numbers), "
    "amplitude (how far a sample lies from its lead's median).",
    "criteria": "The share counts relevance outside neutral ground; the ratio is 1 for an even map. "
    "Agreement with the criteria says that a map is plausible, not that it is true of the model.",
    "deletion": "Mean probability of the class while the most relevant blocks are covered (deletion: low "
    "is good) or come back (insertion: high is good), by a straight line, never zeros; gains against random "
    "order, which stands as noise.",
    "stability": "The probability's own change says how small the noise was.",
    "sanity": "A map that stays alike when the weights are shuffled shows the recording, not what was "
    "learnt; one that stays alike for another class shows no class. A map that becomes empty counts as 0.",
}


def summary_row(one: Summary) -> dict[str, Any]:
    """A summary as plain values."""
    measure = MEASURES[one.measure]
    return {
        "method": one.method,
        "class": one.code,
        "measure": one.measure,
        "title": measure.title,
        "better": measure.better,
        "value": _number(one.value.value),
        "low": _number(one.value.low),
        "high": _number(one.value.high),
        "records": one.records,
        **{name: _number(one.references.get(name, math.nan)) for name in REFERENCES},
    }


def markdown(quality: ExplanationQuality) -> str:
    """One table a family: the mean over the classes, then each class."""
    subject = quality.subject
    lines = [
        f"# Explanations of {subject.get('model', 'a model')}, measured",
        "",
        f"{_data_in_words(subject)}. In brackets: 95% interval over resampled patients.",
        "",
    ]
    for family in FAMILIES:
        lines += _family_lines(quality, family)
    lines += [f"- {note}" for note in quality.notes]
    return "\n".join(lines).rstrip() + "\n"


def _data_in_words(subject: Mapping[str, Any]) -> str:
    parts = [str(subject[key]) for key in ("dataset", "dataset_version") if subject.get(key)]
    fold = f", fold {subject['fold']}" if "fold" in subject else ""
    records = subject.get("records", {})
    counts = "; ".join(
        f"{code} {one['explained']} (found {one['found']} of {one['present']})"
        for code, one in records.items()
        if one["explained"]
    )
    return f"{' '.join(parts) or 'Records'}{fold}. Explained, of those found: {counts or 'see records'}"


def family_rows(quality: ExplanationQuality, family: str, codes: Sequence[str]) -> list[dict[str, str]]:
    """The table of a family of measures for some classes: methods, then what knows nothing of the model."""
    found = [one for one in quality.summaries if MEASURES[one.measure].family == family]
    names = [name for name in MEASURES if any(one.measure == name for one in found)]
    values = {(one.method, one.code, one.measure): one for one in found}
    rows = []
    for code in codes:
        for method in (*quality.methods, *REFERENCES):
            cells = {name: values.get((method, code, name)) for name in names}
            known = [one.records for one in cells.values() if one is not None]
            if known:
                rows.append(
                    {"class": code, "method": method, "n": f"{max(known)}"}
                    | {
                        _with_direction(name): "–" if one is None else str(one.value)
                        for name, one in cells.items()
                    }
                )
    return rows


def overview(quality: ExplanationQuality) -> list[tuple[str, list[dict[str, str]]]]:
    """Title and rows of each family's table, means over the classes alone."""
    tables = [(_TITLES[family], family_rows(quality, family, ["all"])) for family in FAMILIES]
    return [(title, rows) for title, rows in tables if rows]


def _family_lines(quality: ExplanationQuality, family: str) -> list[str]:
    rows = family_rows(quality, family, ["all", *quality.classes])
    if not rows:
        return []
    lines = [f"## {_TITLES[family]}", "", _REMARKS[family], "", _row(list(rows[0]))]
    lines.append(_row(["---", "---", *["---:"] * (len(rows[0]) - 2)]))
    return [*lines, *(_row(list(row.values())) for row in rows), ""]


def _with_direction(name: str) -> str:
    arrow = {"high": " ↑", "low": " ↓", "": ""}[MEASURES[name].better]
    return MEASURES[name].title + arrow


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def save(quality: ExplanationQuality, folder: Path) -> tuple[Path, ...]:
    """Write the files; each appears whole or not at all, quality.json last."""
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[str, Callable[[ExplanationQuality, Path], None]] = {
        "quality.json": _write_json,
        "table.csv": lambda one, path: _write_csv(one.table(), path),
        "table.md": lambda one, path: _write_text(one.markdown(), path),
        "examples.csv": lambda one, path: _write_csv(one.examples(), path),
        "records.parquet": _write_records,
    }
    with ExitStack() as stack:
        for name, write in writers.items():
            write(quality, stack.enter_context(unfinished(folder / name)))
    return tuple(folder / name for name in writers)


def to_dict(quality: ExplanationQuality) -> dict[str, Any]:
    """Plain values: the subject, the measures and the summaries."""
    from leadlight import __version__

    return {
        "leadlight": __version__,
        **quality.subject,
        "resamples": quality.resamples,
        "seed": quality.seed,
        "measures": {name: asdict(one) for name, one in MEASURES.items()},
        "references": dict(REFERENCES),
        "table": quality.table(),
        "examples": [{**one, "value": _number(one["value"])} for one in quality.examples()],
        "notes": list(quality.notes),
    }


def _write_json(quality: ExplanationQuality, path: Path) -> None:
    _write_text(
        json.dumps(to_dict(quality), indent=2, ensure_ascii=False, allow_nan=False) + "\n", path
    )  # fmt: skip


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _write_csv(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        if rows:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def _write_records(quality: ExplanationQuality, path: Path) -> None:
    """One row a record, class and method; null where something was not measured."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = dict.fromkeys(name for row in quality.rows for name in row)
    columns = {name: [_plain(row.get(name)) for row in quality.rows] for name in names}
    pq.write_table(pa.table(columns), path)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    return _number(float(value))


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
