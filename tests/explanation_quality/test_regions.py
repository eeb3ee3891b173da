"""Where the criteria look, on beats whose boundaries are given; and which findings a class follows from."""

from __future__ import annotations

import numpy as np
import pytest

from leadlight import labels
from leadlight.explanation import Beats
from leadlight.explanation_quality.places import criteria_of, findings_of, setting_statements
from leadlight.explanation_quality.regions import is_early, region_of, segment_spans
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording, Statement

PEAKS = np.array([1.0, 2.0, 3.0])
# P, QRS and T around an R peak: onsets and ends in seconds.
SHAPE = np.array([-0.2, -0.1, -0.04, 0.06, 0.2, 0.4])
BEATS = Beats(PEAKS, PEAKS[:, np.newaxis] + SHAPE, 4.0)
RECORDING = Recording(np.zeros((12, 400), np.float32), STANDARD_LEADS, 100.0)


def rows_of(mask):
    return tuple(STANDARD_LEADS[row] for row in np.flatnonzero(mask.any(axis=1)))


def region(code):
    found = region_of(criteria_of([code]), BEATS, RECORDING)
    assert found is not None
    return found


def test_left_bundle_branch_block_is_the_ventricles_part_of_its_six_leads():
    found = region("CLBBB")
    assert rows_of(found.expected) == ("I", "aVL", "V1", "V2", "V5", "V6")
    # From the onset of QRS, 0.96 s, to the end of T, 1.40 s, in each of three beats.
    inside = np.flatnonzero(found.expected[0])
    assert inside[:2].tolist() == [96, 97]
    assert len(inside) == 3 * 44
    assert not found.neutral.any()


def test_first_degree_block_is_from_the_onset_of_p_to_that_of_qrs_in_every_lead():
    found = region("1AVB")
    assert rows_of(found.expected) == STANDARD_LEADS
    assert np.flatnonzero(found.expected[5])[:16].tolist() == list(range(80, 96))
    assert found.expected[5].sum() == 3 * 16


def test_mirror_leads_are_neutral_and_never_expected():
    found = region("IMI")
    assert rows_of(found.expected) == ("II", "III", "aVF")
    assert rows_of(found.neutral) == ("I", "aVL", "V1", "V2", "V3")
    assert not (found.expected & found.neutral).any()


def test_two_findings_together_are_the_union():
    both = region_of(criteria_of(["IMI", "1AVB"]), BEATS, RECORDING)
    assert both is not None
    np.testing.assert_array_equal(both.expected, region("IMI").expected | region("1AVB").expected)
    assert both.findings == ("IMI", "1AVB")
    assert not (both.expected & both.neutral).any()


def test_atrial_waves_are_sought_from_the_end_of_t_to_the_next_qrs():
    spans = segment_spans("TQ", BEATS)
    np.testing.assert_allclose(spans, [[1.4, 1.96], [2.4, 2.96], [3.4, 4.0]])


def test_without_a_t_wave_half_of_the_rest_is_taken():
    boundaries = BEATS.boundaries.copy()
    boundaries[0, 4:] = np.nan
    spans = segment_spans("TQ", Beats(PEAKS, boundaries, 4.0))
    assert spans[0, 0] == pytest.approx((1.06 + 1.96) / 2)


def test_j_is_twenty_milliseconds_and_q_ends_at_the_r_peak():
    np.testing.assert_allclose(segment_spans("J", BEATS)[0], [1.06, 1.08])
    np.testing.assert_allclose(segment_spans("Q", BEATS)[0], [0.96, 1.0])


def test_early_beats_alone_count_for_a_premature_complex():
    peaks = np.array([1.0, 2.0, 2.6, 4.0, 5.0])
    beats = Beats(peaks, peaks[:, np.newaxis] + SHAPE, 6.0)
    assert is_early(peaks).tolist() == [False, False, True, False, False]
    recording = Recording(np.zeros((12, 600), np.float32), STANDARD_LEADS, 100.0)
    found = region_of(criteria_of(["PVC"]), beats, recording)
    assert found is not None
    inside = np.flatnonzero(found.expected[6])
    assert (inside.min(), inside.max()) == (256, 299)


def test_no_region_where_no_such_part_was_found():
    assert region_of(criteria_of(["PVC"]), BEATS, RECORDING) is None  # no beat comes early
    assert criteria_of(["NORM", "SBRAD"]) == []


def test_a_class_of_superclasses_follows_from_the_record_s_own_statements():
    space = labels.space("ptb-xl/superclass")
    said = [Statement("IMI"), Statement("LAFB"), Statement("SR"), Statement("ASMI", likelihood=0.0)]
    assert [one.code for one in setting_statements(space, space.index("MI"), said)] == ["IMI"]
    assert findings_of(space, space.index("MI"), said) == ["IMI"]
    assert findings_of(space, space.index("CD"), said) == ["LAFB"]
    assert findings_of(space, space.index("HYP"), said) == []


def test_statements_of_another_source_mean_their_findings():
    space = labels.space("ptb-xl/superclass")
    said = [Statement("164909002", "snomed-ct")]
    assert findings_of(space, space.index("CD"), said) == ["LBBB"]
