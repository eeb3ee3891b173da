"""Simulated data sets in the layout of MIMIC-IV-ECG."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from typer.testing import CliRunner

from leadlight import datasets, files
from leadlight.cli.app import app
from leadlight.errors import DatasetError
from leadlight.simulate import read_truth, simulate_dataset, simulate_mimic_iv_ecg
from leadlight.simulate.cases import drafts
from leadlight.simulate.mimic_patients import draw_number_of_ecgs, patients
from leadlight.simulate.mimic_rows import cart_codes, report
from leadlight.simulate.recording import draw
from leadlight.simulate.tables import table

N_RECORDS = 60


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty records of seed 3 that share eight recordings."""
    return simulate_mimic_iv_ecg(tmp_path_factory.mktemp("mimic"), N_RECORDS, 3, workers=1, pool=8)


@pytest.fixture(scope="module")
def index(simulated: Path) -> datasets.DatasetIndex:
    return datasets.read_index("mimic-iv-ecg", simulated, 500, labels=simulated / "patients.csv")


def rows_of(root: Path, name: str) -> list[dict[str, str]]:
    with (root / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_folder_has_the_tables_of_mimic_iv_ecg(simulated):
    assert {path.name for path in simulated.iterdir()} == {
        "record_list.csv", "machine_measurements.csv", "waveform_note_links.csv", "patients.csv", "RECORDS",
        "files", "truth", "SIMULATED.json",
    }  # fmt: skip
    assert list(rows_of(simulated, "record_list.csv")[0]) == [
        "subject_id", "study_id", "file_name", "ecg_time", "path"
    ]  # fmt: skip
    columns = list(rows_of(simulated, "machine_measurements.csv")[0])
    assert len(columns) == 33 and columns[:5] == ["subject_id", "study_id", "cart_id", "ecg_time", "report_0"]
    assert columns[-11:-7] == ["bandwidth", "filtering", "rr_interval", "p_onset"]


def test_headers_have_the_documented_form(simulated):
    path = rows_of(simulated, "record_list.csv")[0]["path"]
    lines = (simulated / f"{path}.hea").read_text().splitlines()
    name = path.rsplit("/", 1)[1]
    assert lines[0].split()[:4] == [name, "12", "500", "5000"]
    fields = [line.split() for line in lines[1:13]]
    assert all(f[:5] == [f"{name}.dat", "16", "200.0(0)/mV", "16", "0"] and f[7] == "0" for f in fields)
    assert [f[8] for f in fields] == [
        "I",
        "II",
        "III",
        "aVR",
        "aVF",
        "aVL",
        "V1",
        "V2",
        "V3",
        "V4",
        "V5",
        "V6",
    ]
    assert lines[13].startswith("# ") and len(lines) == 14
    assert (simulated / f"{path}.dat").stat().st_size == 120_000


def test_it_is_read_back_whole_and_as_simulated(simulated, index):
    assert datasets.detect(simulated) == "mimic-iv-ecg"
    assert len(index) == N_RECORDS and not index.set_aside
    assert index.version == datasets.SIMULATED_VERSION
    assert {entry.source for entry in index.entries} == {"simulated"}
    assert all(entry.statements and entry.sex and entry.age for entry in index.entries)
    assert len({entry.record_id for entry in index.entries}) == N_RECORDS


def test_every_record_is_a_wfdb_record_with_right_checksums(simulated, index):
    wfdb = pytest.importorskip("wfdb")
    for entry in index.entries[:5]:
        theirs = wfdb.rdrecord(str(simulated / entry.path))
        sums = wfdb.rdrecord(str(simulated / entry.path), physical=False).d_signal.sum(axis=0)
        assert ((sums - theirs.checksum) % 65_536 == 0).all()
        ours = files.read(simulated / entry.path)
        for column, lead in enumerate(theirs.sig_name):
            assert_allclose(ours[lead], theirs.p_signal[:, column], atol=1e-6)


def test_signals_are_the_pools_to_half_a_count(simulated):
    number = int(rows_of(simulated, "truth/waveforms.csv")[0]["waveform"])
    path = rows_of(simulated, "record_list.csv")[0]["path"]
    signal, _, truth = draw(list(drafts(3, 8))[number - 1].case)
    assert_allclose(files.read(simulated / path).signal, signal, atol=0.0025 + 1e-6)
    assert_allclose(read_truth(simulated, number).r_peaks, truth.r_peaks)


def test_measurements_are_the_truth_but_for_a_few_milliseconds(simulated, index):
    waveform = {row["study_id"]: int(row["waveform"]) for row in rows_of(simulated, "truth/waveforms.csv")}
    compared = 0
    for entry in index.entries:
        values = read_truth(simulated, waveform[entry.record_id]).parameters
        for name, wanted in (
            ("heart_rate", values["heart_rate"]), ("pr_interval", values["pr"] * 1000),
            ("qrs_duration", values["qrs"] * 1000), ("qt_interval", values["qt"] * 1000),
            ("qrs_axis", values["qrs_axis"]), ("t_axis", values["t_axis"]),
        ):  # fmt: skip
            if (found := entry.columns[name]) is not None:
                assert abs(found - wanted) <= 12, name
                compared += 1
    assert compared > 5 * N_RECORDS


def test_reports_state_the_rhythm_that_is_drawn(simulated, index):
    waveform = {row["study_id"]: int(row["waveform"]) for row in rows_of(simulated, "truth/waveforms.csv")}
    for entry in index.entries:
        rate = read_truth(simulated, waveform[entry.record_id]).parameters["heart_rate"]
        words = " ".join(statement.code for statement in entry.statements).lower()
        assert ("bradycardia" in words) <= (rate < 62) and ("tachycardia" in words) <= (rate > 98)
        assert "sinus" in words and "ecg" in words


def test_a_block_is_stated_in_each_dialect_and_a_hedge_where_the_cart_is_unsure():
    words = {
        dialect: report({"SR": True, "CLBBB": True}, dialect) for dialect in ("sentence", "comma", "capital")
    }
    assert words["sentence"][:4] == ["Sinus rhythm", "Left bundle branch block", "", "Abnormal ECG"]
    assert words["comma"][:2] == ["Sinus rhythm.", "Left bundle branch block"]
    assert words["capital"][:4] == ["SINUS RHYTHM", "LEFT BUNDLE BRANCH BLOCK", "", "Summary: ABNORMAL ECG"]
    assert all(len(cells) == 18 for cells in words.values())
    unsure = report({"IMI": False, "SR": True, "1AVB": True}, "sentence")
    assert unsure[:4] == [
        "Sinus rhythm with 1st degree A-V block", "Possible inferior infarct - age undetermined", "",
        "Abnormal ECG",
    ]  # fmt: skip
    assert report({"NORM": True, "SR": True}, "sentence")[:3] == ["Sinus rhythm", "", "Normal ECG"]
    assert report({"NORM": True, "SBRAD": True}, "sentence")[2] == "Normal ECG except for rate"


def test_every_finding_that_can_be_drawn_has_words_in_every_dialect():
    from leadlight.simulate import conditions

    for dialect in ("sentence", "comma", "capital"):
        for code in set(conditions()) - {"NORM"}:
            said = [cell for cell in report({code: True}, dialect) if cell]
            assert len(said) == 2, (dialect, code)


def test_what_a_cart_finds_follows_from_statements_and_truth():
    for draft in drafts(1, 12):
        _, statements, truth = draw(draft.case)
        rr = 60_000 / truth.parameters["heart_rate"]
        codes = cart_codes(statements, truth, rr)
        assert {one.code for one in statements} <= codes.keys()
        assert all(
            codes[one.code] == (one.likelihood in (None, 0) or one.likelihood >= 80) for one in statements
        )
        limit = 450 if draft.case.sex == "male" else 460
        assert ("LNGQT" in codes) == (truth.parameters["qt"] * 1000 / (rr / 1000) ** 0.5 >= limit)


def test_the_labels_of_ecg_xplaim_come_out_of_the_reports(index):
    from leadlight import labels

    space = labels.space("ecg-xplaim")
    targets = space.encode([entry.statements for entry in index.entries])
    for row, entry in enumerate(index.entries):
        words = " ".join(statement.code for statement in entry.statements).lower()
        assert targets.values[row, space.index("bradsr")] == ("sinus bradycardia" in words)


def test_patients_have_numbers_of_ecgs_as_published():
    rng = np.random.default_rng(0)
    counts = np.array([draw_number_of_ecgs(rng) for _ in range(20_000)])
    assert np.quantile(counts, [0.25, 0.5, 0.75]).tolist() == [1, 2, 5]
    assert abs(np.quantile(counts, 0.9) - 12) <= 1 and abs(np.quantile(counts, 0.99) - 39) <= 4
    assert abs(counts.mean() - 4.96) < 0.25 and counts.min() == 1 and counts.max() <= 260


def test_patients_and_studies_of_a_set_of_full_size_have_numbers_of_their_own():
    cases = list(drafts(1, 4))
    subjects, studies = set(), set()
    n_patients = 0
    for patient in patients(1, 800_035, cases):
        n_patients += 1
        subjects.add(patient.subject)
        studies.update(patient.study(visit) for visit in range(len(patient.waveforms)))
    assert len(subjects) == n_patients and len(studies) == 800_035
    assert min(subjects) > 10_000_000 and max(subjects) < 20_000_000
    assert all(len(study) == 8 for study in studies)
    assert abs(n_patients - 161_352) < 8_000


def test_a_patients_recordings_are_of_one_sex(simulated, index):
    of = {}
    for entry in index.entries:
        of.setdefault(entry.patient_id, set()).add(entry.sex)
    assert all(len(sexes) == 1 for sexes in of.values())
    counts = Counter(entry.patient_id for entry in index.entries)
    assert max(counts.values()) > 1


def test_sentinels_and_differing_times_are_sprinkled_in(tmp_path):
    root = simulate_mimic_iv_ecg(tmp_path / "many", 1500, 1, workers=1, pool=2)
    rows = rows_of(root, "machine_measurements.csv")
    shares = {
        name: sum(row[name] == "29999" for row in rows) / len(rows)
        for name in ("p_onset", "p_end", "rr_interval")
    }
    assert 0.12 < shares["p_onset"] < 0.2 and 0.24 < shares["p_end"] < 0.35 and shares["rr_interval"] < 0.01
    silent = [row for row in rows if row["filtering"] == "<not specified>"]
    assert 0.1 < len(silent) / len(rows) < 0.18 and all(row["p_end"] == "29999" for row in silent)
    times = {row["study_id"]: row["ecg_time"] for row in rows_of(root, "record_list.csv")}
    assert 0.01 < sum(times[row["study_id"]] != row["ecg_time"] for row in rows) / len(rows) < 0.04


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".npz"
    }


