"""A suite is read, run, cut short, gone on with, and put into a table."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from leadlight import suites
from leadlight.cli.app import app
from leadlight.errors import LeadlightError, RecipeError, RunError
from leadlight.recipes import load_recipe
from leadlight.simulate import simulate_dataset
from leadlight.suites import running
from leadlight.training import Machine

ONE_THREAD = Machine(accelerator="cpu", threads=1)
MINE = """
title = "Small"
source = "nobody, nowhere."
test_fold = 10
seeds = [1, 2]
recipe = "common"
set = ["training.epochs=1", "training.batch_size=32"]

[[entries]]
model = "cnn"
set = ["arguments.filters=4", "arguments.hidden=8"]
published = {value = 0.9, low = 0.89, high = 0.91, note = "made up for this test."}

[[entries]]
model = "fcn-wang"
name = "fcn, narrow"
set = ["training.epochs=2"]
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_dataset(tmp_path_factory.mktemp("suites") / "ecg", 120, seed=3)


@pytest.fixture
def suite(tmp_path: Path) -> suites.Suite:
    return read(tmp_path, MINE)


def read(folder: Path, text: str) -> suites.Suite:
    (folder / "mine.toml").write_text(text)
    return suites.load_suite(folder / "mine.toml")


@pytest.mark.parametrize("name", suites.shipped())
def test_every_shipped_suite_resolves(name):
    suite = suites.load_suite(name)
    for entry in suite.entries:
        recipe = suite.recipe_of(entry, suite.seeds[0])
        assert recipe.model == entry.model
        assert suite.test_fold not in (*recipe.folds.training, *recipe.folds.validation)


def test_overrides_lie_in_order_suite_entry_call_seed(tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    suite = suites.load_suite(
        tmp_path / "mine.toml", overrides=["training.epochs=7"], seeds=[5], test_fold=9 + 1
    )
    first = suite.recipe_of(suite.entries[0], 5)
    assert (first.training.epochs, first.training.batch_size, first.seed) == (7, 32, 5)
    assert read(tmp_path, MINE).recipe_of(read(tmp_path, MINE).entries[1], 1).training.epochs == 2


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('model = "cnn"', 'model = "cnm"', r"there is no model 'cnm'.*cnn"),
        ("test_fold = 10", "test_fold = 9", "fold 9 is the test fold and among those"),
        ("seeds = [1, 2]", "seeds = [1, 1]", "each once"),
        ('name = "fcn, narrow"', 'name = "cnn"', "'cnn' twice"),
        ('name = "fcn, narrow"', 'name = "../fcn"', "can be a folder's"),
        ("training.epochs=2", "training.epoch=2", r"fcn, narrow: .*epoch"),
        ('recipe = "common"', 'recipe = "comon"', "Did you mean 'common'"),
        ("value = 0.9,", "valeu = 0.9,", r"valeu: there is no such key"),
        ('title = "Small"', "", "title: missing"),
        ("seeds = [1, 2]", "seeds = [1, 2", "not TOML"),
        ("seeds = [1, 2]", 'metric = "auc"', "accepted: macro_roc_auc"),
    ],
)
def test_what_is_wrong_with_a_suite_is_named(tmp_path, before, after, message):
    with pytest.raises(RecipeError, match=message):
        read(tmp_path, MINE.replace(before, after))


def test_an_unknown_suite_or_entry_is_refused_with_the_nearest(suite, tmp_path):
    with pytest.raises(RecipeError, match="Did you mean 'ecg-xplaim'"):
        suites.load_suite("ecg-xplain")
    with pytest.raises(RecipeError, match="there is no such file"):
        suites.load_suite(tmp_path / "none.toml")
    with pytest.raises(RecipeError, match="Did you mean 'cnn'"):
        suite.only(["cmn"])


