"""Summaries of rows by hand, and the files."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from leadlight.explanation_quality import ExplanationQuality
from leadlight.explanation_quality.quality import ALL


def row(patient, code, method, **values):
    return {
        "record_id": f"r{patient}", "patient_id": f"p{patient}", "class": code, "method": method,
        "probability": 0.9, **values,
    }  # fmt: skip


@pytest.fixture
def quality():
    rng = np.random.default_rng(0)
    rows = []
    for patient in range(12):
        code = "MI" if patient < 8 else "CD"
        rows.append(row(patient, code, "grad-cam", truth_mass=0.5 + 0.05 * patient, criteria_ratio=patient))
        rows.append(row(patient, code, "even", truth_mass=0.2 if code == "MI" else 0.4))
        rows.append(row(patient, code, "noise", truth_mass=float(rng.uniform(0.1, 0.3))))
    rows.append(row(3, "CD", "grad-cam", truth_mass=float("nan"), criteria_ratio=None))
    return ExplanationQuality(
        rows, ("grad-cam",), ("CD", "MI"), {"model": "by hand", "fold": 9}, ("a note",), resamples=200
    )


def test_a_class_s_value_is_the_mean_of_its_records_and_nan_counts_as_none(quality):
    found = quality.of("grad-cam", "truth_mass", "CD")
    assert found.records == 4
    assert found.value.value == pytest.approx(0.5 + 0.05 * (8 + 9 + 10 + 11) / 4)
    assert np.isnan(found.value.low)  # four records are too few for an interval
    assert found.references["even"] == pytest.approx(0.4)


def test_all_is_the_mean_over_classes_each_alike(quality):
    means = [quality.of("grad-cam", "truth_mass", code).value.value for code in ("CD", "MI")]
    found = quality.of("grad-cam", "truth_mass", ALL)
    assert found.value.value == pytest.approx(np.mean(means))
    assert found.records == 12
    assert found.references["even"] == pytest.approx(0.3)


def test_the_interval_is_that_of_the_mean_over_resampled_patients(quality):
    found = quality.of("grad-cam", "truth_mass", "MI").value
    values = 0.5 + 0.05 * np.arange(8)
    error = values.std() / np.sqrt(8)
    assert found.value - found.low == pytest.approx(1.96 * error, rel=0.3)
    assert found.high - found.value == pytest.approx(1.96 * error, rel=0.3)


def test_what_was_not_measured_has_no_summary(quality):
    assert quality.of("grad-cam", "deletion") is None
    assert quality.of("even", "criteria_ratio") is None


def test_examples_are_the_best_and_the_worst(quality):
    found = [one for one in quality.examples(n=2) if one["class"] == "MI"]
    assert [(one["which"], one["record_id"]) for one in found] == [
        ("best", "r7"), ("best", "r6"), ("worst", "r0"), ("worst", "r1"),
    ]  # fmt: skip


def test_files_hold_the_table_the_records_and_no_nan(quality, tmp_path):
    import pyarrow.parquet as pq

    written = quality.save(tmp_path / "out")
    assert {path.name for path in written} == {
        "table.csv", "table.md", "examples.csv", "records.parquet", "quality.json",
    }  # fmt: skip
    with (tmp_path / "out" / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    one = next(r for r in rows if (r["method"], r["class"], r["measure"]) == ("grad-cam", "MI", "truth_mass"))
    assert float(one["value"]) == pytest.approx(0.675)
    assert float(one["even"]) == pytest.approx(0.2)
    assert json.loads((tmp_path / "out" / "quality.json").read_text())["notes"] == ["a note"]
    records = pq.read_table(tmp_path / "out" / "records.parquet").to_pylist()
    assert len(records) == 37 and records[-1]["truth_mass"] is None
    text = (tmp_path / "out" / "table.md").read_text()
    assert "| all | grad-cam | 12 |" in text and "relevance in the true place ↑" in text
