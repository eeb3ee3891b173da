"""A recording as one prediction reads it: the inputs of the network, and one answer for all of them.

A long recording is read in windows, and the contract's rule makes one answer of theirs. Explanations
are of that answer: each window counts as much as it counts there, and maps of windows are added
where they overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.classifier.windows import aggregate_of, record_logits
from leadlight.recording import Recording
from leadlight.signal import View

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import Tensor

    from leadlight.classifier import Classifier

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

BATCH = 32
"""Inputs that go through the network together; with gradients, half as many."""


class Reading:
    """What a classifier reads of a recording.

    recording: all of it that is read, in millivolts, at the model's rate; inputs: (windows, leads,
    samples), one window for most recordings; starts: first sample of each window in ``recording``;
    metadata: (columns,), what the model reads of age and sex, or None; it counts the passes.
    """

    def __init__(self, classifier: Classifier, views: Sequence[View]) -> None:
        self.classifier = classifier
        self.views = list(views)
        self.inputs: Singles = np.stack([view.values for view in views])
        rate = views[0].recording.sampling_rate
        first = views[0].start if len(views) > 1 else 0.0
        self.starts = [round((view.start - first) * rate) if len(views) > 1 else 0 for view in views]
        self.recording = _join(views, self.starts)
        stated = classifier.contract.metadata
        self.metadata: Singles | None = None if stated is None else stated.of([self.recording.patient])[0]
        self.forward_passes = 0
        self.backward_passes = 0

    @property
    def n_samples(self) -> int:
        """Length of ``recording``."""
        return self.recording.n_samples

    @property
    def window_samples(self) -> int:
        """Length of one input."""
        return int(self.inputs.shape[2])

    @property
    def uniform(self) -> Floats:
        """Shares of a map that is the same everywhere in each input: (leads, samples), sum one."""
        everywhere = self.join(np.ones(self.inputs.shape))
        result: Floats = everywhere / everywhere.sum()
        return result

    @property
    def unknown_metadata(self) -> Singles | None:
        """What the model reads where neither age nor sex is known."""
        stated = self.classifier.contract.metadata
        if stated is None or self.metadata is None:
            return None
        everyone = np.ones(1, dtype=bool)
        unknown: Singles = stated.hidden(self.metadata[np.newaxis], everyone, everyone)[0]
        return unknown

    def numbers(self, codes: Sequence[str]) -> list[int]:
        """Places of classes among the outputs."""
        order = [code for code, _ in self.classifier.classes]
        return [order.index(code) for code in codes]

    def join(self, values: NDArray[np.floating]) -> Floats:
        """Maps of the windows (windows, ..., samples) added up over the recording: (..., its samples)."""
        whole = np.zeros((*values.shape[1:-1], self.n_samples))
        for one, start in zip(values, self.starts, strict=True):
            whole[..., start : start + values.shape[-1]] += one
        return whole

    # Answers

    def window_logits(self, inputs: Singles, metadata: Singles | None = None) -> NDArray[np.float64]:
        """Logits (inputs, classes) of single inputs (inputs, leads, samples), without gradients.

        metadata: (columns,), the patient's if left out.
        """
        import torch

        beside = self.metadata if metadata is None else metadata
        parts = []
        with torch.inference_mode():
            for first in range(0, len(inputs), BATCH):
                batch = np.ascontiguousarray(inputs[first : first + BATCH])
                parts.append(self._forward(self.tensor(batch), beside).double().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, len(self.classifier.classes)))

    def record_logits(self, of_windows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Logits of the windows (n, windows, classes) to those of the record (n, classes)."""
        import torch

        flat = torch.from_numpy(np.ascontiguousarray(of_windows, dtype=np.float64)).flatten(0, 1)
        counts = [of_windows.shape[1]] * len(of_windows)
        result: NDArray[np.float64] = record_logits(flat, counts, self.aggregate).numpy()
        return result

    def answers(self, variants: Iterable[Singles], metadata: Singles | None = None) -> NDArray[np.float64]:
        """Logits of the record (variants, classes) for other inputs in place of its own."""
        of_windows = [self.window_logits(one, metadata) for one in variants]
        return self.record_logits(np.stack(of_windows))

    @property
    def aggregate(self) -> str:
        """How windows become one answer."""
        return aggregate_of(self.classifier.contract.preprocessing)

    # Gradients

    def mean_gradient(
        self,
        points: Iterable[tuple[Singles, Singles | None, float]],
        targets: Sequence[int],
        rule: Callable[[], AbstractContextManager[object]] | None = None,
    ) -> tuple[Floats, Floats | None]:
        """Weighted sum of the gradients of the record's logits at several points.

        points: (inputs, metadata, weight), each in the form of the record's own; targets: places of
        classes; rule: a context for the passes, such as another backward rule. Returns (targets,
        windows, leads, samples) and, for a model that reads metadata, (targets, columns).
        """
        total = np.zeros((len(targets), *self.inputs.shape))
        beside = None if self.metadata is None else np.zeros((len(targets), len(self.metadata)))
        for group in _groups(points, max(1, BATCH // 2 // len(self.inputs))):
            shares = [self.window_shares(inputs, metadata, targets) for inputs, metadata, _ in group]
            flat = [
                (number, window)
                for number in range(len(group))
                for window in range(len(self.inputs))
                if shares[number][:, window].any()
            ]
            for first in range(0, len(flat), BATCH // 2):
                part = flat[first : first + BATCH // 2]
                signals = np.stack([group[number][0][window] for number, window in part])
                columns = [group[number][1] for number, _ in part]
                weights = np.stack(
                    [shares[number][:, window] * group[number][2] for number, window in part], 1
                )
                metadata = (
                    None if columns[0] is None else np.stack([one for one in columns if one is not None])
                )
                own, of_metadata = self._gradients(signals, metadata, targets, weights, rule)
                for place, (_, window) in enumerate(part):
                    total[:, window] += own[:, place]
                if beside is not None and of_metadata is not None:
                    beside += of_metadata.sum(1)
        return total, beside

    def window_shares(
        self, inputs: Singles, metadata: Singles | None, targets: Sequence[int]
    ) -> NDArray[np.float64]:
        """How much each window's logit counts in the record's: its derivative, (targets, windows)."""
        import torch

        if len(inputs) == 1:
            return np.ones((len(targets), 1))
        logits = torch.from_numpy(self.window_logits(inputs, metadata)).requires_grad_()
        answer = record_logits(logits, [len(inputs)], self.aggregate)[0]
        rows = [
            torch.autograd.grad(answer[target], logits, retain_graph=True)[0][:, target].numpy()
            for target in targets
        ]
        return np.stack(rows)

    def _gradients(
        self,
        signals: Singles,
        metadata: Singles | None,
        targets: Sequence[int],
        weights: NDArray[np.float64],
        rule: Callable[[], AbstractContextManager[object]] | None,
    ) -> tuple[Floats, Floats | None]:
        """Gradients of weights (targets, inputs) x logits: of the signals, and of the metadata."""
        import torch

        from leadlight.explanation.passing import gradients_allowed

        signal = self.tensor(signals).requires_grad_()
        beside = None if metadata is None else self.tensor(metadata).requires_grad_()
        with torch.enable_grad(), gradients_allowed(signal.device), (rule or nullcontext)():
            logits = self._forward(signal, beside)
            found, of_metadata = [], []
            inputs = (signal,) if beside is None else (signal, beside)
            for row, target in enumerate(targets):
                seed = torch.from_numpy(weights[row]).to(logits)
                # Where a class does not depend on the input at all, its gradient is zero.
                parts = torch.autograd.grad(
                    (logits[:, target] * seed).sum(), inputs, retain_graph=row < len(targets) - 1,
                    materialize_grads=True,
                )  # fmt: skip
                self.backward_passes += len(signals)
                found.append(parts[0].double().cpu().numpy())
                if beside is not None:
                    of_metadata.append(parts[1].double().cpu().numpy())
        return np.stack(found), np.stack(of_metadata) if of_metadata else None

    # The network

    def tensor(self, values: Singles) -> Tensor:
        """On the network's device."""
        import torch

        device = next(self.classifier.module.parameters()).device
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)

    def _forward(self, signals: Tensor, metadata: Singles | Tensor | None) -> Tensor:
        """Logits of a batch of inputs; metadata (columns,) is every input's."""
        self.forward_passes += len(signals)
        if metadata is None:
            logits: Tensor = self.classifier.module(signals)
            return logits
        beside = self.tensor(metadata) if isinstance(metadata, np.ndarray) else metadata
        if beside.ndim == 1:
            beside = beside.expand(len(signals), -1)
        logits = self.classifier.module(signals, beside)
        return logits

    def forward(self, signals: Tensor) -> Tensor:
        """Logits of a batch of the patient's inputs, with whatever gradients are asked for."""
        return self._forward(signals, self.metadata)


def _groups(
    points: Iterable[tuple[Singles, Singles | None, float]], size: int
) -> Iterator[list[tuple[Singles, Singles | None, float]]]:
    group: list[tuple[Singles, Singles | None, float]] = []
    for point in points:
        group.append(point)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _join(views: Sequence[View], starts: Sequence[int]) -> Recording:
    """The windows' recordings set one after the other; where two overlap, half comes from each."""
    first = views[0].recording
    if len(views) == 1:
        return first
    length = first.n_samples
    signal = np.zeros((len(first.leads), starts[-1] + length), dtype=np.float32)
    end = 0
    for view, start in zip(views, starts, strict=True):
        begin = start + max(0, end - start) // 2
        signal[:, begin : start + length] = view.recording.signal[:, begin - start :]
        end = start + length
    return replace(first, signal=signal)
