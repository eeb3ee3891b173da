"""Learning rates: torch's own where torch has them, published or hand-computed numbers elsewhere."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from leadlight.recipes import TrainingSettings
from leadlight.training.schedules import rate_of_step

STEPS_PER_EPOCH = 7


def rates(settings: TrainingSettings, steps: int, measures=()) -> list[float]:
    return [rate_of_step(settings, step, STEPS_PER_EPOCH, measures).learning_rate for step in range(steps)]


def of_torch(build, rate: float, steps: int, every: int = 1) -> tuple[list[float], list[float]]:
    """Learning rate and first beta before each step of a scheduler that steps once in so many."""
    optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler = build(optimizer)
    found, momenta = [], []
    for step in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["betas"][0])
        optimizer.step()
        if (step + 1) % every == 0:
            scheduler.step()
    return found, momenta


def test_constant_is_constant():
    assert set(rates(TrainingSettings(learning_rate=3e-4, epochs=2), 14)) == {3e-4}


def test_step_is_torchs():
    ours = TrainingSettings(epochs=30, schedule={"kind": "step", "epochs": 4, "factor": 0.1})
    theirs, _ = of_torch(
        lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 4, 0.1), 1e-3, 100, STEPS_PER_EPOCH
    )
    assert_allclose(rates(ours, 100), theirs, rtol=1e-9)


def test_exponential_staircase_falls_once_an_epoch():
    # ECG-XPLAIM: 0.01, times 0.95 after each epoch.
    ours = rates(TrainingSettings(epochs=30, learning_rate=0.01, schedule="exponential"), 21)
    assert_allclose(ours, [0.01] * 7 + [0.0095] * 7 + [0.009025] * 7, rtol=1e-12)


def test_exponential_of_steps_falls_in_stairs_or_smoothly():
    # Its builder's default: times 0.9 each 1,000 steps.
    stairs = {"kind": "exponential", "factor": 0.9, "steps": 1000}
    ours = TrainingSettings(epochs=900, learning_rate=0.01, schedule=stairs)
    assert_allclose(
        [rate_of_step(ours, step, STEPS_PER_EPOCH).learning_rate for step in (0, 999, 1000, 2999, 3000)],
        [0.01, 0.01, 0.009, 0.0081, 0.00729], rtol=1e-12,
    )  # fmt: skip
    smooth = TrainingSettings(epochs=900, learning_rate=0.01, schedule={**stairs, "staircase": False})
    theirs, _ = of_torch(
        lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9**0.001), 0.01, 50
    )
    assert_allclose(rates(smooth, 50), theirs, rtol=1e-9)


def test_cosine_is_torchs():
    ours = TrainingSettings(epochs=10, schedule={"kind": "cosine", "lowest": 0.1})
    theirs, _ = of_torch(
        lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 70, 1e-4), 1e-3, 70
    )
    assert_allclose(rates(ours, 70), theirs, rtol=1e-9)


def test_cosine_begins_after_the_warm_up_and_ends_at_the_lowest():
    ours = TrainingSettings(epochs=10, schedule="cosine", warm_up_epochs=2)
    found = rates(ours, 71)
    assert_allclose(found[:14], [1e-3 * (step + 1) / 14 for step in range(14)], rtol=1e-12)
    assert_allclose(found[14], 1e-3, rtol=1e-12)
    assert_allclose(found[14 + 28], 0.5e-3, rtol=1e-12)
    assert_allclose(found[70], 0, atol=1e-12)


def test_warm_up_may_last_part_of_an_epoch():
    ours = TrainingSettings(epochs=2, warm_up_epochs=0.5)
    assert_allclose(rates(ours, 6), [0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3, 1e-3], rtol=1e-12)


def test_one_cycle_is_the_benchmarks():
    """Of the PTB-XL benchmark, all statements: 6,800 steps, of which 2,040 rise."""
    ours = TrainingSettings(epochs=50, learning_rate=1e-2, schedule="one-cycle")
    at = {step: rate_of_step(ours, step, 136) for step in (0, 1020, 2040, 4420, 6800)}
    middle = (1e-2 + 4e-4) / 2, (1e-2 + 4e-8) / 2
    expected = {0: (4e-4, 0.95), 1020: (middle[0], 0.9), 2040: (1e-2, 0.85), 4420: (middle[1], 0.9),
                6800: (4e-8, 0.95)}  # fmt: skip
    for step, (rate, momentum) in expected.items():
        assert_allclose([at[step].learning_rate, at[step].momentum], [rate, momentum], rtol=1e-9)


def test_one_cycle_is_torchs_with_its_ends_moved():
    """Torch reaches its ends one step earlier: of 71 steps, the rise ends at the place of the 22nd."""
    ours = TrainingSettings(epochs=10, learning_rate=1e-2, schedule="one-cycle")
    rising = int(70 * 0.3)
    theirs, momenta = of_torch(
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 1e-2, total_steps=71, pct_start=(rising + 1) / 71, div_factor=25, final_div_factor=1e4,
        ),
        1e-2, 70,
    )  # fmt: skip
    assert_allclose(rates(ours, 70), theirs, rtol=1e-6)
    assert_allclose(
        [rate_of_step(ours, step, STEPS_PER_EPOCH).momentum for step in range(70)], momenta, rtol=1e-6
    )


def test_the_momentum_may_be_left_alone():
    ours = TrainingSettings(schedule={"kind": "one-cycle", "cycle_momentum": False})
    assert rate_of_step(ours, 3, STEPS_PER_EPOCH).momentum is None


@settings(deadline=None, max_examples=60)
@given(
    measures=st.lists(st.sampled_from([0.1, 0.2, 0.2001, 0.20015, 0.3, 0.5, math.nan]), max_size=30),
    patience=st.integers(1, 4),
    lowest=st.sampled_from([0.0, 1e-5, 1e-3]),
)
def test_plateau_is_torchs(measures, patience, lowest):
    schedule = {"kind": "plateau", "factor": 0.5, "patience": patience, "lowest_rate": lowest}
    ours = TrainingSettings(epochs=60, schedule=schedule)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-3)
    # Torch waits for more than its patience, as Keras for as much.
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, "max", 0.5, patience - 1, 1e-4, "abs", min_lr=lowest, eps=0
    )
    for epoch, measure in enumerate(measures):
        theirs.step(measure)
        rate = rate_of_step(ours, 0, STEPS_PER_EPOCH, measures[: epoch + 1]).learning_rate
        assert_allclose(rate, optimizer.param_groups[0]["lr"], rtol=1e-12)


@pytest.mark.parametrize("kind", ["constant", "one-cycle", "step", "exponential", "cosine"])
def test_every_rate_of_a_run_is_positive_and_at_most_the_highest(kind):
    ours = rates(TrainingSettings(epochs=10, schedule=kind), 70)
    assert min(ours) > 0 and max(ours) <= 1e-3 * (1 + 1e-12)
