"""Whole files to damage: cut from real recordings where LEADLIGHT_DATA has them, made on the spot elsewhere.

Made in memory; ``judging.Bench`` writes them into a temporary folder of its own.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

TWELVE = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
_TESTS = Path(__file__).parents[2]


@dataclass(frozen=True)
class Case:
    """Whole files that belong together. entry: what the reader is given; damageable: (file, kind, weight)."""

    entry: str
    files: dict[str, bytes]
    damageable: tuple[tuple[str, str, int], ...]


def below(root: Path, files: Iterable[Path]) -> dict[str, bytes]:
    """Files by their path below a folder."""
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


@cache
def _encode() -> Any:
    spec = importlib.util.spec_from_file_location("fuzz_wfdb_encoding", _TESTS / "files" / "conftest.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.encode


def record(
    counts: np.ndarray,
    *,
    name: str = "rec1",
    storage: int = 16,
    modifier: str = "",
    offset: int = 0,
    extension: str = "dat",
    comments: Sequence[str] = ("#Age: 59", "#Sex: Male", "#Dx: 426783006"),
    leads: Sequence[str] = TWELVE,
    frames: int | None = None,
) -> dict[str, bytes]:
    """Header and data of a record, byte by byte from the format's description. frames: fewer than samples."""
    file = f"{name}.{extension}"
    frames = frames or counts.shape[1]
    lines = [f"{name} {len(counts)} 500 {frames}"]
    for lead, row in zip(leads, counts, strict=True):
        lines.append(f"{file} {storage}{modifier} 1000/mV 16 0 {row[0]} {int(row.sum()) & 0xFFFF} 0 {lead}")
    text = "\n".join([*lines, *comments]) + "\n"
    # Within a frame the samples of a lead follow each other.
    stored = counts.reshape(len(counts), frames, -1).transpose(1, 0, 2).reshape(1, -1)
    data = _encode()(counts if frames == counts.shape[1] else stored, storage)
    return {f"{name}.hea": text.encode(), file: bytes(offset) + data}


def counts(n_samples: int = 60, seed: int = 7) -> np.ndarray:
    """Counts of twelve leads that every storage format holds."""
    return np.random.default_rng(seed).integers(-60, 60, size=(12, n_samples))


def wfdb_real(real: Path | None) -> list[Case]:
    """Records as PTB-XL, the Challenge and CODE-15% publish them."""
    cases = []
    patterns = ("ptb-xl/records100/*/*.hea", "ptb-xl/records500/*/*.hea", "code-15/*.hea")
    sources = ("cpsc_2018", "georgia", "chapman_shaoxing", "ningbo", "ptb")
    for pattern in (*patterns, *(f"challenge-2021/{name}/*/*.hea" for name in sources)):
        for header in sorted(real.glob(pattern) if real else ())[:2]:
            files = below(header.parent, [header, *header.parent.glob(f"{header.stem}.[dm]at")])
            if sum(map(len, files.values())) < 400_000:
                cases.append(_record_case(header.name, files))
    return cases or [_record_case("rec1.hea", record(counts(5000, seed))) for seed in range(4)]


def _record_case(entry: str, files: dict[str, bytes]) -> Case:
    damageable = tuple(
        (name, "text" if name.endswith(".hea") else "binary", 5 if name.endswith(".hea") else 1)
        for name in files
    )
    return Case(entry.removesuffix(".hea"), files, damageable)


def wfdb_formats(_: Path | None) -> list[Case]:
    """Every storage format, offsets, frames, skew, segments, and the compressed formats that are refused."""
    cases = [record(counts(), storage=storage) for storage in (8, 16, 24, 32, 61, 80, 160, 212, 310, 311)]
    cases.append(record(counts(), modifier="+24", offset=24, extension="mat"))
    cases.append(record(counts(), modifier="x2", frames=30))
    cases.append(record(counts(), storage=212, modifier=":3"))
    cases += [record(counts(), storage=16, modifier=f"+{n}", offset=n) for n in (1, 512)]
    cases += [
        {
            name: content.replace(b" 16 1000", f" {storage} 1000".encode())
            for name, content in record(counts()).items()
        }
        for storage in (508, 516, 524)
    ]
    two = record(counts(), name="two")
    other = record(counts(40, 8)[:3], name="three", leads=TWELVE[:3])
    layout = "\n".join(["lay 12 500 0", *(f"~ 0 1000/mV 16 0 0 0 0 {lead}" for lead in TWELVE)]) + "\n"
    cases.append(two | {"rec1.hea": b"rec1/3 12 500 140\ntwo 60\n~ 20\ntwo 60\n#Age: 59\n"})
    cases.append(
        two
        | other
        | {"lay.hea": layout.encode(), "rec1.hea": b"rec1/4 12 500 120\nlay 0\ntwo 60\n~ 20\nthree 40\n"}
    )
    return [_record_case("rec1", files) for files in cases]


