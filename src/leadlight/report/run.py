"""The report of a run: data, training, measurements, examples, model card. What is missing is said."""

from __future__ import annotations

import csv
import json
import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leadlight.errors import RunError
from leadlight.report.explanations import Explained
from leadlight.report.page import Block, Markdown, Page, Paragraph, Section, Table, picture, render
from leadlight.writing import write_whole

_SETTINGS = (
    ("model", "model"),
    ("labels", "label space"),
    ("input.sampling_rate", "sampling rate (Hz)"),
    ("input.seconds", "length (s)"),
    ("folds.training", "folds for fitting"),
    ("folds.validation", "folds for choosing"),
    ("training.epochs", "epochs at most"),
    ("training.batch_size", "batch size"),
    ("training.learning_rate", "learning rate"),
    ("training.keep", "weights kept"),
    ("seed", "seed"),
)

_SPELLINGS = {"roc_auc": "ROC-AUC", "f1": "F1", "fmax": "Fmax", "brier": "Brier"}


def run_report(
    run: str | Path, explanations: Sequence[Explained], out: str | Path, titles: Sequence[str] | None = None
) -> Path:
    """Write the report of a run folder as one self-contained HTML page. Returns its path.

    explanations: examples to show; titles: one an example. Read from the run:
    recipe.toml, log.csv, evaluation/fold-N/, model/MODEL_CARD.md; a part that is
    not there is said to be missing. Raises RunError where there is no run at all.
    """
    run, out = Path(run), Path(out)
    if not run.is_dir():
        raise RunError(f"{run}: found no folder; accepted: a run folder, as leadlight train writes it.")
    recipe = _recipe(run)
    names = titles or [f"Example {number}" for number in range(1, len(explanations) + 1)]
    examples: list[Section] = [one.section(name) for one, name in zip(explanations, names, strict=True)]
    if not examples:
        examples = [Section("Examples", [Paragraph("No recording was explained.", "missing")])]
    page = Page(
        f"{recipe.get('model', 'A model')} on {recipe.get('labels', 'its labels')}",
        [
            _data(run, recipe),
            _training(run),
            *_evaluations(run),
            *examples,
            Section("Model card", [_card(run)]),
        ],
        "How a model was trained, how well it does, and where it looked in a few recordings.",
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, render(page).encode())
    return out


def _recipe(run: Path) -> dict[str, Any]:
    path = run / "recipe.toml"
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RunError(f"{path}: found {error}; accepted: TOML. The file may be cut short.") from None


def _data(run: Path, recipe: dict[str, Any]) -> Section:
    blocks: list[Block] = []
    contract = _json(run / "model" / "contract.json")
    data = (contract or {}).get("training_data") or {}
    if data:
        known = [
            f"{data.get('title') or data.get('dataset', '')} {data.get('version', '')}".strip(),
            f"licence {data['licence']}" if data.get("licence") else "",
            ", ".join(f"{what} {number:,}" for what, number in (data.get("counts") or {}).items()),
        ]
        blocks.append(Paragraph("; ".join(part for part in known if part) + "."))
    if recipe:
        rows = [
            {"setting": label, "value": _setting(recipe, key)}
            for key, label in _SETTINGS
            if _setting(recipe, key) is not None
        ]
        blocks.append(Table(rows, "The recipe in short; recipe.toml in the run folder has every value."))
    else:
        blocks.append(_missing("recipe.toml"))
    return Section("Data and recipe", blocks)


def _setting(recipe: dict[str, Any], key: str) -> str | None:
    value: Any = recipe
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return None if value is None else str(value)


