"""Learning rates as functions of how far a run is: nothing to save, nothing to lose in a resume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from leadlight.recipes import TrainingSettings
from leadlight.recipes.training_settings import (
    Constant,
    Cosine,
    Exponential,
    OneCycle,
    Plateau,
    StepSchedule,
)


@dataclass(frozen=True)
class Rate:
    """learning_rate of one step; momentum of it (of Adam: its first beta), None for the optimiser's own."""

    learning_rate: float
    momentum: float | None = None


def rate_of_step(
    settings: TrainingSettings, step: int, steps_per_epoch: int, measures: Sequence[float] = ()
) -> Rate:
    """The rate of a step, counted from 0 over the whole run.

    measures: of the epochs that are over, higher is better; only ``plateau`` asks for them.
    A schedule that ends stays where it ended.
    """
    highest, schedule = settings.learning_rate, settings.schedule
    steps = settings.epochs * steps_per_epoch
    if isinstance(schedule, OneCycle):
        return _one_cycle(schedule, highest, step, steps)
    warm_up = round(settings.warm_up_epochs * steps_per_epoch)
    if step < warm_up:
        return Rate(highest * (step + 1) / warm_up)
    match schedule:
        case Constant():
            return Rate(highest)
        case StepSchedule():
            return Rate(highest * schedule.factor ** (step // (steps_per_epoch * schedule.epochs)))
        case Exponential():
            times = step / (schedule.steps or steps_per_epoch)
            return Rate(highest * schedule.factor ** (math.floor(times) if schedule.staircase else times))
        case Cosine():
            done = (step - warm_up) / max(1, steps - warm_up)
            return Rate(_cosine(highest, schedule.lowest * highest, done))
        case Plateau():
            return Rate(after_plateaus(schedule, highest, measures))


def after_plateaus(schedule: Plateau, highest: float, measures: Sequence[float]) -> float:
    """The rate after these epochs: times factor whenever ``patience`` epochs in a row were no better.

    As in Keras: better means by more than ``min_improvement`` than the best so far; the count of
    epochs begins anew after each reduction. A measure that is not a number is no better.
    """
    rate, best, waiting = highest, -math.inf, 0
    for measure in measures:
        if measure > best + schedule.min_improvement:
            best, waiting = measure, 0
            continue
        waiting += 1
        if waiting >= schedule.patience:
            rate, waiting = max(rate * schedule.factor, min(schedule.lowest_rate, rate)), 0
    return rate


def _one_cycle(schedule: OneCycle, highest: float, step: int, steps: int) -> Rate:
    rising = int(steps * schedule.rise)
    if step < rising:
        ends, done = (highest / schedule.start_divisor, highest), step / rising
        momentum = schedule.momentum
    else:
        ends, done = (highest, highest / schedule.end_divisor), min(1.0, (step - rising) / (steps - rising))
        momentum = (schedule.momentum[1], schedule.momentum[0])
    return Rate(_cosine(*ends, done), _cosine(*momentum, done) if schedule.cycle_momentum else None)


def _cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2
