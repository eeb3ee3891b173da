"""The asymmetric loss, for many classes of which few are positive."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from leadlight.training.losses.cross_entropy import Cells

SMALLEST = 1e-8


def asymmetric(gamma_positive: float, gamma_negative: float, margin: float) -> Cells:
    """Ridnik et al., Asymmetric Loss for Multi-Label Classification, ICCV 2021 (section 2.2-2.4).

    -(1 - p)^g+ ln p where the label is positive; where it is negative, -q^g- ln(1 - q) with
    q = max(p - margin, 0): negatives that are easy (p below the margin) weigh nothing.
    doi:10.1109/ICCV48922.2021.00015. The gradient passes through the focusing factor, too.
    """

    def cells(logits: Tensor, targets: Tensor) -> Tensor:
        probability, rest = torch.sigmoid(logits), torch.sigmoid(-logits)
        positive = functional.softplus(-logits)
        if gamma_positive:
            positive = rest.clamp(min=SMALLEST) ** gamma_positive * positive
        shifted = (probability - margin).clamp(min=0)
        negative = -torch.log((rest + margin).clamp(SMALLEST, 1)) if margin else functional.softplus(logits)
        if gamma_negative:
            # Exactly 0 below the margin, and a finite gradient there for exponents below 1.
            negative = torch.where(
                shifted > 0,
                shifted.clamp(min=SMALLEST) ** gamma_negative * negative,
                torch.zeros_like(shifted),
            )
        return targets * positive + (1 - targets) * negative

    return cells
