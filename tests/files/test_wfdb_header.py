"""What a header may say, and the words that refuse what it may not."""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import pytest

import leadlight as ll
from leadlight.errors import FileFormatError
from leadlight.files.wfdb import read_header

GOOD = """\
rec1 2 500 4 12:33:59 12/05/2020
rec1.dat 16 1000.0(-5)/mV 16 3 1 4 0 I
rec1.dat 16 200/uV 12 7 1 -4 0 AVR
# Age: 50
#Sex: Female
"""

UNCALIBRATED = "0, which WFDB uses for a signal that was never calibrated"


@pytest.fixture
def header(tmp_path: Path) -> Path:
    path = tmp_path / "rec1.hea"
    path.write_text(GOOD)
    (tmp_path / "rec1.dat").write_bytes(bytes(16))
    return path


def refusal(path: Path) -> FileFormatError:
    with pytest.raises(FileFormatError) as caught:
        ll.read(path)
    return caught.value


def test_the_fields_of_a_header(header):
    found = read_header(header)
    first, second = found.channels
    assert (found.sampling_rate, found.n_samples, found.leads) == (500.0, 4, ("I", "aVR"))
    assert (first.storage, first.gain, first.baseline, first.unit) == (16, 1000.0, -5, "mV")
    assert (second.gain, second.unit) == (200.0, "uV")
    assert found.files == ("rec1.dat", "rec1.dat")
    assert (found.initial_values, found.checksums) == ((1, 1), (4, -4))
    assert found.comments == ("Age: 50", "Sex: Female")


def test_the_baseline_is_the_converters_zero_where_it_is_not_given(header):
    assert read_header(header).channels[1].baseline == 7


@pytest.mark.parametrize("name", ["rec1", "rec1.hea", "rec1.dat", "rec1.mat", "rec1.DAT"])
def test_a_record_is_named_with_or_without_extension(header, name):
    assert read_header(header.parent / name).n_samples == 4
    assert read_header(str(header.parent / name)).n_samples == 4


