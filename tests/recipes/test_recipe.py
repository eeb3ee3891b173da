"""Recipes: shipped ones are whole, overrides reach their key, and a wrong key is named with the right one."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight import labels, models
from leadlight.errors import RecipeError
from leadlight.recipes import load_recipe, recipe_text, shipped


def test_every_model_has_its_recipe():
    assert set(models.names()) <= set(shipped())


@pytest.mark.parametrize("name", shipped())
def test_shipped_recipes_are_whole_or_lie_over_every_model(name):
    if "model" in tomllib.loads(recipe_text(name)):
        recipe = load_recipe(name)
        assert recipe.model in models.names()
        assert recipe.labels in labels.names()
    else:
        for model in models.names():
            load_recipe(model, name)


def test_imle_net_is_trained_as_published():
    recipe = load_recipe("imle-net")
    assert recipe.labels == "ptb-xl/superclass"
    assert recipe.folds.training == tuple(range(1, 9))
    assert recipe.folds.validation == (9,)
    assert (recipe.input.sampling_rate, recipe.input.n_samples) == (100, 1000)
    training = recipe.training
    assert (training.optimizer.kind, training.learning_rate, training.optimizer.epsilon) == (
        "adam",
        1e-3,
        1e-7,
    )
    assert (training.batch_size, training.epochs, training.patience) == (32, 60, 20)
    assert training.precision == "32-true"


def test_overlay_changes_its_own_keys_alone():
    own, quick = load_recipe("imle-net"), load_recipe("imle-net", "quick")
    changed = {
        key for key, value in quick.training.model_dump().items() if value != own.training.model_dump()[key]
    }
    assert changed == {"learning_rate", "epochs", "patience"}
    assert quick.folds == own.folds


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("training.epochs=3", lambda recipe: recipe.training.epochs == 3),
        ("epochs=3", lambda recipe: recipe.training.epochs == 3),
        ("folds.training=[1,2]", lambda recipe: recipe.folds.training == (1, 2)),
        ("seconds=2.5", lambda recipe: recipe.input.n_samples == 250),
        ("precision=bf16-mixed", lambda recipe: recipe.training.precision == "bf16-mixed"),
        ("arguments.filters=8", lambda recipe: recipe.arguments == {"filters": 8}),
        ('input.leads=["avr", "lead I"]', lambda recipe: recipe.input.leads == ("aVR", "I")),
    ],
)
def test_set_reaches_its_key(override, read):
    assert read(load_recipe("imle-net", overrides=[override]))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", "Did you mean 'training.epochs'"),
        ("learning_rat=1", "Did you mean 'training.learning_rate'"),
        ("epochs", "accepted: key=value"),
        ("training.epochs=0", "training.epochs: found 0"),
        ("training.epochs=many", "training.epochs: found 'many'"),
        ("training.loss=mse", "training.loss: found 'mse'"),
        ("folds.validation=[3]", "fold 3 is in both"),
        ("folds.training=[]", "folds.training"),
        ('leads=["X1"]', "found X1; accepted: I, II"),
        ("min_likelihood=101", "min_likelihood: found 101"),
    ],
)
def test_wrong_override_is_named(override, message):
    with pytest.raises(RecipeError) as caught:
        load_recipe("imle-net", overrides=[override])
    assert message in str(caught.value)


def test_unknown_recipe_names_the_nearest():
    with pytest.raises(RecipeError, match="Did you mean 'imle-net'"):
        load_recipe("imle-nett")
    with pytest.raises(RecipeError, match="Did you mean 'quick'"):
        load_recipe("imle-net", "quik")


def test_an_overlay_is_no_model():
    with pytest.raises(RecipeError, match="leadlight train MODEL --recipe quick"):
        load_recipe("quick")


def test_file_recipe_with_an_unknown_key(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[training]\nbatchsize = 3\n")
    with pytest.raises(RecipeError, match=r"training.batchsize.*Did you mean 'training.batch_size'"):
        load_recipe("imle-net", path)
    path.write_text("not toml")
    with pytest.raises(RecipeError, match="not TOML"):
        load_recipe("imle-net", path)
    with pytest.raises(RecipeError, match="no such file"):
        load_recipe("imle-net", tmp_path / "absent.toml")


def test_recipe_for_another_model_is_refused(tmp_path):
    path = tmp_path / "other.toml"
    path.write_text(recipe_text("imle-net").replace('"imle-net"', '"other"'))
    with pytest.raises(RecipeError, match="found model 'other'"):
        load_recipe("imle-net", path)


@settings(deadline=None, max_examples=20)
@given(
    epochs=st.integers(1, 1000),
    rate=st.floats(1e-6, 1, allow_nan=False),
    folds=st.permutations(range(1, 11)),
    seed=st.integers(0, 2**31 - 1),
)
def test_resolved_recipe_reads_back_as_itself(epochs, rate, folds, seed):
    recipe = load_recipe(
        "imle-net",
        overrides=[
            f"epochs={epochs}", f"learning_rate={rate!r}", f"seed={seed}",
            f"folds.training={list(folds[:8])}", f"folds.validation={list(folds[8:])}",
        ],
    )  # fmt: skip
    assert load_recipe(text=recipe.to_toml()) == recipe
