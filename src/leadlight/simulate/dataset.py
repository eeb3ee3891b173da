"""Write a simulated data set in the layout of PTB-XL, with the truth of every record beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from leadlight import files
from leadlight.errors import DatasetError
from leadlight.leads import STANDARD_LEADS
from leadlight.progress import ProgressCallback, silent
from leadlight.recording import Recording
from leadlight.signal import resample
from leadlight.simulate.cases import Draft, drafts
from leadlight.simulate.ptbxl_layout import (
    COLUMNS,
    STATEMENT_COLUMNS,
    database_row,
    record_paths,
    statement_rows,
    write_table,
)
from leadlight.simulate.recording import RATE, draw
from leadlight.simulate.truth import truth_path, write_truth

MARKER = "SIMULATED.json"
"""The file that tells a simulated data set from recordings of people."""
LOW_RATE = 100.0
BATCH = 25
# What a simulated set of any layout has: nothing else is ever removed.
_OWN = (
    "records100", "records500", "truth", "RECORDS", "ptbxl_database.csv", "scp_statements.csv",
    "files", "record_list.csv", "machine_measurements.csv", "waveform_note_links.csv", "patients.csv",
)  # fmt: skip


def simulate_dataset(
    out: str | Path,
    n_records: int,
    seed: int,
    workers: int = 1,
    on_progress: ProgressCallback = silent,
) -> Path:
    """Write n simulated recordings of ten seconds in the layout of PTB-XL 1.0.3.

    out: a new or empty folder, or an earlier simulated set, which is replaced. The same seed gives
    the same records, whatever the number of workers, and a smaller set is the beginning of a larger
    one. Returns the folder. Beside PTB-XL's files stand truth/ (``read_truth``), truth/parameters.parquet
    and SIMULATED.json.
    Raises DatasetError for a folder with anything else in it.
    """
    out = Path(out)
    if n_records < 1:
        raise DatasetError(f"records: found {n_records}; accepted: 1 or more.")
    if seed < 0:
        raise DatasetError(f"seed: found {seed}; accepted: 0 or more.")
    make_room(out)
    plan = list(drafts(seed, n_records))
    about = {
        "what": "simulated by Leadlight: no recordings of people, for tests of software only",
        "layout": "PTB-XL 1.0.3",
        "records": n_records,
        "seed": seed,
    }
    (out / MARKER).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    for folder in {Path(path).parent for draft in plan for path in record_paths(draft.record_id)}:
        (out / folder).mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    parameters: list[dict[str, Any]] = []
    for part in _written(out, plan, seed, workers):
        for row, values in part:
            rows.append(row)
            parameters.append(values)
        on_progress(len(rows), n_records, "")
    _write_parameters(out / "truth" / "parameters.parquet", parameters)
    paths = [path for column in ("filename_lr", "filename_hr") for path in (row[column] for row in rows)]
    (out / "RECORDS").write_text("\n".join(paths) + "\n", encoding="utf-8")
    write_table(out / "scp_statements.csv", STATEMENT_COLUMNS, statement_rows())
    # Last, so that a half-written folder is no data set.
    write_table(out / "ptbxl_database.csv", COLUMNS, rows)
    return out


def make_room(out: Path) -> None:
    """Make an empty folder of a new one or of an earlier simulated set. Raises DatasetError for any other."""
    if out.exists() and not out.is_dir():
        raise DatasetError(f"{out}: found a file; accepted: a new or empty folder.")
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise DatasetError(
            f"{out}: found a folder with other things in it; accepted: a new or empty folder, or an earlier "
            f"simulated data set (one with {MARKER}). Choose another folder."
        )
    out.mkdir(parents=True, exist_ok=True)
    for name in _OWN:
        if (out / name).is_dir():
            shutil.rmtree(out / name)
        else:
            (out / name).unlink(missing_ok=True)
            (out / f"{name}.part").unlink(missing_ok=True)


_Written = list[tuple[dict[str, Any], dict[str, Any]]]


def _written(out: Path, plan: list[Draft], seed: int, workers: int) -> Iterator[_Written]:
    """The rows of all records in order, batch by batch, as they get written."""
    batches = [plan[first : first + BATCH] for first in range(0, len(plan), BATCH)]
    if workers <= 1 or len(batches) == 1:
        for batch in batches:
            yield _write_batch(out, batch, seed)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_write_batch, [out] * len(batches), batches, [seed] * len(batches))


def _write_batch(out: Path, batch: list[Draft], seed: int) -> _Written:
    return [_write_record(out, draft, seed) for draft in batch]


def _write_record(out: Path, draft: Draft, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    signal, statements, truth = draw(draft.case)
    low, high = record_paths(draft.record_id)
    # Whole microvolts, as written; the 100 Hz file is resampled from what the 500 Hz file holds.
    written = (np.rint(signal * 1000) / 1000).astype(np.float32)
    spelling = {"aVR": "AVR", "aVL": "AVL", "aVF": "AVF"}
    for path, rate in ((high, RATE), (low, LOW_RATE)):
        values = written if rate == RATE else resample(written, RATE, rate)
        files.write(Recording(values, STANDARD_LEADS, rate), out / path, lead_names=spelling)
    write_truth(truth, truth_path(out, draft.record_id))
    return database_row(draft, statements, truth, seed), {"ecg_id": draft.record_id, **truth.parameters}


def _write_parameters(path: Path, parameters: list[dict[str, Any]]) -> None:
    """One row a record; findings as a list of structs, noise levels as columns of their own."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    rows = []
    for values in parameters:
        flat = {key: value for key, value in values.items() if key not in ("noise", "lead_matrix")}
        rows.append(flat | {f"noise_{key}": value for key, value in values["noise"].items()})
    finding = pa.struct([("code", pa.string()), ("severity", pa.float64()), ("stage", pa.string())])
    table = pa.table(
        {
            key: pa.array([row[key] for row in rows], type=pa.list_(finding) if key == "findings" else None)
            for key in rows[0]
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)
