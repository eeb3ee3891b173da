"""Which stretch of which lead stands where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.errors import SignalError
from leadlight.figures.arrangement import LAYOUTS, arrange
from leadlight.leads import FURTHER_LEADS, STANDARD_LEADS
from leadlight.recording import Recording


def flat(leads: tuple[str, ...] = STANDARD_LEADS, seconds: float = 10.0, rate: float = 100.0) -> Recording:
    return Recording(np.zeros((len(leads), round(seconds * rate)), np.float32), leads, rate)


def test_3x4_stands_as_on_a_printed_ecg_with_lead_two_below() -> None:
    rows = arrange(flat(), "3x4").rows
    assert [[strip.lead for strip in row] for row in rows] == [
        ["I", "aVR", "V1", "V4"], ["II", "aVL", "V2", "V5"], ["III", "aVF", "V3", "V6"], ["II"],
    ]  # fmt: skip


def test_the_columns_of_3x4_follow_each_other_in_time() -> None:
    for row in arrange(flat(), "3x4").rows[:3]:
        assert [(strip.start, strip.stop, strip.at) for strip in row] == [
            (0, 2.5, 0), (2.5, 5, 2.5), (5, 7.5, 5), (7.5, 10, 7.5),
        ]  # fmt: skip


def test_6x2_has_limb_leads_beside_chest_leads_for_5_s() -> None:
    rows = arrange(flat(), "6x2").rows
    assert [strip.lead for strip in rows[3]] == ["aVR", "V4"]
    assert rows[3][1].start == 5
    assert [strip.lead for strip in rows[6]] == ["II"]


def test_12x1_shows_every_lead_for_10_s() -> None:
    rows = arrange(flat(), "12x1").rows
    assert [row[0].lead for row in rows] == list(STANDARD_LEADS)
    assert all((row[0].start, row[0].stop) == (0, 10) for row in rows)


@pytest.mark.parametrize("leads", [("I", "II"), STANDARD_LEADS[:6], ("I", "II", *STANDARD_LEADS[6:])])
def test_fewer_leads_get_one_strip_each_by_default(leads: tuple[str, ...]) -> None:
    assert [row[0].lead for row in arrange(flat(leads)).rows] == list(leads)


def test_missing_leads_leave_their_place_blank_in_3x4() -> None:
    rows = arrange(flat(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")), "3x4").rows
    assert [(strip.lead, strip.at) for strip in rows[0]] == [("I", 0), ("V1", 5), ("V4", 7.5)]
    assert [(strip.lead, strip.at) for strip in rows[2]] == [("V3", 5), ("V6", 7.5)]


def test_without_lead_two_the_first_lead_is_the_rhythm_strip() -> None:
    assert arrange(flat(("V1", "V5")), "3x4").rows[-1][0].lead == "V1"


def test_further_leads_follow_as_strips() -> None:
    rows = arrange(flat((*STANDARD_LEADS, "V7", "V4R")), "3x4").rows
    assert [row[0].lead for row in rows[3:]] == ["II", "V7", "V4R"]


def test_a_long_recording_shows_10_s_from_the_start_that_is_asked_for() -> None:
    long = arrange(flat(seconds=60), start=20)
    assert (long.rows[0][3].start, long.rows[0][3].stop) == (27.5, 30)
    assert long.notes == ("20 to 30 s of 60 s",)


def test_a_short_recording_shares_its_time_among_the_columns_and_says_so() -> None:
    short = arrange(flat(seconds=7.2), "3x4")
    assert [strip.start for strip in short.rows[0]] == pytest.approx([0, 1.8, 3.6, 5.4])
    assert "each column shows 1.8 s" in short.notes


def test_a_very_short_recording_shows_the_same_seconds_in_every_column_and_says_so() -> None:
    short = arrange(flat(seconds=2), "3x4")
    assert {(strip.start, strip.stop) for strip in short.rows[0]} == {(0, 2)}
    assert not short.continuous
    assert "the columns show the same seconds" in short.notes


def test_an_unknown_layout_is_refused_by_name() -> None:
    with pytest.raises(SignalError, match=r"layout: found '4x3'; accepted: auto, 3x4, 6x2, 12x1"):
        arrange(flat(), "4x3")


@pytest.mark.parametrize("start", [-1, 10, np.nan, np.inf])
def test_a_start_outside_the_recording_is_refused(start: float) -> None:
    with pytest.raises(SignalError, match="accepted: from 0 to below 10 s"):
        arrange(flat(), start=start)


def test_an_empty_recording_is_refused() -> None:
    with pytest.raises(SignalError, match="empty"):
        arrange(Recording(np.zeros((2, 0), np.float32), ("I", "II"), 100))


@settings(deadline=None, max_examples=60)
@given(
    leads=st.sets(st.sampled_from(STANDARD_LEADS + FURTHER_LEADS), min_size=1),
    seconds=st.floats(0.02, 60),
    layout=st.sampled_from(LAYOUTS),
)
def test_every_lead_is_shown_and_nothing_beyond_the_recording(
    leads: set[str], seconds: float, layout: str
) -> None:
    recording = flat(tuple(sorted(leads)), seconds)
    arrangement = arrange(recording, layout)
    strips = [strip for row in arrangement.rows for strip in row]
    shown = {recording.leads[0] if "II" not in leads else "II"} if layout == "single" else leads
    assert {strip.lead for strip in strips} == shown
    for strip in strips:
        assert 0 <= strip.start < strip.stop <= recording.duration + 1e-9
        assert strip.at + strip.stop - strip.start <= 10 + 1e-9


def test_single_shows_lead_two_or_else_the_first_alone() -> None:
    assert [[strip.lead for strip in row] for row in arrange(flat(), "single").rows] == [["II"]]
    assert [[strip.lead for strip in row] for row in arrange(flat(("V1", "V5")), "single").rows] == [["V1"]]
