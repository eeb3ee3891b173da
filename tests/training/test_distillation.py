"""A student learns from a teacher that was trained before, and from no fold that it must not know."""

from __future__ import annotations

import csv
import shutil

import pytest

from leadlight.errors import ModelError, RecipeError, RunError
from leadlight.recipes import load_recipe
from leadlight.training import Machine, resume, train

ONE_THREAD = Machine(accelerator="cpu", threads=1)
DISTILL = ("loss={kind = 'distillation', alpha = 1.0, temperature = 1.0}", "epochs=2")


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def teacher(store_folder, small, tmp_path_factory):
    out = tmp_path_factory.mktemp("teacher") / "run"
    return train("imle-net", store_folder, out, overrides=[*small, "seed=7", "epochs=1"], machine=ONE_THREAD)


def student(store_folder, small, teacher, out, *more, on_progress=lambda *_: None):
    overrides = [*small, *DISTILL, f"loss.teacher={teacher}", *more]
    return train(
        "imle-net", store_folder, out, overrides=overrides, machine=ONE_THREAD, on_progress=on_progress
    )


def losses(run) -> list[float]:
    with (run.path / "log.csv").open() as file:
        return [float(row["validation_loss"]) for row in csv.DictReader(file)]


def test_the_student_comes_nearer_to_the_teacher(store_folder, small, teacher, tmp_path):
    run = student(store_folder, small, teacher.path, tmp_path / "student", "epochs=6", "learning_rate=1e-2")
    # With alpha 1 the loss is the distance from the teacher alone.
    assert losses(run)[-1] < losses(run)[0]
    assert run.environment["teacher"]["weights_sha256"]


def test_the_place_of_the_teacher_is_kept_whole(store_folder, small, teacher, tmp_path, monkeypatch):
    monkeypatch.chdir(teacher.path.parent)
    run = student(store_folder, small, "run", tmp_path / "student", "epochs=1")
    assert run.recipe.training.loss.teacher == str(teacher.model.resolve())


def test_a_resumed_student_needs_the_same_teacher(store_folder, small, teacher, tmp_path):
    own = shutil.copytree(teacher.path, tmp_path / "teacher")

    def dies(done: int, total: int, message: str = "") -> None:
        if "epoch 2" in message:
            raise Killed

    with pytest.raises(Killed):
        student(store_folder, small, own, tmp_path / "student", on_progress=dies)
    shutil.rmtree(own)
    train("imle-net", store_folder, own, overrides=[*small, "seed=8", "epochs=1"], machine=ONE_THREAD)
    with pytest.raises(RunError, match="another teacher than this run began with"):
        resume(tmp_path / "student")
    shutil.rmtree(own)
    shutil.copytree(teacher.path, own)
    whole = student(store_folder, small, teacher.path, tmp_path / "whole")
    again = resume(tmp_path / "student")
    assert (again.model / "model.safetensors").read_bytes() == (
        whole.model / "model.safetensors"
    ).read_bytes()


def test_a_teacher_that_learnt_from_other_folds_is_refused(store_folder, small, teacher, tmp_path):
    with pytest.raises(RunError, match="which learnt from fold 4 of ptb-xl"):
        student(
            store_folder, small, teacher.path, tmp_path / "student", "folds.training=[1,2,3]",
            "folds.validation=[4]",
        )  # fmt: skip
    assert not (tmp_path / "student").exists()


def test_a_teacher_is_needed_and_must_be_there(store_folder, small, tmp_path):
    with pytest.raises(RecipeError, match=r"--set training\.loss\.teacher=RUN"):
        student(store_folder, small, "", tmp_path / "student")
    with pytest.raises(ModelError):
        student(store_folder, small, tmp_path / "nowhere", tmp_path / "student")


def test_the_published_student_learns_from_its_teacher(store_folder, tmp_path):
    """Both recipes as they are shipped, but for size and time."""
    folds = ["folds.training=[1,2,3,4]", "folds.validation=[5,6]", "epochs=1", "arguments.width=4"]
    # Simulated records state few of the 71: the superclasses do.
    labels = ["labels=ptb-xl/superclass"]
    master = train(
        "mvms-net", store_folder, tmp_path / "master", overrides=[*folds, *labels], machine=ONE_THREAD
    )
    run = train(
        "mvms-student", store_folder, tmp_path / "student", machine=ONE_THREAD,
        overrides=[*folds, *labels, f"loss.teacher={master.path}"],
    )  # fmt: skip
    assert run.is_finished
    assert load_recipe("mvms-student").training.loss.kind == run.recipe.training.loss.kind == "distillation"
