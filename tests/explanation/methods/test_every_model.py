"""Every registered model by every method: what an explanation promises, whatever the network."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
from numpy.testing import assert_allclose

import leadlight as ll
from leadlight import models
from leadlight.errors import LabelError, ModelError
from leadlight.explanation import METHODS
from leadlight.explanation.methods import usable

# Fewer passes: what is promised does not depend on their number.
QUICK = {
    "integrated-gradients": {"steps": 3},
    "smoothgrad": {"draws": 2},
    "occlusion": {"by": "window", "seconds": 1.3, "leads": "together"},
}
NO_RELU = {"s4", "mvms-net", "mvms-student"}
"""Networks whose activations are GELU and Mish alone."""


@pytest.mark.parametrize("name", models.names())
def test_every_method_that_a_model_can_explains_it(name, registered, noise):
    model, recording = registered(name), noise()
    can = usable(model)
    assert ("attention" in can) == models.describe(name).has_attention
    assert ("guided-grad-cam" in can) == (name not in NO_RELU)
    assert set(METHODS) - {"attention", "guided-grad-cam"} <= set(can)
    for method in can:
        first, second = ll.explain(model, recording, ["A", "class C"], method, **QUICK.get(method, {}))
        assert (first.target, second.target, first.method) == ("A", "C", method)
        for one in (first, second):
            assert one.relevance.shape == (12, 250)
            assert np.isfinite(one.relevance).all(), method
            assert one.signed or (one.relevance >= 0).all()
            assert one.unit and one.meaning and one.uniform.sum() == pytest.approx(1)
            total = one.lead_importance.sum()
            assert total == pytest.approx(1) or not one.relevance.any()
            if not one.leads_apart:
                assert_allclose(one.relevance, np.broadcast_to(one.relevance[0], (12, 250)))
                assert "share one map" in one.caption()
            assert one.cost.forward_passes > 0 and one.cost.seconds > 0 and one.cost.targets == 2
            assert_allclose(one.prediction.probabilities, model.predict(recording).probabilities, rtol=1e-5)
            assert "4711" not in repr(one) + one.caption()
            json.dumps(one.to_dict(), allow_nan=False)
        if METHODS[method].class_dependent:
            assert first.class_dependent
            assert "Target: A (class A), probability" in first.caption()
            alone = ll.explain(model, recording, "C", method, **QUICK.get(method, {}))
            assert_allclose(
                alone.relevance,
                second.relevance,
                rtol=1e-4,
                atol=1e-5 * np.abs(second.relevance).max() + 1e-12,
            )
        else:
            assert_allclose(first.relevance, second.relevance, atol=0)


def test_the_number_of_passes_is_as_the_methods_say(registered, noise):
    model, recording = registered("conv-bilstm-attention"), noise()

    def passes(method, target="A", **settings):
        result = ll.explain(model, recording, target, method, **settings)
        cost = (result[0] if isinstance(result, list) else result).cost
        return cost.forward_passes - 1, cost.backward_passes  # less the prediction's own

    assert passes("attention") == (1, 0)
    assert passes("grad-cam") == (1, 1)
    assert passes("grad-cam", ["A", "B", "C"]) == (1, 3)
    assert passes("gradients", ["A", "B"]) == (1, 2)
    assert passes("integrated-gradients", steps=5) == (5 + 2, 5)
    assert passes("smoothgrad", ["A", "B"], draws=4) == (4, 8)
    assert passes("guided-grad-cam") == (2, 2)
    # The recording itself, 12 leads, two groups; and without age and sex, beside with them.
    assert passes("occlusion", by="lead") == (1 + 12 + 2 + 2, 0)


def test_each_method_says_what_it_is():
    for name, method in METHODS.items():
        assert method.name == name
        for text in (method.definition, method.source, method.needs, method.cost, method.cannot_show):
            assert len(text) > 10
        stated = {one.name for one in fields(method.settings)}
        assert stated == set(method.settings_meaning), f"every setting of {name} is explained"
        assert method.set({}) == method.settings()
        given = {key: str(value) for key, value in method.defaults.items()}
        assert method.set(given) == method.settings(), "settings can be given as text, as a command line does"


def test_a_class_must_be_named_where_the_method_explains_one(registered, noise):
    with pytest.raises(LabelError, match="found none; grad-cam explains one class; accepted: A, B, C"):
        ll.explain(registered("cnn"), noise(), method="grad-cam")


def test_no_targets_no_explanations(registered, noise):
    assert ll.explain(registered("cnn"), noise(), [], "gradients") == []


def test_an_unknown_target_among_several_is_refused(registered, noise):
    with pytest.raises(LabelError, match="found 'D'"):
        ll.explain(registered("cnn"), noise(), ["A", "D"], "gradients")


@pytest.mark.parametrize(
    ("method", "settings", "said"),
    [
        ("smoothgrad", {"draws": 2.5}, "smoothgrad, draws: found 2.5; accepted: a whole number"),
        ("smoothgrad", {"noise": float("nan")}, "noise: found nan; accepted: a number"),
        ("smoothgrad", {"draws": True}, "draws: found True"),
        ("integrated-gradients", {"steps": 1}, "steps: found 1; accepted: 2 to 1000"),
        (
            "integrated-gradients",
            {"baseline": "mean"},
            "baseline: found 'mean'; accepted: median, zero, smoothed",
        ),
        ("grad-cam", {"form": "guided"}, "form: found 'guided'; accepted: sound, hires, published"),
        ("attention", {"level": "beat"}, "attention: found the setting level; accepted: none"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_by_name(registered, noise, method, settings, said):
    with pytest.raises(ModelError, match=said):
        ll.explain(registered("conv-bilstm-attention"), noise(), "A", method, **settings)


def test_attention_over_time_gives_each_step_its_samples(registered, noise):
    """Conv-BiLSTM-attention: a step stands for four samples; 250 samples leave two without one."""
    model = registered("conv-bilstm-attention")
    weights = model.attention(noise())["time"]
    explanation = ll.explain(model, noise())
    assert weights.shape == (62,)
    assert_allclose(explanation.relevance[3, 40:44], weights[10] / 4 / 12, rtol=1e-5)
    assert not explanation.relevance[:, 248:].any()
    assert explanation.relevance.sum() == pytest.approx(1)


def test_self_attention_is_how_much_each_step_is_read(registered, noise):
    """Nejedly: the mean over the reading steps; 6 samples of filling stand in front of 250."""
    model = registered("nejedly")
    weights = model.attention(noise())["time"]
    explanation = ll.explain(model, noise())
    read = weights.mean(axis=0)
    assert weights.shape == (4, 4)
    inside = 1 - read[0] * 6 / 64
    assert_allclose(explanation.relevance[0, :58], read[0] / 64 / 12 / inside, rtol=1e-5)
    assert_allclose(explanation.relevance[0, 58 : 58 + 64], read[1] / 64 / 12 / inside, rtol=1e-5)
    assert any("on filling in front" in note for note in explanation.notes)


def test_npz_holds_the_numbers_and_what_they_mean(registered, noise, tmp_path):
    explanation = ll.explain(registered("res2d"), noise(), "A", "grad-cam")
    path = explanation.save(tmp_path / "why.npz")
    with np.load(path, allow_pickle=False) as stored:
        assert_allclose(stored["relevance"], explanation.relevance)
        assert_allclose(stored["signal"], noise().signal)
        assert_allclose(stored["part: raw blocks"], explanation.parts["raw blocks"])
        about = json.loads(str(stored["about"]))
    assert (about["method"], about["target"], about["unit"]) == ("grad-cam", "A", "weighted activation")
    assert about["cost"]["forward_passes"] == 2


def test_signed_relevance_keeps_its_sign_in_multiples(registered, noise):
    explanation = ll.explain(registered("cnn"), noise(), "A", "gradients")
    assert (explanation.signed_multiples < 0).any() and (explanation.signed_multiples > 0).any()
    assert_allclose(np.abs(explanation.signed_multiples), explanation.multiples)
    assert explanation.shares.sum() == pytest.approx(1)
    assert_allclose(explanation.multiples.mean(), 1)
