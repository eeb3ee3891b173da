"""Losses on logits, one file a loss. Labels that a source cannot tell do not count.

``build_loss`` makes what a recipe names. Every loss gives sums and counts (``LossTerms``):
kept apart, they add up over batches and processes of different size.
"""

from __future__ import annotations

from leadlight.training.losses.building import build_loss
from leadlight.training.losses.terms import Loss, LossTerms, mean_loss

__all__ = ["Loss", "LossTerms", "build_loss", "mean_loss"]
