"""An evaluation as a section: tables, figures, calibration, subgroups, remarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leadlight.errors import RunError
from leadlight.evaluation.evaluation import OVERALL
from leadlight.evaluation.subgroups import ALL
from leadlight.pages import Block, Heading, Paragraph, Section, Table, picture
from leadlight.report.about import missing
from leadlight.report.drawings import Drawing, draw_evaluation
from leadlight.report.files import read_json, read_rows

_SPELLINGS = {"roc_auc": "ROC-AUC", "f1": "F1", "fmax": "Fmax", "brier": "Brier", "npv": "NPV"}
_FURTHER = {"recall": "sensitivity", "specificity": "specificity", "precision": "PPV", "npv": "NPV"}
_BY_CLASS = "Each class at its own threshold; records: those whose truth is known."
_HEADLINES = ("macro_roc_auc", "macro_average_precision", "macro_f1", "mean_brier")


def in_short(folders: Sequence[Path]) -> Section | None:
    """The few numbers that most readers look for, of every evaluation; None without any."""
    rows = []
    for folder in folders:
        metrics = _read(folder)
        row: dict[str, Any] = {"measured on": _where(metrics, folder), "records": metrics["records"]}
        for key in _HEADLINES:
            one = metrics["overall"].get(key) or {}
            row[spelled(key)] = _with_interval(one)
        rows.append(row)
    if not rows:
        return None
    return Section("In short", [Table(rows, "With 95% intervals over patients. Brier score: 0 is best.")])


def measurement_section(folder: Path, beside: Mapping[str, Path] | None = None) -> Section:
    """All that an evaluation folder holds; beside: other models' evaluations by name, drawn next to it.

    Raises RunError for a metrics.json without its keys.
    """
    metrics = _read(folder)
    try:
        blocks = [*_tables(metrics, folder, beside or {}), *_notes(metrics)]
    except (KeyError, TypeError) as error:
        raise _other_file(folder, error) from None
    return Section(f"Measurements on {_where(metrics, folder)}", blocks)


def spelled(key: str) -> str:
    """A key of metrics.json as words: "macro_roc_auc" is "macro ROC-AUC"."""
    for written, words in _SPELLINGS.items():
        key = key.replace(written, words)
    return key.replace("_", " ")


def _tables(metrics: Mapping[str, Any], folder: Path, beside: Mapping[str, Path]) -> list[Block]:
    chapters: dict[str, list[Block]] = {}
    for one in draw_evaluation(folder, beside):
        chapters.setdefault(one.chapter, []).append(_set(one))
    interval = metrics["interval"]
    overall = [
        {"metric": OVERALL.get(key, spelled(key)), "value": one["value"], "95% interval": _interval(one)}
        for key, one in metrics["overall"].items()
    ]
    blocks: list[Block] = [
        Paragraph(
            f"{metrics['records']:,} records of {metrics['patients']:,} patients; intervals: "
            f"{interval['method']}, {interval['resamples']:,} resamples, seed {interval['seed']}."
        ),
        Heading("Over all classes"),
        Table(overall, "Each over all classes, with its 95% interval."),
    ]
    undefined = metrics.get("undefined_classes") or []
    if undefined:
        blocks.append(
            Paragraph(
                f"Without positives or without negatives, and in no mean: {', '.join(undefined)}.", "note"
            )
        )
    blocks += [Heading("By class"), Table([_class_row(one) for one in metrics["classes"]], _BY_CLASS)]
    blocks += chapters.get("classes", [])
    if not chapters:
        blocks.append(missing(f"evaluation/{folder.name}/predictions.parquet (curves and other figures)"))
    for chapter, title in (
        ("curves", "ROC and precision-recall curves"),
        ("calls", "Right and wrong calls"),
        ("thresholds", "Thresholds"),
        ("calibration", "Calibration"),
    ):
        if chapter in chapters:
            blocks += [Heading(title), *chapters[chapter]]
            if chapter == "calibration":
                blocks += _sets(metrics)
    blocks += [Heading("Subgroups"), *chapters.get("subgroups", []), *_subgroups(folder)]
    if "labels" in chapters:
        blocks += [Heading("Labels that stand together"), *chapters["labels"]]
    return blocks


def _class_row(one: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table by class; columns of which the evaluation has none are left out."""
    row: dict[str, Any] = {
        "class": one["code"],
        "description": one["description"],
        "records": one["records"],
        "positives": one["positives"],
        "ROC-AUC": one["roc_auc"]["value"],
        "95% interval": _interval(one["roc_auc"]),
        "average precision": one["average_precision"]["value"],
        "F1": one["f1"]["value"],
    }
    for key, name in _FURTHER.items():
        if isinstance(one.get(key), Mapping):
            row[name] = one[key]["value"]
    return {**row, "threshold": one["threshold"]}


