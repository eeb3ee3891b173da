"""A run that is killed at any moment and resumed ends with the same weights, to the bit."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from leadlight.errors import LeadlightError, RunError
from leadlight.training import Machine, resume, train

ONE_THREAD = Machine(accelerator="cpu", threads=1)


class Killed(Exception):
    pass


def dies_after(batches: int):
    """A progress callback that ends the run, as a kill would, after so many batches."""
    seen = 0

    def on_progress(done: int, total: int, message: str = "") -> None:
        nonlocal seen
        if "epoch" in message:
            seen += 1
            if seen >= batches:
                raise Killed

    return on_progress


def weights(run) -> bytes:
    return (run.model / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def uninterrupted(store_folder, small, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    return train("imle-net", store_folder, out, overrides=small, machine=ONE_THREAD)


def test_training_twice_gives_the_same_weights(uninterrupted, store_folder, small, tmp_path):
    again = train("imle-net", store_folder, tmp_path / "again", overrides=small, machine=ONE_THREAD)
    assert weights(again) == weights(uninterrupted)


@pytest.mark.parametrize(("first", "second"), [(1, 1), (2, 3), (5, 4), (9, 1), (11, 1)])
def test_interrupted_anywhere_ends_the_same(uninterrupted, store_folder, small, tmp_path, first, second):
    out = tmp_path / "run"
    with pytest.raises(Killed):
        train(
            "imle-net",
            store_folder,
            out,
            overrides=small,
            machine=ONE_THREAD,
            on_progress=dies_after(first),
        )
    with pytest.raises(Killed):
        resume(out, on_progress=dies_after(second))
    run = resume(out)
    assert weights(run) == weights(uninterrupted)
    ours, theirs = (
        path.read_text().splitlines() for path in (run.path / "log.csv", uninterrupted.path / "log.csv")
    )
    # All but the seconds.
    assert [line.rpartition(",")[0] for line in ours] == [line.rpartition(",")[0] for line in theirs]


OTHER_WAYS = {
    "one-cycle, moving average": ("schedule=one-cycle", "averaging=ema", "optimizer=adamw"),
    # The first epoch is the best that can be: the rate falls after the second, which is no better.
    "plateau": (
        "schedule={kind = 'plateau', patience = 1, min_improvement = 1.0}", "clipping=tensor-norm",
        "loss=focal-published",
    ),
    "warm-up, mean of epochs": (
        "warm_up_epochs=1.5", "schedule=cosine", "averaging={kind = 'swa', first_epoch = 2}",
        "optimizer=sgd", "clipping=global-norm", "drop_last=true",
    ),
    "steps, loss kept": (
        "schedule={kind = 'step', epochs = 1}", "loss=asymmetric", "keep=best validation loss",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_every_way_of_training_ends_the_same(store_folder, small, tmp_path, way):
    overrides = [*small, *OTHER_WAYS[way]]
    whole = train("imle-net", store_folder, tmp_path / "whole", overrides=overrides, machine=ONE_THREAD)
    out = tmp_path / "run"
    with pytest.raises(Killed):
        train(
            "imle-net", store_folder, out, overrides=overrides, machine=ONE_THREAD, on_progress=dies_after(4)
        )
    with pytest.raises(Killed):
        resume(out, on_progress=dies_after(3))
    run = resume(out)
    assert weights(run) == weights(whole)
    assert rates(run) == rates(whole)
    assert len(set(rates(whole))) == (2 if way == "plateau" else 3)


def rates(run) -> list[str]:
    with (run.path / "log.csv").open() as file:
        return [row["learning_rate"] for row in csv.DictReader(file)]


def test_killed_processes_end_the_same(uninterrupted, store_folder, small, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "leadlight.cli.app", "train"]
    begin = [*command, "imle-net", "--data", str(store_folder), "--out", str(out), "--accelerator", "cpu",
             "--threads", "1", *(part for value in small for part in ("--set", value))]  # fmt: skip
    dice = random.Random(1)
    for arguments in (begin, [*command, "--resume", str(out)]):
        process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        checkpoint = out / "checkpoints" / "last.ckpt"
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns > before:
                break
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert checkpoint.exists()
    answer = subprocess.run([*command, "--resume", str(out)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert (out / "model" / "model.safetensors").read_bytes() == weights(uninterrupted)


def test_stopping_by_hand_keeps_the_best_epoch_so_far(store_folder, small, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(Killed):
        train("imle-net", store_folder, out, overrides=small, machine=ONE_THREAD, on_progress=dies_after(6))
    run = resume(out, stop_now=True)
    assert run.is_finished
    assert (run.environment["epochs"], run.environment["best_epoch"]) == (1, 1)
    assert run.environment["stopped_by_hand"]


def test_stopping_before_the_first_epoch_is_refused(store_folder, small, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(Killed):
        train("imle-net", store_folder, out, overrides=small, machine=ONE_THREAD, on_progress=dies_after(2))
    with pytest.raises(RunError, match="nothing to keep"):
        resume(out, stop_now=True)


def test_half_written_files_are_never_taken_for_whole(store_folder, small, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(Killed):
        train("imle-net", store_folder, out, overrides=small, machine=ONE_THREAD, on_progress=dies_after(2))
    (out / "checkpoints" / "last.ckpt.4711.part").write_bytes(b"half")
    assert resume(out).is_finished
    assert {path.name for path in (out / "checkpoints").iterdir()} == {"last.ckpt", "best.ckpt"}


def test_damaged_checkpoint_is_named(store_folder, small, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(Killed):
        train("imle-net", store_folder, out, overrides=small, machine=ONE_THREAD, on_progress=dies_after(3))
    checkpoint = out / "checkpoints" / "last.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(RunError, match=r"last\.ckpt"):
        resume(out)


def test_pickled_code_in_a_checkpoint_is_not_run(store_folder, small, tmp_path):
    import pickle

    class Bad:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pwned"),)

    out = tmp_path / "run"
    with pytest.raises(Killed):
        train("imle-net", store_folder, out, overrides=small, machine=ONE_THREAD, on_progress=dies_after(2))
    (out / "checkpoints" / "last.ckpt").write_bytes(pickle.dumps({"model": Bad()}))
    with pytest.raises(RunError):
        resume(out)
    assert not (tmp_path / "pwned").exists()


def test_finished_run_is_returned_as_it_is(uninterrupted):
    before = weights(uninterrupted)
    assert weights(resume(uninterrupted.path)) == before


def test_a_run_is_never_overwritten(uninterrupted, store_folder, small):
    with pytest.raises(RunError, match="--resume"):
        train("imle-net", store_folder, uninterrupted.path, overrides=small, machine=ONE_THREAD)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("folds.validation=[12]", "found 12"),
        ("input.seconds=20", "not 20 s long"),
        ("labels=ptb-xl/super", "ptb-xl/superclass"),
        ("arguments.filters=none", "filters: found 'none'"),
    ],
)
def test_a_run_that_cannot_begin_leaves_nothing_in_the_way(store_folder, small, tmp_path, override, message):
    out = tmp_path / "run"
    with pytest.raises(LeadlightError, match=message):
        train("imle-net", store_folder, out, overrides=[*small, override], machine=ONE_THREAD)
    assert not out.exists()