def _hdf5(tracings: np.ndarray, ids: np.ndarray, **options: Any) -> bytes:
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_dataset("tracings", data=tracings, **options)
        file["exam_id"] = ids
    return content.getvalue()


def _tracings(n: int = 5, n_samples: int = 64) -> np.ndarray:
    values = np.random.default_rng(3).normal(0, 0.3, (n, n_samples, 12)).astype(np.float32)
    values[::2, :7] = values[::2, -5:] = 0
    values[-1] = 0
    return values


_IDS = np.array([11, 12, 13, 14, 0])


def code_parts(_: Path | None) -> list[Case]:
    """Small parts in CODE's layout, in each of the layouts that h5py writes."""
    options: tuple[dict[str, Any], ...] = (
        {}, {"chunks": (1, 64, 12), "compression": "gzip"},
        {"chunks": (2, 16, 4), "shuffle": True, "fletcher32": True},
        {"chunks": (1, 64, 12), "compression": "lzf"}, {"dtype": "f8", "chunks": True}, {"dtype": "f2"},
        {"maxshape": (None, None, 12), "compression": "gzip"},
    )  # fmt: skip
    return [
        Case("part.hdf5", {"part.hdf5": _hdf5(_tracings(), _IDS, **one)}, (("part.hdf5", "binary", 1),))
        for one in options
    ]


def _stub_records(paths: Iterable[str]) -> dict[str, bytes]:
    return {f"{path}{ending}": b"" for path in paths for ending in (".hea", ".dat")}


def simulated(layout: str, n_records: int) -> dict[str, bytes]:
    """The files of a small simulated data set, without its truth."""
    from leadlight.simulate import simulate_dataset, simulate_mimic_iv_ecg

    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "set"
        if layout == "ptb-xl":
            simulate_dataset(root, n_records, seed=1)
        else:
            simulate_mimic_iv_ecg(root, n_records, seed=1, workers=1, pool=2)
        kept = [file for file in sorted(root.rglob("*")) if file.is_file() and "truth" not in file.parts]
        return below(root, kept)