def _sets(metrics: Mapping[str, Any]) -> list[Block]:
    sets = metrics.get("prediction_sets") or []
    if not sets:
        return []
    rows = [
        {
            "class": one["code"],
            "holds present": _with_interval(one["present"]),
            "holds absent": _with_interval(one["absent"]),
            "uncertain": one["uncertain"],
            "neither": one["neither"],
        }
        for one in sets
    ]
    stated = metrics.get("coverage_of_sets")
    meant = f" Meant: {stated:.3f} of the records of either kind." if isinstance(stated, float) else ""
    return [
        Heading("Prediction sets"),
        Table(
            rows,
            "Of the records that show a class, the share whose set says so, and of those that do not; share "
            f"of all records whose set says both (uncertain) or nothing (neither).{meant}",
        ),
    ]


def _subgroups(folder: Path) -> list[Block]:
    """Whether each gap leaves out 0, class by class, as far as it does; what was too small to measure."""
    rows = read_rows(folder / "subgroups.csv")
    if not rows:
        return [
            Paragraph(
                "No subgroups were measured: the data have none of the attributes, or leadlight evaluate was "
                "told to leave them out.",
                "missing",
            )
        ]
    measured = [row for row in rows if row["gap_low"] and row["metric"] != "excess" and row["class"] != ALL]
    apart = [row for row in measured if float(row["gap_low"]) > 0 or float(row["gap_high"]) < 0]
    few = sorted(
        {f"{row['attribute']} {row['group']}" for row in rows if row["class"] == ALL and row["reason"]}
    )
    blocks: list[Block] = [
        Paragraph(
            f"Class by class, {len(apart)} of {len(measured)} intervals leave out 0; by chance alone about "
            f"{0.05 * len(measured):.0f} would. A gap says that the model does otherwise there, not why.",
            "note",
        )
    ]
    if few:
        blocks.append(Paragraph(f"Too few records to say anything: {', '.join(few)}.", "note"))
    if apart:
        ordered = sorted(apart, key=lambda row: -abs(float(row["gap"])))[:20]
        blocks.append(
            Table(
                [
                    {
                        "group": f"{row['attribute']}: {row['group']}",
                        "class": row["class"],
                        "metric": spelled(row["metric"]).replace("recall", "sensitivity"),
                        "positives": int(row["positives"]),
                        "value": float(row["value"]),
                        "gap to the others": _signed(row["gap"]),
                        "95% interval": f"{_signed(row['gap_low'])} to {_signed(row['gap_high'])}",
                    }
                    for row in ordered
                ],
                f"The {len(ordered)} largest gaps of single classes whose interval leaves out 0.",
            )
        )
    return blocks


def _notes(metrics: Mapping[str, Any]) -> list[Block]:
    notes = metrics.get("notes") or []
    return [Heading("Remarks"), *(Paragraph(f"Note: {note}", "note") for note in notes)] if notes else []


def _set(one: Drawing) -> Block:
    return picture(one.figure, one.alt, one.caption)


def _read(folder: Path) -> dict[str, Any]:
    metrics = read_json(folder / "metrics.json") or {}
    for key in ("interval", "overall", "classes", "records", "patients"):
        if key not in metrics:
            raise _other_file(folder, KeyError(key))
    return metrics


def _other_file(folder: Path, error: Exception) -> RunError:
    return RunError(
        f"{folder / 'metrics.json'}: the key {error} is missing; accepted: the file that "
        "leadlight evaluate writes. Run it again."
    )


def _where(metrics: Mapping[str, Any], folder: Path) -> str:
    """ "fold 9 of PTB-XL 1.0.3", as far as it is known."""
    fold = metrics.get("fold")
    place = folder.name.replace("-", " ") if fold is None else f"fold {fold}"
    dataset = " ".join(str(metrics[key]) for key in ("dataset", "dataset_version") if metrics.get(key))
    return f"{place} of {dataset}" if dataset else place


def _interval(one: Mapping[str, Any]) -> str | None:
    if one.get("low") is None or one.get("high") is None:
        return None
    return f"{one['low']:.3f} to {one['high']:.3f}"


def _with_interval(one: Mapping[str, Any]) -> str | None:
    if one.get("value") is None:
        return None
    between = _interval(one)
    return f"{one['value']:.3f}" + (f" ({between})" if between else "")


def _signed(text: str) -> str:
    return f"{float(text):+.3f}".replace("-", "−")
