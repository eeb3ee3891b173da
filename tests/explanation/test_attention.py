"""Three levels of attention become one relevance: computed by hand, summing to one, and as published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from leadlight.errors import ModelError
from leadlight.explanation import compose, published_relevance
from leadlight.explanation.attention import uniform

FIXTURE = Path(__file__).parents[1] / "parity" / "imle" / "imle_net.io.npz"


def shares(rng: np.random.Generator, *shape: int) -> np.ndarray:
    values = rng.random(shape) + 0.01
    return values / values.sum(axis=-1, keepdims=True)


def test_relevance_is_channel_times_rhythm_times_beat_spread_over_the_samples_of_a_step() -> None:
    # Two leads, one segment of 5 samples, two steps: samples 0-2 and samples 3-4.
    beat = np.array([[[0.6, 0.4]], [[0.1, 0.9]]])
    relevance, beyond = compose(beat, np.array([[1.0], [1.0]]), np.array([0.75, 0.25]), 5, 5)
    assert_allclose(
        relevance,
        [[0.15, 0.15, 0.15, 0.15, 0.15], [0.025 / 3, 0.025 / 3, 0.025 / 3, 0.1125, 0.1125]],
    )
    assert beyond == 0


def test_rhythm_counts() -> None:
    beat = np.full((1, 2, 1), 1.0)
    relevance, _ = compose(beat, np.array([[0.8, 0.2]]), np.array([1.0]), 4, 2)
    assert_allclose(relevance, [[0.4, 0.4, 0.1, 0.1]])


def test_thirteen_steps_of_fifty_samples_stand_for_four_samples_each_and_the_last_for_two() -> None:
    for step in range(13):
        beat = np.zeros((1, 1, 13))
        beat[0, 0, step] = 1.0
        relevance, _ = compose(beat, np.ones((1, 1)), np.ones(1), 50, 50)
        expected = np.arange(4 * step, 4 * step + 4) if step < 12 else np.array([48, 49])
        assert_allclose(np.flatnonzero(relevance[0]), expected)
        assert_allclose(relevance[0, expected], 1 / len(expected))


@settings(deadline=None, max_examples=60)
@given(
    leads=st.integers(1, 12), segment=st.integers(1, 60), halvings=st.integers(0, 3),
    n_samples=st.integers(1, 400), seed=st.integers(0, 100),
)  # fmt: skip
def test_relevance_sums_to_one(leads: int, segment: int, halvings: int, n_samples: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    segment = min(segment, n_samples)
    steps = segment
    for _ in range(halvings):
        steps = -(-steps // 2)
    segments = -(-n_samples // segment)
    relevance, beyond = compose(
        shares(rng, leads, segments, steps),
        shares(rng, leads, segments),
        shares(rng, leads),
        n_samples,
        segment,
    )
    assert relevance.shape == (leads, n_samples)
    assert (relevance >= 0).all()
    assert relevance.sum() == pytest.approx(1.0, abs=1e-12)
    assert 0 <= beyond < 1


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000))
def test_each_step_segment_and_lead_keeps_its_mass(seed: int) -> None:
    rng = np.random.default_rng(seed)
    beat, rhythm, channel = shares(rng, 3, 20, 13), shares(rng, 3, 20), shares(rng, 3)
    relevance, _ = compose(beat, rhythm, channel, 1000, 50)
    assert_allclose(relevance.sum(axis=1), channel)
    assert_allclose(relevance.reshape(3, 20, 50).sum(axis=2), channel[:, None] * rhythm)
    assert_allclose(
        relevance.reshape(3, 20, 50)[:, :, 48:].sum(axis=2), channel[:, None] * rhythm * beat[:, :, 12]
    )


def test_even_attention_is_even_everywhere_in_multiples_of_the_uniform_share() -> None:
    even, _ = compose(np.full((12, 20, 13), 1 / 13), np.full((12, 20), 1 / 20), np.full(12, 1 / 12), 1000, 50)
    assert_allclose(even / uniform((12, 20, 13), 1000, 50), 1.0)


def test_attention_beyond_the_end_is_taken_off_and_said() -> None:
    # Three samples in segments of two: the last segment's second sample is filling.
    beat = np.full((1, 2, 2), 0.5)
    relevance, beyond = compose(beat, np.array([[0.5, 0.5]]), np.ones(1), 3, 2)
    assert beyond == pytest.approx(0.25)
    assert_allclose(relevance, [[1 / 3] * 3])


def test_the_published_figure_is_reproduced_from_the_published_attention() -> None:
    with np.load(FIXTURE) as stored:
        for record in range(3):
            relevance, limits = published_relevance(
                stored["beat_attention"][record], stored["channel_attention"][record], 50
            )
            assert_allclose(relevance, stored["relevance_published"][record], rtol=1e-5, atol=1e-5)
            assert_allclose(limits, stored["relevance_limits"][record], rtol=1e-5, atol=1e-5)


def test_the_published_figure_shows_most_samples_in_its_top_colour_and_ours_does_not() -> None:
    from leadlight.figures.relevance import HIGHEST

    with np.load(FIXTURE) as stored:
        beat, rhythm, channel = (stored[f"{name}_attention"] for name in ("beat", "rhythm", "channel"))
        for record in range(3):
            published, limits = published_relevance(beat[record], channel[record], 50)
            assert (published > limits[1]).mean() > 0.49
            relevance, _ = compose(beat[record], rhythm[record], channel[record], 1000, 50)
            multiples = relevance / uniform((12, 20, 13), 1000, 50)
            assert (multiples > HIGHEST).mean() < 0.01


@pytest.mark.parametrize(
    ("beat", "rhythm", "channel", "said"),
    [
        (
            np.full((2, 4, 5), 0.2),
            np.full((2, 5), 0.2),
            np.full(2, 0.5),
            "accepted: .leads, segments, steps.",
        ),
        (np.full((2, 5, 5), 0.2), np.full((2, 5), 0.2), np.full(2, 0.5), "found 5 segments; accepted: 4"),
        (
            np.full((2, 4, 5), 0.3),
            np.full((2, 4), 0.25),
            np.full(2, 0.5),
            "beat: found values that are not shares",
        ),
        (np.full((2, 4, 5), 0.2), np.full((2, 4), 0.25), np.array([1.5, -0.5]), "channel: found values"),
        (np.full((2, 4, 5), np.nan), np.full((2, 4), 0.25), np.full(2, 0.5), "beat: found values"),
        (
            np.full((2, 4, 7), 1 / 7),
            np.full((2, 4), 0.25),
            np.full(2, 0.5),
            "found 7 steps for a segment of 10",
        ),
    ],
)
def test_levels_that_do_not_fit_are_refused(
    beat: np.ndarray, rhythm: np.ndarray, channel: np.ndarray, said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        compose(beat, rhythm, channel, 40, 10)
