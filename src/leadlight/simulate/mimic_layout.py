"""Write a simulated data set in the layout of MIMIC-IV-ECG, large and fast.

A pool of distinct recordings is drawn once; each record then has its own header, its own
row in the tables and a .dat of its own name, which is a hard link to the pool's where the
file system has such, a copy elsewhere. So 100,000 records take the disk of the pool and of
their headers, and come at thousands a second. For tests of size and of tables; the real set
repeats no recording.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from leadlight.errors import DatasetError
from leadlight.progress import ProgressCallback, silent
from leadlight.simulate.cases import Draft, drafts
from leadlight.simulate.dataset import MARKER, make_room
from leadlight.simulate.mimic_patients import MOST_RECORDS, MimicPatient, batches, patients, used
from leadlight.simulate.mimic_rows import (
    LIST_COLUMNS,
    MEASUREMENT_COLUMNS,
    Waveform,
    cart_codes,
    counts_of,
    csv_line,
    draw_cart,
    header,
    header_lines,
    measurements,
    report,
)
from leadlight.simulate.recording import draw
from leadlight.simulate.truth import truth_path, write_truth

POOL = 500
"""Distinct recordings unless told otherwise."""
BATCH = 100
# The tables as they grow, and their first lines.
_TABLES = {
    "machine_measurements.csv": csv_line(MEASUREMENT_COLUMNS),
    "waveform_note_links.csv": "subject_id,study_id,waveform_path,note_id,note_seq,charttime\n",
    "patients.csv": "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod\n",
    "RECORDS": "",
    "truth/waveforms.csv": "study_id,waveform\n",
    # Last, so that a half-written folder is no data set.
    "record_list.csv": csv_line(LIST_COLUMNS),
}
_WITH_NOTE = 0.76
_OTHER_TIME = 0.022
_ABOVE_89 = 91
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


def simulate_mimic_iv_ecg(
    out: str | Path,
    n_records: int,
    seed: int,
    workers: int | None = None,
    pool: int = POOL,
    on_progress: ProgressCallback = silent,
) -> Path:
    """Write n simulated records in the layout of MIMIC-IV-ECG 1.0.

    out: a new or empty folder, or an earlier simulated set, which is replaced; pool: number of
    distinct recordings; workers: processes, None for as many as pay off. The same seed and pool
    give the same records, whatever the number of workers, and a smaller set is the beginning of
    a larger one. Beside MIMIC-IV-ECG's files stand patients.csv, as in MIMIC-IV, SIMULATED.json,
    truth/NNNNN/XXXXX.npz and .dat of each recording of the pool (``read_truth`` with its number)
    and truth/waveforms.csv, which recording a study has. Returns the folder.
    Raises DatasetError for a folder with anything else in it, and for impossible numbers.
    """
    out = Path(out)
    if not 1 <= n_records <= MOST_RECORDS:
        raise DatasetError(f"records: found {n_records}; accepted: 1 to {MOST_RECORDS:,}.")
    if seed < 0:
        raise DatasetError(f"seed: found {seed}; accepted: 0 or more.")
    if pool < 1:
        raise DatasetError(f"pool: found {pool}; accepted: 1 or more.")
    if workers is not None and workers < 1:
        raise DatasetError(f"workers: found {workers}; accepted: 1 or more, or None.")
    make_room(out)
    _mark(out, n_records, seed, pool, "being written")
    cases = list(drafts(seed, pool))
    needed = used(seed, n_records, cases)
    (out / "truth").mkdir()
    for folder in {truth_path(out, number).parent for number in needed}:
        folder.mkdir(parents=True, exist_ok=True)
    n_workers = workers or _choose_workers(n_records, len(needed))
    on_progress(0, n_records, "drawing the pool")
    with ExitStack() as stack:
        processes = stack.enter_context(ProcessPoolExecutor(n_workers)) if n_workers > 1 else None
        draw_one = partial(_draw_waveform, out, seed)
        waveforms = {
            one.number: one
            for one in _in_order(processes, draw_one, (cases[number - 1] for number in needed))
        }
    tables = {name: out / f"{name}.part" for name in _TABLES}
    linked = done = 0
    with ExitStack() as stack:
        processes = None
        if n_workers > 1:
            # The pool crosses to each process once, not with each batch.
            starting = ProcessPoolExecutor(n_workers, initializer=_keep, initargs=(waveforms,))
            processes = stack.enter_context(starting)
        else:
            _keep(waveforms)
        streams = {
            name: stack.enter_context(path.open("w", encoding="utf-8")) for name, path in tables.items()
        }
        for name, first_line in _TABLES.items():
            streams[name].write(first_line)
        work = partial(_write_batch, out, seed)
        for texts, n_written, n_linked in _in_order(
            processes, work, batches(patients(seed, n_records, cases), BATCH)
        ):
            for name, text in texts.items():
                streams[name].write(text)
            done += n_written
            linked += n_linked
            on_progress(done, n_records, "")
    signals = {0: "copies of", n_records: "hard links to"}.get(
        linked, f"copies of, and {linked:,} hard links to,"
    )
    _mark(out, n_records, seed, pool, f"{signals} the recordings in truth/, {len(needed):,} distinct ones")
    for name, path in tables.items():
        path.replace(out / name)
    return out


def _mark(out: Path, n_records: int, seed: int, pool: int, signals: str) -> None:
    about = {
        "what": "simulated by Leadlight: no recordings of people, for tests of software only",
        "layout": "MIMIC-IV-ECG 1.0",
        "records": n_records,
        "seed": seed,
        "pool": pool,
        "signals": signals,
    }
    (out / MARKER).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _choose_workers(n_records: int, n_waveforms: int) -> int:
    # A recording of the pool takes about 10 ms, a record 0.2 ms, a process some 200 ms to start.
    if n_waveforms * 0.01 + n_records * 0.0002 < 2:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_order(
    processes: ProcessPoolExecutor | None, work: Callable[[_Item], _Answer], items: Iterator[_Item]
) -> Iterator[_Answer]:
    """Answers in the order of the items; only a few items are in flight, however many there are."""
    if processes is None:
        yield from map(work, items)
        return
    flying: deque[Future[_Answer]] = deque()
    for item in items:
        flying.append(processes.submit(work, item))
        if len(flying) >= 64:
            yield flying.popleft().result()
    while flying:
        yield flying.popleft().result()


# Writing, in any process

_pool: dict[int, Waveform] = {}


def _keep(waveforms: dict[int, Waveform]) -> None:
    _pool.clear()
    _pool.update(waveforms)


def _pool_file(out: Path, number: int) -> Path:
    return truth_path(out, number).with_suffix(".dat")


def _draw_waveform(out: Path, seed: int, draft: Draft) -> Waveform:
    signal, statements, truth = draw(draft.case)
    counts = counts_of(signal)
    write_truth(truth, truth_path(out, draft.record_id))
    _pool_file(out, draft.record_id).write_bytes(counts.tobytes())
    values = truth.parameters
    rr = 60_000 / values["heart_rate"]
    rng = np.random.default_rng([seed, 7, draft.record_id])
    return Waveform(
        number=draft.record_id,
        sex=draft.case.sex,
        age=draft.case.age,
        findings=draft.case.findings,
        header=header_lines(counts),
        codes=cart_codes(statements, truth, rr),
        rr=rr,
        p=values["p_duration"] * 1000,
        pr=values["pr"] * 1000,
        qrs=values["qrs"] * 1000,
        qt=values["qt"] * 1000,
        # The truth has no axis of P: one of a healthy heart (median and spread as in population.csv).
        p_axis=float(np.clip(rng.normal(55, 18), 5, 75)),
        qrs_axis=values["qrs_axis"],
        t_axis=values["t_axis"],
    )


def _write_batch(out: Path, seed: int, batch: list[MimicPatient]) -> tuple[dict[str, str], int, int]:
    """Folders, headers and signals of some patients; their lines of the tables, records, links made."""
    lines: dict[str, list[str]] = {name: [] for name in _TABLES}
    written = linked = 0
    for patient in batch:
        rng = np.random.default_rng([seed, 8, patient.number])
        subject = str(patient.subject)
        home = f"files/p{subject[:4]}/p{subject}"
        (out / home).mkdir(parents=True)
        time = datetime(2110, 1, 1) + timedelta(minutes=int(rng.integers(80 * 365 * 1440)))
        age = round(_pool[patient.waveforms[0]].age)
        earlier = int(rng.integers(0, min(4, age - 17)))
        anchor_age = age - earlier if age - earlier <= 89 else _ABOVE_89
        sex = "M" if _pool[patient.waveforms[0]].sex == "male" else "F"
        lines["patients.csv"].append(f"{subject},{sex},{anchor_age},{time.year - earlier},2008 - 2010,\n")
        for visit, number in enumerate(patient.waveforms):
            if visit:
                time += timedelta(minutes=1 + int(rng.exponential(90 * 1440)))
            waveform = _pool[number]
            study = patient.study(visit)
            path = f"{home}/s{study}/{study}"
            (out / home / f"s{study}").mkdir()
            target = f"{out}/{path}"
            linked += _link(str(_pool_file(out, number)), f"{target}.dat")
            with open(f"{target}.hea", "w", encoding="ascii") as file:  # noqa: PTH123  (a Path takes as long)
                file.write(header(waveform, study, subject, str(time)))
            cart_id, cart = draw_cart(rng)
            other = rng.random() < _OTHER_TIME
            measured_time = time + timedelta(minutes=int(rng.integers(1, 600))) if other else time
            lines["record_list.csv"].append(f"{subject},{study},{study},{time},{path}\n")
            lines["machine_measurements.csv"].append(
                csv_line(
                    [
                        *(subject, study, cart_id, measured_time),
                        *report(waveform.codes, cart["dialect"]),
                        *(cart["bandwidth"], cart["filtering"]),
                        *measurements(rng, waveform, cart),
                    ]
                )
            )
            if rng.random() < _WITH_NOTE:
                note = f"{subject}-EK-{visit + 1}"
                lines["waveform_note_links.csv"].append(
                    f"{subject},{study},{path},{note},{visit + 1},{time}\n"
                )
            lines["RECORDS"].append(f"{path}\n")
            lines["truth/waveforms.csv"].append(f"{study},{number}\n")
            written += 1
    return {name: "".join(one) for name, one in lines.items()}, written, linked


def _link(source: str, target: str) -> bool:
    """Give a file a second name, or copy it where that cannot be; whether it is a second name."""
    try:
        os.link(source, target)
    except OSError:
        # No hard links on this file system, or no more to this file.
        shutil.copyfile(source, target)
        return False
    return True
