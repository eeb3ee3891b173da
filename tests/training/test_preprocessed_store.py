"""One preprocessing for training, evaluation and prediction: records of any length, through a store."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

import leadlight as ll
from leadlight.classifier import Classifier, contract_from
from leadlight.classifier.from_store import accepts_missing
from leadlight.classifier.windows import parts_of
from leadlight.datasets import DatasetIndex, RecordEntry
from leadlight.errors import ContractError, StoreError
from leadlight.evaluation import evaluate_run, predict_rows
from leadlight.leads import STANDARD_LEADS
from leadlight.recipes import load_recipe
from leadlight.recording import Recording, Statement
from leadlight.signal import KINDS, Preprocessing
from leadlight.store import Store, store_index
from leadlight.store.selection import Selection
from leadlight.training import Machine, resume, train
from leadlight.training.data import crop_places, fit_preprocessing, read_batch
from leadlight.training.loop import in_parts
from leadlight.training.run import select_records

ONE_THREAD = Machine(accelerator="cpu", threads=1)
N_SAMPLES = 500
LENGTHS = (310, 500, 501, 760, 1000, 3100)
WITH_GAP = 7  # a gap of 50 ms
WITH_LONG_GAP = 8

# What each kind needs to be taken at 100 Hz; crop and pad are there for all.
FITTED: dict[str, dict[str, Any]] = {
    "low-pass": {"cutoff": 30.0},
    "band-pass": {"low": 1.0, "high": 30.0},
    "notch": {"frequency": 25.0},
    "scale-global": {"mean": 0.1, "scale": 0.3},
    "scale-per-lead": {"means": [0.1] * 12, "scales": [0.3] * 12},
}
PLAIN = [{"kind": kind, **FITTED.get(kind, {})} for kind in KINDS if kind not in ("crop", "pad")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Sixty records of 3.1 to 31 s in ten folds, two of them with gaps."""
    folder = tmp_path_factory.mktemp("mixed")
    generator = np.random.default_rng(4)
    entries = []
    for number in range(60):
        shows_mi = number % 3 == 0
        signal = 0.3 * generator.standard_normal((12, LENGTHS[number % len(LENGTHS)])).astype(np.float32)
        signal += np.float32(0.4 * shows_mi)
        signal[1, 100 : {WITH_GAP: 105, WITH_LONG_GAP: 260}.get(number, 100)] = np.nan
        ll.write(Recording(signal, STANDARD_LEADS, 100.0), folder / f"r{number:02d}")
        entries.append(
            RecordEntry(
                str(number), f"p{number}", f"r{number:02d}", 100.0, fold=number % 10 + 1,
                statements=(Statement("IMI" if shows_mi else "NORM", "scp-ecg", 100.0),),
            )
        )  # fmt: skip
    return store_index(DatasetIndex("ptb-xl", "", folder, 100.0, tuple(entries)), folder / "store")


def whole(store: Store) -> Selection:
    """Every record without a long gap."""
    rows = np.array([row for row in range(len(store)) if row != WITH_LONG_GAP])
    return Selection(rows, np.zeros((len(rows), 2), np.uint8), np.ones((len(rows), 2), bool), {})


