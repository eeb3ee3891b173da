"""IMLE-Net gives what the original gives: logits, embeddings and all three attentions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from leadlight import models

# Convolutions of the original in the order of our blocks: first, second, shortcut.
BLOCKS = [(1, 2, None), (3, 4, None), (5, 6, 7), (8, 9, None), (10, 11, 12), (13, 14, None)]


def state_from_original(drawn: dict[str, NDArray[np.float32]]) -> dict[str, torch.Tensor]:
    """The original's tensors under our names and in our layouts."""
    state: dict[str, NDArray[np.float32]] = {}

    def convolution(ours: str, theirs: str) -> None:
        state[f"{ours}.weight"] = drawn[f"{theirs}/kernel"].transpose(2, 1, 0)
        state[f"{ours}.bias"] = drawn[f"{theirs}/bias"]

    def normalisation(ours: str, theirs: str) -> None:
        for our_name, their_name in [
            ("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"),
            ("running_var", "moving_variance"),
        ]:  # fmt: skip
            state[f"{ours}.{our_name}"] = drawn[f"{theirs}/{their_name}"]
        state[f"{ours}.num_batches_tracked"] = np.array(0)

    def numbered(kind: str, number: int) -> str:
        return f"{kind}_{number}" if number else kind

    convolution("encoder.stem", "conv1d")
    for block, (first, second, shortcut) in enumerate(BLOCKS):
        ours = f"encoder.blocks.{block}"
        convolution(f"{ours}.first", f"conv1d_{first}")
        convolution(f"{ours}.second", f"conv1d_{second}")
        normalisation(f"{ours}.first_norm", numbered("batch_normalization", 2 * block))
        normalisation(f"{ours}.second_norm", numbered("batch_normalization", 2 * block + 1))
        if shortcut is not None:
            convolution(f"{ours}.shortcut", f"conv1d_{shortcut}")
            state[f"{ours}.shortcut.weight"] = state[f"{ours}.shortcut.weight"][:, :, :, None]
    for level in ("beat", "rhythm", "channel"):
        state[f"{level}_attention.weight"] = drawn[f"{level}_att/att_weight"]
        state[f"{level}_attention.bias"] = drawn[f"{level}_att/att_bias"]
        state[f"{level}_attention.score"] = drawn[f"{level}_att/Vatt"][:, 0]
    for direction in ("forward", "backward"):
        theirs = f"bidirectional/{direction}_lstm"
        state[f"lstm.{direction}_weight"] = drawn[f"{theirs}/kernel"].T
        state[f"lstm.{direction}_recurrent"] = drawn[f"{theirs}/recurrent_kernel"].T
        state[f"lstm.{direction}_bias"] = drawn[f"{theirs}/bias"]
    state["head.weight"], state["head.bias"] = drawn["dense/kernel"].T, drawn["dense/bias"]
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in state.items()}


@pytest.fixture(scope="module")
def original(fixture_arrays):
    return fixture_arrays("imle/imle_net")


@pytest.fixture(scope="module")
def model(drawn_weights):
    model = models.create("imle-net", n_classes=5)
    model.load_state_dict(state_from_original(drawn_weights("imle/imle_net")))
    return model.eval()


def assert_equal(ours: torch.Tensor, original: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(ours.detach().numpy(), original, rtol=1e-5, atol=1e-5)


def test_every_original_tensor_has_its_place(drawn_weights):
    drawn = drawn_weights("imle/imle_net")
    state = state_from_original(drawn)
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