def _training(run: Path) -> Section:
    from leadlight.figures import plot_training

    path = run / "log.csv"
    if not path.is_file():
        return Section("Training", [_missing("log.csv")])
    with path.open(newline="", encoding="utf-8") as file:
        try:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
            if not rows:
                return Section("Training", [Paragraph("No epoch has been finished yet.", "missing")])
            figure = plot_training(rows)
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(
                f"{path}: found {error}; accepted: the columns that leadlight train writes."
            ) from None
    aucs = [row["validation_macro_auc"] for row in rows]
    best = max((auc for auc in aucs if not math.isnan(auc)), default=math.nan)
    said = f"{len(rows)} epochs, {_duration(sum(row.get('seconds', 0.0) for row in rows))}"
    caption = f"{said}; best validation macro ROC-AUC {best:.3f}. The weights after the best epoch are kept."
    alt = (
        f"Two curves by epoch: the training loss goes from {rows[0]['train_loss']:.3f} to "
        f"{rows[-1]['train_loss']:.3f}, the validation AUC from {aucs[0]:.3f} to {aucs[-1]:.3f}."
    )
    return Section("Training", [picture(figure, alt, caption)])


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _evaluations(run: Path) -> list[Section]:
    folders = sorted((run / "evaluation").glob("fold-*"))
    sections = [_evaluation(folder) for folder in folders if (folder / "metrics.json").is_file()]
    return sections or [Section("Measurements", [_missing("evaluation/fold-N/metrics.json")])]


def _evaluation(folder: Path) -> Section:
    metrics = _json(folder / "metrics.json") or {}
    title = f"Measurements on {folder.name.replace('-', ' ')}"
    try:
        interval = metrics["interval"]
        overall = [
            {"metric": _spelled(key), "value": one["value"], "95% interval": _interval(one)}
            for key, one in metrics["overall"].items()
        ]
        classes = [
            {
                "class": one["code"],
                "description": one["description"],
                "records": one["records"],
                "positives": one["positives"],
                "ROC-AUC": one["roc_auc"]["value"],
                "95% interval": _interval(one["roc_auc"]),
                "average precision": one["average_precision"]["value"],
                "F1": one["f1"]["value"],
                "threshold": one["threshold"],
            }
            for one in metrics["classes"]
        ]
        text = (
            f"{metrics['records']:,} records of {metrics['patients']:,} patients; intervals: "
            f"{interval['method']}, {interval['resamples']:,} resamples, seed {interval['seed']}."
        )
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{folder / 'metrics.json'}: the key {error} is missing; accepted: the file that "
            "leadlight evaluate writes. Run it again."
        ) from None
    blocks: list[Block] = [Paragraph(text), Table(overall, "Over all classes.")]
    undefined = metrics.get("undefined_classes") or []
    if undefined:
        blocks.append(
            Paragraph(
                f"Without positives or without negatives, and in no mean: {', '.join(undefined)}.", "note"
            )
        )
    blocks.append(Table(classes, "By class."))
    curve = _roc(folder / "predictions.parquet", [one["code"] for one in metrics["classes"]])
    blocks.append(curve or _missing(f"evaluation/{folder.name}/predictions.parquet (ROC curves)"))
    blocks += [Paragraph(f"Note: {note}", "note") for note in metrics.get("notes") or []]
    return Section(title, blocks)


def _spelled(key: str) -> str:
    """A key of metrics.json as words: "macro_roc_auc" is "macro ROC-AUC"."""
    for written, spelled in _SPELLINGS.items():
        key = key.replace(written, spelled)
    return key.replace("_", " ")


def _interval(one: dict[str, Any]) -> str | None:
    if one.get("low") is None or one.get("high") is None:
        return None
    return f"{one['low']:.3f} to {one['high']:.3f}"


def _roc(path: Path, classes: list[str]) -> Block | None:
    if not path.is_file():
        return None
    import numpy as np
    import pyarrow.parquet as pq

    from leadlight.figures import plot_roc

    table = pq.read_table(path).to_pandas()
    truth = table[[f"truth_{code}" for code in classes]].to_numpy(dtype=float)
    scores = table[[f"score_{code}" for code in classes]].to_numpy(dtype=np.float32)
    known = ~np.isnan(truth)
    figure = plot_roc(classes, np.nan_to_num(truth).astype(np.uint8), scores, known)
    return picture(
        figure, f"ROC curves of {', '.join(classes)}.", "ROC curves; the areas stand in the table."
    )


def _card(run: Path) -> Block:
    path = run / "model" / "MODEL_CARD.md"
    if not path.is_file():
        return _missing("model/MODEL_CARD.md")
    return Markdown(path.read_text(encoding="utf-8"))


def _json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise RunError(f"{path}: found {error}; accepted: JSON. The file may be cut short.") from None
    return value if isinstance(value, dict) else None


def _missing(name: str) -> Paragraph:
    return Paragraph(f"{name} is missing from the run folder: this part cannot be shown.", "missing")
