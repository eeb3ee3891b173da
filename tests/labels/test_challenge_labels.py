"""PTB-XL's own statements and the Challenge's translation of them: two roads to the same classes."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import numpy as np
import pytest

from leadlight import labels
from leadlight.files import read
from leadlight.recording import Statement

# The Challenge took its axes from PTB-XL's column heart_axis, which is no statement, and put
# ventricular ectopics, a code that it does not score, in the place of PVC.
UNLIKE = {"LAD", "RAD", "PVC/VPB"}

ONE_TO_ONE = {
    "AFIB": "AF",
    "AFLT": "AFL",
    "CLBBB": "LBBB",
    "CRBBB": "CRBBB",
    "1AVB": "IAVB",
    "2AVB": "IIAVB",
    "3AVB": "CHB",
    "IRBBB": "IRBBB",
    "ILBBB": "ILBBB",
    "LAFB": "LAnFB",
    "LPFB": "LPFB",
    "LPR": "LPR",
    "LVOLT": "LQRSV",
    "LNGQT": "LQT",
    "IVCD": "NSIVCB",
    "PAC": "PAC",
    "PACE": "PR",
    "QWAVE": "QAb",
    "SARRH": "SA",
    "SBRAD": "SB",
    "STACH": "STach",
    "SVARR": "SVPB",
    "INVT": "TInv",
    "AMI": "AnMI",
    "ISCAN": "AnMIs",
    "ISCIN": "IIs",
    "ISCLA": "LIs",
    "LAO/LAE": "LAE",
    "RAO/RAE": "RAH",
    "RVH": "RVH",
    "SEHYP": "VH",
    "NST_": "STC",
    "STD_": "STD",
    "STE_": "STE",
    "SVTAC": "SVT",
    "PSVT": "PSVT",
    "BIGU": "VBig",
    "TRIGU": "VTrig",
    "WPW": "WPW",
}
SEVERAL_TO_ONE = {
    "NSR": "NORM SR",
    "TAb": "TAB_ NDT NT_ LOWT",
    "LVH": "LVH VCLVH",
    "abQRS": "ABQRS HVOLT",
    "MI": "ALMI AMI ASMI ILMI IMI IPLMI IPMI LMI PMI",
    "MIs": "ISC_ ISCAL ISCAS ISCIL",
    "NSSTTA": "ANEUR DIG EL",
    "VEB": "PVC PRC(S)",
}


def counts_in_the_challenge(reference: Path) -> dict[str, int]:
    counts = {}
    for part in ("scored", "unscored"):
        with (reference / f"resunet/data/dx_mapping_{part}.csv").open(newline="") as lines:
            counts |= {row["Abbreviation"]: int(row["PTB_XL"]) for row in csv.DictReader(lines)}
    return counts


def counts_in_ptbxl(reference: Path) -> dict[str, int]:
    with (reference / "ptbxl/data/ptbxl_exp0_label_counts.csv").open(newline="") as lines:
        return {row["code"]: int(row["all"]) for row in csv.DictReader(lines)}


@pytest.mark.real
def test_the_26_classes_stand_in_the_official_order_with_both_codes_of_each_pair(reference):
    page = (reference / "resunet/pipeline.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line[:1] == "|"]
    published = [row for row in rows if len(row) == 5 and row[0].isdigit()]
    space = labels.space("challenge-2021")
    assert [row[1].replace(" ", "") for row in published] == list(space.codes)
    members = [tuple(row[2].replace(" ", "").split(",")) for row in published]
    assert members == [one.members for one in space.classes]
    assert sum(len(one) for one in members) == 30


@pytest.mark.real
def test_statements_that_were_translated_one_to_one_occur_as_often_on_both_sides(reference):
    theirs, ours = counts_in_the_challenge(reference), counts_in_ptbxl(reference)
    assert {code: ours[code] for code in ONE_TO_ONE} == {
        code: theirs[name] for code, name in ONE_TO_ONE.items()
    }


@pytest.mark.real
@pytest.mark.parametrize("name", SEVERAL_TO_ONE)
def test_statements_that_were_translated_together_occur_as_often_as_the_union(reference, name):
    """The union is bounded by the whole set's counts and estimated from the benchmark's folds 9 and 10."""
    codes = SEVERAL_TO_ONE[name].split()
    wanted, counts = counts_in_the_challenge(reference)[name], counts_in_ptbxl(reference)
    assert max(counts[code] for code in codes) <= wanted <= sum(counts[code] for code in codes)
    union = total = 0
    for fold in ("val", "test"):
        with np.load(reference / f"ptbxl/parity/ptbxl_exp0_{fold}.npz") as published:
            columns = [list(map(str, published["classes"])).index(code) for code in codes]
            union += int(published["y_true"][:, columns].any(axis=1).sum())
            total += len(published["y_true"])
    assert union * 21837 / total == pytest.approx(wanted, rel=0.05)


@pytest.mark.real
def test_every_statement_of_ptbxl_has_a_place_in_the_translation_but_injury(reference):
    together = {code for codes in SEVERAL_TO_ONE.values() for code in codes.split()}
    left = set(labels.codes("scp-ecg")) - set(ONE_TO_ONE) - together
    assert left == {"INJAL", "INJAS", "INJIL", "INJIN", "INJLA"}


def both_roads(real_data: Path) -> list[tuple[int, list[Statement], list[Statement]]]:
    with (real_data / "ptb-xl/ptbxl_database.csv").open(newline="", encoding="utf-8") as lines:
        cells = {int(row["ecg_id"]): row["scp_codes"] for row in csv.DictReader(lines)}
    pairs = []
    for header in sorted((real_data / "challenge-2021/ptb-xl").rglob("HR*.hea")):
        ecg_id = int(header.stem[2:])
        if ecg_id in cells:
            stated = ast.literal_eval(cells[ecg_id])
            translated = read(header).statements
            pairs.append(
                (
                    ecg_id,
                    [Statement(code, "scp-ecg", float(p) or None) for code, p in stated.items()],
                    list(translated),
                )
            )
    return pairs


@pytest.mark.real
def test_records_of_both_collections_have_the_same_classes_by_both_roads(real_data):
    pairs = both_roads(real_data)
    assert len(pairs) == 22  # of the 37 HR records, those that also stand in the part of PTB-XL
    space = labels.space("challenge-2021")
    sources = ["ptb-xl"] * len(pairs)
    scp = space.encode([one for _, one, _ in pairs], sources=sources)
    snomed = space.encode([one for _, _, one in pairs], sources=sources)
    alike = [at for at, code in enumerate(space.codes) if code not in UNLIKE]
    assert (scp.known[:, alike] == snomed.known[:, alike]).all()
    assert (scp.values[:, alike] == snomed.values[:, alike]).all()
    assert scp.values[:, alike].sum() >= 30
    unlike = [space.index(code) for code in ("LAD", "RAD")]
    assert not scp.known[:, unlike].any() and snomed.known[:, unlike].all()
    pvc = space.index("PVC/VPB")
    assert scp.known[:, pvc].all() and not snomed.known[:, pvc].any()
