"""The registry: models by name, their own arguments, and what is refused."""

from __future__ import annotations

import pytest
from torch import nn

from leadlight import models
from leadlight.errors import ModelError
from leadlight.models import Input, register


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
