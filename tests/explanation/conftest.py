"""A small model with random weights, and a recording that it can read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from leadlight import models
from leadlight.classifier import Classifier, load, save_model
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Patient, Recording

ARGUMENTS = {"filters": 4, "stages": 3, "lstm_units": 4, "attention_units": 4}
CLASSES = [("CD", "conduction disturbance"), ("MI", "myocardial infarction"), ("NORM", "normal ECG")]


@pytest.fixture(scope="session")
def make_model(contract_values: Callable[..., dict[str, Any]]) -> Callable[[Path, int], Classifier]:
    """A function that saves a model for so many samples in a folder, and loads it."""

    def make(folder: Path, n_samples: int) -> Classifier:
        torch.manual_seed(2)
        module = models.create("imle-net", 3, n_samples=n_samples, **ARGUMENTS)
        with torch.no_grad():
            # At their start the attentions are nearly even.
            for level in (module.beat_attention, module.rhythm_attention, module.channel_attention):
                level.bias.normal_(0, 1)
                level.score.normal_(0, 2)
        thresholds = {"values": [0.0, 0.5, 1.0], "rule": "by hand"}
        codes = [code for code, _ in CLASSES]
        contract = contract_values(codes, ARGUMENTS, n_samples, classes=CLASSES, thresholds=thresholds)
        return load(save_model(folder, module, contract))

    return make


@pytest.fixture(scope="session")
def model_folder(
    make_model: Callable[[Path, int], Classifier], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("model") / "small"
    make_model(folder, 1000)
    return folder


@pytest.fixture(scope="session")
def model(model_folder: Path) -> Classifier:
    return load(model_folder)


@pytest.fixture(scope="session")
def recording() -> Recording:
    signal = np.random.default_rng(4).normal(0, 0.2, (12, 1000)).astype(np.float32)
    patient = Patient("4711-Muster", 63.0, "female")
    return Recording(signal, STANDARD_LEADS, 100.0, patient=patient, source="/clinic/Muster/ecg.hea")
