"""What the model folder of an imported file states: leads, preprocessing, classes, origin."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

import leadlight as ll
from leadlight.classifier import read_contract
from leadlight.errors import LabelError, ModelError
from leadlight.originals import convertible, import_weights
from leadlight.originals.published import published
from leadlight.recording import Patient, Recording

from .conftest import KERAS, PARITY, SCALED
from .files import legacy, torch_file


@pytest.fixture(scope="module")
def wang_file(tmp_path_factory, drawn_weights):
    return torch_file(tmp_path_factory.mktemp("wang") / "fcn.pth", drawn_weights("ptbxl/fcn_wang"))


@pytest.fixture(scope="module")
def xplaim_file(tmp_path_factory, drawn_weights):
    drawn = drawn_weights(KERAS["ecg-xplaim"].manifest)
    return legacy(tmp_path_factory.mktemp("xplaim") / "xplaim.h5", drawn)


@pytest.mark.parametrize("name", convertible())
def test_something_is_known_of_every_original(name):
    known = published(name)
    assert known.source and len(known.leads) == 12
    assert known.labels or known.codes


def test_where_the_weights_come_from(tmp_path, wang_file):
    imported = import_weights("fcn-wang", wang_file, tmp_path / "m", licence="MIT", **SCALED)
    contract = read_contract(imported.folder)
    digest = hashlib.sha256(wang_file.read_bytes()).hexdigest()
    assert contract.training_data.title == f"Published weights, imported from fcn.pth (sha256 {digest})"
    assert contract.recipe["imported"] == {
        "file": "fcn.pth", "sha256": digest, "form": "published", "notes": [],
    }  # fmt: skip
    assert contract.licence == "MIT"
    assert contract.label_space.name == "ptb-xl/all" and len(contract.classes) == 71
    assert set(contract.thresholds.values) == {0.5} and contract.thresholds.rule == "fixed at 0.5"
    card = (imported.folder / "MODEL_CARD.md").read_text()
    assert digest in card and "doi:10.1109/JBHI.2020.3022989" in card
    scaling = contract.preprocessing.steps[-1]
    assert (scaling.mean, scaling.scale) == (SCALED["mean"], SCALED["scale"])


def test_an_unknown_licence_is_said(tmp_path, wang_file):
    folder = import_weights("fcn-wang", wang_file, tmp_path / "m", **SCALED).folder
    assert read_contract(folder).licence.startswith("unknown")


def test_the_scaling_of_the_training_records_must_be_said(tmp_path, wang_file):
    with pytest.raises(ModelError, match=r"--scale: found none; fcn-wang was trained on signals scaled"):
        import_weights("fcn-wang", wang_file, tmp_path / "m")
    with pytest.raises(ModelError, match=r"Published: --mean -0\.000819714 --scale 0\.23622 for all 71"):
        import_weights("fcn-wang", wang_file, tmp_path / "m")
    with pytest.raises(ModelError, match=r"--mean came alone"):
        import_weights("fcn-wang", wang_file, tmp_path / "m", mean=0.1)
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ModelError, match=r"--scale: found .*; accepted: above 0"):
            import_weights("fcn-wang", wang_file, tmp_path / "m", scale=bad)
    with pytest.raises(ModelError, match=r"--mean: found nan"):
        import_weights("fcn-wang", wang_file, tmp_path / "m", mean=float("nan"), scale=1)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("name", "argument"),
    [("mousavi", "published_segments"), ("conv-bilstm-attention", "published")],
)
def test_published_weights_belong_to_the_published_form(name, argument, tmp_path, drawn_weights):
    case = KERAS[name]
    file = legacy(tmp_path / "w.h5", drawn_weights(case.manifest))
    contract = read_contract(import_weights(name, file, tmp_path / "m", **case.needs).folder)
    assert contract.architecture.arguments == {argument: True}
    assert contract.recipe["imported"]["form"] == f"published ({argument} = true)"


def test_the_sound_form_by_choice(tmp_path, drawn_weights):
    file = legacy(tmp_path / "w.h5", drawn_weights(KERAS["mousavi"].manifest))
    chosen = ["arguments.published_segments=false"]
    folder = import_weights("mousavi", file, tmp_path / "m", overrides=chosen, **SCALED).folder
    contract = read_contract(folder)
    assert contract.architecture.arguments == {"published_segments": False}
    assert contract.recipe["imported"]["form"] == "published_segments = false"
    original = np.load(PARITY / "imle" / "mousavi.io.npz")
    with torch.inference_mode():
        logits = ll.load(folder, device="cpu").module(torch.from_numpy(original["x"]).squeeze(-1))
    np.testing.assert_allclose(logits, original["logits"], rtol=1e-5, atol=1e-5)


def test_ecg_xplaim_reads_avf_before_avl(tmp_path, xplaim_file):
    folder = import_weights("ecg-xplaim", xplaim_file, tmp_path / "m").folder
    contract = read_contract(folder)
    assert contract.input.leads[3:6] == ("aVR", "aVF", "aVL")
    assert contract.label_space.name == "ecg-xplaim/published"
    signal = np.arange(12, dtype=np.float32)[:, None] + np.zeros(5000, np.float32)
    recording = Recording(
        signal, ("I", "II", "III", "aVR", "aVL", "aVF", *(f"V{n}" for n in range(1, 7))), 500
    )
    np.testing.assert_array_equal(
        contract.preprocessing.apply(recording)[:, 0], [0, 1, 2, 3, 5, 4, 6, 7, 8, 9, 10, 11]
    )


def test_classes_of_ones_own(tmp_path, drawn_weights):
    drawn = drawn_weights(KERAS["ecg-xplaim"].manifest)
    one = drawn | {"dense/kernel": drawn["dense/kernel"][:, :1], "dense/bias": drawn["dense/bias"][:1]}
    file = legacy(tmp_path / "afib.h5", one)
    with pytest.raises(
        ModelError, match=r"found 1 classes, .* published: 25 classes \(ecg-xplaim/published\)"
    ):
        import_weights("ecg-xplaim", file, tmp_path / "m")
    with pytest.raises(ModelError, match=r"--classes: found AFIB, AFLT; accepted: 1 different codes"):
        import_weights("ecg-xplaim", file, tmp_path / "m", classes=["AFIB", "AFLT"])
    contract = read_contract(import_weights("ecg-xplaim", file, tmp_path / "m", classes=["AFIB"]).folder)
    assert contract.codes == ("AFIB",) and contract.classes[0].description == "atrial fibrillation"


def test_a_label_space_must_have_as_many_classes(tmp_path, xplaim_file):
    with pytest.raises(ModelError, match=r"found 25 outputs and 6 classes in code-15"):
        import_weights("ecg-xplaim", xplaim_file, tmp_path / "m", labels="code-15")
    with pytest.raises(LabelError, match="ecg-xplain"):
        import_weights("ecg-xplaim", xplaim_file, tmp_path / "m", labels="ecg-xplain")
    with pytest.raises(ModelError, match=r"--labels and --classes"):
        import_weights("ecg-xplaim", xplaim_file, tmp_path / "m", labels="code-15", classes=["a"])


def test_conv_bilstm_keeps_the_published_order_of_its_classes(tmp_path, drawn_weights):
    file = legacy(tmp_path / "w.h5", drawn_weights(KERAS["conv-bilstm-attention"].manifest))
    contract = read_contract(import_weights("conv-bilstm-attention", file, tmp_path / "m").folder)
    assert contract.codes == ("NORM", "MI", "STTC", "CD", "HYP")


def test_conv_bilstm_reads_age_and_sex_as_it_was_trained_to(tmp_path, drawn_weights):
    file = legacy(tmp_path / "w.h5", drawn_weights(KERAS["conv-bilstm-attention"].manifest))
    model = ll.load(import_weights("conv-bilstm-attention", file, tmp_path / "m").folder, device="cpu")
    signal = np.load(PARITY / "convlstm" / "convlstm_io.npz")["x"][0].T
    # The published columns age, "male", "female" held, for women, 1 in the second.
    for patient, beside in (
        (Patient(age=44.5, sex="female"), [0.5, 1, 0]),
        (Patient(age=89, sex="male"), [1, 0, 1]),
        (Patient(age=None, sex="male"), [62 / 89, 0, 1]),
    ):
        recording = Recording(signal, published("conv-bilstm-attention").leads, 100, patient=patient)
        with torch.inference_mode():
            logits = model.module(torch.from_numpy(signal[None].copy()), torch.tensor([beside]).float())
        found = model.predict(recording).probabilities
        np.testing.assert_allclose(
            found, torch.sigmoid(logits[0]), atol=1e-4 if patient.age is None else 1e-6
        )


def test_metadata_of_another_form_is_refused(tmp_path, drawn_weights):
    drawn = drawn_weights(KERAS["conv-bilstm-attention"].manifest)
    five = drawn | {"dense_1/kernel": np.zeros((5, 16), np.float32)}
    file = legacy(tmp_path / "w.h5", five)
    with pytest.raises(ModelError, match="reads 5 numbers beside the signal"):
        import_weights("conv-bilstm-attention", file, tmp_path / "m", overrides=["arguments.published=false"])


def test_the_benchmarks_windows_are_those_published(tmp_path, drawn_weights):
    file = torch_file(tmp_path / "w.pth", drawn_weights("ptbxl/fcn_wang"))
    model = ll.load(import_weights("fcn-wang", file, tmp_path / "m", **SCALED).folder, device="cpu")
    signal = np.random.default_rng(3).normal(0, 0.2, (12, 1000)).astype(np.float32)
    # Pages of the benchmark: 2.5 s, each 1.25 s after the one before, the largest probability counts.
    windows = np.stack([signal[:, start : start + 250] for start in range(0, 751, 125)])
    with torch.inference_mode():
        logits = model.module(torch.from_numpy((windows - SCALED["mean"]) / np.float32(SCALED["scale"])))
    expected = torch.sigmoid(logits).amax(0)
    found = model.predict(Recording(signal, published("fcn-wang").leads, 100)).probabilities
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(("scale", "expected"), [(None, 10.0), (1.0, 1.0)])
def test_ribeiro_reads_tenths_of_a_millivolt_in_the_middle_of_zeros(scale, expected, tmp_path, drawn_weights):
    file = legacy(tmp_path / "w.h5", drawn_weights(KERAS["ribeiro"].manifest))
    folder = import_weights("ribeiro", file, tmp_path / "m", scale=scale).folder
    ones = Recording(np.ones((12, 4000), np.float32), published("ribeiro").leads, 400)
    values = read_contract(folder).preprocessing.apply(ones)
    assert values.shape == (12, 4096)
    np.testing.assert_array_equal(values[:, :48], 0)
    np.testing.assert_array_equal(values[:, 48:-48], expected)
    np.testing.assert_array_equal(values[:, -48:], 0)
    assert ll.load(folder).predict(ones).probabilities.shape == (6,)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("argument.published=1", "accepted: arguments.KEY=VALUE"),
        ("input.second=3", "Did you mean 'input.seconds'"),
        ("input.seconds=no", "accepted: a number above 0"),
        ("input.seconds=-1", "accepted: a number above 0"),
        ("arguments.chanels=64", "Did you mean 'channels'"),
        ("arguments.n_classes=3", r"arguments\.n_classes: it follows from the file"),
        (
            "arguments.channels=64",
            r"0\.0\.0\.weight: found the shape \[128, 12, 8\]; accepted: \[64, 12, 8\]",
        ),
    ],
)
def test_settings_that_do_not_fit(override, said, tmp_path, wang_file):
    with pytest.raises(ModelError, match=said):
        import_weights("fcn-wang", wang_file, tmp_path / "m", overrides=[override], **SCALED)


def test_another_length_and_other_leads(tmp_path, drawn_weights):
    drawn = drawn_weights("ptbxl/fcn_wang")
    drawn = drawn | {"0.0.0.weight": drawn["0.0.0.weight"][:, :2]}
    file = torch_file(tmp_path / "w.pth", drawn)
    with pytest.raises(ModelError, match=r"accepted: \[128, 12, 8\].*--leads"):
        import_weights("fcn-wang", file, tmp_path / "m", **SCALED)
    folder = import_weights(
        "fcn-wang", file, tmp_path / "m", leads=["II", "avl"], overrides=["input.seconds=10"], **SCALED
    ).folder
    given = read_contract(folder).input
    assert (given.leads, given.n_samples, given.sampling_rate) == (("II", "aVL"), 1000, 100)
    with pytest.raises(ModelError, match=r"--leads: found II, Q7"):
        import_weights("fcn-wang", file, tmp_path / "m", leads=["II", "Q7"], **SCALED)


def test_names_without_an_original_are_refused(tmp_path, wang_file):
    with pytest.raises(ModelError, match="Did you mean 'fcn-wang'"):
        import_weights("fcn-wank", wang_file, tmp_path / "m")
    with pytest.raises(ModelError, match="found 's4', of which no original is known"):
        import_weights("s4", wang_file, tmp_path / "m")


def test_an_alias_is_taken(tmp_path, wang_file):
    with pytest.raises(ModelError, match=r"resunet-lc: found no tensor .* These are the tensors of fcn-wang"):
        import_weights("resu2d-lc", wang_file, tmp_path / "m")


def test_a_folder_with_something_else_is_left_alone(tmp_path, wang_file):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "thesis.tex").write_text("...")
    with pytest.raises(ll.errors.ContractError, match="found something else than a model folder"):
        import_weights("fcn-wang", wang_file, tmp_path / "m", **SCALED)
    assert (tmp_path / "m" / "thesis.tex").read_text() == "..."
