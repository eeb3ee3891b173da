"""What ``ll.load`` returns: weights and their contract, which turn recordings into predictions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

import numpy as np
from numpy.typing import NDArray

from leadlight.classifier.contract import Contract
from leadlight.classifier.prediction import Prediction
from leadlight.classifier.windows import aggregate_of, record_logits
from leadlight.errors import ContractError, ModelError, kind_of
from leadlight.progress import ProgressCallback, silent
from leadlight.recording import Patient, Recording
from leadlight.signal import Preprocessing, View
from leadlight.signal.length import Crop

if TYPE_CHECKING:
    from torch import Tensor, nn

Longer = Literal["contract", "refuse", "first", "centre", "windows"]
"""What to do with a recording that is longer than the model's input.

contract: as the contract's preprocessing says, which refuses it where no crop is stated.
"""

Readable = Recording | str | os.PathLike[str]
"""A recording, or the path of one."""

# Standard deviations outside these are unheard of in an ECG in millivolts; below
# a tenth of a microvolt a lead is flat.
_LARGEST_DEVIATION_MV = 20.0
_SMALLEST_DEVIATION_MV = 0.002
_FLAT_DEVIATION_MV = 0.0001


Precision = Literal["float32", "bfloat16"]
PRECISIONS = get_args(Precision)


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained network with its contract. It is put into evaluation mode.

    module: (batch, leads, samples) to logits; contract: what goes in and what comes out; precision:
    "bfloat16" is faster on processors that multiply in it, and moves probabilities in the third decimal.
    """

    module: nn.Module
    contract: Contract
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ContractError(f"precision: found {self.precision!r}; accepted: {' or '.join(PRECISIONS)}.")
        check_metadata(self.module, self.contract)
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

    def view(self, recording: Readable, longer: Longer = "contract") -> View:
        """The recording as the model sees it: in millivolts (``.recording``) and scaled (``.values``).

        longer: of a longer recording, what the contract says, the "first" or the "centre" part;
        or "refuse" it. Raises ContractError, naming the call that mends it.
        """
        if longer == "windows":
            raise ContractError(
                'longer: found "windows", which is several views; accepted: "refuse", "first" or "centre". '
                "recording.crop(start, stop) gives any one of them."
            )
        steps = self._steps(longer)
        if steps.crop is not None and steps.crop.prediction == "windows":
            steps = steps.with_crop("centre")  # of a contract that takes the mean over windows
        return steps.views(_read(recording))[0]

    def views(self, recording: Readable, longer: Longer = "contract") -> list[View]:
        """All views that a prediction reads: one, or with windows one every half length.

        The last window ends with the recording. Raises ContractError.
        """
        return self._steps(longer).views(_read(recording))

    @overload
    def predict(  # type: ignore[overload-overlap]  # a str is a sequence, but means a path here
        self, recordings: Readable, longer: Longer = "contract", batch_size: int = 32
    ) -> Prediction: ...

    @overload
    def predict(
        self, recordings: Sequence[Readable], longer: Longer = "contract", batch_size: int = 32
    ) -> list[Prediction]: ...

    def predict(
        self, recordings: Readable | Sequence[Readable], longer: Longer = "contract", batch_size: int = 32
    ) -> Prediction | list[Prediction]:
        """What the model says of a recording (one Prediction) or of several (a list, in order).

        recordings: Recording values, or paths that ``leadlight.read`` takes.
        longer: see ``Longer``; "windows" predicts windows over the whole recording, which overlap
        and become one answer as the contract says: by half, and by the mean of their probabilities,
        where it says nothing. batch_size changes speed and memory only.
        Raises ContractError for a recording that breaks the contract, with the call that mends it.
        """
        if isinstance(recordings, Recording | str | os.PathLike):
            return next(self.predict_each([recordings], longer, batch_size))
        if not _are_several(recordings):
            _read(recordings)  # says what is accepted
        return list(self.predict_each(recordings, longer, batch_size))

    def predict_each(
        self, recordings: Iterable[Readable], longer: Longer = "contract", batch_size: int = 32
    ) -> Iterator[Prediction]:
        """Predictions one after the other, in order; at most about a batch of recordings is held."""
        _check_longer(longer)
        _check_batch_size(batch_size)
        waiting: list[list[View]] = []
        for recording in recordings:
            waiting.append(self.views(recording, longer))
            if sum(map(len, waiting)) >= batch_size:
                yield from self.predict_views(waiting, batch_size)
                waiting = []
        if waiting:
            yield from self.predict_views(waiting, batch_size)

    def predict_views(self, views: Sequence[Sequence[View]], batch_size: int = 32) -> list[Prediction]:
        """One Prediction for each recording's ``views``, by the contract's rule where there are several."""
        flat = [view.values for of_one in views for view in of_one]
        probabilities = self.predict_inputs(
            flat,
            batch_size,
            metadata=self._metadata([of_one[0].recording.patient for of_one in views]),
            windows=[len(of_one) for of_one in views],
        )
        return [self._prediction(of_one, own) for of_one, own in zip(views, probabilities, strict=True)]

    def predict_signals(
        self,
        signals: NDArray[np.floating],
        batch_size: int = 32,
        on_progress: ProgressCallback = silent,
        *,
        metadata: Sequence[Patient] | None = None,
    ) -> NDArray[np.float32]:
        """Probabilities of signals in millivolts with the model's leads, at the rate where its steps begin.

        signals: (n, leads, samples), of a length that the preprocessing takes, NaN where missing. The
        steps are taken as for recordings, and so is the contract's rule for longer ones. metadata: age and
        sex of each, for a model that reads them; without, they are not known. Returns float32 (n, classes).
        Raises ContractError for another shape and for samples that no step takes, ModelError for metadata
        that the model does not read.
        """
        _check_batch_size(batch_size)
        beside = self._metadata([Patient()] * len(signals) if metadata is None else metadata)
        if metadata is not None:
            self._refuse_metadata(len(metadata), len(signals))
        given, steps = self.contract.input, self.contract.preprocessing
        shape: tuple[int, ...] = getattr(signals, "shape", ())
        if len(shape) != 3 or shape[1] != len(given.leads) or not steps.accepts(shape[2], self._rate):
            found = getattr(signals, "shape", type(signals).__name__)
            raise ContractError(
                f"signals: found {found}; accepted: an array (n, {len(given.leads)} leads, "
                f"{given.n_samples} samples) in millivolts at {given.sampling_rate:g} Hz. "
                "predict(recording) brings a recording into this form."
            )
        result = np.empty((len(signals), len(self.classes)), dtype=np.float32)
        for first in range(0, len(signals), batch_size):
            batch = np.asarray(signals[first : first + batch_size], dtype=np.float32)
            inputs = self._inputs(batch, first)
            windows = [inputs.shape[1]] * len(batch)
            result[first : first + len(batch)] = self.predict_inputs(
                inputs.reshape(-1, *inputs.shape[2:]),
                batch_size,
                metadata=None if beside is None else beside[first : first + batch_size],
                windows=windows,
            )
            on_progress(min(first + batch_size, len(signals)), len(signals), "")
        return result

    def predict_inputs(
        self,
        inputs: Sequence[NDArray[np.float32]] | NDArray[np.float32],
        batch_size: int = 32,
        on_progress: ProgressCallback = silent,
        *,
        metadata: NDArray[np.float32] | None = None,
        windows: Sequence[int] | None = None,
    ) -> NDArray[np.float32]:
        """Probabilities float32 (n, classes) of n model inputs, as ``Preprocessing`` makes them.

        Calibrated where the contract states a calibration.
        metadata: (records, columns), as the contract's ``metadata`` makes it; None for a model that reads
        none, and for records of which nothing is known. windows: how many of the inputs, in their order,
        belong to each record; then (records, classes), by the contract's rule. None: each input is a record.
        Raises ModelError for metadata that the model does not read.
        """
        import torch

        _check_batch_size(batch_size)
        if metadata is not None:
            self._refuse_metadata(len(metadata), len(inputs) if windows is None else len(windows))
        elif self.contract.metadata is not None:
            metadata = self._metadata([Patient()] * (len(inputs) if windows is None else len(windows)))
        if metadata is not None and windows is not None:
            metadata = np.repeat(metadata, windows, axis=0)
        n_inputs, n_records = len(inputs), len(inputs) if windows is None else len(windows)
        logits = torch.empty(n_inputs, len(self.classes))
        for first in range(0, n_inputs, batch_size):
            batch = np.stack([*inputs[first : first + batch_size]])
            beside = None if metadata is None else metadata[first : first + batch_size]
            logits[first : first + batch_size] = self._logits(batch, beside)
            on_progress(min(first + batch_size, n_inputs), n_inputs, "")
        counts = [1] * n_records if windows is None else windows
        of_records = record_logits(logits, counts, aggregate_of(self.contract.preprocessing))
        if self.contract.calibration is not None:
            return self.contract.calibration.probabilities(of_records.numpy())
        values: NDArray[np.float32] = torch.sigmoid(of_records).numpy()
        return values

    def attention(
        self, recording: Readable | View, longer: Longer = "contract"
    ) -> dict[str, NDArray[np.float32]]:
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
        view = recording if isinstance(recording, View) else self.view(recording, longer)
        with self._inference():
            given = self._tensors(view.values[np.newaxis], self._metadata([view.recording.patient]))
            maps = self.module.attention(*given)  # type: ignore[operator]
            return {level: weights[0].float().cpu().numpy() for level, weights in maps.items()}

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model folder: model.safetensors, contract.json, MODEL_CARD.md. Returns the folder."""
        from leadlight.classifier.folder import save_model

        return save_model(folder, self.module, self.contract)

    def _logits(self, inputs: NDArray[np.float32], metadata: NDArray[np.float32] | None) -> Tensor:
        """Model input (n, leads, samples) and metadata (n, columns) to logits (n, classes), in one batch."""
        import torch

        tensors = self._tensors(inputs, metadata)
        fast = torch.autocast(tensors[0].device.type, torch.bfloat16, enabled=self.precision == "bfloat16")
        with self._inference(), fast:
            logits: Tensor = self.module(*tensors)
        return logits.float().cpu()

    def _tensors(
        self, inputs: NDArray[np.float32], metadata: NDArray[np.float32] | None
    ) -> tuple[Tensor, ...]:
        """What the module is called with; nothing beside the signal where it reads nothing beside it."""
        signal = self._tensor(inputs)
        return (signal,) if metadata is None else (signal, self._tensor(metadata))

    def _metadata(self, patients: Sequence[Patient]) -> NDArray[np.float32] | None:
        """What the model reads of patients, (patients, columns); None where it reads nothing of them."""
        metadata = self.contract.metadata
        return None if metadata is None else metadata.of(patients)

    def _refuse_metadata(self, found: int, records: int) -> None:
        """Raise ModelError where the model reads no metadata, ContractError for another number of entries."""
        if self.contract.metadata is None:
            raise ModelError(
                f"metadata: found some; {self.contract.architecture.name} reads the signal alone. "
                "Leave it out."
            )
        if found != records:
            raise ContractError(f"metadata: found {found} entries; accepted: {records}, one a record.")

    def _tensor(self, inputs: NDArray[np.float32]) -> Tensor:
        import torch

        return torch.from_numpy(inputs).to(next(self.module.parameters()).device)

    def _inputs(self, signals: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        """Signals in millivolts to all that is read of them: (n, windows, leads, n_samples).

        first: number of the first one, for errors.
        """
        steps = self.contract.preprocessing
        try:
            return steps.apply_windows(signals, self._rate)
        except ContractError:
            for row, one in enumerate(signals, first):
                try:
                    steps.apply_windows(one[np.newaxis], self._rate)
                except ContractError as error:
                    raise ContractError(f"signals[{row}]: {str(error).removeprefix('signal: ')}") from None
            raise

    @property
    def _rate(self) -> float:
        """Hz, of arrays: where the steps begin."""
        return self.contract.preprocessing.first_rate or self.contract.input.sampling_rate

    def _steps(self, longer: str) -> Preprocessing:
        _check_longer(longer)
        steps = self.contract.preprocessing
        return steps if longer == "contract" else steps.with_crop(longer)

    def _inference(self) -> AbstractContextManager[object]:
        import torch

        return torch.inference_mode()

    def _prediction(self, views: Sequence[View], probabilities: NDArray[np.float32]) -> Prediction:
        recording = views[0].recording
        notes = recording.notes
        if len(views) > 1:
            steps = self.contract.preprocessing
            crop = steps.crop or Crop()
            notes = (
                *notes,
                f"{len(views)} windows of {steps.duration:g} s, overlap {100 * crop.overlap:g}%: "
                f"{crop.describe_aggregate()}",
            )
        sets = self.contract.prediction_sets
        return Prediction(
            source=recording.source,
            classes=self.contract.codes,
            descriptions=tuple(item.description for item in self.contract.classes),
            probabilities=probabilities,
            thresholds=np.array(self.contract.thresholds.values, dtype=np.float32),
            notes=(*notes, *self._of_patient(recording.patient), *_oddities(recording)),
            sets=() if sets is None else sets.names(probabilities),
        )

    def _of_patient(self, patient: Patient) -> tuple[str, ...]:
        return () if self.contract.metadata is None else self.contract.metadata.notes(patient)


def check_metadata(module: nn.Module, contract: Contract) -> None:
    """Raise ContractError where a contract states other metadata than the network reads."""
    stated = 0 if contract.metadata is None else len(contract.metadata.columns)
    reads = int(getattr(module, "n_metadata", 0))
    if stated != reads:
        raise ContractError(
            f"metadata: found {stated or 'no'} columns; accepted: {reads or 'none'}, as "
            f"{contract.architecture.name} reads."
        )


def _oddities(view: Recording) -> tuple[str, ...]:
    """What looks as if the units were wrong or an electrode off; the model takes it all the same."""
    deviations = view.signal.std(axis=1)
    flat = [lead for lead, one in zip(view.leads, deviations, strict=True) if one < _FLAT_DEVIATION_MV]
    typical = float(np.median(deviations))
    notes = [f"flat: {', '.join(flat)}"] if flat else []
    if typical > _LARGEST_DEVIATION_MV or _FLAT_DEVIATION_MV <= typical < _SMALLEST_DEVIATION_MV:
        notes.append(f"standard deviation {typical:.3g} mV, unlike an ECG: are the units right?")
    return tuple(notes)


def _read(recording: Any) -> Recording:
    if isinstance(recording, Recording):
        return recording
    if isinstance(recording, str | os.PathLike):
        from leadlight.files import read

        return read(recording)
    raise ContractError(
        f"recording: found {kind_of(recording)}; accepted: a Recording (leadlight.read(path)) or "
        "a path. predict_signals takes arrays (n, leads, samples) that are already in the model's form."
    )


def _are_several(recordings: Any) -> bool:
    return isinstance(recordings, Iterable) and not isinstance(recordings, bytes)


def _check_longer(longer: str) -> None:
    if longer not in get_args(Longer):
        raise ContractError(f"longer: found {longer!r}; accepted: {', '.join(get_args(Longer))}.")


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise ContractError(f"batch_size: found {batch_size}; accepted: 1 or more.")
