"""What is known of a run beside its measurements: data, recipe, training, model card."""

from __future__ import annotations

import math
from typing import Any

from leadlight.errors import RunError
from leadlight.pages import Block, Markdown, Paragraph, Section, Table, picture
from leadlight.report.files import RunFiles

_SETTINGS = (
    ("model", "model"),
    ("labels", "label space"),
    ("sampling_rate", "sampling rate (Hz)"),
    ("input.sampling_rate", "sampling rate (Hz)"),
    ("input.seconds", "length (s)"),
    ("folds.training", "folds for fitting"),
    ("folds.validation", "folds for choosing"),
    ("training.epochs", "epochs at most"),
    ("training.batch_size", "batch size"),
    ("training.optimizer", "optimiser"),
    ("training.loss", "loss"),
    ("training.learning_rate", "learning rate"),
    ("training.keep", "weights kept"),
    ("seed", "seed"),
)


def data_section(files: RunFiles) -> Section:
    """Which records the weights were fitted on, and by which recipe."""
    blocks: list[Block] = []
    data = files.contract.get("training_data") or {}
    if data:
        known = [
            f"{data.get('title') or data.get('dataset', '')} {data.get('version', '')}".strip(),
            f"licence {data['licence']}" if data.get("licence") else "",
            ", ".join(f"{what} {number:,}" for what, number in (data.get("counts") or {}).items()),
        ]
        blocks.append(Paragraph("Fitted on " + "; ".join(part for part in known if part) + "."))
    recipe = files.recipe
    if recipe:
        rows = [
            {"setting": label, "value": _setting(recipe, key)}
            for key, label in _SETTINGS
            if _setting(recipe, key) is not None
        ]
        blocks.append(Table(rows, "The recipe in short; recipe.toml in the run folder has every value."))
    else:
        blocks.append(missing("recipe.toml"))
    environment = files.environment
    if environment:
        said = [
            f"{key} {environment[key]}" for key in ("leadlight", "torch", "python", "device")
            if isinstance(environment.get(key), str | int | float)
        ]  # fmt: skip
        if said:
            blocks.append(Paragraph(f"Made with {', '.join(said)}.", "note"))
    return Section("Data and recipe", blocks)


def training_section(files: RunFiles) -> Section:
    """Losses and validation by epoch."""
    from leadlight.figures import plot_training

    rows = files.log
    if rows is None:
        return Section("Training", [missing("log.csv")])
    if not rows:
        return Section("Training", [Paragraph("No epoch has been finished yet.", "missing")])
    try:
        figure = plot_training(rows)
        aucs = [row["validation_macro_auc"] for row in rows]
        first, last = rows[0]["train_loss"], rows[-1]["train_loss"]
    except KeyError as error:
        raise RunError(
            f"{files.run}/log.csv: found {error}; accepted: the columns that leadlight train writes."
        ) from None
    best = max((auc for auc in aucs if not math.isnan(auc)), default=math.nan)
    said = f"{len(rows)} epochs, {_duration(sum(row.get('seconds', 0.0) for row in rows))}"
    caption = f"{said}; best validation macro ROC-AUC {best:.3f}. The weights after the best epoch are kept."
    alt = (
        f"Curves by epoch: the training loss goes from {first:.3f} to {last:.3f}, the validation AUC from "
        f"{aucs[0]:.3f} to {aucs[-1]:.3f}."
    )
    return Section("Training", [picture(figure, alt, caption)])


def card_section(files: RunFiles) -> Section:
    """The model card, as it stands in the model folder."""
    card = files.card
    return Section("Model card", [missing("model/MODEL_CARD.md") if card is None else Markdown(card)])


def missing(name: str) -> Paragraph:
    """The sentence that stands in place of what a run does not have."""
    return Paragraph(f"{name} is missing from the run folder: this part cannot be shown.", "missing")


def _setting(recipe: dict[str, Any], key: str) -> str | None:
    value: Any = recipe
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value = value.get("kind")  # an optimiser with its own settings
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return None if value is None else str(value)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