@pytest.mark.parametrize(
    ("old", "new", "field", "found"),
    [
        ("rec1 2 500 4", "rec1 0 500 4", "line 1, number of leads", "0"),
        ("rec1 2 500 4", "rec1 65 500 4", "line 1, number of leads", "65"),
        ("rec1 2 500 4", "rec1 99999999999 500 4", "line 1, number of leads", "99,999,999,999"),
        ("rec1 2 500 4", "rec1 -2 500 4", "line 1, number of leads", "'-2'"),
        ("rec1 2 500 4", "rec1 two 500 4", "line 1, number of leads", "'two'"),
        ("rec1 2 500 4 12:33:59 12/05/2020", "rec1", "line 1, number of leads", "nothing"),
        ("rec1 2 500 4 12:33:59 12/05/2020", "rec1 2", "line 1, sampling rate", "nothing"),
        ("rec1 2 500 4", "rec1 2 0 4", "line 1, sampling rate", "0 Hz"),
        ("rec1 2 500 4", "rec1 2 -500 4", "line 1, sampling rate", "'-500'"),
        ("rec1 2 500 4", "rec1 2 20001 4", "line 1, sampling rate", "20,001 Hz"),
        ("rec1 2 500 4", "rec1 2 nan 4", "line 1, sampling rate", "'nan'"),
        ("rec1 2 500 4", "rec1 2 1e2 4", "line 1, sampling rate", "'1e2'"),
        ("rec1 2 500 4", "rec1 2 ٥٠٠ 4", "line 1, sampling rate", "3 characters"),
        ("rec1 2 500 4", "rec1 2 500 -4", "line 1, number of samples", "'-4'"),
        ("rec1 2 500 4", "rec1 2 500 4_0", "line 1, number of samples", "'4_0'"),
        ("rec1 2 500 4", "rec1 2 500 4000000000000000", "line 1, number of samples", "'4000000000000000'"),
        ("rec1 2 500 4", "rec1 2 500 400000000000000", "size", "16 bytes"),
        ("rec1 2 500 4", "rec1/x 2 500 4", "line 1, record name", "'rec1/x'"),
        ("rec1 2 500 4", "rec1/0 2 500 4", "line 1, number of segments", "0"),
        ("rec1 2 500 4", "rec1/5000 2 500 4", "line 1, number of segments", "5,000"),
        ("rec1 2 500 4", "rec1 3 500 4", "number of signal lines", "2"),
        ("rec1 2 500 4", "rec1 1 500 4", "number of signal lines", "2"),
        (" I\n", " \n", "line 2, lead name", "a line of 8 fields"),
        (" 16 3 1 4 0 I\n", "\n", "line 2, lead name", "a line of 3 fields"),
        (" I\n", " PLETH\n", "line 2, lead name", "'PLETH'"),
        (" AVR\n", " lead I\n", "line 3, lead name", "I a second time"),
        ("(-5)/mV", "(-5)/mmHg", "line 2, unit", "'mmHg'"),
        ("(-5)/mV", "(-5)/", "line 2, unit", None),
        ("1000.0(-5)", "0(-5)", "line 2, gain", UNCALIBRATED),
        ("1000.0(-5)", "-0.0(-5)", "line 2, gain", UNCALIBRATED),
        ("1000.0(-5)", "1e-9(-5)", "line 2, gain", "1e-09"),
        ("1000.0(-5)", "1e300(-5)", "line 2, gain", "1e+300"),
        ("1000.0(-5)", "1e999(-5)", "line 2, gain", "inf"),
        ("1000.0(-5)", "nan(-5)", "line 2, gain", "'nan(-5)/mV'"),
        ("1000.0(-5)", "1000.0(x)", "line 2, gain", "'1000.0(x)/mV'"),
        ("16 1000.0", "508 1000.0", "line 2, format", "'508'"),
        ("16 1000.0", "17 1000.0", "line 2, format", "'17'"),
        ("16 1000.0", "16x0 1000.0", "line 2, samples per frame", "0"),
        ("16 1000.0", "16+x 1000.0", "line 2, format", "'16+x'"),
        ("mV 16 3", "mV 16 z", "line 2, zero", "'z'"),
        ("mV 16 3", "mV r 3", "line 2, resolution", "'r'"),
        ("3 1 4 0", "3 first 4 0", "line 2, initial value", "'first'"),
        ("3 1 4 0", "3 1 0x4 0", "line 2, checksum", "'0x4'"),
        ("3 1 4 0", "3 1 4-4 0", "line 2, checksum", "'4-4'"),
        ("3 1 4 0", "3 1 4_4 0", "line 2, checksum", "'4_4'"),
        ("3 1 4 0", f"3 1 {'9' * 700} 0", "lead I, checksum", "0"),
        ("3 1 4 0", "3 1 4 b", "line 2, block size", "'b'"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_what_was_found(header, old, new, field, found):
    assert old in GOOD
    header.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    if found is None:  # an empty unit is a missing one, and millivolts
        assert read_header(header).channels[0].unit == ""
        return
    error = refusal(header)
    assert (error.field, error.found) == (field, found)
    assert error.accepted


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../rec1.dat", "..", "sub/rec1.dat", "C:\\rec1.dat", "..\\rec1.dat", "https://x/rec1.dat",
     "s3://bucket/rec1.dat", "file:rec1.dat", "-", "~", ".rec1.dat", "rec1..dat", "réc1.dat", "rec1.dat;x"],
)  # fmt: skip
def test_a_data_file_outside_the_records_folder_is_refused(header, name):
    header.write_text(GOOD.replace("rec1.dat", name, 1), encoding="utf-8")
    assert refusal(header).field == "line 2, file name"


def test_a_link_out_of_the_records_folder_is_refused(header, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    data = tmp_path / "rec1.dat"
    data.rename(elsewhere / "rec1.dat")
    data.symlink_to(elsewhere / "rec1.dat")
    assert refusal(header).found == "a link that leads out of the record's folder"


def test_a_link_within_the_records_folder_is_followed(write_record, counts, tmp_path):
    header = write_record(counts)
    (tmp_path / "rec1.dat").rename(tmp_path / "other.dat")
    (tmp_path / "rec1.dat").symlink_to("other.dat")
    assert ll.read(header).n_samples == 200


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "content"),
        (b"\n\n  \n", "content"),
        (b"# only a comment\n", "content"),
        (b"rec1 2 500 4\0\n", "content"),
        (os.urandom(2000) + b"\0", "content"),
        (b"\xff\xfe 2 500 4\n", "line 1"),
        (b"rec1 2 500 4\n" + b"x" * 2000 + b"\n", "line 2"),
        (b"#" * 300_000, "size"),
    ],
    ids=["empty", "blank", "comment", "NUL", "random", "not UTF-8", "long line", "long file"],
)
def test_what_is_no_header_is_refused(header, content, field):
    header.write_bytes(content)
    assert refusal(header).field == field


