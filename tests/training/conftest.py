"""A small simulated store and a recipe that trains on it in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.simulate import simulate_dataset
from leadlight.store import prepare

# Two channels and one stage: what is tested is the loop, not the network.
SMALL = (
    "arguments.filters=2", "arguments.stages=1", "arguments.lstm_units=2", "arguments.attention_units=2",
    "folds.training=[1,2,3,4]", "folds.validation=[5,6]", "training.epochs=3", "training.batch_size=8",
    "training.checkpoint_minutes=1e-9",
)  # fmt: skip


@pytest.fixture(scope="session")
def simulated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_dataset(tmp_path_factory.mktemp("simulated") / "ptb-xl", 80, seed=5)


@pytest.fixture(scope="session")
def store_folder(simulated_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare("ptb-xl", simulated_folder, tmp_path_factory.mktemp("store") / "store", workers=1).path


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    return SMALL