def test_workers_change_nothing_and_a_smaller_set_is_the_beginning(simulated, tmp_path):
    again = simulate_mimic_iv_ecg(tmp_path / "again", N_RECORDS, 3, workers=2, pool=8)
    assert tree(again) == tree(simulated)
    small = simulate_mimic_iv_ecg(tmp_path / "small", 10, 3, workers=1, pool=8)
    for name in ("record_list.csv", "machine_measurements.csv", "RECORDS"):
        assert (simulated / name).read_text().startswith((small / name).read_text())
    for path in (small / "files").rglob("*.*"):
        assert path.read_bytes() == (simulated / path.relative_to(small)).read_bytes()


def test_progress_ends_at_the_number_of_records(tmp_path):
    told = []
    simulate_mimic_iv_ecg(
        tmp_path / "x", 5, 1, 1, 2, lambda done, total, message="": told.append((done, total))
    )
    assert told[0] == (0, 5) and told[-1] == (5, 5)


def test_signals_are_links_where_the_file_system_has_them_and_the_set_says_so(simulated):
    about = json.loads((simulated / "SIMULATED.json").read_text())
    assert about["layout"] == "MIMIC-IV-ECG 1.0" and about["pool"] == 8
    assert about["signals"].startswith("hard links to") and "8 distinct" in about["signals"]
    assert len({path.stat().st_ino for path in (simulated / "files").rglob("*.dat")}) == 8


