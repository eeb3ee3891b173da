"""Does any reader crash, hang, take too much, or accept what it should not, on damaged files?

    LEADLIGHT_DATA=... python benchmarks/fuzz.py --out benchmarks/results/fuzz.md

Every reader of files, data sets, tables, stores, model folders, recipes and conditions gets whole
files in which something was changed (tests/fuzz/fuzzing/damage.py). Whole files are real ones where
LEADLIGHT_DATA has them, made on the spot elsewhere. Checksums that stand beside the damage are often
made right again, so that it is met behind the first check. An input must be refused with an error that
the reader documents, in a bounded message, or be accepted with what holds of every recording,
index or store (tests/fuzz/fuzzing/invariants.py). All else is a fault: another error, a warning, more
than 1 s of processor time, more than 1 GB (peak, above what the process had before; and of address
space, by a limit of the system), a worker that dies or gives no sign for a minute.

Readers run in processes of their own. Input number n of a reader follows from seed, name and n:
``--replay NAME N`` reads one again and shows the verdict, ``--keep DIR`` leaves its files there.
The exit code is 1 where there was a fault.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import platform
import queue
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from keep import keep
from machine import describe_machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fuzz"))

from fuzzing.judging import CPU_SECONDS, MEGABYTES, Bench, Verdict
from fuzzing.targets import TARGETS

SIGN_OF_LIFE = 60
"""Seconds. More than the limit of one input: others may be busy on the same machine."""
PREPARATION = 900
"""Seconds for imports and for making the whole files of a reader."""
CHUNK = 200
Chunk = tuple[str, int, int]


def real_data() -> Path | None:
    folder = os.environ.get("LEADLIGHT_DATA", "")
    return Path(folder).resolve() if folder else None


def limit_memory() -> None:
    """From here on no more than 1 GB of address space beyond what there is; only Linux tells how much."""
    try:
        import resource

        size = int(Path("/proc/self/status").read_text().partition("VmSize:")[2].split()[0]) * 1024
    except (ImportError, OSError):
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (size + MEGABYTES * 1024**2, hard))


def unlimit_memory() -> None:
    with contextlib.suppress(ImportError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def work(link: Connection, seed: int) -> None:
    """A worker: chunks come in, the number of each input goes out before it is read, its verdict behind."""
    bench: Bench | None = None
    with tempfile.TemporaryDirectory(prefix="leadlight-fuzz-") as place:
        while (chunk := link.recv()) is not None:
            name, start, stop = chunk
            if bench is None or bench.target.name != name:
                unlimit_memory()
                bench = Bench(name, Path(place), seed, real_data())
                bench.lift_limit = unlimit_memory
                link.send(("whole", [one.as_dict() for one in bench.check_originals()]))
            for number in range(start, stop):
                link.send(("begin", number))
                bench.damage(number)  # what damage itself keeps is not the reader's
                limit_memory()
                verdict = bench.read(number)
                unlimit_memory()
                link.send(("verdict", verdict.as_dict()))
            link.send(("end", None))


class Worker:
    """A process and the way to it; started again where it died or hung."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self.link, theirs = self._context.Pipe()
        self._process = self._context.Process(target=work, args=(theirs, self._seed), daemon=True)
        self._process.start()
        theirs.close()

    def run(self, chunk: Chunk) -> Iterator[tuple[str, Any]]:
        """("whole", verdicts on whole files), ("verdict", one) of a chunk, whatever happens to the worker."""
        name, number, stop = chunk
        self.link.send(chunk)
        began = False
        while True:
            why = ""
            patience = SIGN_OF_LIFE if began else PREPARATION
            try:
                kind, value = self.link.recv() if self.link.poll(patience) else ("silence", None)
            except (EOFError, ConnectionError):
                self._process.join(10)
                kind, why = "silence", f"the process died, exit code {self._process.exitcode}"
            if kind == "end":
                return
            if kind == "begin":
                number, began = value, True
            elif kind == "silence":
                self._process.kill()
                self._process.join()
                why = why or f"no sign of life for {patience} s"
                if not began:
                    raise RuntimeError(f"{name}: {why} before the first input")
                failed = Verdict(name, number, "failed", "", why, SIGN_OF_LIFE, 0)
                yield "verdict", failed.as_dict()
                self._start()
                if number + 1 >= stop:
                    return
                self.link.send((name, number + 1, stop))
                began = False
            else:
                yield kind, value

    def close(self) -> None:
        """Let the process end."""
        with contextlib.suppress(OSError):
            self.link.send(None)
        self._process.join(30)


def chunks_of(counts: dict[str, int]) -> queue.SimpleQueue[Chunk]:
    waiting: queue.SimpleQueue[Chunk] = queue.SimpleQueue()
    for name, count in counts.items():
        for start in range(0, count, CHUNK):
            waiting.put((name, start, min(start + CHUNK, count)))
    return waiting


def run(
    counts: dict[str, int], seed: int, n_processes: int
) -> tuple[list[Verdict], dict[str, list[Verdict]]]:
    """The verdicts on all inputs, and those on the whole files of each reader."""
    waiting = chunks_of(counts)
    verdicts: list[Verdict] = []
    whole: dict[str, list[Verdict]] = {}
    troubles: list[str] = []

    def serve() -> None:
        worker = Worker(seed)
        try:
            while True:
                chunk = waiting.get_nowait()
                for kind, value in worker.run(chunk):
                    if kind == "whole":
                        whole[chunk[0]] = [Verdict(**one) for one in value]
                        continue
                    verdicts.append(Verdict(**value))
                    if verdicts[-1].verdict == "failed":
                        one = verdicts[-1]
                        print(f"fault: {one.target} {one.number} {one.error}: {one.message}", file=sys.stderr)
        except queue.Empty:
            worker.close()
        except Exception:
            troubles.append(traceback.format_exc())

    servers = [threading.Thread(target=serve) for _ in range(n_processes)]
    for server in servers:
        server.start()
    for server in servers:
        server.join()
    if troubles:
        raise SystemExit("\n".join(troubles))
    return verdicts, whole


