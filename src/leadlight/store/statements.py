"""The statements of all records, held once each: what a store's index says in millions of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.recording import Statement


@dataclass(frozen=True, eq=False)
class StatementColumn:
    """The index's statements. different: each once; ids: places in it, record after record;

    starts: (records + 1,), where each record's ids begin.
    """

    different: tuple[Statement, ...]
    ids: NDArray[np.int32]
    starts: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64]) -> list[tuple[Statement, ...]]:
        """The statements of these records; records that say the same share one tuple."""
        ids, different = self.ids, self.different
        known: dict[bytes, tuple[Statement, ...]] = {}
        result = []
        for start, stop in zip(self.starts[rows].tolist(), self.starts[rows + 1].tolist(), strict=True):
            said = ids[start:stop]
            key = said.tobytes()
            statements = known.get(key)
            if statements is None:
                statements = known[key] = tuple([different[one] for one in said.tolist()])
            result.append(statements)
        return result


def read_statements(file: Any, column: str) -> StatementColumn:
    """The column of statements of an open Parquet file, one row group in memory at a time."""
    places: dict[Statement, int] = {}
    ids, lengths = [np.zeros(0, dtype=np.int32)], [np.zeros(1, dtype=np.int64)]
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=[column])
        table.validate(full=True)
        for chunk in table[column].chunks:
            group_ids, group_lengths = _encoded(chunk, places)
            ids.append(group_ids)
            lengths.append(group_lengths)
    return StatementColumn(tuple(places), np.concatenate(ids), np.cumsum(np.concatenate(lengths)))


def _encoded(chunk: Any, places: dict[Statement, int]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Ids of a list array's statements, and how many each record has; new statements get a place."""
    import pyarrow.compute as pc

    said = chunk.flatten()
    parts = [pc.dictionary_encode(said.field(name), "encode") for name in ("code", "system", "likelihood")]
    key = np.zeros(len(said), dtype=np.int64)
    for part in parts:
        key = key * max(len(part.dictionary), 1) + part.indices.to_numpy(zero_copy_only=False)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    rows = said.take(first).to_pylist()
    of_key = [places.setdefault(Statement(**row), len(places)) for row in rows]
    ids = np.array(of_key, dtype=np.int32)[inverse] if rows else np.zeros(0, dtype=np.int32)
    lengths = pc.list_value_length(chunk).fill_null(0).to_numpy(zero_copy_only=False)
    return ids, lengths.astype(np.int64)
