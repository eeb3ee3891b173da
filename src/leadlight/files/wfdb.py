"""WFDB records: from files to a Recording in millivolts, or to the counts as stored."""

# Paths are strings here: making a Path takes as long as parsing a header.

from __future__ import annotations

import os
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import FileFormatError, kind_of
from leadlight.files.header_comments import read_comments
from leadlight.files.wfdb_data import DigitalRecord, physical, read_samples
from leadlight.files.wfdb_header import Header, header_from_file
from leadlight.files.wfdb_segments import read_segments
from leadlight.leads import STANDARD_LEADS, derive_limb_leads
from leadlight.recording import Recording

__all__ = ["DigitalRecord", "Header", "physical", "read_digital", "read_header", "read_wfdb"]

EXTENSIONS = (".hea", ".dat", ".mat")


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read and check a record's header alone. path: with or without .hea, .dat or .mat.

    Raises FileFormatError, which names line and field.
    """
    name = header_path(path)
    try:
        return header_from_file(name)
    except FileFormatError as error:
        if isinstance(error.__cause__, OSError | ValueError) and not isinstance(
            error.__cause__, PermissionError
        ):
            raise _not_found(os.fsdecode(path), name) from None
        raise


def read_digital(path: str | os.PathLike[str]) -> DigitalRecord:
    """Read the counts as stored, int16 or int32 (channels, samples), in the file's order of leads.

    path: with or without .hea, .dat or .mat. Checked as in ``read_wfdb``; ``physical``
    turns the result into millivolts. Raises FileFormatError, also for
    multi-segment records, whose parts may count in different units.
    """
    header = read_header(path)
    if header.segments:
        raise FileFormatError(
            header.path,
            "segments",
            f"a record of {len(header.segments):,} segments",
            "a record without segments, to be read as counts",
            "Read it in millivolts with leadlight.read.",
        )
    return read_samples(header)


def read_wfdb(path: str | os.PathLike[str]) -> Recording:
    """Read a WFDB record. path: with or without .hea, .dat or .mat.

    Returns the leads in Leadlight's order, in float32 millivolts, NaN where a sample
    is missing; III, aVR, aVL and aVF are derived from I and II where they are not in the
    file. What was derived, reordered, missing or odd is in ``notes``; age, sex
    and diagnoses of header comments in ``patient`` and ``statements``.
    Raises FileFormatError: the message names file and field, what was found and
    what is accepted.
    """
    if not isinstance(path, str | bytes | os.PathLike):
        raise FileFormatError("leadlight.read", "path", kind_of(path), "the path of a recording's file")
    header = read_header(path)
    if header.segments:
        signal, leads, header = read_segments(header)
        may_miss = True
    else:
        record = read_samples(header)
        header = record.header
        leads = header.leads
        signal, may_miss = header.table.to_millivolts(record.samples)
    notes = list(header.notes)
    if header.table.without_unit:
        notes.append(
            f"no unit in the header, millivolts by WFDB's rule: {', '.join(header.table.without_unit)}"
        )
    if leads != STANDARD_LEADS:
        signal, leads = _arrange(signal, leads, notes)
    if may_miss:
        notes += _missing(signal, leads)
    patient, statements, comment_notes = read_comments(header.comments)
    return Recording(
        signal,
        leads,
        header.sampling_rate,
        patient=patient,
        statements=statements,
        source=os.fsdecode(path),
        notes=(*notes, *comment_notes),
    )


def _arrange(
    signal: NDArray[np.float32], leads: tuple[str, ...], notes: list[str]
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    signal, arranged, derived = derive_limb_leads(signal, leads)
    if tuple(lead for lead in arranged if lead not in derived) != leads:
        notes.append(f"leads put in order; the file has {', '.join(leads)}")
    if derived:
        notes.append(f"derived from I and II: {', '.join(derived)}")
    return signal, arranged


def _missing(signal: NDArray[np.float32], leads: tuple[str, ...]) -> list[str]:
    counts = np.isnan(signal).sum(axis=1).tolist()
    parts = [f"{lead} {count:,}" for lead, count in zip(leads, counts, strict=True) if count]
    return [f"missing samples: {', '.join(parts)}"] if parts else []


def header_path(path: str | os.PathLike[str]) -> str:
    """Path of the .hea file of the record that a path means, whether or not the path has an extension."""
    name = os.fsdecode(path)
    stem, extension = os.path.splitext(name)
    if extension.lower() not in EXTENSIONS:
        stem = name
    return name if extension.lower() == ".hea" else f"{stem}.hea"


def _not_found(name: str, header: str) -> FileFormatError:
    from difflib import get_close_matches

    if "://" in name:
        return FileFormatError(name, "path", "a URL", "a file on this machine", "Download the record first.")
    if "\0" in name:
        return FileFormatError(header.replace("\0", "?"), "path", "a NUL character", "a path")
    if os.path.isdir(name):
        remedy = "leadlight.files.find_recordings lists the recordings of a folder."
        return FileFormatError(name, "path", "a folder", "one recording", remedy)
    folder, file = os.path.split(header)
    if os.path.isfile(name):
        return FileFormatError(
            name,
            "header",
            f"no {file} beside it",
            "a WFDB record: a header (.hea) and its data (.dat or .mat)",
            "Copy the header beside it.",
        )
    try:
        with os.scandir(folder or ".") as entries:
            names = [entry.name[:-4] for entry in islice(entries, 50_000) if entry.name.endswith(".hea")]
    except OSError:
        return FileFormatError(name, "path", f"no folder {folder}", "an existing file")
    near = get_close_matches(file[:-4], names, n=3)
    remedy = (
        f"Near to it in that folder: {', '.join(near)}."
        if near
        else f"That folder holds {len(names):,} headers."
    )
    return FileFormatError(
        name, "path", f"no file {file}", "a WFDB record, with or without extension", remedy
    )
