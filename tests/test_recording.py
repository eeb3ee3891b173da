"""What a recording promises to those who hold one."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from leadlight import Patient, Recording, Statement


@pytest.fixture
def recording() -> Recording:
    signal = np.array([[0.0, 0.1, np.nan], [1.0, 1.1, 1.2]], dtype=np.float32)
    return Recording(
        signal, ("I", "V1"), 100.0, Patient("p", 50.0, "male"), (Statement("MI"),), "here", ("odd",)
    )


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies_are_equal_and_read_only(recording, copied):
    other = copied(recording)
    assert_array_equal(other.signal, recording.signal)
    for name in ("leads", "sampling_rate", "patient", "statements", "source", "notes"):
        assert getattr(other, name) == getattr(recording, name)
    with pytest.raises(ValueError, match="read-only"):
        other.signal[0, 0] = 1.0
