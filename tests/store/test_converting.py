"""One record from its file to counts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import firwin, resample_poly

from leadlight.errors import FileFormatError
from leadlight.leads import STANDARD_LEADS
from leadlight.store.converting import UnusableError, read_record

Writer = Callable[..., None]


@pytest.fixture
def counts() -> np.ndarray:
    return np.random.default_rng(1).integers(-2000, 2000, (12, 300), dtype=np.int16)


def test_counts_of_one_microvolt_are_copied_to_the_bit(tmp_path: Path, write_wfdb: Writer, counts) -> None:
    write_wfdb(tmp_path / "r", counts)
    record = read_record(tmp_path / "r", 100)
    assert_array_equal(record.counts, counts)
    assert record.counts.dtype == np.int16
    assert record.counts.flags.c_contiguous
    assert not record.resampled
    assert record.notes == ()
    assert record.file_sampling_rate == 100


def test_the_checksum_is_the_sha256_of_the_stored_bytes(tmp_path: Path, write_wfdb: Writer, counts) -> None:
    write_wfdb(tmp_path / "r", counts)
    expected = hashlib.sha256(counts.astype("<i2").tobytes()).hexdigest()
    assert read_record(tmp_path / "r", 100).checksum == expected


def test_leads_are_put_in_order_by_name(tmp_path: Path, write_wfdb: Writer, counts) -> None:
    order = list(np.random.default_rng(2).permutation(12))
    write_wfdb(tmp_path / "r", counts[order], leads=[STANDARD_LEADS[i].upper() for i in order])
    assert_array_equal(read_record(tmp_path / "r", 100).counts, counts)


@pytest.mark.parametrize(
    ("gain", "stored", "microvolts"),
    [
        ("200(0)/mV", [1, -1, 100, 0], [5, -5, 500, 0]),
        ("1000(50)/mV", [50, 51, 0, -50], [0, 1, -50, -100]),
        ("300(0)/mV", [1, 2, -1, 300], [3, 7, -3, 1000]),  # 3.33 and 6.67
        ("1(0)/uV", [7, -7, 0, 9], [7, -7, 0, 9]),
        ("1000000(0)/V", [12, -12, 0, 3], [12, -12, 0, 3]),
        ("4(0)/uV", [9, -9, 40, 0], [2, -2, 10, 0]),
    ],
)
def test_other_gains_baselines_and_units_become_microvolts(
    tmp_path: Path, write_wfdb: Writer, gain: str, stored: list[int], microvolts: list[int]
) -> None:
    write_wfdb(tmp_path / "r", np.tile(np.int16(stored), (12, 1)), gain=gain)
    assert_array_equal(read_record(tmp_path / "r", 100).counts, np.tile(np.int16(microvolts), (12, 1)))


def test_a_header_without_a_unit_is_read_as_millivolts_and_said(
    tmp_path: Path, write_wfdb: Writer, counts
) -> None:
    write_wfdb(tmp_path / "r", counts, gain="1000(0)")
    record = read_record(tmp_path / "r", 100)
    assert_array_equal(record.counts, counts)
    assert record.notes == ("no unit in the header, millivolts by WFDB's rule",)


@pytest.mark.parametrize("gain", ["1000(0)/mV", "200(0)/mV"])
def test_missing_samples_stay_missing_and_are_counted(
    tmp_path: Path, write_wfdb: Writer, counts, gain: str
) -> None:
    counts[3, 10:20] = -32768
    counts[7, 299] = -32768
    write_wfdb(tmp_path / "r", counts, gain=gain)
    record = read_record(tmp_path / "r", 100)
    assert_array_equal(record.counts == -32768, counts == -32768)
    assert record.missing_samples == 11


def test_what_does_not_fit_is_clipped_and_said(tmp_path: Path, write_wfdb: Writer, counts) -> None:
    counts[0, :3] = 10_000, -10_000, 6553  # at 5 microvolts a count: 50, -50 and 32.765 mV
    counts[1:] = 0
    counts[1:, 0] = 1
    write_wfdb(tmp_path / "r", counts, gain="200(0)/mV")
    record = read_record(tmp_path / "r", 100)
    assert record.counts[0, :3].tolist() == [32767, -32767, 32765]
    assert record.clipped_samples == 2
    assert record.notes == ("2 samples clipped at 32.767 mV",)


def test_samples_at_the_files_own_limit_are_counted_as_clipped(
    tmp_path: Path, write_wfdb: Writer, counts
) -> None:
    counts[2, 5] = 32767
    counts[4, 6] = -32767
    write_wfdb(tmp_path / "r", counts)
    assert read_record(tmp_path / "r", 100).clipped_samples == 2


def test_missing_limb_leads_are_derived_and_said(tmp_path: Path, write_wfdb: Writer, counts) -> None:
    counts[:2] = 2 * (counts[:2] // 2)  # so that halves are whole
    names = [lead for lead in STANDARD_LEADS if lead not in ("III", "aVF")]
    rows = [STANDARD_LEADS.index(name) for name in names]
    write_wfdb(tmp_path / "r", counts[rows], leads=names)
    record = read_record(tmp_path / "r", 100)
    one, two = counts[0].astype(int), counts[1].astype(int)
    assert_array_equal(record.counts[2], two - one)
    assert_array_equal(record.counts[5], two - one // 2)
    assert_array_equal(record.counts[rows], counts[rows])
    assert record.notes == ("derived from I and II: III, aVF",)


def test_a_record_without_a_chest_lead_is_not_usable(tmp_path: Path, write_wfdb: Writer, counts) -> None:
    write_wfdb(tmp_path / "r", counts[:9], leads=STANDARD_LEADS[:9])
    with pytest.raises(UnusableError, match="lacks V4, V5, V6"):
        read_record(tmp_path / "r", 100)


def test_without_lead_one_nothing_is_derived(tmp_path: Path, write_wfdb: Writer, counts) -> None:
    write_wfdb(tmp_path / "r", counts[1:], leads=STANDARD_LEADS[1:])
    with pytest.raises(UnusableError, match="lacks I;"):
        read_record(tmp_path / "r", 100)


def test_further_leads_are_left_out_and_said(tmp_path: Path, write_wfdb: Writer, counts) -> None:
    more = np.concatenate([counts[:1] * 0 + 5, counts])
    write_wfdb(tmp_path / "r", more, leads=("V7", *STANDARD_LEADS))
    record = read_record(tmp_path / "r", 100)
    assert_array_equal(record.counts, counts)
    assert record.notes == ("not stored: V7",)


def test_a_record_of_missing_samples_alone_is_not_usable(tmp_path: Path, write_wfdb: Writer, counts) -> None:
    write_wfdb(tmp_path / "r", np.full_like(counts, -32768))
    with pytest.raises(UnusableError, match="every sample is missing"):
        read_record(tmp_path / "r", 100)


def test_a_truncated_file_is_refused(tmp_path: Path, write_wfdb: Writer, counts) -> None:
    write_wfdb(tmp_path / "r", counts)
    data = (tmp_path / "r.dat").read_bytes()
    (tmp_path / "r.dat").write_bytes(data[:-100])
    with pytest.raises(FileFormatError, match="cut short"):
        read_record(tmp_path / "r", 100)


def test_another_rate_is_resampled_as_the_textbook_does(tmp_path: Path, write_wfdb: Writer) -> None:
    counts = np.random.default_rng(4).normal(0, 500, (12, 2000)).round().astype(np.int16)
    write_wfdb(tmp_path / "r", counts, rate=500)
    record = read_record(tmp_path / "r", 100)
    # The filter that leadlight.signal describes, designed here by SciPy in double precision.
    expected = resample_poly(
        counts.astype(float), 1, 5, axis=1, padtype="edge",
        window=firwin(253, 45, width=10, fs=500),
    )  # fmt: skip
    # SciPy's own `width` asks for another Kaiser parameter by a hair: two counts are enough.
    assert_allclose(record.counts, expected, atol=2)
    assert record.resampled
    assert record.file_sampling_rate == 500
    assert record.notes == ("resampled from 500 to 100 Hz",)


def test_a_gap_stays_a_gap_when_resampled(tmp_path: Path, write_wfdb: Writer) -> None:
    counts = np.full((12, 2000), 100, dtype=np.int16)
    counts[:, ::2] = 102
    counts[6, 500:1000] = -32768
    write_wfdb(tmp_path / "r", counts, rate=500)
    record = read_record(tmp_path / "r", 100)
    gap = np.flatnonzero(record.counts[6] == -32768)
    assert gap.tolist() == list(range(100, 201))  # 1.00 to 2.00 s; sample 999 is nearest to 1.998 s
    assert record.missing_samples == 101
    assert set(np.unique(record.counts[record.counts != -32768])) <= {100, 101, 102}


@pytest.mark.real
def test_real_records_equal_what_wfdb_reads(real_ptbxl: Path) -> None:
    import wfdb

    for header in sorted(real_ptbxl.glob("records100/*/*.hea"))[::400]:
        expected = wfdb.rdrecord(str(header.with_suffix("")), physical=False).d_signal.T
        assert_array_equal(read_record(header.with_suffix(""), 100).counts, expected)
