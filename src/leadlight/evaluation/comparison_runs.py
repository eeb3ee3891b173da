"""Runs compared on one fold, from what ``leadlight evaluate`` wrote of each."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlight.datasets import SIMULATED_VERSION
from leadlight.errors import EvaluationError
from leadlight.evaluation.arrays import Bools, Floats
from leadlight.evaluation.comparing import Comparison, Scores, compare
from leadlight.evaluation.subgroups import ALL
from leadlight.progress import ProgressCallback, silent
from leadlight.writing import unfinished

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What an evaluation folder holds. truth, known: (records, classes); thresholds: NaN for none.

    used_for: what the model had taken from the fold that it was measured on.
    """

    name: str
    folder: Path
    dataset: str
    is_simulated: bool
    classes: tuple[str, ...]
    record_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    truth: Bools
    known: Bools
    scores: Floats
    thresholds: Floats
    used_for: tuple[str, ...]

    def arranged(self, classes: Sequence[str], record_ids: Sequence[str]) -> Evaluated:
        """The same in the order of these classes and records, which it has."""
        rows_of = {name: row for row, name in enumerate(self.record_ids)}
        rows = np.array([rows_of[name] for name in record_ids], dtype=np.intp)
        columns = np.array([self.classes.index(code) for code in classes], dtype=np.intp)
        place = np.ix_(rows, columns)
        return Evaluated(
            self.name, self.folder, self.dataset, self.is_simulated, tuple(classes), tuple(record_ids),
            tuple(self.patient_ids[row] for row in rows),
            self.truth[place], self.known[place], self.scores[place], self.thresholds[columns],
            self.used_for,
        )  # fmt: skip


def compare_runs(
    runs: Sequence[str | os.PathLike[str]],
    fold: int | None = None,
    *,
    all_pairs: bool = False,
    common_records: bool = False,
    resamples: int = 1000,
    seed: int = 0,
    on_progress: ProgressCallback = silent,
) -> Comparison:
    """Compare evaluated runs with the first, or all with each other.

    runs: run folders, with ``fold``; or folders that ``leadlight evaluate --out`` wrote. common_records:
    take the records that all have and whose truth is known to all; otherwise runs must have been measured
    on the same records with the same truth. Raises EvaluationError, saying how they differ.
    """
    if len(runs) < 2:
        raise EvaluationError(f"runs: found {len(runs)}; accepted: two or more.")
    folders = [_folder(Path(run), fold) for run in runs]
    names = _names([Path(run) for run in runs])
    read = [read_evaluated(folder, name) for folder, name in zip(folders, names, strict=True)]
    first = read[0]
    notes = [
        f"The fold was used for {' and '.join(one.used_for)} {one.name}, whose numbers are too good on it."
        for one in read
        if one.used_for
    ]
    for other in read[1:]:
        _refuse_other_classes(first, other)
    common = set.intersection(*(set(one.record_ids) for one in read))
    shared = [name for name in first.record_ids if name in common]
    for other in read[1:]:
        _refuse_other_data(first, other)
        if not common_records:
            _refuse_other_records(first, other)
    if not shared:
        raise EvaluationError("records: found none that all runs were measured on.")
    if any(len(one.record_ids) > len(shared) for one in read):
        numbers = ", ".join(f"{one.name} {len(one.record_ids)}" for one in read)
        notes.append(f"Only the {len(shared)} records that all were measured on ({numbers}).")
    arranged = [one.arranged(first.classes, shared) for one in read]
    known = np.all([one.known for one in arranged], axis=0)
    for other in arranged[1:]:
        _refuse_other_truth(arranged[0], other, known, common_records)
    if (arranged[0].known != known).any():
        notes.append("Classes that are unknown to one of the runs for a record are left out for all.")
    return compare(
        arranged[0].truth,
        [Scores(one.name, one.scores, one.thresholds) for one in arranged],
        first.classes,
        patients=arranged[0].patient_ids,
        known=known,
        all_pairs=all_pairs,
        notes=notes,
        resamples=resamples,
        seed=seed,
        on_progress=on_progress,
    )


