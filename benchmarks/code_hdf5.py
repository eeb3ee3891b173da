"""How fast are the tracings of a CODE-15% part read, stored this way or that?

    python benchmarks/code_hdf5.py --out benchmarks/results/code_hdf5.md

A part of noise in CODE-15%'s layout, every second row zero padded as a 7.3 s record, for each
layout that h5py writes by itself or on request. Rows in order, one call each (as a store is
prepared) and in batches, beside plain h5py. Warm page cache, one process.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from keep import keep
from leadlight.files.code_hdf5 import CodePart, read_tracing
from machine import describe_machine

RECORDS = 1_000
LAYOUTS: dict[str, dict[str, Any]] = {
    "float32, contiguous": {},
    "float32, gzip, one record a chunk": {"chunks": (1, 4096, 12), "compression": "gzip"},
    "float32, gzip, h5py's own chunks": {"compression": "gzip"},
    "float64, h5py's own chunks": {"dtype": "f8", "chunks": True},
}


def write_part(path: Path, options: dict[str, Any]) -> object:
    """Write a part; the shape of its chunks."""
    noise = np.random.default_rng(1).normal(0, 0.3, (50, 4096, 12)).astype(np.float32)
    noise[::2, :581] = noise[::2, -581:] = 0
    with h5py.File(path, "w") as file:
        tracings = file.create_dataset("tracings", (RECORDS, 4096, 12), **({"dtype": "f4"} | options))
        for at in range(0, RECORDS, len(noise)):
            tracings[at : at + len(noise)] = noise
        file["exam_id"] = np.arange(1, RECORDS + 1)
        return tracings.chunks


def rate(read: Callable[[], object]) -> float:
    """Records a second, the better of two rounds."""
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - start)
    return RECORDS / min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, options in LAYOUTS.items():
            path = Path(folder) / "exams_part0.hdf5"
            chunks = write_part(path, options)

            def one_by_one(path: Path = path) -> None:
                for number in range(RECORDS):
                    read_tracing(path, number)

            def batches(path: Path = path) -> None:
                for _ in CodePart(path).tracings(range(RECORDS)):
                    pass

            def plain(path: Path = path) -> None:
                with h5py.File(path) as file:
                    tracings = file["tracings"]
                    for number in range(50):
                        tracings[number]

            start = time.perf_counter()
            plain()
            by_h5py = 50 / (time.perf_counter() - start)
            rows.append(
                f"| {name} | {chunks} | {rate(one_by_one):,.0f} | {rate(batches):,.0f} | {by_h5py:,.0f} |"
            )
            path.unlink()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    text = "\n".join(
        [
            "# Reading CODE-15%'s HDF5 parts",
            "",
            f"`python benchmarks/code_hdf5.py --out benchmarks/results/code_hdf5.md`: {RECORDS:,} tracings "
            "of 4,096 x 12, records/s, padding removed and noted; the last column is plain h5py, 50 rows, "
            "nothing checked, no padding removed.",
            "",
            "| layout | chunks | `read_tracing`, row after row | `CodePart.tracings` | h5py, row after row |",
            "|---|---|---:|---:|---:|",
            *rows,
            "",
            f"Peak memory of all of it: {peak:,.0f} MB.",
            "",
            describe_machine("h5py", "numpy"),
        ]
    )
    print(text)
    keep(text + "\n", arguments.out)


if __name__ == "__main__":
    main()
