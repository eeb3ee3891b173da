from __future__ import annotations

import ast
import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from leadlight import datasets
from leadlight.errors import DatasetError
from leadlight.files import read
from leadlight.signal import resample
from leadlight.simulate import read_truth, simulate_dataset
from leadlight.simulate.cases import drafts
from leadlight.simulate.ptbxl_layout import database_row, heart_axis
from leadlight.simulate.tables import table


def rows_of(root: Path) -> list[dict[str, str]]:
    with (root / "ptbxl_database.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_folder_has_the_files_of_ptbxl(simulated: Path) -> None:
    names = {path.name for path in simulated.iterdir()}
    assert names == {
        "ptbxl_database.csv", "scp_statements.csv", "records100", "records500", "RECORDS",
        "truth", "SIMULATED.json",
    }  # fmt: skip
    assert len(list(simulated.rglob("*_lr.dat"))) == len(list(simulated.rglob("*_hr.hea"))) == 30
    assert (simulated / "RECORDS").read_text().splitlines()[0] == "records100/00000/00001_lr"


def test_columns_are_those_of_the_real_files(simulated: Path, real_ptbxl: Path) -> None:
    for name in ("ptbxl_database.csv", "scp_statements.csv"):
        ours, theirs = ((root / name).open().readline().strip() for root in (simulated, real_ptbxl))
        assert ours == theirs


def test_headers_have_the_official_form(simulated: Path) -> None:
    lines = (simulated / "records500/00000/00001_hr.hea").read_text().splitlines()
    assert lines[0] == "00001_hr 12 500 5000"
    fields = [line.split() for line in lines[1:]]
    assert all(f[:5] == ["00001_hr.dat", "16", "1000.0(0)/mV", "16", "0"] and f[7] == "0" for f in fields)
    assert [f[8] for f in fields] == [
        *("I", "II", "III", "AVR", "AVL", "AVF"),
        *("V1", "V2", "V3", "V4", "V5", "V6"),
    ]
    assert (simulated / "records100/00000/00001_lr.hea").read_text().startswith("00001_lr 12 100 1000\n")


def test_the_reference_reader_reads_the_same_samples_and_checksums(simulated: Path) -> None:
    wfdb = pytest.importorskip("wfdb")
    for number in (1, 30):
        path = simulated / f"records500/00000/{number:05d}_hr"
        theirs = wfdb.rdrecord(str(path), physical=False)
        sums = theirs.d_signal.sum(axis=0) % 65536
        assert_array_equal(sums, theirs.checksum)
        assert_allclose(read(path).signal, theirs.d_signal.T / 1000, atol=1e-6)


def test_limb_leads_agree_to_the_microvolts_of_the_file(simulated: Path) -> None:
    for path in simulated.rglob("*.hea"):
        lead = read(path)
        assert np.abs(lead["I"] + lead["III"] - lead["II"]).max() < 0.0021
        assert np.abs(lead["aVR"] + lead["aVL"] + lead["aVF"]).max() < 0.0021


def test_the_100_hz_file_is_the_500_hz_file_resampled(simulated: Path) -> None:
    high, low = (read(simulated / f"records{r}/00000/00003_{n}") for r, n in ((500, "hr"), (100, "lr")))
    assert_allclose(resample(high.signal, 500, 100), low.signal, atol=0.00051)


def test_leadlight_reads_it_as_ptbxl(simulated: Path) -> None:
    for rate in (100, 500):
        index = datasets.read_index("ptb-xl", simulated, rate)
        assert len(index.entries) == 30 and not index.set_aside
    first = index.entries[0]
    assert first.sex in ("male", "female") and first.fold in range(1, 11) and 18 <= (first.age or 0) <= 95
    assert not any("does not define" in note or "differs" in note for note in index.notes)


def test_statements_in_the_csv_are_those_of_the_truth(simulated: Path) -> None:
    for row in rows_of(simulated):
        codes = ast.literal_eval(row["scp_codes"])
        truth = read_truth(simulated, row["ecg_id"])
        asked = {finding["code"] for finding in truth.parameters["findings"]}
        assert asked <= codes.keys()
        assert ("NORM" in codes) == (not asked)
        assert set(truth.located) == codes.keys() - {"NORM", "SR", "SBRAD", "STACH", "SARRH"}
        assert row["heart_axis"] == heart_axis(truth.parameters["qrs_axis"])


def test_parameters_stand_in_one_table(simulated: Path) -> None:
    import pandas as pd

    frame = pd.read_parquet(simulated / "truth" / "parameters.parquet")
    assert frame["ecg_id"].tolist() == list(range(1, 31))
    assert {"heart_rate", "pr", "qrs", "qt", "qrs_axis", "findings", "noise_muscle"} <= set(frame.columns)
    assert frame["pr"].between(0.12, 0.33).all()


def test_a_smaller_set_is_the_beginning_of_a_larger_one(simulated: Path, tmp_path: Path) -> None:
    small = simulate_dataset(tmp_path / "small", 8, 3)
    assert rows_of(small) == rows_of(simulated)[:8]
    for path in small.rglob("*_?r.*"):
        assert path.read_bytes() == (simulated / path.relative_to(small)).read_bytes()


def test_workers_change_nothing(simulated: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    again = simulate_dataset(
        tmp_path / "again", 30, 3, workers=2, on_progress=lambda d, t, m="": told.append((d, t))
    )
    assert told[-1] == (30, 30)
    for path in simulated.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            assert path.read_bytes() == (again / path.relative_to(simulated)).read_bytes(), path.name


def test_another_seed_gives_other_records(simulated: Path, tmp_path: Path) -> None:
    other = simulate_dataset(tmp_path / "other", 3, 4)
    assert rows_of(other)[0] != rows_of(simulated)[0]


def test_patients_keep_their_fold_their_sex_and_their_findings() -> None:
    of: dict[int, set[tuple[object, ...]]] = {}
    for draft in drafts(1, 2000):
        person = (draft.patient.fold, draft.case.sex, draft.case.findings)
        of.setdefault(draft.patient.number, set()).add(person)
    assert all(len(seen) == 1 for seen in of.values())
    assert 1.05 < 2000 / len(of) < 1.3, "some patients have several records"


def test_superclasses_have_about_the_shares_of_ptbxl_in_every_fold() -> None:
    superclass = {row["finding"]: row["superclass"] for row in table("evidence")}
    plan = list(drafts(5, 6000))
    folds = {fold: [d for d in plan if d.patient.fold == fold] for fold in range(1, 11)}
    # Records per superclass of PTB-XL 1.0.3, of 21,799.
    published = {"NORM": 9514, "MI": 5469, "STTC": 5235, "CD": 4898, "HYP": 2649}
    for fold, drafted in {0: plan, **folds}.items():
        counts = Counter(
            name for d in drafted for name in ({superclass[c] for c in d.case.findings} or {"NORM"})
        )
        for name, n in published.items():
            allowed = 0.03 if fold == 0 else 0.07
            assert abs(counts[name] / len(drafted) - n / 21_799) < allowed, (fold, name)
    several = sum(len({superclass[c] for c in d.case.findings}) > 1 for d in plan) / len(plan)
    assert abs(several - 5144 / 21_799) < 0.06


def test_ages_above_89_are_written_as_300(simulated: Path) -> None:
    from dataclasses import replace

    draft = next(drafts(1, 1))
    truth = read_truth(simulated, 1)
    for age, written in ((89.0, 89.0), (90.0, 300.0)):
        old = replace(draft, case=replace(draft.case, age=age))
        assert database_row(old, (), truth, 1)["age"] == written


@pytest.mark.parametrize(
    ("degrees", "word"),
    [(50, "MID"), (10, "LAD"), (-50, "ALAD"), (100, "RAD"), (150, "ARAD"), (-150, "ARAD")],
)
def test_the_axis_has_ptbxls_words(degrees: float, word: str) -> None:
    assert heart_axis(degrees) == word


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("chapter one")
    with pytest.raises(DatasetError, match="other things"):
        simulate_dataset(tmp_path, 2, 1)
    assert (tmp_path / "thesis.tex").read_text() == "chapter one"
    with pytest.raises(DatasetError, match="found a file"):
        simulate_dataset(tmp_path / "thesis.tex", 2, 1)


def test_an_earlier_simulated_set_is_replaced(tmp_path: Path) -> None:
    simulate_dataset(tmp_path, 3, 1)
    simulate_dataset(tmp_path, 2, 2)
    assert len(rows_of(tmp_path)) == 2
    assert json.loads((tmp_path / "SIMULATED.json").read_text())["seed"] == 2
    assert len(list(tmp_path.rglob("*.npz"))) == 2


@pytest.mark.parametrize(("records", "seed"), [(0, 1), (1, -1)])
def test_impossible_numbers_are_refused(tmp_path: Path, records: int, seed: int) -> None:
    with pytest.raises(DatasetError, match="accepted"):
        simulate_dataset(tmp_path / "x", records, seed)
