"""Grad-CAM: as published, to the fixture of ECG-XPLAIM; the sound form, by hand; leads told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import leadlight as ll
from leadlight import models, originals
from leadlight.errors import ModelError
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.signal import Crop

XPLAIM = Path(__file__).parents[2] / "parity" / "xplaim"
# The fixture's weights expect aVF before aVL; which lead a row is, the network does not ask.
PUBLISHED_CLASSES = tuple(f"class {number}" for number in range(25))


@pytest.fixture(scope="module")
def stored():
    with np.load(XPLAIM / "ecg_xplaim_gradcam.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def xplaim(classifier_of, drawn_weights):
    model = models.create("ecg-xplaim", 25)
    model.load_state_dict(originals.convert("ecg-xplaim", drawn_weights("xplaim/ecg_xplaim")))
    return classifier_of(model, PUBLISHED_CLASSES, 5000, name="ecg-xplaim", rate=500.0)


@pytest.fixture(scope="module")
def record(stored):
    return Recording(np.ascontiguousarray(stored["x"][0].T), STANDARD_LEADS, 500.0)


def relative(values):
    """Tolerance of 1e-5 of the largest absolute value, as the fixture's README states it."""
    return {"rtol": 0, "atol": 1e-5 * float(np.abs(values).max())}


def test_the_published_form_is_the_originals_to_the_fixture(xplaim, record, stored):
    explanations = ll.explain(xplaim, record, ["class 3", "class 10"], "grad-cam", form="published")
    for explanation, prefix in zip(explanations, ("c3_", "c10_"), strict=True):
        parts = explanation.parts
        assert_allclose(parts["weights"], stored[f"{prefix}weights"], **relative(stored[f"{prefix}weights"]))
        assert_allclose(parts["raw"], stored[f"{prefix}cam_raw"], **relative(stored[f"{prefix}cam_raw"]))
        assert_allclose(parts["cam"], stored[f"{prefix}cam"], atol=1e-5)
        assert_allclose(parts["upsampled"], stored[f"{prefix}upsampled"], atol=2e-5)
        for lead in range(12):
            assert_allclose(explanation.relevance[lead], stored[f"{prefix}plot"], atol=2e-5)


def test_where_nothing_is_positive_the_published_map_is_nan_and_the_sound_one_says_so(xplaim, record, stored):
    published = ll.explain(xplaim, record, "class 5", "grad-cam", form="published")
    raw = stored["c5_cam_raw"]
    assert_allclose(published.parts["raw"], raw, **relative(raw))
    assert np.isnan(published.relevance).all()
    assert any("NaN" in note for note in published.notes)
    sound = ll.explain(xplaim, record, "class 5", "grad-cam")
    assert np.isfinite(sound.relevance).all()


def test_the_sound_form_reads_the_last_block_and_the_logit(xplaim, record, stored):
    for code, prefix in (("class 3", "c3_"), ("class 10", "c10_")):
        explanation = ll.explain(xplaim, record, code, "grad-cam")
        expected = stored[f"{prefix}block3out_logit_cam_raw"]
        raw = explanation.parts["raw blocks.2.added"][0]
        assert_allclose(raw, expected, **relative(expected))
        # Step j stands for samples 4j to 4j + 3: sample 4j + 2 lies an eighth of a step past its middle.
        j = int(np.argmax(raw))
        assert explanation.relevance[0, 4 * j + 2] == pytest.approx(raw[j] * 7 / 8 + raw[j + 1] / 8, rel=1e-5)
        assert not explanation.leads_apart
        assert "All leads share one map" in explanation.caption()


def test_a_layer_by_name_is_read_instead(xplaim, record, stored):
    explanation = ll.explain(xplaim, record, "class 3", "grad-cam", layer="blocks.2.second")
    expected = stored["c3_block3main_logit_cam_raw"]
    assert_allclose(explanation.parts["raw blocks.2.second"][0], expected, **relative(expected))


def test_by_hand(classifier_of, by_hand):
    """Channel k weighs head[c, k] / samples; the map is the positive part of the weighted channels."""
    mix, head = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[2.0, -1.0], [-1.0, 1.0]])
    model = classifier_of(by_hand.Pooled(mix, head, 4), ("A", "B"), 4, leads=("I", "II"))
    signal = np.array([[1.0, 0.0, 3.0, -5.0], [1.0, 2.0, 0.0, 4.0]], dtype=np.float32)
    first, second = ll.explain(model, Recording(signal, ("I", "II"), 100.0), ["A", "B"], "grad-cam")
    # Channels: [1, 0, 3, 0] and [1, 2, 0, 4].
    assert_allclose(first.parts["raw channels"][0], np.array([2 - 1, -2, 6, -4]) / 4, rtol=1e-6)
    assert_allclose(first.relevance, [np.array([1, 0, 6, 0]) / 4] * 2, rtol=1e-6)
    assert_allclose(second.relevance, [np.array([0, 2, 0, 4]) / 4] * 2, rtol=1e-6)
    assert first.facts["maximum"] == pytest.approx(1.5)
    assert first.facts["positive share"] == pytest.approx(7 / 13)


def test_hires_is_gradient_times_output_where_the_head_does_not_average(classifier_of, by_hand):
    """A linear network reads its input itself: hires gives each lead's weight x signal, summed."""
    weights = torch.tensor([[[1.0, -2.0, 3.0]]])
    model = classifier_of(by_hand.Linear(weights), ("A",), 3, leads=("I",))
    recording = Recording(np.array([[2.0, 1.0, 1.0]], dtype=np.float32), ("I",), 100.0)
    explanation = ll.explain(model, recording, "A", "grad-cam", form="hires")
    assert_allclose(explanation.relevance, [[2.0, 0.0, 3.0]])


