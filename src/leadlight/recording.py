"""The value that everything speaks about: one ECG, in millivolts, with who and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.leads import canonical_lead

if TYPE_CHECKING:
    from leadlight.quality import Quality

Sex = Literal["male", "female"]


@dataclass(frozen=True)
class Patient:
    """Who was recorded. id: pseudonym; age: years; sex; None where not known."""

    id: str | None = None
    age: float | None = None
    sex: Sex | None = None


@dataclass(frozen=True)
class Statement:
    """A finding as a source states it.

    code: the source's own code or words; system: whose code it is: "scp-ecg",
    "snomed-ct", "leadlight", ...; likelihood: percent, None where the source does not
    say how sure it is, 0 where it says that the finding is absent.
    """

    code: str
    system: str = "scp-ecg"
    likelihood: float | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """One ECG.

    signal: float32 (leads, samples) in millivolts, NaN where a sample is missing;
    leads: canonical names, one a row; sampling_rate: Hz; patient; statements;
    source: where it came from; notes: what was derived, missing or odd.
    The signal is read-only: make a new value with ``crop``, ``select`` or
    ``dataclasses.replace``.
    """

    signal: NDArray[np.float32]
    leads: tuple[str, ...]
    sampling_rate: float
    patient: Patient = field(default_factory=Patient)
    statements: tuple[Statement, ...] = ()
    source: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        signal = np.asarray(self.signal, dtype=np.float32)
        if signal.ndim != 2 or signal.shape[0] != len(self.leads):
            raise SignalError(
                f"Recording.signal: found shape {signal.shape} with {len(self.leads)} lead names; "
                "accepted: (leads, samples), one name a row."
            )
        leads = tuple(self.leads)
        for lead in leads:
            if canonical_lead(lead) != lead:
                raise SignalError(
                    f"Recording.leads: found {lead!r}; accepted: canonical names such as "
                    "I, aVR, V1 (leadlight.leads.canonical_lead translates others)."
                )
        if len(set(leads)) != len(leads):
            raise SignalError(f"Recording.leads: a name stands twice in {', '.join(leads)}.")
        if not (np.isfinite(self.sampling_rate) and self.sampling_rate > 0):
            raise SignalError(f"Recording.sampling_rate: found {self.sampling_rate}; accepted: above 0 Hz.")
        view = signal.view()
        view.flags.writeable = False
        object.__setattr__(self, "signal", view)
        object.__setattr__(self, "leads", leads)
        object.__setattr__(self, "sampling_rate", float(self.sampling_rate))

    def __getitem__(self, lead: str) -> NDArray[np.float32]:
        """The samples of one lead, by any spelling of its name."""
        name = canonical_lead(lead)
        if name not in self.leads:
            raise KeyError(f"no lead {lead!r} in this recording; it has {', '.join(self.leads)}")
        row: NDArray[np.float32] = self.signal[self.leads.index(name)]
        return row

    def __reduce__(self) -> tuple[type[Recording], tuple[Any, ...]]:
        # Copies go through the constructor, so that their signal is read-only, too.
        return type(self), tuple(getattr(self, one.name) for one in fields(self))

    def __repr__(self) -> str:
        # Neither the patient nor the path: a repr ends up in logs.
        return (
            f"Recording({len(self.leads)} leads x {self.n_samples} samples at "
            f"{self.sampling_rate:g} Hz, {self.duration:g} s, {self.n_missing} samples missing)"
        )

    @property
    def n_samples(self) -> int:
        """Samples in each lead."""
        return int(self.signal.shape[1])

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.n_samples / self.sampling_rate

    @property
    def times(self) -> NDArray[np.float64]:
        """Time of each sample in seconds from the start."""
        return np.arange(self.n_samples) / self.sampling_rate

    @property
    def missing(self) -> dict[str, int]:
        """Number of missing (NaN) samples of each lead that has any."""
        counts = np.isnan(self.signal).sum(axis=1)
        return {lead: int(n) for lead, n in zip(self.leads, counts, strict=True) if n}

    @property
    def n_missing(self) -> int:
        """Number of missing (NaN) samples in all leads together."""
        return int(np.isnan(self.signal).sum())

    def select(self, leads: Sequence[str]) -> Recording:
        """The same recording with these leads, in this order. KeyError for a lead that is not there."""
        names = tuple(canonical_lead(lead) or lead for lead in leads)
        return replace(self, signal=np.stack([self[lead] for lead in names]), leads=names)

    def crop(self, start: float, stop: float) -> Recording:
        """The part from start to stop, in seconds; refused when it reaches outside the recording."""
        first, last = round(start * self.sampling_rate), round(stop * self.sampling_rate)
        if not 0 <= first < last <= self.n_samples:
            raise SignalError(
                f"crop from {start:g} to {stop:g} s: found a recording of {self.duration:g} s; "
                f"accepted: 0 <= start < stop <= {self.duration:g}."
            )
        if (first, last) == (0, self.n_samples):
            return self
        note = f"cropped to {start:g}-{stop:g} s of {self.duration:g} s"
        return replace(self, signal=self.signal[:, first:last], notes=(*self.notes, note))

    def with_patient(self, age: float | None = None, sex: Sex | None = None) -> Recording:
        """The same recording of a patient of this age (years) and sex; what is None stays as it is."""
        patient = replace(
            self.patient,
            age=self.patient.age if age is None else age,
            sex=self.patient.sex if sex is None else sex,
        )
        return self if patient == self.patient else replace(self, patient=patient)

    def quality(self) -> Quality:
        """Signal quality of each lead, from the signal alone, and whether limb electrodes seem exchanged.

        Raises SignalError below 100 Hz, below 2 s, and for infinite samples.
        """
        from leadlight.quality import examine

        return examine(self.signal, self.leads, self.sampling_rate)
