"""Download a whole data set: list, bring in parallel, check, and say what could not be had."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from leadlight.datasets.fetching.archives import unpack
from leadlight.datasets.fetching.download import (
    ATTEMPTS,
    NotFetchedError,
    Patience,
    download,
    file_checksum,
)
from leadlight.datasets.fetching.listing import (
    LARGEST_LISTING_BYTES,
    SHA256SUMS,
    ListedFile,
    choose,
    lines_of,
    read_sha256sums,
    read_zenodo_record,
)
from leadlight.datasets.index import DatasetDescription
from leadlight.errors import DatasetError
from leadlight.progress import ProgressCallback, silent
from leadlight.writing import write_whole

if TYPE_CHECKING:
    import httpx

JOURNAL = ".leadlight-fetched"
"""Names the files that were checked, with size and time, so that going on does not read them again."""
_ZENODO = "/api/records/"
_AHEAD = 4  # files waiting for each connection


@dataclass(frozen=True)
class Fetched:
    """What a download came to.

    files: of the data set as asked for; received: bytes that came over the network;
    kept: files that were there and right; unchecked: files without a published
    checksum; failed: (file, reason).
    """

    folder: Path
    files: int
    received: int
    kept: int
    unchecked: int
    failed: tuple[tuple[str, str], ...]


def fetch(
    described: DatasetDescription,
    out: str | os.PathLike[str],
    *,
    mirror: str | None = None,
    only: Sequence[str] = (),
    connections: int = 8,
    on_progress: ProgressCallback = silent,
    patience: Patience | None = None,
) -> Fetched:
    """Download a data set into a folder, or complete what is there.

    mirror: address of an own copy with SHA256SUMS.txt, in place of the official one;
    only: patterns of the files wanted ("records100/*"), files at the top always come;
    connections: at a time; on_progress: counts files. Called again, it goes on where it
    stopped. Files that cannot be had are listed in the result, not raised.
    Raises DatasetError where the list of files cannot be had or is not safe.
    """
    if not 1 <= connections <= 64:
        raise DatasetError(f"connections: found {connections}; accepted: 1 to 64.")
    address = mirror or described.download
    if not address:
        raise DatasetError(
            f"{described.name}: found no official address to download from; accepted: a mirror of your own "
            f"(--mirror URL). See {described.url or 'its documentation'}."
        )
    _check_address(address)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    patience = patience or Patience()
    with _client(connections) as client:
        files, listing = _listed(client, address, patience)
        wanted = choose(files, only)
        result = _bring(client, wanted, folder, connections, on_progress, patience)
    if listing is not None:
        write_whole(folder / SHA256SUMS, listing)
    failed = list(result.failed)
    missing = {name for name, _ in failed}
    for one in wanted:
        if one.path.endswith(".zip") and one.path not in missing:
            try:
                unpack(folder / one.path, folder)
            except DatasetError as error:
                failed.append((one.path, str(error)))
    return Fetched(folder, len(wanted), result.received, result.kept, result.unchecked, tuple(failed))


def check(folder: str | os.PathLike[str], on_progress: ProgressCallback = silent) -> Fetched:
    """Compare what is in a folder with its SHA256SUMS.txt, without any network.

    Files that are not there are not failures (a part of a data set is a data set):
    ``files`` counts those that are. Raises DatasetError where there is no SHA256SUMS.txt.
    """
    place = Path(folder)
    listing = place / SHA256SUMS
    if not listing.is_file():
        raise DatasetError(f"{listing}: there is no such file; accepted: a data set's folder with it.")
    with listing.open("rb") as stream:
        files = read_sha256sums(lines_of(iter(lambda: stream.read(1 << 20), b"")), "")
    present = [one for one in files if (place / one.path).is_file()]
    failed = []
    for number, one in enumerate(present, start=1):
        if file_checksum(place / one.path, one.algorithm) != one.checksum:
            failed.append((one.path, "another SHA-256 than published"))
        on_progress(number, len(present), one.path)
    return Fetched(place, len(present), 0, len(present) - len(failed), 0, tuple(failed))


def _listed(client: httpx.Client, address: str, patience: Patience) -> tuple[list[ListedFile], bytes | None]:
    """The files of an address, and the text of its SHA256SUMS.txt where it has one."""
    if _ZENODO in urlsplit(address).path:
        return read_zenodo_record(_read(client, address, patience), address), None
    base = address if address.endswith("/") else address + "/"
    listing = _read(client, urljoin(base, SHA256SUMS), patience)
    return read_sha256sums(lines_of([listing]), base), listing


def _read(client: httpx.Client, url: str, patience: Patience) -> bytes:
    """A whole small answer. Raises DatasetError with the reason."""
    import httpx

    why = ""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with client.stream("GET", url) as response:
                if response.status_code == 200:
                    parts, size = [], 0
                    for piece in response.iter_bytes():
                        size += len(piece)
                        if size > LARGEST_LISTING_BYTES:
                            raise DatasetError(
                                f"{url}: longer than {LARGEST_LISTING_BYTES:,} bytes; refused."
                            )
                        parts.append(piece)
                    return b"".join(parts)
                why = f"the server answered {response.status_code} {response.reason_phrase}".rstrip()
                if response.status_code < 500 and response.status_code != 429:
                    break
        except httpx.TransportError as error:
            why = f"{type(error).__name__}: {error}"
        except httpx.TooManyRedirects:
            why = "redirected too often"
            break
        if attempt < ATTEMPTS:
            threading.Event().wait(patience.seconds(attempt))
    raise DatasetError(
        f"{url}: the list of files could not be had: {why}. Check the address and the network; "
        "--mirror URL takes a copy of your own, which needs SHA256SUMS.txt."
    )


def _bring(
    client: httpx.Client,
    files: Sequence[ListedFile],
    folder: Path,
    connections: int,
    on_progress: ProgressCallback,
    patience: Patience,
) -> Fetched:
    stop, lock = threading.Event(), threading.Lock()
    received = kept = done = 0
    failed: list[tuple[str, str]] = []
    journal = _read_journal(folder)
    waiting: set[Future[tuple[ListedFile, bool]]] = set()

    def on_bytes(number: int) -> None:
        nonlocal received
        with lock:
            received += max(number, 0)

    def one_file(file: ListedFile) -> tuple[ListedFile, bool]:
        target = folder / file.path
        if _is_right(file, target, journal):
            return file, True
        download(client, file, target, on_bytes, stop, patience)
        return file, False

    with (folder / JOURNAL).open("a", encoding="utf-8") as notes, ThreadPoolExecutor(connections) as pool:

        def collect(finished: set[Future[tuple[ListedFile, bool]]]) -> None:
            nonlocal kept, done
            for future in finished:
                done += 1
                try:
                    file, was_there = future.result()
                except NotFetchedError as error:
                    failed.append(_named(str(error)))
                    continue
                kept += was_there
                if file.path not in journal and file.algorithm:
                    notes.write(_journal_line(file, folder / file.path))
            on_progress(done, len(files), f"{received / 1e6:,.0f} MB received")

        try:
            for file in files:
                waiting.add(pool.submit(one_file, file))
                if len(waiting) >= connections * _AHEAD:
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    collect(finished)
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                collect(finished)
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    unchecked = sum(not file.algorithm for file in files)
    return Fetched(folder, len(files), received, kept, unchecked, tuple(sorted(failed)))


def _is_right(file: ListedFile, target: Path, journal: dict[str, str]) -> bool:
    """Whether a file is there and right: by the journal while size and time are its own, else by checksum."""
    if not target.is_file():
        return False
    if journal.get(file.path) == _journal_line(file, target):
        return True
    if not file.algorithm:
        return file.size is not None and target.stat().st_size == file.size
    return file_checksum(target, file.algorithm) == file.checksum


def _journal_line(file: ListedFile, target: Path) -> str:
    status = target.stat()
    return f"{file.checksum} {status.st_size} {status.st_mtime_ns} {file.path}\n"


def _read_journal(folder: Path) -> dict[str, str]:
    try:
        with (folder / JOURNAL).open(encoding="utf-8", errors="replace") as lines:
            return {line.rstrip("\n").split(" ", 3)[3]: line for line in lines if line.count(" ") >= 3}
    except FileNotFoundError:
        return {}


def _named(message: str) -> tuple[str, str]:
    name, _, reason = message.partition(": ")
    return name, reason


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise DatasetError(f"address: found {address!r}; accepted: one that begins with https:// or http://.")


def _client(connections: int) -> httpx.Client:
    import httpx

    from leadlight import __version__

    return httpx.Client(
        follow_redirects=True,
        max_redirects=5,
        timeout=httpx.Timeout(30.0, pool=None),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        headers={"User-Agent": f"leadlight/{__version__}"},
    )


def failures_in_words(failed: Sequence[tuple[str, str]], most: int = 10) -> Iterator[str]:
    """One line a file that could not be had, the first few of them, and how many more there are."""
    for name, reason in failed[:most]:
        yield f"{name}: {reason}"
    if len(failed) > most:
        yield f"and {len(failed) - most:,} more"
