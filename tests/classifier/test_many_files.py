"""Many files: every one gets a result, in order, whatever is wrong with the others."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from leadlight.classifier import Classifier
from leadlight.classifier.many_files import FileResult, predict_files, result_file
from leadlight.files import write
from leadlight.recording import Recording

MakeRecording = Callable[..., Recording]


@pytest.fixture
def files(tmp_path: Path, make_recording: MakeRecording) -> list[Path]:
    """Five recordings: the second is too short, the fourth is cut short on disk."""
    paths = [
        write(make_recording(seconds, noise=0.1, seed=number), tmp_path / f"{number}")
        for number, seconds in enumerate((10, 9, 10, 10, 10))
    ]
    broken = tmp_path / "3.dat"
    broken.write_bytes(broken.read_bytes()[:-100])
    return paths


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_results_come_in_order_and_bad_files_stop_nothing(
    by_hand: Classifier, files: list[Path], batch_size: int
) -> None:
    results = list(predict_files(by_hand, files, batch_size=batch_size))
    assert [result.file for result in results] == files
    assert [result.prediction is not None for result in results] == [True, False, True, False, True]
    assert "found 9 s" in results[1].error and "3" in results[3].error
    for result in (results[0], results[4]):
        assert result.prediction is not None and result.error == ""
        expected = by_hand.predict(result.file)
        assert np.array_equal(result.prediction.probabilities, expected.probabilities)


def test_only_a_batch_of_files_is_read_ahead(by_hand: Classifier, files: list[Path]) -> None:
    progress: list[int] = []
    stream = predict_files(
        by_hand, files, batch_size=2, on_progress=lambda done, total, message: progress.append(done)
    )
    next(stream)
    assert by_hand.module.batches == [2]
    list(stream)
    assert by_hand.module.batches == [2, 1]
    assert progress == [3, 5]


def test_nothing_but_bad_files_is_no_trouble(by_hand: Classifier, tmp_path: Path) -> None:
    missing = [tmp_path / f"absent-{number}" for number in range(20)]
    results = list(predict_files(by_hand, missing, batch_size=2))
    assert [result.file for result in results] == missing
    assert all(result.error and result.prediction is None for result in results)


def test_an_unexpected_failure_is_named_without_its_text(
    by_hand: Classifier, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: object) -> Recording:
        raise ZeroDivisionError("Mrs Miller, born 1950")

    monkeypatch.setattr("leadlight.files.read", fail)
    (result,) = predict_files(by_hand, files[:1])
    assert "ZeroDivisionError" in result.error and "Miller" not in result.error
    monkeypatch.setenv("LEADLIGHT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        list(predict_files(by_hand, files[:1]))


def written(by_hand: Classifier, files: list[Path], path: Path) -> str:
    with result_file(path, by_hand.contract) as write_result:
        for result in predict_files(by_hand, files):
            write_result(result)
    assert not path.with_name(f"{path.name}.part").exists()
    return path.read_text()


def test_csv_has_a_column_a_class_and_exact_probabilities(
    by_hand: Classifier, files: list[Path], tmp_path: Path
) -> None:
    rows = list(csv.DictReader(written(by_hand, files, tmp_path / "out.csv").splitlines()))
    assert list(rows[0]) == ["file", "CD", "MI", "NORM", "findings", "notes", "error"]
    assert [row["file"] for row in rows] == [str(path) for path in files]
    prediction = by_hand.predict(files[0])
    assert np.array_equal(
        np.array([rows[0][code] for code in prediction.classes], np.float32), prediction.probabilities
    )
    assert rows[0]["findings"] == "; ".join(prediction.findings)
    assert (rows[1]["CD"], rows[1]["findings"]) == ("", "") and "found 9 s" in rows[1]["error"]


def test_json_names_the_model_beside_the_predictions(
    by_hand: Classifier, files: list[Path], tmp_path: Path
) -> None:
    document = json.loads(written(by_hand, files, tmp_path / "out.json"))
    assert document["model"] == "small"
    assert document["classes"][1] == {"code": "MI", "description": "Myocardial infarction", "threshold": 0.7}
    assert [one["file"] for one in document["predictions"]] == [str(path) for path in files]
    assert document["predictions"][0]["probabilities"]["MI"] == pytest.approx(by_hand.predict(files[0])["MI"])
    assert document["predictions"][1]["probabilities"] is None
    assert json.loads(written(by_hand, [], tmp_path / "none.json"))["predictions"] == []


def test_a_table_that_was_not_finished_does_not_take_its_name(by_hand: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt), result_file(path, by_hand.contract) as write_result:
        write_result(FileResult(Path("a"), None, "reason"))
        raise KeyboardInterrupt
    assert not path.exists()
    assert "reason" in path.with_name("out.csv.part").read_text()
