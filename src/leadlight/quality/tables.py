"""The data files of this room, each read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any


@cache
def _read(name: str) -> Mapping[str, Mapping[str, Any]]:
    text = resources.files("leadlight.quality").joinpath(f"data/{name}.toml").read_text(encoding="utf-8")
    return MappingProxyType({key: MappingProxyType(table) for key, table in tomllib.loads(text).items()})


def thresholds() -> Mapping[str, Mapping[str, Any]]:
    """The limits of the flags as they stand in the data file: table -> name -> value."""
    return _read("thresholds")


def regressions() -> Mapping[str, Mapping[str, Any]]:
    """What V1 to V6 foretell: band (fast, slow) -> lead (I, II) -> six coefficients."""
    return _read("limb_leads")
