"""Which files a data set consists of, and their checksums, as its publisher states them.

PhysioNet publishes SHA256SUMS.txt beside the files; Zenodo answers a record's address
with JSON that lists files, sizes and MD5 sums. A mirror has SHA256SUMS.txt too.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from leadlight.errors import DatasetError

SHA256SUMS = "SHA256SUMS.txt"
LARGEST_LISTING_BYTES = 1 << 30
"""Of a list of files: MIMIC-IV-ECG's, with 1.6 million lines, is about a fifth of this."""

LARGEST_FILE_BYTES = 1 << 50

_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *]?(.+)")
_CHECKSUM = re.compile(r"(md5):([0-9a-f]{32})|(sha256):([0-9a-f]{64})")
_RESERVED = frozenset('<>:"|?*\\')


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file of a data set.

    path: below the data set's folder, "/" between folders; url; algorithm: "sha256" or
    "md5", "" where no checksum is published; size: bytes, None where not stated.
    """

    path: str
    url: str
    algorithm: str = ""
    checksum: str = ""
    size: int | None = None


def read_sha256sums(lines: Iterable[str], base: str) -> list[ListedFile]:
    """Files of a SHA256SUMS.txt ("<sha256> <path>" a line) below the address ``base``.

    Raises DatasetError for a line of another form, a path that leaves the folder, and
    one that stands twice with different checksums.
    """
    files: dict[str, ListedFile] = {}
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if not text:
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise DatasetError(
                f"{SHA256SUMS}, line {number:,}: found another form; accepted: a SHA-256 in 64 hexadecimal "
                "digits, a blank, and a path. The answer may be an error page: open the address in a browser."
            )
        path = match[2].strip().removeprefix("./")
        _refuse_unsafe(path, f"{SHA256SUMS}, line {number:,}")
        checksum = match[1].lower()
        before = files.get(path)
        if before is not None and before.checksum != checksum:
            raise DatasetError(
                f"{SHA256SUMS}, line {number:,}: {path} stands twice with different checksums."
            )
        files[path] = ListedFile(path, urljoin(base, quote(path)), "sha256", checksum)
    if not files:
        raise DatasetError(f"{SHA256SUMS}: found no file listed; accepted: one a line.")
    return list(files.values())


def read_zenodo_record(content: bytes, address: str) -> list[ListedFile]:
    """Files of a Zenodo record from the JSON that its API answers.

    Raises DatasetError where it is no such JSON, or names a file or an address that is not safe.
    """
    try:
        record = json.loads(content)
        listed = record["files"]
        found = [
            (str(one["key"]), str(one["checksum"]), int(one["size"]), str(one["links"]["self"]))
            for one in listed
        ]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise DatasetError(
            f"{address}: found no list of files; accepted: a Zenodo record's JSON with key, size, checksum "
            "and links of each file."
        ) from None
    files = []
    names: set[str] = set()
    for name, checksum, size, url in found:
        _refuse_unsafe(name, f"{address}, files")
        if name in names:
            raise DatasetError(f"{address}: {name} stands twice in the list of files.")
        names.add(name)
        match = _CHECKSUM.fullmatch(checksum)
        if match is None or not 0 <= size <= LARGEST_FILE_BYTES:
            raise DatasetError(f"{address}, {name}: found no checksum and size that can be used.")
        if (
            urlsplit(url).netloc != urlsplit(address).netloc
            or urlsplit(url).scheme != urlsplit(address).scheme
        ):
            raise DatasetError(f"{address}, {name}: found an address on another server; accepted: the same.")
        algorithm = match[1] or match[3]
        files.append(ListedFile(name, url, algorithm, match[2] or match[4], size))
    if not files:
        raise DatasetError(f"{address}: found no files in the record.")
    return files


def choose(files: Sequence[ListedFile], only: Sequence[str]) -> list[ListedFile]:
    """Files that match one of the patterns ("records100/*"), and all at the top; all files without patterns.

    Raises DatasetError for a pattern that no file matches.
    """
    if not only:
        return list(files)
    unused = set(only)
    chosen = []
    for one in files:
        matched = {pattern for pattern in only if fnmatch.fnmatchcase(one.path, pattern)}
        unused -= matched
        if matched or "/" not in one.path:
            chosen.append(one)
    if unused:
        folders = sorted({one.path.partition("/")[0] + "/*" for one in files if "/" in one.path})
        shown = ", ".join(folders[:8]) + (", ..." if len(folders) > 8 else "")
        raise DatasetError(
            f"only: no file matches {sorted(unused)[0]!r}; accepted: patterns such as {shown}."
        )
    return chosen


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines of a text that comes in pieces. Raises DatasetError above the largest size."""
    rest, size = b"", 0
    for chunk in chunks:
        size += len(chunk)
        if size > LARGEST_LISTING_BYTES:
            raise DatasetError(f"list of files: found more than {LARGEST_LISTING_BYTES:,} bytes; refused.")
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


def _refuse_unsafe(path: str, where: str) -> None:
    parts = path.split("/")
    is_safe = (
        0 < len(path) <= 500
        and path.isprintable()
        and not _RESERVED & set(path)
        and all(part not in ("", ".", "..") and len(part) <= 200 for part in parts)
    )
    if not is_safe:
        raise DatasetError(
            f"{where}: found a path that does not stay in the data set's folder, or cannot be a file's name; "
            "nothing was downloaded."
        )
