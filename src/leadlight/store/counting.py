"""What an index says of all records together, counted, and which of them have no signal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.store import layout

COUNTED = (
    "patient_id", "fold", "source", "n_samples", "resampled", "file_sampling_rate",
)  # fmt: skip
"""Columns that are counted."""


def counts_of(table: Any) -> dict[str, Any]:
    """Records, patients, folds, sources, length and rates of an Arrow table with the counted columns."""
    import pyarrow.compute as pc

    folds = dict(_counted(table["fold"]))
    lengths = pc.unique(table["n_samples"]).to_pylist()
    return {
        "records": table.num_rows,
        "patients": pc.count_distinct(table["patient_id"]).as_py(),
        "records_per_fold": {
            str(fold): folds[fold] for fold in sorted(folds, key=lambda fold: (fold is None, fold))
        },
        "sources": dict(sorted(_counted(table["source"]))),
        "n_samples": lengths[0] if len(lengths) == 1 else None,
        "records_resampled": pc.sum(table["resampled"]).as_py() or 0,
        "file_sampling_rates": {
            f"{rate:g}": number for rate, number in sorted(_counted(table["file_sampling_rate"]))
        },
    }


def _counted(column: Any) -> list[tuple[Any, int]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return [(one["values"], one["counts"]) for one in pc.value_counts(column).to_pylist()]


def without_signal(table: Any) -> NDArray[np.bool_]:
    """Which records of a table with flat_leads and missing_leads have no signal in any lead."""
    import pyarrow.compute as pc

    counts = [
        pc.fill_null(pc.list_value_length(table[name].combine_chunks()), 0).to_numpy(zero_copy_only=False)
        for name in ("flat_leads", "missing_leads")
    ]
    silent: NDArray[np.bool_] = counts[0] + counts[1] >= len(layout.LEADS)
    return silent
