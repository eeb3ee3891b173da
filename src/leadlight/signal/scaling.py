"""Steps that change the unit, by numbers fitted on training records or by the recording's own; clipping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ContractError
from leadlight.signal.step import Conditions, Floats, ParameterError, Step

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Clip(Step):
    """Limit every sample to -limit ... +limit (mV before scaling, else in the unit at that place)."""

    kind: ClassVar[str] = "clip"
    pointwise: ClassVar[bool] = True
    limit: float = 10.0

    def __post_init__(self) -> None:
        self._need("limit", 1e-6, 1e9)

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        limit = signals.dtype.type(self.limit)
        return np.clip(signals, -limit, limit)

    def note(self, before: Floats, at: Conditions) -> str:
        counts = (np.abs(before[0]) > before.dtype.type(self.limit)).sum(axis=1)
        clipped = ", ".join(f"{lead} {n}" for lead, n in zip(at.leads, counts, strict=True) if n)
        return clipped and f"samples clipped at +-{self.limit:g}: {clipped}"

    def describe(self) -> str:
        return f"Samples are clipped at +-{self.limit:g}."


@dataclass(frozen=True)
class FixedScaling(Step):
    """Multiply by a fixed factor."""

    kind: ClassVar[str] = "scale-fixed"
    rescales: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True
    factor: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.factor) and self.factor != 0):
            self._refuse("factor", "a number other than 0")

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        return signals * signals.dtype.type(self.factor)

    def describe(self) -> str:
        return f"Scaling: signal x {self.factor:g}."


@dataclass(frozen=True)
class GlobalScaling(Step):
    """(signal - mean) / scale, one pair (mV) for every lead, fitted on the training records.

    The scaling of IMLE-Net (doi:10.1109/SMC52423.2021.9658706) and of the PTB-XL
    benchmark (doi:10.1109/JBHI.2020.3022989).
    """

    kind: ClassVar[str] = "scale-global"
    rescales: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True
    fitted: ClassVar[tuple[str, ...]] = ("mean", "scale")
    mean: float | None = None
    scale: float | None = None

    def __post_init__(self) -> None:
        _refuse_scale(self, self.scale)

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        kind = signals.dtype.type
        return (signals - kind(_is_there(self, self.mean))) / kind(_is_there(self, self.scale))

    def fit(self, signals: Iterable[Floats], leads: tuple[str, ...]) -> GlobalScaling:
        """With mean and population standard deviation of all samples of (records, leads, samples)."""
        mean, scale = fit_scaling(signals)
        if not scale > 0:
            raise ContractError("scale-global: the training records are flat; accepted: some that vary.")
        return replace(self, mean=mean, scale=scale)

    def describe(self) -> str:
        if not self.is_fitted:
            return "Scaling: one mean and one deviation for all leads, fitted on the training records."
        mean = f"- {self.mean}" if (self.mean or 0.0) >= 0 else f"+ {-(self.mean or 0.0)}"
        return f"Scaling: (signal {mean}) / {self.scale}, in mV, fitted on the training records."


@dataclass(frozen=True)
class LeadScaling(Step):
    """(signal - mean) / scale, one pair (mV) for each lead, fitted on the training records."""

    kind: ClassVar[str] = "scale-per-lead"
    rescales: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True
    fitted: ClassVar[tuple[str, ...]] = ("means", "scales")
    means: tuple[float, ...] | None = None
    scales: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("means", "scales"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, tuple(value))
        for one in self.scales or ():
            if not (one > 0 and np.isfinite(one)):
                self._refuse("scales", "above 0 mV")

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        means, scales = _is_there(self, self.means), _is_there(self, self.scales)
        for name, values in (("means", means), ("scales", scales)):
            if len(values) != len(at.leads):
                raise ParameterError(
                    self.kind, name, f"found {len(values)} numbers; accepted: {len(at.leads)}, one a lead."
                )
        columns = [np.array(values, dtype=signals.dtype)[:, None] for values in (means, scales)]
        return (signals - columns[0]) / columns[1]

    def fit(self, signals: Iterable[Floats], leads: tuple[str, ...]) -> LeadScaling:
        """With mean and population standard deviation of each lead of (records, leads, samples)."""
        sums = [_Moments() for _ in leads]
        for batch in signals:
            for lead, moments in enumerate(sums):
                moments.add(batch[:, lead])
        fitted = [moments.result() for moments in sums]
        flat = [lead for lead, (_, scale) in zip(leads, fitted, strict=True) if not scale > 0]
        if flat:
            raise ContractError(
                f"scale-per-lead: {', '.join(flat)} is flat in training records; accepted: leads that vary."
            )
        return replace(self, means=tuple(one[0] for one in fitted), scales=tuple(one[1] for one in fitted))

    def describe(self) -> str:
        return "Scaling: (signal - mean) / deviation with one pair a lead, fitted on the training records."


@dataclass(frozen=True)
class ZScore(Step):
    """(signal - mean) / (deviation + epsilon), from the recording itself.

    over: "lead", each lead by its own, or "record", one pair for all its leads.
    Population deviation, double precision, of the samples that are there; what is flat becomes zero.
    """

    kind: ClassVar[str] = "z-score"
    rescales: ClassVar[bool] = True
    over: Literal["lead", "record"] = "lead"
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        self._need("epsilon", 0, 1)

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        rows = _rows(signals, self.over)
        # One record at a time stays in the processor's cache: many times as fast as all at once.
        for record in rows:
            self._scale(record)
        return rows.reshape(signals.shape)

    def _scale(self, rows: NDArray[np.float64]) -> None:
        """(leads or 1, samples), in place."""
        there = ~np.isnan(rows)
        counts = there.sum(axis=-1, keepdims=True)
        flat = np.fmin.reduce(rows, axis=-1, keepdims=True) == np.fmax.reduce(rows, axis=-1, keepdims=True)
        is_whole = there.all()
        known = rows if is_whole else np.where(there, rows, 0.0)
        rows -= known.sum(axis=-1, keepdims=True) / np.maximum(counts, 1)
        known = rows if is_whole else np.where(there, rows, 0.0)
        squares = np.einsum("ls,ls->l", known, known)[:, np.newaxis]
        rows /= np.where(flat, 1.0, np.sqrt(squares / np.maximum(counts, 1)) + self.epsilon)
        rows[flat & there] = 0.0

    def describe(self) -> str:
        part = "each lead" if self.over == "lead" else "all leads together"
        return (
            f"Scaling: z-score of {part} over the recording (epsilon {self.epsilon:g}); flat leads become 0."
        )


@dataclass(frozen=True)
class MinMax(Step):
    """Stretch the recording's own smallest and largest value to lowest and highest. over: lead or record.

    What is flat becomes ``lowest``. One spike decides about the whole scale.
    """

    kind: ClassVar[str] = "min-max"
    rescales: ClassVar[bool] = True
    over: Literal["lead", "record"] = "lead"
    lowest: float = 0.0
    highest: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.highest) and self.lowest < self.highest):
            self._refuse("lowest", f"below highest, {self.highest:g}")

    def apply(self, signals: Floats, at: Conditions) -> Floats:
        rows = _rows(signals, self.over)
        low, high = _lowest(rows), _highest(rows)
        span = np.where(high > low, high - low, 1.0)
        return (self.lowest + (rows - low) / span * (self.highest - self.lowest)).reshape(signals.shape)

    def describe(self) -> str:
        part = "each lead" if self.over == "lead" else "all leads together"
        return f"Scaling: smallest and largest value of {part} to {self.lowest:g} and {self.highest:g}."


def fit_scaling(signals: Iterable[NDArray[Any]]) -> tuple[float, float]:
    """One mean and one population standard deviation (mV) over every value of every array.

    signals: arrays of any shape in millivolts, one pass, constant memory; missing
    samples (NaN) do not count. Raises ContractError where there is no sample.
    """
    moments = _Moments()
    for array in signals:
        moments.add(array)
    return moments.result()


class _Moments:
    """Mean and deviation in one pass."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, array: NDArray[Any]) -> None:
        values = np.asarray(array, dtype=np.float64)
        missing = np.isnan(values)
        if missing.any():
            values = values[~missing]
        here = values.size
        if not here:
            return
        # Chan, Golub & LeVeque's pairwise update: exact enough for 10^9 values.
        batch_mean = float(values.mean())
        delta = batch_mean - self.mean
        self.squares += float(np.square(values - batch_mean).sum()) + delta * delta * self.count * here / (
            self.count + here
        )
        self.count += here
        self.mean += delta * here / self.count

    def result(self) -> tuple[float, float]:
        if self.count == 0:
            raise ContractError("fit_scaling: found no samples; accepted: at least one training record.")
        return self.mean, float(np.sqrt(self.squares / self.count))


def _refuse_scale(step: GlobalScaling, scale: float | None) -> None:
    if scale is not None and not (scale > 0 and np.isfinite(scale)):
        raise ParameterError(step.kind, "scale", f"found {scale}; accepted: above 0 mV.")


def _is_there(step: Step, value: _Value | None) -> _Value:
    if value is None:
        raise ContractError(f"{step.kind}: its numbers are not fitted yet: leadlight.signal.fit.")
    return value


def _rows(signals: Floats, over: str) -> NDArray[np.float64]:
    """A copy, (records, leads or 1, samples), in double precision, one row for each scale."""
    double = np.array(signals, dtype=np.float64, order="C")
    return double if over == "lead" else double.reshape(len(double), 1, -1)


def _lowest(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.fmin.reduce(rows, axis=-1, keepdims=True))


def _highest(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.fmax.reduce(rows, axis=-1, keepdims=True))