class FirstSamples(nn.Module):
    """Logits that tell two inputs apart: the first sample of two leads."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(2))

    def forward(self, signal: torch.Tensor, metadata: torch.Tensor | None = None) -> torch.Tensor:
        return self.gain * signal[:, [0, 7], 0]


@pytest.fixture
def classifier_of(contract_values: Any) -> Any:
    def make(preprocessing: Preprocessing) -> Classifier:
        values = contract_values(["MI", "NORM"], {}, n_samples=N_SAMPLES, preprocessing=preprocessing)
        return Classifier(FirstSamples(), contract_from(values))

    return make


@pytest.mark.parametrize("crop", ["first", "centre", "last"])
@pytest.mark.parametrize("step", PLAIN, ids=lambda step: step["kind"])
def test_a_batch_of_the_store_is_what_prediction_reads(
    store: Store, classifier_of: Any, step: dict[str, Any], crop: str
) -> None:
    steps: list[dict[str, Any]] = [
        {"kind": "fill-gaps"}, step, {"kind": "crop", "prediction": crop}, {"kind": "pad"},
    ]  # fmt: skip
    if step["kind"] == "fill-gaps":
        steps = steps[1:]
    # A crop in front, too, where windows are read from the store by themselves.
    for order in (steps, [steps[-2], *steps[:-2], steps[-1]]):
        preprocessing = Preprocessing(
            n_samples=N_SAMPLES,
            steps=tuple(order),
            starting_rate=100.0 if step["kind"] == "resample" else None,
        )
        classifier, part = classifier_of(preprocessing), whole(store)
        chosen = np.random.default_rng(0).permutation(len(part))
        batch, _, _ = read_batch(store, part, chosen, preprocessing)
        for values, place in zip(batch.numpy(), chosen, strict=True):
            recording = store.recording(int(part.rows[place]))
            assert_array_equal(values, classifier.view(recording).values)
            assert_array_equal(values, preprocessing.apply(recording))


def test_training_reads_the_part_that_was_drawn(store: Store) -> None:
    part = whole(store)
    places = crop_places(len(part), 3, 1)
    for steps in (("crop", "fill-gaps", "pad"), ("fill-gaps", "z-score", "crop", "pad")):
        preprocessing = Preprocessing(n_samples=N_SAMPLES, steps=steps)
        chosen = np.arange(len(part))[::-1]
        batch, _, _ = read_batch(store, part, chosen, preprocessing, places)
        for values, place in zip(batch.numpy(), chosen, strict=True):
            recording = store.recording(int(part.rows[place]))
            start = int(places[place] * (max(recording.n_samples - N_SAMPLES, 0) + 1))
            expected = preprocessing.apply_batch(recording.signal[np.newaxis], starts=np.array([start]))[0]
            assert_array_equal(values, expected)


def test_crops_are_a_function_of_seed_epoch_and_record() -> None:
    first, again, other = crop_places(99, 1, 1), crop_places(99, 1, 1), crop_places(99, 1, 2)
    assert_array_equal(first, again)
    assert (first != other).all() and (first >= 0).all() and (first < 1).all()


def test_probabilities_from_the_store_are_those_of_recordings(store: Store, classifier_of: Any) -> None:
    for prediction in ("centre", "windows"):
        steps = ("fill-gaps", {"kind": "crop", "prediction": prediction}, "pad", "z-score")
        classifier = classifier_of(Preprocessing(n_samples=N_SAMPLES, steps=steps))
        rows = whole(store).rows
        expected = classifier.predict([store.recording(int(row)) for row in rows])
        found = predict_rows(classifier, store, rows)
        assert_allclose(found, [one.probabilities for one in expected], rtol=0, atol=1e-7)
    assert "12 windows of 5 s, overlap 50%: the mean of the probabilities" in expected[5].notes


def test_a_store_of_another_rate_is_refused(store: Store, classifier_of: Any) -> None:
    classifier = classifier_of(
        Preprocessing(n_samples=N_SAMPLES, steps=("crop", "resample"), starting_rate=500)
    )
    with pytest.raises(ContractError, match="store: found 100 Hz; accepted: 500 Hz"):
        predict_rows(classifier, store, np.array([0]))


SMALL = (
    "arguments.filters=2", "arguments.stages=1", "arguments.lstm_units=2", "arguments.attention_units=2",
    "folds.training=[1,2,3,4]", "folds.validation=[5,6,7]", "training.epochs=3", "training.batch_size=8",
    "training.checkpoint_minutes=1e-9", "input.seconds=5",
)  # fmt: skip
STEPS = 'input.steps=["fill-gaps", {kind="high-pass", cutoff=1.0}, "crop", {kind="pad", fill="edge"}]'


class TestSelection:
    def test_records_of_one_length_are_taken_without_crop_and_pad(self, store: Store) -> None:
        recipe = load_recipe("imle-net", overrides=SMALL)
        part = select_records(store, recipe, range(1, 11))
        assert set(store.index["n_samples"].to_numpy()[part.rows]) == {500}
        assert part.left_out == {"not 5 s long": 50, "with missing samples": 1}

    def test_steps_take_other_lengths_and_short_gaps(self, store: Store) -> None:
        recipe = load_recipe("imle-net", overrides=[*SMALL, STEPS])
        part = select_records(store, recipe, range(1, 11))
        assert sorted(set(range(60)) - set(part.rows)) == [WITH_LONG_GAP]
        assert part.left_out == {"with missing samples": 1}

    def test_what_a_step_refuses_is_counted(self, store: Store) -> None:
        recipe = load_recipe("imle-net", overrides=[*SMALL, 'input.steps=["crop"]'])
        part = select_records(store, recipe, range(1, 11))
        assert part.left_out == {"too short or too long for 5 s": 10, "with missing samples": 2}
        long = load_recipe("imle-net", overrides=[*SMALL, "input.seconds=60", 'input.steps=["crop"]'])
        with pytest.raises(
            StoreError, match="none of 6 records can be used: 6 too short or too long for 60 s"
        ):
            select_records(store, long, [1])

    def test_gaps_are_asked_of_the_stored_signal(self, store: Store) -> None:
        accepts = accepts_missing(
            store, Preprocessing(n_samples=N_SAMPLES, steps=("crop", "fill-gaps", "pad"))
        )
        assert accepts(WITH_GAP) and not accepts(WITH_LONG_GAP)


def test_scaling_is_fitted_on_filtered_records_of_every_length(store: Store) -> None:
    recipe = load_recipe(
        "imle-net", overrides=[*SMALL, 'input.steps=[{kind="clip", limit=0.2}, "crop", "pad"]']
    )
    part = select_records(store, recipe, (1, 2, 3))
    scaling = fit_preprocessing(store, part, recipe).steps[-1]
    parts = []
    for row in part.rows:
        signal = np.clip(store.recording(int(row)).signal.astype(np.float64), -0.2, 0.2)
        rest = signal.shape[1] - N_SAMPLES
        kept = (
            signal[:, rest // 2 : rest // 2 + N_SAMPLES] if rest > 0 else np.pad(signal, ((0, 0), (0, -rest)))
        )
        parts.append(kept)
    expected = np.stack(parts)
    assert_allclose([scaling.mean, scaling.scale], [expected.mean(), expected.std()], rtol=1e-5)


class Killed(Exception):
    pass


def test_a_resumed_run_draws_the_same_crops(store: Store, tmp_path: Path) -> None:
    overrides = [*SMALL, STEPS]
    uninterrupted = train("imle-net", store.path, tmp_path / "whole", overrides=overrides, machine=ONE_THREAD)
    seen = 0

    def dies(done: int, total: int, message: str = "") -> None:
        nonlocal seen
        seen += "epoch" in message
        if seen == 5:  # in the middle of the second epoch
            raise Killed

    out = tmp_path / "run"
    with pytest.raises(Killed):
        train("imle-net", store.path, out, overrides=overrides, machine=ONE_THREAD, on_progress=dies)
    run = resume(out)
    assert (run.model / "model.safetensors").read_bytes() == (
        uninterrupted.model / "model.safetensors"
    ).read_bytes()

    # And what was trained predicts by its own contract.
    classifier = ll.load(run.path)
    kinds = [step.kind for step in classifier.contract.preprocessing.steps]
    assert kinds == ["fill-gaps", "high-pass", "crop", "pad", "scale-global"]
    prediction = classifier.predict(store.recording(5))
    assert prediction.notes[:2] == (
        "filtered: high-pass 1 Hz, Butterworth of order 2", "cropped to 13-18 s of 31 s",
    )  # fmt: skip
    evaluation = evaluate_run(run.path, 8, resamples=5)
    rows = np.array([7, 17, 27, 37, 47, 57])
    assert_array_equal(evaluation.scored.scores, predict_rows(classifier, store, rows))


def test_crops_change_what_is_learnt(store: Store, tmp_path: Path) -> None:
    weights = []
    for place in ("random", "first"):
        steps = f'input.steps=["fill-gaps", {{kind="crop", training="{place}"}}, "pad"]'
        run = train(
            "imle-net",
            store.path,
            tmp_path / place,
            overrides=[*SMALL, "epochs=1", steps],
            machine=ONE_THREAD,
        )
        weights.append((run.model / "model.safetensors").read_bytes())
    assert weights[0] != weights[1]


@pytest.mark.parametrize("aggregate", ["max", "mean", "mean-logit"])
def test_validation_follows_the_rule_for_long_records(store: Store, tmp_path: Path, aggregate: str) -> None:
    steps = (
        'input.steps=["fill-gaps", {kind="crop", prediction="windows", overlap=0.4, '
        f'aggregate="{aggregate}"}}, "pad"]'
    )
    run = train(
        "imle-net", store.path, tmp_path / "run", overrides=[*SMALL, steps, "epochs=2"], machine=ONE_THREAD
    )  # fmt: skip
    classifier = ll.load(run.path)
    crop = classifier.contract.preprocessing.crop
    assert crop is not None and (crop.prediction, crop.overlap, crop.aggregate) == ("windows", 0.4, aggregate)
    card = (run.model / "MODEL_CARD.md").read_text()
    assert crop.describe_aggregate() in card and "each repeats 40% of the one before" in card
    with (run.path / "log.csv").open() as file:
        aucs = [float(row["validation_macro_auc"]) for row in csv.DictReader(file)]
    metrics = classifier.contract.metrics.values
    assert_allclose(metrics["macro ROC-AUC"], max(aucs), atol=1e-6)
    # And so does a prediction of the recordings themselves, window by window.
    rows = np.flatnonzero(np.isin(store.index["fold"].to_numpy(), [8]) & (store.lengths > 500))
    rule = {"max": np.max, "mean": np.mean, "mean-logit": None}[aggregate]
    for row, found in zip(rows, predict_rows(classifier, store, rows), strict=True):
        views = classifier.views(store.recording(int(row)))
        of_windows = classifier.predict_inputs([view.values for view in views]).astype(np.float64)
        logits = np.log(of_windows / (1 - of_windows))
        expected = 1 / (1 + np.exp(-logits.mean(axis=0))) if rule is None else rule(of_windows, axis=0)
        assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_parts_take_whole_records_and_bounded_windows(processes: int) -> None:
    windows = np.array([1, 7, 7, 1, 40, 1, 1, 1])
    parts = list(parts_of(windows, 9, processes))
    assert [place for part in parts for place in range(part.start, part.stop)] == list(range(8))
    for part in parts:
        assert windows[part].sum() <= 9 or part.stop - part.start == processes or part is parts[-1]


def test_processes_call_the_model_equally_often() -> None:
    calls = []

    class Counting(nn.Module):
        def forward(self, signal: torch.Tensor) -> torch.Tensor:
            calls.append(len(signal))
            return signal[:, :, 0]

    inputs = torch.arange(15.0).reshape(5, 3, 1)
    (logits,) = in_parts(Counting(), (inputs,), 2, 9)
    assert_array_equal(logits, inputs[:, :, 0])
    assert len(calls) == 5
