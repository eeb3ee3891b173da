"""Classifiers in memory, of any network, and small networks whose explanations can be computed by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight import models
from leadlight.classifier import Classifier
from leadlight.classifier.contract import contract_from
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Patient, Recording
from leadlight.signal import Metadata, Preprocessing

CODES = ("A", "B", "C")
PATIENT = Patient("4711", 70.0, "male")

# Narrower forms of the largest networks: what is promised does not depend on the width.
NARROW: dict[str, dict[str, Any]] = {
    "imle-net": {"filters": 4, "stages": 3, "lstm_units": 4, "attention_units": 4},
    "rajpurkar": {"filters": 4},
    "resnet101": {"width": 4},
    "res2d": {"channels": 8},
    "res2d-lc": {"channels": 8},
    "resunet-lc": {"channels": 8, "inner_channels": 4},
    "res1d": {"channels": 16},
    "conv-bilstm-attention": {"filters": 8, "lstm_units": 4},
    "ecg-xplaim": {"filters": 4, "filters_2": 4, "filters_3": 8},
    "cnn": {"filters": 4, "hidden": 8},
    "gru": {"units": 8, "hidden": 8},
    "lstm": {"units": 8},
    "lstm-bidir": {"units": 8},
    "ribeiro": {"width": 0.1},
    "mvms-net": {"width": 16},
    "mvms-student": {"width": 16},
    "nejedly": {"channels": 16},
    "nejedly-no-attention": {"channels": 16},
    "s4": {"width": 16},
}

Make = Callable[..., Classifier]


@pytest.fixture(scope="session")
def classifier_of(contract_values: Callable[..., dict[str, Any]]) -> Make:
    """A function: a network, and steps and metadata of its contract, to a classifier in memory."""

    def make(
        module: nn.Module,
        codes: Sequence[str] = CODES,
        n_samples: int = 250,
        steps: tuple[Any, ...] = (),
        leads: Sequence[str] = STANDARD_LEADS,
        name: str = "imle-net",
        metadata: Metadata | None = None,
        rate: float = 100.0,
    ) -> Classifier:
        values = contract_values(
            list(codes), {}, n_samples,
            architecture={"name": name, "n_classes": len(codes), "n_leads": len(leads),
                          "n_samples": n_samples, "sampling_rate": rate, "arguments": {}},
            preprocessing=Preprocessing(tuple(leads), rate, n_samples, steps),
            metadata=metadata,
        )  # fmt: skip
        return Classifier(module, contract_from(values))

    return make


@pytest.fixture(scope="session")
def registered(classifier_of: Make) -> Callable[[str], Classifier]:
    """A function: the name of a registered model to a narrow, untrained classifier of 2.5 s."""

    def make(name: str, n_samples: int = 250, steps: tuple[Any, ...] = ()) -> Classifier:
        torch.manual_seed(0)
        module = models.create(name, 3, 12, n_samples, 100.0, **NARROW.get(name, {}))
        columns = int(getattr(module, "n_metadata", 0))
        names = ("age", "male", "female", "age missing", "sex missing")[:columns]
        metadata = Metadata(names, "z-score", 60.0, 15.0) if columns else None
        return classifier_of(module, n_samples=n_samples, steps=steps, name=name, metadata=metadata)

    return make


@pytest.fixture(scope="session")
def noise() -> Callable[..., Recording]:
    """A function that gives a recording of noise."""

    def make(n_samples: int = 250, leads: Sequence[str] = STANDARD_LEADS, seed: int = 0) -> Recording:
        signal = np.random.default_rng(seed).normal(0, 0.3, (len(leads), n_samples)).astype(np.float32)
        return Recording(signal, tuple(leads), 100.0, patient=PATIENT, source="/clinic/4711.hea")

    return make


class Linear(nn.Module):
    """Logits = sum of weights x signal: (classes, leads, samples). Every attribution is known."""

    cam_layer = "values"

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)
        self.n_leads, self.n_samples = weights.shape[1:]
        self.values = nn.Identity()

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        return torch.einsum("bls,cls->bc", self.values(signal.unsqueeze(1)).squeeze(1), self.weights)


class Pooled(nn.Module):
    """Two channels by fixed kernels of one sample, functional ReLU, mean over time, a linear head.

    Channel k at t: ReLU(sum over leads of mix[k, l] x[l, t]); logit c: sum of head[c, k] mean(channel k).
    """

    cam_layer = "channels"

    def __init__(self, mix: Tensor, head: Tensor, n_samples: int) -> None:
        super().__init__()
        self.n_leads, self.n_samples = mix.shape[1], n_samples
        self.mix, self.head = nn.Parameter(mix), nn.Parameter(head)
        self.channels = nn.Identity()

    def forward(self, signal: Tensor, metadata: Tensor | None = None) -> Tensor:
        channels = functional.relu(torch.einsum("bls,kl->bks", signal, self.mix))
        return self.channels(channels).mean(2) @ self.head.T


@pytest.fixture(scope="session")
def by_hand() -> SimpleNamespace:
    """The classes of small networks: ``Linear`` and ``Pooled``."""
    return SimpleNamespace(Linear=Linear, Pooled=Pooled)
