"""Recordings whose drawing can be worked out by hand, and one that looks like an ECG."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording

MakeRecording = Callable[..., Recording]


def _gallery() -> dict[str, Callable[[], Any]]:
    spec = importlib.util.spec_from_file_location("figures_gallery", Path(__file__).with_name("gallery.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["figures_gallery"] = module
    spec.loader.exec_module(module)
    gallery: dict[str, Callable[[], Any]] = module.GALLERY
    return gallery


GALLERY = _gallery()


@pytest.fixture(params=list(GALLERY))
def drawn(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """Each figure of the gallery: its name and the figure."""
    return str(request.param), GALLERY[request.param]()


@pytest.fixture(scope="session")
def beats() -> MakeRecording:
    """A function that makes a recording with a spike of 1.2 mV and a slow wave every 0.8 s in every lead."""

    def make(
        seconds: float = 10.0, rate: float = 500.0, leads: tuple[str, ...] = STANDARD_LEADS, seed: int = 0
    ) -> Recording:
        rng = np.random.default_rng(seed)
        times = np.arange(round(seconds * rate)) / rate
        phase = (times % 0.8) - 0.3
        beat = 1.2 * np.exp(-((phase / 0.012) ** 2)) + 0.3 * np.exp(-(((phase - 0.25) / 0.05) ** 2))
        size = rng.uniform(-1.5, 1.5, (len(leads), 1))
        return Recording(size * beat + 0.01 * rng.standard_normal((len(leads), len(times))), leads, rate)

    return make


@pytest.fixture
def recording(beats: MakeRecording) -> Recording:
    return beats()
