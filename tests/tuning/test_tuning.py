"""A study tries what its space allows, ends bad trials early, and goes on where it was cut short."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from optuna.trial import TrialState
from typer.testing import CliRunner

from leadlight import models, tuning
from leadlight.cli.app import app
from leadlight.errors import LeadlightError, RecipeError, RunError
from leadlight.recipes import load_recipe
from leadlight.simulate import simulate_dataset
from leadlight.training import Machine
from leadlight.tuning import studying

ONE_THREAD = Machine(accelerator="cpu", threads=1)
SMALL = ("arguments.filters=2", "arguments.hidden=8", "training.epochs=3", "training.batch_size=64")
MINE = """
title = "Small"
[parameters]
"training.learning_rate" = {low = 1e-4, high = 1e-2, log = true}
"arguments.hidden" = {low = 4, high = 8, whole = true}
"training.schedule" = {choice = ["constant", "one-cycle"]}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_dataset(tmp_path_factory.mktemp("tuning") / "ecg", 100, seed=3)


@pytest.fixture
def space(tmp_path: Path) -> tuning.SearchSpace:
    (tmp_path / "mine.toml").write_text(MINE)
    return tuning.load_space(tmp_path / "mine.toml", "cnn")


def search(data: Path, out: Path, space: tuning.SearchSpace, trials: int, **options) -> tuning.Tuning:
    return tuning.tune(
        "cnn",
        data,
        out,
        space,
        trials=trials,
        recipe="common",
        overrides=SMALL,
        machine=ONE_THREAD,
        **options,
    )


def test_every_trial_lies_in_the_space_and_the_best_one_is_kept_as_a_recipe(data, space, tmp_path):
    done = search(data, tmp_path / "study", space, 5)
    trials = done.study.get_trials()
    assert len(trials) == 5 and all(one.state == TrialState.COMPLETE for one in trials)
    for one in trials:
        assert 1e-4 <= one.params["training.learning_rate"] <= 1e-2
        assert one.params["arguments.hidden"] in range(4, 9)
        recipe = studying.Run(studying.run_folder(done.folder, one)).recipe
        assert recipe.training.learning_rate == one.params["training.learning_rate"]
        assert recipe.arguments["hidden"] == one.params["arguments.hidden"]
        # Worth its best epoch, as the run's own log has it.
        rows = list(csv.DictReader((studying.run_folder(done.folder, one) / "log.csv").open()))
        assert one.value == max(float(row["validation_macro_auc"]) for row in rows)
    written = tuning.save(done)
    assert [path.name for path in written] == ["trials.csv", "best.toml", "history.png", "parallel.png"]
    assert all(path.stat().st_size for path in written)
    best = max(trials, key=lambda one: one.value)
    recipe = load_recipe("cnn", tmp_path / "study" / "best.toml")
    assert recipe.training.learning_rate == best.params["training.learning_rate"]
    rows = list(csv.DictReader((tmp_path / "study" / "trials.csv").open()))
    assert [float(row["validation_macro_auc"]) for row in rows] == [one.value for one in trials]


def test_a_study_that_was_cut_short_ends_as_one_that_was_not(data, space, tmp_path, monkeypatch):
    whole = search(data, tmp_path / "whole", space, 3)
    original = studying.train

    def killed(*arguments, on_epoch, **options):
        def stop(row):
            on_epoch(row)
            if row["epoch"] == 2:
                raise KeyboardInterrupt

        return original(*arguments, on_epoch=stop, **options)

    search(data, tmp_path / "cut", space, 1)
    monkeypatch.setattr(studying, "train", killed)
    with pytest.raises(KeyboardInterrupt):
        search(data, tmp_path / "cut", space, 3)
    monkeypatch.undo()
    # The killed trial keeps its number; its values and its run go to another, which counts as well.
    cut = search(data, tmp_path / "cut", space, 4)
    states = [one.state for one in cut.study.get_trials()]
    assert states == [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE, TrialState.COMPLETE]
    first, second = whole.study.get_trials()[:2]
    assert cut.study.get_trials()[0].params == first.params
    taken_over = cut.study.get_trials()[2]
    assert taken_over.params == second.params and taken_over.value == second.value
    assert studying.run_folder(cut.folder, taken_over).name == "0001"


