"""Damaged files are refused with documented errors or read right: some of what benchmarks/fuzz.py tries."""

from __future__ import annotations

import mmap
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from fuzzing import judging
from fuzzing.judging import Bench
from fuzzing.originals import Case
from fuzzing.targets import TARGETS, Target
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadlight.errors import DatasetError, LeadlightError

INPUTS = 25
UNSUPPORTED = {"wfdb-formats": 3, "archives": 2}
"""Whole files in compressed formats that are refused."""


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_are_refused_in_words_or_read_right(name, tmp_path, whole_files):
    bench = Bench(name, tmp_path, seed=1, real=whole_files)
    whole = [one for one in bench.check_originals() if one.verdict != "accepted"]
    assert len(whole) == UNSUPPORTED.get(name, 0), whole
    verdicts = [bench.read(number) for number in range(INPUTS)]
    assert [one for one in verdicts if one.verdict == "failed"] == []


@pytest.mark.parametrize(
    "name", ["ptb-xl", "mimic-iv-ecg", "code-15", "folder", "splits", "listings", "recipe"]
)
def test_any_bytes_in_the_place_of_a_table_are_refused_or_read(name, tmp_path):
    target = TARGETS[name]
    bench = Bench(name, tmp_path, seed=1, real=None)
    file = bench.cases[0].damageable[0][0]
    lines = [line for case in bench.cases for line in case.files.get(file, b"").split(b"\n")[:3]]
    pieces = st.lists(st.sampled_from([*lines, b"\n", b",", b'"', b"\0", b"\xff"]) | st.binary(max_size=30))

    @given(content=st.binary(max_size=300) | pieces.map(b"\n".join))
    @settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def read(content: bytes) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                target.read(bench._lay(0, {file: content}), bench.cases[0].entry)
            except target.errors as refusal:
                assert str(refusal)

    read()


def test_the_same_seed_and_number_make_the_same_damage(tmp_path):
    first, second = (Bench("splits", tmp_path, seed, None) for seed in (5, 5))
    assert [first.damage(n)[:2] for n in range(50)] == [second.damage(n)[:2] for n in range(50)]
    other = Bench("splits", tmp_path, 6, None)
    assert [first.damage(n)[:2] for n in range(50)] != [other.damage(n)[:2] for n in range(50)]


def test_nearly_every_input_is_damaged(tmp_path):
    bench = Bench("splits", tmp_path, 1, None)
    changed = 0
    for number in range(300):
        at, files, _ = bench.damage(number)
        changed += any(bench.cases[at].files[name] != content for name, content in files.items())
    assert changed > 270


def _judged(tmp_path: Path, read, **changed: object) -> judging.Verdict:
    target = Target(
        "made", "", lambda _: [Case("x", {"x": b"abc"}, (("x", "text", 1),))], read, (DatasetError,)
    )
    return Bench(replace(target, **changed), tmp_path, 1, None).read(0)


def _raise(error: BaseException):
    def read(folder: Path, entry: str) -> None:
        raise error

    return read


def test_the_judge_tells_documented_errors_from_faults(tmp_path):
    assert _judged(tmp_path, lambda folder, entry: None).verdict == "accepted"
    assert _judged(tmp_path, _raise(DatasetError("x: found y; accepted: z."))).verdict == "refused"
    for error in (LeadlightError("other kind"), ValueError("x"), MemoryError(), RecursionError("deep")):
        assert _judged(tmp_path, _raise(error)).verdict == "failed"
    long = DatasetError("x")
    long.args = ("x" * 10_000,)
    assert "10,000 characters" in _judged(tmp_path, _raise(long)).message
    assert _judged(tmp_path, _raise(DatasetError("\udc80"))).verdict == "failed"


def test_the_judge_sees_warnings_time_and_memory(tmp_path, monkeypatch):
    def warn(folder: Path, entry: str) -> None:
        warnings.warn("overflow", RuntimeWarning, stacklevel=1)

    def wait(folder: Path, entry: str) -> None:
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass

    def fill(folder: Path, entry: str) -> None:
        # Fresh pages: what another test freed may still belong to the process.
        with mmap.mmap(-1, 80_000_000) as pages:
            for place in range(0, len(pages), mmap.PAGESIZE):
                pages[place] = 1

    assert _judged(tmp_path, warn).error == "RuntimeWarning"
    monkeypatch.setattr(judging, "CPU_SECONDS", 0.03)
    assert "processor time" in _judged(tmp_path, wait).message
    monkeypatch.setattr(judging, "CPU_SECONDS", 10)
    monkeypatch.setattr(judging, "MEGABYTES", 40)
    if judging._memory():
        assert "MB" in _judged(tmp_path, fill).message
