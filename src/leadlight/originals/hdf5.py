"""HDF5 from strangers: plain arrays that lie in the file itself, of bounded size, and nothing else.

HDF5 can point out of a file, hold objects, and ask for any amount of memory. Each link,
type and size is checked before anything is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import FileFormatError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
LARGEST_BYTES = 4 * 1024**3
"""Of all arrays together. The largest published network has 0.6 GB."""
MOST_NAMES = 20_000
_LARGEST_NAMES_BYTES = 4 * 1024**2
# A global heap: signature, version, three zeros, its size (HDF5 File Format Specification 3.0, III.E).
_HEAP = re.compile(rb"GCOL\x01\x00\x00\x00(.{8})", re.DOTALL)
_HEAP_HEADER_BYTES = 15
_LARGEST_TEXT_BYTES = 2 * 1024**3
_BLOCK_BYTES = 16 * 1024**2
_DEEPEST = 12
_MOST_PACKED = 16
"""An array may be this many times as large as what is stored of it: weights hardly shrink."""
# deflate, shuffle, fletcher32, szip, n-bit, scale-offset, and lzf, which h5py brings along.
_SMALL_CHUNK = 1024**2
_FILTERS = (1, 2, 3, 4, 5, 6, 32000)
_LONGEST_SHOWN = 200
_COPY = "Copy the file again from its source."
# h5py turns the library's faults into all of these.
_SAID_BY_H5PY = (
    OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError,
    AssertionError,
)  # fmt: skip


class Hdf5:
    """An HDF5 file that is open for reading. file: its path, for errors; opened: its path or its bytes."""

    def __init__(self, file: str, opened: Path | bytes) -> None:
        import h5py

        self.file, self._opened = file, opened
        self._n_bytes = opened.stat().st_size if isinstance(opened, Path) else len(opened)
        self._read = self._texts_read = 0
        with self.faults("file"):
            self.root = h5py.File(opened if isinstance(opened, Path) else BytesIO(opened), "r")

    def __enter__(self) -> Hdf5:
        return self

    def __exit__(self, *_: object) -> None:
        self.root.close()

    def member(self, group: Any, name: str) -> Any:
        """What a group holds under a name, None where it holds nothing; links out of the file are refused."""
        import h5py

        place = f"{group.name.rstrip('/')}/{name}"
        with self.faults(place):
            found = group
            for step in name.split("/"):
                if not isinstance(found, h5py.Group):
                    return None
                link = found.get(step, getlink=True)
                if link is None:
                    return None
                if not isinstance(link, h5py.HardLink):
                    kind = "an external" if isinstance(link, h5py.ExternalLink) else "a soft"
                    raise self.error(place, f"{kind} link", "an array or a group in the file itself")
                found = found[step]
        return found

    def members(self, group: Any) -> list[str]:
        """Names in a group."""
        with self.faults(group.name):
            if len(group) > MOST_NAMES:
                raise self.error(group.name, f"{len(group):,} names", f"at most {MOST_NAMES:,}")
            return list(group)

    def groups(self, group: Any, name: str) -> Iterator[tuple[str, Any]]:
        """All groups called ``name`` below a group, each with the path that leads to it."""
        yield from self._groups(group, name, "", [0])

    def _groups(self, group: Any, name: str, path: str, visited: list[int]) -> Iterator[tuple[str, Any]]:
        import h5py

        if path.count("/") >= _DEEPEST:
            raise self.error(group.name, "groups in groups without end", f"at most {_DEEPEST} deep")
        for key in self.members(group):
            visited[0] += 1
            if visited[0] > MOST_NAMES:
                raise self.error(group.name, f"more than {MOST_NAMES:,} names", "fewer")
            found = self.member(group, key)
            if isinstance(found, h5py.Group):
                if key == name:
                    yield path, found
                else:
                    yield from self._groups(found, name, f"{path}/{key}".lstrip("/"), visited)

    def names(self, group: Any, attribute: str) -> list[str] | None:
        """A list of texts among a group's attributes, None where there is none.

        Keras cuts lists above 64 KB into ATTRIBUTE0, ATTRIBUTE1 and so on.
        """
        with self.faults(f"{group.name}, attribute {attribute}"):
            if attribute in group.attrs:
                return self._texts(group, attribute)
            texts: list[str] = []
            part = 0
            while f"{attribute}{part}" in group.attrs:
                texts += self._texts(group, f"{attribute}{part}")
                part += 1
                if len(texts) > MOST_NAMES:
                    raise self.error(group.name, f"more than {MOST_NAMES:,} names", "fewer")
        return texts if part else None

    def text(self, group: Any, attribute: str) -> str | None:
        """A text among a group's attributes, None where there is none."""
        with self.faults(f"{group.name}, attribute {attribute}"):
            texts = self._texts(group, attribute) if attribute in group.attrs else []
        return texts[0] if len(texts) == 1 else None

    def _texts(self, group: Any, attribute: str) -> list[str]:
        import h5py

        stored = group.attrs.get_id(attribute)
        is_text = stored.dtype.kind == "S" or h5py.check_string_dtype(stored.dtype) is not None
        size = int(np.prod(stored.shape or (1,)))
        # A list without entries is stored as numbers.
        if size == 0:
            return []
        if not is_text or size > MOST_NAMES or size * stored.dtype.itemsize > _LARGEST_NAMES_BYTES:
            raise self.error(
                f"{group.name}, attribute {attribute}",
                f"{size:,} values of type {stored.dtype}",
                f"at most {MOST_NAMES:,} texts",
            )
        # Texts of any length lie in heaps, and all of them may be the same large one.
        self._texts_read += size if stored.dtype.kind != "S" else 0
        if self._texts_read * self._largest_heap > _LARGEST_TEXT_BYTES:
            raise self.error(
                f"{group.name}, attribute {attribute}",
                f"{self._texts_read:,} texts that may each have {self._largest_heap:,} bytes",
                f"up to {_LARGEST_TEXT_BYTES:,} bytes together",
            )
        values = np.atleast_1d(group.attrs[attribute])
        return [value.decode() if isinstance(value, bytes) else str(value) for value in values.ravel()]

    @cached_property
    def _largest_heap(self) -> int:
        """Bytes of the largest place in which the file keeps texts of any length."""
        if self.root.id.get_create_plist().get_sizes() != (8, 8):
            raise self.error(
                "file", "lengths that are not of 8 bytes", "an HDF5 file as h5py writes it", _COPY
            )
        largest, rest = 0, b""
        with self._opened.open("rb") if isinstance(self._opened, Path) else BytesIO(self._opened) as stream:
            while block := stream.read(_BLOCK_BYTES):
                block = rest + block
                for found in _HEAP.finditer(block):
                    largest = max(largest, int.from_bytes(found[1], "little"))
                rest = block[-_HEAP_HEADER_BYTES:]
        return largest

    def array(self, group: Any, name: str) -> NDArray[Any]:
        """An array of floating-point numbers, read whole."""
        import h5py

        found = self.member(group, name)
        place = f"{group.name.rstrip('/')}/{name}"
        if not isinstance(found, h5py.Dataset):
            raise self.error(place, "no array" if found is None else "a group or a type", "an array", _COPY)
        with self.faults(place):
            self._check(found, place)
            values: NDArray[Any] = found[()]
        return values

    def _check(self, found: Any, place: str) -> None:
        import h5py

        if found.is_virtual or found.external:
            raise self.error(place, "an array whose values lie in other files", "one in the file itself")
        if found.dtype.kind != "f" or found.dtype.itemsize > 8 or found.shape is None:
            raise self.error(place, f"the type {found.dtype}", "floating-point numbers of 16, 32 or 64 bits")
        claimed = found.size * found.dtype.itemsize
        stored = found.id.get_storage_size()
        properties = found.id.get_create_plist()
        filters = [properties.get_filter(at)[0] for at in range(properties.get_nfilters())]
        unknown = [one for one in filters if one not in _FILTERS]
        if unknown:
            accepted = "filters that HDF5 itself knows (gzip, lzf, szip, shuffle, checksum)"
            raise self.error(place, f"the filter number {unknown[0]}", accepted, "Store the weights anew.")
        is_packed = properties.get_layout() == h5py.h5d.CHUNKED
        if is_packed and np.prod(found.chunks, dtype=float) * found.dtype.itemsize > claimed + _SMALL_CHUNK:
            raise self.error(
                place, f"chunks of the shape {found.chunks}", "chunks as large as the array", _COPY
            )
        # What an array claims beyond what is stored would read as zeros.
        if stored > self._n_bytes or (claimed > stored * _MOST_PACKED if is_packed else claimed != stored):
            raise self.error(
                place,
                f"the shape {found.shape} with {stored:,} bytes stored",
                "as much as its shape asks for",
                _COPY,
            )
        self._read += claimed
        if self._read > LARGEST_BYTES:
            raise self.error(place, f"arrays of more than {LARGEST_BYTES:,} bytes", "up to that")

    @contextmanager
    def faults(self, field: str) -> Iterator[None]:
        """Turn whatever h5py says of a damaged file into a FileFormatError."""
        try:
            yield
        except FileFormatError:
            raise
        except _SAID_BY_H5PY as error:
            # The first sentence: the rest names places within the HDF5 library.
            said = str(error).splitlines()[0].strip("'\"")[:200] if str(error) else type(error).__name__
            raise self.error(field, f"damage ({said})", "an HDF5 file that is whole", _COPY) from error

    def error(self, field: str, found: object, accepted: str, remedy: str = "") -> FileFormatError:
        """An error about this file. found, and names in field: of strangers, cut and made printable."""
        field, found = (
            "".join(one if one.isprintable() else "?" for one in str(text)[:_LONGEST_SHOWN])
            for text in (field, found)
        )
        return FileFormatError(self.file, field, found, accepted, remedy)
