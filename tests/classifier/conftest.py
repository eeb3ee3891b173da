"""A small model folder, a classifier whose probabilities can be computed by hand, and a recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from leadlight import models
from leadlight.classifier import Classifier, contract_from, save_model
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Patient, Recording
from leadlight.signal import GlobalScaling, Preprocessing

SMALL = {"filters": 4, "stages": 2, "lstm_units": 4, "attention_units": 4}


@pytest.fixture
def fields() -> dict[str, Any]:
    """Plain values of a contract for a small IMLE-Net with three classes."""
    return {
        "name": "small",
        "architecture": {
            "name": "imle-net",
            "n_classes": 3,
            "n_leads": 12,
            "n_samples": 1000,
            "sampling_rate": 100.0,
            "arguments": dict(SMALL),
        },
        "preprocessing": Preprocessing(steps=(GlobalScaling(0.1, 0.25),)),
        "label_space": {"name": "ptb-xl/superclass", "version": "1"},
        "classes": [
            ("CD", "Conduction disturbance"),
            ("MI", "Myocardial infarction"),
            ("NORM", "Normal ECG"),
        ],
        "thresholds": {"values": [0.3, 0.7, 0.5], "rule": "best F1", "folds": [9], "n_records": 20},
        "training_data": {
            "dataset": "ptb-xl",
            "version": "1.0.3",
            "title": "PTB-XL, a large publicly available electrocardiography dataset",
            "licence": "CC BY 4.0",
            "counts": {"training records": 1600, "validation records": 20},
        },
        "folds": {"training": [1, 2], "validation": [9]},
        "recipe": {"model": "imle-net", "training": {"learning_rate": 0.001, "epochs": 3}},
        "seed": 42,
        "metrics": {"folds": [9], "n_records": 20, "values": {"macro ROC-AUC": 0.91, "ROC-AUC MI": None}},
        "licence": "Apache-2.0",
        "citations": ["Wagner et al., PTB-XL, Scientific Data 2020"],
        "limits": ["Adults of one country only."],
    }


@pytest.fixture
def small_module() -> nn.Module:
    """A small IMLE-Net with random weights and batch statistics that differ from their start."""
    torch.manual_seed(3)
    module = models.create("imle-net", 3, **SMALL)
    module.train()
    module(torch.randn(4, 12, 1000))
    return module


@pytest.fixture
def model_folder(tmp_path: Path, fields: dict[str, Any], small_module: nn.Module) -> Path:
    return save_model(tmp_path / "small", small_module, fields)


class LeadMeans(nn.Module):
    """Logits that can be computed by hand: the means of leads I, V1 and V6 of the model's input."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3))
        self.batches: list[int] = []

    def forward(self, signal: torch.Tensor, metadata: torch.Tensor | None = None) -> torch.Tensor:
        assert not self.training
        self.batches.append(len(signal))
        return self.gain * signal[:, [0, 6, 11]].mean(dim=2)


@pytest.fixture
def by_hand(fields: dict[str, Any]) -> Classifier:
    return Classifier(LeadMeans(), contract_from(fields))


@pytest.fixture
def make_recording() -> Callable[..., Recording]:
    """Recordings whose lead k holds (k + 1) / 10 mV, plus noise when asked for."""

    def make(seconds: float = 10, rate: float = 100, noise: float = 0.0, seed: int = 0) -> Recording:
        n = round(seconds * rate)
        levels = np.arange(1, 13, dtype=np.float32)[:, None] / 10
        signal = levels + noise * np.random.default_rng(seed).standard_normal((12, n), dtype=np.float32)
        return Recording(
            signal, STANDARD_LEADS, rate, Patient("secret-id", 93.0, "female"), source="folder/00001_lr"
        )

    return make
