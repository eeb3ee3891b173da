"""Several stores read as one, where they lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import StoreError
from leadlight.store import layout
from leadlight.store.combining import Combination, combine
from leadlight.store.counting import COUNTED, counts_of
from leadlight.store.reading import Store, open_store
from leadlight.store.statements import StatementColumn


class JoinedStore(Store):
    """Several stores with the reading interface of one; made by ``join``.

    stores: what it is made of. Shards are numbered on from store to store, so that all
    that a ``Store`` does with places is done here as well.
    """

    def __init__(self, combination: Combination) -> None:
        self.combination = combination
        self.stores = tuple(one.store for one in combination.chosen)
        shards: list[dict[str, Any]] = []
        self._first_shards: list[int] = []
        for one in combination.chosen:
            self._first_shards.append(len(shards))
            shards += [
                {**shard, "part": one.parts[shard.get("part", 0)]}
                for shard in one.store.description["shards"]
            ]
        path = Path(" + ".join(str(store.path) for store in self.stores))
        super().__init__(path, describe_parts(combination) | {"shards": shards, "records": len(combination)})
        self.description |= counts_of(self.columns(*COUNTED))

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        parts = []
        for one, first in zip(self.combination.chosen, self._first_shards, strict=True):
            places = one.store._places[one.rows]
            places[:, 0] += first
            parts.append(places)
        return np.concatenate(parts)

    @cached_property
    def _statements(self) -> StatementColumn:
        different: dict[Any, int] = {}
        ids, lengths = [], [np.zeros(1, dtype=np.int64)]
        for one in self.combination.chosen:
            column = one.store._statements
            renumbered = np.array(
                [different.setdefault(statement, len(different)) for statement in column.different] or [0],
                dtype=np.int32,
            )
            starts, stops = column.starts[one.rows], column.starts[one.rows + 1]
            said = stops - starts
            # Places of every chosen record's ids, one behind the other.
            within = np.arange(said.sum()) - np.repeat(np.cumsum(said) - said, said)
            ids.append(renumbered[column.ids[np.repeat(starts, said) + within]])
            lengths.append(said)
        return StatementColumn(tuple(different), np.concatenate(ids), np.cumsum(np.concatenate(lengths)))

    def _read_index(self, columns: list[str] | None, *, rows: bool = True) -> Any:
        import pyarrow as pa

        schema = layout.index_schema(self.description["columns"])
        wanted = schema.names if columns is None else columns
        tables = []
        for one, first in zip(self.combination.chosen, self._first_shards, strict=True):
            own = layout.index_schema(one.store.description["columns"]).names
            table = one.store._read_index([name for name in wanted if name in own]).take(pa.array(one.rows))
            given = {"record_id": one.record_ids, "patient_id": one.patient_ids}
            if "shard" in wanted:
                given["shard"] = pa.array(one.store._places[one.rows, 0] + first, pa.int32())
            arrays = [
                given[name] if name in given
                else table[name].cast(schema.field(name).type) if name in own
                else pa.nulls(len(one.rows), schema.field(name).type)
                for name in wanted
            ]  # fmt: skip
            tables.append(pa.table(arrays, schema=pa.schema([schema.field(name) for name in wanted])))
        return pa.concat_tables(tables)

    def _map(self, number: int) -> Any:
        # The last store that begins at or before it: one without shards begins where the next does.
        store = int(np.searchsorted(self._first_shards, number, side="right")) - 1
        return self.stores[store]._map(number - self._first_shards[store])


def join(stores: Sequence[Store | str | os.PathLike[str]], *, same_patients: bool = False) -> Store:
    """Read several stores as one, without copying: one store is returned as it is.

    Records that stand in several, patients in different folds and equal ids are handled as
    ``combining.py`` says; what is set aside is listed in ``description["set_aside"]``.
    same_patients: as in ``combine``. Raises StoreError for no store, and as ``combine`` does.
    """
    opened = [one if isinstance(one, Store) else open_store(one) for one in stores]
    if not opened:
        raise StoreError("stores: found none; accepted: one or more.")
    if len(opened) == 1:
        return opened[0]
    return JoinedStore(combine(opened, same_patients=same_patients))


def describe_parts(combination: Combination) -> dict[str, Any]:
    """What the description of a combination says without counting records."""
    stores = [one.store for one in combination.chosen]
    parts = combination.parts
    versions = {part.version for part in parts}
    labels = dict.fromkeys(name for store in stores for name in store.description["label_columns"])
    return {
        "schema_version": layout.SCHEMA_VERSION,
        "dataset": " + ".join(dict.fromkeys(part.dataset for part in parts)),
        "dataset_version": next(iter(versions)) if len(versions) == 1 else "",
        "sampling_rate": stores[0].sampling_rate,
        "leads": list(stores[0].leads),
        "counts_per_millivolt": layout.COUNTS_PER_MILLIVOLT,
        "missing_sample": layout.MISSING,
        "resampling": stores[0].description.get("resampling", ""),
        "notes": [f"{part.name}: {note}" for part in parts for note in part.about.get("notes", ())],
        "parts": [part.to_dict() for part in parts],
        "columns": dict(combination.columns),
        "label_columns": list(labels),
        "set_aside": list(combination.set_aside),
    }
