"""Write a Recording as a WFDB record: format 16, one data file, one microvolt a count where that fits."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import FileFormatError, kind_of
from leadlight.files.header_comments import write_comments
from leadlight.files.wfdb_lines import HIGHEST_RATE, MOST_LEADS
from leadlight.leads import canonical_lead
from leadlight.recording import Recording

GAINS = (1000, 500, 200, 100, 50, 20, 10, 5, 2, 1)
"""Counts per millivolt, the finest first; a lead gets the first that holds its amplitude."""
LARGEST_COUNT = 32_767
MISSING = -32_768

_NAME = re.compile(r"[A-Za-z0-9_\-]{1,200}")


def write_wfdb(
    recording: Recording, path: str | os.PathLike[str], *, lead_names: Mapping[str, str] | None = None
) -> Path:
    """Write NAME.hea and NAME.dat. path: NAME, with or without .hea or .dat; its folder must exist.

    One microvolt a count; a lead beyond 32.767 mV gets a coarser gain of its own.
    Missing samples are written as -32768. Age, sex, patient id and diagnoses
    (SNOMED CT and text) go into comments as the PhysioNet Challenges write them;
    statements of other systems and ``notes`` have no place in the format.
    lead_names: spellings for the header, such as {"aVR": "AVR"}, where another software wants them.
    Each file appears whole or not at all. Returns the path of the header.
    Raises FileFormatError for what the format cannot hold.
    """
    if not isinstance(recording, Recording):
        raise FileFormatError("leadlight.write", "recording", kind_of(recording), "a Recording")
    if not isinstance(path, str | os.PathLike):
        raise FileFormatError("leadlight.write", "path", kind_of(path), "the path of a file to write")
    target = Path(path)
    if target.suffix.lower() in (".hea", ".dat"):
        target = target.with_suffix("")
    name = target.name
    if not _NAME.fullmatch(name):
        accepted = "letters, digits, _ and - in a record's name"
        raise FileFormatError(target, "record name", repr(name), accepted, "Choose another name.")
    n_leads, n_samples = recording.signal.shape
    if not (1 <= n_leads <= MOST_LEADS and n_samples >= 1 and recording.sampling_rate <= HIGHEST_RATE):
        found = f"{n_leads} leads, {n_samples} samples, {recording.sampling_rate:g} Hz"
        limits = f"1 to {MOST_LEADS} leads, at least one sample, at most {HIGHEST_RATE:,.0f} Hz"
        raise FileFormatError(target, "recording", found, limits)
    gains = [_gain(target, lead, row) for lead, row in zip(recording.leads, recording.signal, strict=True)]
    counts = np.rint(recording.signal.astype(np.float64) * np.array(gains)[:, None])
    samples = np.where(np.isnan(counts), MISSING, counts).astype("<i2")
    sums = samples.sum(axis=1, dtype=np.int64) & 0xFFFF
    spelling = lead_names or {}
    lines = [f"{name} {n_leads} {_rate(recording.sampling_rate)} {n_samples}"]
    for lead, gain, first, checksum in zip(recording.leads, gains, samples[:, 0], sums, strict=True):
        written = spelling.get(lead, lead)
        if canonical_lead(written) != lead or not written.isprintable():
            raise FileFormatError(target, "lead name", repr(written), f"a spelling of {lead}")
        lines.append(f"{name}.dat 16 {gain}.0(0)/mV 16 0 {first} {checksum} 0 {written}")
    lines += [f"# {comment}" for comment in write_comments(recording.patient, recording.statements)]
    try:
        _write_whole(target.with_name(f"{name}.dat"), np.ascontiguousarray(samples.T).tobytes())
        return _write_whole(target.with_name(f"{name}.hea"), ("\n".join(lines) + "\n").encode())
    except OSError as error:
        reason = (error.strerror or "not writable").lower()
        raise FileFormatError(target, "file", reason, "an existing folder that can be written to") from error


def _gain(target: Path, lead: str, row: NDArray[np.float32]) -> int:
    finite = row[~np.isnan(row)]
    highest = float(np.abs(finite).max()) if finite.size else 0.0
    for gain in GAINS:
        if highest * gain < LARGEST_COUNT + 0.5:
            return gain
    raise FileFormatError(
        target, f"lead {lead}, amplitude", f"{highest:g} mV", f"at most {LARGEST_COUNT:,} mV"
    )


def _rate(rate: float) -> str:
    # WFDB's reader knows no exponents.
    return f"{rate:.10f}".rstrip("0").rstrip(".")


def _write_whole(path: Path, content: bytes) -> Path:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path
