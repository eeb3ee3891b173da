"""The main figures look as they did: compared with small pictures kept beside this file.

After a change that is meant, look at each picture and write them anew:
``LEADLIGHT_BASELINES=write pytest tests/figures/test_images.py``.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context
from numpy.typing import NDArray

BASELINES = Path(__file__).parent / "baselines"
DOTS_PER_INCH = 60
BLOCK = 4
"""Pixels: pictures are compared by the means of such blocks, so that the edges of letters do not count."""
FARTHEST = 0.1
"""How far the mean of a block may lie from the picture kept, of 0 to 1; and how many may lie beyond that."""
FEW = 0.004
MAIN = (
    "tracing-3x4", "tracing-single", "relevance-bands", "relevance-signed-trace", "explanation", "close-up",
    "lead-waves-signed", "roc", "precision-recall", "confusion", "by-class", "distributions", "reliability",
    "thresholds", "forest", "cooccurrence", "training",
)  # fmt: skip


def pixels(data: bytes) -> NDArray[np.float64]:
    from matplotlib.image import imread

    return np.asarray(imread(io.BytesIO(data)), dtype=np.float64)[..., :3]


def blocks(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of blocks, with the pixels at the right and the lower edge left out."""
    rows, columns = (size // BLOCK for size in picture.shape[:2])
    cut = picture[: rows * BLOCK, : columns * BLOCK]
    return cut.reshape(rows, BLOCK, columns, BLOCK, 3).mean(axis=(1, 3))


def share_apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Share of the blocks that differ."""
    return float((np.abs(blocks(one) - blocks(other)).max(axis=2) > FARTHEST).mean())


def picture_of(figure: Any) -> bytes:
    buffer = io.BytesIO()
    with rc_context({"savefig.bbox": None, "font.family": "DejaVu Sans"}):
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def test_it_looks_as_it_did(drawn: tuple[str, Any]) -> None:
    name, figure = drawn
    if name not in MAIN:
        pytest.skip("structure and legibility are tested; no picture is kept")
    made, kept = picture_of(figure), BASELINES / f"{name}.png"
    if os.environ.get("LEADLIGHT_BASELINES") == "write":
        BASELINES.mkdir(exist_ok=True)
        kept.write_bytes(made)
    one, other = pixels(made), pixels(kept.read_bytes())
    assert one.shape == other.shape
    assert share_apart(one, other) <= FEW


def test_the_comparison_sees_a_curve_that_moved_and_one_that_is_missing() -> None:
    def of(shift: float, curve: bool = True) -> NDArray[np.float64]:
        from leadlight.figures.chart import chart
        from leadlight.figures.paper import new_page

        page = new_page(88.0, 60.0)
        axes = chart(page, 12.0, 12.0, 70.0, 42.0)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        if curve:
            axes.plot([0, 1], [0.2 + shift, 0.8 + shift], color="#0072b2", linewidth=1.2)
        return pixels(picture_of(page))

    assert share_apart(of(0), of(0)) == 0
    assert share_apart(of(0), of(0.06)) > FEW
    assert share_apart(of(0), of(0, curve=False)) > FEW
