"""The simulator's data files, read once."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from leadlight.recording import Sex


@lru_cache(maxsize=32)
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of ``data/<name>.csv``; every file has a column that says where its numbers come from."""
    text = files("leadlight.simulate").joinpath(f"data/{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=8)
def qrs_shape(name: str) -> NDArray[np.float64]:
    """A QRS shape: vectors (3, 9) in mV at the tenths of the QRS."""
    rows = [row for row in table("qrs_shapes") if row["shape"] == name]
    return np.array([[float(row[f"{axis}_mv"]) for row in rows] for axis in "xyz"])


@lru_cache(maxsize=16)
def wave_vector(name: str, sex: Sex) -> NDArray[np.float64]:
    """The peak (3,) in mV of a P or T wave."""
    (row,) = (row for row in table("waves") if row["wave"] == name and row["sex"] == sex)
    return np.array([float(row[f"{axis}_mv"]) for axis in "xyz"])


@lru_cache(maxsize=8)
def lead_medians(wave: str, sex: Sex) -> dict[str, float]:
    """Median amplitude in mV of a wave in each lead of healthy adults (UCI Arrhythmia data set)."""
    return {
        row["lead"]: float(row["median_mv"])
        for row in table("lead_amplitudes")
        if row["group"] == "UCI normal" and row["wave"] == wave and row["sex"] == sex
    }


@lru_cache(maxsize=1)
def population() -> dict[tuple[str, Sex], tuple[float, float, float, float]]:
    """(quantity, sex) -> median, spread, lowest and highest value of a normal heart."""
    sexes: tuple[Sex, Sex] = ("male", "female")
    return {
        (row["quantity"], sex): (
            float(row["median"]),
            float(row["spread"]),
            float(row["low"]),
            float(row["high"]),
        )
        for row in table("population")
        for sex in sexes
        if row["sex"] == sex
    }


@lru_cache(maxsize=64)
def lead_values(finding: str, part: str) -> dict[str, tuple[float, float]]:
    """Lead -> (mild, marked) value of one part of a finding."""
    return {
        row["lead"]: (float(row["mild_mv"]), float(row["marked_mv"]))
        for row in table("findings")
        if row["finding"] == finding and row["part"] == part
    }
