"""The public calls, given something of another kind: what was found and what is accepted, no bare error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import leadlight as ll
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording

SHIPPED = "imle-net-ptbxl-superclass"
RECORDING = Recording(np.zeros((12, 1000), np.float32), STANDARD_LEADS, 100.0)
WRONG = [None, 3, 2.5, np.zeros((12, 1000)), [1], {}, object()]


@pytest.fixture(scope="module")
def model() -> Any:
    return ll.load(SHIPPED)


def said(call: Callable[[], Any], *parts: str) -> None:
    with pytest.raises(ll.LeadlightError) as found:
        call()
    for part in ("found", "accepted", *parts):
        assert part in str(found.value)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: type(one).__name__)
def test_what_is_no_recording_path_or_model_is_refused(wrong: Any, model: Any, tmp_path: Path) -> None:
    kind = "None" if wrong is None else type(wrong).__name__
    said(lambda: ll.plot(wrong), "recording", kind, "leadlight.read")
    said(lambda: ll.read(wrong), "path", kind)
    said(lambda: ll.write(wrong, tmp_path / "x"), "recording", kind)
    said(lambda: ll.load(wrong), "model", kind, SHIPPED)
    said(lambda: ll.open_store(wrong), "store", kind)
    said(lambda: ll.explain(wrong, RECORDING), "model", kind, "leadlight.load")
    said(lambda: ll.explain(model, wrong), "recording", kind)


@pytest.mark.parametrize("wrong", [None, 3, object(), b"path"], ids=lambda one: type(one).__name__)
def test_a_prediction_of_something_else_is_refused(wrong: Any, model: Any) -> None:
    said(lambda: model.predict(wrong), "recording", "None" if wrong is None else type(wrong).__name__)


def test_targets_methods_and_places_of_other_types_are_refused(model: Any, tmp_path: Path) -> None:
    for target in (3, [3], ["MI", None, 3], b"MI"):
        said(lambda target=target: ll.explain(model, RECORDING, target, "gradients"), "target", "MI")
    for method in (None, 3, ["attention"]):
        said(lambda method=method: ll.explain(model, RECORDING, "MI", method), "method", "occlusion")
    said(lambda: ll.plot(RECORDING, start="2"), "start", "seconds")
    said(lambda: ll.plot(RECORDING, title=3), "title")
    said(lambda: ll.plot(RECORDING, None), "layout", "3x4")
    said(lambda: ll.write(RECORDING, None), "path")
    assert not list(tmp_path.iterdir())


def test_a_number_of_numpy_is_a_number() -> None:
    assert ll.plot(RECORDING, start=np.float32(1.0)) is not None
