"""The figures of an evaluation, each with the words that stand for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlight.errors import RunError
from leadlight.evaluation.comparison_runs import Evaluated, read_evaluated
from leadlight.evaluation.groups import AGE_BANDS, RATE_BANDS
from leadlight.evaluation.intervals import Estimate
from leadlight.report.files import read_json, read_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from leadlight.figures import ForestRow, Value

_GAPS = {"roc_auc": "ROC-AUC", "recall": "sensitivity", "specificity": "specificity"}
_BY_CHANCE = "Filled: the interval leaves out 0; of twenty such intervals one does so by chance."


@dataclass(frozen=True)
class Drawing:
    """A figure. name: of its file; chapter: where a report sets it; alt: what it shows, in words."""

    name: str
    chapter: str
    figure: Figure
    alt: str
    caption: str


def draw_evaluation(folder: Path, beside: Mapping[str, Path] | None = None) -> Iterator[Drawing]:
    """The figures of an evaluation folder, one after the other; none without predictions.parquet.

    beside: evaluation folders of other models, by name, whose F1 and average precision are drawn next to it.

    Chapters: "classes", "curves", "calls", "thresholds", "calibration", "subgroups", "labels".
    Raises EvaluationError for a folder that ``leadlight evaluate`` did not write.
    """
    metrics = read_json(folder / "metrics.json") or {}
    if not (folder / "predictions.parquet").is_file():
        return
    evaluated = read_evaluated(folder, folder.name)
    others = {name: _metrics_of(one) for name, one in (beside or {}).items()}
    yield from _classes(metrics, others)
    yield from _curves(evaluated, metrics["classes"])
    yield from _calls(evaluated)
    yield from _thresholds(evaluated, folder, metrics)
    yield from _calibration(evaluated, metrics)
    yield from _subgroups(read_rows(folder / "subgroups.csv"))
    yield from _labels(evaluated)


def save_drawings(drawings: Iterator[Drawing], folder: Path, suffix: str = ".png") -> list[Path]:
    """Write each drawing as a file of its name; returns their paths. suffix: .png, .svg or .pdf."""
    from leadlight.figures import save_figure

    return [save_figure(one.figure, folder / f"{one.name}{suffix}") for one in drawings]


def values_by_class(metrics: Mapping[str, Any], metric: str) -> dict[str, Value]:
    """A metric of each class of metrics.json, for the figures over classes and models."""
    from leadlight.figures import Value

    found = {}
    for one in metrics["classes"]:
        estimate = _estimate(one.get(metric))
        found[str(one["code"])] = Value(estimate.value, estimate.low, estimate.high)
    return found


def _metrics_of(folder: Path) -> dict[str, Any]:
    metrics = read_json(folder / "metrics.json")
    if metrics is None or "classes" not in metrics:
        raise RunError(f"{folder}: found no metrics.json; accepted: what leadlight evaluate writes.")
    return metrics


def _classes(metrics: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> Iterator[Drawing]:
    from leadlight.figures import plot_by_class, plot_distributions, plot_forest

    classes = metrics["classes"]
    own = str(metrics.get("model") or "this model")
    # Another run of a model of this name is not this one.
    own = f"{own}: this run" if own in others else own
    rows = [
        _row(
            one["code"], _estimate(one["roc_auc"]),
            "" if one["roc_auc"]["value"] is not None else "not defined",
            count=f"{one['positives']:,} of {one['records']:,}",
        )
        for one in classes
    ]  # fmt: skip
    known = [one for one in classes if one["roc_auc"]["value"] is not None]
    said = f"from {_least(known, 'roc_auc')} to {_most(known, 'roc_auc')}" if known else "none is defined"
    yield Drawing(
        "roc-auc-by-class", "classes", plot_forest(rows, "ROC-AUC"),
        f"Forest plot of the ROC-AUC of {len(classes)} classes: {said}.",
        "ROC-AUC of each class with its 95% interval; beside the name, positives and records.",
    )  # fmt: skip
    for key, name in (("f1", "F1"), ("average_precision", "average precision")):
        everyone = {own: metrics, **others}
        of_class = {model: values_by_class(one, key) for model, one in everyone.items()}
        beside = f" Beside it: {', '.join(others)}." if others else ""
        known = [one for one in classes if one[key]["value"] is not None]
        if not known:
            continue
        said = f"from {_least(known, key)} to {_most(known, key)}"
        yield Drawing(
            f"{key.replace('_', '-')}-by-class", "classes",
            plot_by_class(of_class, name[0].upper() + name[1:]),
            f"Dot plot of the {name} of {len(known)} classes: {said}.",
            f"{name[0].upper()}{name[1:]} of each class, from the highest to the lowest, with 95% "
            f"intervals.{beside}",
        )  # fmt: skip
        if len(known) > 2:
            found = np.array([one[key]["value"] for one in known])
            yield Drawing(
                f"{key.replace('_', '-')}-distribution", "classes",
                plot_distributions(of_class, name[0].upper() + name[1:]),
                f"Distribution of {name} over {len(known)} classes: mean {found.mean():.3f}, median "
                f"{np.median(found):.3f}.",
                f"Distribution of {name} over the classes.{beside}",
            )  # fmt: skip


def _curves(evaluated: Evaluated, classes: Sequence[Mapping[str, Any]]) -> Iterator[Drawing]:
    from leadlight.evaluation.curves import precision_recall_curves, roc_curves
    from leadlight.figures import plot_precision_recall, plot_roc

    shared: dict[str, Any] = {
        "patients": list(evaluated.patient_ids), "known": evaluated.known, "thresholds": evaluated.thresholds,
    }  # fmt: skip
    arrays = (evaluated.truth, evaluated.scores, evaluated.classes)
    areas = [_estimate(one["roc_auc"]) for one in classes]
    names = ", ".join(evaluated.classes) if len(classes) <= 12 else f"{len(classes)} classes"
    yield Drawing(
        "roc", "curves", plot_roc(roc_curves(*arrays, areas=areas, **shared)),
        f"ROC curves of {names}.",
        "ROC curves: sensitivity against the share of false alarms. The areas stand in the table.",
    )  # fmt: skip
    precisions = [_estimate(one["average_precision"]) for one in classes]
    yield Drawing(
        "precision-recall", "curves",
        plot_precision_recall(precision_recall_curves(*arrays, areas=precisions, **shared)),
        f"Precision-recall curves of {names}.",
        "Precision-recall curves: which share of the calls is right, against which share of the findings is "
        "found. They depend on how frequent a finding is among these records.",
    )  # fmt: skip


def _calls(evaluated: Evaluated) -> Iterator[Drawing]:
    from leadlight.evaluation.curves import calls_of
    from leadlight.figures import plot_confusion

    calls = calls_of(
        evaluated.truth, evaluated.scores, evaluated.classes, evaluated.thresholds, evaluated.known
    )
    if not calls:
        return
    said = "; ".join(
        f"{one.name}: {one.true_positive} found, {one.false_negative} missed, "
        f"{one.false_positive} false alarms"
        for one in calls[:12]
    )
    yield Drawing(
        "confusion", "calls", plot_confusion(calls),
        f"Confusion matrix of each class at its threshold. {said}{' and others' if len(calls) > 12 else ''}.",
        "Right and wrong calls of each class at the model's threshold.",
    )  # fmt: skip


def _thresholds(evaluated: Evaluated, folder: Path, metrics: Mapping[str, Any]) -> Iterator[Drawing]:
    from leadlight.evaluation.curves import threshold_curves
    from leadlight.figures import plot_thresholds

    low, high = _threshold_intervals(folder, evaluated.classes)
    curves = threshold_curves(
        evaluated.truth, evaluated.scores, evaluated.classes, evaluated.thresholds,
        known=evaluated.known, low=low, high=high,
    )  # fmt: skip
    said = ", ".join(f"{one.name} {one.threshold:.3f}" for one in curves[:12] if np.isfinite(one.threshold))
    rule = metrics.get("threshold_rule") or "the model's own"
    yield Drawing(
        "thresholds", "thresholds", plot_thresholds(curves),
        f"What each threshold would give. The model's: {said}.",
        f"What other thresholds would give on these records. Line: the model's threshold, fitted elsewhere "
        f"({rule}); shaded: its 95% interval where it has one.",
    )  # fmt: skip


def _threshold_intervals(
    folder: Path, classes: Sequence[str]
) -> tuple[Sequence[float | None], Sequence[float | None]]:
    """Of the contract of the run that the evaluation stands in; () where there is none."""
    contract = read_json(folder.parent.parent / "model" / "contract.json") or {}
    codes = tuple(str(one.get("code")) for one in contract.get("classes") or [])
    stated = contract.get("thresholds") or {}
    if codes != tuple(classes) or not stated.get("low"):
        return (), ()
    return tuple(stated["low"]), tuple(stated["high"])


def _calibration(evaluated: Evaluated, metrics: Mapping[str, Any]) -> Iterator[Drawing]:
    from leadlight.evaluation.curves import reliability_bins
    from leadlight.figures import plot_reliability

    bins = reliability_bins(evaluated.truth, evaluated.scores, evaluated.classes, evaluated.known)
    said = ", ".join(f"{one.name} {one.error:.3f}" for one in bins[:12] if np.isfinite(one.error))
    method = metrics.get("calibration")
    state = f"Calibrated probabilities ({method})" if method else "Probabilities as the model gives them"
    yield Drawing(
        "reliability", "calibration", plot_reliability(bins),
        f"Reliability diagrams. Calibration error: {said}.",
        f"{state}: share of positives against probability.",
    )  # fmt: skip


def _subgroups(rows: Sequence[Mapping[str, str]]) -> Iterator[Drawing]:
    from leadlight.evaluation.subgroups import ALL
    from leadlight.figures import ForestRow, plot_forest

    for metric, name in _GAPS.items():
        chosen = [row for row in rows if row["class"] == ALL and row["metric"] == metric]
        attributes = list(dict.fromkeys(row["attribute"] for row in chosen))
        chosen.sort(key=lambda row: (attributes.index(row["attribute"]), _place(row["group"])))
        if not chosen:
            continue
        forest = [
            ForestRow(
                row["group"], _number(row["gap"]), _number(row["gap_low"]), _number(row["gap_high"]),
                count=f"n = {int(row['records']):,}", remark="too few to say" if row["reason"] else "",
                heading=row["attribute"],
            )
            for row in chosen
        ]  # fmt: skip
        apart = [f"{row.heading} {row.label}" for row in forest if row.low > 0 or row.high < 0]
        said = f"The interval leaves out 0 in {', '.join(apart)}" if apart else "No interval leaves out 0"
        yield Drawing(
            f"subgroups-{metric.replace('_', '-')}", "subgroups",
            plot_forest(
                forest, f"{name}: group less all others", reference=0.0, foot=_BY_CHANCE,
                sides=("lower here", "higher here"),
            ),
            f"Forest plot of the gaps in {name} between each group and all others. {said}.",
            f"Gaps in {name}, mean over the classes that can be measured on both sides, with 95% intervals.",
        )  # fmt: skip


def _place(group: str) -> int:
    """Bands of age and rate in their own order; other groups stay as they are."""
    names = [name for bands in (AGE_BANDS, RATE_BANDS) for _, name in bands]
    return names.index(group) if group in names else 0


def _labels(evaluated: Evaluated) -> Iterator[Drawing]:
    from leadlight.evaluation.curves import cooccurrences
    from leadlight.figures import plot_cooccurrence

    counts = cooccurrences(evaluated.truth, evaluated.known)
    pairs = [
        (int(counts[a, b]), evaluated.classes[a], evaluated.classes[b])
        for a in range(len(counts)) for b in range(a)
    ]  # fmt: skip
    most = max(pairs, default=(0, "", ""))
    said = (
        f"Most often together: {most[1]} and {most[2]}, in {most[0]:,} records." if most[0] else "None share."
    )
    yield Drawing(
        "label-cooccurrence", "labels", plot_cooccurrence(evaluated.classes, counts),
        f"Which labels stand together, of {len(evaluated.classes)} classes. {said}",
        "Which labels stand together among these records.",
    )  # fmt: skip


def _row(label: str, one: Estimate, remark: str = "", *, count: str = "", heading: str = "") -> ForestRow:
    from leadlight.figures import ForestRow

    return ForestRow(label, one.value, one.low, one.high, count=count, remark=remark, heading=heading)


def _estimate(one: Mapping[str, Any] | None) -> Estimate:
    known = one or {}
    value, low, high = (
        math.nan if known.get(key) is None else float(known[key]) for key in ("value", "low", "high")
    )
    return Estimate(value, low, high)


def _number(text: str) -> float:
    return float(text) if text else math.nan


def _least(classes: Sequence[Mapping[str, Any]], key: str) -> str:
    one = min(classes, key=lambda one: one[key]["value"])
    return f"{one[key]['value']:.3f} ({one['code']})"


def _most(classes: Sequence[Mapping[str, Any]], key: str) -> str:
    one = max(classes, key=lambda one: one[key]["value"])
    return f"{one[key]['value']:.3f} ({one['code']})"
