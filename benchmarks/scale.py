"""Does the way from a data set to batches hold at the size of MIMIC-IV-ECG, 800,035 records?

    python benchmarks/scale.py --out benchmarks/results/scale.md

Records are simulated in MIMIC-IV-ECG's layout (12 leads, 10 s, 500 Hz; 500 different
recordings, each record with its own header, report and measurements), at two sizes, so that
what grows with the size is seen. Each stage is a process of its own; its result is kept in
FOLDER/results.json, so that a run that was broken off goes on (--folder names it; without, a
new one is made and removed). Needs about 10 GB of disk, and for the store that is larger than
memory 1.4 times the machine's memory besides (--no-larger leaves it out).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from keep import keep
from scale_report import Setting, report

NAME, SEED = "mimic-iv-ecg", 1
SIZES, WORKERS = (10_000, 100_000), (1, 2)
SPACE, RECIPE = "ecg-xplaim", "imle-net"
BATCHES, ROUNDS, SECONDS = (32, 256), 3, 2.0
FITTED = 2_000  # records to which the loader's scaling is fitted
LARGER = 1.3
"""Size of the store that does not fit, in memories of this machine."""
GB = 1e9
Result = dict[str, Any]


def simulate(folder: Path, n: int) -> Result:
    from leadlight.simulate import simulate_mimic_iv_ecg

    result = timed(lambda: simulate_mimic_iv_ecg(folder / f"data-{n}", n, SEED))
    return {**result, "bytes": disk_bytes(folder / f"data-{n}")}


def index(folder: Path, n: int) -> Result:
    from leadlight.datasets import read_published

    return timed(lambda: read_published(NAME, folder / f"data-{n}", 100))


def folds(folder: Path, n: int) -> Result:
    """Folds alone: the index is read before the clock starts."""
    from leadlight.datasets import describe, read_published, split_index

    published = read_published(NAME, folder / f"data-{n}", 100)
    return timed(lambda: split_index(published, describe(NAME).label_spaces))


def prepare(folder: Path, n: int, rate: int, workers: int, engine: str = "processes") -> Result:
    from leadlight.datasets import read_index
    from leadlight.store import store_index

    out = folder / (f"store-{n}-{rate}" if (workers, engine) == (2, "processes") else "other")
    shutil.rmtree(out, ignore_errors=True)
    content = read_index(NAME, folder / f"data-{n}", rate)
    result = timed(lambda: store_index(content, out, workers, engine=engine))
    description = json.loads((out / "store.json").read_text())
    assert description["records"] == n, description["set_aside"][:1]
    files = [one["sha256"] for one in (*description["shards"], description["index"])]
    result |= {"bytes": disk_bytes(out), "index_bytes": description["index"]["bytes"], "files": files}
    if out.name == "other":
        shutil.rmtree(out)
    return result


def choose(folder: Path, n: int) -> Result:
    """Open a store and choose the training records of eight folds, with their labels."""
    from leadlight.labels import space
    from leadlight.store import open_store, select

    labels = space(SPACE)
    chosen: list[int] = []

    def work() -> None:
        store = open_store(folder / f"store-{n}-100")
        chosen.append(len(select(store, range(1, 9), labels, n_samples=1000)))

    return {**timed(work), "chosen": chosen[0]}


def draw(folder: Path, n: int, rate: int) -> Result:
    """Records a second in random batches from a warm store, by one process and by two at once."""
    path = str(folder / f"store-{n}-{rate}")
    result: Result = {"copied": copied()}
    spawn = multiprocessing.get_context("spawn")
    for what in ("counts", "signals", "inputs") if rate == 100 else ("counts", "signals"):
        for batch in BATCHES:
            one = [draw_from(path, what, batch, seed)["rate"] for seed in range(ROUNDS)]
            two = []
            with ProcessPoolExecutor(2, spawn, start_together, [spawn.Barrier(2)]) as pool:
                for seed in range(0, 2 * ROUNDS, 2):
                    parts = [pool.submit(draw_from, path, what, batch, seed + k) for k in range(2)]
                    two.append(sum(part.result()["rate"] for part in parts))
            result[f"{what} {batch}"] = [one, two]
    return result


def cold(folder: Path, n: int) -> Result:
    """Random batches from a store of which the page cache holds nothing."""
    path = folder / f"store-{n}-100"
    os.sync()
    for file in path.glob("signals-*.npy"):
        with file.open("rb") as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return draw_from(str(path), "signals", 256, 0, warm=False)


_together: Any = None


def start_together(barrier: Any) -> None:
    """Has the processes of a pool begin their clocks at the same moment."""
    global _together
    _together = barrier


def copied() -> float:
    """Bytes a second of one process that copies counts in order, from memory and not from a cache."""
    source = np.ones(200_000_000, dtype=np.int16)
    target = np.empty(12_000_000, dtype=np.int16)
    rates = []
    for begin in range(0, len(source) - len(target), len(target)):
        began = time.perf_counter()
        target[:] = source[begin : begin + len(target)]
        rates.append(target.nbytes / (time.perf_counter() - began))
    return statistics.median(rates)


def batches_of(store: Any, what: str) -> tuple[Callable[[Any], Any], int]:
    """What gives a batch of these numbers, and below what they lie: counts, signals or training's inputs."""
    if what != "inputs":
        return getattr(store, what), len(store)
    from leadlight.labels import space
    from leadlight.recipes import load_recipe
    from leadlight.store import select
    from leadlight.training.data import fit_preprocessing, read_batch

    part = select(store, range(1, 9), space(SPACE), n_samples=1000)
    few = replace(part, rows=part.rows[:FITTED], truth=part.truth[:FITTED], known=part.known[:FITTED])
    preprocessing = fit_preprocessing(store, few, load_recipe(RECIPE))
    return lambda chosen: read_batch(store, part, chosen, preprocessing), len(part)


