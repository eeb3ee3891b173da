"""The published networks, one file each, under one contract.

Every model takes (batch, leads, samples), scaled as its preprocessing says, and
gives logits (batch, classes). Knows torch; knows nothing of files, data sets,
labels or training.
"""

from __future__ import annotations

from leadlight.models.registry import Input, ModelDescription, create, describe, is_known, names, register

__all__ = ["Input", "ModelDescription", "create", "describe", "is_known", "names", "register"]
