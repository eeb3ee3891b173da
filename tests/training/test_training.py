"""What a run does with its folds, its losses and its machine."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from numpy.testing import assert_allclose

import leadlight as ll
from leadlight.errors import RecipeError, StoreError
from leadlight.evaluation import macro_mean, roc_auc
from leadlight.recipes import load_recipe
from leadlight.training import Machine, resolve, train
from leadlight.training.data import batches, fit_preprocessing
from leadlight.training.run import select_records
from leadlight.training.sampling import Sampler

ONE_THREAD = Machine(accelerator="cpu", threads=1)


@pytest.fixture(scope="module")
def run(store_folder, small, tmp_path_factory):
    return train(
        "imle-net", store_folder, tmp_path_factory.mktemp("run") / "run", overrides=small, machine=ONE_THREAD
    )


@pytest.fixture(scope="module")
def store(store_folder):
    return ll.open_store(store_folder)


@pytest.mark.parametrize(
    ("name", "model"),
    [("imle-net", "imle-net"), ("imle-net-mi", "imle-net"), ("resu2d-lc", "resunet-lc")],
)
def test_a_run_is_named_by_a_model_by_its_other_name_or_by_a_recipe(name, model):
    assert resolve(name).model == model
    if name != "imle-net-mi":
        assert resolve(name, "common").labels == "ptb-xl/superclass"


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(RecipeError, match="Did you mean 'imle-net'"):
        resolve("imlenet")


def test_parts_hold_their_folds_and_no_patient_twice(store, small):
    recipe = load_recipe("imle-net", overrides=small)
    training = select_records(store, recipe, recipe.folds.training)
    validation = select_records(store, recipe, recipe.folds.validation)
    folds, patients = store.index["fold"].to_numpy(), store.index["patient_id"].to_numpy()
    assert set(folds[training.rows]) == {1, 2, 3, 4}
    assert set(folds[validation.rows]) == {5, 6}
    assert not set(patients[training.rows]) & set(patients[validation.rows])


def test_scaling_is_fitted_on_training_records_alone(store, small):
    recipe = load_recipe("imle-net", overrides=small)
    training = select_records(store, recipe, recipe.folds.training)
    preprocessing = fit_preprocessing(store, training, recipe)
    values = store.signals(training.rows).astype(np.float64)
    (scaling,) = preprocessing.steps
    assert_allclose([scaling.mean, scaling.scale], [values.mean(), values.std()], rtol=1e-6)


def test_unlabelled_records_are_left_out_and_counted(store, small):
    dropped = select_records(store, load_recipe("imle-net", overrides=small), range(1, 11))
    kept = select_records(
        store, load_recipe("imle-net", overrides=[*small, "keep_unlabelled=true"]), range(1, 11)
    )
    assert len(kept) == len(store)
    without = int((kept.truth.sum(axis=1) == 0).sum())
    assert len(dropped) == len(store) - without
    assert sum(dropped.left_out.values()) == without


def test_records_of_another_length_are_refused_in_words(store, small):
    with pytest.raises(StoreError, match="not 5 s long"):
        select_records(store, load_recipe("imle-net", overrides=[*small, "seconds=5"]), [1])


def test_order_is_a_permutation_drawn_from_seed_and_epoch():
    every = Sampler(100, (), 100, False)
    first, again, other = every.order(1, 1), every.order(1, 1), every.order(1, 2)
    assert sorted(first) == list(range(100))
    assert (first == again).all() and (first != other).any()


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_processes_share_each_batch(processes):
    order = np.arange(21)
    shares = [list(batches(order, 8, rank, processes)) for rank in range(processes)]
    for number, together in enumerate([order[:8], order[8:16], order[16:]]):
        assert sorted(np.concatenate([share[number] for share in shares])) == list(together)


def test_run_folder_is_complete(run):
    recipe = tomllib.loads((run.path / "recipe.toml").read_text())
    assert recipe["training"]["epochs"] == 3
    assert recipe["training"]["learning_rate"] == 1e-3
    environment = json.loads((run.path / "environment.json").read_text())
    assert {"data", "seed", "command", "versions", "machine", "records", "finished"} <= set(environment)
    with (run.path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert list((run.path / "tensorboard").iterdir())
    assert {path.name for path in run.model.iterdir()} == {
        "model.safetensors",
        "contract.json",
        "MODEL_CARD.md",
    }


def test_best_epoch_is_kept(run, store, small):
    with (run.path / "log.csv").open() as file:
        aucs = [float(row["validation_macro_auc"]) for row in csv.DictReader(file)]
    assert run.environment["best_epoch"] == int(np.argmax(aucs)) + 1
    validation = select_records(store, load_recipe("imle-net", overrides=small), [5, 6])
    scores = ll.load(run.path).predict_signals(store.signals(validation.rows))
    assert_allclose(macro_mean(roc_auc(validation.truth, scores)), max(aucs), atol=1e-6)


def test_contract_states_what_was_done(run):
    contract = ll.load(run.path).contract
    assert contract.folds.training == (1, 2, 3, 4)
    assert contract.folds.validation == contract.thresholds.folds == contract.metrics.folds == (5, 6)
    assert contract.architecture.arguments["filters"] == 2
    assert contract.recipe["training"]["epochs"] == 3
    assert contract.training_data.counts["training records"] == run.environment["records"]["training"]


def test_training_stops_when_validation_no_longer_improves(store_folder, small, tmp_path):
    run = train(
        "imle-net", store_folder, tmp_path / "run", machine=ONE_THREAD,
        overrides=[*small, "epochs=6", "patience=1", "min_improvement=1.0"],
    )  # fmt: skip
    # From -1 the first epoch improves by at least 1; after it none can.
    assert run.environment["epochs"] == 2


def test_every_head_of_a_network_learns(store_folder, tmp_path):
    """The Challenge 2021's winner has two; the loss trains the second alone through the Challenge's score."""
    from safetensors.numpy import load_file

    def trained(out, *overrides):
        run = train(
            "nejedly-no-attention", store_folder, tmp_path / out, machine=ONE_THREAD,
            overrides=["sampling_rate=100", "seconds=1.28", "folds.training=[1,2]",
                       "folds.validation=[5,6]", "epochs=1", "batch_size=20", "clipping=none", *overrides],
        )  # fmt: skip
        weights = load_file(run.model / "model.safetensors")
        return weights["head.first.weight"], weights["head.challenge.weight"]

    first, second = trained("both")
    still, moved = trained("score-apart", "loss.score_weight=0", "loss.sparsity_weight=0")
    # What the second head learns does not reach the first (but through clipping them together, as published).
    assert_allclose(first, still, atol=0)
    assert not np.allclose(second, moved, atol=1e-5)


def test_data_folder_is_prepared_into_the_cache_once(simulated_folder, small, tmp_path, monkeypatch):
    monkeypatch.setenv("LEADLIGHT_CACHE", str(tmp_path / "cache"))
    overrides = [*small, "epochs=1"]
    train("imle-net", simulated_folder, tmp_path / "one", overrides=overrides, machine=ONE_THREAD)
    stores = sorted((tmp_path / "cache").rglob("store.json"))
    assert len(stores) == 1
    made = stores[0].stat().st_mtime_ns
    train("imle-net", simulated_folder, tmp_path / "two", overrides=overrides, machine=ONE_THREAD)
    assert sorted((tmp_path / "cache").rglob("store.json")) == stores
    assert stores[0].stat().st_mtime_ns == made


@pytest.mark.parametrize("precision", ["bf16-mixed"])
def test_mixed_precision_learns_nearly_the_same(run, store_folder, small, tmp_path, precision):
    mixed = train(
        "imle-net", store_folder, tmp_path / "run", machine=ONE_THREAD,
        overrides=[*small, f"precision={precision}"],
    )  # fmt: skip
    with (run.path / "log.csv").open() as ours, (mixed.path / "log.csv").open() as theirs:
        exact, rounded = (
            [float(row["train_loss"]) for row in csv.DictReader(file)] for file in (ours, theirs)
        )
    assert_allclose(rounded, exact, rtol=0.02)


def test_two_processes_train_as_one(run, store_folder, small, tmp_path):
    """Batch statistics are taken a process at a time, so the losses agree closely and not exactly."""
    out = tmp_path / "run"
    answer = subprocess.run(
        [sys.executable, "-m", "leadlight.cli.app", "train", "imle-net", "--data", str(store_folder),
         "--out", str(out), "--accelerator", "cpu", "--devices", "2", "--threads", "1",
         *(part for value in small for part in ("--set", value))],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    with (run.path / "log.csv").open() as ours, (out / "log.csv").open() as theirs:
        one, two = ([float(row["train_loss"]) for row in csv.DictReader(file)] for file in (ours, theirs))
    assert_allclose(two, one, rtol=0.05)
    assert ll.load(out).contract.folds.training == (1, 2, 3, 4)
