from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from leadlight.errors import DatasetError, LabelError, SignalError
from leadlight.leads import STANDARD_LEADS
from leadlight.simulate import Truth, criteria_leads, read_truth, simulate_recording
from leadlight.simulate.truth import truth_path, write_truth


def lead_rows(mask: np.ndarray) -> set[str]:
    return {lead for lead, row in zip(STANDARD_LEADS, mask, strict=True) if row.any()}


def in_wave(truth: Truth, mask: np.ndarray, rate: float, begin: int, end: int) -> float:
    """Share of a mask that lies between two boundaries of the beats."""
    times = np.arange(mask.shape[1]) / rate
    inside = np.zeros(mask.shape[1], bool)
    for marks in truth.boundaries:
        inside |= (times >= marks[begin] - 0.011) & (times <= marks[end] + 0.011)
    # A beat cut off by an end of the recording has no boundaries of its own there.
    whole = (times > 1.5) & (times < 8.5)
    return float(mask[:, inside & whole].sum() / max(mask[:, whole].sum(), 1))


def test_r_peaks_are_where_the_signal_says() -> None:
    recording, truth = simulate_recording(["NORM"], 3, noise=False)
    strength = np.linalg.norm(recording.signal, axis=0)
    for peak in truth.r_peaks[1:-1]:
        around = slice(round((peak - 0.1) * 500), round((peak + 0.1) * 500))
        assert abs(np.argmax(strength[around]) / 500 - 0.1) < 0.02


def test_boundaries_are_in_order_and_hold_the_intervals_asked_for() -> None:
    _, truth = simulate_recording(["CRBBB"], 3)
    assert (np.diff(truth.boundaries, axis=1) > 0).all()
    assert np.allclose(truth.boundaries[:, 2] - truth.boundaries[:, 0], truth.parameters["pr"])
    assert np.allclose(truth.boundaries[:, 5] - truth.boundaries[:, 2], truth.parameters["qt"])


@pytest.mark.parametrize("rate", [500, 100, 250])
def test_masks_have_the_shape_of_the_signal_at_every_rate(rate: int) -> None:
    recording, truth = simulate_recording(["CLBBB"], 3, sampling_rate=rate)
    mask = truth.mask("CLBBB", rate)
    assert mask.shape == recording.signal.shape and mask.dtype == bool
    assert mask.mean() == pytest.approx(truth.mask("CLBBB", 500).mean(), abs=0.01)


def test_a_bundle_branch_block_shows_in_qrs_st_and_t_of_the_leads_of_its_criteria() -> None:
    _, truth = simulate_recording(["CLBBB"], 3)
    mask = truth.mask("CLBBB", 500)
    assert set(criteria_leads("CLBBB")) <= lead_rows(mask)
    assert in_wave(truth, mask, 500, 2, 5) > 0.99


def test_an_old_inferior_infarct_shows_in_the_inferior_qrs() -> None:
    for seed in (2, 4, 7):
        _, truth = simulate_recording(["IMI"], seed)
        assert {"II", "III", "aVF"} <= lead_rows(truth.mask("IMI", 500))
        assert in_wave(truth, truth.mask("IMI", 500), 500, 2, 5) > 0.99


def test_an_acute_infarct_shows_its_mirror_too() -> None:
    _, truth = simulate_recording(["IMI"], 0)  # a seed that draws an acute one
    assert truth.parameters["findings"][0]["stage"] == "Stadium I"
    assert "aVL" in lead_rows(truth.mask("IMI", 500))


def test_ischaemia_leaves_p_and_qrs_alone() -> None:
    _, truth = simulate_recording(["ISCAL"], 3)
    assert in_wave(truth, truth.mask("ISCAL", 500), 500, 3, 5) > 0.99


def test_a_long_pr_shows_between_p_and_qrs_in_every_lead() -> None:
    _, truth = simulate_recording(["1AVB"], 3)
    mask = truth.mask("1AVB", 500)
    assert lead_rows(mask) == set(STANDARD_LEADS)
    assert in_wave(truth, mask, 500, 0, 2) > 0.99
    per_beat = mask.sum(axis=1) / 500 / len(truth.r_peaks)
    assert per_beat == pytest.approx(truth.parameters["pr"], rel=0.15)


def test_a_change_below_half_a_millimetre_is_no_place() -> None:
    """Outside the mask of the only finding, a heart with it looks like one without it."""
    for code, seed in (("IMI", 4), ("CRBBB", 4), ("ISCLA", 4)):
        with_it, truth = simulate_recording([code], seed, noise=False, age=60, sex="male")
        without, _ = simulate_recording(["NORM"], seed, noise=False, age=60, sex="male")
        rows = [i for i, row in enumerate(truth.mask(code, 500)) if not row.any()]
        for row in rows:
            # Peaks of the whole lead are compared: the rhythm has other beats.
            assert abs(with_it.signal[row].max() - without.signal[row].max()) < 0.12
            assert abs(with_it.signal[row].min() - without.signal[row].min()) < 0.12


def test_form_statements_have_a_part_of_their_findings_place() -> None:
    found = 0
    for seed in range(30):
        recording, truth = simulate_recording(["ILMI"], seed)
        codes = {s.code for s in recording.statements}
        if "QWAVE" in codes:
            found += 1
            assert (truth.mask("QWAVE", 500) <= truth.mask("ILMI", 500)).all()
    assert found


def test_normal_and_rhythm_have_no_place() -> None:
    _, truth = simulate_recording(["NORM"], 3)
    assert truth.located == ()
    with pytest.raises(LabelError, match="NORM"):
        truth.mask("NORM", 500)


def test_leads_can_be_chosen_and_a_rate_must_be_positive() -> None:
    _, truth = simulate_recording(["CLBBB"], 3)
    assert_array_equal(truth.mask("CLBBB", 100, ("V1", "avr")), truth.mask("CLBBB", 100)[[6, 3]])
    with pytest.raises(SignalError, match="above 0"):
        truth.mask("CLBBB", 0)


def test_truth_survives_writing_and_reading(tmp_path: Path) -> None:
    for number, codes in ((1, ["NORM"]), (2, ["LVH", "ISC_"])):
        _, truth = simulate_recording(codes, 6)
        write_truth(truth, truth_path(tmp_path, number))
        back = read_truth(tmp_path, number)
        assert back.parameters == truth.parameters and back.located == truth.located
        assert_array_equal(back.boundaries, truth.boundaries)
        for code in truth.located:
            assert_array_equal(back.mask(code, 100), truth.mask(code, 100))


def test_a_record_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="00007"):
        read_truth(tmp_path, "7")
