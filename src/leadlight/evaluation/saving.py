"""The files of an evaluation: metrics.json, per_class.csv, predictions.parquet, subgroups.csv."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlight.evaluation.conformal import SetCoverage
from leadlight.evaluation.intervals import LEVEL, Estimate
from leadlight.evaluation.subgroups import ALL
from leadlight.writing import unfinished

if TYPE_CHECKING:
    from leadlight.evaluation.evaluation import ClassEvaluation, Evaluation

SCHEMA_VERSION = 1
_PER_CLASS = (
    "roc_auc", "delong", "average_precision", "f1", "precision", "recall", "specificity", "npv", "accuracy",
    "brier",
)  # fmt: skip


def to_dict(evaluation: Evaluation) -> dict[str, Any]:
    """The content of metrics.json."""
    from leadlight import __version__

    return {
        "schema_version": SCHEMA_VERSION,
        "leadlight": __version__,
        **evaluation.subject,
        "records": evaluation.n_records,
        "patients": evaluation.n_patients,
        "interval": {
            "level": LEVEL,
            "method": "percentiles of a bootstrap over patients",
            "resamples": evaluation.resamples,
            "seed": evaluation.seed,
        },
        "overall": {key: _estimate(one) for key, one in evaluation.overall.items()},
        "fmax_threshold": _number(evaluation.fmax_threshold),
        "undefined_classes": list(evaluation.undefined),
        "classes": [
            {
                "code": one.code,
                "description": one.description,
                "records": one.n,
                "positives": one.positives,
                "patients_with_it": one.patients,
                "is_stratified": one.is_stratified,
                "threshold": _number(one.threshold),
                **{name: _estimate(getattr(one, name)) for name in _PER_CLASS},
                "calibration_error": _number(one.calibration_error),
            }
            for one in evaluation.classes
        ],
        "prediction_sets": [_set_values(one) for one in evaluation.sets],
        "subgroups": [one.to_dict() for one in evaluation.subgroups if one.code == ALL],
        "notes": list(evaluation.notes),
    }


def class_row(one: ClassEvaluation) -> dict[str, Any]:
    """A class as a flat row of plain values; None where a metric is not defined."""
    row: dict[str, Any] = {
        "class": one.code,
        "description": one.description,
        "records": one.n,
        "positives": one.positives,
        "threshold": _number(one.threshold),
    }
    for name in _PER_CLASS:
        found = _estimate(getattr(one, name))
        row[name] = found.pop("value")
        row |= {f"{name}_{key}": value for key, value in found.items()}
    row["calibration_error"] = _number(one.calibration_error)
    return row


def _set_values(one: SetCoverage) -> dict[str, Any]:
    return {
        "code": one.code,
        "positives": one.positives,
        "negatives": one.negatives,
        "present": _estimate(one.present),
        "absent": _estimate(one.absent),
        "uncertain": _number(one.uncertain),
        "neither": _number(one.neither),
    }


def save(evaluation: Evaluation, folder: Path) -> tuple[Path, ...]:
    """Write the files; each appears whole or not at all, metrics.json last; subgroups.csv if there are."""
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[str, Callable[[Evaluation, Path], None]] = {
        "metrics.json": _write_metrics,
        "per_class.csv": _write_classes,
        "predictions.parquet": _write_predictions,
    }
    if evaluation.subgroups:
        writers["subgroups.csv"] = _write_subgroups
    else:
        (folder / "subgroups.csv").unlink(missing_ok=True)  # of an earlier evaluation
    # All are written before any takes its name, and they take it from the last to the first.
    with ExitStack() as stack:
        for name, write in writers.items():
            write(evaluation, stack.enter_context(unfinished(folder / name)))
    return tuple(folder / name for name in writers)


def _write_metrics(evaluation: Evaluation, path: Path) -> None:
    text = json.dumps(to_dict(evaluation), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _write_classes(evaluation: Evaluation, path: Path) -> None:
    """One row a class; a metric that is not defined leaves its cells empty."""
    rows = [class_row(one) for one in evaluation.classes]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _write_subgroups(evaluation: Evaluation, path: Path) -> None:
    """One row an attribute, group, class and metric."""
    rows = [one.to_dict() for one in evaluation.subgroups]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _write_predictions(evaluation: Evaluation, path: Path) -> None:
    """One row a record: its id, its patient's, and truth_CLASS and score_CLASS; unknown truth is null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    scored = evaluation.scored
    columns: dict[str, Any] = {
        "record_id": pa.array(scored.record_ids, pa.string()),
        "patient_id": pa.array(scored.patient_ids, pa.string()),
    }
    for k, one in enumerate(evaluation.classes):
        columns[f"truth_{one.code}"] = pa.array(scored.truth[:, k].astype(np.int8), mask=~scored.known[:, k])
        columns[f"score_{one.code}"] = pa.array(scored.scores[:, k])
    pq.write_table(pa.table(columns), path)


def _estimate(one: Estimate) -> dict[str, Any]:
    return {name: _number(value) for name, value in asdict(one).items()}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
