"""A run folder as training and evaluation leave it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadlight.classifier.contract import contract_from
from leadlight.evaluation import evaluate, measure_subgroups

PATIENTS = [f"Erika-{n // 2}" for n in range(60)]
RECORDS = [f"clinic-{n}" for n in range(60)]


@pytest.fixture
def make_ids() -> Callable[[], list[str]]:
    """What stands in predictions.parquet and must not stand in a report."""
    return lambda: ["Erika-", "clinic-"]


@pytest.fixture
def run(tmp_path: Path, contract_values: Callable[..., dict[str, Any]]) -> Path:
    """A run folder as training and evaluation leave it, with numbers by hand."""
    run = tmp_path / "run"
    (run / "model").mkdir(parents=True)
    (run / "recipe.toml").write_text(
        'model = "imle-net"\nlabels = "ptb-xl/superclass"\nseed = 42\n[folds]\ntraining = [1, 2]\n'
        "[training]\nlearning_rate = 0.001\n"
    )
    (run / "log.csv").write_text(
        "epoch,train_loss,validation_loss,validation_macro_auc,learning_rate,seconds\n"
        "1,0.6,0.65,0.71,0.001,100\n2,0.5,0.6,0.823,0.001,110\n3,0.4,0.62,0.8,0.001,90\n"
    )
    (run / "model" / "MODEL_CARD.md").write_text(
        "# small\n\n**Not a medical device.**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    values = contract_values(
        ["MI", "NORM", "HYP"], {}, weights_sha256="0" * 64,
        training_data={"dataset": "ptb-xl", "title": "PTB-XL", "version": "1.0.3", "licence": "CC BY 4.0",
                       "counts": {"training records": 1600}},
    )  # fmt: skip
    (run / "model" / "contract.json").write_text(contract_from(values).to_json())
    rng = np.random.default_rng(1)
    truth = (rng.random((60, 3)) < [0.3, 0.5, 0.0]).astype(np.uint8)
    scores = np.clip(0.3 * truth + rng.random((60, 3)) * 0.7, 0, 1).astype(np.float32)
    subgroups = measure_subgroups(
        truth, scores, ["MI", "NORM", "HYP"], [0.5, 0.5, 0.5],
        {"sex": ["female"] * 30 + ["male"] * 25 + [None] * 5, "age": ["40-59"] * 50 + ["80 and over"] * 10},
        patients=PATIENTS, resamples=50,
    )  # fmt: skip
    evaluate(
        truth,
        scores,
        ["MI", "NORM", "HYP"],
        [0.5, 0.5, 0.5],
        patients=PATIENTS,
        record_ids=RECORDS,
        subject={"dataset": "ptb-xl", "dataset_version": "1.0.3", "fold": 9, "weights_sha256": "0" * 64},
        subgroups=subgroups,
    ).save(run / "evaluation" / "fold-9")
    return run
