"""Deletion and insertion on a network whose answer can be written down."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from leadlight.explanation.reading import Reading
from leadlight.explanation_quality.perturbing import (
    Blocks,
    cover,
    covered_answers,
    curves,
    order_of,
    trapezoids,
)


def test_a_cover_is_a_straight_line_between_what_is_left():
    signal = np.array([[0.0, 1.0, 5.0, 9.0, 4.0, 6.0]], dtype=np.float32)
    mask = np.array([[False, False, True, True, False, False]])
    assert cover(signal, mask).tolist() == [[0, 1, 2, 3, 4, 6]]


def test_neighbouring_blocks_are_covered_as_one():
    signal = np.arange(10, dtype=np.float32)[np.newaxis] ** 2
    mask = np.zeros((1, 10), dtype=bool)
    mask[0, 1:9] = True
    np.testing.assert_allclose(cover(signal, mask)[0], np.linspace(0, 81, 10), rtol=1e-6)


def test_a_cover_at_an_end_is_level_and_a_whole_lead_is_its_median_never_zero():
    signal = np.array([[7.0, 1.0, 2.0, 9.0], [5.0, 6.0, 8.0, 11.0]], dtype=np.float32)
    mask = np.array([[True, False, False, True], [True] * 4])
    assert cover(signal, mask).tolist() == [[1, 1, 2, 2], [7, 7, 7, 7]]


def test_nothing_is_covered_by_an_empty_mask_and_the_input_stays():
    signal = np.random.default_rng(0).normal(size=(2, 9)).astype(np.float32)
    before = signal.copy()
    np.testing.assert_array_equal(cover(signal, np.zeros((2, 9), dtype=bool)), signal)
    cover(signal, np.ones((2, 9), dtype=bool))
    np.testing.assert_array_equal(signal, before)


def test_blocks_take_means_and_give_their_samples():
    blocks = Blocks(2, 7, 3)  # of 3, 3 and 1 samples
    relevance = np.array([[3, 3, 3, 0, 0, 6, 9], [1, 0, 0, 0, 0, 0, 0]], dtype=float)
    np.testing.assert_allclose(blocks.means(relevance), [3, 2, 9, 1 / 3, 0, 0])
    mask = blocks.mask(np.array([2, 3]))
    assert np.argwhere(mask).tolist() == [[0, 6], [1, 0], [1, 1], [1, 2]]
    assert blocks.mask(np.arange(len(blocks))).all()


def test_the_order_goes_from_most_to_least_and_draws_lots_among_equals():
    blocks = Blocks(1, 6, 1)
    relevance = np.array([[0.0, 5.0, -3.0, 1.0, 0.0, 2.0]])
    orders = {tuple(order_of(relevance, blocks, np.random.default_rng(seed))) for seed in range(40)}
    assert {order[:3] for order in orders} == {(1, 5, 3)}
    assert len(orders) == 6  # three that have nothing, in any order


def test_area_by_trapezoids():
    assert trapezoids(np.array([1.0, 0.5, 0.0])) == pytest.approx(0.5)
    assert trapezoids(np.array([1.0, 0.0, 0.0, 0.0])) == pytest.approx(1 / 6)


def test_curves_begin_and_end_with_the_whole_and_the_covered_record(sum_model, bump):
    """The logit is the sum of lead I: deleting where the bump is takes it all at once."""
    reading = Reading(sum_model, sum_model.views(bump))
    blocks = Blocks(12, 100, 10)
    truth = np.zeros((12, 100))
    truth[0, 40:50] = 1
    order = order_of(truth, blocks, np.random.default_rng(0))
    found = curves(reading, 0, order, blocks, steps=4)
    whole = expit(10.0)  # the sum of the bump
    assert found.deletion[0] == pytest.approx(whole, abs=1e-6)
    np.testing.assert_allclose(found.deletion[1:], 0.5, atol=1e-6)  # the bump is gone after the first step
    np.testing.assert_allclose(found.insertion[1:], whole, atol=1e-6)
    assert found.insertion[0] == pytest.approx(0.5, abs=1e-6)
    assert found.deletion_area == pytest.approx((whole / 2 + 0.5 / 2 + 3 * 0.5) / 4, abs=1e-6)


def test_the_worst_order_keeps_the_answer_to_the_end(sum_model, bump):
    reading = Reading(sum_model, sum_model.views(bump))
    blocks = Blocks(12, 100, 10)
    beside = np.ones((12, 100))
    beside[0, 40:50] = 0
    order = order_of(beside, blocks, np.random.default_rng(0))
    found = curves(reading, 0, order, blocks, steps=4)
    np.testing.assert_allclose(found.deletion[:-1], expit(10.0), atol=1e-6)
    assert found.deletion[-1] == pytest.approx(0.5, abs=1e-6)


def test_covered_answers_are_those_of_the_covered_recording(sum_model, bump):
    from dataclasses import replace

    reading = Reading(sum_model, sum_model.views(bump))
    mask = np.zeros((12, 100), dtype=bool)
    mask[0, 45:60] = True
    (answer,) = covered_answers(reading, [mask])
    signal = bump.signal.copy()
    signal[0, 45:60] = np.linspace(1.25, 0, 17)[1:-1]
    np.testing.assert_allclose(
        answer, sum_model.predict(replace(bump, signal=signal)).probabilities, atol=1e-6
    )  # fmt: skip
