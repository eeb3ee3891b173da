"""The [input] part of a recipe: short for the usual, any order of steps where it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.errors import RecipeError
from leadlight.recipes import load_recipe
from leadlight.signal import (
    BandPass,
    Crop,
    FillGaps,
    GlobalScaling,
    LeadScaling,
    MinMax,
    Pad,
    Resample,
    ZScore,
)

PUBLISHED = """
[input]
sampling_rate = 500
starting_rate = 500
seconds = 8.192
scaling = "none"
steps = ["z-score", {kind = "resample", method = "halve-or-fft"}, "crop", "pad"]
"""

IN_TABLES = """
[[input.steps]]
kind = "fill-gaps"
longest = 0.2

[[input.steps]]
kind = "band-pass"
low = 0.67
"""


def overlay(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("scaling", "steps"),
    [
        ("global", (GlobalScaling(),)),
        ("per-lead", (LeadScaling(),)),
        ("per-record", (ZScore(over="record"),)),
        ("per-record-lead", (ZScore(),)),
        ("min-max", (MinMax(),)),
        ("none", ()),
    ],
)
def test_a_scaling_alone_is_the_whole_preprocessing(scaling, steps):
    preprocessing = load_recipe("imle-net", overrides=[f"scaling={scaling}"]).input.preprocessing()
    assert preprocessing.steps == steps
    assert (preprocessing.sampling_rate, preprocessing.n_samples, preprocessing.first_rate) == (
        100,
        1000,
        100,
    )


def test_steps_come_before_the_scaling(tmp_path):
    steps = load_recipe("imle-net", overlay(tmp_path, IN_TABLES)).input.preprocessing().steps
    assert steps == (FillGaps(0.2), BandPass(low=0.67), GlobalScaling())


def test_a_published_order_is_kept(tmp_path):
    preprocessing = load_recipe("imle-net", overlay(tmp_path, PUBLISHED)).input.preprocessing()
    assert preprocessing.steps == (ZScore(), Resample("halve-or-fft"), Crop(), Pad())
    assert (preprocessing.first_rate, preprocessing.n_samples) == (500, 4096)


@pytest.mark.parametrize("text", [PUBLISHED, IN_TABLES])
def test_the_resolved_recipe_states_every_parameter_and_reads_back(tmp_path, text):
    recipe = load_recipe("imle-net", overlay(tmp_path, text))
    resolved = recipe.to_toml()
    assert load_recipe(text=resolved) == recipe
    assert ('over = "lead"' if text is PUBLISHED else "order = 3") in resolved


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["scaling=per-leads"], "input.scaling: found 'per-leads'"),
        (['input.steps=["band-pas"]'], r"input.steps: .*steps[0].kind: found 'band-pas'"),
        (['input.steps=[{kind="notch", q=3}]'], "steps[0].q: found an unknown key of the step notch"),
        (['input.steps=[{kind="notch", quality=0}]'], "steps[0].quality: found 0.0; accepted: 0.1 to 1000"),
        (['input.steps=["notch"]'], "steps[0], notch.frequency: found 50 Hz at a sampling rate of 100 Hz"),
        (['input.steps=["z-score"]'], "found scaling 'global' beside the step z-score"),
        (['input.steps=["resample"]'], "found the step resample without starting_rate"),
        (["starting_rate=500"], "starting_rate: found 500 Hz without a step resample"),
        (["input.steps=3"], "steps: found 3; accepted: a list"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(overrides, message):
    with pytest.raises(RecipeError) as caught:
        load_recipe("imle-net", overrides=overrides)
    assert message.replace("input.steps: .*", "") in str(caught.value)
    assert str(caught.value).startswith("recipe, input")
