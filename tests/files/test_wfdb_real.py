"""Real recordings: equal to wfdb, record by record. PTB-XL, the Challenges and CODE-15%."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import wfdb
from numpy.testing import assert_array_equal

import leadlight as ll
from leadlight.files import find_recordings
from leadlight.files.wfdb import physical, read_digital
from leadlight.leads import STANDARD_LEADS, canonical_lead

pytestmark = pytest.mark.real


def assert_equal_to_wfdb(header: Path) -> None:
    """Counts to the bit, millivolts after rounding to float32, leads, rate."""
    record = str(header)[: -len(".hea")]
    digital = read_digital(header)
    counts = wfdb.rdrecord(record, physical=False)
    assert_array_equal(digital.samples.T, counts.d_signal)
    volts = wfdb.rdrecord(record)
    assert {unit.lower() for unit in volts.units} == {"mv"}
    expected = volts.p_signal.T.astype(np.float32)
    assert_array_equal(physical(digital), expected)
    recording = ll.read(header)
    leads = [canonical_lead(name) for name in volts.sig_name]
    assert_array_equal(recording.signal, expected[[leads.index(lead) for lead in recording.leads]])
    assert recording.leads == STANDARD_LEADS
    assert recording.sampling_rate == volts.fs


@pytest.mark.parametrize("folder", ["challenge-2021", "code-15", "ptb-xl/records500"])
def test_every_record_is_equal_to_wfdbs(real_data, folder):
    headers = find_recordings(real_data / folder)
    assert len(headers) > 20
    for header in headers:
        assert_equal_to_wfdb(header)


def test_every_tenth_100_hz_record_is_equal_to_wfdbs(real_ptbxl):
    headers = find_recordings(real_ptbxl / "records100")
    assert len(headers) > 1000
    for header in headers[::10]:
        assert_equal_to_wfdb(header)


@pytest.mark.slow
def test_every_100_hz_record_is_equal_to_wfdbs(real_ptbxl):
    for header in find_recordings(real_ptbxl / "records100"):
        assert_equal_to_wfdb(header)


def test_every_record_is_read_without_a_doubt(real_data):
    notes = {note for header in find_recordings(real_data) for note in ll.read(header).notes}
    assert notes <= {"the header's age is PTB-XL's sign for over 89; read as 90"}


def test_every_age_and_sex_of_the_challenge_is_read(real_data):
    for header in find_recordings(real_data / "challenge-2021"):
        patient, text = ll.read(header).patient, header.read_text()
        age = re.search(r"^# ?Age: *(\S+)", text, re.MULTILINE)
        assert age is not None
        assert patient.age == (None if age[1] == "NaN" else 90 if age[1] == "300" else float(age[1]))
        sex = re.search(r"^# ?Sex: *(\S+)", text, re.MULTILINE)
        assert sex is not None
        assert patient.sex == sex[1].lower()


def test_a_real_record_written_and_read_again_is_the_same(real_data, tmp_path):
    for header in find_recordings(real_data / "challenge-2021")[::5]:
        recording = ll.read(header)
        again = ll.read(ll.write(recording, tmp_path / "again"))
        assert_array_equal(again.signal, recording.signal)
        assert (again.patient, again.statements) == (recording.patient, recording.statements)
