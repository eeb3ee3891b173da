from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from leadlight.simulate.waves import QRS_INSTANTS, plateau, qrs_waves, wave


@given(st.integers(0, 2**32 - 1), st.floats(0.06, 0.18))
def test_a_qrs_passes_through_its_vectors_and_is_zero_at_both_ends(seed: int, duration: float) -> None:
    vectors = np.random.default_rng(seed).normal(0, 1, (3, 9))
    qrs = qrs_waves(vectors, duration)
    assert_allclose(qrs.dipole(QRS_INSTANTS * duration), vectors, atol=1e-9)
    assert_allclose(qrs.dipole(np.array([0.0, duration])), 0, atol=1e-9)
    assert np.abs(qrs.dipole(np.array([-0.3 * duration, 1.3 * duration]))).max() < 0.05


def test_a_wave_has_its_peak_and_its_two_widths() -> None:
    bump = wave(0.3, 0.06, 0.03, np.array([0.2, -0.1, 0.0]))
    x, y, z = bump.dipole(np.array([0.24, 0.30, 0.33]))
    assert_allclose(x, 0.2 * np.array([np.exp(-0.5), 1, np.exp(-0.5)]))
    assert_allclose(y, -x / 2)
    assert_allclose(z, 0)


def test_a_plateau_is_level_between_soft_ends() -> None:
    level = plateau(0.10, 0.30, 0.36, np.array([0.1, 0, 0]), np.array([0.1, 0, 0]))
    x = level.dipole(np.arange(0, 0.5, 0.002))[0]
    assert_allclose(x[80:130], 0.1, atol=0.002)  # 160 to 260 ms
    assert x[:25].max() < 0.001 and x[-40:].max() < 0.001
