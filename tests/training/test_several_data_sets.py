"""One model of several data sets: label languages that differ, folds of each, and what nobody can tell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from leadlight.classifier import read_contract
from leadlight.datasets import read_index
from leadlight.errors import EvaluationError, LabelError, RunError, StoreError
from leadlight.evaluation import evaluate_run
from leadlight.recipes import load_recipe
from leadlight.simulate import simulate_mimic_iv_ecg
from leadlight.store import Store, join, open_store, part_of_rows, prepare, select, store_index
from leadlight.store.selection import label_space
from leadlight.training import Machine, resume, train
from leadlight.training.data_sets import set_aside
from leadlight.training.run import select_records
from leadlight.training.sampling import patients_of

ONE_THREAD = Machine(accelerator="cpu", threads=1)
# The label space of the one data set, which the other's reports are mapped to as far as they can tell.
TOGETHER = ("labels=challenge-2021", "training.epochs=2")


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def mimic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ninety records in MIMIC-IV-ECG's layout, with report statements; folds by Leadlight's split."""
    root = simulate_mimic_iv_ecg(tmp_path_factory.mktemp("mimic") / "data", 90, seed=7)
    return prepare("mimic-iv-ecg", root, tmp_path_factory.mktemp("mimic-store") / "store", workers=1).path


@pytest.fixture(scope="module")
def both(store_folder: Path, mimic_folder: Path) -> list[Path]:
    return [store_folder, mimic_folder]