def test_signals_are_copies_where_there_are_no_links(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    root = simulate_mimic_iv_ecg(tmp_path / "x", 6, 1, workers=1, pool=2)
    assert json.loads((root / "SIMULATED.json").read_text())["signals"].startswith("copies of")
    assert len({path.stat().st_ino for path in (root / "files").rglob("*.dat")}) == 6


def test_a_half_written_set_is_no_data_set(tmp_path):
    class Stopped(Exception):
        pass

    def stop(done: int, total: int, message: str = "") -> None:
        if done:
            raise Stopped

    with pytest.raises(Stopped):
        simulate_mimic_iv_ecg(tmp_path / "x", 6, 1, workers=1, pool=2, on_progress=stop)
    with pytest.raises(DatasetError):
        datasets.detect(tmp_path / "x")
    simulate_dataset(tmp_path / "x", 2, 1)
    assert not list((tmp_path / "x").rglob("*.part"))


def test_a_set_of_the_other_layout_is_replaced_and_other_folders_are_refused(tmp_path):
    simulate_dataset(tmp_path / "x", 2, 1)
    simulate_mimic_iv_ecg(tmp_path / "x", 2, 1, workers=1, pool=2)
    assert datasets.detect(tmp_path / "x") == "mimic-iv-ecg" and not (tmp_path / "x" / "records500").exists()
    simulate_dataset(tmp_path / "x", 2, 1)
    assert datasets.detect(tmp_path / "x") == "ptb-xl" and not (tmp_path / "x" / "files").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(DatasetError, match="other things"):
        simulate_mimic_iv_ecg(tmp_path / "other", 2, 1)


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        ((0, 1), "records"),
        ((800_036, 1), "records"),
        ((1, -1), "seed"),
        ((1, 1, 0), "workers"),
        ((1, 1, 1, 0), "pool"),
    ],
)
def test_impossible_numbers_are_refused(tmp_path, numbers, word):
    with pytest.raises(DatasetError, match=f"{word}: found .*accepted"):
        simulate_mimic_iv_ecg(tmp_path / "x", *numbers)
    assert not (tmp_path / "x").exists()


def test_tables_of_shares_are_shares():
    assert sum(float(row["share"]) for row in table("mimic_carts")) == pytest.approx(1)
    assert all(0 < float(row["share"]) < 1 for row in table("mimic_faults"))


def test_the_command_writes_this_layout(tmp_path):
    arguments = [
        "simulate",
        str(tmp_path / "out"),
        "--records",
        "3",
        "--layout",
        "mimic-iv-ecg",
        "--pool",
        "2",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert datasets.detect(tmp_path / "out") == "mimic-iv-ecg"
    assert CliRunner().invoke(app, [*arguments[:-4], "--layout", "holter"]).exit_code == 2
