"""Fixtures that all tests share: recordings, a model folder, the originals' weights and answers."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

os.environ.setdefault("OMP_NUM_THREADS", "1")
PARITY = Path(__file__).parent / "parity"


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


@pytest.fixture(scope="session")
def drawn_weights() -> Callable[[str], dict[str, NDArray[np.float32]]]:
    """Tensors of a manifest by their original names: ``drawn_weights("imle/imle_net")``."""
    spec = importlib.util.spec_from_file_location("regenerate_weights", PARITY / "regenerate_weights.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("regenerate_weights", module)
    spec.loader.exec_module(module)
    return lambda name: module.weights(PARITY / f"{name}.manifest.json")


@pytest.fixture(scope="session")
def fixture_arrays() -> Callable[[str], dict[str, NDArray[np.float32]]]:
    """Inputs and outputs of an original: ``fixture_arrays("imle/imle_net")``."""

    def read(name: str) -> dict[str, NDArray[np.float32]]:
        with np.load(PARITY / f"{name}.io.npz", allow_pickle=False) as arrays:
            return dict(arrays)

    return read
