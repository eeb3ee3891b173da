"""Age and sex as the numbers that a model reads beside the signal, and what stands for missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ContractError
from leadlight.recording import Patient
from leadlight.signal.step import number

AGE, MALE, FEMALE, AGE_MISSING, SEX_MISSING = "age", "male", "female", "age missing", "sex missing"
COLUMNS = (AGE, MALE, FEMALE, AGE_MISSING, SEX_MISSING)
"""What a model may read, in the order of ``leadlight.models``; without indicators, the first three."""
OLDEST = 130.0
"""Years; what is above, or below 0, is no age and counts as missing."""

AgeScaling = Literal["min-max", "z-score"]


@dataclass(frozen=True)
class Metadata:
    """How age and sex become model input.

    columns: what the model reads, in its order; scaling: min-max takes the ages of the training
    records to 0 to 1 and holds others there, z-score to mean 0 and deviation 1; offset, scale: years,
    fitted on training records: (age - offset) / scale; missing_age: stands, after scaling, for an age
    that is not known. A sex that is not known is 0 in both of its columns.
    """

    columns: tuple[str, ...]
    scaling: AgeScaling
    offset: float
    scale: float
    missing_age: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        unknown = [name for name in self.columns if name not in COLUMNS]
        if unknown or not self.columns or len(set(self.columns)) != len(self.columns):
            raise ContractError(
                f"metadata.columns: found {', '.join(map(str, self.columns)) or 'none'}; "
                f"accepted: {', '.join(COLUMNS)}, each once."
            )
        if self.scaling not in get_args(AgeScaling):
            raise ContractError(
                f"metadata.scaling: found {self.scaling!r}; accepted: {', '.join(get_args(AgeScaling))}."
            )
        for name in ("offset", "scale", "missing_age"):
            number(getattr(self, name), f"metadata.{name}")
        if not self.scale > 0:
            raise ContractError(f"metadata.scale: found {self.scale:g} years; accepted: above 0.")

    def encode(self, ages: NDArray[np.floating[Any]], sexes: Sequence[str | None]) -> NDArray[np.float32]:
        """Model input float32 (records, columns). ages: years or NaN; sexes: male, female or None."""
        years = np.asarray(ages, dtype=np.float64)
        known = is_age(years)
        scaled = (np.where(known, years, self.offset) - self.offset) / self.scale
        if self.scaling == "min-max":
            scaled = np.clip(scaled, 0, 1)
        male = np.array([sex == "male" for sex in sexes], dtype=bool)
        female = np.array([sex == "female" for sex in sexes], dtype=bool)
        values = {
            AGE: np.where(known, scaled, self.missing_age),
            MALE: male,
            FEMALE: female,
            AGE_MISSING: ~known,
            SEX_MISSING: ~(male | female),
        }
        return np.stack([values[name] for name in self.columns], axis=1).astype(np.float32)

    def of(self, patients: Sequence[Patient]) -> NDArray[np.float32]:
        """Model input of these patients: float32 (patients, columns)."""
        ages = np.array([np.nan if one.age is None else one.age for one in patients], dtype=np.float64)
        return self.encode(ages, [one.sex for one in patients])

    def hidden(
        self, values: NDArray[np.float32], age: NDArray[np.bool_], sex: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """The same model input with some ages and sexes taken away: as if they had not been known."""
        result = values.copy()
        for name, where, value in (
            (AGE, age, self.missing_age), (AGE_MISSING, age, 1), (MALE, sex, 0), (FEMALE, sex, 0),
            (SEX_MISSING, sex, 1),
        ):  # fmt: skip
            if name in self.columns:
                result[where, self.columns.index(name)] = value
        return result

    def notes(self, patient: Patient) -> tuple[str, ...]:
        """What the model was not told of this patient, in words."""
        absent = []
        if patient.age is None or not is_age(np.array([patient.age]))[0]:
            absent.append("age")
        if patient.sex is None:
            absent.append("sex")
        if not absent:
            return ()
        how = (
            "it is told so"
            if AGE_MISSING in self.columns
            else "it cannot be told so: the mean age, or neither sex, stands there"
        )
        return (f"{' and '.join(absent)} not known, which the model reads: {how}",)

    def describe(self) -> str:
        """In words: one sentence."""
        fitted = {
            "min-max": f"from {self.offset:g} to {self.offset + self.scale:g} years to 0 to 1, "
            "others held there",
            "z-score": f"(age - {self.offset:.4g} years) / {self.scale:.4g}",
        }[self.scaling]
        told = ", with an indicator" if AGE_MISSING in self.columns else ""
        return (
            f"Beside the signal: {', '.join(self.columns)}. Age {fitted}. An age that is not known is "
            f"{self.missing_age:.3g}, a sex 0 and 0{told}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "columns": list(self.columns)}

    @classmethod
    def from_dict(cls, values: object) -> Metadata:
        """From plain values; every key must be there. Raises ContractError, which names the key."""
        keys = ("columns", "scaling", "offset", "scale", "missing_age")
        if not isinstance(values, dict) or set(values) != set(keys):
            found = ", ".join(map(str, values)) if isinstance(values, dict) else type(values).__name__
            raise ContractError(f"metadata: found {found}; accepted: {', '.join(keys)}.")
        if not isinstance(values["columns"], list | tuple):
            raise ContractError("metadata.columns: found no list; accepted: a list of names.")
        return cls(**values)


def fit_metadata(
    columns: Sequence[str], ages: NDArray[np.floating[Any]], scaling: AgeScaling = "min-max"
) -> Metadata:
    """The metadata that a model reads, its scaling fitted on the ages (years) of training records.

    Where the model has no column for a missing age, the mean stands for it. Ages that are not
    known take no part. Raises ContractError where none is known, or all are the same.
    """
    known = np.asarray(ages, dtype=np.float64)
    known = known[is_age(known)]
    if not len(known) or known.min() == known.max():
        found = "none" if not len(known) else f"{known[0]:g} years alone"
        raise ContractError(f"metadata: found ages of training records: {found}; accepted: ages that differ.")
    if scaling == "min-max":
        offset, scale = float(known.min()), float(known.max() - known.min())
    else:
        offset, scale = float(known.mean()), float(known.std())
    mean = (float(known.mean()) - offset) / scale
    return Metadata(tuple(columns), scaling, offset, scale, 0.0 if AGE_MISSING in columns else mean)


def is_age(years: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Where numbers can be ages in years; False for NaN."""
    result: NDArray[np.bool_] = (years >= 0) & (years <= OLDEST)
    return result
