"""Unpack the ZIP archives in which a data set comes: only inside its folder, only as large as promised."""

from __future__ import annotations

import errno
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from leadlight.errors import DatasetError
from leadlight.writing import unfinished

LARGEST_RATIO = 1000
"""Unpacked bytes to packed ones; deflate cannot do more than about 1,032."""
_NOT_THE_ARCHIVE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EIO,
    errno.ENOENT,
)
"""What the system says of the disk, not of the archive: passed on as it is."""

_SAID_OF_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    LookupError,
    ValueError,
    OSError,
)
"""OSError: a seek before the file's start, a name that no file can have."""
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What publishers use. An LZMA stream may ask for 4 GB before it gives a byte."""


def unpack(archive: Path, folder: Path, free_bytes: int | None = None) -> list[Path]:
    """Unpack an archive into a folder; returns the files. Those that are there in the right size stay.

    free_bytes: of the disk, None to ask. Raises DatasetError for what is no ZIP archive, a
    name that leaves the folder, a link, a compression other than deflate, a size that does not fit
    the archive or the disk.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [one for one in packed.infolist() if not one.is_dir()]
            for one in members:
                _refuse_unsafe(archive, one)
            needed = sum(one.file_size for one in members)
            free = shutil.disk_usage(folder).free if free_bytes is None else free_bytes
            if needed > free:
                raise DatasetError(
                    f"{archive}: unpacks to {needed:,} bytes; {free:,} are free on the disk of {folder}. "
                    "Make room and run the same command again."
                )
            files = []
            for one in members:
                target = folder / one.filename
                files.append(target)
                if target.is_file() and target.stat().st_size == one.file_size:
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(one) as source, unfinished(target) as part, part.open("wb") as stream:
                    shutil.copyfileobj(source, stream, 1 << 20)
            return files
    except _SAID_OF_DAMAGE as error:
        if isinstance(error, OSError) and error.errno in _NOT_THE_ARCHIVE:
            raise
        raise DatasetError(
            f"{archive}: cannot be unpacked ({str(error)[:300]}); remove it and run the same command again."
        ) from None


def _refuse_unsafe(archive: Path, one: zipfile.ZipInfo) -> None:
    path = PurePosixPath(one.filename)
    is_link = stat.S_ISLNK(one.external_attr >> 16)
    if (
        path.is_absolute()
        or ".." in path.parts
        or "\\" in one.filename
        or ":" in one.filename
        or not path.parts
        or is_link
    ):
        raise DatasetError(f"{archive}: holds a name or a link that leaves the folder; nothing was unpacked.")
    if one.compress_type not in _COMPRESSIONS:
        raise DatasetError(
            f"{archive}, {one.filename[:100]}: found compression {one.compress_type}; accepted: deflate "
            "or none, as data sets are published. Unpack the archive yourself."
        )
    if one.file_size > LARGEST_RATIO * max(one.compress_size, 1) + (1 << 20):
        raise DatasetError(f"{archive}, {one.filename}: claims {one.file_size:,} bytes; refused.")
