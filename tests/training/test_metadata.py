"""Age and sex from the store to the prediction: the same at training and at inference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import leadlight as ll
from leadlight.datasets import DatasetIndex, RecordEntry
from leadlight.errors import ContractError, ModelError, RecipeError
from leadlight.evaluation import predict_rows
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Patient, Recording, Statement
from leadlight.signal import Metadata, fit_metadata
from leadlight.store import store_index
from leadlight.training import Machine, resume, train
from leadlight.training.data import hidden_records

ONE_THREAD = Machine(accelerator="cpu", threads=1)
N_RECORDS = 240
RECIPE = """
model = "conv-bilstm-attention"
labels = "ptb-xl/superclass"
[input]
seconds = 1
[folds]
training = [1, 2, 3, 4, 5, 6]
validation = [7, 8]
[arguments]
filters = 4
lstm_units = 2
hidden = 4
metadata_hidden = 8
joint_hidden = 8
dropout = 0.0
[training]
learning_rate = 0.03
epochs = 10
batch_size = 16
checkpoint_minutes = 1e-9
"""


def age_of(number: int) -> float | None:
    """None for some; 20 to 92 otherwise; the training folds' are 20 to 88."""
    if number % 13 == 3:
        return None
    return 92.0 if number % 10 + 1 > 8 else 20.0 + (number * 7) % 69


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Records of noise, of patients who show an infarction when they are older than 55."""
    folder = tmp_path_factory.mktemp("ages")
    generator = np.random.default_rng(8)
    entries = []
    for number in range(N_RECORDS):
        age, sex = age_of(number), (None, "male", "female")[number % 3]
        signal = 0.2 * generator.standard_normal((12, 100)).astype(np.float32)
        ll.write(Recording(signal, STANDARD_LEADS, 100.0), folder / f"r{number:03d}")
        code = "IMI" if (age or 0) > 55 else "NORM"
        entries.append(
            RecordEntry(
                str(number), f"p{number}", f"r{number:03d}", 100.0, fold=number % 10 + 1, age=age, sex=sex,
                statements=(Statement(code, "scp-ecg", 100.0),),
            )
        )  # fmt: skip
    return store_index(DatasetIndex("ptb-xl", "", folder, 100.0, tuple(entries)), folder / "store")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    file.write_text(RECIPE)
    return file


@pytest.fixture(scope="module")
def run(store, recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    return train("conv-bilstm-attention", store.path, out, recipe=recipe, machine=ONE_THREAD)


@pytest.fixture(scope="module")
def classifier(run):
    return ll.load(run.path)


def training_ages():
    ages = [age_of(number) for number in range(N_RECORDS) if number % 10 + 1 <= 6]
    return [age for age in ages if age is not None]


def test_scaling_is_fitted_on_training_records_alone(classifier):
    metadata = classifier.contract.metadata
    ages = training_ages()
    assert metadata.columns == ("age", "male", "female", "age missing", "sex missing")
    assert (metadata.scaling, metadata.missing_age) == ("min-max", 0.0)
    assert_allclose([metadata.offset, metadata.scale], [min(ages), max(ages) - min(ages)])
    assert max(ages) < 92


def test_the_card_says_what_is_read_beside_the_signal(run, classifier):
    card = (run.model / "MODEL_CARD.md").read_text()
    assert classifier.contract.metadata.describe() in card
    ages = training_ages()
    assert f"Age from {min(ages):g} to {max(ages):g} years to 0 to 1" in card


def test_what_only_age_tells_is_learnt(classifier):
    metrics = classifier.contract.metrics.values
    assert metrics["ROC-AUC MI"] > 0.9


def test_recordings_and_the_store_are_read_alike(classifier, store):
    rows = np.arange(len(store))
    recordings = [store.recording(int(row)) for row in rows]
    assert [one.patient.age for one in recordings] == [age_of(number) for number in rows]
    expected = np.array([one.probabilities for one in classifier.predict(recordings)])
    assert_allclose(predict_rows(classifier, store, rows), expected, rtol=0, atol=1e-6)
    signals, patients = store.signals(rows), [one.patient for one in recordings]
    assert_allclose(classifier.predict_signals(signals, metadata=patients), expected, rtol=0, atol=1e-6)


def test_the_model_reads_what_the_contract_says(classifier, store):
    """The network, called by hand with numbers from the contract's sentence."""
    import torch

    recording = store.recording(0)
    metadata, scaling = classifier.contract.metadata, classifier.contract.preprocessing.steps[0]
    signal = torch.from_numpy((recording.signal - scaling.mean) / scaling.scale)[None].float()
    for patient, numbers in (
        (Patient(age=50, sex="female"), [(50 - metadata.offset) / metadata.scale, 0, 1, 0, 0]),
        (Patient(age=95, sex="male"), [1, 1, 0, 0, 0]),
        (Patient(), [0, 0, 0, 1, 1]),
    ):
        with torch.inference_mode():
            logits = classifier.module(signal, torch.tensor([numbers], dtype=torch.float32))
        found = classifier.predict(replace(recording, patient=patient)).probabilities
        assert_allclose(found, torch.sigmoid(logits)[0], rtol=0, atol=1e-6)


def test_missing_age_and_sex_are_noted_and_finite(classifier, store):
    known = replace(store.recording(0), patient=Patient(age=40, sex="male"))
    assert not any("not known" in note for note in classifier.predict(known).notes)
    prediction = classifier.predict(replace(known, patient=Patient()))
    assert np.isfinite(prediction.probabilities).all()
    assert any(note.startswith("age and sex not known") for note in prediction.notes)


