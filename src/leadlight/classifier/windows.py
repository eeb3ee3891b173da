"""How the windows of a long recording become one answer: the same in training, evaluation and prediction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.signal import Preprocessing

if TYPE_CHECKING:
    from torch import Tensor


def record_logits(logits: Tensor, windows: Sequence[int], aggregate: str) -> Tensor:
    """Logits of the windows (all windows, classes) to logits of their records (records, classes).

    windows: how many each record has, in the order of the logits; aggregate: as the step ``crop``
    states it. The sigmoid of the result is the mean or the largest of the windows' probabilities,
    or belongs to the mean of their logits. A record of one window keeps its logits to the bit.
    """
    import torch

    if all(n == 1 for n in windows):
        return logits
    parts = torch.split(logits, list(windows))
    return torch.stack([_one(part, aggregate) if len(part) > 1 else part[0] for part in parts])


def _one(logits: Tensor, aggregate: str) -> Tensor:
    """(windows, classes) to (classes,)."""
    from torch.nn.functional import logsigmoid

    if aggregate == "max":
        return logits.amax(dim=0)
    if aggregate == "mean-logit":
        return logits.mean(dim=0)
    # The logit of the mean probability, without losing those near 0 and 1: the mean of p over that of 1 - p.
    return logsigmoid(logits).logsumexp(dim=0) - logsigmoid(-logits).logsumexp(dim=0)


def window_counts(lengths: NDArray[np.int64], preprocessing: Preprocessing) -> NDArray[np.int64]:
    """How many model inputs a prediction reads of records so long, at the rate where the steps begin."""
    counts = {int(length): len(preprocessing.window_starts(int(length))) for length in np.unique(lengths)}
    return np.array([counts[int(length)] for length in lengths], dtype=np.int64)


def parts_of(windows: NDArray[np.int64], at_most: int, at_least: int = 1) -> Iterator[slice]:
    """Records that are read together, in their order: as many as have at most so many windows.

    windows: of each record; at_least: so many records all the same, but for the last part.
    """
    last = np.cumsum(windows)
    start = 0
    while start < len(windows):
        before = int(last[start - 1]) if start else 0
        stop = max(start + at_least, int(np.searchsorted(last, before + at_most, side="right")))
        yield slice(start, min(stop, len(windows)))
        start = stop


def aggregate_of(preprocessing: Preprocessing) -> str:
    """The stated rule; "mean" where no step states one."""
    return "mean" if preprocessing.crop is None else preprocessing.crop.aggregate
