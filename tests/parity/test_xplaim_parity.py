"""ECG-XPLAIM and its comparators give what the originals give, to the edges of every block."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leadlight import models, originals

CASES = {"ecg-xplaim": "ecg_xplaim", "cnn": "cnn", "gru": "gru"}
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


def edges(steps):
    """The first and last twelve steps of (batch, steps, channels), as the fixtures store them."""
    return np.concatenate([steps[:, :12], steps[:, -12:]], axis=1)


@pytest.fixture(scope="module", params=CASES)
def case(request, drawn_weights, fixture_arrays):
    name = request.param
    model = models.create(name, 25).eval()
    drawn = drawn_weights(f"xplaim/{CASES[name]}")
    model.load_state_dict(originals.convert(name, drawn))
    original = fixture_arrays(f"xplaim/{CASES[name]}")
    outputs = {}
    hooks = [
        part.register_forward_hook(
            lambda _, __, output, part_name=part_name: outputs.update({part_name: output})
        )
        for part_name, part in model.named_modules()
    ]
    with torch.inference_mode():
        outputs["logits"] = model(torch.from_numpy(original["x"]).transpose(1, 2))
        outputs["features"] = model.features(torch.from_numpy(original["x"]).transpose(1, 2))
    for hook in hooks:
        hook.remove()
    return name, model, original, outputs, drawn


def test_logits_probabilities_and_embedding(case):
    _, _, original, outputs, _ = case
    np.testing.assert_allclose(outputs["logits"], original["logits"], **TOLERANCE)
    np.testing.assert_allclose(torch.sigmoid(outputs["logits"]), original["probabilities"], **TOLERANCE)
    np.testing.assert_allclose(outputs["features"], original["penultimate"], **TOLERANCE)


def test_inner_stages_to_their_edges(case):
    name, _, original, outputs, _ = case
    if name == "ecg-xplaim":
        found = {f"block{n + 1}_edges": outputs[f"blocks.{n}"] for n in range(3)}
        found["conv1d_20_edges"] = outputs["blocks.2.shortcut.0"]
        found["block1_stage1_edges"] = torch.relu(outputs["blocks.0.first.norm"])
    elif name == "cnn":
        found = {
            f"pool{n + 1}_edges": torch.nn.functional.max_pool2d(outputs[f"norms.{n}"], (1, 2))
            for n in range(3)
        }
    else:
        states = outputs["first"][0].transpose(0, 1)
        np.testing.assert_allclose(edges(states.numpy()), original["gru1_edges"], **TOLERANCE)
        np.testing.assert_allclose(outputs["second"][0][-1], original["gru2_last"], **TOLERANCE)
        return
    for key, image in found.items():
        tolerance = 3e-5 if key == "block3_edges" else 1e-5  # sums of thousands of terms
        steps = image.squeeze(2).transpose(1, 2).numpy()
        np.testing.assert_allclose(edges(steps), original[key], rtol=1e-5, atol=tolerance, err_msg=key)


def test_counts_equal_the_original(case):
    name, model, _, _, drawn = case
    description = models.describe(name)
    trainable = sum(parameter.numel() for parameter in model.parameters())
    total = sum(value.numel() for key, value in model.state_dict().items() if "num_batches" not in key)
    assert total == sum(value.size for value in drawn.values()) == description.parameters
    assert trainable == description.trainable
