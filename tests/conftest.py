"""Fixtures that all tests share: where the real recordings are, and what a model folder states."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that LEADLIGHT_DATA names; the test is skipped where there is none."""
    folder = os.environ.get("LEADLIGHT_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("LEADLIGHT_DATA does not name a folder with real recordings")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def real_ptbxl(real_data: Path) -> Path:
    return real_data / "ptb-xl"


@pytest.fixture(scope="session")
def reference(real_data: Path) -> Path:
    """Published tables that are read in place, beside the real recordings; skipped where missing."""
    folder = real_data.parent / "reference"
    if not folder.is_dir():
        pytest.skip("no reference/ folder beside LEADLIGHT_DATA")
    return folder


@pytest.fixture(scope="session")
def contract_values() -> Callable[..., dict[str, Any]]:
    """A function that gives the plain values of the contract of an IMLE-Net; named values replace its own."""

    def values(
        codes: Sequence[str], arguments: dict[str, int], n_samples: int = 1000, **changed: object
    ) -> dict[str, Any]:
        from leadlight.signal import GlobalScaling, Preprocessing

        return {
            "name": "small",
            "architecture": {"name": "imle-net", "n_classes": len(codes), "n_leads": 12,
                             "n_samples": n_samples, "sampling_rate": 100.0, "arguments": arguments},
            "preprocessing": Preprocessing(n_samples=n_samples, steps=(GlobalScaling(0.0, 0.2),)),
            "label_space": {"name": "any", "version": "1"},
            "classes": [(code, f"class {code}") for code in codes],
            "thresholds": {"values": [0.5] * len(codes), "rule": "by hand"},
            "training_data": {"dataset": "none", "version": "", "counts": {"training records": 0}},
            "folds": {"training": [1], "validation": [2]},
            "recipe": {},
            "seed": 1,
            "metrics": {"folds": [2], "n_records": 7, "values": {"macro ROC-AUC": 0.5}},
            "licence": "Apache-2.0",
            "citations": ["nobody"],
            "limits": ["random weights"],
            **changed,
        }  # fmt: skip

    return values
