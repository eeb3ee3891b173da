"""The registry: models by name, their own arguments, and what is refused."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from leadlight import models, originals
from leadlight.errors import ModelError
from leadlight.models import Input, register, registry

ROOT = Path(__file__).parents[2]
# Models without an original, and the test that stands in for parity.
WITHOUT_ORIGINAL = {"s4": "models/test_s4.py", "leadlight": "models/test_leadlight.py"}


def test_imle_net_is_there_with_its_source():
    assert "imle-net" in models.names()
    description = models.describe("imle-net")
    assert description.doi == "10.1109/SMC52423.2021.9658706"
    assert description.attention == ("beat", "rhythm", "channel")
    assert description.has_attention and not description.reads_metadata


def test_unknown_model_names_the_nearest():
    with pytest.raises(ModelError, match="Did you mean 'imle-net'"):
        models.create("imle_net", 5)


def test_unknown_argument_names_the_nearest():
    with pytest.raises(ModelError, match="Did you mean 'filters'"):
        models.create("imle-net", 5, filter=3)


@pytest.mark.parametrize(
    "sizes", [{"n_classes": 0}, {"n_classes": 5, "n_samples": 0}, {"n_classes": 5, "sampling_rate": -1.0}]
)
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ModelError, match="accepted: above 0"):
        models.create("imle-net", **sizes)


@pytest.mark.parametrize(
    "argument", ["filters", "stages", "lstm_units", "attention_units", "segment_seconds"]
)
def test_impossible_arguments_are_refused(argument):
    with pytest.raises(ModelError, match=f"{argument}: found 0"):
        models.create("imle-net", 5, **{argument: 0})


@pytest.mark.parametrize("argument", ["filters", "segment_seconds"])
@pytest.mark.parametrize("value", ["x", True, None])
def test_arguments_of_another_kind_are_refused(argument, value):
    with pytest.raises(ModelError, match=f"imle-net, {argument}: found {value!r}; accepted: a "):
        models.create("imle-net", 5, **{argument: value})


def test_a_part_of_a_filter_is_refused():
    with pytest.raises(ModelError, match=r"found 2\.5; accepted: a whole number"):
        models.create("imle-net", 5, filters=2.5)


def test_a_name_is_taken_once():
    class Other(nn.Module):
        pass

    with pytest.raises(ModelError, match="is taken by IMLENet"):
        register(
            "imle-net", summary="", paper="", doi="", input=Input(100, 1000), n_classes=1, parameters=0,
            trainable=0,
        )(Other)  # fmt: skip


@pytest.mark.parametrize("name", models.names())
def test_no_model_is_forgotten(name):
    """Every model has a row in the docs with its count, weights that can be taken over, and a parity test."""
    description = models.describe(name)
    row = re.search(rf"^\| `{name}` \| .*$", (ROOT / "docs" / "models.md").read_text(), re.MULTILINE)
    assert row is not None, f"docs/models.md has no row for {name}"
    assert f"| {description.trainable:,} |" in row[0]
    if name in WITHOUT_ORIGINAL:
        assert (ROOT / "tests" / WITHOUT_ORIGINAL[name]).is_file()
        return
    assert name in originals.convertible()
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "parity").glob("test_*.py"))
    assert f'"{name}"' in tests


def test_every_original_belongs_to_a_model():
    assert set(originals.convertible()) == set(models.names()) - set(WITHOUT_ORIGINAL)


@pytest.mark.parametrize("name", models.names())
def test_every_file_is_named_after_its_model(name):
    module = models.describe(name).architecture.__module__.rpartition(".")[2]
    assert name.replace("-", "_").startswith(module)


@pytest.mark.parametrize("name", models.names())
def test_every_model_says_what_a_reader_needs(name):
    """Shapes, count, source, differences and every argument, as ``leadlight models`` prints them."""
    description = models.describe(name)
    about = description.about
    assert "Shapes: " in about and f"{description.trainable:,}" in about
    assert name in WITHOUT_ORIGINAL or "What differs from the published code: " in about
    assert not description.doi or description.doi.removeprefix("10.48550/arXiv.") in about
    for argument in description.arguments:
        assert re.search(rf"\b{argument}\b", about), argument
    # The idea in three or four lines, after a first one.
    first, idea, *_ = about.split("\n\n")
    assert "\n" not in first and len(idea.splitlines()) <= 4


@pytest.mark.parametrize("name", models.names())
def test_published_sizes_are_the_defaults(name):
    description = models.describe(name)
    defaults = [
        parameter.default
        for parameter in inspect.signature(description.architecture).parameters.values()
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    ]
    published = description.input
    assert defaults[1:] == [published.n_leads, published.n_samples, published.sampling_rate]


@pytest.mark.parametrize("size", ["n_classes", "n_leads", "n_samples", "sampling_rate"])
@pytest.mark.parametrize("value", ["5", True, None, float("nan"), float("inf")])
def test_sizes_of_another_kind_are_refused(size, value):
    for name in ("imle-net", "fcn-wang", "leadlight"):
        if value is None and size in ("n_samples", "sampling_rate"):
            continue  # the published one
        with pytest.raises(ModelError, match=f"{size}: found .*; accepted: a .* number above 0"):
            models.create(name, **{"n_classes": 5, size: value})


@pytest.mark.parametrize("size", ["n_classes", "n_leads", "n_samples"])
def test_parts_of_things_are_refused(size):
    with pytest.raises(ModelError, match=rf"{size}: found 2\.5; accepted: a whole number"):
        models.create("fcn-wang", **{"n_classes": 5, size: 2.5})
    with pytest.raises(ModelError, match=r"n_classes: found 2\.5; accepted: a whole number"):
        models.create("fcn-wang", 5).reset_head(2.5)


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("fcn-wang", {"dropout": 1.5}, "dropout: found 1.5; accepted: from 0 to 1"),
        ("lstm", {"dropout": -0.5}, "dropout: found -0.5; accepted: from 0 to 1"),
        ("cnn", {"dropout": float("nan")}, "dropout: found nan; accepted: from 0 to 1"),
        ("nejedly", {"channels": 12}, "channels: found 12; accepted: a multiple of heads, 8"),
        ("resnet1d-wang", {"kernel": 7}, "kernel: found 7; accepted: 1, 5, 9"),
        ("res2d-lc", {"time_steps": -1, "channels": 4}, "time_steps: found -1; accepted: 0 or above"),
        ("resunet-lc", {"time_steps": -1, "channels": 4}, "time_steps: found -1; accepted: 0 or above"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(name, arguments, problem):
    with pytest.raises(ModelError, match=re.escape(problem)):
        models.create(name, 5, **arguments)


@pytest.mark.parametrize("kernel", [1, 5, 9])
def test_kernels_that_keep_the_length_are_taken(kernel):
    model = models.create("resnet1d-wang", 5, kernel=kernel, channels=4).eval()
    assert model(torch.zeros(1, 12, 250)).shape == (1, 5)


def test_a_newcomers_model_is_one_file(tmp_path, monkeypatch):
    example = re.search(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert example is not None
    (tmp_path / "mean_lead.py").write_text(example[1])
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    assert "mean-lead" in models.names()
    description = models.describe("mean-lead")
    model = models.create("mean-lead", 5).eval()
    assert sum(parameter.numel() for parameter in model.parameters()) == description.parameters
    assert model(torch.zeros(2, 12, 1000)).shape == (2, 5)
    seen = []
    model.get_submodule(model.cam_layer).register_forward_hook(
        lambda _, __, output: seen.append(output.shape)
    )
    model(torch.zeros(2, 12, 1000))
    assert seen == [(2, 12, 1000)]  # batch, channels and steps, which Grad-CAM weighs
    with pytest.raises(ModelError, match="found 11 leads"):
        model(torch.zeros(2, 11, 1000))
