"""From a record to a Recording: millivolts, leads in order, and notes of what was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import leadlight as ll
from leadlight.errors import FileFormatError
from leadlight.files.wfdb import physical, read_digital
from leadlight.leads import STANDARD_LEADS


def test_a_twelve_lead_record(write_record, counts):
    header = write_record(counts, rate="100")
    recording = ll.read(header)
    assert recording.leads == STANDARD_LEADS
    assert recording.sampling_rate == 100
    assert recording.signal.dtype == np.float32
    assert recording.source == str(header)
    assert recording.notes == ()
    assert_array_equal(recording.signal, (counts / 1000).astype(np.float32))


def test_the_source_is_the_path_as_given(write_record, counts, monkeypatch):
    monkeypatch.chdir(write_record(counts).parent)
    assert ll.read("rec1.dat").source == "rec1.dat"
    assert ll.read(Path("rec1")).source == "rec1"


def test_leads_are_put_in_order_by_name(write_record, counts):
    shuffled = np.random.default_rng(3).permutation(12)
    names = ["lead I", "ii", "III", "avr", "aVL", "AVF", "v1", "V2", "V3", "V4", "V5", "V6"]
    recording = ll.read(write_record(counts[shuffled], [names[place] for place in shuffled]))
    assert recording.leads == STANDARD_LEADS
    assert_array_equal(recording.signal, (counts / 1000).astype(np.float32))
    assert recording.notes[0].startswith("leads put in order; the file has ")


def test_missing_limb_leads_are_derived_and_noted(write_record, counts):
    recording = ll.read(write_record(counts[[0, 1, 6]], ("I", "II", "V1")))
    assert recording.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1")
    assert recording.notes == ("derived from I and II: III, aVR, aVL, aVF",)
    assert_allclose(recording.signal[:6], counts[:6] / 1000, atol=1e-6)


def test_leads_that_are_in_the_file_are_never_derived(write_record, counts):
    other = counts[[0, 1, 2]].copy()
    other[2] = 5
    recording = ll.read(write_record(other, ("I", "II", "III")))
    assert_array_equal(recording["III"], np.full(200, 0.005, np.float32))
    assert recording.notes == ("derived from I and II: aVR, aVL, aVF",)


def test_missing_samples_are_nan_counted_and_noted(write_record, counts):
    counts[6, 10:14] = counts[7, 0] = -32768
    recording = ll.read(write_record(counts))
    assert recording.missing == {"V1": 4, "V2": 1}
    assert np.isnan(recording["V1"][10:14]).all()
    assert recording.notes == ("missing samples: V1 4, V2 1",)


@pytest.mark.parametrize(
    ("unit", "millivolts"),
    [
        ("mV", 1),
        ("mv", 1),
        ("MV", 1),
        ("uV", 1e-3),
        ("UV", 1e-3),
        ("µV", 1e-3),
        ("μV", 1e-3),
        ("V", 1e3),
        ("v", 1e3),
    ],
)
def test_units_are_honoured(write_record, counts, unit, millivolts):
    recording = ll.read(write_record(counts, gain=f"4/{unit}"))
    assert_allclose(recording.signal, counts / 4 * millivolts, rtol=1e-6)


def test_a_missing_unit_is_millivolts_and_noted(write_record, counts):
    recording = ll.read(write_record(counts, gain=["1000"] * 2 + ["1000/mV"] * 10))
    assert recording.notes == ("no unit in the header, millivolts by WFDB's rule: I, II",)
    assert_array_equal(recording.signal, (counts / 1000).astype(np.float32))


def test_gains_and_baselines_are_those_of_each_channel(write_record, counts):
    gains = [f"{100 + 10 * row}({row})/mV" for row in range(12)]
    recording = ll.read(write_record(counts, gain=gains))
    for row in range(12):
        assert_allclose(recording.signal[row], (counts[row] - row) / (100 + 10 * row), rtol=1e-6)


def test_the_converters_zero_is_the_baseline_where_none_is_given(write_record, counts):
    gains = ["1000/mV"] * 11 + ["1000(0)/mV"]
    recording = ll.read(write_record(counts, gain=gains, zero=100))
    assert_allclose(recording.signal[:11], (counts[:11] - 100) / 1000, atol=1e-6)
    assert_allclose(recording.signal[11], counts[11] / 1000, atol=1e-6)


def test_another_first_sample_under_a_right_checksum_is_noted(write_record, counts):
    header = write_record(counts)
    lines = header.read_text().splitlines()
    words = lines[7].split()
    words[5] = str(int(words[5]) + 1)
    lines[7] = " ".join(words)
    header.write_text("\n".join(lines))
    assert ll.read(header).notes == ("the header states another first sample, under a right checksum: V1",)


def test_signed_and_unsigned_checksums_are_the_same(write_record, counts):
    header = write_record(counts)
    lines = header.read_text().splitlines()
    for number in range(1, 13):
        words = lines[number].split()
        words[6] = str((int(words[6]) + 2**15) % 2**16 - 2**15)
        lines[number] = " ".join(words)
    header.write_text("\n".join(lines))
    assert ll.read(header).notes == ()


def test_one_changed_bit_is_found(write_record, counts):
    header = write_record(counts)
    data = header.with_suffix(".dat")
    content = bytearray(data.read_bytes())
    content[2 * (12 * 100 + 8)] ^= 1  # sample 100 of V3
    data.write_bytes(content)
    with pytest.raises(FileFormatError) as refusal:
        ll.read(header)
    assert refusal.value.field == "lead V3, checksum"


def test_a_truncated_file_says_what_its_header_asks_for(write_record, counts):
    header = write_record(counts)
    data = header.with_suffix(".dat")
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(FileFormatError) as refusal:
        ll.read(header)
    assert str(refusal.value).endswith(
        "rec1.dat, size: found 1,000 bytes; accepted: 4,800 bytes (12 leads x 200 samples x 2 bytes). "
        "The file is cut short. Copy the record again from its source."
    )


def test_age_sex_and_diagnoses_come_from_the_comments(write_record, counts):
    recording = ll.read(write_record(counts, comments=["#Age: 85", "#Sex: Male", "#Dx: 164889003,59118001"]))
    assert recording.patient == ll.Patient(age=85, sex="male")
    assert recording.statements == (
        ll.Statement("164889003", "snomed-ct"),
        ll.Statement("59118001", "snomed-ct"),
    )


def test_a_multi_segment_record_is_not_read_as_counts(tmp_path):
    (tmp_path / "rec1.hea").write_text("rec1/1 1 500 4\nrec2 4\n")
    with pytest.raises(FileFormatError, match=r"leadlight\.read"):
        read_digital(tmp_path / "rec1")


GAINS = st.one_of(
    st.sampled_from(["1000", "1000.0", "200", "204.8", "4880", "0.1", "1e3", "-1000", "3276.8", "333.333"]),
    st.floats(1e-3, 1e6).map(lambda value: f"{value:.6f}").filter(lambda text: float(text) > 1e-6),
)


@given(
    gain=GAINS,
    baseline=st.integers(-40_000, 40_000),
    storage=st.sampled_from([16, 61, 32]),
    seed=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_millivolts_equal_wfdbs_after_rounding_to_float32(write_record, gain, baseline, storage, seed):
    limit = 32767 if storage != 32 else 2**31 - 1
    counts = np.random.default_rng(seed).integers(-limit - 1, limit, size=(2, 500), endpoint=True)
    header = write_record(counts, ("I", "V1"), gain=f"{gain}({baseline})/mV", storage=storage)
    theirs = wfdb.rdrecord(str(header)[:-4])
    ours = read_digital(header)
    assert_array_equal(ours.samples.T, wfdb.rdrecord(str(header)[:-4], physical=False).d_signal)
    assert_array_equal(physical(ours), theirs.p_signal.T.astype(np.float32))


@pytest.mark.parametrize("gain", [1000, 200, 4880, 3, 7.5, 1009, 0.015625])
def test_every_16_bit_count_is_rounded_as_from_float64(write_record, gain):
    counts = np.arange(-32767, 32768)[None]
    record = read_digital(write_record(counts, ("V1",), gain=f"{gain}(12)/mV"))
    assert_array_equal(physical(record), ((counts - 12) / gain).astype(np.float32))


def test_reading_needs_no_heavy_import(write_record, counts):
    import subprocess
    import sys

    header = write_record(counts)
    code = (
        f"import leadlight, sys; leadlight.read({str(header)!r}); "
        "print([m for m in ('wfdb', 'pandas', 'scipy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
