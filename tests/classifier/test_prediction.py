"""What a prediction says, and how it prints."""

from __future__ import annotations

import json

import numpy as np
import pytest

from leadlight.classifier import Prediction


@pytest.fixture
def prediction() -> Prediction:
    return Prediction(
        source="/data/Miller_1950/00001_lr",
        classes=("CD", "MI", "NORM"),
        descriptions=("Conduction disturbance", "<script>alert(1)</script>", ""),
        probabilities=np.array([0.2, 0.7, 0.9], np.float32),
        thresholds=np.array([0.3, 0.7, 0.5]),
        notes=("resampled from 500 to 100 Hz", "a & b"),
    )


def test_findings_are_at_or_above_their_threshold_in_the_model_s_order(prediction: Prediction) -> None:
    # 0.7 as float32 is below 0.7 as float64: on the threshold is found all the same.
    assert prediction.findings == ("MI", "NORM")


def test_a_class_is_found_by_its_code(prediction: Prediction) -> None:
    assert prediction["MI"] == pytest.approx(0.7)
    with pytest.raises(KeyError, match=r"'HYP'.*CD, MI, NORM"):
        prediction["HYP"]


def test_the_table_has_a_row_a_class(prediction: Prediction) -> None:
    table = prediction.table()
    assert [row["class"] for row in table] == ["CD", "MI", "NORM"]
    assert [row["found"] for row in table] == [False, True, True]
    assert set(table[0]) == {"class", "description", "probability", "threshold", "found"}


def test_it_turns_into_json(prediction: Prediction) -> None:
    values = json.loads(json.dumps(prediction.to_dict()))
    assert values["findings"] == ["MI", "NORM"]
    assert values["notes"] == list(prediction.notes)
    assert values["classes"][2]["probability"] == 0.9


def test_it_prints_findings_first_and_marks_them(prediction: Prediction) -> None:
    lines = str(prediction).splitlines()
    assert lines[0] == "00001_lr: MI, NORM"
    assert lines[1] == "   CD    0.200  (threshold 0.300)  Conduction disturbance"
    assert lines[2].startswith(" * MI    0.700")
    assert lines[-1] == "   note: a & b"


def test_nothing_found_is_said() -> None:
    nothing = Prediction("", ("A",), ("",), np.array([0.1]), np.array([0.5]))
    assert str(nothing).startswith("recording: no finding")


def test_its_repr_keeps_the_path_out_of_logs(prediction: Prediction) -> None:
    assert repr(prediction) == "Prediction(CD 0.200, MI 0.700*, NORM 0.900*)"


def test_html_is_escaped(prediction: Prediction) -> None:
    html = prediction._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html and "a &amp; b" in html


def test_it_cannot_be_changed(prediction: Prediction) -> None:
    with pytest.raises(ValueError, match="read-only"):
        prediction.probabilities[0] = 1
