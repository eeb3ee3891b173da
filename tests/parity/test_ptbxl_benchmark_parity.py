"""The PTB-XL benchmark's networks give what the originals give, stage by stage."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leadlight import models, originals

# Our model -> the fixture, and our part that gives each of its stage outputs.
STAGES = {f"stage{number + 1}": f"stages.{number}" for number in range(4)}
CASES = {
    "xresnet1d18": ("xresnet1d18", {"stem": "stem", **STAGES}),
    "xresnet1d34": ("xresnet1d34", {"stem": "stem", **STAGES}),
    "xresnet1d50": ("xresnet1d50", {"stem": "stem", **STAGES}),
    "xresnet1d101": ("xresnet1d101", {"stem": "stem", **STAGES}),
    "inception1d": (
        "inception1d",
        {f"block{number + 1}": f"blocks.{number // 3}.inner.{number % 3}" for number in range(6)}
        | {"shortcut1": "blocks.0", "shortcut2": "blocks.1"},
    ),
    "resnet1d-wang": (
        "resnet1d_wang",
        {"stem": "stem", **{f"stage{number + 1}": f"stages.{number}" for number in range(3)}},
    ),
    "fcn-wang": ("fcn_wang", {f"layer{number + 1}": f"layers.{number}" for number in range(3)}),
    "lstm": ("lstm", {}),
    "lstm-bidir": ("lstm_bidir", {}),
}
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module", params=CASES)
def case(request, drawn_weights, fixture_arrays):
    name = request.param
    fixture, parts = CASES[name]
    arguments = {"published_last_state": True} if name == "lstm-bidir" else {}
    model = models.create(name, 71, **arguments).eval()
    drawn = drawn_weights(f"ptbxl/{fixture}")
    model.load_state_dict(originals.convert(name, drawn))
    return name, model, fixture_arrays(f"ptbxl/{fixture}"), parts, drawn


def run(model, signal, parts):
    """Logits, and the outputs of some parts of the model as (batch, channels, steps)."""
    outputs = {}
    hooks = [
        model.get_submodule(part).register_forward_hook(
            lambda _, __, output, key=key: outputs.update({key: output.squeeze(2).numpy()})
        )
        for key, part in parts.items()
    ]
    with torch.inference_mode():
        logits = model(torch.from_numpy(signal)).numpy()
    for hook in hooks:
        hook.remove()
    return logits, outputs


def test_logits_probabilities_and_loss(case):
    _, model, original, _, _ = case
    logits, _ = run(model, original["x"], {})
    np.testing.assert_allclose(logits, original["logits"], **TOLERANCE)
    probabilities = torch.sigmoid(torch.from_numpy(logits))
    np.testing.assert_allclose(probabilities, original["probabilities"], **TOLERANCE)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.from_numpy(logits), torch.from_numpy(original["y"]).float()
    )
    np.testing.assert_allclose(loss, original["loss"], **TOLERANCE)


def test_features_are_the_embedding(case):
    _, model, original, _, _ = case
    with torch.inference_mode():
        np.testing.assert_allclose(
            model.features(torch.from_numpy(original["x"])), original["embedding"], **TOLERANCE
        )


def test_every_stage(case):
    _, model, original, parts, _ = case
    _, outputs = run(model, original["x"], parts)
    for key, output in outputs.items():
        compared = 0
        for form, value in {
            key: output,
            f"{key}_mean": output.mean(2),
            f"{key}_t64": output[0, :, :64],
            f"{key}_c16": output[0, :16],
        }.items():
            if form in original:
                np.testing.assert_allclose(value, original[form], err_msg=form, **TOLERANCE)
                compared += 1
        assert compared, f"the fixture has no {key}"


def test_logits_with_gradients_enabled(case):
    _, model, original, _, _ = case
    np.testing.assert_allclose(
        model(torch.from_numpy(original["x"])).detach(), original["logits"], **TOLERANCE
    )


def test_counts_equal_the_original(case):
    name, model, _, _, drawn = case
    description = models.describe(name)
    trainable = sum(parameter.numel() for parameter in model.parameters())
    total = sum(value.numel() for key, value in model.state_dict().items() if "num_batches" not in key)
    assert total == sum(value.size for value in drawn.values()) == description.parameters
    assert trainable == description.trainable


def test_the_sound_last_state_is_where_each_direction_ends(drawn_weights, fixture_arrays):
    original = fixture_arrays("ptbxl/lstm_bidir")
    model = models.create("lstm-bidir", 71).eval()
    model.load_state_dict(originals.convert("lstm-bidir", drawn_weights("ptbxl/lstm_bidir")))
    pooled = []
    model.head.hidden.register_forward_pre_hook(lambda _, given: pooled.append(given[0]))
    with torch.inference_mode():
        model(torch.from_numpy(original["x"]))
    forward, backward = pooled[0][:, 1024:1280], pooled[0][:, 1280:]
    np.testing.assert_allclose(forward, original["lstm_last_step"][:, :256], **TOLERANCE)
    reads = model.lstm(torch.from_numpy(original["x"]).permute(2, 0, 1))[0]
    np.testing.assert_allclose(backward, reads[0, :, 256:].detach(), **TOLERANCE)
    assert np.abs(backward.numpy() - original["lstm_last_step"][:, 256:]).max() > 0.01