def ptbxl(real: Path | None) -> list[Case]:
    """PTB-XL's two tables, with empty files in place of signals; simulated ones beside."""
    damageable = (("ptbxl_database.csv", "table", 6), ("scp_statements.csv", "table", 1))
    made = simulated("ptb-xl", 6)
    made = {name: b"" if "records" in name else content for name, content in made.items()}
    cases = [Case("", made, damageable)]
    if real and (real / "ptb-xl/ptbxl_database.csv").is_file():
        with (real / "ptb-xl/ptbxl_database.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        statements = (real / "ptb-xl/scp_statements.csv").read_bytes()
        for start in (1, 400, 1200):
            chosen = rows[start : start + 20]
            text = io.StringIO(newline="")
            csv.writer(text, lineterminator="\n").writerows([rows[0], *chosen])
            stubs = _stub_records(path for row in chosen for path in row[-2:])
            tables = {"ptbxl_database.csv": text.getvalue().encode(), "scp_statements.csv": statements}
            cases.append(Case("", stubs | tables, damageable))
    return cases


def challenge(real: Path | None) -> list[Case]:
    """Headers of several collections in the Challenge's folders, with empty files in place of signals."""
    cases = []
    headers = sorted((real / "challenge-2021").glob("*/*/*.hea")) if real else []
    for start in range(0, min(len(headers), 320), 40):
        files: dict[str, bytes] = {}
        for header in headers[start : start + 40 : 8]:
            path = header.relative_to(header.parents[2]).as_posix()
            files |= {path: header.read_bytes(), path.replace(".hea", ".mat"): b""}
        cases.append(Case("", files, tuple((name, "text", 1) for name in files if name.endswith(".hea"))))
    for names in (
        ("georgia/g1/E00001", "cpsc_2018/g1/A0001"),
        ("ptb-xl/g1/HR00001", "WFDB_Ga/E00002", "ningbo/g1/JS20000"),
    ):
        files = {}
        for number, path in enumerate(names):
            name = path.rpartition("/")[2]
            one = record(counts(60, number), name=name, extension="mat", modifier="+24", offset=24)
            files |= {f"{path}.hea": one[f"{name}.hea"], f"{path}.mat": b""}
        cases.append(Case("", files, tuple((name, "text", 1) for name in files if name.endswith(".hea"))))
    return cases


def mimic(_: Path | None) -> list[Case]:
    """MIMIC-IV-ECG's tables, simulated, with patients.csv plain or packed."""
    cases = []
    for packed in (False, True):
        files = simulated("mimic-iv-ecg", 8)
        files = {name: b"" if name.startswith("files/") else content for name, content in files.items()}
        patients = "patients.csv"
        if packed:
            patients = "patients.csv.gz"
            files[patients] = gzip.compress(files.pop("patients.csv"), mtime=0)
        tables = ("record_list.csv", "machine_measurements.csv", "waveform_note_links.csv")
        damageable = tuple((name, "table", 2) for name in tables)
        cases.append(Case(patients, files, (*damageable, (patients, "gzip" if packed else "table", 3))))
    return cases


_EXAMS = (
    "exam_id,age,is_male,nn_predicted_age,1dAVb,RBBB,LBBB,SB,ST,AF,patient_id,death,timey,normal_ecg,"
    "trace_file\n"
)


def code15(real: Path | None) -> list[Case]:
    """exams.csv with two parts and Chagas labels; the Challenge 2025's WFDB form."""
    rows = [
        f"{exam},{40 + exam},True,41.5,False,{exam == 12},False,False,False,False,{700 + exam},False,1.5,"
        f"True,exams_part{exam > 12:d}.hdf5\n"
        for exam in (11, 12, 13, 14)
    ]
    files = {
        "exams.csv": (_EXAMS + "".join(rows)).encode(),
        "exams_part0.hdf5": _hdf5(_tracings(3), np.array([11, 12, 0])),
        "exams_part1.hdf5": _hdf5(
            _tracings(3), np.array([13, 14, 0]), chunks=(1, 64, 12), compression="gzip"
        ),
        "code15_chagas_labels.csv": b"exam_id,patient_id,chagas\n11,711,True\n13,713,False\n",
    }
    damageable = (
        ("exams.csv", "table", 5),
        ("exams_part0.hdf5", "binary", 1),
        ("code15_chagas_labels.csv", "table", 1),
    )
    cases = [Case("", files, damageable)]
    headers = sorted((real / "code-15").glob("*.hea")) if real else []
    if headers:
        files = {header.name: header.read_bytes() for header in headers[:5]}
        files |= {name.replace(".hea", ".dat"): b"" for name in list(files)}
    else:
        files = {}
        for number in (1, 2, 3):
            comments = ("# Age: 50", "# Sex: Male", f"# Chagas label: {number == 2}", "# Source: CODE-15%")
            one = record(counts(60, number), name=f"90{number}", comments=comments)
            files |= one | {f"90{number}.dat": b""}
    exams = (_EXAMS + rows[0].replace("11,", f"{next(iter(files)).split('.')[0]},", 1)).encode()
    files["exams.csv"] = exams
    cases.append(
        Case(
            "",
            files,
            (*((name, "text", 1) for name in files if name.endswith(".hea")), ("exams.csv", "table", 2)),
        )
    )
    return cases


def folder(_: Path | None) -> list[Case]:
    """A folder of records with a table of labels, as spreadsheets of several countries write it."""
    table = (
        "path,patient,age,sex,fold,source,AFIB,snomed-ct:164889003,short of breath,statements,remark\n"
        "a/rec1,P1,61,m,1,,1,0,,IMI;scp-ecg:NORM,fine\n"
        "a/rec2.hea,P2,70.5,female,2,georgia,0,1,0.3,,übel\n"
        "rec3,P3,,F,10,,35%,,yes,426783006,\n"
        "rec4,P1,61,m,1,,true,no,absent,,same patient\n"
    )
    german = table.replace(",", ";").replace("70.5", "70,5")
    ids = table.replace("path,", "record_id,").replace("a/rec", "rec").replace(".hea", "")
    records: dict[str, bytes] = {}
    for number, place in enumerate(("a/", "a/", "", ""), start=1):
        one = record(counts(20, number), name=f"rec{number}")
        records |= {place + name: content for name, content in one.items()}
    texts = (
        table.encode(), table.encode("utf-8-sig"), table.encode("utf-16"), german.encode("cp1252"),
        table.replace(",", "\t").encode("utf-16"), ("sep=;\n" + german).encode(), ids.encode(),
    )  # fmt: skip
    # The table stands beside the folder, as documented; the reader is told of it.
    damageable = (("labels.csv", "table", 6), ("ecg/rec3.hea", "text", 1))
    below_ecg = {f"ecg/{name}": content for name, content in records.items()}
    return [Case("labels.csv", below_ecg | {"labels.csv": text}, damageable) for text in texts]


def splits(_: Path | None) -> list[Case]:
    """A split file as Leadlight writes it, and a plain one."""
    from leadlight.datasets import write_split
    from leadlight.datasets.splits import split_index

    with tempfile.TemporaryDirectory() as place:
        index = index_of_splits()
        write_split(Path(place) / "split.csv", index, split_index(index, ()))
        written = (Path(place) / "split.csv").read_bytes()
    plain = b"record_id,fold\n" + b"".join(
        b"r%d,%d\n" % (number, number // 2 % 10 + 1) for number in range(12)
    )
    whole = written.split(b"\n", 1)[1]
    return [
        Case("split.csv", {"split.csv": one}, (("split.csv", "table", 1),)) for one in (written, plain, whole)
    ]


def index_of_splits() -> Any:
    """A small index, some of whose records share a patient."""
    from leadlight.datasets import DatasetIndex, RecordEntry
    from leadlight.recording import Statement

    entries = tuple(
        RecordEntry(
            f"r{n}", f"p{n // 2}", f"r{n}", 500.0, source="x",
            statements=(Statement("NORM" if n % 3 else "AFIB"),),
        )
        for n in range(24)
    )  # fmt: skip
    return DatasetIndex("folder", "own", Path("/nowhere"), 500.0, entries)


def listings(_: Path | None) -> list[Case]:
    """SHA256SUMS.txt and the JSON of a Zenodo record."""
    names = (
        "ptbxl_database.csv",
        "records100/00000/00001_lr.hea",
        "records100/00000/00001_lr.dat",
        "LICENSE.txt",
    )
    sums = "".join(f"{number:064x} {name}\n" for number, name in enumerate(names, start=255)).encode()
    zenodo = {
        "id": 4916206,
        "files": [
            {"key": name, "size": 123 * n, "checksum": f"md5:{n:032x}",
             "links": {"self": f"https://zenodo.org/api/records/4916206/files/{name}/content"}}
            for n, name in enumerate(("exams.csv", "exams_part0.zip", "exams_part1.zip"), start=1)
        ],
    }  # fmt: skip
    return [
        Case("SHA256SUMS.txt", {"SHA256SUMS.txt": sums}, (("SHA256SUMS.txt", "text", 1),)),
        Case("record.json", {"record.json": json.dumps(zenodo).encode()}, (("record.json", "json", 1),)),
    ]


def archives(_: Path | None) -> list[Case]:
    """ZIP archives: stored, deflated, with folders, in the other two compressions, which are refused."""
    cases = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", method) as packed:
            for name, text in (
                ("exams_part0.hdf5", b"\x89HDF" * 90),
                ("a/übel.txt", b"x" * 700),
                ("a/b/c.csv", b"1,2\n"),
            ):
                packed.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), text, method)
        cases.append(Case("part.zip", {"part.zip": content.getvalue()}, (("part.zip", "binary", 1),)))
    return cases


