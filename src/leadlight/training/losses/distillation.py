"""Distillation: a small network learns the labels and its teacher's answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadlight.training.losses.cross_entropy import weighted_cross_entropy
from leadlight.training.losses.terms import LossTerms, single


@dataclass(frozen=True, eq=False)
class DistillationLoss:
    """alpha T^2 KL + (1 - alpha) binary cross-entropy, with a teacher that no longer learns.

    Hinton, Vinyals, Dean 2015, arXiv:1503.02531, as MVMS-Net's student was trained. KL is the mean
    over records of the divergence of the student's softened answer from the teacher's. over: "classes"
    takes one softmax over the (known) classes, as published; "each class" a sigmoid for each and the
    sum over them, which keeps how many findings the teacher sees. The teacher reads the same batch
    in evaluation mode (published: in training mode, so that it changed while it taught).
    """

    teacher: nn.Module
    alpha: float
    temperature: float
    over: Literal["classes", "each class"]

    def __call__(
        self, outputs: tuple[Tensor, ...], targets: Tensor, known: Tensor, signal: Tensor
    ) -> LossTerms:
        """Two terms: the divergence over records, the cross-entropy over labels; summed over the heads."""
        with torch.no_grad():
            taught = single(self.teacher.to(signal.device)(signal))
        divergence = targets.new_zeros(())
        for logits in outputs:
            divergence = divergence + self.divergence(single(logits), taught, known)
        cells = torch.stack([weighted_cross_entropy(None)(single(logits), targets) for logits in outputs])
        records = known.any(1).to(known.dtype).sum()
        sums = [
            self.alpha * self.temperature**2 * divergence,
            (1 - self.alpha) * (cells.sum(0) * known).sum(),
        ]
        return LossTerms(torch.stack(sums), torch.stack([records, known.sum()]))

    def divergence(self, student: Tensor, teacher: Tensor, known: Tensor) -> Tensor:
        """Sum over records of the divergence of the softened answers; logits (batch, classes)."""
        soft_student, soft_teacher = student / self.temperature, teacher / self.temperature
        if self.over == "classes":
            hidden = known == 0
            # A finite number, so that a record of which nothing is known gives no NaN.
            p = functional.log_softmax(soft_student.masked_fill(hidden, -1e9), dim=1)
            q = functional.log_softmax(soft_teacher.masked_fill(hidden, -1e9), dim=1)
            return (q.exp() * (q - p) * known).sum()
        return sum(
            (
                (torch.sigmoid(sign * soft_teacher)
                 * (functional.logsigmoid(sign * soft_teacher) - functional.logsigmoid(sign * soft_student))
                 * known).sum()
                for sign in (1, -1)
            ),
            start=student.new_zeros(()),
        )  # fmt: skip
