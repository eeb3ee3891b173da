"""Open a prepared store and take records out of it without reading the rest."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import StoreError, kind_of
from leadlight.recording import Patient, Recording, Statement
from leadlight.store import layout
from leadlight.store.statements import StatementColumn, read_statements

if TYPE_CHECKING:
    import pandas as pd

Rows = SupportsIndex | slice | Sequence[int] | NDArray[Any]
"""Which records: a row number, a slice, row numbers in any order, or a boolean mask over all rows."""


_COUNTS_AT_ONCE = 2**18
_CAN_ADVISE = hasattr(mmap.mmap, "madvise")


class Store:
    """A prepared data set on disk; made by ``open_store`` or ``prepare``.

    path; description: the content of store.json. Shards are memory-mapped when
    first touched. A store can be pickled and used after a fork: each process
    opens what it needs.
    """

    def __init__(self, path: Path, description: dict[str, Any]) -> None:
        self.path = path
        self.description = description
        self._shards: dict[int, NDArray[np.int16]] = {}
        self._maps: dict[int, mmap.mmap] = {}

    def __len__(self) -> int:
        return int(self.description["records"])

    def __repr__(self) -> str:
        return (
            f"Store({self.description['dataset']}, {len(self)} records, "
            f"{len(self.leads)} leads at {self.sampling_rate:g} Hz)"
        )

    def __getstate__(self) -> dict[str, Any]:
        # Maps and the table stay behind: another process opens its own.
        left_behind = {"_shards", "_maps", "index", "_places", "_statements", "_known"}
        return {name: value for name, value in self.__dict__.items() if name not in left_behind}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._shards, self._maps = {}, {}

    @property
    def leads(self) -> tuple[str, ...]:
        """Names of the leads, in the order in which they are stored."""
        return tuple(self.description["leads"])

    @property
    def sampling_rate(self) -> float:
        """Hz."""
        return float(self.description["sampling_rate"])

    @property
    def dataset(self) -> str:
        """Name of the data set, such as ptb-xl."""
        return str(self.description["dataset"])

    @cached_property
    def index(self) -> pd.DataFrame:
        """One row a record: ids, patient, fold, age, sex, statements, quality, place, source, checksum.

        Behind them the data set's own columns (``description["columns"]``). All of it is in
        memory: for a large store take what is needed with ``columns`` and ``statements``.
        """
        frame: pd.DataFrame = self._read_index(None).to_pandas(maps_as_pydicts="strict")
        return frame

    def columns(self, *names: str) -> Any:
        """These columns of the index as a ``pyarrow.Table``, without reading the others.

        Text that repeats is dictionary-encoded. Raises StoreError for a column that is not there.
        """
        known = layout.index_schema(self.description["columns"]).names
        absent = [name for name in names if name not in known]
        if absent:
            raise StoreError(f"columns: found {', '.join(absent)}; accepted: {', '.join(known)}.")
        return self._read_index(list(names))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Samples of each record: (records,)."""
        return self._places[:, 2]

    @property
    def missing_samples(self) -> NDArray[np.int64]:
        """Missing samples of each record, in all leads together: (records,)."""
        return self._places[:, 3]

    def counts(self, rows: Rows) -> NDArray[np.int16]:
        """Signals as stored: int16 (n, leads, samples), 1 count = 1 microvolt, -32768 = missing.

        Raises StoreError for rows that are not there and for records of different lengths.
        """
        numbers = self._numbers(rows)
        n_samples = self._one_length(numbers, "counts")
        n_leads = len(self.leads)
        result = np.empty((len(numbers), n_leads * n_samples), dtype=np.int16)
        places = self._places[numbers].tolist()
        self._fetch(places)
        for target, (shard, offset, _, _) in zip(result, places, strict=True):
            target[:] = self._shard(shard)[offset : offset + n_leads * n_samples]
        return result.reshape(len(numbers), n_leads, n_samples)

    def signals(self, rows: Rows, leads: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Signals in millivolts: float32 (n, leads, samples), NaN where a sample is missing.

        leads: these, in this order; None for all as stored. Raises as ``counts`` does,
        and StoreError for a lead that is not stored.
        """
        numbers = self._numbers(rows)
        n_samples = self._one_length(numbers, "signals")
        return self._windows(numbers, np.zeros(len(numbers), dtype=np.int64), n_samples, leads)

    def windows(
        self,
        rows: Rows,
        starts: int | Sequence[int] | NDArray[np.integer[Any]],
        n_samples: int,
        leads: Sequence[str] | None = None,
    ) -> NDArray[np.float32]:
        """A window of each record, in millivolts: float32 (n, leads, n_samples).

        starts: the first sample of each window, or one for all; a window may reach over
        either end of its record. NaN there, and where a sample is missing. Records may differ in
        length. leads: these, in this order; None for all as stored.
        Raises StoreError for rows and leads that are not there, and for starts that are no
        whole numbers, one a row.
        """
        numbers = self._numbers(rows)
        first = np.asarray(starts)
        if not first.size:
            first = first.astype(np.int64)
        if not np.issubdtype(first.dtype, np.integer) or first.shape not in ((), numbers.shape):
            raise StoreError(
                f"starts: found {first.dtype} of shape {first.shape}; accepted: a whole number, "
                f"or one for each of the {len(numbers)} rows."
            )
        if n_samples < 1:
            raise StoreError(f"n_samples: found {n_samples}; accepted: 1 or more.")
        return self._windows(numbers, np.broadcast_to(first, numbers.shape), int(n_samples), leads)

    def _windows(
        self,
        numbers: NDArray[np.int64],
        starts: NDArray[Any],
        n_samples: int,
        leads: Sequence[str] | None,
    ) -> NDArray[np.float32]:
        chosen = self._chosen(leads)
        n_leads = len(self.leads) if chosen is None else len(chosen)
        places, first_samples = self._places[numbers].tolist(), starts.tolist()
        self._fetch(places)
        signals = np.empty((len(numbers), n_leads, n_samples), dtype=np.float32)
        # A few records at a time: their counts are still in the cache when they are divided.
        at_once = max(1, _COUNTS_AT_ONCE // max(1, n_leads * n_samples))
        counts = np.empty((min(at_once, len(numbers)), n_leads, n_samples), dtype=np.int16)
        for begin in range(0, len(numbers), at_once):
            part = signals[begin : begin + at_once]
            gaps = []
            for number, (target, place, start) in enumerate(
                zip(
                    counts,
                    places[begin : begin + at_once],
                    first_samples[begin : begin + at_once],
                    strict=False,
                )
            ):
                if self._copy_window(place, start, chosen, target) or place[3]:
                    gaps.append(number)
            layout.millivolts(counts[: len(part)], out=part)
            for number in gaps:
                part[number][counts[number] == layout.MISSING] = np.nan
        return signals

    def _copy_window(
        self, place: list[int], start: int, chosen: list[int] | None, target: NDArray[np.int16]
    ) -> bool:
        """Fill ``target`` (leads, samples) from one record; whether the window reaches beyond it."""
        shard, offset, length, _ = place
        n_stored, n_samples = len(layout.LEADS), target.shape[1]
        record = self._shard(shard)[offset : offset + n_stored * length].reshape(n_stored, length)
        if chosen is not None:
            record = record[chosen]
        if start == 0 and length == n_samples:
            target[:] = record
            return False
        first, last = max(start, 0), min(start + n_samples, length)
        if last - first == n_samples:
            target[:] = record[:, first:last]
            return False
        target[:] = layout.MISSING
        if last > first:
            target[:, first - start : last - start] = record[:, first:last]
        return True

    def _chosen(self, leads: Sequence[str] | None) -> list[int] | None:
        """Stored rows of these leads; None for all as they are."""
        if leads is None or tuple(leads) == self.leads:
            return None
        absent = [lead for lead in leads if lead not in self.leads]
        if absent:
            raise StoreError(f"leads: found {', '.join(absent)}; accepted: {', '.join(self.leads)}.")
        return [self.leads.index(lead) for lead in leads]

    def _one_length(self, numbers: NDArray[np.int64], call: str) -> int:
        lengths = self._places[numbers, 2]
        if not len(lengths):
            return int(self.description.get("n_samples") or 0)
        if lengths.min() != lengths.max():
            raise StoreError(
                f"{call}: found records of {lengths.min()} to {lengths.max()} samples; accepted: one length "
                "a call. Choose rows by their n_samples, take windows, or take them one at a time."
            )
        return int(lengths[0])

    def statements(self, rows: Rows) -> list[tuple[Statement, ...]]:
        """What the source says of each record."""
        return self._statements.of(self._numbers(rows))

    def recording(self, record: int | str) -> Recording:
        """One record, by row number or by record id, with its patient, statements and notes."""
        row = self._row_of(record) if isinstance(record, str) else int(self._numbers(record)[0])
        entry = self._known.slice(row, 1).to_pylist()[0]
        return Recording(
            signal=self.signals([row])[0],
            leads=self.leads,
            sampling_rate=self.sampling_rate,
            patient=Patient(id=entry["patient_id"], age=entry["age"], sex=entry["sex"]),
            statements=self.statements([row])[0],
            source=f"{self.dataset}: {entry['source_path']}",
            notes=tuple(entry["notes"]),
        )

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        # (records, 4): shard, offset, samples, missing samples.
        names = ["shard", "offset", "n_samples", "missing_samples"]
        table = self._read_index(names)
        if not any(table[name].null_count for name in names):
            places = np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.int64)
            if self._inside(places):
                return places
        raise StoreError(
            f"{layout.INDEX_FILE}: found records outside the shards; accepted: places within them. "
            f"Check the store: leadlight verify {self.path}."
        )

    def _inside(self, places: NDArray[np.int64]) -> bool:
        """Whether every record lies within its shard: no size of an array follows from a damaged index."""
        shard, offset, n_samples, missing = places.T
        sizes = np.array([one["bytes"] for one in self.description["shards"]], dtype=np.int64)
        n_counts = np.append((sizes - layout.SHARD_HEADER_BYTES) // 2, 0)
        if not ((shard >= 0) & (shard < len(sizes))).all():
            return False
        room, n_leads = n_counts[shard], len(layout.LEADS)
        # Divided, not multiplied: no product of damaged numbers overflows.
        fits = (offset >= 0) & (offset <= room) & (n_samples >= 1) & (n_samples <= (room - offset) // n_leads)
        return bool((fits & (missing >= 0)).all())

    @cached_property
    def _statements(self) -> StatementColumn:
        self._read_index(["statements"], rows=False)
        with self._open_index() as file:
            return read_statements(file, "statements")

    @cached_property
    def _known(self) -> Any:
        # What a Recording says of itself, as Arrow keeps it: a tenth of what pandas would need.
        return self._read_index(["record_id", "patient_id", "age", "sex", "source_path", "notes"])

    def _row_of(self, record_id: str) -> int:
        import pyarrow.compute as pc

        row = int(pc.index(self._known["record_id"], record_id).as_py())
        if row < 0:
            raise StoreError(f"{self.path}: no record with this id; Store.index['record_id'] lists them.")
        return row

    def _read_index(self, columns: list[str] | None, *, rows: bool = True) -> Any:
        """Columns of index.parquet, checked to be there; rows: whether to read any of it."""
        wanted = layout.index_schema(self.description["columns"]).names if columns is None else columns
        remedy = f"Check the store: leadlight verify {self.path}."
        with self._open_index() as file:
            names = file.schema_arrow.names
            absent = [name for name in wanted if name not in names]
            if absent:
                raise StoreError(f"{layout.INDEX_FILE}: found no column {', '.join(absent)}. {remedy}")
            if file.metadata.num_rows != len(self):
                raise StoreError(
                    f"{layout.INDEX_FILE}: found {file.metadata.num_rows} rows; accepted: the {len(self)} "
                    f"records of {layout.DESCRIPTION_FILE}. {remedy}"
                )
            if not rows:
                return None
            table = file.read(columns=columns)
            table.validate(full=True)  # text that is no UTF-8, lists that reach beyond their ends
            return table

    @contextmanager
    def _open_index(self) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = self.path / self.description["index"]["file"]
        try:
            with pq.ParquetFile(file) as opened:
                yield opened
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{file}: cannot be read as Parquet ({type(error).__name__}). "
                f"Check the store: leadlight verify {self.path}."
            ) from error

    def _numbers(self, rows: Rows) -> NDArray[np.int64]:
        n = len(self)
        if isinstance(rows, slice):
            return np.arange(n)[rows]
        numbers = np.atleast_1d(np.asarray(rows))
        if numbers.dtype == bool:
            if numbers.shape != (n,):
                raise StoreError(
                    f"rows: found a mask of shape {numbers.shape}; accepted: ({n},), one a record."
                )
            return np.flatnonzero(numbers)
        if numbers.size == 0:
            return np.zeros(0, dtype=np.int64)
        if numbers.ndim != 1 or not np.issubdtype(numbers.dtype, np.integer):
            raise StoreError(
                f"rows: found {numbers.dtype} of shape {numbers.shape}; "
                "accepted: row numbers, a slice or a mask."
            )
        if numbers.min() < 0 or numbers.max() >= n:
            wrong = numbers.min() if numbers.min() < 0 else numbers.max()
            raise StoreError(f"rows: found {wrong}; accepted: 0 to {n - 1}.")
        return numbers.astype(np.int64, copy=False)

    def _shard(self, number: int) -> NDArray[np.int16]:
        shard = self._shards.get(number)
        if shard is None:
            self._maps[number], shard = self._map(number)
            self._shards[number] = shard
        return shard

    def _map(self, number: int) -> tuple[mmap.mmap, NDArray[np.int16]]:
        file = self.path / layout.shard_name(number)
        try:
            with file.open("rb") as stream:
                mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            header = layout.shard_header((len(mapped) - layout.SHARD_HEADER_BYTES) // 2)
            if _CAN_ADVISE:
                # Batches are drawn at random: to read ahead would read the store many times over.
                mapped.madvise(mmap.MADV_RANDOM)
            if len(mapped) != self.description["shards"][number]["bytes"] or mapped[: len(header)] != header:
                raise ValueError("another shape or type")
            shard = np.frombuffer(mapped, dtype="<i2", offset=len(header))
        except (OSError, ValueError, IndexError) as error:
            raise StoreError(
                f"{file}: cannot be read as the store describes it; it was removed, damaged or replaced "
                f"since the store was opened. Open it again, or check it: leadlight verify {self.path}."
            ) from error
        return mapped, shard

    def _fetch(self, places: list[list[int]]) -> None:
        """Have the system read these records, all at once, as far as they are not in memory yet."""
        for shard, offset, length, _ in places:
            self._shard(shard)
            if _CAN_ADVISE:
                first = layout.SHARD_HEADER_BYTES + 2 * offset
                page = first - first % mmap.PAGESIZE
                size = first - page + 2 * len(layout.LEADS) * length
                self._maps[shard].madvise(mmap.MADV_WILLNEED, page, size)


def open_store(path: str | os.PathLike[str]) -> Store:
    """Open a prepared store.

    Raises StoreError where there is none, where one is not finished (with the
    command that goes on), and where a file is missing or has the wrong size.
    Checksums are compared by ``leadlight verify``, not here.
    """
    if not isinstance(path, str | os.PathLike):
        raise StoreError(f"store: found {kind_of(path)}; accepted: the path of a prepared store.")
    folder = Path(path)
    description = layout.read_description(folder)
    for entry in (*description["shards"], description["index"]):
        file = folder / entry["file"]
        found = file.stat().st_size if file.is_file() else None
        if found != entry["bytes"]:
            what = "no such file" if found is None else f"{found:,} bytes"
            raise StoreError(
                f"{file}: found {what}; accepted: {entry['bytes']:,} bytes. The store is damaged: copy it "
                "again, or prepare it again with --overwrite."
            )
    return Store(folder, description)
