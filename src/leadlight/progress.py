"""How long work tells of its progress: one plain callable."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[int, int, str], None]
"""Called as ``on_progress(done, total, message)``; total 0 means unknown."""


def silent(done: int, total: int, message: str = "") -> None:
    """Tell nobody."""
