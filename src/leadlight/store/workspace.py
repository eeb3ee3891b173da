"""The folder in which a store grows: one writer at a time, kept after a kill, renamed when whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from leadlight.datasets import DatasetIndex, RecordEntry
from leadlight.errors import StoreError
from leadlight.recording import Statement
from leadlight.signal.resample import DESCRIPTION as RESAMPLING
from leadlight.store import layout
from leadlight.store.shards import remove_notes
from leadlight.writing import sync_folder, write_whole

_LOCK_FILE = "lock"
_REPLACED = "replaced"


@dataclass(frozen=True)
class Request:
    """What decides the content of a store: two equal requests make the same store.

    entries: SHA-256 over the index; files: over size and time of change of each record's files.
    """

    dataset: str
    dataset_version: str
    sampling_rate: float
    schema_version: int
    resampling: str
    entries: str
    files: str

    def differences(self, other: dict[str, Any]) -> list[str]:
        """In words, how a store that was made for another request differs."""
        settings = [
            f"{key.replace('_', ' ')}: {other.get(key)} where {value} is asked for"
            for key, value in asdict(self).items()
            if key not in ("entries", "files") and other.get(key) != value
        ]
        if settings:  # the rest follows from these
            return settings
        if other.get("entries") != self.entries:
            return ["the records, or what is said of them"]
        return ["size or time of change of the records' files"] if other.get("files") != self.files else []

    @property
    def fingerprint(self) -> str:
        """A short name of this request."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def request_of(index: DatasetIndex) -> Request:
    """The request that an index makes."""
    return Request(
        dataset=index.dataset,
        dataset_version=index.version,
        sampling_rate=float(index.sampling_rate),
        schema_version=layout.SCHEMA_VERSION,
        resampling=RESAMPLING,
        entries=_digest_of_entries(index),
        files=_digest_of_files(index),
    )


def _digest_of_entries(index: DatasetIndex) -> str:
    digest = hashlib.sha256()
    values = attrgetter(*(one.name for one in fields(RecordEntry) if one.name != "statements"))
    # Statements repeat: their words are found once. Tuples of plain values are put into words
    # by C, a dataclass's repr is not: that would take a minute for 800,000 records.
    words: dict[Statement, str] = {}
    for entry in index.entries:
        digest.update(repr(values(entry)).encode())
        for one in entry.statements:
            if one not in words:
                words[one] = repr(one)
            digest.update(words[one].encode())
        digest.update(b"\n")
    for item in (*index.set_aside, *index.notes, index.label_columns, *index.columns.items()):
        digest.update(f"{item!r}\n".encode())
    return digest.hexdigest()


def _digest_of_files(index: DatasetIndex) -> str:
    """SHA-256 over size and time of change of each record's files."""
    digest = hashlib.sha256()
    root = os.fspath(index.root)
    before = ""
    for entry in index.entries:
        if entry.number is not None and entry.path == before:
            continue  # the file that the entry before it lies in
        before = entry.path
        digest.update(_state(f"{root}/{entry.path}").encode())
    return digest.hexdigest()


def _state(record: str) -> str:
    states: list[str] = []
    for extension in (".hea", ".dat", ".mat", ""):
        if len(states) == 2:
            break
        try:
            status = os.stat(record + extension)  # noqa: PTH116  (called for every file of a data set)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            states.append(f"{extension} {status.st_size} {status.st_mtime_ns}")
    return "; ".join(states) + "\n"


def check_target(out: Path, request: Request, overwrite: bool) -> bool:
    """Whether OUT already is the store that is asked for.

    Raises StoreError for anything else that stands in the way.
    """
    if not out.exists():
        return False
    if not layout.is_store(out):
        if out.is_dir() and not any(out.iterdir()):
            return False
        raise StoreError(
            f"{out}: found a {'folder' if out.is_dir() else 'file'} that is not a prepared store; "
            "accepted: a new name, an empty folder or a store. It is left untouched: choose another --out."
        )
    if overwrite:
        return False
    differences = request.differences(layout.read_description(out)["request"])
    if differences:
        raise StoreError(
            f"{out}: found another store here; it differs in {'; '.join(differences)}. "
            "Add --overwrite to replace it, or choose another --out."
        )
    return True


@contextmanager
def locked_workspace(out: Path, request: Request) -> Iterator[Path]:
    """The workspace beside OUT, for one writer, with what an earlier one finished for the same request.

    Raises StoreError while another process writes to the same target. The lock
    ends with the process, whatever ends it.
    """
    folder = layout.workspace_of(out)
    with _lock(folder, out):
        file = folder / layout.REQUEST_FILE
        try:
            before = json.loads(file.read_bytes())
        except (FileNotFoundError, ValueError):
            before = None
        for claim in folder.glob(f"{layout.CLAIM}*"):
            claim.unlink()  # of a writer that has died
        if before != asdict(request):
            _empty(folder)
            write_whole(file, json.dumps(asdict(request), indent=1).encode())
        yield folder


@contextmanager
def _lock(folder: Path, out: Path) -> Iterator[None]:
    import fcntl

    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            stream = (folder / _LOCK_FILE).open("a")
        except FileNotFoundError:
            continue  # the other writer has just renamed the folder
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreError(
                    f"{out}: another process is preparing this store; accepted: one at a time. "
                    "Wait for it, or choose another --out."
                ) from error
            try:
                is_still_ours = os.path.samestat(os.fstat(stream.fileno()), (folder / _LOCK_FILE).stat())
            except FileNotFoundError:
                is_still_ours = False
            if is_still_ours:
                yield
                return


def _empty(folder: Path) -> None:
    for child in folder.iterdir():
        if child.name == _LOCK_FILE:
            continue
        shutil.rmtree(child) if child.is_dir() else child.unlink()


def discard(folder: Path) -> None:
    """Remove a workspace that is no longer needed."""
    shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, out: Path) -> None:
    """Rename a workspace with a whole store to its target.

    An old store there moves into the new one, to be removed when that is in place.
    """
    remove_notes(folder)
    if layout.is_store(out):
        out.rename(folder / _REPLACED)
    folder.rename(out)
    sync_folder(out.parent)
    tidy(out)


def tidy(out: Path) -> None:
    """Remove from a store what a writer keeps there up to the end, and leaves when it is killed."""
    discard(out / _REPLACED)
    (out / layout.REQUEST_FILE).unlink(missing_ok=True)
    (out / _LOCK_FILE).unlink(missing_ok=True)
