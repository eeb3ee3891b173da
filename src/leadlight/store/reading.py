"""Open a prepared store and take records out of it without reading the rest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import StoreError
from leadlight.recording import Patient, Recording, Statement
from leadlight.store import layout

if TYPE_CHECKING:
    import pandas as pd

Rows = SupportsIndex | slice | Sequence[int] | NDArray[Any]
"""Which records: a row number, a slice, row numbers in any order, or a boolean mask over all rows."""


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

    def __len__(self) -> int:
        return int(self.description["records"])

    def __repr__(self) -> str:
        return (
            f"Store({self.description['dataset']}, {len(self)} records, "
            f"{len(self.leads)} leads at {self.sampling_rate:g} Hz)"
        )

    def __getstate__(self) -> dict[str, Any]:
        # Maps and the table stay behind: another process opens its own.
        left_behind = {"_shards", "index", "_statements", "_row_of"}
        return {name: value for name, value in self.__dict__.items() if name not in left_behind}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._shards = {}

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
        """One row a record: ids, patient, fold, age, sex, statements, quality, place, source, checksum."""
        table = self._read_index(None)
        frame: pd.DataFrame = table.to_pandas(maps_as_pydicts="strict")
        return frame

    def counts(self, rows: Rows) -> NDArray[np.int16]:
        """Signals as stored: int16 (n, leads, samples), 1 count = 1 microvolt, -32768 = missing.

        Raises StoreError for rows that are not there and for records of different lengths.
        """
        numbers = self._numbers(rows)
        places = self._places[numbers]
        lengths = places[:, 2]
        n_samples = int(lengths[0]) if len(lengths) else int(self.description.get("n_samples") or 0)
        if (lengths != n_samples).any():
            raise StoreError(
                f"counts: found records of {lengths.min()} to {lengths.max()} samples; accepted: one length "
                "a call. Choose rows by index['n_samples'], or take them one at a time."
            )
        n_leads = len(self.leads)
        result = np.empty((len(numbers), n_leads * n_samples), dtype=np.int16)
        for target, (shard, offset, _, _) in zip(result, places.tolist(), strict=True):
            target[:] = self._shard(shard)[offset : offset + n_leads * n_samples]
        return result.reshape(len(numbers), n_leads, n_samples)

    def signals(self, rows: Rows, leads: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Signals in millivolts: float32 (n, leads, samples), NaN where a sample is missing.

        leads: these, in this order; None for all as stored. Raises as ``counts`` does,
        and StoreError for a lead that is not stored.
        """
        numbers = self._numbers(rows)
        counts = self.counts(numbers)
        if leads is not None and tuple(leads) != self.leads:
            absent = [lead for lead in leads if lead not in self.leads]
            if absent:
                raise StoreError(f"leads: found {', '.join(absent)}; accepted: {', '.join(self.leads)}.")
            counts = counts[:, [self.leads.index(lead) for lead in leads]]
        signals = layout.millivolts(counts)
        for place in np.flatnonzero(self._places[numbers, 3]):
            signals[place][counts[place] == layout.MISSING] = np.nan
        return signals

    def statements(self, rows: Rows) -> list[tuple[Statement, ...]]:
        """What the source says of each record."""
        return [self._statements[row] for row in self._numbers(rows).tolist()]

    def recording(self, record: int | str) -> Recording:
        """One record, by row number or by record id, with its patient, statements and notes."""
        if isinstance(record, str):
            if record not in self._row_of:
                raise StoreError(f"{self.path}: no record with this id; Store.index['record_id'] lists them.")
            row = self._row_of[record]
        else:
            row = int(self._numbers(record)[0])
        entry = self.index.iloc[row]
        known: dict[str, Any] = {
            key: None if _is_missing(entry[key]) else entry[key] for key in ("age", "sex")
        }
        age = None if known["age"] is None else float(known["age"])
        return Recording(
            signal=self.signals([row])[0],
            leads=self.leads,
            sampling_rate=self.sampling_rate,
            patient=Patient(id=entry["patient_id"], age=age, sex=known["sex"]),
            statements=self._statements[row],
            source=f"{self.dataset}: {entry['source_path']}",
            notes=tuple(entry["notes"]),
        )

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        # (records, 4): shard, offset, samples, missing samples.
        names = ["shard", "offset", "n_samples", "missing_samples"]
        table = self._read_index(names)
        return np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.int64)

    @cached_property
    def _statements(self) -> list[tuple[Statement, ...]]:
        column = self._read_index(["statements"])["statements"].to_pylist()
        return [tuple(Statement(**one) for one in statements) for statements in column]

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {record_id: row for row, record_id in enumerate(self.index["record_id"])}

    def _read_index(self, columns: list[str] | None) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = self.path / layout.INDEX_FILE
        remedy = f"Check the store: leadlight verify {self.path}."
        try:
            table = pq.ParquetFile(file).read(columns=columns)
        except (pa.ArrowException, OSError) as error:
            raise StoreError(
                f"{file}: cannot be read as Parquet ({type(error).__name__}). {remedy}"
            ) from error
        wanted = columns if columns is not None else layout.index_schema().names
        absent = [name for name in wanted if name not in table.column_names]
        if absent:
            raise StoreError(f"{file}: found no column {', '.join(absent)}. {remedy}")
        if table.num_rows != len(self):
            raise StoreError(
                f"{file}: found {table.num_rows} rows; accepted: the {len(self)} records of "
                f"{layout.DESCRIPTION_FILE}. {remedy}"
            )
        return table

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
            shard = self._shards[number] = self._map(number)
        return shard

    def _map(self, number: int) -> NDArray[np.int16]:
        file = self.path / layout.shard_name(number)
        try:
            # A plain array over the map: slicing a np.memmap costs several times as much.
            shard = np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
            is_right = shard.dtype == np.dtype("<i2") and shard.ndim == 1
            if not is_right or layout.shard_bytes(shard.size) != self.description["shards"][number]["bytes"]:
                raise ValueError("another shape or type")
        except (OSError, ValueError, IndexError) as error:
            raise StoreError(
                f"{file}: cannot be read as the store describes it; it was removed, damaged or replaced "
                f"since the store was opened. Open it again, or check it: leadlight verify {self.path}."
            ) from error
        return shard


def open_store(path: str | os.PathLike[str]) -> Store:
    """Open a prepared store.

    Raises StoreError where there is none, where one is not finished (with the
    command that goes on), and where a file is missing or has the wrong size.
    Checksums are compared by ``leadlight verify``, not here.
    """
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


def _is_missing(value: Any) -> bool:
    return value is None or value != value
