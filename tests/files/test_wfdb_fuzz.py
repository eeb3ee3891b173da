"""Damaged records: they are read or refused in words, at once and in little memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import leadlight as ll
from leadlight.errors import FileFormatError

SECONDS = 1.0
BYTES = 64 * 1024 * 1024

# fmt: off
TOKENS = (
    "0", "1", "-1", "2", "12", "64", "65", "99999999999999999999", "2147483648", "-32769", "1e308",
    "1e-308", "nan", "inf", "", " ", "\t", "\n", "#", "/", "rec1/2", "rec1/99999999", "~", "~ 67000000",
    "..", "../rec1.dat", "/etc/passwd", "https://physionet.org/rec1", "rec1", "rec1.dat", "rec1.hea",
    "two", "16", "8", "24", "32", "61", "80", "160", "212", "310", "311", "508", "16x2", "16x9999",
    "16:3", "16:999999", "16+24", "16+999999999999", "0/mV", "1000(0)/", "1000/uV", "200",
    "1000(-2147483648)/V", "\0", "é", "\x85", "\u2028", "٣", "I", "V1", "PLETH", "#Age: 300", "#Dx: ,,",
)
# fmt: on


@st.composite
def damages(draw: st.DrawFn) -> list[tuple[str, float, object]]:
    """Up to four changes, each a kind, a place from 0 to 1, and what to put there."""
    kinds = st.sampled_from(["word", "byte", "delete", "double", "swap", "cut"])
    change = st.tuples(kinds, st.floats(0, 1), st.one_of(st.sampled_from(TOKENS), st.integers(0, 255)))
    return draw(st.lists(change, min_size=1, max_size=4))


def damage(content: bytes, changes: list[tuple[str, float, object]]) -> bytes:
    for kind, place, value in changes:
        new = value.encode() if isinstance(value, str) else bytes([value])  # type: ignore[list-item]
        lines = content.split(b"\n")
        line = min(int(place * len(lines)), len(lines) - 1)
        at = int(place * len(content))
        if kind == "word":
            words = lines[line].split(b" ")
            words[int(place * 7919) % len(words)] = new
            lines[line] = b" ".join(words)
            content = b"\n".join(lines)
        elif kind == "byte":
            content = content[:at] + new + content[at + 1 :]
        elif kind == "delete":
            content = b"\n".join(lines[:line] + lines[line + 1 :])
        elif kind == "double":
            content = b"\n".join(lines[: line + 1] + lines[line:])
        elif kind == "swap":
            content = b"\n".join(lines[line:] + lines[:line])
        else:
            content = content[:at]
    return content


@pytest.fixture(params=[16, "mat", 8, 212, 310, 24, "segments"])
def record(request, write_record, tmp_path: Path) -> dict[Path, bytes]:
    """The files of a small record and what stands in them, whole."""
    counts = np.random.default_rng(7).integers(-60, 60, size=(12, 50))
    comments = ["#Age: 59", "#Sex: Male", "#Dx: 426783006"]
    if request.param == "segments":
        write_record(counts, name="two", comments=comments)
        (tmp_path / "rec1.hea").write_text("rec1/3 12 500 120\ntwo 50\n~ 20\ntwo 50\n#Age: 59\n")
    elif request.param == "mat":
        write_record(counts, extension="mat", modifier="+24", offset=24, comments=comments)
    else:
        write_record(counts, storage=request.param, comments=comments)
    return {path: path.read_bytes() for path in sorted(tmp_path.iterdir()) if path.stem != "first"}


@pytest.fixture(autouse=True)
def _wfdb_is_imported(write_record) -> None:
    """Some of ``wfdb`` is imported when it first reads: no example shall wait for it."""
    ll.read(write_record(np.zeros((1, 2), dtype=int), ("I",), name="first", storage=212))


@given(changes=damages(), which=st.integers(0, 3))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_records_are_read_or_refused(record, changes, which):
    paths = list(record)
    for path, content in record.items():
        path.write_bytes(content)
    # Headers are damaged more often than data: nearly any change of data breaks a checksum.
    headers = [path for path in paths if path.suffix == ".hea"]
    target = paths[0] if which == 0 else headers[which % len(headers)]
    target.write_bytes(damage(record[target], changes))
    tracemalloc.start()
    began = time.process_time()  # others may be busy on the same machine
    try:
        recording = ll.read(target.parent / "rec1")
    except FileFormatError as error:
        assert error.file and error.field and error.found and error.accepted
    else:
        assert recording.n_samples >= 1
        assert recording.signal.shape == (len(recording.leads), recording.n_samples)
        assert 0 < recording.sampling_rate <= 20_000
        assert not np.isinf(recording.signal).any()
    seconds = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < SECONDS
    assert peak < BYTES


@given(content=st.binary(max_size=400))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_the_place_of_a_header_are_refused(tmp_path, content):
    (tmp_path / "rec1.hea").write_bytes(content)
    with pytest.raises(FileFormatError):
        ll.read(tmp_path / "rec1")


@given(text=st.text(alphabet="rec1.dathIV/0 59~#\n\t-+x:()mVu", max_size=200))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_of_a_headers_letters_is_refused_or_read(tmp_path, text):
    (tmp_path / "rec1.dat").write_bytes(bytes(40))
    (tmp_path / "rec1.hea").write_text("rec1 1 500\n" + text)
    try:
        assert ll.read(tmp_path / "rec1").n_samples >= 1
    except FileFormatError as error:
        assert error.field
