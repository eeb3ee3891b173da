"""The [augmentation] part of a recipe: how training batches are changed, so that they are never the same.

Each key is a table, or ``true`` for its defaults; what is left out, or ``false``, is off.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from leadlight.leads import STANDARD_LEADS, canonical_lead

_STRICT = ConfigDict(extra="forbid", frozen=True)
Share = Annotated[float, Field(ge=0, le=1)]


class TimeShift(BaseModel):
    """Earlier or later by up to so many seconds; the nearest sample fills the end that is left empty."""

    model_config = _STRICT
    probability: Share = 1.0
    seconds: float = Field(default=0.5, gt=0)


class AmplitudeScaling(BaseModel):
    """Times a factor between these two, small and large ones alike; one for all leads, or for each lead."""

    model_config = _STRICT
    probability: Share = 1.0
    smallest: float = Field(default=0.8, gt=0)
    largest: float = Field(default=1.25, gt=0)
    each_lead: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> AmplitudeScaling:
        if self.smallest > self.largest:
            raise ValueError(
                f"found smallest {self.smallest:g} above largest {self.largest:g}; accepted: not above it"
            )
        return self


class BaselineWander(BaseModel):
    """Slow waves are added, in each lead at its own height.

    lowest, highest: Hz; waves: how many; largest: height above which none comes, in deviations of the record.
    """

    model_config = _STRICT
    probability: Share = 0.5
    lowest: float = Field(default=0.05, gt=0)
    highest: float = Field(default=0.5, gt=0)
    waves: int = Field(default=3, ge=1, le=100)
    largest: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> BaselineWander:
        if self.lowest > self.highest:
            raise ValueError(
                f"found lowest {self.lowest:g} Hz above highest {self.highest:g} Hz; accepted: not above it"
            )
        return self


class Noise(BaseModel):
    """White noise is added, of a level between ``smallest`` and ``largest`` deviations of the record."""

    model_config = _STRICT
    probability: Share = 0.5
    smallest: float = Field(default=0.0, ge=0)
    largest: float = Field(default=0.1, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Noise:
        if self.smallest > self.largest:
            raise ValueError(
                f"found smallest {self.smallest:g} above largest {self.largest:g}; accepted: not above it"
            )
        return self


class TimeMasking(BaseModel):
    """So many spans of up to so many seconds are 0 in all leads."""

    model_config = _STRICT
    probability: Share = 0.5
    seconds: float = Field(default=0.5, gt=0)
    spans: int = Field(default=1, ge=1, le=100)


class LeadMasking(BaseModel):
    """One to ``most`` neighbouring leads are 0; one lead at least stays."""

    model_config = _STRICT
    probability: Share = 0.5
    most: int = Field(default=3, ge=1)


class LeadDropout(BaseModel):
    """Each lead by itself is 0 with the probability ``share``; one lead at least stays."""

    model_config = _STRICT
    probability: Share = 0.5
    share: Share = 0.2


class LeadSets(BaseModel):
    """One of these sets of leads is drawn, each as likely as any other; all other leads are 0.

    So that one model reads recordings of any of these sets. Leads that the model does not read count
    nowhere; a set of such leads alone is never drawn.
    """

    model_config = _STRICT
    probability: Share = 1.0
    sets: Annotated[tuple[tuple[str, ...], ...], Field(min_length=1)] = (
        STANDARD_LEADS,
        ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"),
        ("I", "II", "III", "aVR", "aVL", "aVF"),
        ("I", "II", "III", "V2"),
        ("I", "II", "V2"),
        ("I", "II"),
    )

    @field_validator("sets")
    @classmethod
    def _canonical(cls, sets: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for name in (name for one in sets for name in one):
            if canonical_lead(name) is None:
                raise ValueError(f"found {name}; accepted: {', '.join(STANDARD_LEADS)}")
        if not all(sets):
            raise ValueError("found a set without leads; accepted: one lead or more in each")
        return tuple(tuple(str(canonical_lead(name)) for name in one) for one in sets)


class Mixup(BaseModel):
    """Zhang et al. 2018 (arXiv:1710.09412): records and their labels are mixed two by two.

    The record's own part is the larger of w and 1 - w, w drawn from Beta(alpha, alpha).
    """

    model_config = _STRICT
    probability: Share = 1.0
    alpha: float = Field(default=0.2, gt=0, le=100)


def _switch(value: object) -> object:
    """true is a table without keys, false is no table."""
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


_Switch = BeforeValidator(_switch)


class AugmentationSettings(BaseModel):
    """What is done to the batches of training, in this order; by default nothing.

    probability: share of the records that each is done to. All work on the model's input, after
    scaling: 0 is what a missing lead would be, and levels count in deviations of the record itself.
    """

    model_config = _STRICT
    time_shift: Annotated[TimeShift | None, _Switch] = None
    amplitude_scaling: Annotated[AmplitudeScaling | None, _Switch] = None
    baseline_wander: Annotated[BaselineWander | None, _Switch] = None
    noise: Annotated[Noise | None, _Switch] = None
    time_masking: Annotated[TimeMasking | None, _Switch] = None
    lead_masking: Annotated[LeadMasking | None, _Switch] = None
    lead_dropout: Annotated[LeadDropout | None, _Switch] = None
    lead_sets: Annotated[LeadSets | None, _Switch] = None
    mixup: Annotated[Mixup | None, _Switch] = None

    @property
    def is_off(self) -> bool:
        """Whether nothing is done."""
        return all(value is None for _, value in self)
