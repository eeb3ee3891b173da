"""The networks that IMLE-Net was compared with give what the originals give."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leadlight import models, originals

CASES = {
    "mousavi": ("mousavi", {}),
    "mousavi, published": ("mousavi_published", {"published_segments": True}),
    "rajpurkar": ("rajpurkar", {}),
    "ecgnet": ("ecgnet", {}),
    "resnet101": ("resnet101", {}),
}
PARAMS = [pytest.param(name, marks=pytest.mark.slow if name == "resnet101" else ()) for name in CASES]
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module", params=PARAMS)
def case(request, drawn_weights, fixture_arrays):
    fixture, arguments = CASES[request.param]
    name = request.param.partition(",")[0]
    model = models.create(name, 5, **arguments).eval()
    drawn = drawn_weights(f"imle/{fixture}")
    model.load_state_dict(originals.convert(name, drawn))
    return name, model, fixture_arrays(f"imle/{fixture}"), {key: value.size for key, value in drawn.items()}


def outputs_of(model, signal, *parts):
    """What some parts of a model give, without the image's height of one."""
    found = []
    hooks = [
        model.get_submodule(part).register_forward_hook(
            lambda _, __, output: found.append(output.squeeze(2) if output.ndim == 4 else output)
        )
        for part in parts
    ]
    with torch.inference_mode():
        model(torch.from_numpy(signal))
    for hook in hooks:
        hook.remove()
    return found


def test_logits_and_probabilities(case):
    _, model, original, _ = case
    with torch.inference_mode():
        logits = model(torch.from_numpy(original["x"]))
    np.testing.assert_allclose(logits, original["logits"], **TOLERANCE)
    np.testing.assert_allclose(torch.sigmoid(logits), original["probabilities"], **TOLERANCE)


def test_features_are_the_embedding(case):
    _, model, original, _ = case
    with torch.inference_mode():
        np.testing.assert_allclose(
            model.features(torch.from_numpy(original["x"])), original["embedding"], **TOLERANCE
        )


def test_inner_stages(case):
    name, model, original, _ = case
    x = original["x"]
    if name == "mousavi":
        with torch.inference_mode():
            encoded = model.encode(model.segments(torch.from_numpy(x[:1])))
        np.testing.assert_allclose(encoded[None, :2], original["segment_features"], **TOLERANCE)
        (states,) = outputs_of(model, x[:1], "lstm")
        np.testing.assert_allclose(states, original["rhythm_sequence"], **TOLERANCE)
    elif name == "rajpurkar":
        stem, *blocks = outputs_of(model, x, "stem", "blocks.3", "blocks.7", "blocks.11")
        np.testing.assert_allclose(stem.mean(2), original["stem_mean"], **TOLERANCE)
        np.testing.assert_allclose(blocks[0].mean(2), original["block3_mean"], **TOLERANCE)
        np.testing.assert_allclose(blocks[1].mean(2), original["block7_mean"], **TOLERANCE)
        np.testing.assert_allclose(blocks[2][:1].transpose(1, 2), original["block11"], **TOLERANCE)
    elif name == "ecgnet":
        stem, block = outputs_of(model, x, "joined", "blocks")
        np.testing.assert_allclose(stem[:1], original["stem"], **TOLERANCE)
        np.testing.assert_allclose(block, original["block"], **TOLERANCE)
    else:
        parts = outputs_of(model, x, "stem", "stages.0", "stages.1", "stages.2")
        for part, key in zip(parts, ("stem", "stage1", "stage2", "stage3"), strict=True):
            np.testing.assert_allclose(part.mean(2), original[f"{key}_mean"], **TOLERANCE)


def test_counts_equal_the_original(case):
    name, model, _, sizes = case
    description = models.describe(name)
    trainable = sum(parameter.numel() for parameter in model.parameters())
    total = sum(value.numel() for key, value in model.state_dict().items() if "num_batches" not in key)
    assert total == sum(sizes.values()) == description.parameters
    assert trainable == description.trainable


def test_both_forms_of_mousavi_differ_in_the_order_of_their_input_alone():
    sound = models.create("mousavi", 5)
    published = models.create("mousavi", 5, published_segments=True)
    signal = torch.arange(12 * 1000, dtype=torch.float32).reshape(1, 12, 1000)
    # By hand from the description: block g, row r, column c.
    for g, r, c in [(0, 0, 0), (0, 1, 3), (1, 49, 11), (19, 7, 5)]:
        assert sound.segments(signal)[g, c, r] == signal[0, c, 50 * g + r]
        assert published.segments(signal)[g, c, r] == 600 * g + 12 * r + c
