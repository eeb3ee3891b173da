"""Losses on logits; labels that a source cannot tell do not count."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def binary_cross_entropy(logits: Tensor, targets: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of the binary cross-entropy over all known labels, and how many there are.

    logits, targets, known: (batch, classes); known is 1 where the label counts.
    The quotient of the two is the mean over records and classes; kept apart,
    they can be added up over batches and processes of different size.
    """
    each = functional.binary_cross_entropy_with_logits(logits.float(), targets, reduction="none")
    return (each * known).sum(), known.sum()
