"""Records in several segments."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import wfdb
from numpy.testing import assert_array_equal

import leadlight as ll
from leadlight.errors import FileFormatError

LEADS = ("I", "V1")


@pytest.fixture
def parts(write_record) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    one, two = random.integers(-999, 999, (2, 30)), random.integers(-999, 999, (2, 20))
    write_record(one, LEADS, name="one")
    write_record(two, LEADS, name="two", storage=212)
    return one, two


def master(folder: Path, first_line: str, *lines: str) -> Path:
    header = folder / "all.hea"
    header.write_text("\n".join([first_line, *lines]) + "\n")
    return header


def refusal(header: Path) -> FileFormatError:
    with pytest.raises(FileFormatError) as caught:
        ll.read(header)
    return caught.value


def test_segments_follow_one_another(parts, tmp_path):
    header = master(tmp_path, "all/2 2 500 50", "one 30", "two 20", "# Age: 40")
    recording = ll.read(header)
    assert_array_equal(recording.signal, (np.hstack(parts) / 1000).astype(np.float32))
    assert_array_equal(recording.signal, wfdb.rdrecord(str(header)[:-4]).p_signal.T.astype(np.float32))
    assert recording.notes == ("put together from 2 segments",)
    assert recording.patient.age == 40


def test_a_segment_may_stand_twice_and_the_length_may_be_left_out(parts, tmp_path):
    recording = ll.read(master(tmp_path, "all/2 2 500", "two 20", "two 20"))
    assert_array_equal(recording.signal, (np.hstack([parts[1]] * 2) / 1000).astype(np.float32))


def test_gaps_between_segments_are_missing_samples(parts, tmp_path):
    (tmp_path / "layout.hea").write_text(
        "layout 2 500 0\n" + "".join(f"~ 0 1000/mV 16 0 0 0 0 {lead}\n" for lead in LEADS)
    )
    recording = ll.read(master(tmp_path, "all/4 2 500 60", "layout 0", "one 30", "~ 10", "two 20"))
    assert recording.missing == {"I": 10, "V1": 10}
    assert_array_equal(recording["V1"][40:], (parts[1][1] / 1000).astype(np.float32))


def test_leads_that_a_segment_lacks_are_missing_there(parts, write_record, tmp_path):
    (tmp_path / "layout.hea").write_text(
        "layout 2 500 0\n" + "".join(f"~ 0 1000/mV 16 0 0 0 0 {lead}\n" for lead in LEADS)
    )
    alone = write_record(parts[1][1:], ("V1",), name="three", gain="200/mV")
    header = master(tmp_path, "all/3 2 500 50", "layout 0", "one 30", "three 20")
    recording = ll.read(header)
    assert alone.exists() and recording.missing == {"I": 20}
    assert_array_equal(recording["V1"][30:], (parts[1][1] / 200).astype(np.float32))
    assert_array_equal(recording.signal, wfdb.rdrecord(str(header)[:-4]).p_signal.T.astype(np.float32))


@pytest.mark.parametrize("name", ["/etc/hosts", "../one", "sub/one", "https://x/one", "one..two"])
def test_segments_outside_the_folder_are_refused(parts, tmp_path, name):
    assert refusal(master(tmp_path, "all/1 2 500 30", f"{name} 30")).field == "line 2, segment name"


def test_a_segment_that_names_itself_is_refused(parts, tmp_path):
    assert refusal(master(tmp_path, "all/2 2 500 50", "one 30", "all 20")).found == "the record itself"


def test_a_segment_that_names_its_record_through_another_is_refused(parts, tmp_path):
    (tmp_path / "loop.hea").write_text("loop/1 2 500 20\nall 20\n")
    assert (
        refusal(master(tmp_path, "all/2 2 500 50", "one 30", "loop 20")).found == "segments inside a segment"
    )


@pytest.mark.parametrize(
    ("first_line", "lines", "field"),
    [
        ("all/2 2 500 51", ["one 30", "two 20"], "number of samples"),
        ("all/2 2 500 51", ["one 31", "two 20"], "number of samples"),
        ("all/2 2 250 50", ["one 30", "two 20"], "sampling rate"),
        ("all/3 2 500 50", ["one 30", "two 20"], "number of segment lines"),
        ("all/2 2 500 50", ["one 30", "two"], "line 3, segment length"),
        ("all/2 2 500 50", ["one 30", "two -20"], "line 3, segment length"),
        ("all/2 2 500 50", ["one 30", "none 20"], "file"),
        ("all/1 2 500 20", ["~ 20"], "segments"),
        ("all/2 2 500 900000000030", ["one 30", "~ 900000000000"], "segment lengths"),
        ("all/2 2 500 50", ["nolayout 0", "one 30"], "file"),
        ("all/2 2 500 30", ["two 0", "one 30"], "line 2, layout line"),
    ],
)
def test_segments_that_do_not_fit_are_refused(parts, tmp_path, first_line, lines, field):
    began = time.perf_counter()
    assert refusal(master(tmp_path, first_line, *lines)).field == field
    assert time.perf_counter() - began < 1


def test_segments_with_other_leads_are_refused_in_a_fixed_layout(parts, write_record, tmp_path):
    write_record(parts[1], ("I", "V2"), name="two")
    assert refusal(master(tmp_path, "all/2 2 500 50", "one 30", "two 20")).field == "leads"


def test_a_damaged_segment_is_refused_before_any_signal_is_read(parts, tmp_path):
    (tmp_path / "two.dat").unlink()
    error = refusal(master(tmp_path, "all/2 2 500 50", "one 30", "two 20"))
    assert Path(error.file).name == "two.dat"
