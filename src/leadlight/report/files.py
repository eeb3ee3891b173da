"""What a run, or a model with an evaluation, holds on disk, as plain values."""

from __future__ import annotations

import csv
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlight.errors import RunError


@dataclass(frozen=True)
class RunFiles:
    """The folders of a run. run: None for a model that came without one; evaluations: folders, in order."""

    run: Path | None
    model: Path | None
    evaluations: tuple[Path, ...]

    @classmethod
    def of(cls, model: str | Path, evaluations: tuple[Path, ...] = ()) -> RunFiles:
        """The files of a run folder, a model folder or a shipped model.

        evaluations: folders that ``leadlight evaluate --out`` wrote, beside the run's own.
        Raises RunError where there is no such folder.
        """
        from leadlight.classifier import find_model_folder
        from leadlight.errors import ModelError

        folder = Path(model)
        own = tuple(sorted(path.parent for path in folder.glob("evaluation/*/metrics.json")))
        for one in evaluations:
            if not (one / "metrics.json").is_file():
                raise RunError(f"{one}: found no metrics.json; accepted: what leadlight evaluate writes.")
        try:
            found: Path | None = find_model_folder(model)
        except ModelError:
            found = None
        is_run = folder.is_dir() and not (folder / "contract.json").is_file()
        if not is_run and found is None:
            raise RunError(
                f"{model}: found no folder; accepted: a run folder, as leadlight train writes it, a model "
                "folder or a shipped model."
            )
        return cls(folder if is_run else None, found, (*own, *evaluations))

    @property
    def recipe(self) -> dict[str, Any]:
        """recipe.toml, or what the contract keeps of it; {} for none."""
        path = None if self.run is None else self.run / "recipe.toml"
        if path is None or not path.is_file():
            return dict(self.contract.get("recipe") or {})
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise RunError(f"{path}: found {error}; accepted: TOML. The file may be cut short.") from None

    @property
    def contract(self) -> dict[str, Any]:
        """contract.json as plain values; {} for none."""
        return {} if self.model is None else read_json(self.model / "contract.json") or {}

    @property
    def environment(self) -> dict[str, Any]:
        """environment.json; {} for none."""
        return {} if self.run is None else read_json(self.run / "environment.json") or {}

    @property
    def log(self) -> list[dict[str, float]] | None:
        """The rows of log.csv, None where there is none. Raises RunError for a damaged one."""
        path = None if self.run is None else self.run / "log.csv"
        if path is None or not path.is_file():
            return None
        with path.open(newline="", encoding="utf-8") as file:
            try:
                return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
            except (TypeError, ValueError) as error:
                raise RunError(
                    f"{path}: found {error}; accepted: the columns that leadlight train writes."
                ) from None

    @property
    def card(self) -> str | None:
        """MODEL_CARD.md, None where there is none."""
        path = None if self.model is None else self.model / "MODEL_CARD.md"
        return path.read_text(encoding="utf-8") if path is not None and path.is_file() else None


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, None where there is no file. Raises RunError for a damaged one."""
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise RunError(f"{path}: found {error}; accepted: JSON. The file may be cut short.") from None
    return value if isinstance(value, dict) else None


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file as text; [] where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
