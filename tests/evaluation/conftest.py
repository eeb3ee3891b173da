"""Published cases with the numbers that the original code gave for them; a small data set and a run on it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import leadlight as ll
from leadlight import labels
from leadlight.leads import STANDARD_LEADS

PARITY = Path(__file__).parents[1] / "parity" / "metrics"


@dataclass(frozen=True)
class Case:
    """truth, scores (records, classes) and what is expected of them."""

    truth: np.ndarray
    scores: np.ndarray
    classes: tuple[str, ...]
    expected: dict[str, Any]


def _read(path: Path, expected: dict[str, Any]) -> Case:
    with np.load(path) as arrays:
        return Case(arrays["y_true"], arrays["y_score"], tuple(map(str, arrays["classes"])), expected)


@pytest.fixture(scope="session")
def golden(reference: Path) -> dict[str, Any]:
    return json.loads((reference / "ptbxl/parity/metrics_golden.json").read_text())


@pytest.fixture(scope="session")
def benchmark_test(reference: Path, golden: dict[str, Any]) -> Case:
    """Published predictions of xresnet1d101 on PTB-XL's fold 10, all 71 statements."""
    return _read(reference / "ptbxl/parity/ptbxl_exp0_test.npz", golden["test"])


@pytest.fixture(scope="session")
def benchmark_val(reference: Path, golden: dict[str, Any]) -> Case:
    """The same on fold 9."""
    return _read(reference / "ptbxl/parity/ptbxl_exp0_val.npz", golden["val"])


@pytest.fixture(scope="session")
def tied() -> Case:
    """200 records, 5 classes, many ties, many scores of exactly 0.5, a class without positives."""
    return _read(PARITY / "metrics_synthetic.npz", {})


@pytest.fixture(scope="session")
def imle() -> Case:
    """200 records, 5 classes, with what IMLE-Net's metric code gives for them."""
    case = json.loads((PARITY / "imle_metrics.json").read_text())
    return Case(np.array(case["truth"]), np.array(case["scores"]), tuple(case["classes"]), case)


@pytest.fixture
def random_case() -> Case:
    """60 records, 4 classes: ties, a class with two positives, a fifth of the truth unknown."""
    rng = np.random.default_rng(5)
    truth = (rng.random((60, 4)) < [0.5, 0.3, 0.2, 0.0]).astype(np.uint8)
    truth[[7, 31], 3] = 1
    scores = np.round(np.clip(0.4 * truth + 0.6 * rng.random((60, 4)), 0, 1), 1).astype(np.float32)
    return Case(truth, scores, ("A", "B", "C", "RARE"), {"known": rng.random((60, 4)) < 0.8})


CODES = ("CD", "HYP", "MI", "NORM", "STTC")
STATEMENTS = ("IRBBB", "LVH", "IMI", "NORM", "NDT")  # one of each superclass
THRESHOLDS = (0.4, 0.5, 0.45, 0.5, 0.55)
FOLDS = (1, 8, 9)
OTHER = {"unlabelled": 5, "short": 6, "gap": 7}  # ids of records of fold 9 that cannot be measured


def statements_of(number: int) -> dict[str, float]:
    if number == OTHER["unlabelled"]:
        return {"SR": 0.0}
    return {STATEMENTS[number % 5]: 100.0, STATEMENTS[number % 4]: 35.0, "SR": 0.0}


def fold_of(number: int) -> int:
    return 9 if number < 30 else FOLDS[number % 2]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 records of noise in PTB-XL's layout: 30 in fold 9, the others in folds 1 and 8."""
    root = tmp_path_factory.mktemp("ptb-xl")
    (root / "records100/00000").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for number in range(1, 51):
        name = f"records100/00000/{number:05d}_lr"
        signal = 0.3 * rng.standard_normal((12, 800 if number == OTHER["short"] else 1000)).astype(np.float32)
        if number == OTHER["gap"]:
            signal[3, 100:120] = np.nan
        ll.write(ll.Recording(signal, STANDARD_LEADS, 100.0), root / name)
        rows.append(
            {
                "ecg_id": number,
                "patient_id": float(number // 2 if number < 30 else number),  # two records each in fold 9
                "age": 60.0,
                "sex": 0,
                "scp_codes": repr(statements_of(number)),
                "strat_fold": fold_of(number),
                "filename_lr": name,
                "filename_hr": name.replace("records100", "records500").replace("_lr", "_hr"),
            }
        )
    with (root / "ptbxl_database.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return root


@pytest.fixture(scope="session")
def run(
    contract_values: Callable[..., dict[str, Any]], tmp_path_factory: pytest.TempPathFactory, data: Path
) -> Path:
    """A run folder whose model is a small IMLE-Net with random weights."""
    import torch

    from leadlight.classifier import save_model
    from leadlight.models import create
    from leadlight.signal import GlobalScaling, Preprocessing

    folder = tmp_path_factory.mktemp("run")
    size = {"filters": 4, "stages": 2, "lstm_units": 4, "attention_units": 4}
    torch.manual_seed(2)
    contract = contract_values(
        CODES,
        size,
        preprocessing=Preprocessing(steps=(GlobalScaling(0.0, 0.3),)),
        label_space={"name": "ptb-xl/superclass", "version": labels.space("ptb-xl/superclass").version},
        thresholds={"values": list(THRESHOLDS), "rule": "best-f1", "folds": [8], "n_records": 10},
        training_data={"dataset": "ptb-xl", "version": "1.0.3", "counts": {}},
        folds={"training": [1], "validation": [8]},
        recipe={"min_likelihood": 0.0, "keep_unlabelled": False},
        metrics={"folds": [], "n_records": 0, "values": {}},
    )
    save_model(folder / "model", create("imle-net", 5, **size), contract)
    (folder / "recipe.toml").write_text('model = "imle-net"\n')
    (folder / "environment.json").write_text(json.dumps({"data": str(data)}))
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLIGHT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
