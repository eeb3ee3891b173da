"""Reads a table of this room's ``data/`` folder."""

from __future__ import annotations

import csv
from importlib.resources import files

DATA = files("leadlight.labels") / "data"


def rows(file: str) -> list[dict[str, str]]:
    """The rows of a CSV file under ``data/``, as text."""
    return list(csv.DictReader((DATA / file).read_text(encoding="utf-8").splitlines()))