def test_comments_in_latin_1_are_read_and_noted(write_record, counts):
    header = write_record(counts, comments=["#Age: 50"])
    header.write_bytes(header.read_bytes() + "# Größe: 170\n".encode("latin-1"))
    recording = ll.read(header)
    assert recording.patient.age == 50
    assert "the header is not UTF-8; its comments were read as Latin-1" in recording.notes


def test_line_numbers_count_comments_and_empty_lines(header):
    header.write_text("# before\n\n" + GOOD.replace("200/uV", "0/uV"))
    assert refusal(header).field == "line 5, gain"


def test_windows_line_ends_are_read(header):
    header.write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert read_header(header).leads == ("I", "aVR")


def test_another_record_name_in_the_header_is_noted(write_record, counts):
    header = write_record(counts)
    header.write_text(header.read_text().replace("rec1 12", "rec2 12"))
    assert "the header gives the record another name than its file has" in ll.read(header).notes


def test_a_record_name_with_the_data_files_ending_is_not_worth_a_note(write_record, counts):
    # As the Challenge's Georgia headers have it.
    header = write_record(counts)
    header.write_text(header.read_text().replace("rec1 12", "rec1.mat 12"))
    assert ll.read(header).notes == ()


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "rec1.hea").mkdir()
    assert refusal(tmp_path / "rec1").found == "something that is not a plain file"
    assert "find_recordings" in refusal(tmp_path).remedy


def test_a_pipe_is_not_waited_for(header, tmp_path):
    (tmp_path / "rec1.dat").unlink()
    os.mkfifo(tmp_path / "rec1.dat")
    assert refusal(header).found == "something that is not a plain file"
    header.unlink()
    os.mkfifo(header)
    assert refusal(header).found == "something that is not a plain file"


def test_a_missing_file_is_answered_with_names_near_to_it(header, tmp_path):
    error = refusal(tmp_path / "rec2.hea")
    assert error.found == "no file rec2.hea"
    assert "rec1" in error.remedy


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("nowhere/rec1", "no folder"),
        ("rec\0", "a NUL character"),
        ("https://physionet.org/rec1", "a URL"),
        ("x" * 5000, "no file"),
        ("", "no file .hea"),
    ],
)
def test_a_path_that_cannot_be_is_refused(tmp_path, monkeypatch, name, found):
    monkeypatch.chdir(tmp_path)
    assert refusal(name).found.startswith(found)


def test_data_without_a_header_is_told_apart_from_no_file(tmp_path):
    (tmp_path / "rec1.mat").write_bytes(bytes(100))
    assert refusal(tmp_path / "rec1.mat").found == "no rec1.hea beside it"


def test_a_missing_data_file_is_named(header, tmp_path):
    (tmp_path / "rec1.dat").unlink()
    error = refusal(header)
    assert (Path(error.file).name, error.found) == ("rec1.dat", "no such file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(header):
    header.chmod(0)
    assert refusal(header).found == "permission denied"


def test_nothing_is_allocated_on_a_headers_word(header):
    header.write_text(GOOD.replace("rec1 2 500 4", "rec1 2 500 900000000000"))
    tracemalloc.start()
    began = time.perf_counter()
    refusal(header)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert time.perf_counter() - began < 1


def test_errors_do_not_tell_what_comments_say(header):
    header.write_text(GOOD.replace("1000.0", "0") + "# Name: Jane Roe\n# Age: 42\n")
    assert "Roe" not in str(refusal(header)) and "42" not in str(refusal(header))
    # A comment that lost its mark.
    header.write_text(GOOD.replace("# Age: 50", "Name: Jane Roe born 1982"))
    assert "Roe" not in str(refusal(header)) and "1982" not in str(refusal(header))
