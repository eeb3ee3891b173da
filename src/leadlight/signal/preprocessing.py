"""The steps between a recording and what a model eats, as data.

One ``Preprocessing`` serves training, evaluation and prediction. It is stored
in the recipe and, with its fitted numbers, in the model folder's contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ContractError
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.signal.length import Crop, Pad
from leadlight.signal.missing import FillGaps, ZeroMissing
from leadlight.signal.plan import Plan
from leadlight.signal.resample import resample_recording
from leadlight.signal.resampling import Resample
from leadlight.signal.stating import arguments_from, sentences, steps_from, to_values
from leadlight.signal.step import Floats, Step, refuse_missing, step_values

MISSING_KINDS = (FillGaps.kind, ZeroMissing.kind)


@dataclass(frozen=True, eq=False)
class View:
    """A recording as the model sees it.

    recording: in millivolts, with the model's leads, rate and length, filtered as
    the model's input is, and notes of what was done; values: the model's input,
    float32 (leads, samples), after scaling; start: seconds into the recording at which
    the part that was kept begins.
    """

    recording: Recording
    values: NDArray[np.float32]
    start: float = 0.0


@dataclass(frozen=True)
class Preprocessing:
    """How a recording becomes model input.

    leads: rows of the input, in this order; sampling_rate: Hz; n_samples: length of the
    input; steps: in the order in which they are taken, as values or as tables with a
    ``kind``. Recordings at other rates are resampled first; with a step ``resample``,
    the steps before it see ``starting_rate`` (Hz), to which recordings at other rates
    are brought first, or, without it, the recording's own rate.
    """

    leads: tuple[str, ...] = STANDARD_LEADS
    sampling_rate: float = 100.0
    n_samples: int = 1000
    steps: tuple[Step, ...] = ()
    starting_rate: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "leads", tuple(self.leads))
        object.__setattr__(self, "steps", steps_from(self.steps, "preprocessing.steps"))
        for name in ("sampling_rate", "n_samples", "starting_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise ContractError(f"preprocessing.{name}: found {value}; accepted: above 0.")
        if self._plan.find(Resample) is None and self.starting_rate not in (None, self.sampling_rate):
            raise ContractError(
                f"preprocessing.starting_rate: found {self.starting_rate:g} Hz without a step resample; "
                f"accepted: {self.sampling_rate:g}, or a step resample that leads there."
            )
        self._plan.check(self.first_rate)

    @property
    def duration(self) -> float:
        """Length of the model input in seconds."""
        return self.n_samples / self.sampling_rate

    @property
    def first_rate(self) -> float | None:
        """Hz, of the signals that the first step sees; None for the recording's own."""
        return self.sampling_rate if self._plan.find(Resample) is None else self.starting_rate

    @property
    def is_fitted(self) -> bool:
        """Whether every number that is fitted on training records is there."""
        return all(step.is_fitted for step in self.steps)

    @property
    def crop(self) -> Crop | None:
        """The step that shortens recordings, if there is one."""
        found = self._plan.find(Crop)
        return None if found is None else found[1]

    @property
    def takes_windows(self) -> bool:
        """Whether predictions read several parts of a long recording."""
        return self.crop is not None and self.crop.prediction == "windows"

    @property
    def takes_other_lengths(self) -> bool:
        """Whether a step crops or pads, or resamples from a rate at which lengths are counted otherwise."""
        return any(isinstance(step, Crop | Pad | Resample) for step in self.steps)

    @cached_property
    def takes_missing(self) -> bool:
        """Whether a step takes care of missing samples; it may still refuse a long gap."""
        return any(step.kind in MISSING_KINDS for step in self.steps)

    # From a recording

    def view(self, recording: Recording) -> Recording:
        """The recording as the model sees it, still in millivolts: its leads, rate, length and filters.

        Raises ContractError, naming the call that mends it, for leads that are
        not there, for lengths and for missing samples that no step takes care of.
        """
        return self._single.views(recording)[0].recording

    def apply(self, recording: Recording) -> NDArray[np.float32]:
        """Model input for one recording: (leads, samples) float32. Raises as ``view`` does."""
        return self._single.views(recording)[0].values

    def views(self, recording: Recording) -> list[View]:
        """All views that a prediction reads: one, or several where a crop takes windows."""
        begun = self._begin(recording)
        rate = begun.sampling_rate
        self.check_length(begun.n_samples, rate)
        signals: Floats = begun.signal[np.newaxis]
        notes: list[str] = []
        crop = self._plan.find(Crop)
        if crop is None:
            return [self._view(begun, signals, *self._run(signals, signals, rate, notes=notes), notes)]
        place, step = crop
        values, millivolts = self._run(signals, signals, rate, stop=place, notes=notes)
        here = self._plan.rate_at(place, rate)
        length = self._plan.conditions(here).n_samples
        views = []
        places = step.starts(values.shape[-1] - length, length)
        for start in places:
            own: list[str] = []
            result = self._run(
                values, millivolts, here, first=place, starts=np.array([start], dtype=np.int64), notes=own
            )
            # The places of windows are no news: what is read is the whole recording.
            own = [note for note in own if len(places) == 1 or not note.startswith("cropped")]
            view = self._view(begun, signals, *result, [*notes, *own])
            views.append(replace(view, start=start / here))
        return views

    def with_crop(self, prediction: str) -> Preprocessing:
        """These steps with another answer to longer recordings: first, centre, last, windows or refuse.

        Without a crop among the steps, it comes first: each part is then treated as a recording
        of its own, as the training records were.
        """
        found = self._plan.find(Crop)
        before, after = (self.steps[: found[0]], self.steps[found[0] + 1 :]) if found else ((), self.steps)
        if prediction == "refuse":
            return replace(self, steps=(*before, *after))
        stated = step_values(found[1]) if found else {"kind": Crop.kind}
        return replace(
            self, steps=(*before, *steps_from([{**stated, "prediction": prediction}], "longer"), *after)
        )

    # From arrays

    def apply_batch(
        self,
        signals: Floats,
        rate: float | None = None,
        *,
        starts: NDArray[np.int64] | None = None,
        are_whole: bool = False,
    ) -> NDArray[np.float32]:
        """Model input of several recordings of one length: float32 (records, leads, n_samples).

        signals: (records, leads, samples) in millivolts, with these leads, NaN where
        missing; rate: Hz, ``first_rate`` if left out; starts: what a crop keeps of each,
        None for what predictions read (of windows, the centre); are_whole: no sample is
        known to be missing, so that none is looked for. The same to the bit as
        ``apply`` record by record. Raises ContractError.
        """
        rate = self._known(rate)
        if signals.ndim != 3 or signals.shape[1] != len(self.leads):
            raise ContractError(
                f"signals: found shape {signals.shape}; accepted: (records, {len(self.leads)}, samples)."
            )
        self.check_length(signals.shape[2], rate)
        values, _ = self._run(signals, None, rate, starts=starts)
        if not are_whole:
            self._refuse_unusable(values)
        return _single_precision(values)

    def apply_windows(
        self, signals: Floats, rate: float | None = None, *, are_whole: bool = False
    ) -> NDArray[np.float32]:
        """Every model input that a prediction reads: float32 (records, windows, leads, n_samples).

        Arguments as of ``apply_batch``. One window each where the crop takes no windows, or without one.
        """
        rate = self._known(rate)
        found = self._plan.find(Crop)
        windows = 1 if found is None else len(self.window_starts(signals.shape[2], rate))
        if found is None or windows == 1:
            return self.apply_batch(signals, rate, are_whole=are_whole)[:, np.newaxis]
        self.check_length(signals.shape[2], rate)
        place, _ = found
        reached, _ = self._run(signals, None, rate, stop=place)
        here = self._plan.rate_at(place, rate)
        parts = []
        for start in self.window_starts(signals.shape[2], rate):
            starts = np.full(len(signals), start, dtype=np.int64)
            values, _ = self._run(reached, None, here, first=place, starts=starts)
            if not are_whole:
                self._refuse_unusable(values)
            parts.append(_single_precision(values))
        return np.stack(parts, axis=1)

    def reach(self, signals: Floats, place: int) -> Floats:
        """What of signals at ``first_rate`` reaches the step at this place; for fitting it."""
        return self._run(signals, None, self._known(None), stop=place)[0]

    def accepts(self, n_samples: int, rate: float | None = None) -> bool:
        """Whether a recording of so many samples can be used. rate: Hz, ``first_rate`` if left out."""
        return not self._plan.length_problem(n_samples, self._known(rate))

    def check_length(self, n_samples: int, rate: float | None = None) -> None:
        """Raise ContractError, naming the call that mends it, for a length that cannot be used."""
        problem = self._plan.length_problem(n_samples, self._known(rate))
        if problem:
            raise ContractError(problem)

    def accepts_missing(self, signals: Floats) -> bool:
        """Whether the steps take the missing samples of (records, leads, samples), wherever a crop begins."""
        if not self.takes_missing:
            return not np.isnan(signals).any()
        steps = tuple(step for step in self.steps if not (step.rescales or isinstance(step, Crop | Pad)))
        last = max(place for place, step in enumerate(steps) if step.kind in MISSING_KINDS)
        try:
            replace(self, steps=steps).reach(signals, last + 1)
        except ContractError:
            return False
        return True

    # What a crop keeps, before any signal is read

    @cached_property
    def window_samples(self) -> int | None:
        """Samples at ``first_rate`` that a crop keeps, where nothing before it looks beyond one sample.

        Such a window can be read from a store by itself. None where it cannot.
        """
        found = self._plan.find(Crop)
        if found is None or self.first_rate is None:
            return None
        alone = all(step.pointwise for step in self.steps[: found[0]])
        return self._plan.conditions(self.first_rate).n_samples if alone else None

    def crop_starts(
        self, lengths: NDArray[np.int64], places: NDArray[np.float64] | None = None
    ) -> NDArray[np.int64] | None:
        """First samples that a crop keeps of each record, counted where it stands; None without a crop.

        lengths: samples at ``first_rate``, (records,); places: for training, uniform in [0, 1),
        one a record; None for what predictions read (of windows, the centre).
        """
        found = self._plan.find(Crop)
        if found is None:
            return None
        (place, crop), rate = found, self._known(None)
        wanted = self._plan.conditions(self._plan.rate_at(place, rate)).n_samples
        rest = {int(n): self._plan.length_after(int(n), rate, place) - wanted for n in np.unique(lengths)}
        return crop.place(np.maximum([rest[int(n)] for n in lengths], 0), places)

    def window_starts(self, n_samples: int, rate: float | None = None) -> list[int]:
        """First samples of what a prediction reads of a recording, counted where the crop stands.

        n_samples: of the recording, at ``rate`` Hz (``first_rate`` if left out). [0] without a crop.
        """
        found = self._plan.find(Crop)
        if found is None:
            return [0]
        (place, crop), rate = found, self._known(rate)
        wanted = self._plan.conditions(self._plan.rate_at(place, rate)).n_samples
        return crop.starts(self._plan.length_after(n_samples, rate, place) - wanted, wanted)

    # As words and plain values

    def describe(self) -> list[str]:
        """The preprocessing in words, one sentence a step."""
        return sentences(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON. ``from_dict`` reads them."""
        return to_values(self)

    @classmethod
    def from_dict(cls, values: object, place: str = "preprocessing") -> Preprocessing:
        """The preprocessing that plain values state in full: every key and every parameter must be there.

        Raises ContractError, which names the key.
        """
        return cls(**arguments_from(values, place))

    # How it is done

    @cached_property
    def _plan(self) -> Plan:
        return Plan(self.leads, self.steps, self.sampling_rate, self.n_samples)

    @cached_property
    def _single(self) -> Preprocessing:
        """For one input a recording: the centre in place of windows."""
        crop = self.crop
        return self.with_crop("centre") if crop is not None and crop.prediction == "windows" else self

    def _run(
        self,
        values: Floats,
        millivolts: Floats | None,
        rate: float,
        *,
        first: int = 0,
        stop: int | None = None,
        starts: NDArray[np.int64] | None = None,
        notes: list[str] | None = None,
    ) -> tuple[Floats, Floats | None]:
        """The steps from first to stop. millivolts: taken along without the scaling; None for without."""
        for step in self.steps[first:stop]:
            at = self._plan.conditions(rate, starts)
            if notes is not None:
                notes += filter(None, [step.note(values, at)])
            are_one, before = millivolts is values, millivolts
            values = step.apply(values, at)
            if are_one and not step.rescales:
                millivolts = values
            elif before is not None and not (step.rescales or step.pointwise):
                millivolts = step.apply(before, at)
            if isinstance(step, Resample):
                rate = self.sampling_rate
        return values, millivolts

    def _begin(self, recording: Recording) -> Recording:
        """With the model's leads, at the rate where the steps begin."""
        absent = [lead for lead in self.leads if lead not in recording.leads]
        if absent:
            raise ContractError(
                f"leads: found {', '.join(recording.leads)}; the model needs {', '.join(self.leads)} "
                f"({', '.join(absent)} missing). leadlight.read derives III, aVR, aVL and aVF from I and II; "
                "other leads cannot be derived: use a model trained without them."
            )
        if np.isinf(recording.signal).any():
            raise ContractError("signal: found infinite samples; accepted: millivolts, with NaN for missing.")
        selected = recording if recording.leads == self.leads else recording.select(self.leads)
        first = self.first_rate
        return selected if first is None else resample_recording(selected, first)

    def _view(
        self,
        begun: Recording,
        signals: Floats,
        values: Floats,
        millivolts: Floats | None,
        notes: list[str],
    ) -> View:
        self._refuse_unusable(values)
        recording = begun
        if millivolts is not None and millivolts is not signals:
            recording = replace(
                begun,
                signal=_single_precision(millivolts)[0],
                sampling_rate=self.sampling_rate,
                notes=(*begun.notes, *notes),
            )
        return View(recording, _single_precision(values)[0])

    def _refuse_unusable(self, values: Floats) -> None:
        if np.isfinite(values).all():
            return
        refuse_missing(values, self._plan.conditions(self.sampling_rate))
        raise ContractError("signal: found infinite samples; accepted: millivolts, with NaN for missing.")

    def _known(self, rate: float | None) -> float:
        rate = self.first_rate if rate is None else rate
        if rate is None:
            raise ContractError(
                "rate: found none; the steps begin at the recordings' own rate, which must be said."
            )
        return rate


def fit(preprocessing: Preprocessing, batches: Callable[[], Iterable[Floats]]) -> Preprocessing:
    """The preprocessing with every number that is fitted, each on what reaches its step.

    batches: called once for each step to fit; gives arrays (records, leads, samples) in
    millivolts at ``first_rate``, of training records and no other. Steps that already
    have their numbers keep them. Raises ContractError where nothing varies.
    """
    for place, step in enumerate(preprocessing.steps):
        if step.is_fitted:
            continue
        known = preprocessing
        fitted = step.fit((known.reach(batch, place) for batch in batches()), preprocessing.leads)
        steps = (*preprocessing.steps[:place], fitted, *preprocessing.steps[place + 1 :])
        preprocessing = replace(preprocessing, steps=steps)
    return preprocessing


def _single_precision(signals: Floats) -> NDArray[np.float32]:
    return np.ascontiguousarray(signals, dtype=np.float32)
