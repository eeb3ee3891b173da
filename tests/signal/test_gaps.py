"""Filling short gaps."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from leadlight.errors import SignalError
from leadlight.recording import Recording
from leadlight.signal import interpolate_gaps

NAN = np.nan


def recording(*rows: list[float], rate: float = 10.0) -> Recording:
    return Recording(
        np.array(rows, dtype=np.float32), ("I", "II", "V1")[: len(rows)], rate, notes=("before",)
    )


def test_a_short_gap_becomes_a_straight_line() -> None:
    filled = interpolate_gaps(recording([0, NAN, NAN, NAN, 4, 5], [1, 1, 1, 1, 1, 1]), longest=0.3)
    assert_array_equal(filled.signal, [[0, 1, 2, 3, 4, 5], [1, 1, 1, 1, 1, 1]])


def test_what_was_filled_is_noted() -> None:
    filled = interpolate_gaps(recording([0, NAN, 2, NAN, 4, 5], [1, 1, 1, NAN, 1, 1]))
    assert filled.notes == ("before", "gaps of up to 0.1 s filled by straight lines: I 2, II 1")


def test_gaps_at_the_ends_take_the_nearest_value() -> None:
    assert_array_equal(interpolate_gaps(recording([NAN, 1, 2, NAN])).signal, [[1, 1, 2, 2]])


def test_a_recording_without_gaps_comes_back_as_it_is() -> None:
    whole = recording([0, 1, 2])
    assert interpolate_gaps(whole) is whole


def test_a_long_gap_is_refused_by_lead_and_duration() -> None:
    with pytest.raises(SignalError, match=r"gap of 0\.4 s in lead II; accepted: at most 0\.3 s"):
        interpolate_gaps(recording([0, NAN, 0, 0, 0, 0], [0, NAN, NAN, NAN, NAN, 0]), longest=0.3)


def test_a_gap_of_just_the_longest_is_filled() -> None:
    assert interpolate_gaps(recording([0, NAN, NAN, NAN, 4]), longest=0.3).n_missing == 0


def test_a_gap_one_sample_longer_is_refused() -> None:
    with pytest.raises(SignalError, match=r"0\.4 s in lead I; accepted: at most 0\.35 s"):
        interpolate_gaps(recording([0, NAN, NAN, NAN, NAN, 4]), longest=0.35)


def test_a_lead_without_any_sample_is_refused_however_short() -> None:
    with pytest.raises(SignalError, match="lead V1 has no sample at all"):
        interpolate_gaps(recording([0, 0], [0, 0], [NAN, NAN]), longest=1)


@pytest.mark.parametrize("longest", [-1.0, np.nan, np.inf])
def test_a_longest_gap_that_is_no_duration_is_refused(longest: float) -> None:
    with pytest.raises(SignalError, match="seconds, 0 or more"):
        interpolate_gaps(recording([0, 1]), longest)


def test_a_longest_gap_of_nothing_refuses_every_gap() -> None:
    with pytest.raises(SignalError, match=r"0\.1 s in lead I"):
        interpolate_gaps(recording([0, NAN, 0]), longest=0)