def test_a_suite_cut_short_goes_on_and_its_table_holds_what_was_measured(suite, data, tmp_path, monkeypatch):
    out = tmp_path / "out"
    calls = []
    original = running.train

    def cut_short(model, *arguments, **options):
        calls.append(model)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(model, *arguments, **options)

    monkeypatch.setattr(running, "train", cut_short)
    with pytest.raises(KeyboardInterrupt):
        suites.run_suite(suite, data, out, machine=ONE_THREAD)
    found = suites.results(suite, out)
    assert [(one.entry.title, len(one.values)) for one in found] == [("cnn", 2), ("fcn, narrow", 0)]
    assert "| fcn, narrow | not run | – |" in suites.to_markdown(suite, found)

    calls.clear()
    outcomes = suites.run_suite(suite, data, out, machine=ONE_THREAD)
    assert calls == ["fcn-wang", "fcn-wang"]
    assert [outcome.fresh for outcome in outcomes] == [False, False, True, True]
    assert not any(outcome.error for outcome in outcomes)

    found = {one.entry.title: one for one in suites.results(suite, out)}
    measured = [
        json.loads((out / "cnn" / f"seed-{seed}" / "evaluation" / "fold-10" / "metrics.json").read_text())
        for seed in (1, 2)
    ]
    values = [one["overall"]["macro_roc_auc"]["value"] for one in measured]
    cnn = found["cnn"]
    assert cnn.values == tuple(values) and cnn.records == measured[0]["records"]
    np.testing.assert_allclose([cnn.mean, cnn.spread], [np.mean(values), np.std(values, ddof=1)])
    assert math.isnan(cnn.low) and cnn.epochs == (1, 1) and found["fcn, narrow"].epochs == (2, 2)
    tensors = load_file(out / "cnn" / "seed-1" / "model" / "model.safetensors")
    learnt = [one for name, one in tensors.items() if "running" not in name and "batches" not in name]
    assert cnn.parameters == sum(one.size for one in learnt)

    text = suites.to_markdown(suite, list(found.values()))
    assert (
        f"| cnn | {np.mean(values):.3f} (±{np.std(values, ddof=1):.3f}, 2 runs) | 0.9 (0.89–0.91) |" in text
    )
    assert "Published: nobody, nowhere." in text and "cnn: made up for this test." in text
    rows = list(csv.DictReader(suites.to_csv(suite, list(found.values())).splitlines()))
    assert float({row["name"]: row["mean"] for row in rows}["cnn"]) == pytest.approx(
        np.mean(values), abs=1e-15
    )


def test_a_run_that_fails_is_named_and_the_next_begins(suite, data, tmp_path, monkeypatch):
    def fails(model, *arguments, **options):
        raise LeadlightError(f"no {model} today")

    monkeypatch.setattr(running, "train", fails)
    outcomes = suites.run_suite(suite, data, tmp_path / "out", machine=ONE_THREAD)
    assert [outcome.error for outcome in outcomes] == ["no cnn today"] * 2 + ["no fcn-wang today"] * 2


def test_runs_of_another_recipe_are_not_taken_for_these(suite, data, tmp_path):
    folder = tmp_path / "out" / "cnn" / "seed-1"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(load_recipe("cnn", "common").to_toml())
    with pytest.raises(RunError, match=r"another recipe .*arguments, seed, training"):
        suites.run_suite(suite, data, tmp_path / "out", machine=ONE_THREAD)


def test_the_command(data, tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    out = tmp_path / "out"
    arguments = ["benchmark", str(tmp_path / "mine.toml"), "--data", str(data), "--out", str(out)]
    result = CliRunner().invoke(app, [*arguments, "--only", "cnn", "--seed", "4", "--threads", "1"])
    assert result.exit_code == 0, result.output
    assert "| cnn | 0." in result.output and (out / "table.md").is_file() and (out / "results.csv").is_file()
    assert (out / "cnn" / "seed-4" / "model" / "model.safetensors").is_file()
    again = CliRunner().invoke(app, [*arguments[:2], "--out", str(out), "--table-only"])
    assert "| cnn | not run" in again.output  # its own seeds are 1 and 2
    assert "ptb-xl-benchmark" in CliRunner().invoke(app, ["benchmark"]).output
    assert CliRunner().invoke(app, ["benchmark", "nothing", "--out", str(out)]).exit_code == 2
    assert CliRunner().invoke(app, arguments[:2]).exit_code == 2