def test_a_map_over_leads_and_time_keeps_the_leads_apart(registered, noise):
    for name in ("res2d", "res2d-lc", "resunet-lc", "imle-net"):
        explanation = ll.explain(registered(name), noise(), "A", "grad-cam")
        assert explanation.leads_apart
        (raw,) = explanation.parts.values()
        assert raw.shape[0] == 12 and len(np.unique(raw, axis=0)) == 12, name
        assert "Each lead has a map of its own" in explanation.caption()


def test_in_imle_net_a_lead_that_changes_alone_changes_the_map_of_no_other_before_weighing(registered, noise):
    """Its encoder reads every lead by itself: activations of the others stay the same."""
    from leadlight.explanation.cam_layers import arranged, cam_layers

    module = registered("imle-net").module
    (layer,) = cam_layers(module)
    given = torch.from_numpy(noise().signal.copy())[None]
    changed = given.clone()
    changed[0, 4] += 1.0
    kept = []
    hook = module.get_submodule(layer.name).register_forward_hook(lambda _, __, out: kept.append(out))
    with torch.inference_mode():
        module(given), module(changed)
    hook.remove()
    before, after = (arranged(one, layer, module, 1)[0].numpy() for one in kept)
    differs = np.abs(before - after).max(axis=(0, 2)) > 1e-6
    assert differs.tolist() == [lead == 4 for lead in range(12)]


def test_mvms_net_has_a_map_for_each_group_of_leads(registered, noise):
    explanation = ll.explain(registered("mvms-net"), noise(), "A", "grad-cam", form="hires")
    rows = explanation.relevance
    for together in ((0, 4), (6, 7), (8, 9), (10, 11), (1, 2, 5)):
        for lead in together[1:]:
            assert_allclose(rows[lead], rows[together[0]])
    assert not np.allclose(rows[0], rows[6])
    assert "share a map: aVR; I, aVL" in explanation.caption()


@pytest.mark.parametrize(
    "name", ["xresnet1d18", "inception1d", "ecgnet", "mousavi", "imle-net", "nejedly", "gru"]
)
def test_an_edge_shows_at_its_time(name, registered):
    """The activations of the layer differ most around the sample that was changed.

    This holds the places of the steps to the network itself, whatever its strides and fillings.
    """
    from leadlight.explanation.cam_layers import arranged, cam_layers, on_samples

    n_samples = 1000 if name in ("ecgnet", "nejedly", "xresnet1d18") else 250
    module = registered(name, n_samples).module
    layer = cam_layers(module)[0]
    kept: list[torch.Tensor] = []

    def keep(_, __, output):
        kept.append(output[0] if isinstance(output, tuple) else output)

    hook = module.get_submodule(layer.name).register_forward_hook(keep)
    given = torch.randn(1, 12, n_samples, generator=torch.Generator().manual_seed(3)) * 0.1
    at = int(0.63 * n_samples)
    changed = given.clone()
    changed[:, :, at - 3 : at + 4] += 2.0
    with torch.inference_mode():
        module(given), module(changed)
    hook.remove()
    first, second = (arranged(one, layer, module, 1)[0].double() for one in kept)
    difference = (first - second).abs().sum((0, 1)).numpy()
    # Every step has seen something of it; the nearest ones most.
    curve = on_samples(difference, module, layer, n_samples) ** 2
    centre = float((curve * np.arange(n_samples)).sum() / curve.sum())
    # A recurrent layer remembers: it differs from there on.
    if name == "gru":
        assert curve[: at - 4].max() < 1e-6 < curve[at]
    else:
        assert centre == pytest.approx(at, abs=0.06 * n_samples)


def test_windows_of_a_long_recording_count_as_in_the_prediction(registered, classifier_of, noise):
    """Each window's own map, weighed by how much its logit counts, added up where they overlap."""
    model = registered("xresnet1d18", 250, (Crop(prediction="windows", aggregate="mean-logit"),))
    long = noise(500)
    whole = ll.explain(model, long, "A", "grad-cam", form="hires")
    assert whole.relevance.shape == (12, 500)
    parts = np.zeros((12, 500))
    for start in (0, 125, 250):
        part = ll.explain(model, long.crop(start / 100, start / 100 + 2.5), "A", "grad-cam", form="hires")
        parts[:, start : start + 250] += part.relevance / 3
    assert_allclose(whole.relevance, parts, rtol=1e-4, atol=1e-6 * np.abs(parts).max())
    assert_allclose(whole.recording.signal, long.signal)


def test_the_published_form_refuses_windows(registered, noise):
    model = registered("xresnet1d18", 250, (Crop(prediction="windows"),))
    with pytest.raises(ModelError, match="found 3 windows; accepted: one input"):
        ll.explain(model, noise(500), "A", "grad-cam", form="published")


@pytest.mark.parametrize(
    ("layer", "said"),
    [("stagse", "Did you mean 'stages'"), ("head.output", r"found an output of shape \(1, 3\)")],
)
def test_a_layer_that_cannot_be_read_is_refused(registered, noise, layer, said):
    with pytest.raises(ModelError, match=said):
        ll.explain(registered("xresnet1d18"), noise(), "A", "grad-cam", layer=layer)


def test_scrambled_segments_are_refused(classifier_of, noise):
    module = models.create("mousavi", 3, 12, 250, 100.0, filters=4, published_segments=True)
    with pytest.raises(ModelError, match="scrambled"):
        ll.explain(classifier_of(module, name="mousavi"), noise(), "A", "grad-cam")
