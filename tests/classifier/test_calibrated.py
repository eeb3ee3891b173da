"""A model folder with a calibrator: what it predicts, writes and refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from leadlight.classifier import Classifier, contract_from, load, model_card, read_contract, save_model
from leadlight.classifier.calibration import Calibration, Isotonic
from leadlight.classifier.many_files import model_values, predict_files, result_file
from leadlight.errors import ContractError
from leadlight.files import write
from leadlight.recording import Recording

FITTED_ON = {"dataset": "ptb-xl", "version": "1.0.3", "folds": [9], "n_records": 20}
MAPS: list[dict[str, Any] | None] = [
    {"kind": "logistic", "slope": 0.5, "intercept": 1.0},
    {"kind": "isotonic", "probabilities": [0.2, 0.6, 0.8], "calibrated": [0.1, 0.1, 0.9]},
    None,
]
SETS = {
    "coverage": 0.9,
    "fitted_on": FITTED_ON,
    "present_from": [0.2, 0.9, 0.0],
    "absent_to": [0.4, 0.05, 1.0],
}


@pytest.fixture
def calibrated(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        **fields,
        "calibration": {"method": "isotonic", "fitted_on": FITTED_ON, "maps": MAPS},
        "prediction_sets": SETS,
        "thresholds": {**fields["thresholds"], "low": [0.2, None, 0.4], "high": [0.4, None, 0.6]},
    }


def sigmoid(value: Any) -> Any:
    return 1 / (1 + np.exp(-value))


def expected_of(logits: np.ndarray) -> np.ndarray:
    return np.stack(
        [
            sigmoid(0.5 * logits[:, 0] + 1),
            np.interp(sigmoid(logits[:, 1]), [0.2, 0.6, 0.8], [0.1, 0.1, 0.9]),
            sigmoid(logits[:, 2]),
        ],
        axis=1,
    )


def test_each_map_by_hand(calibrated: dict[str, Any]) -> None:
    logits = np.array([[0.0, 3.0, -2.0], [-30.0, 0.8, 30.0], [4.0, -3.0, 0.0]])
    part = contract_from(calibrated).calibration
    assert part is not None
    found = part.probabilities(logits)
    assert found.dtype == np.float32
    assert_allclose(found, expected_of(logits), atol=1e-6)
    assert_allclose(found[[0, 2], 1], [0.9, 0.1])  # beyond the ends


def test_predictions_are_calibrated_and_have_sets(
    by_hand: Classifier, calibrated: dict[str, Any], make_recording: Callable[..., Recording]
) -> None:
    recording = make_recording()
    plain = by_hand.predict(recording).probabilities.astype(float)
    found = Classifier(by_hand.module, contract_from(calibrated)).predict(recording)
    expected = expected_of(np.log(plain / (1 - plain))[None])[0]
    assert_allclose(found.probabilities, expected, atol=1e-6)
    assert found.sets == tuple(
        {(True, False): "present", (False, True): "absent", (True, True): "uncertain"}.get(
            (bool(p >= low), bool(p <= high)), "neither"
        )
        for p, low, high in zip(expected, SETS["present_from"], SETS["absent_to"], strict=True)  # type: ignore[call-overload]
    )
    assert [row["set"] for row in found.table()] == list(found.sets)
    assert f"{found.sets[2]}: Normal ECG" in str(found)


def test_a_calibrated_folder_loads_as_it_was_saved(
    tmp_path: Path, small_module: nn.Module, calibrated: dict[str, Any]
) -> None:
    folder = save_model(tmp_path / "model", small_module, calibrated)
    contract = read_contract(folder)
    assert contract.calibration == contract_from(calibrated).calibration
    signals = np.random.default_rng(0).normal(0, 0.3, (4, 12, 1000)).astype(np.float32)
    plain_folder = save_model(
        tmp_path / "plain", small_module, {**calibrated, "calibration": None, "prediction_sets": None}
    )
    plain = load(plain_folder, device="cpu").predict_signals(signals).astype(float)
    found = load(folder, device="cpu").predict_signals(signals)
    assert_allclose(found, expected_of(np.log(plain / (1 - plain))), atol=1e-5)


def test_a_table_names_the_classes_that_stay_open(
    by_hand: Classifier, calibrated: dict[str, Any], make_recording: Callable[..., Recording], tmp_path: Path
) -> None:
    classifier = Classifier(by_hand.module, contract_from(calibrated))
    files = [write(make_recording(seconds), tmp_path / f"{seconds}") for seconds in (10, 9)]
    for suffix in (".csv", ".json"):
        with result_file(tmp_path / f"out{suffix}", classifier.contract) as add:
            for result in predict_files(classifier, files):
                add(result)
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    sets = classifier.predict(files[0]).sets
    open_ = [
        code
        for code, name in zip(("CD", "MI", "NORM"), sets, strict=True)
        if name in ("uncertain", "neither")
    ]
    assert open_ and rows[0]["uncertain"] == "; ".join(open_)
    assert rows[1]["uncertain"] == "" and rows[1]["error"]
    values = json.loads((tmp_path / "out.json").read_text())
    assert (values["calibration"], values["coverage_of_sets"]) == ("isotonic", 0.9)
    assert values["predictions"][0]["sets"] == dict(zip(("CD", "MI", "NORM"), sets, strict=True))
    assert "sets" not in values["predictions"][1]


def test_without_a_calibrator_nothing_is_said_of_sets(fields: dict[str, Any]) -> None:
    assert model_values(contract_from(fields))["calibration"] is None
    assert "coverage_of_sets" not in model_values(contract_from(fields))


def test_the_card_shows_intervals_calibration_and_sets(calibrated: dict[str, Any]) -> None:
    card = model_card(contract_from(calibrated))
    assert "| CD | Conduction disturbance | 0.300 | 0.200–0.400 |" in card
    assert "| MI | Myocardial infarction | 0.700 |  |" in card
    assert "calibrated (isotonic), fitted on ptb-xl, fold 9 (n = 20)" in card
    assert "90% of the records" in card


@pytest.mark.parametrize(
    ("part", "changed", "message"),
    [
        ("calibration", {"maps": MAPS[:2]}, r"calibration\.maps: found 2 entries; accepted: 3"),
        ("prediction_sets", {"absent_to": [1.0]}, r"prediction_sets\.absent_to: found 1 entries"),
        ("thresholds", {"low": [0.1]}, r"thresholds\.low: found 1 values; accepted: 3"),
        ("calibration", {"maps": [{**MAPS[0], "slope": -1.0}, None, None]}, r"slope.*found -1"),  # type: ignore[dict-item]
        ("calibration", {"maps": [{**MAPS[0], "kind": "pickle"}, None, None]}, "logistic"),  # type: ignore[dict-item]
        ("calibration", {"maps": [{**MAPS[0], "slop": 1.0}, None, None]}, r"slop: .*Did you mean 'slope'"),  # type: ignore[dict-item]
        ("calibration", {"method": "spline"}, "temperature"),
        ("calibration", {"fitted_on": {**FITTED_ON, "fold": 1}}, "Did you mean 'folds'"),
        ("prediction_sets", {"coverage": 1.0}, "coverage: found 1"),
    ],
)
def test_a_calibrator_that_does_not_fit_is_refused(
    calibrated: dict[str, Any], part: str, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        contract_from({**calibrated, part: {**calibrated[part], **changed}})


@pytest.mark.parametrize(
    ("given", "becomes"), [([0.2, 0.2], [0.1, 0.2]), ([0.1, 0.2], [0.2, 0.1]), ([0.1, 0.2], [0.1])]
)
def test_a_curve_that_does_not_rise_is_refused(
    calibrated: dict[str, Any], given: list[float], becomes: list[float]
) -> None:
    curve = {"kind": "isotonic", "probabilities": given, "calibrated": becomes}
    with pytest.raises(ContractError, match=r"calibration\.maps: found"):
        contract_from(
            {**calibrated, "calibration": {**calibrated["calibration"], "maps": [curve, None, None]}}
        )


def test_a_curve_keeps_the_order_of_records() -> None:
    curve = Isotonic(probabilities=(0.1, 0.5, 0.7), calibrated=(0.2, 0.2, 0.8))
    fitted = Calibration.model_validate_json(
        json.dumps({"method": "isotonic", "fitted_on": FITTED_ON, "maps": [curve.model_dump()]})
    )
    found = fitted.probabilities(np.linspace(-5, 5, 101)[:, None])[:, 0]
    assert (np.diff(found) >= 0).all()
    assert_array_equal(found[[0, -1]], np.float32([0.2, 0.8]))
