"""What a loss gives: sums and counts, which add up over batches and processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class LossTerms:
    """The terms of a loss, each a mean that is kept apart as its sum and its count.

    sums, counts: (terms,), float32; the loss is the sum of their quotients. The counts
    carry no gradient. Labels that are not known count nowhere, and a record of which
    nothing is known takes no part.
    """

    sums: Tensor
    counts: Tensor


class Loss(Protocol):
    """Compares what a network says with the labels."""

    def __call__(
        self, outputs: tuple[Tensor, ...], targets: Tensor, known: Tensor, signal: Tensor
    ) -> LossTerms:
        """outputs: the logits of each head, (batch, classes); targets: 0 to 1; known: 1 where a label counts.

        signal: what the network read, (batch, leads, samples).
        """
        ...


def mean_loss(sums: Tensor, counts: Tensor) -> Tensor:
    """The loss of sums and counts; a term that nothing counts for is 0."""
    return (sums / counts.clamp(min=1e-12)).sum()


def single(logits: Tensor) -> Tensor:
    """Half precision, of a network that runs in it, raised to single; double stays."""
    return logits if logits.dtype == torch.float64 else logits.float()
