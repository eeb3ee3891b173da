"""A model on simulated records, measured from end to end, against the same numbers worked out one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import leadlight as ll
from leadlight import labels, models
from leadlight.classifier import save_model
from leadlight.cli.app import app
from leadlight.errors import EvaluationError, ModelError
from leadlight.explanation_quality import Plan, explain_class, measure_explanations, measures
from leadlight.simulate import read_truth, simulate_dataset
from leadlight.store import open_data

FOLD = 3


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_dataset(tmp_path_factory.mktemp("simulated") / "ecg", 90, seed=5)


@pytest.fixture(scope="module")
def store(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from leadlight.store import prepare

    return prepare("ptb-xl", simulated, tmp_path_factory.mktemp("store") / "store").path


@pytest.fixture(scope="module")
def model(contract_values: Callable[..., dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network that finds every class in every record."""
    space = labels.space("ptb-xl/superclass")
    torch.manual_seed(1)
    arguments = {"filters": 4, "hidden": 8}
    module = models.create("cnn", 5, n_samples=1000, sampling_rate=100.0, **arguments)
    values = contract_values(
        list(space.codes), arguments, 1000,
        architecture={"name": "cnn", "n_classes": 5, "n_leads": 12, "n_samples": 1000,
                      "sampling_rate": 100.0, "arguments": arguments},
        label_space={"name": space.name, "version": space.version},
        thresholds={"values": [0.0] * 5, "rule": "by hand"},
    )  # fmt: skip
    return save_model(tmp_path_factory.mktemp("model") / "small", module, values)


@pytest.fixture(scope="module")
def quality(model: Path, store: Path, simulated: Path):
    plan = Plan(records=6, steps=3, block_seconds=0.5, orders=1, draws=1, sanity_records=2)
    return measure_explanations(
        model, FOLD, store, methods=["gradients", "grad-cam"], targets=["MI", "CD"], plan=plan,
        truth=simulated, resamples=50,
    )  # fmt: skip


def test_every_record_is_explained_by_every_method_and_reference(quality):
    pairs = {(row["record_id"], row["class"]) for row in quality.rows}
    assert 2 <= len(pairs) <= 6
    for pair in pairs:
        methods = [row["method"] for row in quality.rows if (row["record_id"], row["class"]) == pair]
        assert sorted(methods) == ["amplitude", "even", "grad-cam", "gradients", "noise"]


def test_mass_and_rank_are_those_of_the_map_and_the_truth(quality, model, store, simulated):
    classifier, data = ll.load(model), open_data(store)
    checked = 0
    for row in quality.rows:
        if row["method"] != "gradients":
            continue
        recording = data.recording(row["record_id"])
        truth = read_truth(simulated, row["record_id"])
        members = labels.space("ptb-xl/superclass").classes
        own = next(one.members for one in members if one.code == row["class"])
        codes = [one.code for one in recording.statements if one.code in own and one.code in truth.runs]
        mask = np.any([truth.mask(code, 100.0) for code in codes], axis=0)
        explanation = ll.explain(classifier, recording, row["class"], "gradients")
        assert row["truth_mass"] == pytest.approx(measures.relevance_mass(explanation.relevance, mask))
        assert row["truth_rank"] == pytest.approx(measures.rank_accuracy(explanation.relevance, mask))
        same = {"method": "even", "record_id": row["record_id"], "class": row["class"]}.items()
        even = next(one for one in quality.rows if same <= one.items())
        assert even["truth_mass"] == pytest.approx(mask.mean())
        assert even["truth_rank"] == pytest.approx(mask.mean())
        checked += 1
    assert checked >= 2


def test_an_even_map_gets_a_ratio_of_one_in_the_expected_region(quality):
    known = [row for row in quality.rows if row["method"] == "even" and "criteria_ratio" in row]
    assert known
    for row in known:
        assert row["criteria_ratio"] == pytest.approx(1)


def test_gains_are_against_the_random_order_of_the_same_record(quality):
    by = {(row["record_id"], row["class"], row["method"]): row for row in quality.rows}
    for (record, code, method), row in by.items():
        if method == "gradients":
            chance = by[record, code, "noise"]
            assert row["deletion_gain"] == pytest.approx(chance["deletion"] - row["deletion"])
            assert row["insertion_gain"] == pytest.approx(row["insertion"] - chance["insertion"])


def test_the_sanity_check_takes_as_many_as_it_was_told(quality):
    measured = [row for row in quality.rows if row.get("sanity_all") is not None]
    assert len({(row["record_id"], row["class"]) for row in measured}) == 2
    assert all(-1 <= row["sanity_all"] <= 1 for row in measured)


