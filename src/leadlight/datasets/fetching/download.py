"""Bring one file: in pieces, going on where it was cut off, checked against its checksum."""

from __future__ import annotations

import hashlib
import json
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.datasets.fetching.listing import ListedFile
from leadlight.errors import DatasetError

if TYPE_CHECKING:
    import httpx

ATTEMPTS = 6
"""Without one byte gained, before a file is given up."""
WRONG_BYTES = 3
"""Times that a whole file may arrive with another checksum before it is given up."""
LARGEST_WAIT = 60.0
"""Seconds between two attempts, also where the server asks for more."""
LARGEST_FILE_BYTES = 64 << 30
"""Of a file whose size is not published."""
_PIECE = 1 << 18
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class NotFetchedError(DatasetError):
    """A file that could not be had; the message is the reason."""


@dataclass
class Patience:
    """How long to wait between attempts: ``first`` seconds, doubling, with chance, up to a minute."""

    first: float = 1.0

    def seconds(self, attempt: int, asked: float | None = None) -> float:
        """asked: what the server's Retry-After says."""
        if asked is not None:
            return min(asked, LARGEST_WAIT)
        # Chance keeps the connections from coming back all at once.
        return min(self.first * 2.0 ** (attempt - 1), LARGEST_WAIT) * random.uniform(0.5, 1.0)


def download(
    client: httpx.Client,
    file: ListedFile,
    target: Path,
    on_bytes: Callable[[int], None],
    stop: threading.Event,
    patience: Patience,
) -> int:
    """Bring a file to ``target`` whole and right; returns its size in bytes.

    What arrives is kept in TARGET.part across interruptions and asked for no second
    time where the server can send ranges; TARGET.part.json knows which version of the
    file the part belongs to. on_bytes: told of each piece, negative when a part is
    thrown away. Raises NotFetchedError with the reason when the server says no, after six
    attempts without a new byte, or after three arrivals with another checksum.
    """
    import httpx

    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    failures = wrong = 0
    while True:
        before = _size(part)
        asked: float | None = None
        try:
            _receive(client, file, part, on_bytes, stop)
            size = _size(part)
            if file.size is not None and size != file.size:
                why = f"{size:,} bytes arrived where {file.size:,} are listed"
            elif file.algorithm and (found := file_checksum(part, file.algorithm)) != file.checksum:
                why = f"arrived with another checksum ({file.algorithm} {found[:12]}... where " \
                      f"{file.checksum[:12]}... is published)"  # fmt: skip
            else:
                _finish(part, target)
                return size
            wrong += 1
            on_bytes(-size)
            _discard(part)
            if wrong >= WRONG_BYTES:
                raise NotFetchedError(f"{file.path}: {why}, {wrong} times")
            continue
        except _Refused as refused:
            if refused.status not in _PASSING:
                raise NotFetchedError(f"{file.path}: {refused}") from None
            why, asked = str(refused), refused.retry_after
        except httpx.TooManyRedirects:
            raise NotFetchedError(f"{file.path}: redirected too often") from None
        except httpx.TransportError as error:
            why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if stop.is_set():
            raise NotFetchedError(f"{file.path}: stopped")
        failures = 1 if _size(part) > before else failures + 1
        if failures >= ATTEMPTS:
            raise NotFetchedError(f"{file.path}: {why}, {failures} times without a new byte")
        stop.wait(patience.seconds(failures, asked))
        if stop.is_set():
            raise NotFetchedError(f"{file.path}: stopped")


def _receive(
    client: httpx.Client, file: ListedFile, part: Path, on_bytes: Callable[[int], None], stop: threading.Event
) -> None:
    """Receive the rest of a file behind what is already there."""
    import httpx

    have = _size(part)
    validator = _validator_of(part) if have else None
    if have and validator is None and not file.algorithm:
        # Nothing says that the rest would belong to the same version.
        on_bytes(-have)
        _discard(part)
        have = 0
    # Ranges count bytes as they are sent: compressed on the way they would be others.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if validator:
            headers["If-Range"] = validator
    with client.stream("GET", file.url, headers=headers) as response:
        if response.status_code == 416:
            # The part is whole already, or longer than the file is now.
            length = response.headers.get("Content-Range", "").rpartition("/")[2]
            if length == str(have):
                return
            on_bytes(-have)
            _discard(part)
            raise httpx.ReadError("the part on disk was longer than the file")
        if response.status_code not in (200, 206):
            raise _Refused(response)
        start = 0
        if response.status_code == 206:
            start = _range_start(response.headers.get("Content-Range", ""))
            if start != have:
                raise httpx.RemoteProtocolError(f"the server sent another range than bytes {have}-")
        elif have:
            on_bytes(-have)  # no ranges here, or another version of the file: from the start
        expected = _length(response)
        tag = response.headers.get("ETag", "")
        strong = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
        part.with_name(part.name + ".json").write_text(json.dumps({"validator": strong}), encoding="utf-8")
        limit = (LARGEST_FILE_BYTES if file.size is None else file.size) - start
        received = 0
        with part.open("ab" if start else "wb") as stream:
            for piece in response.iter_raw(_PIECE):
                if stop.is_set():
                    raise httpx.ReadError("stopped")
                received += len(piece)
                if received > limit:
                    _discard(part)
                    raise NotFetchedError(
                        f"{file.path}: more bytes arrived than the {limit + start:,} accepted"
                    )
                stream.write(piece)
                on_bytes(len(piece))
        if expected is not None and received < expected:
            raise httpx.ReadError(f"the connection ended after {received:,} of {expected:,} bytes")


class _Refused(Exception):
    """An answer that is no file."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.retry_after = _retry_after(response.headers.get("Retry-After"))
        what = f"the server answered {self.status} {response.reason_phrase}".rstrip()
        if self.status in (401, 403):
            what += "; the data set's page says who may download it, and how"
        super().__init__(what)


def file_checksum(path: Path, algorithm: str) -> str:
    """Hexadecimal checksum of a file. algorithm: "sha256", or "md5", which Zenodo publishes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _finish(part: Path, target: Path) -> None:
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(target)
    part.with_name(part.name + ".json").unlink(missing_ok=True)


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_name(part.name + ".json").unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _validator_of(part: Path) -> str | None:
    try:
        found = json.loads(part.with_name(part.name + ".json").read_text(encoding="utf-8"))["validator"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) and found else None


def _range_start(text: str) -> int:
    start = text.removeprefix("bytes").strip().partition("-")[0]
    return int(start) if start.isdigit() else -1


def _length(response: httpx.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _retry_after(text: str | None) -> float | None:
    """Seconds that a server asks to wait: a number, or a date."""
    if not text:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
