"""What every registered model promises, whatever its size."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from leadlight import models
from leadlight.errors import ModelError

# n_leads, n_samples, sampling_rate in Hz, n_classes: published, high rate, short, long, few leads, odd.
SIZES = [
    (12, 1000, 100.0, 5),
    (12, 5000, 500.0, 71),
    (12, 250, 100.0, 26),
    (3, 3000, 100.0, 2),
    (1, 1000, 100.0, 1),
    (2, 999, 100.0, 5),
    (8, 1285, 257.0, 3),
    (6, 31, 100.0, 4),
]


# Rates x durations x leads, the classes going round: every pair of rate, duration and leads stands here.
EVERY_SIZE = [
    (n_leads, round(rate * seconds), float(rate), (1, 5, 26, 71)[(row + column) % 4])
    for row, (rate, seconds) in enumerate(itertools.product((100, 500), (2.5, 5, 10, 30)))
    for column, n_leads in enumerate((1, 2, 3, 6, 8, 12))
]
"""Sizes in the form of ``SIZES``."""

# Narrower forms of the largest networks: what is promised does not depend on the width.
NARROW = {
    "imle-net": {"filters": 8, "lstm_units": 16, "attention_units": 16},
    "rajpurkar": {"filters": 8},
    "resnet101": {"width": 4},
    "res2d": {"channels": 16},
    "res2d-lc": {"channels": 16},
    "resunet-lc": {"channels": 16, "inner_channels": 8},
    "res1d": {"channels": 32},
    "conv-bilstm-attention": {"filters": 32, "lstm_units": 16},
    "ecg-xplaim": {"filters": 4, "filters_2": 8, "filters_3": 16},
    "cnn": {"filters": 8, "hidden": 32},
    "gru": {"units": 32, "hidden": 32},
    "ribeiro": {"width": 0.25},
    "mvms-net": {"width": 32},
    "mvms-student": {"width": 32},
    "nejedly": {"channels": 32},
    "nejedly-no-attention": {"channels": 32},
    "s4": {"width": 32},
}


# These normalise one vector a record over the batch, which takes two records in training.
NEEDS_TWO = {
    "conv-bilstm-attention", "fcn-wang", "gru", "inception1d", "leadlight", "lstm", "lstm-bidir",
    "nejedly", "nejedly-no-attention", "resnet1d-wang", "xresnet1d18", "xresnet1d34", "xresnet1d50",
    "xresnet1d101",
}  # fmt: skip


@pytest.fixture(params=models.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def make(name: str, n_leads: int, n_samples: int, rate: float, n_classes: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return models.create(name, n_classes, n_leads, n_samples, rate, **NARROW.get(name, {}))


def all_outputs(model: nn.Module, signal: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Everything that a loss must reach: one output, or all heads of a model with several."""
    if hasattr(model, "training_outputs"):
        outputs = model.training_outputs(signal)
        assert torch.equal(outputs[0], model(signal)) or model.training
        return tuple(outputs)
    return (model(signal),)


def signals(batch: int, n_leads: int, n_samples: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(batch, n_leads, n_samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_forward_and_backward_at_every_size(name, size):
    n_leads, n_samples, _, n_classes = size
    model = make(name, *size).train()
    outputs = all_outputs(model, signals(2, n_leads, n_samples))
    assert all(logits.shape == (2, n_classes) for logits in outputs)
    sum(logits.square().sum() for logits in outputs).backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert bool(torch.isfinite(parameter.grad).all()), parameter_name


@pytest.mark.slow
@pytest.mark.parametrize("size", EVERY_SIZE, ids=str)
def test_forward_and_backward_whatever_the_leads_the_length_and_the_classes(name, size):
    test_forward_and_backward_at_every_size(name, size)


@pytest.mark.parametrize("size", [(12, 1000, 100.0, 5), (3, 999, 500.0, 2)], ids=str)
def test_a_record_alone_gives_finite_gradients(name, size):
    """A batch of one: in training where its normalisations allow it, else as in evaluation."""
    model = make(name, *size)
    model.train(name not in NEEDS_TWO)
    sum(logits.square().sum() for logits in all_outputs(model, signals(1, size[0], size[1]))).backward()
    assert all(bool(torch.isfinite(parameter.grad).all()) for parameter in model.parameters())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_attention_sums_to_one(name, size):
    description = models.describe(name)
    if not description.has_attention:
        pytest.skip("the paper's network has no attention")
    with torch.inference_mode():
        maps = make(name, *size).eval().attention(signals(2, size[0], size[1]))
    assert tuple(maps) == description.attention
    for weights in maps.values():
        assert weights.shape[0] == 2
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))


