"""The loss of the Challenge 2021's winner: cross-entropy, a differentiable Challenge score, sparsity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from leadlight.training.losses.cross_entropy import weighted_cross_entropy
from leadlight.training.losses.terms import LossTerms, single

SMALLEST_UNION = 1e-6


@dataclass(frozen=True, eq=False)
class ChallengeScoreLoss:
    """Binary cross-entropy - score_weight x score + sparsity_weight x sparsity.

    Nejedly et al., Computing in Cardiology 2021, doi:10.23919/CinC53138.2021.9662723. The
    cross-entropy is taken of the last head; score and sparsity of the first, whose answer
    ``forward`` gives. A network with one head has all three of it. weights: (classes, classes),
    rows labels, columns answers; positive_weights: (classes,).
    """

    weights: Tensor
    positive_weights: Tensor | None
    score_weight: float
    sparsity_weight: float

    def __call__(
        self, outputs: tuple[Tensor, ...], targets: Tensor, known: Tensor, signal: Tensor
    ) -> LossTerms:
        """Three terms, over labels, records and labels."""
        cells = weighted_cross_entropy(self.positive_weights)(single(outputs[-1]), targets)
        probabilities = torch.sigmoid(single(outputs[0]))
        records = known.any(1).to(known.dtype).sum()
        score = challenge_score(probabilities, targets, known, self.weights.to(probabilities)).sum()
        sparsity = (4 * probabilities * (1 - probabilities) * known).sum()
        sums = [(cells * known).sum(), -self.score_weight * score, self.sparsity_weight * sparsity]
        return LossTerms(torch.stack(sums), torch.stack([known.sum(), records, known.sum()]))


def challenge_score(probabilities: Tensor, targets: Tensor, known: Tensor, weights: Tensor) -> Tensor:
    """The Challenge's score of each record with probabilities in place of answers, (batch,).

    The sum over labels j and classes k of t_j W_jk p_k, divided by the soft count of the union
    of labels and answers. A label that is not known is neither stated nor answered.
    """
    truth, answers = targets * known, probabilities * known
    union = SMALLEST_UNION + (truth + answers - truth * answers).sum(1)
    return ((truth @ weights) * answers).sum(1) / union