def draw_from(path: str, what: str, batch: int, seed: int, warm: bool = True) -> Result:
    """Random batches for some seconds: records/s, bytes read from disk a record, memory in MiB."""
    from leadlight.store import open_store

    store = open_store(path)
    take, n = batches_of(store, what)
    generator = np.random.default_rng(seed)
    if warm:
        for begin in range(0, len(store), 4096):
            store.counts(slice(begin, begin + 4096))
    store.lengths, take(generator.integers(0, n, batch))
    if _together is not None:
        _together.wait(600)
    read, done, began = bytes_read(), 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS * (1 if warm else 15):
        take(generator.integers(0, n, batch))
        done += batch
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text()
    memory = {key: int(status.partition(f"{key}:")[2].split()[0]) / 1024 for key in ("RssAnon", "RssFile")}
    return {"rate": done / seconds, "read": (bytes_read() - read) / done, **memory}


def larger(folder: Path, n: int) -> Result:
    """Random batches from a store that memory cannot hold: the 500 Hz store's shards, several times."""
    import hashlib

    import pyarrow as pa
    import pyarrow.parquet as pq

    source, out = folder / f"store-{n}-500", folder / "larger"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    description = json.loads((source / "store.json").read_text())
    copies = round(LARGER * memory_bytes() / disk_bytes(source) + 0.5)
    table, shards = pq.read_table(source / "index.parquet"), description["shards"]
    tables, listed = [], []
    for copy in range(copies):
        places = pa.array(table["shard"].to_numpy() + copy * len(shards), type=pa.int32())
        ids = pa.array([f"{one}-{copy}" for one in table["record_id"].to_pylist()])
        part = table.set_column(table.schema.get_field_index("shard"), "shard", places)
        tables.append(part.set_column(part.schema.get_field_index("record_id"), "record_id", ids))
        for number, shard in enumerate(shards):
            name = f"signals-{copy * len(shards) + number:05d}.npy"
            shutil.copyfile(source / shard["file"], out / name)
            listed.append({**shard, "file": name})
    pq.write_table(pa.concat_tables(tables), out / "index.parquet", compression="zstd")
    content = (out / "index.parquet").read_bytes()
    facts = {"file": "index.parquet", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    described = {**description, "records": copies * n, "shards": listed, "index": facts}
    (out / "store.json").write_text(json.dumps(described))
    os.sync()
    return {
        "bytes": disk_bytes(out),
        "records": copies * n,
        **draw_from(str(out), "signals", 256, 0, warm=False),
    }


STAGES: dict[str, Callable[..., Result]] = {
    one.__name__: one for one in (simulate, index, folds, prepare, choose, draw, cold, larger)
}


def timed(work: Callable[[], object]) -> Result:
    """Seconds by the clock, and the peak memory (MiB) of this process and of its largest child."""
    began = time.perf_counter()
    kept = work()  # held until memory is looked at
    seconds = time.perf_counter() - began
    del kept
    return {"seconds": seconds, "peak": peak(), "peak_child": peak(resource.RUSAGE_CHILDREN)}


def peak(who: int = resource.RUSAGE_SELF) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().partition("read_bytes:")[2].split()[0])


def memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def disk_bytes(folder: Path) -> int:
    """Bytes on disk of a folder; a file with several names counts once."""
    text = subprocess.run(["du", "-s", "-B1", str(folder)], capture_output=True, text=True, check=True).stdout
    return int(text.split()[0])


def run(folder: Path, results: Result, stage: str, *arguments: object) -> Result:
    """One stage in a process of its own, unless its result is there."""
    key = " ".join(map(str, (stage, *arguments)))
    if key not in results:
        print(f"{time.strftime('%H:%M:%S')} {key}", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, "--folder", str(folder), "--stage", stage, *map(str, arguments)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        results[key] = json.loads(done.stdout.splitlines()[-1])
        results[key]["load"] = os.getloadavg()[0]
        (folder / "results.json").write_text(json.dumps(results, indent=1))
    return results[key]  # type: ignore[no-any-return]


def measure(folder: Path, sizes: Sequence[int], workers: Sequence[int], with_larger: bool) -> Result:
    """All stages; what a later stage does not need is removed on the way."""
    file = folder / "results.json"
    results: Result = json.loads(file.read_text()) if file.is_file() else {}
    few, most = sizes[0], sizes[-1]
    for n in sizes:
        for stage in ("simulate", "index", "folds"):
            run(folder, results, stage, n)
        for number in workers:
            run(folder, results, "prepare", n, 100, number)
        run(folder, results, "choose", n)
        if n == few:
            run(folder, results, "prepare", n, 100, 2, "ray")
            run(folder, results, "prepare", n, 500, 2)
            run(folder, results, "draw", n, 500)
            if with_larger:
                run(folder, results, "larger", n)
                shutil.rmtree(folder / "larger", ignore_errors=True)
        if n == most:
            run(folder, results, "draw", n, 100)
            run(folder, results, "cold", n)
        for done in (folder / f"data-{n}", *folder.glob(f"store-{n}-*")):
            shutil.rmtree(done, ignore_errors=True)
    return results


def main() -> None:
    """All measurements, as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="Markdown file for the result.")
    parser.add_argument("--folder", type=Path, help="Where to work; kept, so that a run can go on.")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="Records, rising.")
    parser.add_argument("--workers", type=int, nargs="+", default=list(WORKERS), help="2, or 1 and 2.")
    parser.add_argument("--larger", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--stage", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        stage, *arguments = options.stage
        given = [int(one) if one.isdecimal() else one for one in arguments]
        print(json.dumps(STAGES[stage](options.folder, *given)))
        return
    folder = options.folder or Path(tempfile.mkdtemp(prefix="leadlight-scale-"))
    folder.mkdir(parents=True, exist_ok=True)
    if 2 not in options.workers:
        parser.error(
            "--workers: 2 must be among them; the later stages read the store that two have written."
        )
    needed = 80_000 * options.sizes[-1] + (LARGER + 0.1) * memory_bytes() * options.larger
    free = shutil.disk_usage(folder).free
    if free < needed:
        sys.exit(f"{folder}: {free / GB:.0f} GB are free; about {needed / GB:.0f} GB are needed.")
    results = measure(folder, options.sizes, options.workers, options.larger)
    flags = "" if options.larger else " --no-larger"
    for name, default in (("sizes", SIZES), ("workers", WORKERS)):
        if tuple(getattr(options, name)) != default:
            flags += f" --{name} " + " ".join(map(str, getattr(options, name)))
    command = f"python benchmarks/scale.py{flags} --out benchmarks/results/scale.md"
    setting = Setting(
        command, options.sizes, options.workers, SPACE, RECIPE, BATCHES, ROUNDS, SECONDS, memory_bytes()
    )
    text = report(results, setting)
    print(text)
    keep(text, options.out)
    if options.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
