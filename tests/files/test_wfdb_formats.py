"""Every storage format gives the counts that were stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb
from numpy.testing import assert_array_equal

import leadlight as ll
from leadlight.errors import FileFormatError
from leadlight.files.wfdb import physical, read_digital

RANGES = {
    8: 60,
    16: 32767,
    24: 2**23 - 1,
    32: 2**31 - 1,
    61: 32767,
    80: 127,
    160: 32767,
    212: 2047,
    310: 511,
    311: 511,
}
LEADS = ("I", "II", "V1")


def counts_for(storage: int, n_samples: int) -> np.ndarray:
    limit = RANGES[storage]
    counts = np.random.default_rng(storage).integers(-limit, limit, size=(3, n_samples), endpoint=True)
    if storage != 8:  # its differences have eight bits
        counts[0], counts[1] = limit, -limit
    return counts


@pytest.mark.parametrize("n_samples", [1, 2, 3, 4, 50, 51])
@pytest.mark.parametrize("storage", RANGES)
def test_each_storage_format_gives_the_stored_counts(write_record, storage, n_samples):
    counts = counts_for(storage, n_samples)
    record = read_digital(write_record(counts, LEADS, storage=storage))
    assert_array_equal(record.samples, counts)


@pytest.mark.parametrize("storage", [s for s in RANGES if s != 8])
def test_the_lowest_count_of_a_format_is_a_missing_sample(write_record, storage):
    counts = counts_for(storage, 8)
    counts[1, 3] = counts[2, 5] = -RANGES[storage] - 1
    recording = ll.read(write_record(counts, LEADS, storage=storage))
    assert recording.missing == {"II": 1, "III": 1, "aVR": 1, "aVL": 1, "aVF": 1, "V1": 1}
    assert "missing samples: II 1, III 1, aVR 1, aVL 1, aVF 1, V1 1" in recording.notes
    assert np.isnan(recording["II"][3])


@pytest.mark.parametrize("storage", RANGES)
def test_each_storage_format_agrees_with_wfdb_in_millivolts(write_record, storage):
    header = write_record(counts_for(storage, 50), LEADS, storage=storage, gain="212.5(17)/mV")
    theirs = wfdb.rdrecord(str(header)[:-4]).p_signal.T.astype(np.float32)
    assert_array_equal(physical(read_digital(header)), theirs)


@pytest.mark.parametrize("storage", RANGES)
@pytest.mark.parametrize("change", [-1, 1, 1000])
def test_a_data_file_of_another_size_is_refused(write_record, storage, change):
    header = write_record(counts_for(storage, 48), LEADS, storage=storage)
    data = header.with_suffix(".dat")
    content = data.read_bytes()
    data.write_bytes(content[:change] if change < 0 else content + bytes(change))
    with pytest.raises(FileFormatError) as refusal:
        ll.read(header)
    assert refusal.value.field == "size"
    assert f"{len(content) + change:,} bytes" in refusal.value.found
    assert f"{len(content):,} bytes" in refusal.value.accepted


@pytest.mark.parametrize("storage", RANGES)
def test_a_wrong_checksum_is_refused_by_lead(write_record, storage):
    counts = counts_for(storage, 30)
    header = write_record(counts, LEADS, storage=storage)
    text = header.read_text().splitlines()
    words = text[2].split()
    words[6] = str((int(words[6]) + 1) & 0xFFFF)
    header.write_text("\n".join([*text[:2], " ".join(words), *text[3:]]))
    with pytest.raises(FileFormatError) as refusal:
        ll.read(header)
    assert refusal.value.field == "lead II, checksum"


@pytest.mark.parametrize("storage", [16, 24, 32, 61, 80, 160, 8])
def test_a_header_without_a_length_takes_that_of_the_data(write_record, storage):
    counts = counts_for(storage, 40)
    recording = ll.read(write_record(counts, LEADS, storage=storage, length=""))
    assert recording.n_samples == 40
    assert "the header gives no length; it was taken from the data file's size" in recording.notes


def test_a_length_of_zero_means_as_much_as_the_file_holds_in_format_16_and_is_refused_elsewhere(write_record):
    assert ll.read(write_record(counts_for(16, 40), LEADS, length="0")).n_samples == 40
    with pytest.raises(FileFormatError) as refusal:
        ll.read(write_record(counts_for(212, 40), LEADS, storage=212, length="0"))
    assert refusal.value.field == "number of samples"


def test_a_byte_offset_is_skipped(write_record):
    counts = counts_for(16, 40)
    for modifier in ("+24", "x1+24", "x1:0+24"):
        header = write_record(counts, LEADS, modifier=modifier, offset=24, extension="mat")
        assert_array_equal(read_digital(header).samples, counts)


def test_a_byte_offset_beyond_the_file_is_refused(write_record):
    header = write_record(counts_for(16, 40), LEADS, modifier="+1000000")
    with pytest.raises(
        FileFormatError, match=r"1,000,240 bytes \(3 leads x 40 samples x 2 bytes, behind 1,000,000"
    ):
        ll.read(header)


def write_lines(header: Path, *lines: str) -> Path:
    header.write_text("\n".join(lines) + "\n")
    return header


def test_leads_in_several_files_are_read_together(write_record, tmp_path):
    limb, chest = counts_for(16, 30), counts_for(212, 30)[:1]
    write_record(limb[:2], ("I", "II"), name="limb")
    write_record(chest, ("V1",), name="chest", storage=212)
    lines = [
        *(tmp_path / "limb.hea").read_text().splitlines()[1:],
        (tmp_path / "chest.hea").read_text().splitlines()[1],
    ]
    header = write_lines(tmp_path / "both.hea", "both 3 500 30", *lines)
    record = read_digital(header)
    assert record.header.leads == ("I", "II", "V1")
    assert_array_equal(record.samples, np.vstack([limb[:2], chest]))


def test_several_samples_a_frame_raise_the_sampling_rate(write_record, tmp_path):
    counts = counts_for(16, 40)
    header = write_record(counts, LEADS)
    # Two samples of each lead in a frame: i i II II V1 V1.
    frames = counts.reshape(3, 20, 2).transpose(1, 0, 2)
    header.with_suffix(".dat").write_bytes(frames.astype("<i2").tobytes())
    header.write_text(header.read_text().replace(" 500 40", " 250 20").replace(" 16 1000", " 16x2 1000"))
    record = read_digital(header)
    assert record.header.sampling_rate == 500
    assert record.header.n_samples == 40
    assert_array_equal(record.samples, counts)


def test_leads_at_different_rates_are_refused(write_record):
    header = write_record(counts_for(16, 40), LEADS)
    header.write_text(header.read_text().replace(" 16 1000", " 16x2 1000", 1))
    with pytest.raises(FileFormatError) as refusal:
        ll.read(header)
    assert refusal.value.field == "samples per frame"


def test_skewed_leads_are_aligned_and_their_end_is_missing(write_record):
    counts = counts_for(16, 40)
    header = write_record(counts, LEADS)
    lines = header.read_text().splitlines()
    lines[2] = lines[2].replace(" 16 1000", " 16:3 1000")
    header.write_text("\n".join(lines))
    recording = ll.read(header)
    assert_array_equal(recording["II"][:-3], (counts[1, 3:] / 1000).astype(np.float32))
    assert recording.missing["II"] == 3
    assert_array_equal(recording["V1"], (counts[2] / 1000).astype(np.float32))


@pytest.mark.parametrize("skew", ["40", "999999"])
def test_a_skew_of_the_whole_record_is_refused(write_record, skew):
    header = write_record(counts_for(16, 40), LEADS)
    header.write_text(header.read_text().replace(" 16 1000", f" 16:{skew} 1000", 1))
    with pytest.raises(FileFormatError) as refusal:
        ll.read(header)
    assert refusal.value.field == "skew"


def test_two_formats_in_one_file_are_refused(write_record):
    header = write_record(counts_for(16, 40), LEADS)
    header.write_text(header.read_text().replace(" 16 1000", " 61 1000", 1))
    with pytest.raises(FileFormatError, match="several formats or offsets"):
        ll.read(header)


def test_a_header_that_wfdb_reads_differently_is_refused(write_record):
    # wfdb takes a name up to its second dot and the rest for something else.
    header = write_record(counts_for(61, 40), LEADS, storage=61, name="rec.b")
    with pytest.raises(FileFormatError) as refusal:
        ll.read(header)
    assert refusal.value.field == "content"
