"""Published cases: truth and scores with the numbers that the original code gave for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
