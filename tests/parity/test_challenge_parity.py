"""Ribeiro, MVMS-Net with its student, and Nejedly give what the originals give."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leadlight import models, originals

CASES = {
    "ribeiro": ("ribeiro", 6),
    "mvms-net": ("mvms_net", 71),
    "mvms-student": ("mvms_student", 71),
    "nejedly": ("nejedly", 26),
    "nejedly-no-attention": ("nejedly_no_attention", 26),
}
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


def load(name, drawn_weights):
    fixture, n_classes = CASES[name]
    model = models.create(name, n_classes).eval()
    drawn = drawn_weights(f"challenge/{fixture}")
    model.load_state_dict(originals.convert(name, drawn))
    return model, drawn


@pytest.fixture(scope="module", params=CASES)
def case(request, drawn_weights, fixture_arrays):
    name = request.param
    model, drawn = load(name, drawn_weights)
    original = fixture_arrays(f"challenge/{CASES[name][0]}")
    signal = torch.from_numpy(original["x"])
    if name == "ribeiro":
        signal = signal.transpose(1, 2).contiguous()
    if signal.ndim == 4:
        signal = signal[:, :, 0]
    return name, model, original, signal, drawn


def test_logits_and_probabilities(case):
    name, model, original, signal, _ = case
    key = "challenge_logits" if name.startswith("nejedly") else "logits"
    with torch.inference_mode():
        logits = model(signal)
    np.testing.assert_allclose(logits, original[key], **TOLERANCE)
    np.testing.assert_allclose(torch.sigmoid(logits), original["probabilities"], **TOLERANCE)


def test_features_are_the_embedding(case):
    name, model, original, signal, _ = case
    key = "fused" if name == "mvms-net" else "embedding"
    with torch.inference_mode():
        np.testing.assert_allclose(model.features(signal), original[key], **TOLERANCE)


def test_counts_equal_the_original(case):
    name, model, _, _, drawn = case
    description = models.describe(name)
    trainable = sum(parameter.numel() for parameter in model.parameters())
    total = sum(value.numel() for key, value in model.state_dict().items() if "num_batches" not in key)
    assert total == sum(value.size for value in drawn.values()) == description.parameters
    assert trainable == description.trainable


def test_ribeiros_sums(drawn_weights, fixture_arrays):
    model, _ = load("ribeiro", drawn_weights)
    original = fixture_arrays("challenge/ribeiro")
    sums = []
    for unit in model.units:
        unit.register_forward_hook(lambda _, __, output: sums.append(output[1].mean((2, 3))))
    with torch.inference_mode():
        model(torch.from_numpy(original["x"]).transpose(1, 2).contiguous())
    for number, mean in enumerate(sums, start=1):
        np.testing.assert_allclose(mean, original[f"unit{number}_sum_mean"], **TOLERANCE)


def test_views_and_gates_of_mvms_net(drawn_weights, fixture_arrays):
    model, _ = load("mvms-net", drawn_weights)
    original = fixture_arrays("challenge/mvms_net")
    gates = []
    gate = model.networks[0].blocks[1].gate
    gate.register_forward_pre_hook(lambda part, given: gates.append(part.gates(given[0])))
    with torch.inference_mode():
        vectors, weights = model.views(torch.from_numpy(original["x"]))
    np.testing.assert_allclose(vectors, original["view_features"], **TOLERANCE)
    np.testing.assert_allclose(weights, original["view_weights"], **TOLERANCE)
    by_channel, by_time = gates[0]
    np.testing.assert_allclose(by_channel[:, :, 0, 0], original["view1_block2_gate_channel"], **TOLERANCE)
    np.testing.assert_allclose(by_time[:1, :, 0], original["view1_block2_gate_time"], **TOLERANCE)


@pytest.mark.parametrize("name", ["nejedly", "nejedly-no-attention"])
def test_both_heads_of_nejedly_and_its_backbone(drawn_weights, fixture_arrays, name):
    model, _ = load(name, drawn_weights)
    original = fixture_arrays(f"challenge/{CASES[name][0]}")
    signal = torch.from_numpy(original["x"])
    steps = []
    model.blocks.register_forward_hook(lambda _, __, output: steps.append(output))
    with torch.inference_mode():
        challenge, first = model.training_outputs(signal)
    np.testing.assert_allclose(first, original["logits"], **TOLERANCE)
    np.testing.assert_allclose(challenge, original["challenge_logits"], **TOLERANCE)
    np.testing.assert_allclose(steps[0].mean((2, 3)), original["backbone_mean"], **TOLERANCE)
    np.testing.assert_allclose(steps[0].amax((2, 3)), original["backbone_max"], **TOLERANCE)
    if name == "nejedly":
        with torch.inference_mode():
            weights = model.attention(signal)["time"]
        np.testing.assert_allclose(weights, original["attention"], **TOLERANCE)
        np.testing.assert_allclose(weights.sum(2), 1, atol=1e-5)


def test_the_flags_of_the_leads_follow_from_the_signal(fixture_arrays):
    original = fixture_arrays("challenge/nejedly")
    np.testing.assert_array_equal((original["x"] != 0).any(2), original["leads"].astype(bool))
