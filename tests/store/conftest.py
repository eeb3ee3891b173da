"""Small data sets for the store: WFDB records written byte by byte, and an index of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from leadlight.datasets import DatasetIndex, RecordEntry
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Statement

N_RECORDS, N_SAMPLES = 40, 150


@pytest.fixture(scope="session")
def write_wfdb() -> Callable[..., None]:
    """Writes one format 16 record; the counts are (leads, samples)."""

    def write(
        path: Path,
        counts: np.ndarray,
        *,
        rate: float = 100,
        leads: Sequence[str] = STANDARD_LEADS,
        gain: str = "1000(0)/mV",
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        counts = np.asarray(counts, dtype="<i2")
        counts.T.tofile(f"{path}.dat")
        lines = [f"{path.name} {len(leads)} {rate:g} {counts.shape[1]}"]
        for lead, row in zip(leads, counts, strict=True):
            checksum = int(row.astype(np.int64).sum()) % 65536
            lines.append(f"{path.name}.dat 16 {gain} 16 0 {row[0]} {checksum} 0 {lead}")
        Path(f"{path}.hea").write_text("\n".join(lines) + "\n")

    return write


def _entry(number: int, path: str) -> RecordEntry:
    return RecordEntry(
        record_id=str(number),
        patient_id=str(1000 + number // 2),
        path=path,
        file_sampling_rate=100.0,
        fold=number // 2 % 10 + 1,
        age=40.0 + number,
        sex="female" if number % 2 else "male",
        statements=(Statement("NORM", "scp-ecg", 80.0), Statement("SR")),
        source="made for tests",
        quality={"static_noise": "V1"} if number % 5 == 0 else {},
        notes=("odd",) if number % 7 == 0 else (),
    )


@pytest.fixture(scope="session")
def all_counts() -> np.ndarray:
    return np.random.default_rng(3).integers(-3000, 3000, (N_RECORDS, 12, N_SAMPLES), dtype=np.int16)


@pytest.fixture(scope="session")
def write_dataset(write_wfdb: Callable[..., None], all_counts: np.ndarray) -> Callable[[Path], DatasetIndex]:
    """Writes forty records of 1.5 s at 100 Hz, in two folders."""

    def write(root: Path) -> DatasetIndex:
        entries = []
        for number, counts in enumerate(all_counts):
            path = f"records/{number % 2}/{number:03d}"
            write_wfdb(root / path, counts)
            entries.append(_entry(number, path))
        return DatasetIndex("made", "1.0", root, 100.0, tuple(entries), notes=("for tests",))

    return write


@pytest.fixture
def index(tmp_path: Path, write_dataset: Callable[[Path], DatasetIndex]) -> DatasetIndex:
    return write_dataset(tmp_path / "data")


@pytest.fixture
def shards_of_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several shards from a few records."""
    import leadlight.store.preparing as preparing

    monkeypatch.setattr(
        preparing, "plan_shards", lambda n: [(first, min(first + 8, n)) for first in range(0, n, 8)]
    )


@pytest.fixture
def tiny_ptbxl(tmp_path: Path, write_wfdb: Callable[..., None]) -> Path:
    """Six records of 1 s in PTB-XL's layout, at 100 and 500 Hz; two of one patient."""
    root = tmp_path / "ptb-xl"
    generator = np.random.default_rng(5)
    rows = ["ecg_id,patient_id,age,sex,scp_codes,strat_fold,filename_lr,filename_hr"]
    for number in range(1, 7):
        low, high = f"records100/00000/0000{number}_lr", f"records500/00000/0000{number}_hr"
        write_wfdb(root / low, generator.integers(-900, 900, (12, 100)))
        write_wfdb(root / high, generator.integers(-900, 900, (12, 500)), rate=500)
        patient = max(number, 2)
        rows.append(f"{number},{patient}.0,{50 + number}.0,0,\"{{'NORM': 100.0}}\",{patient},{low},{high}")
    (root / "ptbxl_database.csv").write_text("\n".join(rows) + "\n")
    return root