def test_trials_that_fall_behind_are_ended_and_those_that_fail_are_kept_as_such(
    data, space, tmp_path, monkeypatch
):
    values = iter([0.9] * studying.STARTUP_TRIALS + [0.1])

    def pretends(model, data, out, *, overrides, on_epoch, **options):
        value = next(values, None)
        if value is None:
            raise LeadlightError("the loss is not a number")
        out.mkdir(parents=True)
        lines = ["epoch,validation_macro_auc"]
        for epoch in (1, 2, 3):
            lines.append(f"{epoch},{value}")
            (out / "log.csv").write_text("\n".join(lines) + "\n")
            on_epoch({"epoch": epoch, "validation_macro_auc": value})
        return studying.Run(out)

    monkeypatch.setattr(studying, "train", pretends)
    n = studying.STARTUP_TRIALS
    done = search(data, tmp_path / "study", space, n + 2)
    trials = done.study.get_trials()
    assert [one.state for one in trials[-2:]] == [TrialState.PRUNED, TrialState.FAIL]
    assert len(trials[n].intermediate_values) == 2  # the first epoch is warm-up
    assert trials[-1].user_attrs["error"] == "the loss is not a number"


def test_another_study_is_not_gone_on_with(data, space, tmp_path):
    search(data, tmp_path / "study", space, 1)
    with pytest.raises(RunError, match="another recipe"):
        tuning.tune("cnn", data, tmp_path / "study", space, trials=2, recipe="common")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="no study"):
        search(data, tmp_path / "full", space, 1)


@pytest.mark.parametrize("name", tuning.shipped())
def test_shipped_spaces_fit_the_models_that_they_are_for(name):
    of = [name] if name in models.names() else models.names()
    for model in of:
        load_recipe(model, None, tuning.load_space(name, model).any_overrides())


def test_the_published_values_lie_in_the_space_of_conv_bilstm_attention():
    parameters = tuning.load_space(None, "conv-bilstm-attention").parameters
    recipe = load_recipe("conv-bilstm-attention")
    rate = parameters["training.learning_rate"]
    assert rate.low < recipe.training.learning_rate < rate.high
    for key in ("alpha", "gamma"):
        one = parameters[f"training.loss.{key}"]
        assert one.low < getattr(recipe.training.loss, key) < one.high


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("low = 1e-4", "low = 1e-1", "low below high"),
        ("low = 1e-4", "low = 0.0", "above 0 where log"),
        ("low = 4,", "low = 4.5,", "without fraction"),
        ('{choice = ["constant", "one-cycle"]}', "{}", "low and high, or choice"),
        ('{choice = ["constant", "one-cycle"]}', "{choice = [1], low = 1}", "one of them"),
        ('title = "Small"', "", "title"),
        ("[parameters]", "[parameters", "not TOML"),
    ],
)
def test_what_is_wrong_with_a_space_is_named(tmp_path, before, after, message):
    (tmp_path / "mine.toml").write_text(MINE.replace(before, after))
    with pytest.raises(RecipeError, match=message):
        tuning.load_space(tmp_path / "mine.toml", "cnn")


def test_a_key_that_the_recipe_does_not_have_is_refused_before_the_first_trial(data, tmp_path):
    (tmp_path / "mine.toml").write_text(MINE.replace("learning_rate", "learning_rat"))
    with pytest.raises(RecipeError, match="learning_rate"):
        search(data, tmp_path / "study", tuning.load_space(tmp_path / "mine.toml", "cnn"), 1)
    with pytest.raises(RecipeError, match="Did you mean 'common'"):
        tuning.load_space("comon", "cnn")


def test_the_command(data, tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    arguments = ["tune", "cnn", "--data", str(data), "--out", str(tmp_path / "study"), "--trials", "2"]
    options = [f"--set={one}" for one in SMALL]
    space = ["--space", str(tmp_path / "mine.toml"), "--recipe", "common", "--threads", "1"]
    result = CliRunner().invoke(app, [*arguments, *options, *space])
    assert result.exit_code == 0, result.output
    assert "best 2 of 2 trials" in result.output and (tmp_path / "study" / "best.toml").is_file()
    assert "drawn from 4 finished trials on" in result.output
    assert CliRunner().invoke(app, [*arguments, "--space", "nothing"]).exit_code == 2
    assert CliRunner().invoke(app, arguments[:4]).exit_code == 2
    assert "conv-bilstm-attention" in CliRunner().invoke(app, ["tune"]).output
