"""Training that begins with another model's weights: what is taken over, refused and stated."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

import leadlight as ll
from leadlight import labels
from leadlight.errors import EvaluationError, ModelError, RecipeError, RunError
from leadlight.evaluation import evaluate_run
from leadlight.recipes import load_recipe
from leadlight.signal import Crop, FillGaps, GlobalScaling, Preprocessing, ZScore
from leadlight.training import Machine, resume, train
from leadlight.training.transfer import with_numbers_of

ONE_THREAD = Machine(accelerator="cpu", threads=1)
# So small a step that the weights after it are those before it, nearly.
STILL = ("training.learning_rate=1e-12", "training.epochs=1", "training.checkpoint_minutes=1e-9")
FOLDS = ("folds.training=[1,2,3,4]", "folds.validation=[7]", "training.batch_size=8")


@pytest.fixture(scope="module")
def origin(store_folder, small, tmp_path_factory):
    """Superclasses, fitted on folds 1 to 4 and chosen on 5 and 6."""
    out = tmp_path_factory.mktemp("origin") / "run"
    return train("imle-net", store_folder, out, overrides=[*small, "epochs=2"], machine=ONE_THREAD)


@pytest.fixture(scope="module")
def transferred(origin, store_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("transfer") / "run"
    return train(
        "imle-net", store_folder, out, overrides=[*FOLDS, *STILL, "labels=ptb-xl/subclass"],
        init_from=origin.path, machine=ONE_THREAD,
    )  # fmt: skip


def weights(run):
    return load_file(run.model / "model.safetensors")


def test_all_but_the_head_are_the_origins_weights(origin, transferred):
    before, after = weights(origin), weights(transferred)
    assert set(before) == set(after)
    fresh = [name for name in before if before[name].shape != after[name].shape]
    assert fresh and all(len(after[name]) == 23 for name in fresh)  # PTB-XL has 23 subclasses
    for name in set(before) - set(fresh):
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(after[name], before[name], rtol=0, atol=1e-9)


def test_arguments_and_scaling_are_the_origins(origin, transferred):
    before, after = ll.load(origin.path).contract, ll.load(transferred.path).contract
    assert after.architecture.arguments == before.architecture.arguments
    assert after.preprocessing == before.preprocessing


def test_contract_card_and_run_state_the_origin(origin, transferred):
    before, contract = ll.load(origin.path).contract, ll.load(transferred.path).contract
    stated = contract.origin
    assert (stated.name, stated.weights_sha256) == (before.name, before.weights_sha256)
    assert (stated.label_space, stated.head, stated.notes) == ("ptb-xl/superclass", "fresh", ())
    (seen,) = stated.data
    assert (seen.dataset, seen.training, seen.validation) == ("ptb-xl", (1, 2, 3, 4), (5, 6))
    environment = json.loads((transferred.path / "environment.json").read_text())
    assert environment["origin"] == json.loads(stated.model_dump_json())
    card = (transferred.model / "MODEL_CARD.md").read_text()
    assert f"Began with the weights of {before.name}" in card and "made anew" in card
    assert "folds 1, 2, 3, 4, chosen on 5, 6" in card
    # Where it lay is nobody's business but the run's.
    assert str(origin.path.parent) not in card
    assert transferred.recipe.init_from == str(origin.model.resolve())


def test_the_same_classes_keep_the_head(origin, store_folder, tmp_path):
    run = train(
        "imle-net", store_folder, tmp_path / "run", init_from=origin.model, overrides=[*FOLDS, *STILL],
        machine=ONE_THREAD,
    )  # fmt: skip
    for name, value in weights(origin).items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(weights(run)[name], value, rtol=0, atol=1e-9)
    assert ll.load(run.path).contract.origin.head == "kept"


def test_what_the_input_was_is_noted(origin, store_folder, tmp_path):
    run = train(
        "imle-net", store_folder, tmp_path / "run", init_from=origin.path, machine=ONE_THREAD,
        overrides=[*FOLDS, *STILL, "scaling=per-record"],
    )  # fmt: skip
    contract = ll.load(run.path).contract
    (note,) = contract.origin.notes
    assert note.startswith("input was prepared otherwise")
    assert [step.kind for step in contract.preprocessing.steps] == ["z-score"]


def test_a_chain_of_origins_is_kept(transferred, store_folder, tmp_path):
    run = train(
        "imle-net", store_folder, tmp_path / "run", init_from=transferred.path, machine=ONE_THREAD,
        overrides=["folds.training=[1,2]", "folds.validation=[8]", *STILL],
    )  # fmt: skip
    origin = ll.load(run.path).contract.origin
    assert [(seen.training, seen.validation) for seen in origin.data] == [
        ((1, 2, 3, 4), (5, 6)), ((1, 2, 3, 4), (7,)),
    ]  # fmt: skip
    # Nothing new about a fold that the first of them learnt from.
    with pytest.raises(EvaluationError, match="fold: found 3, which the weights were fitted on"):
        evaluate_run(run.path, 3, resamples=1)


@pytest.mark.parametrize(
    ("model", "overrides", "problem"),
    [
        ("imle-net", ['input.leads=["II","I","III","aVR","aVL","aVF","V1","V2","V3","V4","V5","V6"]'],
         "found the leads I, II, III.*accepted: II, I, III.*--set 'input.leads=.\"I\", \"II\", \"III\""),
        ("imle-net", ["input.sampling_rate=500"], "found the rate 100 Hz.*accepted: 500 Hz"),
        ("ecgnet", ["input.sampling_rate=100"], "found the model imle-net.*accepted: ecgnet"),
        ("imle-net", ["arguments.filters=4"], "found weights of other sizes"),
    ],
)  # fmt: skip
def test_another_input_or_network_is_refused(origin, store_folder, tmp_path, model, overrides, problem):
    with pytest.raises(RecipeError, match=problem):
        train(
            model, store_folder, tmp_path / "run", init_from=origin.path, overrides=[*FOLDS, *overrides],
            machine=ONE_THREAD,
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_folds_that_the_weights_know_do_not_choose(origin, store_folder, tmp_path):
    with pytest.raises(RunError, match=r"found fold 4 of ptb-xl, which the weights.*folds 1, 2, 3, 4"):
        train(
            "imle-net", store_folder, tmp_path / "run", init_from=origin.path, machine=ONE_THREAD,
            overrides=["folds.training=[1,2]", "folds.validation=[4]"],
        )  # fmt: skip


def test_an_unknown_origin_is_refused(store_folder, tmp_path):
    with pytest.raises(ModelError, match="imle-net-ptbxl-superclass"):
        train("imle-net", store_folder, tmp_path / "run", init_from="imle-net-ptbxl-superclas")


def test_shipped_models_are_named_not_placed(store_folder, tmp_path):
    # The shipped weights are of the real PTB-XL: the simulated folds are other records.
    name = "imle-net-ptbxl-superclass"
    run = train(
        "imle-net", store_folder, tmp_path / "run", init_from=name, machine=ONE_THREAD,
        overrides=["folds.training=[9]", "folds.validation=[1]", *STILL],
    )  # fmt: skip
    assert run.recipe.init_from == name
    assert load_recipe(text=run.recipe.to_toml()).init_from == name


class Killed(Exception):
    pass


def test_a_resumed_transfer_ends_the_same_and_wants_the_same_origin(origin, store_folder, tmp_path):
    overrides = [*FOLDS, "labels=ptb-xl/subclass", "epochs=2", "training.checkpoint_minutes=1e-9"]

    def begun(name, at):
        seen = 0

        def dies(done: int, total: int, message: str = "") -> None:
            nonlocal seen
            seen += "epoch" in message
            if seen == at:
                raise Killed

        arguments = {"overrides": overrides, "init_from": origin.path, "machine": ONE_THREAD}
        if not at:
            return train("imle-net", store_folder, tmp_path / name, **arguments)
        with pytest.raises(Killed):
            train("imle-net", store_folder, tmp_path / name, on_progress=dies, **arguments)
        return None

    whole = begun("whole", 0)
    begun("cut", 3)
    cut = resume(tmp_path / "cut")
    ours, theirs = ((run.model / "model.safetensors").read_bytes() for run in (whole, cut))
    assert ours == theirs
    begun("other", 3)
    file = tmp_path / "other" / "environment.json"
    environment = json.loads(file.read_text())
    environment["origin"]["weights_sha256"] = "0" * 64
    file.write_text(json.dumps(environment))
    with pytest.raises(RunError, match="found other weights than this run began with"):
        resume(tmp_path / "other")


def test_label_spaces_of_the_tests_are_what_they_are_said_to_be():
    assert len(labels.space("ptb-xl/subclass")) == 23


class TestNumbers:
    def test_fitted_numbers_are_taken_where_the_steps_agree(self):
        fitted = Preprocessing(steps=(FillGaps(), GlobalScaling(0.1, 0.3)))
        wanted = Preprocessing(n_samples=250, steps=(Crop(prediction="windows"), FillGaps(), GlobalScaling()))
        found = with_numbers_of(wanted, fitted)
        assert found.steps == (Crop(prediction="windows"), FillGaps(), GlobalScaling(0.1, 0.3))
        assert found.n_samples == 250

    @pytest.mark.parametrize(
        "steps", [(GlobalScaling(),), (FillGaps(longest=0.3), GlobalScaling()), (FillGaps(), ZScore())]
    )
    def test_other_steps_have_their_own(self, steps):
        fitted = Preprocessing(steps=(FillGaps(), GlobalScaling(0.1, 0.3)))
        assert with_numbers_of(Preprocessing(steps=steps), fitted) is None
