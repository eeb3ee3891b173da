"""Gradients, integrated gradients, SmoothGrad: by hand on small networks, then beside Captum on real ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from torch.nn import functional

import leadlight as ll
from leadlight.recording import Recording
from leadlight.signal import Crop, ZScore

SIGNAL = np.array([[2.0, -1.0, 0.5, 1.0], [0.0, 3.0, 1.0, -2.0]], dtype=np.float32)
WEIGHTS = torch.tensor([[[1.0, 2.0, -1.0, 0.5], [0.0, -1.0, 2.0, 1.0]], [[-1.0, 0, 0, 0], [0, 0, 0, 3.0]]])
MEDIANS = np.array([[0.75], [0.5]])


class Squares(nn.Module):
    """Logit: the sum of the squares of the signal."""

    cam_layer = "values"

    def __init__(self, n_leads: int, n_samples: int) -> None:
        super().__init__()
        self.n_leads, self.n_samples = n_leads, n_samples
        self.scale = nn.Parameter(torch.ones(1))
        self.values = nn.Identity()

    def forward(self, signal, metadata=None):
        return (self.scale * signal.square()).sum((1, 2))[:, None]


@pytest.fixture(scope="module")
def recording():
    return Recording(SIGNAL, ("I", "II"), 100.0)


@pytest.fixture(scope="module")
def linear(classifier_of, by_hand):
    return classifier_of(by_hand.Linear(WEIGHTS), ("A", "B"), 4, leads=("I", "II"))


@pytest.fixture(scope="module")
def squares(classifier_of):
    return classifier_of(Squares(2, 4), ("A",), 4, leads=("I", "II"))


def test_of_a_linear_network_every_method_gives_weight_times_distance(linear, recording):
    for method, settings in (
        ("gradients", {}), ("integrated-gradients", {"steps": 2}),
        ("smoothgrad", {"form": "times-input", "draws": 3}),
    ):  # fmt: skip
        for explanation, weights in zip(
            ll.explain(linear, recording, ["A", "B"], method, **settings), WEIGHTS.numpy(), strict=True
        ):
            assert_allclose(explanation.relevance, weights * (SIGNAL - MEDIANS), atol=1e-6)
            assert explanation.signed and explanation.unit == "logit"
            assert explanation.baseline == "a flat line at each lead's median"
        zero = ll.explain(linear, recording, "A", method, baseline="zero", **settings)
        assert_allclose(zero.relevance, WEIGHTS[0].numpy() * SIGNAL, atol=1e-6)


def test_the_plain_form_is_the_absolute_gradient(linear, squares, recording):
    for method in ("gradients", "smoothgrad"):
        explanation = ll.explain(linear, recording, "A", method, form="plain")
        assert_allclose(explanation.relevance, WEIGHTS[0].abs().numpy(), rtol=1e-6)
        assert not explanation.signed
    assert_allclose(
        ll.explain(squares, recording, "A", "gradients", form="plain").relevance, np.abs(2 * SIGNAL)
    )


def test_gradient_times_input_overshoots_where_integrated_gradients_add_up(squares, recording):
    """f = sum of squares: x df/dx = 2 x^2, and the integral from 0 gives x^2."""
    once = ll.explain(squares, recording, "A", "gradients", baseline="zero")
    assert_allclose(once.relevance, 2 * SIGNAL**2)
    along = ll.explain(squares, recording, "A", "integrated-gradients", baseline="zero", steps=2)
    assert_allclose(along.relevance, SIGNAL**2, atol=1e-6)
    assert along.facts["relevance sum"] == pytest.approx(float((SIGNAL**2).sum()))
    assert along.facts["baseline logit"] == 0
    assert along.facts["completeness error"] == pytest.approx(0, abs=1e-5)


def test_too_few_steps_are_said(classifier_of, recording):
    class Steep(Squares):
        def forward(self, signal, metadata=None):
            return torch.tanh(50 * self.scale * (signal[:, :1, 0] - 1.31))

    model = classifier_of(Steep(2, 4), ("A",), 4, leads=("I", "II"))
    explanation = ll.explain(model, recording, "A", "integrated-gradients", baseline="zero", steps=2)
    assert any("take more steps" in note for note in explanation.notes)
    assert abs(explanation.facts["completeness error"]) > 0.5


def test_smoothgrad_is_the_mean_over_its_noise(squares, recording):
    """The gradient of squares is linear: the mean over draws is 2 (x + mean noise)."""
    settings = {"draws": 7, "noise": 0.2, "seed": 5}
    explanation = ll.explain(squares, recording, "A", "smoothgrad", **settings)
    rng = np.random.default_rng(5)
    ranges = np.array([[3.0], [5.0]])
    drawn = np.stack([rng.standard_normal((1, 2, 4), dtype=np.float32)[0] for _ in range(7)])
    assert_allclose(explanation.relevance, np.abs(2 * (SIGNAL + 0.2 * ranges * drawn.mean(0))), rtol=1e-5)
    assert_allclose(
        ll.explain(squares, recording, "A", "smoothgrad", **settings).relevance, explanation.relevance
    )
    other = ll.explain(squares, recording, "A", "smoothgrad", **{**settings, "seed": 6})
    assert not np.allclose(other.relevance, explanation.relevance)


def test_a_smoothed_baseline_keeps_what_is_slow_and_loses_a_spike():
    from leadlight.explanation.baselines import baseline_of

    times = np.arange(1000) / 100
    slow = np.sin(2 * np.pi * 0.05 * times)
    spike = np.where(np.abs(times - 5) < 0.02, 1.0, 0.0)
    smooth = baseline_of((slow + spike)[None, None].astype(np.float32), "smoothed")[0, 0]
    assert_allclose(smooth[100:400], slow[100:400], atol=0.02)
    assert abs(smooth[500] - slow[500]) < 0.15


@pytest.mark.parametrize("aggregate", ["mean", "max", "mean-logit"])
def test_windows_add_up_to_the_logit_of_the_whole_recording(registered, noise, aggregate):
    model = registered("xresnet1d18", 250, (Crop(prediction="windows", aggregate=aggregate), ZScore()))
    long = noise(600)
    explanation = ll.explain(model, long, "A", "integrated-gradients", steps=100)
    probability = float(model.predict(long)["A"])
    logit = np.log(probability) - np.log1p(-probability)
    change = logit - explanation.facts["baseline logit"]
    assert explanation.relevance.shape == (12, 600)
    assert explanation.relevance.sum() == pytest.approx(change, rel=0.05)
    if aggregate == "max":
        read = np.flatnonzero(np.abs(explanation.relevance).sum(axis=0))
        assert read.max() - read.min() < 600


def test_of_the_largest_window_the_others_have_no_part(classifier_of, by_hand):
    """Windows of 4 at 0, 2 and 4; the logit is the sum: the last window has the largest."""
    weights = torch.ones(1, 1, 4)
    steps = (Crop(prediction="windows", aggregate="max"),)
    model = classifier_of(by_hand.Linear(weights), ("A",), 4, steps, leads=("I",))
    recording = Recording(np.arange(8, dtype=np.float32)[None], ("I",), 100.0)
    explanation = ll.explain(model, recording, "A", "gradients", baseline="zero")
    assert_allclose(explanation.relevance, [[0, 0, 0, 0, 4, 5, 6, 7]])
    model = classifier_of(
        by_hand.Linear(weights),
        ("A",),
        4,
        (Crop(prediction="windows", aggregate="mean-logit"),),
        leads=("I",),
    )
    mean = ll.explain(model, recording, "A", "gradients", baseline="zero")
    assert_allclose(mean.relevance, np.arange(8)[None] * np.array([1, 1, 2, 2, 2, 2, 1, 1]) / 3, rtol=1e-6)
    assert_allclose(mean.uniform, np.array([[1, 1, 2, 2, 2, 2, 1, 1]]) / 12)


def test_age_and_sex_have_relevance_of_their_own(registered, noise):
    model = registered("conv-bilstm-attention")
    for method in ("gradients", "integrated-gradients"):
        explanation = ll.explain(model, noise(), "A", method)
        assert set(explanation.beside) == {"age", "male", "female", "age missing", "sex missing"}
        assert explanation.beside["female"] == 0  # the patient is male: nothing changed there
        assert explanation.beside["male"] != 0
    assert explanation.facts["completeness error"] == pytest.approx(0, abs=0.01)
    total = explanation.relevance.sum() + sum(explanation.beside.values())
    assert total != pytest.approx(explanation.relevance.sum(), abs=1e-6)


def test_a_gradient_that_training_stops_is_followed(registered, noise):
    """Nejedly's second head reads the first one's logits without passing gradients back in training."""
    model = registered("nejedly")
    gradient = ll.explain(model, noise(), "A", "gradients", form="plain").relevance
    assert gradient.any()
    signal = torch.from_numpy(noise().signal.copy()).double()[None]
    module = model.module.double()
    where = np.unravel_index(np.argmax(gradient), gradient.shape)
    step = torch.zeros_like(signal)
    step[0, *where] = 1e-5
    with torch.no_grad():
        slope = (module(signal + step) - module(signal - step))[0, 0] / 2e-5
    module.float()
    assert abs(float(slope)) == pytest.approx(gradient[where], rel=1e-3)


def test_training_mode_and_gradients_of_weights_are_left_alone(registered, noise):
    model = registered("xresnet1d18")
    before = {name: value.clone() for name, value in model.module.state_dict().items()}
    ll.explain(model, noise(), "A", "integrated-gradients", steps=3)
    assert not model.module.training
    assert all(parameter.grad is None for parameter in model.module.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.module.state_dict().items())


# Beside Captum, once the small networks agree.

CAPTUM_MODELS = ("imle-net", "xresnet1d18", "ecg-xplaim", "conv-bilstm-attention", "res2d", "lstm")


@pytest.mark.filterwarnings("ignore:Input Tensor 0 did not")
@pytest.mark.parametrize("name", CAPTUM_MODELS)
def test_captum_gives_the_same(name, registered, noise):
    attr = pytest.importorskip("captum.attr")
    model, recording = registered(name), noise()
    signal = torch.from_numpy(recording.signal.copy())[None]
    flat = torch.from_numpy(np.median(signal.numpy(), axis=2, keepdims=True)).expand_as(signal)
    metadata = model.contract.metadata
    beside = () if metadata is None else (torch.from_numpy(metadata.of([recording.patient])),)

    def call(given):
        return model.module(given, *(one.expand(len(given), -1) for one in beside))

    saliency = attr.Saliency(call).attribute(signal, target=1)[0].numpy()
    own = ll.explain(model, recording, "B", "gradients", form="plain").relevance
    assert_allclose(own, saliency, rtol=1e-4, atol=1e-5 * saliency.max())
    product = attr.InputXGradient(call).attribute(signal, target=1)[0].detach().numpy()
    own = ll.explain(model, recording, "B", "gradients", baseline="zero").relevance
    assert_allclose(own, product, rtol=1e-4, atol=1e-5 * np.abs(product).max())
    if not beside:
        along = attr.IntegratedGradients(call).attribute(
            signal, flat, target=1, n_steps=8, method="gausslegendre"
        )[0].numpy()  # fmt: skip
        own = ll.explain(model, recording, "B", "integrated-gradients", steps=8).relevance
        assert_allclose(own, along, rtol=1e-3, atol=1e-4 * np.abs(along).max())


# Guided backpropagation.


class Rectified(nn.Module):
    """Logit: sum of -ReLU(x) + 2 ReLU(-x), with ReLU as functions or as modules."""

    cam_layer = "values"

    def __init__(self, n_samples: int, as_modules: bool) -> None:
        super().__init__()
        self.n_leads, self.n_samples = 1, n_samples
        self.scale = nn.Parameter(torch.ones(1))
        self.values = nn.Identity()
        self.first, self.second = (nn.ReLU(), nn.ReLU()) if as_modules else (functional.relu, functional.relu)

    def forward(self, signal, metadata=None):
        values = self.values(self.scale * signal)
        # Captum's hooks sit on the tensor that a module reads; one that others read would be clamped, too.
        return (-self.first(1 * values) + 2 * self.second(-values)).sum((1, 2))[:, None]


@pytest.mark.parametrize("as_modules", [True, False])
def test_guided_backpropagation_by_hand_whether_relu_is_a_module_or_a_function(classifier_of, as_modules):
    """Through -ReLU(x) the gradient is negative and stops; through 2 ReLU(-x) it is -2 where x < 0."""
    from leadlight.explanation.passing import GuidedRectifiers

    signal = torch.tensor([[[1.0, -1.0, 3.0, -0.5]]], requires_grad=True)
    module = Rectified(4, as_modules)
    with GuidedRectifiers() as rule:
        (guided,) = torch.autograd.grad(module(signal).sum(), signal)
    assert rule.calls == 2
    assert guided[0, 0].tolist() == [0, -2, 0, -2]
    (plain,) = torch.autograd.grad(module(signal).sum(), signal)
    assert plain[0, 0].tolist() == [-1, -2, -1, -2]


def test_at_a_leaky_relu_negative_gradients_stop_and_the_slope_stays():
    from leadlight.explanation.passing import GuidedRectifiers

    signal = torch.tensor([1.0, -1.0, 2.0], requires_grad=True)
    with GuidedRectifiers():
        values = functional.leaky_relu(signal, 0.1)
        (guided,) = torch.autograd.grad((values * torch.tensor([1.0, 1.0, -1.0])).sum(), signal)
    assert_allclose(values.detach(), [1, -0.1, 2], rtol=1e-6)
    assert_allclose(guided, [1, 0.1, 0], rtol=1e-6)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_captums_guided_backpropagation_agrees_on_modules_and_misses_functions():
    """Why there is an implementation of our own."""
    attr = pytest.importorskip("captum.attr")
    signal = torch.tensor([[[1.0, -1.0, 3.0, -0.5]]])
    with_modules = attr.GuidedBackprop(Rectified(4, True)).attribute(signal, target=0)
    assert with_modules[0, 0].tolist() == [0, -2, 0, -2]
    with_functions = attr.GuidedBackprop(Rectified(4, False)).attribute(signal, target=0)
    assert with_functions[0, 0].tolist() == [-1, -2, -1, -2]


def test_guided_grad_cam_is_grad_cam_times_the_guided_gradient(classifier_of, by_hand):
    mix, head = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[2.0, 1.0]])
    model = classifier_of(by_hand.Pooled(mix, head, 4), ("A",), 4, leads=("I", "II"))
    signal = np.array([[1.0, 0.0, 3.0, -5.0], [-1.0, 2.0, 0.0, 4.0]], dtype=np.float32)
    explanation = ll.explain(model, Recording(signal, ("I", "II"), 100.0), "A", "guided-grad-cam")
    cam = np.array([2, 2, 6, 4]) / 4  # of the channels [1, 0, 3, 0] and [0, 2, 0, 4], weighed 2/4 and 1/4
    guided = np.array([[2, 0, 2, 0], [0, 1, 0, 1]]) / 4
    assert_allclose(explanation.relevance, cam * guided, rtol=1e-6)
    assert explanation.leads_apart and not explanation.signed


def test_a_network_without_relu_is_refused_with_what_it_can(registered, noise):
    for name in ("s4", "mvms-net"):
        with pytest.raises(ll.LeadlightError, match=r"no ReLU.*accepted for this model: grad-cam, gradients"):
            ll.explain(registered(name), noise(), "A", "guided-grad-cam")