@pytest.fixture(scope="module")
def whole(both: list[Path], small: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    return train("imle-net", both, out, overrides=(*small, *TOGETHER), machine=ONE_THREAD)


def test_both_give_records_and_run_and_contract_name_them(whole, both: list[Path]) -> None:
    environment = whole.environment
    assert environment["data"] == [str(path) for path in both]
    contract = read_contract(whole.model)
    assert [part.dataset for part in contract.training_data.parts] == ["ptb-xl", "mimic-iv-ecg"]
    assert contract.training_data.dataset == "ptb-xl + mimic-iv-ecg"
    for place, part in enumerate(contract.training_data.parts):
        store = open_store(both[place])
        folds = store.columns("fold")["fold"].to_numpy()
        assert 0 < part.counts["training records"] <= np.isin(folds, [1, 2, 3, 4]).sum()
        assert 0 < part.counts["validation records"] <= np.isin(folds, [5, 6]).sum()
    for what, key in (("training records", "training"), ("validation records", "validation")):
        total = sum(part.counts[what] for part in contract.training_data.parts)
        assert total == contract.training_data.counts[what] == environment["records"][key]
    assert environment["set_aside"] == {}
    card = (whole.model / "MODEL_CARD.md").read_text()
    assert "MIMIC-IV-ECG" in card and "PTB-XL" in card


def test_what_a_data_set_cannot_tell_is_unknown_for_its_records_alone(both: list[Path]) -> None:
    """PTB-XL's statements have no axis, and tell what else is absent; silent reports tell nothing."""
    store = join(both)
    recipe = load_recipe("imle-net", overrides=("labels=challenge-2021",))
    chosen = select_records(store, recipe, range(1, 11))
    part = part_of_rows(store, chosen.rows)
    space = label_space(store, "challenge-2021")
    alone = [
        select(open_store(path), range(1, 11), space, n_samples=1000) for path in both
    ]  # fmt: skip
    for place, expected in enumerate(alone):
        assert (chosen.known[part == place] == expected.known).all()
        assert (chosen.truth[part == place] == expected.truth).all()
    known = {code: chosen.known[:, space.codes.index(code)] for code in ("LAD", "IAVB", "NSR")}
    assert not known["LAD"][part == 0].any()
    assert known["IAVB"][part == 0].all() and not known["IAVB"][part == 1].all()
    assert known["NSR"][part == 1].any()
    assert (chosen.truth <= chosen.known).all()


def test_no_patient_is_on_two_sides(both: list[Path]) -> None:
    store = join(both)
    recipe = load_recipe("imle-net", overrides=("labels=challenge-2021",))
    sides = [
        set(patients_of(store, select_records(store, recipe, folds))) for folds in ([1, 2, 3, 4], [5, 6])
    ]
    assert not sides[0] & sides[1]
    assert {patient.partition("-")[0] for patient in sides[0]} == {"pptb", "pmimic"}


def test_interrupted_and_resumed_ends_the_same(whole, both, small, tmp_path: Path) -> None:
    seen = 0

    def dies(done: int, total: int, message: str = "") -> None:
        nonlocal seen
        seen += "epoch" in message
        if seen >= 5:
            raise Killed

    out = tmp_path / "run"
    with pytest.raises(Killed):
        train(
            "imle-net", both, out, overrides=(*small, *TOGETHER), machine=ONE_THREAD, on_progress=dies
        )  # fmt: skip
    run = resume(out)
    assert (run.model / "model.safetensors").read_bytes() == (whole.model / "model.safetensors").read_bytes()


def test_evaluation_takes_the_runs_own_data_sets_or_one_of_them(whole, both: list[Path]) -> None:
    together = evaluate_run(whole.path, 7, resamples=5)
    alone = evaluate_run(whole.path, 7, both[1], resamples=5)
    assert together.subject["dataset"] == "ptb-xl + mimic-iv-ecg"
    assert 0 < alone.n_records < together.n_records
    with pytest.raises(EvaluationError, match="found 1, which the weights were fitted on"):
        evaluate_run(whole.path, 1, both[1], resamples=5)


def test_another_rate_and_the_same_store_twice_are_refused(
    both: list[Path], small: tuple[str, ...], simulated_folder: Path, tmp_path: Path
) -> None:
    index = read_index("ptb-xl", simulated_folder, 500.0)
    fast = store_index(index, tmp_path / "fast", 1)
    with pytest.raises(StoreError, match=r"found a store at 500 Hz; 100 Hz is needed"):
        train("imle-net", [both[1], fast.path], tmp_path / "run", overrides=small, machine=ONE_THREAD)
    with pytest.raises(StoreError, match="twice; accepted: each data set once"):
        train("imle-net", [both[0], both[0]], tmp_path / "run", overrides=small, machine=ONE_THREAD)
    with pytest.raises(RunError, match="there is no such folder"):
        train("imle-net", [both[0], tmp_path / "no"], tmp_path / "run", overrides=small, machine=ONE_THREAD)
    assert not (tmp_path / "run").exists()


def test_a_recipe_chooses_records_by_a_condition(store_folder: Path, tmp_path: Path) -> None:
    store = open_store(store_folder)
    recipe = load_recipe("imle-net", overrides=("where=age > 60 and sex = 'female'",))
    chosen = select_records(store, recipe, range(1, 11))
    index = store.index.iloc[chosen.rows]
    assert len(index) and (index["age"] > 60).all() and set(index["sex"]) == {"female"}
    assert any("is not true" in reason for reason in chosen.left_out)
    assert load_recipe(text=recipe.to_toml()) == recipe
    with pytest.raises(StoreError, match="Did you mean 'age'"):
        select_records(store, load_recipe("imle-net", overrides=("where=agee > 60",)), [1])


def own_store(simulated_folder: Path, folder: Path) -> Store:
    """Recordings of a folder with a table of two labels of the hospital's own."""
    index = read_index("ptb-xl", simulated_folder, 100.0)
    lines = ["path,patient,lvh_by_echo,AFIB"]
    for number, entry in enumerate(index.entries):
        lines.append(f"{entry.path},{entry.patient_id},{number % 2},{int(number % 3 == 0)}")
    table = folder / "labels.csv"
    table.write_text("\n".join(lines) + "\n")
    return prepare("folder", simulated_folder, folder / "own", workers=1, labels=table)


def test_a_folder_with_its_own_label_columns_is_its_own_label_space(
    simulated_folder: Path,
    store_folder: Path,
    mimic_folder: Path,
    small: tuple[str, ...],
    tmp_path: Path,
) -> None:
    store = own_store(simulated_folder, tmp_path)
    overrides = (*small, "labels=own", "training.epochs=1")
    run = train("imle-net", store.path, tmp_path / "run", overrides=overrides, machine=ONE_THREAD)
    contract = read_contract(run.model)
    assert contract.codes == ("lvh_by_echo", "AFIB") and contract.label_space.name == "own"
    evaluation = evaluate_run(run.path, 7, resamples=5)
    assert [one.code for one in evaluation.classes] == ["lvh_by_echo", "AFIB"]
    assert json.loads((run.path / "environment.json").read_text())["data_sets"][0]["dataset"] == "folder"
    # The same recordings under PTB-XL's name are copies; other recordings' reports tell of no echo.
    copies = join([store.path, store_folder])
    assert set_aside(copies)["copies of a recording that is there"] == len(open_store(store_folder))
    joined = join([store.path, mimic_folder])
    theirs = np.flatnonzero(part_of_rows(joined, np.arange(len(joined))) == 1)
    sources = joined.columns("source")["source"].take(theirs).to_pylist()
    targets = label_space(joined, "own").encode(joined.statements(theirs), sources=sources)
    assert len(theirs) == 90 and not targets.known[:, 0].any()
    with pytest.raises(StoreError, match="which has no labels of its own"):
        label_space(open_store(store_folder), "own")
    with pytest.raises(LabelError):
        label_space(store, "owm")
