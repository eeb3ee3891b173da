"""The report of a run: data, training, measurements, examples, model card. What is missing is said."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.errors import LeadlightError, RunError
from leadlight.pages import Page, Paragraph, Section, render
from leadlight.pages.explanations import Explained
from leadlight.progress import ProgressCallback, silent
from leadlight.report.about import card_section, data_section, missing, training_section
from leadlight.report.examples import explain_examples
from leadlight.report.files import RunFiles, read_json
from leadlight.report.measurements import in_short, measurement_section
from leadlight.writing import write_whole

if TYPE_CHECKING:
    from leadlight.store import Data


def run_report(
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    explanations: Sequence[Explained] = (),
    titles: Sequence[str] | None = None,
    *,
    evaluations: Sequence[str | os.PathLike[str]] = (),
    data: Data | None = None,
    examples: int = 2,
    method: str = "",
    beside: Sequence[str | os.PathLike[str]] = (),
    on_progress: ProgressCallback = silent,
) -> Path:
    """Write the report of a run as one self-contained HTML page. Returns its path.

    model: a run folder; or a model folder or a shipped model, with evaluations: folders that
    ``leadlight evaluate --out`` wrote. explanations: recordings of your own to show; titles: one each.
    data, method: of the examples that are chosen from the last evaluation (``explain_examples``); examples:
    how many of each kind, 0 for none; beside: other runs, evaluated on the same folds, whose F1 and average
    precision are drawn next to this one's. Read from the run: recipe.toml, log.csv, evaluation/fold-N/,
    model/; a part that is not there is said to be missing. Raises RunError where there is no run at all.
    """
    files = RunFiles.of(os.fspath(model), tuple(Path(one) for one in evaluations))
    recipe, contract = files.recipe, files.contract
    labels = recipe.get("labels") or (contract.get("label_space") or {}).get("name")
    name = recipe.get("model") or contract.get("name") or "A model"
    short = in_short(files.evaluations)
    measured = [
        measurement_section(folder, evaluations_beside(beside, folder.name)) for folder in files.evaluations
    ]
    if not measured:
        measured = [Section("Measurements", [missing("evaluation/fold-N/metrics.json")])]
    names = titles or [f"Recording {number}" for number in range(1, len(explanations) + 1)]
    own = [one.section(title) for one, title in zip(explanations, names, strict=True)]
    chosen = _examples(model, files, data, examples, method, bool(own), on_progress)
    sections = [
        *([short] if short is not None else []),
        data_section(files),
        *([training_section(files)] if files.run is not None else []),
        *measured,
        *chosen,
        *own,
        card_section(files),
    ]
    page = Page(
        f"{name} on {labels or 'its labels'}",
        sections,
        "How a model was trained, how well it does, for whom, how far its probabilities can be trusted, and "
        "where it looked in a few recordings.",
    )
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, render(page).encode())
    return path


def evaluations_beside(runs: Sequence[str | os.PathLike[str]], fold: str) -> dict[str, Path]:
    """The evaluations of this fold that other runs have, by their models' names.

    Where two models have one name, what tells the places of their runs apart is added.
    """
    found: list[tuple[str, Path]] = []
    for place in map(Path, runs):
        folder = place if (place / "metrics.json").is_file() else place / "evaluation" / fold
        metrics = read_json(folder / "metrics.json")
        if metrics is None:
            raise RunError(
                f"{place}: found no evaluation of {fold.replace('-', ' ')}; make one with leadlight evaluate."
            )
        found.append((str(metrics.get("model") or place.name), folder))
    names = [name for name, _ in found]
    shared = len(Path(os.path.commonpath([Path(run).resolve() for run in runs])).parts) if runs else 0
    places = ["/".join(Path(run).resolve().parts[shared:]) or str(run) for run in runs]
    return {
        name if names.count(name) == 1 else f"{name}: {place}": folder
        for (name, folder), place in zip(found, places, strict=True)
    }


def _examples(
    model: str | os.PathLike[str],
    files: RunFiles,
    data: Data | None,
    each: int,
    method: str,
    has_own: bool,
    on_progress: ProgressCallback,
) -> list[Section]:
    """The examples of the last evaluation; why there are none, where there are none."""
    measured = [one for one in files.evaluations if (one / "predictions.parquet").is_file()]
    if each < 1 or files.model is None or not measured:
        none = Section("Examples", [Paragraph("No recording was explained.", "missing")])
        return [] if has_own else [none]
    try:
        return [
            explain_examples(
                os.fspath(model), measured[-1], data, each=each, method=method, on_progress=on_progress
            )
        ]
    except LeadlightError as error:
        # The data may be elsewhere by now: the rest of the report is still worth having.
        said = f"No recording could be explained: {error}"
        return [Section("Examples", [Paragraph(said, "missing")])]
