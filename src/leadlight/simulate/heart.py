"""One person's heart in normal order: intervals, vectors, and the beat that they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Sex
from leadlight.simulate.projection import (
    dipole_towards,
    lead_matrix,
    small_rotation,
    turn_to_axis,
    twelve_leads,
)
from leadlight.simulate.tables import lead_medians, population, qrs_shape, wave_vector
from leadlight.simulate.waves import Waves, plateau, qrs_waves, wave

Array = NDArray[np.float64]

T_END = 2.2
"""A wave ends this many widths after its peak (the tangent at the steepest point meets zero at 2)."""


@dataclass(frozen=True, eq=False)
class Heart:
    """What a beat is made of.

    Durations in seconds: p_duration, pr, qrs, qt, and core, the part of the QRS that the shape
    fills (shorter than qrs where a late wave follows). Vectors in mV along X, Y, Z: p (3, 2) for
    the right and the left atrium, shape (3, 9) at the tenths of the core, late (3,), st (3, 2) at
    the J point and where T begins, t (3,). t_rise, t_fall: widths of T. matrix: (8, 3), the
    person's own lead matrix.
    """

    age: float
    sex: Sex
    rate: float
    p_duration: float
    pr: float
    qrs: float
    core: float
    qt: float
    p: Array
    shape: Array
    late: Array
    st: Array
    t: Array
    t_rise: float
    t_fall: float
    matrix: Array

    @property
    def t_peak(self) -> float:
        """Seconds from the QRS onset to the peak of T."""
        return self.qt - T_END * self.t_fall

    @property
    def t_onset(self) -> float:
        """Seconds from the QRS onset to the beginning of T, never before the end of the QRS."""
        return max(self.qrs + 0.02, self.t_peak - T_END * self.t_rise)

    def beat(self) -> Waves:
        """The waves of one beat, in seconds from the QRS onset."""
        width = 0.36 / 2.3 * self.p_duration
        right = wave(0.36 * self.p_duration - self.pr, width, width, self.p[:, 0])
        left = wave(0.64 * self.p_duration - self.pr, width, width, self.p[:, 1])
        qrs = qrs_waves(self.shape, self.core)
        if self.late.any():
            # The late wave takes over in the last third of the core and ends with the QRS.
            begin = 0.7 * self.core
            width = (self.qrs - begin) / (2 * T_END)
            qrs = qrs + wave((begin + self.qrs) / 2, width, width, self.late)
        st = plateau(self.qrs - 0.015, self.t_onset, self.t_peak, self.st[:, 0], self.st[:, 1])
        return right + left + qrs + st + wave(self.t_peak, self.t_rise, self.t_fall, self.t)


def _draw(rng: np.random.Generator, quantity: str, sex: Sex, logarithmic: bool = False) -> float:
    """One value of a quantity of the population, inside its limits."""
    median, spread, low, high = population()[quantity, sex]
    for _ in range(100):
        z = rng.standard_normal()
        value = median * np.exp(spread * z) if logarithmic else median + spread * z
        if low <= value <= high:
            return float(value)
    return float(median)


def draw_heart(rng: np.random.Generator, age: float, sex: Sex) -> Heart:
    """A healthy heart of this age (years) and sex, drawn from the population tables."""
    matrix = _draw_matrix(rng)
    rate = _draw(rng, "heart_rate", sex, logarithmic=True)
    size = _draw(rng, "qrs_size", sex, logarithmic=True) * _youth(age, sex)
    # Tall QRS and tall T go together, loosely: half of the variance is shared.
    t_size = _draw(rng, "t_size", sex, logarithmic=True) ** 0.75 * size**0.5 * _t_of_age(age)
    shape = qrs_shape(f"normal_{sex}") * size
    shape = shape * (1 + smooth(rng.normal(0, 0.18, (1, 9)))) + smooth(rng.normal(0, 0.07 * size, (3, 9)))
    shape = small_rotation(rng.normal(0, 0.12, 3)) @ shape
    shape = turn_to_axis(shape.sum(axis=1), _draw(rng, "qrs_axis", sex), matrix) @ shape
    t = _draw_t(rng, sex, matrix) * t_size
    p = np.stack([wave_vector("P right", sex), wave_vector("P left", sex)], axis=1)
    p = p * _draw(rng, "p_size", sex, logarithmic=True) * np.exp(rng.normal(0, 0.15, (1, 2)))
    p = turn_to_axis(p.sum(axis=1), _draw(rng, "p_axis", sex), matrix) @ p
    # ST is level but for V1 to V3.
    j = {lead: value for lead, value in lead_medians("J", sex).items() if lead in ("V1", "V2", "V3")}
    j_vector = dipole_towards(matrix, list(j), np.array(list(j.values()))) * t_size
    j_vector = j_vector + rng.normal(0, 0.012, 3)
    qrs = _draw(rng, "qrs", sex)
    qt = _draw(rng, "qtc", sex) * (60 / rate) ** (1 / 3)
    fall = _draw(rng, "t_peak_to_end", sex) / T_END * min(1.0, qt / 0.38)
    return Heart(
        age=age,
        sex=sex,
        rate=rate,
        p_duration=_draw(rng, "p_duration", sex),
        pr=_draw(rng, "pr", sex),
        qrs=qrs,
        core=qrs,
        qt=qt,
        p=p,
        shape=shape,
        late=np.zeros(3),
        st=np.stack([j_vector, 1.3 * j_vector], axis=1),
        t=t,
        t_rise=min(fall * rng.uniform(1.3, 1.8), (qt - T_END * fall - qrs) / T_END),
        t_fall=fall,
        matrix=matrix,
    )


def _draw_t(rng: np.random.Generator, sex: Sex, matrix: Array) -> Array:
    """The T vector (3,) of a person, upright where a normal T has to be (I, II, V3 to V6)."""
    upright = [STANDARD_LEADS.index(lead) for lead in ("I", "II", "V3", "V4", "V5", "V6")]
    for _ in range(20):
        t = small_rotation(rng.normal(0, 0.25, 3)) @ wave_vector("T", sex)
        t = turn_to_axis(t, _draw(rng, "t_axis", sex), matrix) @ t
        if (twelve_leads(matrix)[upright] @ t > 0.1).all():
            return t
    return wave_vector("T", sex)


def smooth(along_qrs: Array) -> Array:
    """Random values along the QRS without jumps from instant to instant, smaller at its ends."""
    padded = np.pad(along_qrs, ((0, 0), (1, 1)))
    mean = 0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:]
    smoothed: Array = mean * np.array([0.5, 0.8, 1, 1, 1, 1, 1, 0.8, 0.5])
    return smoothed


def _draw_matrix(rng: np.random.Generator) -> Array:
    """Dower's matrix for a torso and electrodes of one's own.

    Each chest lead is a little stronger or weaker and sees a little of its neighbours; the limb
    leads keep Dower's rows, so that all limb relations and axes stay as they are.
    """
    matrix = lead_matrix()
    chest = matrix[2:]
    shift = rng.normal(0, 0.15) + rng.normal(0, 0.06, 6)  # electrodes too far right or left, in spacings
    towards_left = np.vstack([chest[1:], chest[-1:]]) - chest
    towards_right = np.vstack([chest[:1], chest[:-1]]) - chest
    moved = (
        chest + np.maximum(shift, 0)[:, None] * towards_left + np.maximum(-shift, 0)[:, None] * towards_right
    )
    matrix[2:] = moved * np.exp(rng.normal(0, 0.08, (6, 1)))
    return matrix


def _youth(age: float, sex: Sex) -> float:
    """Young men's QRS is about half as large again as the adults' of the table (Rijnbeek 2014)."""
    return 1 + 0.45 * float(np.clip((32 - age) / 14, 0, 1)) if sex == "male" else 1.0


def _t_of_age(age: float) -> float:
    """T against 18 to 39 years: 10 % lower to 59, 15 % lower after (J Electrocardiol 1995;28:191-197).

    The table's medians belong to a median age of 46.
    """
    return float(np.interp(age, [30, 50, 70], [1.0, 0.9, 0.85])) / 0.92
