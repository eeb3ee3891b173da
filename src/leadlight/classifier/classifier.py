"""What ``ll.load`` returns: weights and their contract, which turn recordings into predictions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args, overload

import numpy as np
from numpy.typing import NDArray

from leadlight.classifier.contract import Contract
from leadlight.classifier.prediction import Prediction
from leadlight.errors import ContractError, ModelError
from leadlight.progress import ProgressCallback, silent
from leadlight.recording import Recording
from leadlight.signal import resample_recording

if TYPE_CHECKING:
    from torch import Tensor, nn

Longer = Literal["refuse", "first", "centre", "windows"]
"""What to do with a recording that is longer than the model's input."""

Readable = Recording | str | os.PathLike[str]
"""A recording, or the path of one."""

# Standard deviations outside these are unheard of in an ECG in millivolts; below
# a tenth of a microvolt a lead is flat.
_LARGEST_DEVIATION_MV = 20.0
_SMALLEST_DEVIATION_MV = 0.002
_FLAT_DEVIATION_MV = 0.0001


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained network with its contract. It is put into evaluation mode.

    module: (batch, leads, samples) to logits; contract: what goes in and what comes out.
    """

    module: nn.Module
    contract: Contract

    def __post_init__(self) -> None:
        self.module.eval()

    def __repr__(self) -> str:
        given = self.contract.input
        return (
            f"Classifier({self.contract.name}: {self.contract.architecture.name}, "
            f"{len(given.leads)} leads x {given.n_samples} samples at {given.sampling_rate:g} Hz -> "
            f"{', '.join(self.contract.codes)})"
        )

    @property
    def classes(self) -> tuple[tuple[str, str], ...]:
        """(code, description) of each class, in the order of the model's outputs."""
        return tuple((item.code, item.description) for item in self.contract.classes)

    def view(self, recording: Readable, longer: Longer = "refuse") -> Recording:
        """The recording as the model sees it, in millivolts: its leads, its rate, its length.

        longer: "refuse" a longer recording, or take the "first" or the "centre" part of it.
        Raises ContractError, naming the call that mends it.
        """
        if longer == "windows":
            raise ContractError(
                'longer: found "windows", which is several views; accepted: "refuse", "first" or "centre". '
                "recording.crop(start, stop) gives any one of them."
            )
        return self.views(recording, longer)[0]

    def views(self, recording: Readable, longer: Longer = "refuse") -> list[Recording]:
        """All views that a prediction reads: one, or with longer="windows" one every half length.

        The last window ends with the recording. Raises ContractError.
        """
        _check_longer(longer)
        recording = _read(recording)
        steps = self.contract.preprocessing
        if longer == "refuse" or recording.duration <= steps.duration:
            return [steps.view(recording)]
        if set(steps.leads) <= set(recording.leads):
            recording = recording.select(steps.leads)
        resampled = resample_recording(recording, steps.sampling_rate)
        length, rest = steps.n_samples, resampled.n_samples - steps.n_samples
        if rest <= 0:
            return [steps.view(recording)]
        starts = {"first": [0], "centre": [rest // 2], "windows": _window_starts(rest, max(1, length // 2))}[
            longer
        ]
        rate = steps.sampling_rate
        return [steps.view(resampled.crop(start / rate, (start + length) / rate)) for start in starts]

    @overload
    def predict(  # type: ignore[overload-overlap]  # a str is a sequence, but means a path here
        self, recordings: Readable, longer: Longer = "refuse", batch_size: int = 32
    ) -> Prediction: ...

    @overload
    def predict(
        self, recordings: Sequence[Readable], longer: Longer = "refuse", batch_size: int = 32
    ) -> list[Prediction]: ...

    def predict(
        self, recordings: Readable | Sequence[Readable], longer: Longer = "refuse", batch_size: int = 32
    ) -> Prediction | list[Prediction]:
        """What the model says of a recording (one Prediction) or of several (a list, in order).

        recordings: Recording values, or paths that ``leadlight.read`` takes.
        longer: see ``Longer``; "windows" predicts half-overlapping windows and
        takes the mean of their probabilities. batch_size changes speed and memory only.
        Raises ContractError for a recording that breaks the contract, with the call that mends it.
        """
        if isinstance(recordings, Recording | str | os.PathLike):
            return next(self.predict_each([recordings], longer, batch_size))
        return list(self.predict_each(recordings, longer, batch_size))

    def predict_each(
        self, recordings: Iterable[Readable], longer: Longer = "refuse", batch_size: int = 32
    ) -> Iterator[Prediction]:
        """Predictions one after the other, in order; at most about a batch of recordings is held."""
        _check_longer(longer)
        _check_batch_size(batch_size)
        waiting: list[list[Recording]] = []
        for recording in recordings:
            waiting.append(self.views(recording, longer))
            if sum(map(len, waiting)) >= batch_size:
                yield from self.predict_views(waiting, batch_size)
                waiting = []
        if waiting:
            yield from self.predict_views(waiting, batch_size)

    def predict_views(self, views: Sequence[Sequence[Recording]], batch_size: int = 32) -> list[Prediction]:
        """One Prediction for each recording's ``views``: the mean of their probabilities."""
        flat = [view.signal for of_one in views for view in of_one]
        parts = [
            self._probabilities(np.stack(flat[first : first + batch_size]))
            for first in range(0, len(flat), batch_size)
        ]
        probabilities = np.concatenate(parts) if parts else np.empty((0, len(self.classes)), np.float32)
        predictions, first = [], 0
        for of_one in views:
            own = probabilities[first : first + len(of_one)]
            first += len(of_one)
            predictions.append(self._prediction(of_one, own.mean(axis=0) if len(own) > 1 else own[0]))
        return predictions

    def predict_signals(
        self, signals: NDArray[np.floating], batch_size: int = 32, on_progress: ProgressCallback = silent
    ) -> NDArray[np.float32]:
        """Probabilities of signals that already have the model's leads, rate and length.

        signals: (n, leads, samples) in millivolts, without missing samples. Returns
        float32 (n, classes). Raises ContractError for another shape and for missing samples.
        """
        _check_batch_size(batch_size)
        given = self.contract.input
        form = (len(given.leads), given.n_samples)
        if not hasattr(signals, "shape") or len(signals.shape) != 3 or signals.shape[1:] != form:
            found = getattr(signals, "shape", type(signals).__name__)
            raise ContractError(
                f"signals: found {found}; accepted: an array (n, {form[0]} leads, {form[1]} samples) "
                f"in millivolts at {given.sampling_rate:g} Hz. "
                "predict(recording) brings a recording into this form."
            )
        result = np.empty((len(signals), len(self.classes)), dtype=np.float32)
        for first in range(0, len(signals), batch_size):
            batch = np.asarray(signals[first : first + batch_size], dtype=np.float32)
            finite = np.isfinite(batch).all(axis=(1, 2))
            if not finite.all():
                row = first + int(np.argmin(finite))
                raise ContractError(
                    f"signals[{row}]: found missing or infinite samples; accepted: none. "
                    "leadlight.signal.interpolate_gaps(recording, longest=0.1) fills short gaps and says so."
                )
            result[first : first + len(batch)] = self._probabilities(batch)
            on_progress(min(first + batch_size, len(signals)), len(signals), "")
        return result

    def attention(self, recording: Readable, longer: Longer = "refuse") -> dict[str, NDArray[np.float32]]:
        """The model's own attention on one recording, without the batch axis.

        Each map sums to 1 over its last axis.
        For IMLE-Net: beat (leads, segments, steps), rhythm (leads, segments), channel (leads,).
        Raises ModelError for an architecture without attention.
        """
        from leadlight import models

        name = self.contract.architecture.name
        if not models.describe(name).has_attention:
            others = [other for other in models.names() if models.describe(other).has_attention]
            raise ModelError(f"attention: found {name}, which has none; accepted: {', '.join(others)}.")
        signals = self.view(recording, longer).signal[np.newaxis]
        with self._inference():
            maps = self.module.attention(self._input(signals))  # type: ignore[operator]
            return {level: weights[0].float().cpu().numpy() for level, weights in maps.items()}

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model folder: model.safetensors, contract.json, MODEL_CARD.md. Returns the folder."""
        from leadlight.classifier.folder import save_model

        return save_model(folder, self.module, self.contract)

    def _probabilities(self, signals: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, leads, samples) in millivolts to probabilities (n, classes), in one batch."""
        import torch

        with self._inference():
            logits: Tensor = self.module(self._input(signals))
            values: NDArray[np.float32] = torch.sigmoid(logits.float()).cpu().numpy()
        return values

    def _input(self, signals: NDArray[np.float32]) -> Tensor:
        import torch

        device = next(self.module.parameters()).device
        return torch.from_numpy(self.contract.preprocessing.scaled(signals)).to(device)

    def _inference(self) -> AbstractContextManager[object]:
        import torch

        return torch.inference_mode()

    def _prediction(self, views: Sequence[Recording], probabilities: NDArray[np.float32]) -> Prediction:
        notes = views[0].notes
        if len(views) > 1:
            duration = self.contract.preprocessing.duration
            # The first window's own crop is no news: what was read is the whole recording.
            notes = (*notes[:-1], f"mean over {len(views)} half-overlapping windows of {duration:g} s")
        return Prediction(
            source=views[0].source,
            classes=self.contract.codes,
            descriptions=tuple(item.description for item in self.contract.classes),
            probabilities=probabilities,
            thresholds=np.array(self.contract.thresholds.values, dtype=np.float32),
            notes=(*notes, *_oddities(views)),
        )


def _window_starts(rest: int, hop: int) -> list[int]:
    """Every hop from 0, and one start that reaches the end. rest: samples beyond the first window."""
    starts = list(range(0, rest + 1, hop))
    return starts if starts[-1] == rest else [*starts, rest]


def _oddities(views: Sequence[Recording]) -> tuple[str, ...]:
    """What looks as if the units were wrong or an electrode off; the model takes it all the same."""
    deviations = views[0].signal.std(axis=1)
    flat = [lead for lead, one in zip(views[0].leads, deviations, strict=True) if one < _FLAT_DEVIATION_MV]
    typical = float(np.median(deviations))
    notes = [f"flat: {', '.join(flat)}"] if flat else []
    if typical > _LARGEST_DEVIATION_MV or _FLAT_DEVIATION_MV <= typical < _SMALLEST_DEVIATION_MV:
        notes.append(f"standard deviation {typical:.3g} mV, unlike an ECG: are the units right?")
    return tuple(notes)


def _read(recording: Readable) -> Recording:
    if isinstance(recording, Recording):
        return recording
    if isinstance(recording, str | os.PathLike):
        from leadlight.files import read

        return read(recording)
    raise ContractError(
        f"recording: found a {type(recording).__name__}; accepted: a Recording (leadlight.read(path)) or "
        "a path. predict_signals takes arrays (n, leads, samples) that are already in the model's form."
    )


def _check_longer(longer: str) -> None:
    if longer not in get_args(Longer):
        raise ContractError(f"longer: found {longer!r}; accepted: {', '.join(get_args(Longer))}.")


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise ContractError(f"batch_size: found {batch_size}; accepted: 1 or more.")
