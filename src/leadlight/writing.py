"""Files that are there whole or not at all, also after a kill or a power cut."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write to: it becomes ``path`` when the block ends well, else it is removed.

    An older file at ``path`` stays until then. After the block the content is on disk.
    A process that is killed inside the block leaves PATH.RANDOM.part behind: a process
    number would not do, since other machines may write to the same folder.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(6)}.part")
    try:
        yield part
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one piece; see ``unfinished``."""
    with unfinished(path) as part:
        part.write_bytes(content)


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed left behind in a folder; only while nobody writes there."""
    for part in folder.glob("*.part"):
        part.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder safe on disk: a rename is not before that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
