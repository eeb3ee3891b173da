"""Which records an epoch reads: draws by label from training folds alone, balanced, and the same again."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leadlight as ll
from leadlight.errors import RecipeError, RunError
from leadlight.recipes import SamplingSettings, load_recipe
from leadlight.store import Selection
from leadlight.training import Machine, resume, train
from leadlight.training.run import select_records
from leadlight.training.sampling import (
    Sampler,
    draw,
    patients_of,
    refuse_shared_patients,
    sampler,
    sources_of,
)

ONE_THREAD = Machine(accelerator="cpu", threads=1)
CLASSES = ("A", "B", "C")


def selection(truth: np.ndarray, known: np.ndarray | None = None) -> Selection:
    known = np.ones(truth.shape, dtype=bool) if known is None else known
    return Selection(np.arange(len(truth)) * 3, truth.astype(np.uint8), known, {})


@st.composite
def parts(draw_from) -> tuple[Selection, list[str]]:
    n = draw_from(st.integers(1, 80))
    rng = np.random.default_rng(draw_from(st.integers(0, 999)))
    truth = rng.random((n, 3)) < rng.uniform(0.05, 0.6, 3)
    known = rng.random((n, 3)) < 0.9
    return selection(truth & known, known), [f"p{number}" for number in rng.integers(0, n, n)]


def places(part: Selection) -> np.ndarray:
    return part.rows // 3


@settings(deadline=None)
@given(
    parts(),
    st.dictionaries(st.sampled_from(CLASSES), st.integers(1, 30), min_size=1),
    st.none() | st.integers(0, 30),
    st.none() | st.integers(1, 3),
    st.integers(0, 2**31 - 1),
)
def test_a_draw_holds_what_was_asked_or_all_there_is(one, per_label, none, per_patient, seed):
    part, patients = one
    wanted = SamplingSettings(per_label=per_label, none=none, per_patient=per_patient)
    try:
        drawn = draw(part, CLASSES, patients, wanted, seed)
    except RecipeError:
        assert not part.truth[:, [CLASSES.index(label) for label in per_label]].any()
        return
    again = draw(part, CLASSES, patients, wanted, seed)
    assert (again.part.rows == drawn.part.rows).all()
    chosen = places(drawn.part)
    assert (np.diff(chosen) > 0).all()  # no record twice
    assert (drawn.part.truth == part.truth[chosen]).all() and (drawn.part.known == part.known[chosen]).all()
    of_patient = Counter(patients[place] for place in chosen)
    assert per_patient is None or max(of_patient.values()) <= per_patient
    columns = [CLASSES.index(label) for label in per_label]
    for label, n in per_label.items():
        column = CLASSES.index(label)
        # Other labels' records may show this one, too: at least what was asked for, or what is there.
        asked, there = drawn.short.get(label, (n, n))
        assert asked == n and drawn.counts[label] >= min(n, there)
        assert drawn.counts[label] == int(part.truth[chosen, column].sum())
        if per_patient is None:
            assert there == n or there == int(part.truth[:, column].sum())
    if per_patient is None:
        shows_none = (part.truth[:, columns] == 0) & part.known[:, columns]
        expected = min(none or 0, int(shows_none.all(axis=1).sum()))
        assert drawn.counts["none"] == expected
        assert len(chosen) <= sum(per_label.values()) + (none or 0)


@given(parts(), st.integers(0, 999))
def test_without_a_table_everything_is_drawn(one, seed):
    part, patients = one
    drawn = draw(part, CLASSES, patients, SamplingSettings(), seed)
    assert drawn.part is part and drawn.short == {}


def test_another_label_in_the_table_changes_no_other_draw():
    truth = np.eye(3, dtype=np.uint8)[np.arange(90) % 3]
    part, patients = selection(truth), [str(number) for number in range(90)]
    one = draw(part, CLASSES, patients, SamplingSettings(per_label={"A": 5}), 1)
    two = draw(part, CLASSES, patients, SamplingSettings(per_label={"A": 5, "B": 5}), 1)
    assert set(one.part.rows) < set(two.part.rows)
    assert (two.counts["A"], two.counts["B"], two.counts["C"], two.counts["none"]) == (5, 5, 0, 0)


def test_an_unknown_label_is_neither_drawn_nor_none():
    truth = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0]])
    known = np.array([[1, 1, 1], [0, 1, 1], [1, 1, 1]], dtype=bool)
    drawn = draw(
        selection(truth, known), CLASSES, ["a", "b", "c"], SamplingSettings(per_label={"A": 9}, none=9), 1
    )
    assert list(places(drawn.part)) == [0, 2]
    assert drawn.to_dict()["short"] == {"A": {"asked": 9, "there": 1}, "none": {"asked": 9, "there": 1}}


def test_too_few_are_refused_where_the_recipe_says_so():
    part = selection(np.array([[1, 0, 0], [0, 1, 0]]))
    wanted = SamplingSettings(per_label=2, when_short="refuse")
    with pytest.raises(RecipeError, match=r"A 1 of 2, B 1 of 2, C 0 of 2.*take all"):
        draw(part, CLASSES, ["a", "b"], wanted, 1)
    with pytest.raises(RecipeError, match="found 'D'; accepted: A, B, C"):
        draw(part, CLASSES, ["a", "b"], SamplingSettings(per_label={"D": 1}), 1)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("xyz"), min_size=1, max_size=60),
    st.integers(1, 200),
    st.booleans(),
    st.integers(0, 2**31 - 1),
    st.integers(1, 1000),
)
def test_sources_come_equally_often(sources, length, replacement, seed, epoch):
    part = selection(np.ones((len(sources), 3)))
    wanted = SamplingSettings(balance="source", epoch_length=length, replacement=replacement)
    one = sampler(part, sources, wanted)
    order = one.order(seed, epoch)
    assert len(order) == length
    assert (order == sampler(part, sources, wanted).order(seed, epoch)).all()
    n_groups = len(set(sources))
    # Each round of batches holds every source once: so does every stretch of the epoch, but for one.
    for start in range(0, length - n_groups + 1, n_groups):
        assert len({sources[place] for place in order[start : start + n_groups]}) == n_groups
    if not replacement:
        for name, size in Counter(sources).items():
            seen = Counter(place for place in order.tolist() if sources[place] == name)
            # No record returns before all of its source were read.
            times = [seen[place] for place in range(len(sources)) if sources[place] == name]
            assert max(times) - min(times) <= 1
            assert len(seen) <= size


def test_classes_come_equally_often_and_none_is_one_of_them():
    truth = np.zeros((100, 3), dtype=np.uint8)
    truth[:80, 0], truth[80:84, 1] = 1, 1  # 80 A, 4 B, 16 none; no C
    wanted = SamplingSettings(balance="class", epoch_length=300)
    order = sampler(selection(truth), [""] * 100, wanted).order(1, 1)
    assert Counter(np.where(truth[order].any(axis=1), truth[order].argmax(axis=1), 3).tolist()) == {
        0: 100, 1: 100, 3: 100,
    }  # fmt: skip
    assert Counter(order[np.isin(order, range(80, 84))].tolist()) == {80: 25, 81: 25, 82: 25, 83: 25}


@given(st.integers(1, 50), st.integers(1, 170), st.integers(0, 99))
def test_plain_epochs_of_any_length_read_every_record_equally_often(n, length, epoch):
    order = Sampler(n, (), length, False).order(3, epoch)
    counts = np.bincount(order, minlength=n)
    assert len(order) == length and counts.max() - counts.min() <= 1


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["sampling.none=5"], "none without per_label"),
        (["sampling.replacement=true"], "replacement without balance"),
        (["sampling.balance=both"], "sampling.balance"),
        (["sampling.per_label=0"], "sampling.per_label"),
        (["sampling.per_lable=3"], "Did you mean 'sampling.per_label'"),
    ],
)
def test_wrong_tables_are_named(overrides, message):
    with pytest.raises(RecipeError) as caught:
        load_recipe("imle-net", overrides=overrides)
    assert message in str(caught.value)


def test_a_table_in_the_recipe_reads_back_as_itself():
    overrides = ["sampling.per_label=7", "sampling.per_label.MI=500", "sampling.none=100", "per_patient=1"]
    recipe = load_recipe("imle-net", overrides=overrides)
    assert recipe.sampling == SamplingSettings(per_label={"MI": 500}, none=100, per_patient=1)
    assert load_recipe(text=recipe.to_toml()) == recipe
    assert load_recipe("imle-net", overrides=["per_label=20"]).sampling.per_label == 20


def test_no_patient_of_validation_stands_in_training(store_folder, small):
    store = ll.open_store(store_folder)
    recipe = load_recipe("imle-net", overrides=[*small, "per_label=6", "sampling.none=6"])
    usable, validation = (
        select_records(store, recipe, folds) for folds in (recipe.folds.training, recipe.folds.validation)
    )
    refuse_shared_patients(store, usable, validation)
    codes = ll.labels.space(recipe.labels).codes
    for seed in range(20):
        drawn = draw(usable, codes, patients_of(store, usable), recipe.sampling, seed).part
        folds = store.index["fold"].to_numpy()[drawn.rows]
        assert set(folds) <= set(recipe.folds.training)
        assert not set(patients_of(store, drawn)) & set(patients_of(store, validation))
    with pytest.raises(RunError, match="patients in both training and validation"):
        refuse_shared_patients(store, usable, usable)
    assert len(sources_of(store, usable)) == len(usable)


SAMPLED = ("sampling.per_label=8", "balance=class", "epoch_length=24")


@pytest.fixture(scope="module")
def whole(store_folder, small, tmp_path_factory):
    out = tmp_path_factory.mktemp("sampled") / "run"
    return train("imle-net", store_folder, out, overrides=[*small, *SAMPLED], machine=ONE_THREAD)


def test_what_was_drawn_is_kept_with_the_run(whole):
    sampling = whole.environment["sampling"]
    assert sampling["epoch_length"] == 24
    assert sampling["records"] == whole.environment["records"]["training"] < sampling["of_records"]
    codes = ll.labels.space("ptb-xl/superclass").codes
    short = sampling["short"]
    assert all(sampling["of_each_label"][code] >= 8 or code in short for code in codes)
    assert whole.recipe.sampling.balance == "class"


@pytest.mark.parametrize("batches", [2, 4, 7])
def test_a_sampled_run_that_was_killed_ends_the_same(whole, store_folder, small, tmp_path, batches):
    class Killed(Exception):
        pass

    def dies(done, total, message=""):
        if "epoch" in message and done >= batches:
            raise Killed

    out = tmp_path / "run"
    with pytest.raises(Killed):
        train(
            "imle-net", store_folder, out, overrides=[*small, *SAMPLED], machine=ONE_THREAD, on_progress=dies
        )
    run = resume(out)
    weights = [(one.model / "model.safetensors").read_bytes() for one in (run, whole)]
    assert weights[0] == weights[1]
    assert run.environment["sampling"] == whole.environment["sampling"]
