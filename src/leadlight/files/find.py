"""Which recordings a list of files and folders means."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from leadlight.errors import FileFormatError
from leadlight.files.wfdb import EXTENSIONS


def find_recordings(paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str]) -> list[Path]:
    """Recordings that files and folders mean, each once, sorted; for ``read``.

    paths: one path or several; a folder means every record below it (hidden folders
    and links to folders are not entered), by the path of its .hea file. The parts of a
    multi-segment record are not listed beside it. A path that is no folder is passed
    on, whether or not it exists, so that ``read`` can say what is wrong with it.
    Raises FileFormatError for a folder without recordings.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    found: dict[str, Path] = {}
    for given in paths:
        path = Path(given)
        if not path.is_dir():
            found.setdefault(_record(path), path)
            continue
        headers = _headers_below(path)
        if not headers:
            remedy = "Leadlight reads WFDB records: a header (.hea) beside its data (.dat or .mat)."
            raise FileFormatError(path, "content", "no recordings", "a folder with WFDB headers", remedy)
        for header in headers:
            found.setdefault(_record(header), header)
    return sorted(found.values(), key=str)


def _record(path: Path) -> str:
    name = str(path.absolute())
    return name[:-4] if name[-4:].lower() in EXTENSIONS else name


def _headers_below(folder: Path) -> list[Path]:
    headers = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names = {name for name in files if not name.startswith(".")}
        stems = {name[:-4] for name in names if name.endswith(".hea")}
        parts: set[str] = set()
        for stem in stems:
            # Multi-segment records have no data file of their own name: only then is a look inside worth it.
            if f"{stem}.dat" not in names and f"{stem}.mat" not in names:
                parts |= _segments(Path(place, f"{stem}.hea"))
        headers += [Path(place, f"{stem}.hea") for stem in stems - parts]
    return headers


def _segments(header: Path) -> set[str]:
    """Names of the segments of a multi-segment header; none for any other, or one that cannot be read."""
    try:
        with header.open("rb") as file:
            text = file.read(256 * 1024).decode("latin-1")
    except OSError:
        return set()
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or "/" not in lines[0][0]:
        return set()
    return {line[0] for line in lines[1:]} - {header.stem}
