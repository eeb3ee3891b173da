"""Which group each record is in, from a store's index and from the signal."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from leadlight.errors import EvaluationError
from leadlight.evaluation import evaluate_run
from leadlight.evaluation.groups import ATTRIBUTES, MEASURED, groups_of, measured_heart_rates

INDEX: dict[str, list[Any]] = {
    "sex": ["male", "female", None, "male"],
    "age": [17.9, 18.0, None, 93.0],
    "source": ["georgia", "", "ptb", "ptb"],
    "missing_leads": [[], ["V1"], [], []],
    "flat_leads": [[], [], [], []],
    "saturated_leads": [[], [], [], []],
    "noisy_leads": [[], [], None, []],
    "mains_leads": [[], [], None, []],
    "limb_leads": [None, None, None, "LA-RA"],
    "quality": [[], [], [], []],
    "device": ["CS100", "", "AT-6", "CS100"],
    "heart_rate": [59.9, 100.0, None, 101.0],
    "rr_interval": [1200.0, 0.0, None, 500.0],
}


class Index:
    """A store that has only an index."""

    def __init__(self, own: dict[str, str]) -> None:
        self.description = {"columns": own}

    def columns(self, *names: str) -> pa.Table:
        return pa.table({name: INDEX[name] for name in names})


ROWS = np.arange(4)


def groups(own: dict[str, str], *wanted: str, rows: Any = ROWS) -> dict[str, list[str | None]]:
    return groups_of(Index(own), rows, wanted or ATTRIBUTES)  # type: ignore[arg-type]


def test_groups_of_the_index_by_hand() -> None:
    found = groups({"device": "text", "heart_rate": "number"})
    assert list(found) == list(ATTRIBUTES)
    assert found["sex"] == ["male", "female", None, "male"]
    assert found["age"] == ["under 18", "18-39", None, "80 and over"]
    assert found["source"] == ["georgia", None, "ptb", "ptb"]
    assert found["quality"] == [
        "nothing remarked",
        "something remarked",
        "nothing remarked",
        "something remarked",
    ]
    assert found["device"] == ["CS100", None, "AT-6", "CS100"]
    assert found["heart-rate"] == ["under 60 a minute", "60-100 a minute", None, "over 100 a minute"]


def test_rows_are_taken_in_their_order() -> None:
    assert groups({}, "sex", rows=np.array([3, 1]))["sex"] == ["male", "female"]


def test_a_heart_rate_follows_from_an_interval() -> None:
    found = groups({"rr_interval": "number"}, "heart-rate")["heart-rate"]
    assert found == ["under 60 a minute", None, None, "over 100 a minute"]


def test_what_a_store_does_not_have_is_left_out_and_what_nobody_has_is_refused() -> None:
    assert set(groups({})) == {"sex", "age", "source", "quality"}
    with pytest.raises(EvaluationError, match="Did you mean 'age'"):
        groups({}, "agee")
    with pytest.raises(EvaluationError, match="device"):
        groups({"site": "number", "device": "text"}, "site")


def test_heart_rates_are_measured_in_the_signal() -> None:
    pytest.importorskip("neurokit2")
    rate, seconds = 100.0, 10
    times = np.arange(int(rate * seconds)) / rate
    signals = []
    for per_minute in (50, 75, 120):
        beats = np.arange(0.3, seconds, 60 / per_minute)
        wave = sum(np.exp(-0.5 * ((times - beat) / 0.012) ** 2) for beat in beats)
        signals.append(np.stack([wave, 0.6 * wave, np.zeros_like(wave)]))  # the last lead is flat
    signals.append(np.zeros((3, len(times))))
    store = SimpleNamespace(
        sampling_rate=rate, signals=lambda rows, leads: np.stack([signals[row] for row in rows])
    )
    found = measured_heart_rates(store, np.arange(4))  # type: ignore[arg-type]
    np.testing.assert_allclose(found[:3], [50, 75, 120], rtol=0.03)
    assert np.isnan(found[3])


def test_a_run_is_measured_by_the_groups_that_its_data_have(run: Path) -> None:
    found = evaluate_run(run, 9, subgroups=["quality", "age", MEASURED], resamples=10)
    # All are men of 60; noise has no beats to speak of, so that any rate may be found.
    assert {one.attribute for one in found.subgroups} <= {"quality", MEASURED}
    assert evaluate_run(run, 9, subgroups=[], resamples=5).subgroups == ()


def test_a_wrong_name_is_refused_before_any_record_is_predicted(run: Path) -> None:
    from leadlight.evaluation import runs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "predict_rows", lambda *_: pytest.fail("predicted"))
        with pytest.raises(EvaluationError, match="subgroups: found 'agee'"):
            evaluate_run(run, 9, subgroups=["sex", "agee"], resamples=5)