def table(verdicts: Sequence[Verdict], whole: dict[str, list[Verdict]]) -> list[str]:
    lines = [
        "| reader | what is damaged | whole files | inputs | accepted, all holds | refused as documented "
        "| faults | slowest, s | largest, MB |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, target in TARGETS.items():
        found = [one for one in verdicts if one.target == name]
        if not found:
            continue
        counts = Counter(one.verdict for one in found)
        lines.append(
            f"| {name} | {target.what} | {len(whole[name])} | {len(found):,} | {counts['accepted']:,} "
            f"| {counts['refused']:,} | {counts['failed']:,} | {max(one.seconds for one in found):.2f} "
            f"| {max(one.megabytes for one in found):.0f} |"
        )
    counts = Counter(one.verdict for one in verdicts)
    lines.append(
        f"| **all** | | {sum(map(len, whole.values())):,} | {len(verdicts):,} | {counts['accepted']:,} "
        f"| {counts['refused']:,} | {counts['failed']:,} | {max(one.seconds for one in verdicts):.2f} "
        f"| {max(one.megabytes for one in verdicts):.0f} |"
    )
    return lines


def errors_of(verdicts: Sequence[Verdict]) -> list[str]:
    counted = Counter((one.target, one.error) for one in verdicts if one.verdict == "refused")
    lines = ["| reader | refused with |", "|---|---|"]
    for name in dict.fromkeys(one.target for one in verdicts):
        said = ", ".join(f"{error} {n:,}" for (target, error), n in counted.most_common() if target == name)
        lines.append(f"| {name} | {said or 'nothing refused'} |")
    return lines


def faults_of(verdicts: Sequence[Verdict]) -> list[str]:
    faults = [one for one in verdicts if one.verdict == "failed"]
    return [f"- {one.target} {one.number}: {one.error} {one.message[:200]}" for one in faults] or ["None."]


def report(verdicts: list[Verdict], whole: dict[str, list[Verdict]], seed: int, minutes: float) -> str:
    verdicts = sorted(verdicts, key=lambda one: (list(TARGETS).index(one.target), one.number))
    refused = [
        f"{one.target} ({one.message.partition(';')[0].partition(': ')[2]})"
        for found in whole.values() for one in found if one.verdict == "refused"
    ]  # fmt: skip
    lines = [
        "# Damaged files",
        "",
        f"`python {' '.join(sys.argv)}` with{'' if real_data() else 'out'} LEADLIGHT_DATA set; seed {seed}, "
        f"{minutes:.0f} minutes on {os.cpu_count()} cores. One input again: "
        f"`python benchmarks/fuzz.py --seed {seed} --replay NAME NUMBER`.",
        "",
        *table(verdicts, whole),
        "",
        "Accepted: shape, rate, leads, ids, folds, paths, texts and numbers were checked by code of the "
        "benchmark's own. A fault is any other error than documented, a warning, a message without end, "
        f"more than {CPU_SECONDS:g} s of processor time, more than {MEGABYTES:,} MB beyond what the process "
        f"had, a process that dies or gives no sign for {SIGN_OF_LIFE} s. Seconds are processor time, all "
        "threads together. Memory is the largest resident set, beyond what the process had; address space "
        "was limited by the same number, and an input refused at that limit was read again without it.",
        "",
        "Whole files that are refused, as documented: " + ("; ".join(refused) or "none") + ".",
        "",
        "## Errors",
        "",
        *errors_of(verdicts),
        "",
        "## Faults",
        "",
        *faults_of(verdicts),
        "",
        describe_machine("leadlight", "numpy", "pyarrow", "h5py", "wfdb"),
    ]
    return "\n".join(lines)


def replay(name: str, number: int, seed: int, folder: Path | None) -> None:
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(name, Path(place), seed, real_data())
        bench.check_originals()
        print(bench.read(number))
        if folder is not None:
            shutil.copytree(Path(place) / name, folder)
            print(f"wrote {folder}")


def main() -> None:
    # Threads that wait for each other in a loop count as processor time, of which none of the work is theirs.
    os.environ["OMP_NUM_THREADS"] = "1"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=40_000, help="of all readers together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=TARGETS, help="these readers alone")
    parser.add_argument("--replay", nargs=2, metavar=("NAME", "NUMBER"), help="one input again")
    parser.add_argument("--keep", type=Path, help="with --replay: leave the files in this new folder")
    parser.add_argument("--out", type=Path, help="write the tables to this Markdown file")
    arguments = parser.parse_args()
    if arguments.replay:
        name, number = arguments.replay
        replay(name, int(number), arguments.seed, arguments.keep)
        return
    if platform.system() != "Linux":
        print("memory is not measured: only Linux tells the peak", file=sys.stderr)
    shares = {name: one.share for name, one in TARGETS.items() if name in (arguments.only or TARGETS)}
    counts = {name: -(-arguments.inputs * share // sum(shares.values())) for name, share in shares.items()}
    began = time.monotonic()
    verdicts, whole = run(counts, arguments.seed, arguments.processes)
    text = report(verdicts, whole, arguments.seed, (time.monotonic() - began) / 60)
    print(text)
    keep(text + "\n", arguments.out)
    if any(one.verdict == "failed" for one in verdicts):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
