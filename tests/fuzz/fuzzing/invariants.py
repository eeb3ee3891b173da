"""What must hold of everything that a reader accepts, worked out without the reader's own code."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

_RECORD_LINE = re.compile(rb"\s*(\S+)[ \t]+(\d+)[ \t]+([0-9.eE+]+)\S*[ \t]+(\d+)\b")
_LIMB = {"III", "aVR", "aVL", "aVF"}


class Broken(AssertionError):
    """An accepted input of which something does not hold."""


def demand(holds: object, what: str) -> None:
    """Raise Broken unless it holds. Plain ``assert`` would vanish under ``python -O``."""
    if not holds:
        raise Broken(what)


def text_is_plain(text: str, what: str) -> None:
    """Text that ends up in a terminal, a file, a log: bounded, and writable as UTF-8."""
    demand(text, f"{what} is empty")
    demand(len(text) <= 8_000, f"{what} has {len(text):,} characters")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Broken(f"{what} cannot be written as UTF-8") from None


def recording(found: Any, *, stored: bool = False) -> None:
    """Shape, rate, values, names and words of a Recording; stored: without those that a store's index has.

    A store's index was checked when it was written, and its SHA-256 guards it: other values under a
    right one are taken as they are.
    """
    demand(found.signal.dtype == np.float32, "signal is not float32")
    demand(found.signal.shape == (len(found.leads), found.n_samples), "shape is not (leads, samples)")
    demand(found.n_samples >= 1 and len(found.leads) >= 1, "no samples or no leads")
    demand(len(set(found.leads)) == len(found.leads), "a lead stands twice")
    demand(not np.isinf(found.signal).any(), "infinite samples")
    demand(math.isfinite(found.sampling_rate) and found.sampling_rate > 0, "rate is not positive")
    if stored:
        return
    patient(found.patient.age, found.patient.sex)
    statements(found.statements)
    for note in found.notes:
        text_is_plain(note, "a note")


def as_header_states(found: Any, folder: Path, entry: str) -> None:
    """Samples, leads and rate of a WFDB record against its header's first line, read by a line of our own."""
    content = (folder / f"{entry}.hea").read_bytes()
    plain = [line for line in content.split(b"\n") if line.strip() and not line.strip().startswith(b"#")]
    match = _RECORD_LINE.match(plain[0])
    if match is None or not content.isascii():
        return
    leads, rate, frames = int(match[2]), float(match[3]), int(match[4])
    per_frame = round(found.sampling_rate / rate)
    demand(math.isclose(found.sampling_rate, rate * per_frame, rel_tol=1e-6), "rate is not the header's")
    if frames:
        demand(
            found.n_samples == frames * per_frame, f"{found.n_samples} samples, the header states {frames}"
        )
    derived = len(found.leads) - leads
    demand(0 <= derived <= 4, f"{len(found.leads)} leads, the header states {leads}")
    demand(not derived or {"I", "II"} <= set(found.leads), "derived leads without I and II")
    if b"/" not in match[1]:
        # Packed most tightly, a sample takes a byte.
        files = {line.split()[0].decode() for line in plain[1:]}
        held = sum((folder / Path(entry).parent / name).stat().st_size for name in files)
        demand(leads * frames * per_frame <= held, "more samples than the files have bytes")


def patient(age: float | None, sex: str | None) -> None:
    """Age in years and sex, or None."""
    demand(age is None or (math.isfinite(age) and 0 <= age <= 130), "age cannot be")
    demand(sex in (None, "male", "female"), "sex is neither")


def statements(found: Iterable[Any]) -> None:
    """Codes and likelihoods of statements."""
    for one in found:
        demand(one.code and one.system, "a statement without code or system")
        demand(len(one.code) <= 4_000, "a code without end")
        demand(one.likelihood is None or 0 <= one.likelihood <= 100, "a likelihood outside 0 to 100")


def index(found: Any, root: Path, allowed: Path | None = None) -> None:
    """Ids, paths, folds, patients and words of a DatasetIndex."""
    demand(len(found) >= 1, "an index without records")
    demand(len({one.record_id for one in found.entries}) == len(found), "a record id stands twice")
    real = os.path.realpath(allowed or root)
    fold_of: dict[str, int | None] = {}
    copies: dict[str, int | None] = {}
    for one in found.entries:
        demand(one.record_id and one.patient_id and one.path, "a record without id, patient or path")
        text_is_plain(one.record_id, "a record id")
        text_is_plain(one.patient_id, "a patient id")
        place = os.path.realpath(root / one.path)
        demand(
            not Path(one.path).is_absolute() and os.path.commonpath((real, place)) == real,
            "a path leaves the folder",
        )
        demand(math.isfinite(one.file_sampling_rate) and one.file_sampling_rate > 0, "rate is not positive")
        demand(one.fold is None or (type(one.fold) is int and 1 <= one.fold <= 10), "fold is not 1 to 10")
        demand(fold_of.setdefault(one.patient_id, one.fold) == one.fold, "a patient in two folds")
        demand(not one.same_as or copies.setdefault(one.same_as, one.fold) == one.fold, "copies in two folds")
        demand(one.number is None or one.number >= 0, "a row below 0")
        patient(one.age, one.sex)
        statements(one.statements)
        demand(
            set(one.columns) <= set(found.columns) or not found.columns,
            "a column that the index does not name",
        )
        for name, value in one.columns.items():
            if found.columns.get(name) == "number":
                demand(
                    value is None or (type(value) in (int, float) and math.isfinite(value)),
                    f"{name} is no number",
                )
    for aside in found.set_aside:
        text_is_plain(aside.record_id, "the name of a record set aside")
        text_is_plain(aside.reason, "a reason")
    for note in found.notes:
        text_is_plain(note, "a note of the index")


def store(found: Any) -> None:
    """Everything that can be taken out of a store, against its description."""
    size = len(found)
    demand(
        size >= 0 and math.isfinite(found.sampling_rate) and found.sampling_rate > 0,
        "records or rate cannot be",
    )
    demand(len(set(found.leads)) == len(found.leads) >= 1, "leads missing or twice")
    demand(all(isinstance(lead, str) for lead in found.leads), "a lead that is no name")
    demand(len(found.index) == size and found.lengths.shape == (size,), "another number of rows than records")
    demand(found.missing_samples.shape == (size,), "another number of rows than records")
    said = found.statements(slice(None))
    demand(len(said) == size, "statements of another number of records")
    for row in range(min(size, 6)):
        signal = found.signals([row])
        demand(signal.dtype == np.float32, "signal is not float32")
        demand(signal.shape == (1, len(found.leads), found.lengths[row]), "shape is not (1, leads, samples)")
        demand(found.lengths[row] >= 1 and not np.isinf(signal).any(), "empty or infinite signal")
        demand(said[row] == found.recording(row).statements, "statements of another record")
        recording(found.recording(row), stored=True)