def test_the_same_seed_gives_the_same_numbers(quality, model, store, simulated):
    again = measure_explanations(
        model, FOLD, store, methods=["gradients"], targets=["MI", "CD"],
        plan=Plan(("truth",), records=6), truth=simulated, resamples=50,
    )  # fmt: skip
    first = quality.of("gradients", "truth_mass").value
    assert again.of("gradients", "truth_mass").value == first
    assert again.of("gradients", "deletion") is None


def test_without_the_truth_the_rest_is_measured_and_a_note_says_so(model, store):
    found = measure_explanations(
        model, FOLD, store, methods=["gradients"], targets=["MI"],
        plan=Plan(("truth", "criteria"), records=2), resamples=20,
    )  # fmt: skip
    if found.of("gradients", "truth_mass") is None:
        assert any("not simulated" in note for note in found.notes)
    assert found.of("gradients", "criteria_share") is not None


def test_what_there_is_not_is_refused(model, store):
    with pytest.raises(ModelError, match="gradients"):
        measure_explanations(model, FOLD, store, methods=["gradient"])
    with pytest.raises(ModelError, match="attention"):
        measure_explanations(model, FOLD, store, methods=["attention"])
    with pytest.raises(EvaluationError, match="truth, criteria"):
        Plan(("thruth",))
    with pytest.raises(EvaluationError, match="1 or more"):
        Plan(records=0)


def test_the_command_writes_its_files_and_needs_a_place_for_them(model, store, tmp_path):
    asked = ["explain-quality", str(model), "--fold", str(FOLD), "--data", str(store)]
    refused = CliRunner().invoke(app, asked)
    assert refused.exit_code == 2 and "--out" in refused.output
    small = [
        "--methods",
        "gradients:form=plain",
        "--target",
        "MI",
        "--records",
        "2",
        "--measures",
        "criteria",
    ]
    answer = CliRunner().invoke(app, [*asked, *small, "--out", str(tmp_path / "out")])
    assert answer.exit_code == 0, answer.output
    assert (tmp_path / "out" / "table.md").is_file()
    assert "gradients:form=plain" in answer.output
    for wrong in (["--methods", "gradient"], ["--target", "MJ"], ["--measures", "trut"]):
        assert CliRunner().invoke(app, [*asked, *wrong, "--out", str(tmp_path)]).exit_code == 2


def test_a_class_is_explained_over_the_records_of_a_fold(model, store, tmp_path):
    found = explain_class(model, "MI", FOLD, store, method="gradients", n_records=3, resamples=20)
    assert [one.name for one in found.groups] == ["true positives", "false positives", "false negatives"]
    assert len(found.groups[2]) == 0  # the model finds the class everywhere
    first = found.groups[0]
    assert 1 <= len(first) <= 3 <= first.n_beats.sum()
    # The R peak is where the beat is steep: leads of largest range have it near 0 s.
    lead = np.ptp(first.mean_beat, axis=1).argmax()
    assert abs(found.times[np.abs(first.mean_beat[lead]).argmax()]) <= 0.06
    said = CliRunner().invoke(
        app,
        ["explain-class", str(model), "--target", "MI", "--fold", str(FOLD), "--data", str(store), "--method",
         "gradients", "--records", "2", "--format", "svg", "--out", str(tmp_path / "class")],
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert {one.name for one in (tmp_path / "class").iterdir()} == {
        "MI.svg", "MI.json", "MI-leads.csv", "MI-beats.csv",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("folds", "said"),
    [
        ({"training": [FOLD], "validation": [9]}, "fitting the weights"),
        ({"training": [1], "validation": [FOLD]}, "chose the epoch"),
        ({"training": [1], "validation": [9]}, ""),
    ],
)
def test_a_class_on_a_fold_that_the_model_knows_is_remarked_on(model, store, tmp_path, folds, said):
    known = ll.load(model)
    values = known.contract.model_dump(mode="json") | {"folds": folds}
    for part in ("metrics", "thresholds"):
        values[part] |= {"folds": []}
    values["training_data"] |= {"dataset": "ptb-xl", "version": "simulated"}
    folder = save_model(tmp_path / "known", known.module, values)
    found = explain_class(folder, "MI", FOLD, store, method="gradients", n_records=1, resamples=5)
    notes = [note for note in found.notes if "new patients" in note]
    assert len(notes) == bool(said) and all(said in note for note in notes)
