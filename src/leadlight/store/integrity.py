"""What a store's index says, held to its own rules: counts, labels, patients, copies and folds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight import labels
from leadlight.labels.meanings import REPORT
from leadlight.labels.own import OWN
from leadlight.store.counting import COUNTED, counts_of, without_signal
from leadlight.store.reading import Store

_FEW = 5  # as many examples are named


@dataclass(frozen=True)
class Check:
    """One check of a store: its name, whether it passed, what was found.

    is_note: it passed, and found something that is worth to know.
    """

    name: str
    passed: bool
    found: str
    is_note: bool = False


def checked(name: str, faults: list[str], fine: str, notes: list[str] | None = None) -> Check:
    """A check that fails for faults, of which a few are named, and else tells what is fine, and the notes."""
    if faults:
        return Check(name, False, _few(faults))
    if notes:
        return Check(name, True, f"{fine}; note: {_few(notes)}", True)
    return Check(name, True, fine)


def _few(found: list[str]) -> str:
    more = f"; and {len(found) - _FEW} more" if len(found) > _FEW else ""
    return "; ".join(found[:_FEW]) + more


def counts_agree(store: Store) -> Check:
    """What the description counts is what the index has, and every record has an id of its own."""
    import pyarrow.compute as pc

    description = store.description
    found = counts_of(store.columns(*COUNTED))
    faults = [
        f"{key.replace('_', ' ')}: {value} in the index, {description.get(key)} stated"
        for key, value in found.items()
        if description.get(key) != value
    ]
    in_shards = sum(shard["records"] for shard in description["shards"])
    if in_shards != found["records"]:
        faults.append(f"records in shards: {found['records']} in the index, {in_shards} stated")
    ids = pc.count_distinct(store.columns("record_id")["record_id"], mode="all").as_py()
    if ids != found["records"]:
        faults.append(f"different record ids: {ids} of {found['records']}")
    return checked("counts", faults, f"{found['records']:,} records of {found['patients']:,} patients")


def labels_are_whole(store: Store) -> Check:
    """Every statement has a code, a system that is known, and a likelihood that can be.

    Codes that a system's table does not have set no label: a note. Own labels are those of the
    store's label columns; sentences of recorders' reports may be any.
    """
    faults: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    own = set(store.description["label_columns"])
    systems = (*labels.systems(), REPORT, OWN)
    column = store._statements
    times = np.bincount(column.ids, minlength=len(column.different)).tolist()
    for one, n in zip(column.different, times, strict=True):
        if not one.code:
            faults[f"a statement of {one.system or 'no system'} without a code"] += n
        elif one.system not in systems:
            faults[f"{one.code} ({one.system}): no such system"] += n
        elif one.system == OWN and one.code not in own:
            faults[f"{one.code} ({OWN}) is no label column of the store"] += n
        elif one.system not in (REPORT, OWN) and one.code not in labels.codes(one.system):
            notes[f"{one.code} ({one.system}) is not known and sets no label"] += n
        if one.likelihood is not None and not 0 <= one.likelihood <= 100:
            faults[f"{one.code} with likelihood {one.likelihood:g}"] += n
    return checked(
        "statements",
        [f"{fault} x {n:,}" for fault, n in faults.items()],
        f"{len(column.ids):,} statements",
        [f"{note} x {n:,}" for note, n in notes.items()],
    )


def patients_in_one_fold(store: Store) -> Check:
    """No patient stands in several folds. Records without a patient's id say nothing."""
    import pyarrow.compute as pc

    table = store.columns("patient_id", "fold")
    split = _across_folds(_keys(table["patient_id"]), table["fold"])
    faults = [f"{len(split):,} patients in several folds"] if split else []
    n_patients = pc.count_distinct(table["patient_id"]).as_py()
    return checked("patients within one fold", faults, f"{n_patients:,} patients")


def recordings_in_one_fold(store: Store) -> Check:
    """Copies of one recording, as the data sets name them, stand in one fold."""
    table = store.columns("same_as", "fold", "record_id")
    keys = _keys(table["same_as"])
    faults = _named(_across_folds(keys, table["fold"]), table["record_id"], "are copies of one recording")
    known = int((keys >= 0).sum())
    return checked("copies within one fold", faults, f"{known:,} records name the recording they are of")


def signals_in_one_fold(store: Store) -> Check:
    """Equal signals stand in one fold; those without any signal are equal and say nothing."""
    table = store.columns("checksum", "fold", "record_id", "flat_leads", "missing_leads")
    keys = _keys(table["checksum"])
    keys[without_signal(table)] = -1
    faults = _named(_across_folds(keys, table["fold"]), table["record_id"], "are equal")
    return checked("equal signals within one fold", faults, "no signal stands in two folds")


def _named(groups: list[NDArray[np.int64]], record_ids: Any, what: str) -> list[str]:
    faults = []
    for group in groups:
        names = [str(record_ids[row].as_py()) for row in group[:_FEW].tolist()]
        more = f" and {len(group) - _FEW:,} more" if len(group) > _FEW else ""
        faults.append(f"records {', '.join(names)}{more} {what}")
    return faults


def _keys(column: Any) -> NDArray[np.int64]:
    """A number for each different text, -1 where there is none: (records,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
    codes = column.combine_chunks().dictionary_encode().indices
    keys: NDArray[np.int64] = pc.fill_null(codes, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return keys


def _across_folds(keys: NDArray[np.int64], folds: Any) -> list[NDArray[np.int64]]:
    """Rows of each group with one key and several folds; records without a fold are in none."""
    fold_of = folds.to_numpy().astype(np.float64)
    rows = np.flatnonzero((keys >= 0) & ~np.isnan(fold_of))
    rows = rows[np.lexsort((rows, keys[rows]))]
    if not len(rows):
        return []
    groups = np.split(rows, np.flatnonzero(np.diff(keys[rows])) + 1)
    return [group for group in groups if len(group) > 1 and (fold_of[group] != fold_of[group[0]]).any()]
