"""Examples are chosen by their numbers: told best, told worst, hardest to tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadlight.evaluation.comparison_runs import Evaluated
from leadlight.report import choose_examples

CLASSES = ("MI", "NORM")


def evaluated(
    truth: list[list[int]], scores: list[list[float]], known: list[list[int]] | None = None
) -> Evaluated:
    n = len(truth)
    return Evaluated(
        "one", Path("one"), "ptb-xl", False, CLASSES, tuple(f"r{k}" for k in range(n)),
        tuple(f"p{k}" for k in range(n)), np.array(truth, bool),
        np.ones((n, 2), bool) if known is None else np.array(known, bool), np.array(scores),
        np.array([0.4, 0.5]), (),
    )  # fmt: skip


TRUTH = [[1, 0], [1, 0], [0, 1], [0, 1], [0, 1], [1, 0], [0, 0]]
SCORES = [[0.99, 0.01], [0.02, 0.1], [0.05, 0.97], [0.9, 0.6], [0.41, 0.9], [0.8, 0.3], [0.01, 0.01]]


def test_best_worst_and_uncertain_are_those_of_the_numbers() -> None:
    chosen = choose_examples(evaluated(TRUTH, SCORES), each=1)
    assert [(one.kind, one.row, one.target) for one in chosen] == [
        ("best", 0, "MI"), ("worst", 1, "MI"), ("uncertain", 4, "MI"),
    ]  # fmt: skip
    assert (chosen[1].truth, chosen[1].called) == (("MI",), ())
    assert "missed" in chosen[1].because
    assert (chosen[2].probability, chosen[2].threshold) == (0.41, 0.4)


def test_further_ones_are_of_other_classes_where_there_are() -> None:
    chosen = choose_examples(evaluated(TRUTH, SCORES), each=2)
    assert [one.target for one in chosen if one.kind == "best"] == ["MI", "NORM"]
    assert len({one.row for one in chosen}) == len(chosen)


def test_a_record_without_any_finding_is_never_told_best() -> None:
    chosen = choose_examples(evaluated([[0, 0], [1, 0]], [[0.001, 0.001], [0.7, 0.2]]), each=1)
    assert next(one for one in chosen if one.kind == "best").row == 1


def test_what_is_unknown_takes_no_part() -> None:
    known = [[1, 1]] * 7
    known[1] = [0, 1]
    chosen = choose_examples(evaluated(TRUTH, SCORES, known), each=1)
    worst = next(one for one in chosen if one.kind == "worst")
    assert (worst.row, worst.target) == (3, "MI")
    assert "false alarm" in worst.because


def test_a_model_that_is_always_right_has_no_worst_example() -> None:
    chosen = choose_examples(evaluated(TRUTH[:1], SCORES[:1]), each=2)
    assert [one.kind for one in chosen] == ["best"]
