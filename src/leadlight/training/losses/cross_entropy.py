"""Binary cross-entropy and what is made of it cell by cell: weights and focal losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from leadlight.training.losses.terms import LossTerms, single

Cells = Callable[[Tensor, Tensor], Tensor]
"""Logits and targets (batch, classes) to the loss of each label, (batch, classes)."""

CLIP = 1e-7


@dataclass(frozen=True, eq=False)
class OverLabels:
    """The mean over all known labels. A network with several heads: the sum over its heads."""

    cells: Cells

    def __call__(
        self, outputs: tuple[Tensor, ...], targets: Tensor, known: Tensor, signal: Tensor
    ) -> LossTerms:
        """One term: the sum over the known labels, and how many there are."""
        each = torch.stack([self.cells(single(logits), targets) for logits in outputs]).sum(0)
        return LossTerms((each * known).sum()[None], known.sum()[None])


def weighted_cross_entropy(positive_weights: Tensor | None) -> Cells:
    """-(v y ln p + (1 - y) ln(1 - p)), p the sigmoid of the logit; v: (classes,), of positive labels."""

    def cells(logits: Tensor, targets: Tensor) -> Tensor:
        weights = None if positive_weights is None else positive_weights.to(logits)
        return functional.binary_cross_entropy_with_logits(
            logits, targets, pos_weight=weights, reduction="none"
        )

    return cells


def focal(alpha: float, gamma: float, positive_weights: Tensor | None = None) -> Cells:
    """The focal loss of Lin et al. (ICCV 2017, doi:10.1109/ICCV.2017.324).

    -alpha (1 - p)^gamma ln p where the label is positive, -(1 - alpha) p^gamma ln(1 - p) where it is
    negative. positive_weights: (classes,), further factors of the positive labels.
    """

    def cells(logits: Tensor, targets: Tensor) -> Tensor:
        positive = alpha * _power(torch.sigmoid(-logits), gamma) * functional.softplus(-logits)
        negative = (1 - alpha) * _power(torch.sigmoid(logits), gamma) * functional.softplus(logits)
        if positive_weights is not None:
            positive = positive * positive_weights.to(positive)
        return targets * positive + (1 - targets) * negative

    return cells


def focal_published(alpha: float, gamma: float, class_weights: Tensor) -> Cells:
    """The loss that Conv-BiLSTM-attention was trained with: w alpha (1 - exp(-b))^gamma b.

    b is the binary cross-entropy from the logit. Neither alpha nor the class weights w, (classes,),
    tell positive from negative labels: they weigh the classes against each other.
    """

    def cells(logits: Tensor, targets: Tensor) -> Tensor:
        each = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        return class_weights.to(each) * alpha * _power(-torch.expm1(-each), gamma) * each

    return cells


def focal_published_of_probabilities(
    probabilities: Tensor, targets: Tensor, alpha: float, gamma: float, class_weights: Tensor
) -> Tensor:
    """The same from probabilities, (batch, classes) each, as Keras 2 computes it without the logits.

    Clipped to [1e-7, 1 - 1e-7], and 1e-7 more inside both logarithms: for reproduction.
    """
    clipped = probabilities.clamp(CLIP, 1 - CLIP)
    each = -(targets * torch.log(clipped + CLIP) + (1 - targets) * torch.log(1 - clipped + CLIP))
    return class_weights * alpha * (1 - torch.exp(-each)) ** gamma * each


def _power(base: Tensor, exponent: float) -> Tensor:
    """base^exponent for bases of 0 and above; its gradient at 0 stays finite for exponents below 1."""
    return base.clamp(min=1e-30) ** exponent if exponent else torch.ones_like(base)