def read_evaluated(folder: Path, name: str) -> Evaluated:
    """What ``leadlight evaluate`` wrote into a folder. Raises EvaluationError for a damaged one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    metrics, table_file = folder / "metrics.json", folder / "predictions.parquet"
    try:
        values = json.loads(metrics.read_text(encoding="utf-8"))
        codes = tuple(str(one["code"]) for one in values["classes"])
        thresholds = [one["threshold"] for one in values["classes"]]
        table = pq.read_table(table_file)
        truth = np.stack([table[f"truth_{code}"].to_numpy() for code in codes], axis=1).astype(np.float64)
        scores = np.stack([table[f"score_{code}"].to_numpy() for code in codes], axis=1)
        version = values["dataset_version"]
        record_ids = tuple(map(str, table["record_id"].to_pylist()))
        evaluated = Evaluated(
            name, folder, str(values["dataset"]), version == SIMULATED_VERSION, codes, record_ids,
            tuple(map(str, table["patient_id"].to_pylist())),
            np.nan_to_num(truth).astype(bool), ~np.isnan(truth), scores.astype(np.float64),
            np.array([np.nan if one is None else one for one in thresholds], dtype=np.float64),
            tuple(map(str, values.get("fold_used_for", ()))),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise EvaluationError(
            f"{folder}: metrics.json and predictions.parquet cannot be read ({type(error).__name__}); "
            "accepted: what leadlight evaluate writes. Evaluate again."
        ) from None
    if len(set(record_ids)) < len(record_ids):
        raise EvaluationError(f"{table_file}, record_id: found some twice; accepted: each once.")
    _refuse_older(evaluated, str(values.get("weights_sha256", "")), values.get("calibration"))
    return evaluated


def save_comparison(comparison: Comparison, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Write comparison.csv, a row a difference, and comparison.json. Returns their paths."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    table, values = place / "comparison.csv", place / "comparison.json"
    rows = [one.to_dict() for one in comparison.differences]
    with ExitStack() as stack:
        text = stack.enter_context(unfinished(values))
        text.write_text(
            json.dumps(comparison_values(comparison), indent=2, ensure_ascii=False) + "\n", "utf-8"
        )
        with stack.enter_context(unfinished(table)).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return table, values


def comparison_values(comparison: Comparison) -> dict[str, Any]:
    """The content of comparison.json: plain values, None where something is not defined."""

    def plain(one: Any) -> dict[str, float | None]:
        numbers = {"value": one.value, "low": one.low, "high": one.high}
        return {key: float(value) if np.isfinite(value) else None for key, value in numbers.items()}

    return {
        "models": list(comparison.models),
        "classes": list(comparison.classes),
        "records": comparison.n_records,
        "patients": comparison.n_patients,
        "resamples": comparison.resamples,
        "seed": comparison.seed,
        "values": {
            name: {key: plain(one) for key, one in of_model.items()}
            for name, of_model in comparison.values.items()
        },
        "differences": [one.to_dict() for one in comparison.differences],
        "notes": list(comparison.notes),
    }


def _folder(run: Path, fold: int | None) -> Path:
    if (run / "metrics.json").is_file():
        return run
    there = sorted(path.parent.name for path in run.glob("evaluation/*/metrics.json"))
    if fold is None and len(there) == 1:
        return run / "evaluation" / there[0]
    if fold is None and there:
        raise EvaluationError(f"{run}: found {', '.join(there)}; accepted: one of them, named with --fold.")
    if fold is not None and f"fold-{fold}" in there:
        return run / "evaluation" / f"fold-{fold}"
    number = "N" if fold is None else fold
    raise EvaluationError(
        f"{run}: found no evaluation{'' if fold is None else f' of fold {fold}'}; make one with "
        f"leadlight evaluate {run} --fold {number}."
    )


def _names(runs: Sequence[Path]) -> list[str]:
    """The shortest ends of the runs' paths that tell them apart, and the model before ``seed-N``."""
    paths = [run.resolve().parts for run in runs]
    paths = [parts[:-2] if parts[-2:-1] == ("evaluation",) else parts for parts in paths]
    fewest = 2 if any(parts[-1].startswith("seed-") for parts in paths) else 1
    for n_parts in range(fewest, max(map(len, paths)) + 1):
        names = ["/".join(parts[-n_parts:]).removeprefix("//") for parts in paths]
        if len(set(names)) == len(names):
            return names
    return [str(run) for run in runs]


