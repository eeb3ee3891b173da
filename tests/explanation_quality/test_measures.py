"""Maps against places, by hand: what a perfect, an even and a wrong map get."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.explanation_quality import measures

MASK = np.zeros((2, 10), dtype=bool)
MASK[0, 2:5] = True  # three of twenty samples


def test_a_map_equal_to_the_mask_gets_one_everywhere():
    perfect = MASK.astype(float)
    assert measures.relevance_mass(perfect, MASK) == 1
    assert measures.rank_accuracy(perfect, MASK) == 1
    assert measures.pointing(perfect, MASK) == 1


def test_an_even_map_gets_the_share_of_the_area():
    even = np.full(MASK.shape, 0.3)
    for measure in (measures.relevance_mass, measures.rank_accuracy, measures.pointing):
        assert measure(even, MASK) == pytest.approx(3 / 20)


def test_a_map_beside_the_mask_gets_nothing():
    beside = (~MASK).astype(float)
    for measure in (measures.relevance_mass, measures.rank_accuracy, measures.pointing):
        assert measure(beside, MASK) == 0


def test_mass_is_the_share_of_what_speaks_for_the_class():
    relevance = np.zeros(MASK.shape)
    relevance[0, 2], relevance[1, 0], relevance[1, 1] = 3.0, 1.0, -100.0
    assert measures.relevance_mass(relevance, MASK) == pytest.approx(0.75)


def test_rank_counts_the_first_as_many_as_the_mask_is_large():
    relevance = np.zeros(MASK.shape)
    relevance[0, 2], relevance[0, 3], relevance[1, 0], relevance[0, 4] = 5.0, 4.0, 3.0, 2.0
    # The three largest: two of them in the mask.
    assert measures.rank_accuracy(relevance, MASK) == pytest.approx(2 / 3)


def test_rank_shares_the_last_places_among_equals():
    relevance = np.zeros(MASK.shape)
    relevance[0, 2] = 5.0
    relevance[0, 3] = relevance[1, 0] = relevance[1, 1] = relevance[1, 2] = 1.0
    # One sure hit; two places for four equals, one of which lies inside.
    assert measures.rank_accuracy(relevance, MASK) == pytest.approx((1 + 2 / 4) / 3)


def test_pointing_asks_for_the_largest_alone():
    relevance = MASK * 1.0
    relevance[1, 9] = 1.5
    assert measures.pointing(relevance, MASK) == 0
    relevance[0, 2] = 1.5
    assert measures.pointing(relevance, MASK) == 0.5


def test_an_empty_map_has_no_mass_and_no_peak():
    against = -np.ones(MASK.shape)
    for measure in (measures.relevance_mass, measures.rank_accuracy, measures.pointing):
        assert np.isnan(measure(against, MASK))


def test_concentration_leaves_neutral_ground_out_of_both_shares():
    neutral = np.zeros_like(MASK)
    neutral[1, :5] = True
    relevance = np.zeros(MASK.shape)
    relevance[0, 3], relevance[1, 2], relevance[1, 8] = 1.0, 7.0, 1.0
    share, ratio = measures.concentration(relevance, MASK, neutral)
    assert share == pytest.approx(1 / 2)  # of 1 inside and 1 outside; 7 do not count
    assert ratio == pytest.approx((1 / 2) / (3 / 15))


def test_concentration_of_an_even_map_is_one():
    neutral = np.zeros_like(MASK)
    neutral[1, :7] = True
    assert measures.concentration(np.ones(MASK.shape), MASK, neutral)[1] == pytest.approx(1)


def test_rank_correlation_is_spearmans_of_absolute_values():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 30)), rng.normal(size=(2, 30))
    expected = spearmanr(np.abs(first).ravel(), np.abs(second).ravel()).statistic
    assert measures.rank_correlation(first, second) == pytest.approx(expected)
    assert measures.rank_correlation(first, -first) == pytest.approx(1)
    assert np.isnan(measures.rank_correlation(first, np.ones_like(first)))


def test_relative_change_by_hand():
    assert measures.relative_change(np.array([[3.0, 4.0]]), np.array([[3.0, 4.5]])) == pytest.approx(0.1)
    assert np.isnan(measures.relative_change(np.zeros((1, 2)), np.ones((1, 2))))


@given(st.integers(0, 10_000), st.floats(0.1, 100))
def test_all_are_shares_and_do_not_depend_on_the_scale(seed, scale):
    rng = np.random.default_rng(seed)
    relevance, mask = rng.normal(size=(3, 8)), rng.random((3, 8)) < 0.4
    mask[0, 0] = True
    for measure in (measures.relevance_mass, measures.rank_accuracy, measures.pointing):
        value = measure(relevance, mask)
        assert 0 <= value <= 1 + 1e-12
        assert measure(scale * relevance, mask) == pytest.approx(value)
