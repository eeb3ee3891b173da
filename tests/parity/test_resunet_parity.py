"""ResUNet-LC and its ablations give what the originals (two of them repaired) give."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leadlight import models, originals

CASES = {"resunet-lc": "resunet_lc", "res2d-lc": "res2d_lc", "res2d": "res2d", "res1d": "res1d"}
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


def load(name, drawn_weights, n_samples=4096):
    arguments = {"time_steps": 128} if name.endswith("-lc") else {}
    model = models.create(name, 26, 12, n_samples, 500.0, **arguments).eval()
    model.load_state_dict(originals.convert(name, drawn_weights(f"resunet/{CASES[name]}")))
    return model


@pytest.fixture(scope="module", params=CASES)
def case(request, drawn_weights, fixture_arrays):
    name = request.param
    original = fixture_arrays(f"resunet/{CASES[name]}")
    model = load(name, drawn_weights)
    outputs = {}
    hooks = [
        model.get_submodule(part).register_forward_hook(
            lambda _, __, output, part=part: outputs.update({part: output.detach().numpy()})
        )
        for part in ["stem", "blocks.0", "blocks.1", "blocks.2", "blocks.3"]
        + (["blocks.0.bottleneck", "blocks.3.bottleneck"] if name == "resunet-lc" else [])
    ]
    with torch.inference_mode():
        outputs["logits"] = model(torch.from_numpy(original["x"])).numpy()
        outputs["features"] = model.features(torch.from_numpy(original["x"])).numpy()
    for hook in hooks:
        hook.remove()
    return name, model, original, outputs


def test_logits_and_embedding(case):
    _, _, original, outputs = case
    np.testing.assert_allclose(outputs["logits"], original["logits"], **TOLERANCE)
    np.testing.assert_allclose(outputs["features"], original["embedding"], **TOLERANCE)


def test_every_block(case):
    name, _, original, outputs = case
    for number, step in enumerate((32, 16, 8, 4)):
        block = outputs[f"blocks.{number}"]
        sample = block[:, ::8, 0, :: step // 2] if name == "res1d" else block[:, ::32, :, ::step]
        np.testing.assert_allclose(sample, original[f"block{number}_sample"], **TOLERANCE)


def test_stem_and_bottlenecks(case):
    name, _, original, outputs = case
    if name != "resunet-lc":
        pytest.skip("the fixture has them for resunet-lc")
    np.testing.assert_allclose(outputs["stem"][:, ::32, :, ::64], original["stem_sample"], **TOLERANCE)
    for number in (0, 3):
        np.testing.assert_allclose(
            outputs[f"blocks.{number}.bottleneck"][:, ::16],
            original[f"block{number}_bottleneck_sample"],
            **TOLERANCE,
        )


def test_both_branches_of_the_lead_combiner(case):
    name, model, original, outputs = case
    if not name.endswith("-lc"):
        pytest.skip("this network has no lead combiner")
    with torch.inference_mode():
        branches = model.combiner.branches(torch.from_numpy(outputs["blocks.3"]))
    for branch, which in zip(branches, ("channel", "time"), strict=True):
        np.testing.assert_allclose(branch[:, ::8, ::8], original[f"{which}_branch_sample"], **TOLERANCE)


@pytest.mark.parametrize(
    ("name", "n_samples", "key"),
    [
        ("resunet-lc", 4095, "logits_4095"),
        ("resunet-lc", 1000, "sound_logits_1000"),
        ("resunet-lc", 4000, "sound_logits_4000"),
        ("res2d-lc", 1000, "sound_logits_1000"),
        ("res2d", 1000, "sound_logits_1000"),
        ("res1d", 1000, "logits_1000"),
        ("res1d", 1001, "logits_1001"),
        ("res1d", 4095, "logits_4095"),
    ],
)
def test_other_lengths(drawn_weights, fixture_arrays, name, n_samples, key):
    original = fixture_arrays(f"resunet/{CASES[name]}")
    with torch.inference_mode():
        logits = load(name, drawn_weights, n_samples)(torch.from_numpy(original["x"][..., :n_samples]))
    np.testing.assert_allclose(logits, original[key], **TOLERANCE)


def test_counts_equal_the_original(case, drawn_weights):
    name, model, _, _ = case
    drawn = drawn_weights(f"resunet/{CASES[name]}")
    description = models.describe(name)
    trainable = sum(parameter.numel() for parameter in model.parameters())
    total = sum(value.numel() for key, value in model.state_dict().items() if "num_batches" not in key)
    assert total == sum(value.size for value in drawn.values()) == description.parameters
    assert trainable == description.trainable


def test_the_other_file_of_the_same_network_is_an_alias():
    assert models.describe("resu2d-lc") is models.describe("resunet-lc")
    assert "resu2d-lc" not in models.names()
