"""IMLE-Net gives what the original gives: logits, embeddings and all three attentions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from leadlight import models, originals


@pytest.fixture(scope="module")
def original(fixture_arrays):
    return fixture_arrays("imle/imle_net")


@pytest.fixture(scope="module")
def model(drawn_weights):
    model = models.create("imle-net", n_classes=5)
    model.load_state_dict(originals.convert("imle-net", drawn_weights("imle/imle_net")))
    return model.eval()


def assert_equal(ours: torch.Tensor, original: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(ours.detach().numpy(), original, rtol=1e-5, atol=1e-5)


def test_every_original_tensor_has_its_place(drawn_weights):
    drawn = drawn_weights("imle/imle_net")
    state = originals.convert("imle-net", drawn)
    assert sum(value.numel() for name, value in state.items() if "num_batches" not in name) == sum(
        value.size for value in drawn.values()
    )


def test_logits(model, original):
    with torch.inference_mode():
        assert_equal(model(torch.from_numpy(original["x"])), original["logits"])


def test_logits_with_gradients_enabled(model, original):
    assert_equal(model(torch.from_numpy(original["x"])), original["logits"])


def test_features_are_the_embedding(model, original):
    with torch.inference_mode():
        assert_equal(model.features(torch.from_numpy(original["x"])), original["embedding"])


@pytest.mark.parametrize("level", ["beat", "rhythm", "channel"])
def test_attention(model, original, level):
    with torch.inference_mode():
        weights = model.attention(torch.from_numpy(original["x"]))[level]
    assert_equal(weights, original[f"{level}_attention"])
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)


def test_beat_vectors_of_lead_one(model, original):
    with torch.inference_mode():
        segments = torch.from_numpy(original["x"])[:, 0].reshape(-1, 50)
        beats, _ = model.beat_attention(model.encoder(segments))
    assert_equal(beats.reshape(3, 20, 128), original["beat_embedding_lead0"])


def test_counts_equal_the_original(model):
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    state = model.state_dict()
    total = sum(value.numel() for name, value in state.items() if "num_batches" not in name)
    description = models.describe("imle-net")
    assert (total, trainable) == (748_517, 746_725) == (description.parameters, description.trainable)
