"""``explain``: what it gives, what it says of itself, and how it refuses."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import leadlight as ll
from leadlight.classifier import Classifier
from leadlight.errors import ContractError, LabelError, LeadlightError, ModelError
from leadlight.explanation.target import find_class
from leadlight.recording import Recording

MakeModel = Callable[[Path, int], Classifier]
CLASSES = (("MI", "myocardial infarction"), ("STTC", "ST-T changes"), ("NORM", "normal ECG"))


@pytest.fixture(scope="module")
def explanation(model: Classifier, recording: Recording) -> ll.Explanation:
    return ll.explain(model, recording, target="MI")


def written(figure: Any) -> str:
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


def test_relevance_is_that_of_the_models_own_attention(
    explanation: ll.Explanation, model: Classifier, recording: Recording
) -> None:
    parts = model.attention(recording)
    assert explanation.relevance.shape == (12, 1000)
    assert explanation.relevance.sum() == pytest.approx(1.0)
    lead, segment, step = 6, 11, 3
    mass = parts["channel"][lead] * parts["rhythm"][lead, segment] * parts["beat"][lead, segment, step]
    first = 50 * segment + 4 * step
    assert_allclose(explanation.relevance[lead, first : first + 4], mass / 4, rtol=1e-5)
    assert_allclose(explanation.lead_importance, parts["channel"], rtol=1e-5)
    assert_allclose(explanation.multiples[lead, first], mass * 12 * 20 * 13, rtol=1e-5)


def test_the_prediction_is_that_of_the_same_part_of_the_recording(
    model: Classifier, recording: Recording
) -> None:
    signal = np.concatenate([recording.signal, np.random.default_rng(0).normal(0, 1, (12, 500))], axis=1)
    longer = replace(recording, signal=signal.astype(np.float32))
    first = ll.explain(model, longer, longer="first")
    assert_allclose(first.prediction.probabilities, model.predict(recording).probabilities)
    assert_allclose(first.relevance, ll.explain(model, recording).relevance)
    assert any("cropped" in note for note in first.notes)
    assert not np.allclose(ll.explain(model, longer, longer="centre").relevance, first.relevance)


def test_the_map_is_the_same_for_every_target_and_says_so(model: Classifier, recording: Recording) -> None:
    by_target = [ll.explain(model, recording, target) for target in (None, "CD", "MI", "NORM")]
    for one in by_target:
        assert_allclose(one.relevance, by_target[0].relevance, atol=0)
        assert one.class_dependent is False and one.signed is False
        for text in (written(one.figure()), one.caption(), json.dumps(one.to_dict(maps=False))):
            assert "does not depend on the class" in text
    assert "MI (myocardial infarction) was asked for" in by_target[2].caption()
    assert "that of every target" in by_target[2].caption()
    assert "asked for" not in by_target[0].caption()


def test_the_figure_is_no_medical_device_and_shows_no_cause(explanation: ll.Explanation) -> None:
    text = written(explanation.figure())
    assert "not a medical device" in text
    assert "not why" in text
    assert "0.04 s" in text and "segment of 0.5 s" in text


def test_a_target_may_be_a_code_or_a_description_in_any_case() -> None:
    for target in ("MI", "mi", " Myocardial Infarction "):
        assert find_class(CLASSES, target) == "MI"


@pytest.mark.parametrize(
    ("target", "guess"),
    [
        ("MII", "MI"),
        ("norm al", "NORM"),
        ("infarction", "MI"),
        ("myocardial infarct", "MI"),
        ("ST-T change", "STTC"),
    ],
)
def test_an_unknown_target_is_refused_with_the_nearest_class(target: str, guess: str) -> None:
    with pytest.raises(LabelError, match=rf"accepted: MI, STTC, NORM.*Did you mean {guess} \("):
        find_class(CLASSES, target)


@pytest.mark.parametrize("target", ["", "zzzz"])
def test_a_target_like_no_class_is_refused_without_a_guess(target: str) -> None:
    with pytest.raises(LabelError) as error:
        find_class((("MI", ""), ("NORM", "")), target)
    assert "Did you mean" not in str(error.value)


def test_an_unknown_method_is_refused_with_the_methods_that_there_are(
    model: Classifier, recording: Recording
) -> None:
    with pytest.raises(ModelError, match=r"method: found 'gradcam'; accepted: attention, grad-cam.*Did you"):
        ll.explain(model, recording, method="gradcam")


def test_a_model_without_attention_is_refused(
    model: Classifier, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = dataclasses.replace(ll.models.describe("imle-net"), attention=())
    monkeypatch.setattr("leadlight.models.describe", lambda name: described)
    with pytest.raises(ModelError, match=r"which has none; accepted for this model: grad-cam, gradients"):
        ll.explain(model, recording)


def test_a_name_is_no_model(recording: Recording) -> None:
    with pytest.raises(ModelError, match=r"from leadlight.load\(model\)"):
        ll.explain("imle-net-ptbxl-superclass", recording)  # type: ignore[arg-type]


def test_a_recording_that_breaks_the_contract_is_refused(model: Classifier, recording: Recording) -> None:
    with pytest.raises(ContractError, match="length"):
        ll.explain(model, recording.crop(0, 5))


def test_a_last_segment_that_is_filled_up_is_explained_and_said(
    make_model: MakeModel, tmp_path: Path, recording: Recording
) -> None:
    model = make_model(tmp_path / "odd", 980)
    one = ll.explain(model, recording.crop(0, 9.8))
    assert one.relevance.shape == (12, 980)
    assert one.relevance.sum() == pytest.approx(1.0)
    assert any("beyond the recording's end" in note for note in one.notes)


def test_an_explanation_cannot_be_changed(explanation: ll.Explanation) -> None:
    with pytest.raises(ValueError, match="read-only"):
        explanation.relevance[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        explanation.method = "other"  # type: ignore[misc]


def test_json_holds_the_numbers(explanation: ll.Explanation, tmp_path: Path) -> None:
    stored = json.loads(explanation.save(tmp_path / "why.json").read_text())
    assert_allclose(stored["relevance"], explanation.relevance, rtol=1e-6)
    assert_allclose(stored["parts"]["beat"], explanation.parts["beat"], rtol=1e-6)
    assert stored["target"] == "MI" and stored["class_dependent"] is False
    assert stored["leads"][6] == "V1"
    assert "relevance" not in explanation.to_dict(maps=False)


@pytest.mark.parametrize(
    ("suffix", "magic"),
    [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("HTML", b"<!DOCTYPE html>")],
)
def test_the_suffix_decides_what_is_written(
    explanation: ll.Explanation, tmp_path: Path, suffix: str, magic: bytes
) -> None:
    path = explanation.save(tmp_path / "new" / f"why.{suffix}", layout="12x1")
    assert path.read_bytes().startswith(magic)


def test_another_suffix_is_refused(explanation: ll.Explanation, tmp_path: Path) -> None:
    with pytest.raises(
        LeadlightError, match=r"found the suffix .docx; accepted: .png, .svg, .pdf, .html, .json, .npz"
    ):
        explanation.save(tmp_path / "why.docx")


def test_the_patient_is_named_nowhere(explanation: ll.Explanation, tmp_path: Path) -> None:
    page = explanation.save(tmp_path / "why.html").read_text()
    without_pictures = re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    for text in (without_pictures, repr(explanation), written(explanation.figure()), explanation.caption()):
        for secret in ("Muster", "4711", "/clinic"):
            assert secret not in text


def test_a_title_in_a_page_is_escaped(explanation: ll.Explanation, tmp_path: Path) -> None:
    page = explanation.save(tmp_path / "why.html", title="<script>alert(1)</script>").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_page_holds_findings_target_and_attention(explanation: ll.Explanation, tmp_path: Path) -> None:
    page = explanation.save(tmp_path / "why.html").read_text()
    probability = explanation.prediction["MI"]
    assert f"Asked for: MI (myocardial infarction), probability {probability:.3f}" in page
    assert "does not depend on the class" in page
    assert explanation.leading_leads() in page
    assert page.count("<img ") == page.count(' alt="ECG on paper') + page.count(' alt="Bar chart') == 3
