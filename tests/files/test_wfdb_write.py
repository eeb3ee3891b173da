"""Recordings written to WFDB are the same recordings when read again, here and by wfdb."""

from __future__ import annotations

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import leadlight as ll
from leadlight.errors import FileFormatError
from leadlight.leads import STANDARD_LEADS


def recording(
    signal: np.ndarray, leads: tuple[str, ...] = ("I", "II"), rate: float = 500, **more: object
) -> ll.Recording:
    return ll.Recording(np.asarray(signal, dtype=np.float32), leads, rate, **more)  # type: ignore[arg-type]


def test_a_record_comes_back_as_it_was(write_record, counts, tmp_path):
    original = ll.read(write_record(counts, comments=["#Age: 61", "#Sex: Female", "#Dx: 59118001,164889003"]))
    again = ll.read(ll.write(original, tmp_path / "again"))
    assert_array_equal(again.signal, original.signal)
    assert (again.leads, again.sampling_rate) == (original.leads, original.sampling_rate)
    assert (again.patient, again.statements) == (original.patient, original.statements)


def test_one_count_is_one_microvolt(tmp_path):
    ll.write(recording([[0.001, -0.002, 32.767], [0, 0.0004, -32.767]]), tmp_path / "r")
    theirs = wfdb.rdrecord(str(tmp_path / "r"), physical=False)
    assert theirs.d_signal.T.tolist() == [[1, -2, 32767], [0, 0, -32767]]
    assert (theirs.fmt, theirs.adc_gain, theirs.baseline, theirs.units) == (
        ["16"] * 2,
        [1000] * 2,
        [0] * 2,
        ["mV"] * 2,
    )


def test_wfdb_reads_it_and_agrees_with_its_checksums_and_first_samples(tmp_path):
    signal = np.random.default_rng(2).normal(size=(12, 1234))
    ll.write(recording(signal, STANDARD_LEADS, 360.5), tmp_path / "r")
    theirs = wfdb.rdrecord(str(tmp_path / "r"), physical=False)
    assert theirs.fs == 360.5
    assert theirs.sig_name == list(STANDARD_LEADS)
    assert theirs.checksum == theirs.calc_checksum()
    assert theirs.init_value == theirs.d_signal[0].tolist()
    assert_allclose(theirs.d_signal.T, signal * 1000, atol=0.501)


def test_missing_samples_stay_missing(tmp_path):
    signal = np.zeros((2, 10))
    signal[1, 3:5] = np.nan
    again = ll.read(ll.write(recording(signal), tmp_path / "r"))
    assert_array_equal(np.isnan(again["II"]), np.isnan(signal[1]))
    assert np.isnan(wfdb.rdrecord(str(tmp_path / "r")).p_signal[3:5, 1]).all()


def test_a_lead_that_is_missing_entirely_stays_so(tmp_path):
    signal = np.zeros((2, 10))
    signal[1] = np.nan
    assert ll.read(ll.write(recording(signal), tmp_path / "r")).missing["II"] == 10


def test_a_lead_of_large_amplitude_gets_a_coarser_gain_of_its_own(tmp_path):
    again = ll.read(ll.write(recording([[0.001, 0.002], [-100.0, 32.768]]), tmp_path / "r"))
    assert_array_equal(again["I"], np.array([0.001, 0.002], np.float32))
    assert_allclose(again["II"], [-100, 32.768], atol=0.0026)


@given(st.lists(st.floats(-30_000, 30_000, width=32), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_amplitude_comes_back_to_one_part_in_ten_thousand(tmp_path, values):
    again = ll.read(ll.write(recording([values], ("V1",)), tmp_path / "r"))
    assert_allclose(again["V1"], values, atol=max(0.000501, np.abs(values).max() / 10_000))


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e30])
def test_amplitudes_that_no_gain_holds_are_refused_by_lead(tmp_path, value):
    with pytest.raises(FileFormatError, match="lead II, amplitude"):
        ll.write(recording([[0, 0], [0, value]]), tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["with space", "dot.ted", "réc", "x" * 300])
def test_a_name_that_wfdb_cannot_have_is_refused(tmp_path, name):
    with pytest.raises(FileFormatError, match="record name"):
        ll.write(recording([[0], [0]]), tmp_path / name)


@pytest.mark.parametrize("name", ["r", "r.hea", "r.dat"])
def test_the_path_may_have_an_extension_and_the_headers_path_is_returned(tmp_path, name):
    assert ll.write(recording([[0], [0]]), tmp_path / name) == tmp_path / "r.hea"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.dat", "r.hea"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileFormatError, match="an existing folder"):
        ll.write(recording([[0], [0]]), tmp_path / "nowhere" / "r")


def test_a_recording_without_samples_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="0 samples"):
        ll.write(recording(np.zeros((2, 0))), tmp_path / "r")


def test_an_existing_record_is_replaced(tmp_path):
    ll.write(recording([[1], [1]]), tmp_path / "r")
    ll.write(recording([[2, 2], [2, 2]]), tmp_path / "r")
    assert ll.read(tmp_path / "r").n_samples == 2


def test_statements_of_other_systems_have_no_place_in_the_file(tmp_path):
    statements = (ll.Statement("NORM", "scp-ecg", 100.0), ll.Statement("59118001", "snomed-ct"))
    again = ll.read(ll.write(recording([[0], [0]], statements=statements), tmp_path / "r"))
    assert again.statements == statements[1:]


def test_no_text_of_a_statement_or_patient_becomes_a_line_of_its_own(tmp_path):
    statements = (
        ll.Statement("AF\nrec2 1 500", "text"),
        ll.Statement("AF,AFL", "text"),
        ll.Statement("1", "snomed-ct"),
    )
    patient = ll.Patient(id="7\n8", age=float("nan"))
    header = ll.write(recording([[0], [0]], statements=statements, patient=patient), tmp_path / "r")
    assert header.read_text().count("\n") == 3
    assert ll.read(header).statements == ()


def test_leads_are_spelled_as_other_software_wants_them(tmp_path):
    signal = np.zeros((2, 3))
    header = ll.write(recording(signal, ("I", "aVR")), tmp_path / "r", lead_names={"aVR": "AVR"})
    assert wfdb.rdheader(str(header)[:-4]).sig_name == ["I", "AVR"]
    with pytest.raises(FileFormatError, match="a spelling of aVR"):
        ll.write(recording(signal, ("I", "aVR")), tmp_path / "r", lead_names={"aVR": "V1"})
