"""Each model is trained as published: values as the papers and their code state them, typed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from leadlight import models
from leadlight.recipes import Recipe, load_recipe, recipe_text, shipped

KERAS_EPSILON = 1e-7

# Labels, rate (Hz), samples, scaling, batch, epochs, optimiser, highest rate: of each model.
INPUT_AND_SIZE: dict[str, tuple[str, float, int, str, int, int, str, float]] = {
    "imle-net": ("ptb-xl/superclass", 100, 1000, "global", 32, 60, "adam", 1e-3),
    "mousavi": ("ptb-xl/superclass", 100, 1000, "global", 32, 60, "adam", 1e-3),
    "rajpurkar": ("ptb-xl/superclass", 100, 1000, "global", 32, 60, "adam", 1e-3),
    "ecgnet": ("ptb-xl/superclass", 100, 1000, "global", 32, 60, "adam", 1e-3),
    "resnet101": ("ptb-xl/superclass", 100, 1000, "global", 32, 60, "adam", 1e-3),
    "resunet-lc": ("challenge-2021", 500, 4096, "none", 24, 30, "adam", 1e-3),
    "res2d-lc": ("challenge-2021", 500, 4096, "none", 24, 30, "adam", 1e-3),
    "res2d": ("challenge-2021", 500, 4096, "none", 24, 30, "adam", 1e-3),
    "res1d": ("challenge-2021", 500, 4096, "none", 24, 30, "adam", 1e-3),
    "conv-bilstm-attention": ("ptb-xl/superclass", 100, 1000, "none", 64, 100, "adam", 4.6744485468784396e-4),
    "ecg-xplaim": ("ecg-xplaim", 500, 5000, "none", 128, 30, "adam", 1e-2),
    "cnn": ("ecg-xplaim", 500, 5000, "none", 128, 30, "adam", 1e-3),
    "gru": ("ecg-xplaim", 500, 5000, "none", 128, 30, "adam", 1e-3),
    "xresnet1d18": ("ptb-xl/all", 100, 250, "global", 128, 50, "adamw", 1e-2),
    "xresnet1d34": ("ptb-xl/all", 100, 250, "global", 128, 50, "adamw", 1e-2),
    "xresnet1d50": ("ptb-xl/all", 100, 250, "global", 128, 50, "adamw", 1e-2),
    "xresnet1d101": ("ptb-xl/all", 100, 250, "global", 128, 50, "adamw", 1e-2),
    "inception1d": ("ptb-xl/all", 100, 250, "global", 128, 50, "adamw", 1e-2),
    "resnet1d-wang": ("ptb-xl/all", 100, 250, "global", 128, 50, "adamw", 1e-2),
    "fcn-wang": ("ptb-xl/all", 100, 250, "global", 128, 50, "adamw", 1e-2),
    "lstm": ("ptb-xl/all", 100, 250, "global", 128, 50, "adamw", 1e-3),
    "lstm-bidir": ("ptb-xl/all", 100, 250, "global", 128, 50, "adamw", 1e-3),
    "ribeiro": ("code-15", 400, 4096, "none", 64, 70, "adam", 1e-3),
    "mvms-net": ("ptb-xl/all", 100, 1000, "global", 64, 100, "adam", 1e-3),
    "mvms-student": ("ptb-xl/all", 100, 1000, "global", 64, 100, "adam", 1e-3),
    "nejedly": ("challenge-2021", 500, 8192, "none", 128, 50, "adam", 1e-3),
    "nejedly-no-attention": ("challenge-2021", 500, 8192, "none", 128, 50, "adam", 1e-3),
}
OURS = {"s4", "leadlight"}
"""Trained by settings of our own: s4 has no published ones that were checked."""
KERAS = ("imle-net", "mousavi", "rajpurkar", "conv-bilstm-attention", "ecg-xplaim", "cnn", "gru", "ribeiro")
BENCHMARK = ("xresnet1d18", "xresnet1d34", "xresnet1d50", "xresnet1d101", "inception1d", "resnet1d-wang",
             "fcn-wang", "lstm", "lstm-bidir")  # fmt: skip
RESUNET = ("resunet-lc", "res2d-lc", "res2d", "res1d")


def kinds(recipe: Recipe) -> list[str]:
    return [step.kind for step in recipe.input.preprocessing().steps]


def step(recipe: Recipe, kind: str) -> Any:
    (found,) = [one for one in recipe.input.preprocessing().steps if one.kind == kind]
    return found


def test_every_model_is_in_the_table():
    assert set(models.names()) == set(INPUT_AND_SIZE) | (OURS & set(models.names()))


@pytest.mark.parametrize("name", INPUT_AND_SIZE)
def test_data_input_and_size(name):
    recipe = load_recipe(name)
    training = recipe.training
    assert INPUT_AND_SIZE[name] == (
        recipe.labels, recipe.input.sampling_rate, recipe.input.n_samples, recipe.input.scaling,
        training.batch_size, training.epochs, training.optimizer.kind, training.learning_rate,
    )  # fmt: skip
    assert recipe.folds.training == tuple(range(1, 9)) and recipe.folds.validation == (9,)
    assert recipe.min_likelihood == 0 and recipe.arguments == {}
    assert training.averaging.kind == "none" and training.warm_up_epochs == 0


@pytest.mark.parametrize("name", INPUT_AND_SIZE)
def test_input_is_what_the_model_was_made_for(name):
    recipe, published = load_recipe(name), models.describe(name).input
    assert (recipe.input.sampling_rate, recipe.input.n_samples) == (
        published.sampling_rate,
        published.n_samples,
    )
    assert len(recipe.input.leads) == published.n_leads
    assert (recipe.metadata is not None) == bool(published.metadata)


@pytest.mark.parametrize("name", [name for name in INPUT_AND_SIZE if "adam" in INPUT_AND_SIZE[name][6]])
def test_optimiser(name):
    optimizer = load_recipe(name).training.optimizer
    if name in BENCHMARK:
        assert (optimizer.betas, optimizer.epsilon, optimizer.weight_decay) == ((0.9, 0.99), 1e-8, 0.01)
        return
    assert optimizer.betas == (0.9, 0.999)
    assert optimizer.epsilon == (KERAS_EPSILON if name in KERAS else 1e-8)
    assert optimizer.weight_decay == (1e-4 if name.startswith("nejedly") else 0)


class TestIMLENetAndItsComparators:
    @pytest.mark.parametrize("name", ["imle-net", "mousavi", "rajpurkar"])
    def test_stopping_of_the_keras_models(self, name):
        training = load_recipe(name).training
        assert (training.patience, training.min_improvement) == (20, 1e-4)
        assert training.keep == "best validation macro AUC"

    @pytest.mark.parametrize("name", ["ecgnet", "resnet101"])
    def test_the_torch_models_train_all_epochs_and_keep_the_best(self, name):
        training = load_recipe(name).training
        assert (training.patience, training.keep) == (0, "best validation macro AUC")

    def test_rajpurkar_clips_each_gradient_by_itself(self):
        clipping = load_recipe("rajpurkar").training.clipping
        assert (clipping.kind, clipping.norm) == ("tensor-norm", 1.0)

    def test_sub_diagnosis_has_each_fold_once(self):
        recipe = load_recipe("imle-net-mi")
        assert (recipe.model, recipe.labels, recipe.min_likelihood) == ("imle-net", "imle-net-infarction", 80)
        assert not set(recipe.folds.training) & set(recipe.folds.validation)
        assert 10 not in recipe.folds.training + recipe.folds.validation
        assert recipe.sampling.per_label is None and not recipe.keep_unlabelled


@pytest.mark.parametrize("name", BENCHMARK)
class TestPTBXLBenchmark:
    def test_schedule(self, name):
        training = load_recipe(name).training
        schedule = training.schedule
        assert (schedule.kind, schedule.rise) == ("one-cycle", 0.3)
        assert (schedule.start_divisor, schedule.end_divisor) == (25, 250_000)
        assert (schedule.cycle_momentum, schedule.momentum) == (True, (0.95, 0.85))
        assert (training.drop_last, training.patience, training.keep) == (True, 0, "last")

    def test_only_the_recurrent_ones_clip(self, name):
        clipping = load_recipe(name).training.clipping
        if name.startswith("lstm"):
            assert (clipping.kind, clipping.norm) == ("global-norm", 0.25)
        else:
            assert clipping.kind == "none"

    def test_windows(self, name):
        crop = step(load_recipe(name), "crop")
        assert (crop.training, crop.prediction, crop.overlap, crop.aggregate) == (
            "random",
            "windows",
            0.5,
            "max",
        )
        # Seven windows of 2.5 s in 10 s.
        assert len(load_recipe(name).input.preprocessing().window_starts(1000)) == 7


@pytest.mark.parametrize("name", RESUNET)
def test_resunet_and_its_ablations(name):
    recipe = load_recipe(name)
    training = recipe.training
    assert (training.schedule.kind, training.schedule.epochs, training.schedule.factor) == ("step", 20, 0.1)
    assert (training.loss.kind, training.drop_last, training.patience, recipe.seed) == ("bce", True, 0, 1234)
    assert kinds(recipe) == ["zero-missing", "z-score", "crop", "pad"]
    assert step(recipe, "z-score").over == step(recipe, "zero-missing").of == "lead"
    assert step(recipe, "pad").place == "end"


def test_conv_bilstm_attention():
    recipe = load_recipe("conv-bilstm-attention")
    training = recipe.training
    assert (training.loss.kind, training.loss.class_weights) == ("focal-published", "negatives/positives")
    assert (training.loss.alpha, training.loss.gamma) == (0.434606549138721, 2.1350570960531274)
    schedule = training.schedule
    assert (schedule.kind, schedule.factor, schedule.patience) == ("plateau", 0.5, 3)
    assert (schedule.min_improvement, schedule.lowest_rate) == (1e-4, 0)
    assert (training.patience, training.min_improvement) == (7, 0)
    assert recipe.keep_unlabelled and kinds(recipe) == []
    assert recipe.metadata is not None and recipe.metadata.age == "min-max"


def test_ecg_xplaim_and_its_comparators():
    recipe = load_recipe("ecg-xplaim")
    schedule = recipe.training.schedule
    assert (schedule.kind, schedule.factor, schedule.steps, schedule.staircase) == (
        "exponential",
        0.95,
        0,
        True,
    )
    assert recipe.training.keep == "best validation loss" and recipe.keep_unlabelled
    assert kinds(recipe) == ["zero-missing"] and step(recipe, "zero-missing").of == "sample"
    for name in ("cnn", "gru"):
        other = load_recipe(name)
        assert other.training.schedule.kind == "constant"
        assert other.input == recipe.input


def test_ribeiro():
    recipe = load_recipe("ribeiro")
    training, schedule = recipe.training, recipe.training.schedule
    assert (schedule.kind, schedule.factor, schedule.patience) == ("plateau", 0.1, 7)
    assert (schedule.min_improvement, schedule.lowest_rate) == (1e-4, 1e-5)
    assert (training.patience, training.min_improvement, training.keep) == (9, 1e-5, "best validation loss")
    # Units of 1e-4 V; 48 zeros before and after 10 s.
    assert step(recipe, "scale-fixed").factor == 10 and step(recipe, "pad").place == "both"


@pytest.mark.parametrize("name", ["mvms-net", "mvms-student"])
def test_mvms_net_and_its_student(name):
    recipe = load_recipe(name)
    assert (recipe.seed, recipe.training.patience, recipe.training.schedule.kind) == (10, 0, "constant")
    noise = recipe.augmentation.noise
    assert noise is not None and (noise.probability, noise.smallest, noise.largest) == (1, 0.1, 0.1)
    loss = recipe.training.loss
    if name == "mvms-student":
        assert (loss.kind, loss.alpha, loss.temperature, loss.over) == ("distillation", 0.5, 2, "classes")
        assert (
            load_recipe(name, overrides=["loss.teacher=runs/teacher"]).training.loss.teacher == "runs/teacher"
        )
        assert load_recipe(name, overrides=["loss=bce"]).training.loss.kind == "bce"
    else:
        assert loss.kind == "bce"


@pytest.mark.parametrize("name", ["nejedly", "nejedly-no-attention"])
def test_nejedly(name):
    recipe = load_recipe(name)
    training, loss = recipe.training, recipe.training.loss
    assert (loss.kind, loss.positive_weights) == ("challenge-score", "negatives/positives")
    # The published score is the sum over a batch of 128.
    assert (loss.score_weight, loss.sparsity_weight) == (128, 1)
    assert (training.schedule.kind, training.schedule.epochs, training.schedule.factor) == ("step", 20, 0.1)
    assert (training.clipping.kind, training.clipping.norm) == ("global-norm", 10)
    assert (training.keep, training.patience) == ("best validation macro average precision", 0)
    assert recipe.keep_unlabelled
    assert kinds(recipe) == ["zero-missing", "band-pass", "crop", "z-score", "pad"]
    band, crop = step(recipe, "band-pass"), step(recipe, "crop")
    assert (band.low, band.high, band.order, band.form) == (1, 47, 3, "coefficients")
    assert (crop.training, crop.prediction, step(recipe, "pad").place) == ("random", "first", "start")
    sets = recipe.augmentation.lead_sets
    assert sets is not None and [len(one) for one in sets.sets] == [12, 8, 6, 4, 3, 2]
    assert sets.sets[3:] == (("I", "II", "III", "V2"), ("I", "II", "V2"), ("I", "II"))


class TestCommon:
    """One protocol: under it two models differ in nothing but the network."""

    def differing(self, name: str) -> set[str]:
        one = load_recipe("imle-net", "common").model_dump(mode="json")
        other = load_recipe(name, "common").model_dump(mode="json")
        return {key for key in one if one[key] != other[key]}

    @pytest.mark.parametrize("name", [name for name in INPUT_AND_SIZE if name != "imle-net"])
    def test_only_the_model_and_what_it_reads_of_patients_differ(self, name):
        allowed = {"model", "metadata"} if models.describe(name).input.metadata else {"model"}
        assert self.differing(name) == allowed

    def test_every_model_can_be_made_for_its_input(self):
        for name in models.names():
            recipe = load_recipe(name, "common")
            if name == "resnet101":
                continue  # 157 million weights: as slow to make as all others together
            models.create(
                name, 5, len(recipe.input.leads), recipe.input.n_samples, recipe.input.sampling_rate
            )

    def test_it_is_the_cleanest_setting(self):
        recipe = load_recipe("nejedly", "common")
        assert recipe.labels == "ptb-xl/superclass" and recipe.input.sampling_rate == 100
        assert recipe.augmentation.is_off and recipe.training.averaging.kind == "none"
        assert (recipe.training.loss.kind, recipe.training.optimizer.kind) == ("bce", "adamw")
        assert (recipe.training.keep, recipe.training.patience) == ("best validation macro AUC", 0)
        assert recipe.input.first_rate == 100


@pytest.mark.parametrize("name", shipped())
def test_the_list_says_what_a_recipe_is_for(name):
    assert 20 < len(shipped()[name]) < 130
    lines = recipe_text(name).splitlines()
    assert max(map(len, lines)) <= 120 and lines[0].startswith("# ")
    assert shipped()[name].endswith(".")  # a whole sentence
