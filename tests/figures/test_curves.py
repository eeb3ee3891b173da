"""Training and ROC curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leadlight.figures import plot_roc, plot_training


def written(figure: Any) -> str:
    labels = [text.get_text() for axes in figure.axes for text in axes.texts]
    legends = [
        text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()
    ]
    return " | ".join(labels + legends)


def rows(aucs: list[float]) -> list[dict[str, float]]:
    return [
        {"epoch": n + 1, "train_loss": 0.5, "validation_loss": 0.6, "validation_macro_auc": auc}
        for n, auc in enumerate(aucs)
    ]


def test_the_best_epoch_is_marked() -> None:
    assert "best: 0.910 after epoch 2" in written(plot_training(rows([0.8, 0.91, 0.9])))


def test_an_undefined_auc_does_not_hide_the_best_epoch() -> None:
    assert "best: 0.700 after epoch 3" in written(plot_training(rows([np.nan, 0.6, 0.7])))


def test_one_epoch_makes_a_figure() -> None:
    assert "best: 0.500 after epoch 1" in written(plot_training(rows([0.5])))


def test_roc_areas_are_those_of_counting_pairs() -> None:
    truth = np.array([[1], [1], [0], [0], [0]], np.uint8)
    scores = np.float32([[0.9], [0.4], [0.6], [0.4], [0.1]])
    # Of 6 pairs 4 are in order and one is tied.
    assert f"MI: {4.5 / 6:.3f} (2 of 5)" in written(plot_roc(["MI"], truth, scores, np.ones((5, 1), bool)))


def test_unknown_truth_takes_no_part_in_a_roc_curve() -> None:
    truth = np.array([[1], [0], [0]], np.uint8)
    scores = np.float32([[0.5], [0.1], [0.9]])
    known = np.array([[True], [True], [False]])
    assert "MI: 1.000 (1 of 2)" in written(plot_roc(["MI"], truth, scores, known))


@pytest.mark.parametrize("value", [0, 1])
def test_a_class_without_positives_or_negatives_has_no_curve_and_says_so(value: int) -> None:
    truth = np.full((4, 1), value, np.uint8)
    text = written(plot_roc(["HYP"], truth, np.zeros((4, 1), np.float32), np.ones((4, 1), bool)))
    assert f"HYP: not defined, {4 * value} of 4" in text
