"""Conv-BiLSTM-attention in its published form gives what the original gives, metadata and attention too."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leadlight import models, originals
from leadlight.errors import ModelError

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module")
def original():
    from pathlib import Path

    with np.load(Path(__file__).parent / "convlstm" / "convlstm_io.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def drawn(drawn_weights):
    return drawn_weights("convlstm/conv_bilstm_attention")


@pytest.fixture(scope="module")
def model(drawn):
    model = models.create("conv-bilstm-attention", 5, published=True).eval()
    model.load_state_dict(originals.convert("conv-bilstm-attention", drawn))
    return model


@pytest.fixture(scope="module")
def given(original):
    return torch.from_numpy(original["x"]).transpose(1, 2), torch.from_numpy(original["metadata"])


def test_logits_probabilities_and_embedding(model, original, given):
    with torch.inference_mode():
        logits, features = model(*given), model.features(*given)
    np.testing.assert_allclose(logits, original["logits"], **TOLERANCE)
    np.testing.assert_allclose(torch.sigmoid(logits), original["probabilities"], **TOLERANCE)
    np.testing.assert_allclose(features, original["embedding"], **TOLERANCE)


def test_attention(model, original, given):
    with torch.inference_mode():
        weights = model.attention(*given)["time"]
    np.testing.assert_allclose(weights, original["attention"], **TOLERANCE)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)


def test_inner_stages(model, original, given):
    outputs = {}
    hooks = [
        model.get_submodule(part).register_forward_hook(
            lambda _, __, output, part=part: outputs.update({part: output.numpy()})
        )
        for part in ("blocks.0", "blocks.1", "lstm", "signal_branch", "metadata_branch")
    ]
    with torch.inference_mode():
        model(*given)
    for hook in hooks:
        hook.remove()
    for part, key, step in (("blocks.0", "block1", 20), ("blocks.1", "block2", 10)):
        steps = outputs[part][0, :, 0].T[::step]
        np.testing.assert_allclose(steps, original[f"{key}_rec0_every{step}"], **TOLERANCE)
    np.testing.assert_allclose(outputs["lstm"][0, ::10], original["lstm_rec0_every10"], **TOLERANCE)
    np.testing.assert_allclose(outputs["signal_branch"], original["ecg_embedding"], **TOLERANCE)
    np.testing.assert_allclose(outputs["metadata_branch"], original["meta_embedding"], **TOLERANCE)


def test_counts_equal_the_original(model, drawn):
    description = models.describe("conv-bilstm-attention")
    trainable = sum(parameter.numel() for parameter in model.parameters())
    total = sum(value.numel() for key, value in model.state_dict().items() if "num_batches" not in key)
    assert total == sum(value.size for value in drawn.values()) == description.parameters == 957_957
    assert trainable == description.trainable == 954_853


def test_the_published_weights_are_nearly_equal_and_the_sound_ones_need_not_be(model, original, given):
    sound = models.create("conv-bilstm-attention", 5).eval()
    state = {key: value for key, value in model.state_dict().items() if "metadata_branch.linear" not in key}
    sound.load_state_dict(state, strict=False)
    sound.score.data *= 20
    with torch.inference_mode():
        weights = sound.attention(given[0])["time"]
        published = model.attention(*given)["time"]
    # tanh leaves the scores within 2 of each other: no weight is e^2 times another.
    assert float((published.amax(1) / published.amin(1)).max()) <= np.e**2
    assert float((weights.amax(1) / weights.amin(1)).max()) > np.e**2


def test_metadata_that_is_missing_is_said_so_and_never_gives_nan(given):
    sound = models.create("conv-bilstm-attention", 5).eval()
    missing = torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0]]).repeat(3, 1)
    with torch.inference_mode():
        assert torch.equal(sound(given[0]), sound(given[0], missing))
        assert bool(torch.isfinite(sound(given[0])).all())


@pytest.mark.parametrize("metadata", [torch.zeros(3, 3), torch.zeros(2, 5), torch.full((3, 5), torch.nan)])
def test_wrong_metadata_is_named(given, metadata):
    with pytest.raises(ModelError, match="metadata: found"):
        models.create("conv-bilstm-attention", 5).eval()(given[0], metadata)


def test_the_published_form_needs_metadata(model, given):
    with pytest.raises(ModelError, match=r"needs .*age, male, female"):
        model(given[0])