def _refuse_older(evaluated: Evaluated, sha256: str, calibration: str | None) -> None:
    """Raise where the run's model has other weights, thresholds or calibration than were evaluated."""
    from leadlight.classifier.contract import CONTRACT_FILE, read_contract

    folder = evaluated.folder
    run = folder.parent.parent
    if folder.parent.name != "evaluation" or not (run / "model" / CONTRACT_FILE).is_file():
        return
    contract = read_contract(run / "model")
    now = np.array(contract.thresholds.values, dtype=np.float32)
    of_old = contract.codes != evaluated.classes or not np.array_equal(now, evaluated.thresholds)
    of_old |= calibration != (None if contract.calibration is None else contract.calibration.method)
    if of_old or sha256 != contract.weights_sha256:
        raise EvaluationError(
            f"{folder}: found the evaluation of other weights, thresholds or calibration than {run / 'model'}"
            f" has; evaluate again: leadlight evaluate {run} --fold {folder.name.removeprefix('fold-')}."
        )


def _refuse_other_classes(first: Evaluated, other: Evaluated) -> None:
    if set(first.classes) == set(other.classes):
        return
    said = [
        f"only {one.name} has {', '.join(sorted(set(one.classes) - set(another.classes)))}"
        for one, another in ((first, other), (other, first))
        if set(one.classes) - set(another.classes)
    ]
    raise EvaluationError(f"classes: {'; '.join(said)}. Runs with the same classes can be compared.")


def _refuse_other_data(first: Evaluated, other: Evaluated) -> None:
    for one, another in ((first, other), (other, first)):
        if one.is_simulated and not another.is_simulated:
            raise EvaluationError(
                f"records: {one.name} was measured on simulated records, {another.name} on others."
            )
    if first.dataset != other.dataset:
        raise EvaluationError(
            f"records: {first.name} was measured on {first.dataset}, {other.name} on {other.dataset}. "
            "Evaluate both on the same data: leadlight evaluate RUN --fold N --data DIR."
        )


def _refuse_other_records(first: Evaluated, other: Evaluated) -> None:
    ours, theirs = set(first.record_ids), set(other.record_ids)
    if ours != theirs:
        raise EvaluationError(
            f"records: {len(ours - theirs)} of {len(ours)} only in {first.name}, {len(theirs - ours)} of "
            f"{len(theirs)} only in {other.name}. Folds, lengths or label rules differ; --common-records "
            "compares them on the records that both have."
        )


def _refuse_other_truth(first: Evaluated, other: Evaluated, known: Bools, common: bool) -> None:
    differs = (first.truth != other.truth) & known
    if not common:
        differs |= first.known != other.known
    if differs.any():
        codes = ", ".join(code for code, one in zip(first.classes, differs.any(axis=0), strict=True) if one)
        raise EvaluationError(
            f"truth: {first.name} and {other.name} have other labels for {int(differs.any(axis=1).sum())} of "
            f"{len(differs)} records ({codes}). The data's version or the recipes' min_likelihood differ."
        )
    if first.patient_ids != other.patient_ids:
        raise EvaluationError(
            f"patients: {first.name} and {other.name} have other patients for the same records."
        )


def comparison_figure(comparison: Comparison, most: int = 40) -> Figure:
    """A forest plot: differences over all classes, and of ROC-AUC by class; larger is better in all of them.

    most: classes at most, those with the surest differences.
    """
    from leadlight.evaluation.evaluation import OVERALL
    from leadlight.figures.forest import ForestRow, plot_forest

    rows = []
    for one, other in dict.fromkeys((each.one, each.other) for each in comparison.differences):
        found = [each for each in comparison.differences if (each.one, each.other) == (one, other)]
        overall = [each for each in found if each.code == ALL and each.metric != "mean_brier"]
        of_classes = [each for each in found if each.code != ALL and each.metric == "roc_auc"]
        surest = sorted(of_classes, key=lambda each: each.p if np.isfinite(each.p) else 2.0)[:most]
        labelled = [(OVERALL[each.metric].partition(" (")[0], each) for each in overall]
        labelled += [(f"ROC-AUC {each.code}", each) for each in of_classes if each in surest]
        rows += [
            ForestRow(
                label, each.difference.value, each.difference.low, each.difference.high,
                remark="*" if each.p_corrected < 0.05 else "", heading=f"{one} less {other}",
            )
            for label, each in labelled
        ]  # fmt: skip
    return plot_forest(
        rows,
        "difference",
        reference=0.0,
        title=f"{comparison.n_records} records of {comparison.n_patients} patients",
        foot="95% intervals by a paired bootstrap over patients, of ROC-AUC by class DeLong's; "
        "* p below 0.05 after Holm's correction",
    )
