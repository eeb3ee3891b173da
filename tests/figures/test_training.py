"""How a training went."""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlight.figures import plot_training


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
    assert "best: 0.910\nafter epoch 2" in written(plot_training(rows([0.8, 0.91, 0.9])))


def test_an_undefined_auc_does_not_hide_the_best_epoch() -> None:
    assert "best: 0.700\nafter epoch 3" in written(plot_training(rows([np.nan, 0.6, 0.7])))


def test_one_epoch_makes_a_figure() -> None:
    assert "best: 0.500\nafter epoch 1" in written(plot_training(rows([0.5])))
