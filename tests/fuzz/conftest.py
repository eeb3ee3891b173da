"""Makes ``fuzzing`` importable for the tests beside it; the benchmark imports it in the same way."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def whole_files() -> Path | None:
    """Where real files to damage lie; None where LEADLIGHT_DATA is not set: they are made on the spot."""
    folder = os.environ.get("LEADLIGHT_DATA", "")
    return Path(folder).resolve() if folder and Path(folder).is_dir() else None