def _prepared(name: str, files: dict[str, bytes]) -> dict[str, bytes]:
    from leadlight.datasets import read_index
    from leadlight.store import store_index

    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "set"
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        out = Path(place) / "store"
        store_index(read_index(name, root, 100.0), out, workers=1)
        return below(out, (file for file in sorted(out.iterdir()) if file.is_file()))


def stores(_: Path | None) -> list[Case]:
    """Prepared stores of two data sets, one with columns of its own."""
    cases = []
    for name in ("ptb-xl", "mimic-iv-ecg"):
        files = _prepared(name, simulated(name, 4))
        damageable = tuple(
            (
                file,
                "json" if file.endswith(".json") else "binary",
                3 if file.endswith((".json", ".parquet")) else 1,
            )
            for file in files
        )
        cases.append(Case("", files, damageable))
    return cases


def models(_: Path | None) -> list[Case]:
    """A small model folder: contract and weights."""
    import torch

    from leadlight import models as networks
    from leadlight.classifier import save_model
    from leadlight.signal import GlobalScaling, Preprocessing

    torch.manual_seed(1)
    values = {
        "name": "small",
        "architecture": {"name": "imle-net", "n_classes": 2, "n_leads": 12, "n_samples": 1000,
                         "sampling_rate": 100.0, "arguments": {"filters": 2}},
        "preprocessing": Preprocessing(n_samples=1000, steps=(GlobalScaling(0.0, 0.2),)),
        "label_space": {"name": "any", "version": "1"},
        "classes": [("NORM", "normal"), ("MI", "infarct")],
        "thresholds": {"values": [0.5, 0.5], "rule": "by hand"},
        "training_data": {"dataset": "none", "version": "", "counts": {"training records": 0}},
        "folds": {"training": [1], "validation": [2]},
        "recipe": {}, "seed": 1,
        "metrics": {"folds": [2], "n_records": 7, "values": {"macro ROC-AUC": 0.5}},
        "licence": "Apache-2.0", "citations": ["nobody"], "limits": ["random weights"],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "model"
        save_model(out, networks.create("imle-net", n_classes=2, filters=2), values)
        files = below(out, sorted(out.iterdir()))
    return [Case("", files, (("contract.json", "json", 3), ("model.safetensors", "safetensors", 1)))]


def recipes(_: Path | None) -> list[Case]:
    """The recipes of the package."""
    from leadlight.recipes import recipe_text, shipped

    return [
        Case(name, {"recipe.toml": recipe_text(name).encode()}, (("recipe.toml", "text", 1),))
        for name in shipped()
    ]


_PHRASES = (
    "Sinus rhythm", "Sinus bradycardia with PAC(s).", "Possible anterior infarct - age undetermined",
    "Atrial fibrillation with rapid ventricular response", "Left bundle branch block",
    "Cannot rule out inferior infarct",
    "No evidence of acute ischemia; consider LVH", "Ventricular pacing - no further analysis",
    "Prolonged QT interval or tu fusion, consider myocardial disease, electrolyte imbalance, or drug effects",
    "RBBB and LAFB: bifascicular block",
    "Anterior/septal and lateral ST changes may be due to myocardial ischemia",
)  # fmt: skip


def reports(real: Path | None) -> list[Case]:
    """Statements as carts print them: the published sample where it is, a few of our own elsewhere."""
    phrases: Sequence[str] = _PHRASES
    published = real.parent / "reference/xplaim/data/mimic_report_phrases.csv" if real else None
    if published is not None and published.is_file():
        with published.open(encoding="utf-8", newline="") as file:
            phrases = [*_PHRASES, *(row[0] for row in list(csv.reader(file))[1:])]
    return [
        Case("statement.txt", {"statement.txt": one.encode()}, (("statement.txt", "text", 1),))
        for one in phrases
    ]


def conditions(_: Path | None) -> list[Case]:
    """Conditions on a store's index, as ``--where`` takes them, with a store to ask."""
    texts = (
        "age > 40 and source == 'ptb-xl'", "fold in (1, 2, 3) or not sex = 'female'", "age between 40 and 60",
        "patient_id like '1%' and n_samples >= 1000", "age is not null",
        "(age + 1) * 2 < 100", "number <> 3 and 1 = 1",
    )  # fmt: skip
    store = {
        f"store/{name}": content for name, content in _prepared("ptb-xl", simulated("ptb-xl", 4)).items()
    }
    return [
        Case("where.txt", store | {"where.txt": one.encode()}, (("where.txt", "text", 1),)) for one in texts
    ]


def truths(_: Path | None) -> list[Case]:
    """What a simulated record holds, as the simulator writes it."""
    from leadlight.simulate import simulate_dataset

    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "set"
        simulate_dataset(root, 2, seed=1)
        files = below(root, sorted((root / "truth").rglob("*.npz")))
    return [Case(name, {name: content}, ((name, "binary", 1),)) for name, content in files.items()]
