"""How much faster than ``wfdb.rdrecord`` does Leadlight read a format-16 record, checks included?

    python benchmarks/read_wfdb.py --out benchmarks/results/read_wfdb.md

Real PTB-XL records at 100 and 500 Hz where LEADLIGHT_DATA names a folder that has them, else
random walks written for the purpose. Warm page cache. Processor time, so that other work on the
machine counts little. In each round three readers take turns at blocks of records: wfdb.rdrecord
(millivolts, no checksums), leadlight.read (millivolts, sizes and checksums verified, leads named
and ordered) and leadlight.files.wfdb.read_digital (the same checks, counts as stored).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import wfdb

import leadlight as ll
from keep import keep
from leadlight.files import find_recordings
from leadlight.files.wfdb import read_digital
from leadlight.leads import STANDARD_LEADS
from machine import describe_machine

ROUNDS = 9
RECORDS = 200
BLOCK = 100


def records(rate: int, folder: Path) -> tuple[list[Path], str]:
    """Headers to read, and what they are."""
    real = Path(os.environ.get("LEADLIGHT_DATA", "")) / "ptb-xl" / f"records{rate}"
    if "LEADLIGHT_DATA" in os.environ and real.is_dir():
        found = find_recordings(real)
        return found[:: max(1, len(found) // RECORDS)][:RECORDS], "PTB-XL"
    steps = np.random.default_rng(rate).normal(0, 0.02, size=(RECORDS, 12, 10 * rate))
    for number, walk in enumerate(steps.cumsum(axis=-1).astype(np.float32)):
        ll.write(ll.Recording(walk, STANDARD_LEADS, rate), folder / f"walk_{rate}_{number:03d}")
    return sorted(folder.glob(f"walk_{rate}_*.hea")), "random walks"


def measure(headers: list[Path]) -> dict[str, list[float]]:
    """Processor seconds a record of each reader, one value a round."""
    readers: dict[str, Callable[[str], object]] = {
        "wfdb.rdrecord": wfdb.rdrecord,
        "leadlight.read": ll.read,
        "read_digital": read_digital,
    }
    stems = [str(header.with_suffix("")) for header in headers]
    rounds: dict[str, list[float]] = {name: [] for name in readers}
    for number in range(ROUNDS + 1):
        totals = dict.fromkeys(readers, 0.0)
        for start in range(0, len(stems), BLOCK):
            for name, read in readers.items():
                began = time.process_time()
                for stem in stems[start : start + BLOCK]:
                    read(stem)
                totals[name] += time.process_time() - began
        if number:  # the first round fills the page cache
            for name, total in totals.items():
                rounds[name].append(total / len(stems))
    return rounds


def report(rounds: dict[str, list[float]], what: str, n: int, rate: int) -> list[str]:
    lines = []
    slow = rounds["wfdb.rdrecord"]
    for name, times in rounds.items():
        ratios = [a / b for a, b in zip(slow, times, strict=True)]
        median = statistics.median(times)
        span = f"{min(ratios):.1f} / **{statistics.median(ratios):.1f}** / {max(ratios):.1f}"
        lines.append(
            f"| {n} x {what}, {rate} Hz | `{name}` | {median * 1e6:,.0f} | {1 / median:,.0f} "
            f"| {'1' if name == 'wfdb.rdrecord' else span} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    out = parser.parse_args().out
    table = [
        "| records | reader | µs a record | records/s | times faster: min / **median** / max |",
        "|---|---|---:|---:|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for rate in (100, 500):
            headers, what = records(rate, Path(folder))
            table += report(measure(headers), what, len(headers), rate)
    print("\n".join(table))
    if out:
        command = "python " + " ".join(sys.argv)
        text = [
            "# Reading a format-16 record",
            "",
            f"`{command}`{' with LEADLIGHT_DATA set' if 'LEADLIGHT_DATA' in os.environ else ''}: "
            f"{ROUNDS} rounds, in each the three readers take turns at blocks of {BLOCK} records; "
            "warm page cache, processor time of one process.",
            "",
            *table,
            "",
            "Times are medians of rounds. `leadlight.read` and `read_digital` verify sizes and checksums; "
            "`wfdb.rdrecord` does not. At 500 Hz the passes over 60,000 samples bound it (from the page "
            "cache, leads apart, checksum, division, float32); the header takes about a sixth of the time.",
            "",
            describe_machine("leadlight", "wfdb", "numpy"),
        ]
        keep("\n".join(text) + "\n", out)


if __name__ == "__main__":
    main()
