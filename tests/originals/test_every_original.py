"""Every original's weights, in every format in which they may come, give its answers after the import."""

from __future__ import annotations

import pytest

from leadlight.originals import convertible, import_weights

from .conftest import KERAS, TORCH
from .files import archive, legacy, numbered, torch_file

FORMATS = {
    "weights.h5 of Keras 2": (legacy, "w.h5", {}),
    "whole model of Keras 2, built after others": (legacy, "m.h5", {"whole": True, "later_by": 21}),
    ".weights.h5 of Keras 3": (numbered, "w.weights.h5", {}),
    ".keras of Keras 3": (archive, "m.keras", {"later_by": 4}),
}


def named(cases):
    return [pytest.param(name, marks=[pytest.mark.slow] if case.slow else []) for name, case in cases.items()]


def test_no_original_is_forgotten():
    assert set(convertible()) == set(KERAS) | set(TORCH)


@pytest.mark.parametrize("name", named(KERAS))
def test_keras(name, tmp_path, drawn_weights, answers):
    case = KERAS[name]
    drawn = drawn_weights(case.manifest)
    for number, (write, file, options) in enumerate(FORMATS.values()):
        written = write(tmp_path / file, drawn, **options)
        imported = import_weights(name, written, tmp_path / f"model-{number}", **case.needs)
        assert imported.notes == ()
        if number == 0:
            answers(name, imported.folder)
            first = (imported.folder / "model.safetensors").read_bytes()
        assert (imported.folder / "model.safetensors").read_bytes() == first


@pytest.mark.parametrize("name", named(TORCH))
def test_torch(name, tmp_path, drawn_weights, answers):
    case = TORCH[name]
    written = torch_file(tmp_path / "weights.pth", drawn_weights(case.manifest))
    imported = import_weights(name, written, tmp_path / "model", **case.needs)
    assert imported.notes == ()
    answers(name, imported.folder)