def test_age_and_sex_can_be_given(classifier, store):
    recording = replace(store.recording(0), patient=Patient())
    young, old = (classifier.predict(recording.with_patient(age=age)) for age in (25, 85))
    place = classifier.contract.codes.index("MI")
    assert young.probabilities[place] < 0.5 < old.probabilities[place]


def test_resumed_training_hides_the_same_ages(run, store, recipe, tmp_path):
    class Killed(Exception):
        pass

    seen = 0

    def dies(done: int, total: int, message: str = "") -> None:
        nonlocal seen
        seen += "epoch" in message
        if seen == 11:
            raise Killed

    out = tmp_path / "run"
    with pytest.raises(Killed):
        train("conv-bilstm-attention", store.path, out, recipe=recipe, machine=ONE_THREAD, on_progress=dies)
    again = resume(out)
    assert (again.model / "model.safetensors").read_bytes() == (run.model / "model.safetensors").read_bytes()


def test_hidden_records_are_a_function_of_seed_epoch_and_record():
    age, sex = hidden_records(10_000, 0.1, 1, 1)
    assert 0.08 < age.mean() < 0.12 and 0.08 < sex.mean() < 0.12
    assert (age & sex).mean() < 0.03
    assert_array_equal(hidden_records(10_000, 0.1, 1, 1), (age, sex))
    assert (hidden_records(10_000, 0.1, 1, 2)[0] != age).any()


def test_published_form_reads_three_columns_and_the_mean_for_a_missing_age(store, recipe, tmp_path):
    run = train(
        "conv-bilstm-attention", store.path, tmp_path / "run", recipe=recipe, machine=ONE_THREAD,
        overrides=["arguments.published=true", "training.epochs=1", "metadata.hidden=0"],
    )  # fmt: skip
    classifier, ages = ll.load(run.path), training_ages()
    metadata = classifier.contract.metadata
    assert metadata.columns == ("age", "male", "female")
    assert_allclose(metadata.missing_age, (np.mean(ages) - min(ages)) / (max(ages) - min(ages)))
    prediction = classifier.predict(replace(store.recording(0), patient=Patient()))
    assert np.isfinite(prediction.probabilities).all()
    assert any("the mean age, or neither sex" in note for note in prediction.notes)


def test_a_model_that_reads_the_signal_alone_refuses_metadata(store, tmp_path, contract_values):
    with pytest.raises(RecipeError, match="imle-net reads the signal alone"):
        train("imle-net", store.path, tmp_path / "run", overrides=["metadata.age=z-score"])
    model = ll.load("imle-net-ptbxl-superclass")
    with pytest.raises(ModelError, match="reads the signal alone"):
        model.predict_signals(np.zeros((1, 12, 1000), np.float32), metadata=[Patient(age=40)])


def test_contract_and_network_must_agree(classifier):
    from leadlight.classifier import Classifier

    without = classifier.contract.model_copy(update={"metadata": None})
    with pytest.raises(ContractError, match="metadata: found no columns; accepted: 5"):
        Classifier(classifier.module, without)


class TestMetadata:
    def test_z_score(self):
        metadata = fit_metadata(("age",), np.array([20.0, 40.0, 60.0, np.nan, 500.0]), "z-score")
        assert_allclose([metadata.offset, metadata.scale], [40, np.std([20, 40, 60])])
        # Without an indicator the mean stands for a missing age: 0 after scaling.
        assert_allclose(metadata.encode(np.array([40.0, np.nan, -1.0]), [None] * 3), [[0], [0], [0]])

    def test_min_max_holds_ages_beyond_the_training_records(self):
        metadata = fit_metadata(("age", "age missing"), np.array([20.0, 70.0]))
        found = metadata.encode(np.array([10.0, 20.0, 45.0, 90.0, np.nan]), [None] * 5)
        assert_allclose(found, [[0, 0], [0, 0], [0.5, 0], [1, 0], [0, 1]])

    def test_hidden_is_as_if_it_had_not_been_known(self):
        metadata = fit_metadata(("age", "male", "female", "age missing", "sex missing"), np.array([20.0, 70]))
        ages, sexes = np.array([30.0, 40.0, 50.0]), ["male", "female", "male"]
        found = metadata.hidden(
            metadata.encode(ages, sexes), np.array([True, False, True]), np.array([False, True, True])
        )
        expected = metadata.encode(np.array([np.nan, 40.0, np.nan]), ["male", None, None])
        assert_array_equal(found, expected)

    @pytest.mark.parametrize(
        ("ages", "problem"), [([np.nan, np.nan], "none"), ([40.0, 40.0], "40 years alone"), ([], "none")]
    )
    def test_ages_that_cannot_be_fitted(self, ages, problem):
        with pytest.raises(ContractError, match=problem):
            fit_metadata(("age",), np.array(ages))

    @pytest.mark.parametrize(
        ("changed", "problem"),
        [
            ({"columns": ("height",)}, "columns: found height; accepted: age, male"),
            ({"columns": ()}, "columns: found none"),
            ({"columns": ("age", "age")}, "each once"),
            ({"scaling": "log"}, "scaling: found 'log'; accepted: min-max, z-score"),
            ({"scale": 0.0}, "scale: found 0 years; accepted: above 0"),
        ],
    )
    def test_what_cannot_be_is_refused(self, changed, problem):
        stated = {"columns": ("age",), "scaling": "min-max", "offset": 0.0, "scale": 90.0}
        with pytest.raises(ContractError, match=problem):
            Metadata(**{**stated, **changed})

    def test_plain_values_and_back(self):
        metadata = Metadata(("age", "male"), "z-score", 60.0, 17.0, 0.0)
        assert Metadata.from_dict(metadata.to_dict()) == metadata
        with pytest.raises(ContractError, match="accepted: columns, scaling"):
            Metadata.from_dict({"columns": ["age"]})
