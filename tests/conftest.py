"""Fixtures that all tests share: where the real recordings are, and simulated ones where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that LEADLIGHT_DATA names; the test is skipped where there is none."""
    folder = os.environ.get("LEADLIGHT_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("LEADLIGHT_DATA does not name a folder with real recordings")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def real_ptbxl(real_data: Path) -> Path:
    return real_data / "ptb-xl"


@pytest.fixture(scope="session")
def reference(real_data: Path) -> Path:
    """Published tables that are read in place, beside the real recordings; skipped where missing."""
    folder = real_data.parent / "reference"
    if not folder.is_dir():
        pytest.skip("no reference/ folder beside LEADLIGHT_DATA")
    return folder
