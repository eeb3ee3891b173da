"""Weights behind the parity fixtures, drawn anew from their manifests."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def drawn_weights() -> Callable[[str], dict[str, NDArray[np.float32]]]:
    """Tensors of a manifest by their original names: ``drawn_weights("imle/imle_net")``."""
    spec = importlib.util.spec_from_file_location("regenerate_weights", HERE / "regenerate_weights.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("regenerate_weights", module)
    spec.loader.exec_module(module)
    return lambda name: module.weights(HERE / f"{name}.manifest.json")


@pytest.fixture(scope="session")
def fixture_arrays() -> Callable[[str], dict[str, NDArray[np.float32]]]:
    """Inputs and outputs of an original: ``fixture_arrays("imle/imle_net")``."""

    def read(name: str) -> dict[str, NDArray[np.float32]]:
        with np.load(HERE / f"{name}.io.npz", allow_pickle=False) as arrays:
            return dict(arrays)

    return read
