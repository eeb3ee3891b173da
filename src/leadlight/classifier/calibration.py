"""What turns a model's own probabilities into calibrated ones, and into sets with a stated coverage.

Both are parts of the contract, plain numbers that are applied here and fitted in ``leadlight.evaluation``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from leadlight.errors import ContractError

Method = Literal["temperature", "platt", "isotonic"]
"""temperature: one factor for all logits; platt: a line for each class's logits; isotonic: a rising curve."""

SetName = Literal["present", "absent", "uncertain", "neither"]
"""What a prediction set says of a class: one of the two, both are possible, or both are unlikely."""

Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class FittedOn(_Part):
    """The records behind fitted numbers, which took no part in fitting the weights."""

    dataset: Annotated[str, Field(min_length=1)]
    version: str
    folds: tuple[int, ...]
    n_records: Annotated[int, Field(ge=0)]

    def __str__(self) -> str:
        folds = ", ".join(map(str, self.folds)) or "none"
        return f"{self.n_records} records of {self.dataset}, fold {folds}"


class Logistic(_Part):
    """The calibrated logit is slope x logit + intercept; the order of records stays."""

    kind: Literal["logistic"] = "logistic"
    slope: Annotated[float, Field(gt=0)]
    intercept: float


class Isotonic(_Part):
    """The calibrated probability lies on straight lines between these points, and ends with them."""

    kind: Literal["isotonic"] = "isotonic"
    probabilities: Annotated[tuple[Share, ...], Field(min_length=1)]
    calibrated: tuple[Share, ...]

    @model_validator(mode="after")
    def _rises(self) -> Isotonic:
        given, becomes = np.array(self.probabilities), np.array(self.calibrated)
        if len(given) != len(becomes) or (np.diff(given) <= 0).any() or (np.diff(becomes) < 0).any():
            raise ContractError(
                f"calibration.maps: found {len(given)} probabilities for {len(becomes)} calibrated ones, or "
                "some that fall; accepted: as many, the first rising, the second not falling."
            )
        return self


class Calibration(_Part):
    """How each class's probability is calibrated: maps, one a class; None: left as the model gives it."""

    method: Method
    fitted_on: FittedOn
    maps: tuple[Annotated[Logistic | Isotonic, Field(discriminator="kind")] | None, ...]

    def probabilities(self, logits: NDArray[np.floating]) -> NDArray[np.float32]:
        """Logits of records (n, classes) to calibrated probabilities float32 (n, classes)."""
        given = np.asarray(logits, dtype=np.float64)
        result = np.empty(given.shape, dtype=np.float32)
        for k, one in enumerate(self.maps):
            column = given[:, k]
            if isinstance(one, Logistic):
                result[:, k] = _sigmoid(one.slope * column + one.intercept)
            elif isinstance(one, Isotonic):
                result[:, k] = np.interp(_sigmoid(column), one.probabilities, one.calibrated)
            else:
                result[:, k] = _sigmoid(column)
        return result


class PredictionSets(_Part):
    """Conformal sets of each class, {present}, {absent}, both or neither, with a stated coverage.

    A record shows the class possibly where its probability is at or above ``present_from``, and possibly
    not where it is at or below ``absent_to``. Of the records that show a class, at least the share
    ``coverage`` has "present" in its set; of the others, as many have "absent". present_from 0 and
    absent_to 1: too few records to exclude anything.
    """

    coverage: Annotated[float, Field(gt=0, lt=1)]
    fitted_on: FittedOn
    present_from: tuple[Share, ...]
    absent_to: tuple[Share, ...]

    def sets(self, probabilities: NDArray[np.floating]) -> NDArray[np.bool_]:
        """What is in each set: (n, classes, 2), whether "present" and whether "absent" is."""
        # Fitted on float32 probabilities, and compared as such.
        values = np.asarray(probabilities, dtype=np.float32)
        present = values >= np.array(self.present_from, dtype=np.float32)
        absent = values <= np.array(self.absent_to, dtype=np.float32)
        return np.stack([present, absent], axis=-1)

    def names(self, probabilities: NDArray[np.floating]) -> tuple[SetName, ...]:
        """The sets of one record, one a class. probabilities: (classes,)."""
        return tuple(_name(*one) for one in self.sets(np.asarray(probabilities)[np.newaxis])[0].tolist())


def lengths_disagree(
    calibration: Calibration | None, sets: PredictionSets | None, n_classes: int
) -> Sequence[str]:
    """What does not have one entry a class."""
    found = {} if calibration is None else {"calibration.maps": len(calibration.maps)}
    if sets is not None:
        found |= {f"prediction_sets.{key}": len(getattr(sets, key)) for key in ("present_from", "absent_to")}
    return [
        f"{place}: found {n} entries; accepted: {n_classes}, one a class."
        for place, n in found.items()
        if n != n_classes
    ]


def _name(present: bool, absent: bool) -> SetName:
    if present and absent:
        return "uncertain"
    if not present and not absent:
        return "neither"
    return "present" if present else "absent"


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import expit

    values: NDArray[np.float64] = expit(logits)
    return values
