"""Tracings of CODE's HDF5 parts (CODE-15%, CODE-test): many 12-lead ECGs in one data set.

A part holds ``tracings``, float (records, samples, 12), and ``exam_id``, (records,).
400 Hz; leads DI DII DIII AVR AVL AVF V1 ... V6. Ribeiro et al., Zenodo 2021,
doi:10.5281/zenodo.4916206.

The unit is not in the files. Their page gives the scale as 1e-4 V, their authors' answers
to readers as millivolts, and the PhysioNet Challenge 2025's WFDB form writes the same
numbers as millivolts. Only millivolts give amplitudes of the order of an ECG's (see
docs/datasets.md for what was measured), so the numbers are read as millivolts and not changed.

HDF5 can point out of a file and can ask for any amount of memory. What is not a plain
array of the expected shape in the file itself is refused before it is read.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import FileFormatError
from leadlight.files.padding import padding_note, zero_padding
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording

SAMPLING_RATE = 400.0
EXTENSIONS = (".hdf5", ".h5")
UNIT_NOTE = "no unit in the file, read as millivolts"

MOST_RECORDS = 10_000_000
MOST_SAMPLES = 100_000
"""Of one tracing. CODE has 4,096."""
_MOST_BYTES = 256 * 1024**2
"""That may have to be unpacked to reach one tracing, and are then kept for its neighbours."""
_MOST_CHUNKS = 20_000
_MOST_CHUNKS_IN_ALL = 50_000_000
_SLOTS = 40_009  # a prime, above the most chunks of one row
_BATCH_BYTES = 16 * 1024**2
# deflate, shuffle, fletcher32, szip, n-bit, scale-offset, and lzf, which h5py brings along.
_FILTERS = (1, 2, 3, 4, 5, 6, 32000)
_FLETCHER32 = 3
_PLAIN_FILTERS = frozenset((2, _FLETCHER32))  # shuffle: the same size; a checksum: four bytes more
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_COPY = "Copy the part again from its source, or unpack it again."
# h5py turns the library's faults into all of these.
_SAID_BY_H5PY = (
    OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError,
    AssertionError,
)  # fmt: skip
_HDF5 = "an HDF5 file"
_SHAPE = "a plain array of floating-point numbers, (records, samples, 12), as in CODE-15%"


def read_tracing(path: str | os.PathLike[str], number: int) -> Recording:
    """One tracing of a part in millivolts, with the zero padding at its ends removed.

    path: of the .hdf5 file; number: row, from 0. The file that was read last stays open, so
    that reading its rows in order is fast. What was removed is in ``notes``. Raises
    FileFormatError for a file that is no such part, a row that it does not have, and a
    tracing of zeros alone or with infinite samples.
    """
    name = os.fsdecode(path)
    return _kept(name, _identity(name)).read(number)


class CodePart:
    """An open part. len: its tracings. Raises FileFormatError where it is none."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import h5py

        self.path = os.fsdecode(path)
        _identity(self.path)
        with self._faults("file"):
            with Path(self.path).open("rb") as start:
                if start.read(len(_SIGNATURE)) != _SIGNATURE:
                    raise self._error("file", "no HDF5 signature", _HDF5, _COPY)
            # No lock: parts lie on disks that one may not write to.
            self._file = h5py.File(self.path, "r", locking=False)
        with self._faults("tracings"):
            reached = self._check_tracings(self._checked("tracings"))
            # Not before the data set above is let go: while it is open, its cache is everybody's.
            access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
            access.set_chunk_cache(_SLOTS, reached + reached // 8 + 1024**2, 1.0)
            self._tracings = h5py.Dataset(h5py.h5d.open(self._file.id, b"tracings", access))

    def __len__(self) -> int:
        return int(self._tracings.shape[0])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def exam_ids(self) -> NDArray[np.int64]:
        """The exam of each row, int64 (records,). Raises FileFormatError for a part that does not tell."""
        accepted = f"whole numbers, one for each of the {len(self):,} tracings"
        with self._faults("exam_id"):
            ids = self._checked("exam_id")
            if ids is None:
                raise self._error("exam_id", "no such data set", accepted)
            if ids.dtype.kind not in "iu" or ids.shape != (len(self),):
                raise self._error("exam_id", f"{ids.dtype} {ids.shape}", accepted, _COPY)
            self._check_storage("exam_id", ids)
            values = ids[:]
        if values.dtype.kind == "u" and values.size and int(values.max()) > np.iinfo(np.int64).max:
            raise self._error("exam_id", "a number above 2^63", accepted, _COPY)
        result: NDArray[np.int64] = values.astype(np.int64)
        return result

    def read(self, number: int) -> Recording:
        """See ``read_tracing``."""
        if not 0 <= number < len(self):
            raise self._error("row", f"{number:,}", f"0 to {len(self) - 1:,}, the rows of the part")
        with self._faults(f"tracings, row {number:,}"):
            stored = self._tracings[number]
        return self._recording(stored, number)

    def tracings(self, numbers: Sequence[int]) -> Iterator[Recording]:
        """Several tracings, in the order asked for; neighbours are read together."""
        row_bytes = self._tracings.dtype.itemsize * self._tracings.shape[1] * len(STANDARD_LEADS)
        batch = max(1, _BATCH_BYTES // row_bytes)
        start = 0
        while start < len(numbers):
            first, stop = numbers[start], start + 1
            while stop < len(numbers) and stop - start < batch and numbers[stop] == numbers[stop - 1] + 1:
                stop += 1
            count = stop - start
            if not 0 <= first <= len(self) - count:
                yield from (self.read(number) for number in numbers[start:stop])
            else:
                with self._faults(f"tracings, rows {first:,} to {first + count - 1:,}"):
                    block = self._tracings[first : first + count]
                for at in range(count):
                    yield self._recording(block[at], first + at)
            start = stop

    def _recording(self, stored: NDArray[Any], number: int) -> Recording:
        row = f"tracings, row {number:,}"
        # What is too large becomes infinite, which is refused below; a signalling NaN is a NaN.
        with np.errstate(over="ignore", invalid="ignore"):
            signal = np.ascontiguousarray(stored.T, dtype=np.float32)
            before, after = zero_padding(signal)
        if before == signal.shape[1]:
            raise self._error(row, "zeros alone", "a tracing", "Parts end with such a row; it is no record.")
        notes = [UNIT_NOTE]
        if before or after:
            signal = signal[:, before : signal.shape[1] - after]
            notes.append(padding_note(before, after))
        if not np.isfinite(signal).all():
            if np.isinf(signal).any():
                raise self._error(row, "infinite samples", "millivolts, or NaN where one is missing", _COPY)
            counts = np.isnan(signal).sum(axis=1).tolist()
            listed = [f"{lead} {n:,}" for lead, n in zip(STANDARD_LEADS, counts, strict=True) if n]
            notes.append(f"missing samples: {', '.join(listed)}")
        return Recording(
            signal, STANDARD_LEADS, SAMPLING_RATE, source=f"{self.path}, row {number}", notes=tuple(notes)
        )

    def _checked(self, name: str) -> Any:
        """A data set that lies in this file as a plain array, or None where there is none."""
        import h5py

        link = self._file.get(name, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            kind = "an external" if isinstance(link, h5py.ExternalLink) else "a soft"
            raise self._error(name, f"{kind} link", "a data set in the file itself")
        found = self._file[name]
        if not isinstance(found, h5py.Dataset):
            raise self._error(name, "a group or a type", "a data set")
        if found.is_virtual or found.external:
            raise self._error(name, "a data set whose values lie in other files", "one in the file itself")
        if found.shape is None:
            raise self._error(name, "an empty data set", "an array")
        return found

    def _check_tracings(self, tracings: Any) -> int:
        """Bytes that must be unpacked to reach one tracing; 0 where nothing is packed."""
        if tracings is None:
            raise self._error("tracings", "no such data set", _SHAPE, _COPY)
        shape = tracings.shape
        if tracings.dtype.kind != "f" or tracings.dtype.itemsize > 8:
            raise self._error("tracings, type", tracings.dtype, _SHAPE, _COPY)
        if len(shape) != 3 or shape[2] != len(STANDARD_LEADS):
            raise self._error("tracings, shape", shape, _SHAPE, _COPY)
        if not (1 <= shape[1] <= MOST_SAMPLES and shape[0] <= MOST_RECORDS):
            most = f"1 to {MOST_SAMPLES:,} samples and at most {MOST_RECORDS:,} records"
            raise self._error("tracings, shape", shape, most, _COPY)
        return self._check_storage("tracings", tracings)

    def _check_storage(self, name: str, dataset: Any) -> int:
        """Bytes that must be unpacked to reach one row; 0 where nothing is packed."""
        import h5py

        plist = dataset.id.get_create_plist()
        filters = [plist.get_filter(at)[0] for at in range(plist.get_nfilters())]
        unknown = [one for one in filters if one not in _FILTERS]
        if unknown:
            accepted = "filters that HDF5 itself knows (gzip, lzf, szip, shuffle, checksum)"
            raise self._error(f"{name}, filter", f"number {unknown[0]}", accepted, "Store the part anew.")
        if plist.get_layout() != h5py.h5d.CHUNKED:
            # What an array claims beyond what is stored would read as zeros.
            stored, claimed = dataset.id.get_storage_size(), dataset.size * dataset.dtype.itemsize
            if stored != claimed or claimed > Path(self.path).stat().st_size:
                raise self._error(
                    f"{name}, size", f"{stored:,} bytes", f"{claimed:,} bytes, as its shape asks", _COPY
                )
            return 0
        chunk, shape = dataset.chunks, dataset.shape
        n_chunks = math.prod(-(-size // step) for size, step in zip(shape[1:], chunk[1:], strict=True))
        reached = int(n_chunks * math.prod(chunk) * dataset.dtype.itemsize)
        if n_chunks > _MOST_CHUNKS or reached > _MOST_BYTES:
            raise self._error(
                f"{name}, chunks",
                f"{n_chunks:,} chunks of shape {chunk}, {reached / 1e6:,.0f} MB, for one row",
                f"at most {_MOST_CHUNKS:,} chunks and {_MOST_BYTES / 1e6:,.0f} MB",
                "Store the part anew with smaller chunks: one record each is best.",
            )
        self._check_chunks(name, dataset, filters)
        return reached

    def _check_chunks(self, name: str, dataset: Any, filters: Sequence[int]) -> None:
        """Look at where chunks are said to lie: the HDF5 library trusts it, and may crash where it is wrong.

        A tracing of which a part is missing would read as zeros there.
        """
        chunk, shape = dataset.chunks, dataset.shape
        counts = [-(-size // step) for size, step in zip(shape, chunk, strict=True)]
        if math.prod(counts) > _MOST_CHUNKS_IN_ALL:
            most = f"at most {_MOST_CHUNKS_IN_ALL:,}"
            raise self._error(f"{name}, chunks", f"{math.prod(counts):,} chunks", most, _COPY)
        # The library tells wrong places of arrays that can grow along another axis than the first alone.
        placed = dataset.maxshape.count(None) != 1 or dataset.maxshape[0] is None
        plain = math.prod(chunk) * dataset.dtype.itemsize
        file_size = Path(self.path).stat().st_size
        there = bytearray(math.prod(counts))

        def fault(one: Any) -> str | None:
            at = 0
            for place, size, step, count in zip(
                one.chunk_offset if placed else (), shape, chunk, counts, strict=placed
            ):
                if place >= size or place % step:
                    return "a chunk outside the array"
                at = at * count + place // step
            if there[at] and placed:
                return "a chunk that stands twice"
            there[at] = 1
            used = [kind for bit, kind in enumerate(filters) if not one.filter_mask >> bit & 1]
            whole = plain + 4 * used.count(_FLETCHER32)
            is_packed = not _PLAIN_FILTERS.issuperset(used)
            if not (0 < one.size <= 2 * whole + 1024 if is_packed else one.size == whole):
                return f"a chunk of {one.size:,} bytes, where {whole:,} are unpacked"
            if not 0 < one.byte_offset <= file_size - one.size:
                return "a chunk outside the file"
            return None

        # What is returned, other than None, ends the walk.
        found = dataset.id.chunk_iter(fault)
        if found is None and placed:
            each = np.frombuffer(there, np.uint8).reshape(counts[0], -1)
            partial = int(np.count_nonzero(each.any(axis=1) & ~each.all(axis=1)))
            found = f"{partial:,} rows of which a part is missing" if partial else None
        if found is not None:
            accepted = "each chunk once, inside the file, of the stated size"
            raise self._error(f"{name}, chunks", found, accepted, _COPY)

    @contextmanager
    def _faults(self, field: str) -> Iterator[None]:
        """Turn whatever h5py says of a damaged file into a FileFormatError."""
        try:
            yield
        except FileFormatError:
            raise
        except _SAID_BY_H5PY as error:
            # The first sentence: the rest names places within the HDF5 library.
            said = str(error).splitlines()[0].strip("'\"")[:200] if str(error) else type(error).__name__
            raise self._error(field, f"damage ({said})", "an HDF5 file that is whole", _COPY) from error

    def _error(self, field: str, found: object, accepted: str, remedy: str = "") -> FileFormatError:
        return FileFormatError(self.path, field, found, accepted, remedy)


@lru_cache(maxsize=1)
def _kept(path: str, identity: tuple[int, ...]) -> CodePart:
    return CodePart(path)


def _identity(path: str) -> tuple[int, ...]:
    """What changes when another file takes a path. Raises FileFormatError for what is no plain file."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "a name that cannot be opened"
        raise FileFormatError(path.replace("\0", "?"), "file", str(reason).lower(), _HDF5) from error
    if not stat.S_ISREG(status.st_mode):
        raise FileFormatError(path, "file", "something that is not a plain file", _HDF5)
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