def test_evaluation_is_deterministic_and_independent_of_the_batch(name):
    model = make(name, 12, 1000, 100.0, 5).eval()
    batch = signals(9, 12, 1000)
    with torch.inference_mode():
        together = model(batch)
        assert torch.equal(model(batch), together)
        alone = torch.cat([model(one[None]) for one in batch])
        with_others = model(torch.cat([batch[:1], 100 * signals(3, 12, 1000, seed=2)]))[:1]
    # Untrained deep networks give logits of any size: what counts is the last bits.
    last_bits = 1e-5 * float(together.abs().max())
    torch.testing.assert_close(alone, together, rtol=1e-5, atol=last_bits)
    torch.testing.assert_close(with_others, together[:1], rtol=1e-5, atol=last_bits)


def test_weights_survive_a_round_trip(name):
    model, other = (make(name, 12, 1000, 100.0, 5, seed).eval() for seed in (0, 1))
    other.load_state_dict(model.state_dict())
    with torch.inference_mode():
        assert torch.equal(model(signals(1, 12, 1000)), other(signals(1, 12, 1000)))


def test_features_feed_the_head_and_the_head_can_be_renewed(name):
    model = make(name, 12, 1000, 100.0, 5).eval()
    with torch.inference_mode():
        features = model.features(signals(2, 12, 1000))
        assert features.ndim == 2
        model.reset_head(3)
        assert model(signals(2, 12, 1000)).shape == (2, 3)
        assert torch.equal(model.features(signals(2, 12, 1000)), features)


def test_cam_layer_names_a_part_of_the_model(name):
    model = make(name, 12, 1000, 100.0, 5)
    assert isinstance(model.get_submodule(model.cam_layer), nn.Module)


def test_bfloat16_autocast_stays_near(name):
    model = make(name, 12, 1000, 100.0, 5).eval()
    with torch.inference_mode():
        exact = model(signals(2, 12, 1000))
        with torch.autocast("cpu", torch.bfloat16):
            rounded = model(signals(2, 12, 1000))
    torch.testing.assert_close(rounded.float(), exact, rtol=0.1, atol=0.05 * float(exact.abs().max()))


def test_model_can_learn_eight_records_by_heart(name):
    model = make(name, 12, 250, 100.0, 3).train()
    for part in model.modules():
        if isinstance(part, nn.Dropout | nn.Dropout1d | nn.Dropout2d):
            part.p = 0.0
    batch, targets = signals(8, 12, 250), torch.tensor([[i >> bit & 1 for bit in range(3)] for i in range(8)])
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(100):
        loss = sum(
            nn.functional.binary_cross_entropy_with_logits(logits, targets.float())
            for logits in all_outputs(model, batch)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.05:
            break
    assert bool(((model(batch) > 0) == targets.bool()).all())


@pytest.mark.filterwarnings("ignore:The tensor attributes")  # torch's own LSTM and GRU
def test_it_can_be_exported(name):
    """``torch.export`` gives the same logits; recurrent layers are unrolled, so that short input is used."""
    model, signal = make(name, 12, 250, 100.0, 5).eval(), signals(2, 12, 250)
    with torch.no_grad():
        exported = torch.export.export(model, (signal,)).module()
        torch.testing.assert_close(exported(signal), model(signal))


@pytest.mark.slow
def test_it_can_be_compiled(name):
    """``torch.compile`` takes the network as one graph, but for torch's LSTM and GRU, which stay so."""
    model, signal = make(name, 12, 250, 100.0, 5).eval(), signals(2, 12, 250)
    recurrent = any(isinstance(part, nn.LSTM | nn.GRU) for part in model.modules())
    torch._dynamo.reset()
    with torch.no_grad():
        compiled = torch.compile(model, backend="aot_eager", fullgraph=not recurrent)
        torch.testing.assert_close(compiled(signal), model(signal))


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (torch.zeros(1, 11, 1000), "found 11 leads"),
        (torch.zeros(1, 12, 999), "found 999 samples"),
        (torch.zeros(1, 1000, 12), "transpose"),
        (torch.zeros(12, 1000), "found 2 axes"),
        (torch.zeros(1, 12, 1000, dtype=torch.int64), "found int64"),
        (torch.full((1, 12, 1000), torch.nan), "NaN"),
        (torch.full((1, 12, 1000), torch.inf), "infinite"),
    ],
)
def test_wrong_input_is_named(name, signal, message):
    with pytest.raises(ModelError, match=message):
        make(name, 12, 1000, 100.0, 5)(signal)


def test_metadata_is_refused_where_it_is_not_read(name):
    if models.describe(name).reads_metadata:
        pytest.skip("this model reads metadata")
    with pytest.raises(ModelError, match="metadata"):
        make(name, 12, 1000, 100.0, 5)(signals(1, 12, 1000), torch.zeros(1, 2))
