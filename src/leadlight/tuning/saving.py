"""What a study leaves for the reader: best.toml, trials.csv, history.png, parallel.png."""

from __future__ import annotations

import csv
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.writing import unfinished, write_whole

if TYPE_CHECKING:
    from leadlight.tuning.studying import Tuning

FEWEST_FOR_PLOTS = 4
"""Fewer trials than these make no plot that says anything."""


def save(tuning: Tuning) -> list[Path]:
    """Write the best recipe, every trial, and plots of both; returns the paths.

    best.toml is a whole recipe, which ``leadlight train --recipe`` takes; it is left out while no trial
    is finished, the plots while there are few.
    """
    from optuna.trial import TrialState

    written = [tuning.folder / "trials.csv"]
    write_whole(written[0], _table(trial_rows(tuning)).encode())
    done = tuning.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if done:
        written.append(tuning.folder / "best.toml")
        write_whole(written[-1], tuning.best.recipe.to_toml().encode())
    if len(done) >= FEWEST_FOR_PLOTS:
        written += [_plot(tuning, "history"), _plot(tuning, "parallel")]
    return written


def trial_rows(tuning: Tuning) -> list[dict[str, Any]]:
    """One row a trial, in their order: number, state, value, epochs, seconds, and what was tried."""
    rows = []
    for one in tuning.study.get_trials(deepcopy=False):
        reported = one.intermediate_values
        seconds = one.duration.total_seconds() if one.duration else None
        rows.append(
            {
                "trial": one.number,
                "state": one.state.name.lower(),
                "validation_macro_auc": one.value
                if one.value is not None
                else max(reported.values(), default=None),
                "epochs": len(reported),
                "seconds": None if seconds is None else round(seconds, 1),
                **one.params,
                "error": one.user_attrs.get("error", ""),
            }
        )
    return rows


def _table(rows: list[dict[str, Any]]) -> str:
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
    names.pop("error", None)
    file = io.StringIO()
    writer = csv.DictWriter(file, [*names, "error"], lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _plot(tuning: Tuning, kind: str) -> Path:
    import matplotlib.pyplot as plt
    from optuna.visualization import matplotlib as plots

    path = tuning.folder / f"{kind}.png"
    name = "validation macro AUC"
    with warnings.catch_warnings(), plt.rc_context():
        warnings.simplefilter("ignore")  # these plots are marked as experimental
        draw = plots.plot_optimization_history if kind == "history" else plots.plot_parallel_coordinate
        axes = draw(tuning.study, target_name=name)
        figure = plt.gcf()
        figure.set_size_inches(9, 5)
        axes.set_title(
            "Trials in their order" if kind == "history" else "What each trial took, and its value"
        )
        with unfinished(path) as part:
            figure.savefig(part, format="png", dpi=150, bbox_inches="tight")
        plt.close(figure)
    return path
