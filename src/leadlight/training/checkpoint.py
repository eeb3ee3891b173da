"""Checkpoints that survive a kill at any moment: written beside, synced, then renamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from leadlight.errors import RunError
from leadlight.writing import unfinished


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values to path, whole or not at all."""
    # A file, not its path: torch would write the path's name into the checkpoint.
    with unfinished(path) as part, part.open("wb") as file:
        torch.save(state, file)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What ``save_checkpoint`` wrote; tensors and plain values only, no other object is ever built."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RunError(f"{path}: there is no such checkpoint.") from None
    except Exception as error:
        raise RunError(
            f"{path}: found something that is not a Leadlight checkpoint ({type(error).__name__})."
        ) from error
    if not isinstance(state, dict):
        raise RunError(f"{path}: found a {type(state).__name__}; accepted: a Leadlight checkpoint.")
    return state
