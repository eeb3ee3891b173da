"""The recordings of a folder of one's own: found, matched with what a table calls them, and looked into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from leadlight.datasets.folder_labels import RowError
from leadlight.datasets.folder_table import spoiled
from leadlight.errors import DatasetError, FileFormatError, LeadlightError, did_you_mean
from leadlight.files import find_recordings, read
from leadlight.files.header_comments import read_comments
from leadlight.files.wfdb import read_header
from leadlight.recording import Patient, Statement

AS_TEXT = "Format the column as text and write it anew"


class Files:
    """The recordings below a folder, by their paths and names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            found = find_recordings(root)
        except FileFormatError as error:
            raise DatasetError(str(error)) from error
        self.paths: dict[str, str] = {}  # path without extension -> the file's
        self.names: dict[str, list[str]] = {}
        for path in found:
            file = path.relative_to(root).as_posix()
            stem = file.removesuffix(path.suffix)
            stem = file if stem in self.paths else stem
            self.paths[stem] = file
            self.names.setdefault(stem.rpartition("/")[2], []).append(stem)

    def match(self, cell: str) -> str:
        """The record that a path or a name means. Raises RowError with what to do."""
        wanted = cell.replace("\\", "/").removeprefix("./")
        if wanted.startswith("/"):
            root = self.root.resolve().as_posix().rstrip("/") + "/"
            wanted = wanted.removeprefix(root)
        if wanted.startswith("/") or ".." in wanted.split("/") or re.match("[A-Za-z]:/", wanted):
            raise RowError("leads out of the folder; a path within it is needed")
        for stem in (wanted, wanted.rpartition(".")[0]):
            if stem in self.paths and (
                stem == wanted or Path(wanted).suffix.lower() in _extensions(self.paths[stem])
            ):
                return stem
        named = self.names.get(wanted) or self.names.get(wanted.rpartition(".")[0]) or []
        if len(named) == 1 and "/" not in wanted:
            return named[0]
        if len(named) > 1:
            raise RowError(f"several records have this name: {', '.join(named[:3])}; write the path")
        raise RowError(self._no_match(wanted))

    def _no_match(self, wanted: str) -> str:
        how = spoiled(wanted)
        if how:
            return f"no such recording: it looks like {how}. {AS_TEXT}"
        if re.fullmatch(r"\d+(?:\.0+)?", wanted, re.ASCII):
            number = int(wanted.partition(".")[0])
            alike = [name for name in self.names if name.isascii() and name.isdigit() and int(name) == number]
            if alike:
                how = f"{alike[0]} is there: a spreadsheet may have changed it"
                return f"no such recording, but {how}. {AS_TEXT}"
        return f"no such recording.{did_you_mean(wanted, list(self.paths)[:20_000], 0.8)}".rstrip(".")


def _extensions(file: str) -> tuple[str, ...]:
    extension = Path(file).suffix.lower()
    return (".hea", ".dat", ".mat") if extension == ".hea" else (extension,)


@dataclass(frozen=True)
class Seen:
    """What a file itself says, or why it cannot be used."""

    path: str
    sampling_rate: float
    patient: Patient
    statements: tuple[Statement, ...]
    notes: tuple[str, ...]


def look(files: Files, stem: str) -> Seen:
    """Read a file's header, or where there is none, the file. Raises LeadlightError."""
    file = files.paths[stem]
    if not file.lower().endswith(".hea"):
        whole = read(files.root / file)
        return Seen(file, whole.sampling_rate, whole.patient, whole.statements, ())
    header = read_header(files.root / file)
    # A name with a dot would pass for one with an extension.
    path = file if "." in stem.rpartition("/")[2] else stem
    return Seen(path, header.sampling_rate, *read_comments(header.comments))


def reason_of(error: LeadlightError) -> str:
    """Why a file cannot be used, without its path."""
    if isinstance(error, FileFormatError):
        return f"{error.field}: found {error.found}; accepted: {error.accepted}"
    return str(error)
