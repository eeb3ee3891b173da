"""Which recordings of an evaluation are worth a look: told best, told worst, and hardest to tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlight.evaluation.arrays import Bools, Floats
from leadlight.evaluation.comparison_runs import Evaluated

KINDS = ("best", "worst", "uncertain")
_SMALLEST = 1e-7


@dataclass(frozen=True)
class Choice:
    """A recording and the class that it is looked at for.

    kind: one of KINDS; row: of predictions.parquet, from 0; target: the class; truth, called: codes;
    probability, threshold: of the target; because: why it was chosen, a sentence.
    """

    kind: str
    row: int
    record_id: str
    target: str
    truth: tuple[str, ...]
    called: tuple[str, ...]
    probability: float
    threshold: float
    because: str


def choose_examples(evaluated: Evaluated, each: int = 2) -> tuple[Choice, ...]:
    """``each`` recordings of every kind, of different classes as far as there are.

    best: every class called rightly and a finding present, with the smallest mean log loss; explained for its
    most probable finding. worst: the largest log loss of a single class: a miss or a false alarm that the
    model was sure of. uncertain: a probability nearest to its threshold, in logits. Classes without a
    threshold and unknown entries take no part. Ties go to the first record; nothing is drawn by chance.
    """
    truth, known = evaluated.truth & evaluated.known, evaluated.known & np.isfinite(evaluated.thresholds)
    scores = np.clip(evaluated.scores, _SMALLEST, 1 - _SMALLEST)
    limits = evaluated.thresholds
    called = (evaluated.scores >= limits) & known
    loss = np.where(known, -np.log(np.where(truth, scores, 1 - scores)), 0.0)
    found: list[Choice] = []
    taken: set[int] = set()

    def take(kind: str, ordered: list[tuple[int, int]], because: str) -> None:
        """The first of each class, then the first of those that are left."""
        chosen: list[tuple[int, int]] = []
        for new_class in (True, False):
            for row, k in ordered:
                is_new = all(k != one[1] for one in chosen)
                if len(chosen) < each and row not in taken and is_new == new_class:
                    chosen.append((row, k))
                    taken.add(row)
        found.extend(_choice(evaluated, kind, row, k, called, truth, because) for row, k in chosen)

    all_right = ((called == truth) | ~known).all(axis=1) & (truth & known).any(axis=1)
    mean_loss = loss.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    best = [row for row in np.argsort(mean_loss, kind="stable") if all_right[row]]
    surest = np.where(truth & known, scores, -1.0).argmax(axis=1)
    take(
        "best", [(int(row), int(surest[row])) for row in best],
        "Every class is called rightly, with little doubt.",
    )  # fmt: skip
    wrong = (called != truth) & known
    take("worst", _largest(np.where(wrong, loss, -np.inf)), "")
    edges = np.clip(np.nan_to_num(limits, nan=0.5), _SMALLEST, 1 - _SMALLEST)
    distance = np.where(known, -np.abs(_logit(scores) - _logit(edges)), -np.inf)
    take("uncertain", _largest(distance), "Its probability lies closest to the threshold.")
    return tuple(found)


def _choice(
    evaluated: Evaluated, kind: str, row: int, k: int, called: Bools, truth: Bools, because: str
) -> Choice:
    codes = evaluated.classes
    if kind == "worst":
        what = "missed" if truth[row, k] else "a false alarm"
        because = f"{codes[k]} is {what}, and the model was sure of it: the largest error of all."
    return Choice(
        kind=kind,
        row=row,
        record_id=evaluated.record_ids[row],
        target=codes[k],
        truth=tuple(code for code, one in zip(codes, truth[row], strict=True) if one),
        called=tuple(code for code, one in zip(codes, called[row], strict=True) if one),
        probability=float(evaluated.scores[row, k]),
        threshold=float(evaluated.thresholds[k]),
        because=because,
    )


def _largest(values: Floats, most: int = 500) -> list[tuple[int, int]]:
    """Rows and classes from the largest value down, without those at -inf."""
    flat = np.argsort(-values, axis=None, kind="stable")[:most]
    places = np.stack(np.unravel_index(flat, values.shape), axis=1)
    return [(int(row), int(k)) for row, k in places if np.isfinite(values[row, k])]


def _logit(values: Floats) -> Floats:
    return np.asarray(np.log(values) - np.log1p(-values))
